using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Inferloop.Sandbox.Hosting;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox;

/// <summary>Requests that no client would send end in an error that every client can read, and never in a defect of the sandbox.</summary>
public sealed class FuzzTests
{
    private const string Name = "fuzz-bucket";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Thousands_of_broken_requests_get_well_formed_answers(int seed)
    {
        using var runtime = new SandboxRuntime(new Inferloop.Sandbox.SandboxOptions { ClockRate = 0, Seed = seed });
        var router = new ServiceRouter(runtime);
        var random = new Random(seed);
        var requests = new RequestMaker(random, runtime.AccessKeys.Root);
        for (var i = 0; i < 2_000; i++)
        {
            var request = requests.Next();
            var shown = $"#{i}: {request.Method} {request.RawPath}?{request.RawQuery} {request.Header("x-amz-target")} {Encoding.UTF8.GetString(request.Body.Span)[..Math.Min(500, Encoding.UTF8.GetString(request.Body.Span).Length)]}";
            var response = await router.HandleAsync(request, TestContext.Current.CancellationToken);
            Assert.True(runtime.Statistics.InternalErrors.Count == 0, $"{shown}\n{string.Join("\n", runtime.Statistics.InternalErrors)}");
            Assert.True(response.Status is (>= 200 and < 500) or 501, $"{response.Status} for {shown}");
            AssertWellFormed(request, response, shown);
        }
    }

    private static void AssertWellFormed(ServiceRequest request, ServiceResponse response, string shown)
    {
        if (response.Body.IsEmpty)
        {
            Assert.True(response.Status < 400 || request.Method == "HEAD" || response.Status == 304, $"an error without a body for {shown}");
            return;
        }
        var type = response.Headers.GetValueOrDefault("Content-Type") ?? "";
        var text = Encoding.UTF8.GetString(response.Body.Span);
        if (type.Contains("cbor", StringComparison.Ordinal))
        {
            new CborReader(response.Body).Read();
        }
        else if (type.Contains("json", StringComparison.Ordinal))
        {
            var json = JsonNode.Parse(text);
            Assert.True(response.Status < 400 || json?["__type"] is not null, $"{text} for {shown}");
        }
        else if (type.Contains("xml", StringComparison.Ordinal))
        {
            var xml = XElement.Parse(text);
            Assert.True(response.Status < 400 || xml.DescendantsAndSelf().Any(element => element.Name.LocalName == "Code"), $"{text} for {shown}");
        }
        else
        {
            Assert.True(response.Status < 400, $"{type} {text} for {shown}");
        }
    }

    /// <summary>Signed requests of real operations with documents of the right shape, of which most are then broken in some way.</summary>
    private sealed class RequestMaker(Random random, AccessKey key)
    {
        private readonly DocumentMaker wild = new(random);
        private readonly DocumentMaker plausible = new(random, plausible: true);

        public ServiceRequest Next()
        {
            var model = ServiceModels.Get(ServiceModels.Names[random.Next(ServiceModels.Names.Count)]);
            var operations = model.OperationNames.ToList();
            var operation = model.Operation(operations[random.Next(operations.Count)])!;
            // Most documents could pass the checks of the model, so that the services behind them are reached.
            var document = operation.Input is { } input ? (random.Next(4) == 0 ? wild : plausible).Structure(input, 0) : [];
            foreach (var member in document.Select(pair => pair.Key).Where(_ => random.Next(3) == 0).ToList())
            {
                document.Remove(member);
            }
            var headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["host"] = "127.0.0.1" };
            var (method, path, query, body) = Build(model, operation, document, headers);
            body = Broken(body);
            if (random.Next(20) == 0)
            {
                path = Garbage(path);
            }
            if (random.Next(20) == 0)
            {
                query = Garbage(query);
            }
            if (random.Next(30) == 0)
            {
                method = new[] { "PATCH", "DELETE", "HEAD", "POST" }[random.Next(4)];
            }
            return Signed(model, method, path, query, body, headers);
        }

