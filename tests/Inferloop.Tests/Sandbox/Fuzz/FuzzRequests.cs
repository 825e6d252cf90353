using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox.Fuzz;

/// <summary>A request, and what is known about it.</summary>
/// <param name="Request">The request.</param>
/// <param name="Model">The service it is meant for.</param>
/// <param name="Operation">The operation it is meant for.</param>
/// <param name="Document">What it asks.</param>
/// <param name="IsAddressed">Whether it still says which service it is meant for, so that the answer has to be in that service's protocol.</param>
internal sealed record FuzzRequest(ServiceRequest Request, ServiceModel Model, OperationModel Operation, JsonObject Document, bool IsAddressed);

/// <summary>Requests of real operations with documents made of their shapes, of which most are then broken in some way; signed, but for those whose signature is what is broken.</summary>
internal sealed class FuzzRequests
{
    private static readonly string[] StrangeHeaders =
    [
        "range", "if-match", "if-none-match", "if-modified-since", "content-md5", "content-encoding", "x-amz-copy-source", "x-amz-copy-source-range", "x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm",
        "x-amz-checksum-crc32", "x-amz-checksum-sha256", "x-amz-trailer", "x-amz-tagging", "x-amz-acl", "x-amz-meta-a", "x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-object-lock-mode",
        "x-amz-object-lock-retain-until-date", "x-amz-expected-bucket-owner", "x-amz-security-token", "expect", "accept", "accept-encoding", "user-agent", "x-amzn-query-mode", "amz-sdk-invocation-id", "x-amz-invocation-type", "x-amz-client-context",
    ];

    private static readonly string[] ContentTypes =
    [
        "application/json", "application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/cbor", "application/xml", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=utf-16", "", ";", "application/octet-stream",
    ];

    private static readonly string[] Digests =
    [
        "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-EVENTS", "", "zz", new('0', 64),
    ];

    private readonly Random random;
    private readonly AccessKey key;
    private readonly SeenTexts seen;
    private readonly Mutations mutations;
    private readonly DocumentMaker wild;
    private readonly DocumentMaker plausible;
    private readonly List<(ServiceModel Model, List<string> Has, List<string> All)> services;
    private ServiceModel? current;

    public FuzzRequests(Random random, SandboxRuntime runtime, SeenTexts seen)
    {
        this.random = random;
        this.seen = seen;
        key = runtime.AccessKeys.Root;
        mutations = new Mutations(random);
        wild = new DocumentMaker(random);
        plausible = new DocumentMaker(random, plausible: true, name => seen.Find(current!.Name, name));
        services = [.. runtime.Services.OrderBy(service => service.ModelName, StringComparer.Ordinal).Select(service => (service.Model, service.Operations.Order(StringComparer.Ordinal).ToList(), service.Model.OperationNames.ToList()))];
    }