        private (string Method, string Path, string Query, byte[] Body) Build(ServiceModel model, OperationModel operation, JsonObject document, Dictionary<string, string> headers)
        {
            switch (model.Protocol)
            {
                case ProtocolKind.RpcV2Cbor when random.Next(2) == 0:
                    headers["smithy-protocol"] = "rpc-v2-cbor";
                    var writer = new CborWriter();
                    if (operation.Input is not null)
                    {
                        CborShapes.WriteStructure(writer, operation.Input, document);
                    }
                    return ("POST", $"/service/{model.TargetPrefix}/operation/{operation.Name}", "", writer.ToArray());
                case ProtocolKind.Json or ProtocolKind.RpcV2Cbor:
                    headers["x-amz-target"] = $"{model.TargetPrefix}.{operation.Name}";
                    return ("POST", "/", "", Encoding.UTF8.GetBytes(document.ToJsonString()));
                case ProtocolKind.Query or ProtocolKind.Ec2:
                    headers["content-type"] = "application/x-www-form-urlencoded";
                    var form = new List<KeyValuePair<string, string>> { new("Action", operation.Name), new("Version", model.ApiVersion) };
                    if (operation.Input is not null)
                    {
                        FormParameters.Write(form, operation.Input, document, "", model.Protocol == ProtocolKind.Ec2);
                    }
                    return ("POST", "/", "", Encoding.UTF8.GetBytes(string.Join('&', form.Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}"))));
                default:
                    return Rest(model, operation, document, headers);
            }
        }

        private (string, string, string, byte[]) Rest(ServiceModel model, OperationModel operation, JsonObject document, Dictionary<string, string> headers)
        {
            var uri = operation.RequestUri;
            var question = uri.IndexOf('?', StringComparison.Ordinal);
            var path = question < 0 ? uri : uri[..question];
            var query = question < 0 ? "" : uri[(question + 1)..];
            foreach (var member in operation.Input?.Members ?? [])
            {
                var text = Scalars.Text(document[member.Name]) ?? "";
                switch (member.Location)
                {
                    case "uri":
                        path = path.Replace("{" + member.WireName + "+}", "a/b", StringComparison.Ordinal).Replace("{" + member.WireName + "}", random.Next(2) == 0 ? Name : Uri.EscapeDataString(text), StringComparison.Ordinal);
                        break;
                    case "querystring" when random.Next(2) == 0:
                        query += (query.Length > 0 ? "&" : "") + Uri.EscapeDataString(member.WireName) + "=" + Uri.EscapeDataString(text);
                        break;
                    case "header" when random.Next(3) == 0:
                        headers[member.WireName.ToLowerInvariant()] = text.Replace("\n", " ", StringComparison.Ordinal);
                        break;
                }
            }
            var body = model.Protocol == ProtocolKind.RestJson
                ? Encoding.UTF8.GetBytes(document.ToJsonString())
                : operation.Input?.Payload is { } payload && operation.Input.Member(payload) is { Shape.Type: ShapeType.Structure } member2 && document[payload] is JsonObject inner
                    ? Messages.Xml(writer =>
                    {
                        writer.WriteStartElement(member2.LocationName ?? member2.ShapeName);
                        XmlShapes.WriteMembers(writer, member2.Shape, inner);
                        writer.WriteEndElement();
                    })
                    : [];
            return (operation.Method, path, query, body);
        }

        private byte[] Broken(byte[] body)
        {
            switch (random.Next(8))
            {
                case 0 when body.Length > 0:
                    return body[..random.Next(body.Length)];
                case 1:
                    var noise = new byte[random.Next(200)];
                    random.NextBytes(noise);
                    return noise;
                case 2 when body.Length > 0:
                    var changed = (byte[])body.Clone();
                    for (var i = 0; i < 5; i++)
                    {
                        changed[random.Next(changed.Length)] = (byte)random.Next(256);
                    }
                    return changed;
                case 3:
                    return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace("true", "\"x\"", StringComparison.Ordinal).Replace('[', '{').Replace(']', '}'));
                case 4:
                    return [];
                default:
                    return body;
            }
        }

        private string Garbage(string text)
        {
            var characters = new[] { "/", "%", "%zz", "..", "\u00e9", "?", "&&", "=", "+", "%00", "{", "}" };
            return "/" + text.TrimStart('/').Insert(random.Next(text.TrimStart('/').Length + 1), characters[random.Next(characters.Length)]);
        }

        private ServiceRequest Signed(ServiceModel model, string method, string path, string query, byte[] body, Dictionary<string, string> headers)
        {
            var time = DateTimeOffset.UtcNow.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
            headers["x-amz-date"] = time;
            headers["x-amz-content-sha256"] = Signature.Hex(System.Security.Cryptography.SHA256.HashData(body));
            var request = new ServiceRequest { Method = method, RawPath = path, RawQuery = query, Headers = headers, Body = body };
            var signature = Signature.Of(key, time, "us-east-1", model.SigningName, request);
            headers["authorization"] = $"AWS4-HMAC-SHA256 Credential={key.Id}/{time[..8]}/us-east-1/{model.SigningName}/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}";
            return request;
        }
    }
}