    public FuzzRequest Next()
    {
        var (model, has, all) = services[random.Next(services.Count)];
        current = model;
        var from = random.Next(20) == 0 ? all : has;
        var name = from[random.Next(from.Count)];
        if (name.StartsWith("Delete", StringComparison.Ordinal) && random.Next(2) == 0)
        {
            // What is there makes the requests after it reach further.
            name = from[random.Next(from.Count)];
        }
        var operation = model.Operation(name)!;
        var document = operation.Input is { } input ? (random.Next(8) == 0 ? wild : plausible).Structure(input, 0) : [];
        var addressed = true;
        var headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["host"] = "127.0.0.1" };
        var unshaken = (JsonObject)document.DeepClone();
        var writesJson = model.Protocol is ProtocolKind.Json or ProtocolKind.RestJson or ProtocolKind.RpcV2Cbor;
        var shaken = random.Next(3) == 0;
        if (shaken)
        {
            mutations.Disturb(document, textOnly: !writesJson);
        }
        var (method, path, query, body) = Build(model, operation, document, unshaken, headers, shaken);
        if (random.Next(5) == 0)
        {
            body = mutations.Broken(body);
        }
        if (random.Next(25) == 0)
        {
            path = mutations.Garbage(path);
            addressed = false;
        }
        if (random.Next(25) == 0)
        {
            query = random.Next(2) == 0 ? mutations.Garbage(query) : query + "&" + Uri.EscapeDataString(seen.Find(model.Name, "marker") ?? "x") + "=" + Uri.EscapeDataString(mutations.Text());
        }
        if (random.Next(40) == 0)
        {
            method = new[] { "PATCH", "DELETE", "HEAD", "POST", "GET", "PUT", "OPTIONS", "TRACE" }[random.Next(8)];
        }
        if (random.Next(20) == 0)
        {
            headers["content-type"] = ContentTypes[random.Next(ContentTypes.Length)];
            addressed = false;
        }
        if (random.Next(10) == 0)
        {
            headers[StrangeHeaders[random.Next(StrangeHeaders.Length)]] = mutations.Text().Replace("\n", " ", StringComparison.Ordinal);
        }
        if (random.Next(60) == 0)
        {
            headers["x-amz-target"] = mutations.Text();
            addressed = false;
        }
        if (random.Next(80) == 0)
        {
            headers["smithy-protocol"] = random.Next(2) == 0 ? "rpc-v2-cbor" : "rpc-v9";
            addressed = false;
        }
        var request = Signed(model, method, path, query, body, headers, ref addressed);
        return new FuzzRequest(request, model, operation, document, addressed);
    }

    private (string Method, string Path, string Query, byte[] Body) Build(
        ServiceModel model, OperationModel operation, JsonObject document, JsonObject unshaken, Dictionary<string, string> headers, bool shaken)
    {
        switch (model.Protocol)
        {
            case ProtocolKind.RpcV2Cbor when random.Next(2) == 0:
                headers["smithy-protocol"] = "rpc-v2-cbor";
                var writer = new CborWriter();
                if (operation.Input is not null)
                {
                    // A writer of shapes can write nothing of another type: the bytes are shaken instead.
                    CborShapes.WriteStructure(writer, operation.Input, unshaken);
                }
                return ("POST", $"/service/{model.TargetPrefix}/operation/{operation.Name}", "", shaken ? mutations.Broken(writer.ToArray()) : writer.ToArray());
            case ProtocolKind.Json or ProtocolKind.RpcV2Cbor:
                headers["x-amz-target"] = $"{model.TargetPrefix}.{operation.Name}";
                return ("POST", "/", "", Encoding.UTF8.GetBytes(mutations.Written(document)));
            case ProtocolKind.Query or ProtocolKind.Ec2:
                headers["content-type"] = "application/x-www-form-urlencoded";
                var form = new List<KeyValuePair<string, string>> { new("Action", operation.Name), new("Version", model.ApiVersion) };
                if (operation.Input is not null)
                {
                    FormParameters.Write(form, operation.Input, document, "", model.Protocol == ProtocolKind.Ec2);
                }
                if (shaken && random.Next(2) == 0)
                {
                    Shake(form);
                }
                return ("POST", "/", "", Encoding.UTF8.GetBytes(string.Join('&', form.Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Escaped(pair.Value)}"))));
            default:
                return Rest(model, operation, document, headers);
        }
    }

    /// <summary>Numbers and names of parameters as no client would number and name them.</summary>
    private void Shake(List<KeyValuePair<string, string>> form)
    {
        for (var times = random.Next(1, 3); times > 0; times--)
        {
            var at = random.Next(form.Count);
            var (name, value) = form[at];
            name = random.Next(7) switch
            {
                0 => name + ".1",
                1 => name.Replace(".1", ".1000000000", StringComparison.Ordinal),
                2 => name.Replace(".1", ".0", StringComparison.Ordinal),
                3 => name.Replace(".1", ".-1", StringComparison.Ordinal),
                4 => name + ".",
                5 => name + string.Concat(Enumerable.Repeat(".member.1", 60)),
                _ => name.Split('.')[0],
            };
            form.Insert(at, new(name, random.Next(2) == 0 ? value : mutations.Text()));
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
            var text = document[member.Name] is JsonValue value ? Scalars.Text(value) ?? "" : random.Next(2) == 0 ? seen.Find(model.Name, member.Name) ?? "fuzz-bucket" : "fuzz-bucket";
            switch (member.Location)
            {
                case "uri":
                    path = path.Replace("{" + member.WireName + "+}", random.Next(2) == 0 ? "a/b" : Escaped(text), StringComparison.Ordinal).Replace("{" + member.WireName + "}", Escaped(text), StringComparison.Ordinal);
                    break;
                case "querystring" when document.ContainsKey(member.Name) || random.Next(6) == 0:
                    query += (query.Length > 0 ? "&" : "") + Uri.EscapeDataString(member.WireName) + "=" + Escaped(text);
                    break;
                case "header" when document.ContainsKey(member.Name) && random.Next(3) == 0:
                    headers[member.WireName.ToLowerInvariant()] = text.Replace("\n", " ", StringComparison.Ordinal);
                    break;
            }
        }
        return (operation.Method, path, query, RestBody(model, operation, document));
    }

    private byte[] RestBody(ServiceModel model, OperationModel operation, JsonObject document)
    {
        if (operation.Input is not { } input)
        {
            return [];
        }
        var payload = input.Payload is { } name ? input.Member(name) : null;
        if (payload is { Shape.Type: not ShapeType.Structure })
        {
            var blob = new byte[random.Next(200)];
            random.NextBytes(blob);
            return document[payload.Name] is JsonValue text && random.Next(2) == 0 ? Encoding.UTF8.GetBytes(Scalars.Text(text) ?? "") : blob;
        }
        if (model.Protocol == ProtocolKind.RestJson)
        {
            return Encoding.UTF8.GetBytes(mutations.Written(payload is null ? document : document[payload.Name] as JsonObject ?? []));
        }
        var (root, shape, content) = payload is not null
            ? (payload.LocationName ?? payload.ShapeName, payload.Shape, document[payload.Name] as JsonObject)
            : (operation.InputLocationName, input, document);
        if (root is null || content is null)
        {
            return [];
        }
        var xml = Encoding.UTF8.GetString(Xml(root, shape, content));
        return Encoding.UTF8.GetBytes(random.Next(12) switch
        {
            0 => xml.Replace("</", "<", StringComparison.Ordinal),
            1 => "<!DOCTYPE a [<!ENTITY x \"" + new string('y', 200) + "\">]>" + xml.Replace(">", ">&x;", StringComparison.Ordinal),
            2 => string.Concat(Enumerable.Repeat("<a>", 300)) + xml,
            3 => xml.Replace("e>", "é>", StringComparison.Ordinal),
            _ => xml,
        });
    }

    private static byte[] Xml(string root, Shape shape, JsonObject content)
    {
        try
        {
            return Messages.Xml(writer =>
            {
                writer.WriteStartElement(root);
                XmlShapes.WriteMembers(writer, shape, content);
                writer.WriteEndElement();
            });
        }
        catch (Exception e) when (e is ArgumentException or XmlException or InvalidOperationException or FormatException or InvalidCastException)
        {
            // Of the shaken documents some cannot be written at all.
            return Encoding.UTF8.GetBytes($"<{root}>{System.Security.SecurityElement.Escape(content.ToJsonString())}</{root}>");
        }
    }

    private static string Escaped(string text) => Uri.EscapeDataString(text);

    private ServiceRequest Signed(ServiceModel model, string method, string path, string query, byte[] body, Dictionary<string, string> headers, ref bool addressed)
    {
        var time = DateTimeOffset.UtcNow.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        headers["x-amz-date"] = time;
        headers["x-amz-content-sha256"] = model.Name == "s3" && random.Next(15) == 0 ? Digests[random.Next(Digests.Length)] : Signature.Hex(SHA256.HashData(body));
        var request = new ServiceRequest { Method = method, RawPath = path, RawQuery = query, Headers = headers, Body = body };
        var signature = Signature.Of(key, time, "us-east-1", model.SigningName, request);
        var authorization = $"AWS4-HMAC-SHA256 Credential={key.Id}/{time[..8]}/us-east-1/{model.SigningName}/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}";
        if (random.Next(25) == 0)
        {
            addressed = false;
            authorization = random.Next(8) switch
            {
                0 => authorization[..random.Next(authorization.Length)],
                1 => authorization.Replace("/us-east-1/", "/" + mutations.Text() + "/", StringComparison.Ordinal),
                2 => authorization.Replace(key.Id, mutations.Text(), StringComparison.Ordinal),
                3 => authorization.Replace("host;x-amz-date", mutations.Text(), StringComparison.Ordinal),
                4 => authorization.Replace(time[..8], "20010101", StringComparison.Ordinal),
                5 => authorization.Replace(signature, new string('0', 64), StringComparison.Ordinal),
                6 => mutations.Text(),
                _ => "AWS4-ECDSA-P256-SHA256 " + authorization,
            };
        }
        headers["authorization"] = authorization;
        if (random.Next(60) == 0)
        {
            addressed = false;
            headers["x-amz-date"] = mutations.Text();
        }
        if (random.Next(60) == 0)
        {
            addressed = false;
            headers.Remove("authorization");
            return new ServiceRequest
            {
                Method = method, RawPath = path, Headers = headers, Body = body,
                RawQuery = $"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={Uri.EscapeDataString(random.Next(2) == 0 ? mutations.Text() : $"{key.Id}/{time[..8]}/us-east-1/s3/aws4_request")}&X-Amz-Date={time}&X-Amz-Expires={Escaped(mutations.Text())}&X-Amz-SignedHeaders=host&X-Amz-Signature={signature}&{query}",
            };
        }
        return request;
    }
}
