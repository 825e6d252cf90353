using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox;

/// <summary>A client of the sandbox that knows only HTTP and Signature Version 4, written from AWS's description of them.</summary>
internal sealed class SandboxClient(SandboxHost host, string? accessKeyId = null, string? secret = null)
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public string AccessKeyId { get; } = accessKeyId ?? host.AccessKeyId;

    public string Secret { get; } = secret ?? host.SecretAccessKey;

    public string? Token { get; init; }

    public string Region { get; init; } = "us-east-1";

    public DateTimeOffset? Time { get; init; }

    /// <summary>Sends a signed request.</summary>
    public async Task<SandboxAnswer> SendAsync(
        string service, HttpMethod method, string target, byte[]? body = null, IReadOnlyDictionary<string, string>? headers = null, Action<HttpRequestMessage>? afterSigning = null, string? hash = null)
    {
        var request = new HttpRequestMessage(method, new Uri(host.Endpoint.GetLeftPart(UriPartial.Authority) + target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
        }
        foreach (var (name, value) in headers ?? new Dictionary<string, string>())
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content ??= new ByteArrayContent([]);
                request.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }
        Sign(request, service, target, body ?? [], hash);
        afterSigning?.Invoke(request);
        return await SendAsync(request);
    }

    public static async Task<SandboxAnswer> SendAsync(HttpRequestMessage request)
    {
        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        var content = await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        return new SandboxAnswer((int)response.StatusCode, response.Headers.Concat(response.Content.Headers).ToDictionary(header => header.Key, header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase), content);
    }

    /// <summary>A call of the query protocol.</summary>
    public async Task<SandboxAnswer> QueryAsync(string service, string version, string action, params (string Name, string Value)[] parameters)
    {
        var form = new List<(string, string)> { ("Action", action), ("Version", version) };
        form.AddRange(parameters);
        var body = string.Join('&', form.Select(pair => $"{Uri.EscapeDataString(pair.Item1)}={Uri.EscapeDataString(pair.Item2)}"));
        return await SendAsync(service, HttpMethod.Post, "/", Encoding.UTF8.GetBytes(body), new Dictionary<string, string> { ["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8" });
    }

    /// <summary>A call of a JSON protocol.</summary>
    public Task<SandboxAnswer> JsonAsync(string service, string target, string body) =>
        SendAsync(service, HttpMethod.Post, "/", Encoding.UTF8.GetBytes(body), new Dictionary<string, string> { ["X-Amz-Target"] = target, ["Content-Type"] = "application/x-amz-json-1.1" });

    public void Sign(HttpRequestMessage request, string service, string target, byte[] body, string? hash = null)
    {
        var time = (Time ?? DateTimeOffset.UtcNow).UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        request.Headers.TryAddWithoutValidation("X-Amz-Date", time);
        hash ??= Convert.ToHexString(SHA256.HashData(body)).ToLowerInvariant();
        if (service == "s3")
        {
            request.Headers.TryAddWithoutValidation("X-Amz-Content-Sha256", hash);
        }
        if (Token is not null)
        {
            request.Headers.TryAddWithoutValidation("X-Amz-Security-Token", Token);
        }
        var host = request.Headers.Host ?? request.RequestUri!.Authority;
        var signed = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["host"] = host };
        foreach (var header in request.Headers.Where(header => header.Key.StartsWith("X-Amz-", StringComparison.OrdinalIgnoreCase)))
        {
            signed[header.Key.ToLowerInvariant()] = string.Join(",", header.Value).Trim();
        }
        var question = target.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? target : target[..question];
        var query = question < 0 ? "" : string.Join('&', target[(question + 1)..].Split('&').Select(part => part.Contains('=', StringComparison.Ordinal) ? part : part + "=").Order(StringComparer.Ordinal));
        var canonicalPath = service == "s3" ? path : string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        var names = string.Join(';', signed.Keys);
        var canonical = $"{request.Method}\n{canonicalPath}\n{query}\n{string.Concat(signed.Select(header => $"{header.Key}:{header.Value}\n"))}\n{names}\n{hash}";
        var scope = $"{time[..8]}/{Region}/{service}/aws4_request";
        var toSign = $"AWS4-HMAC-SHA256\n{time}\n{scope}\n{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(canonical))).ToLowerInvariant()}";
        var signature = Convert.ToHexString(HMACSHA256.HashData(SigningKey(time[..8], service), Encoding.UTF8.GetBytes(toSign))).ToLowerInvariant();
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 Credential={AccessKeyId}/{scope}, SignedHeaders={names}, Signature={signature}");
    }

    public byte[] SigningKey(string date, string service)
    {
        var key = Encoding.UTF8.GetBytes("AWS4" + Secret);
        foreach (var part in new[] { date, Region, service, "aws4_request" })
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        }
        return key;
    }
}

/// <summary>An answer of the sandbox.</summary>
internal sealed record SandboxAnswer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public XElement Xml => XElement.Parse(Text);

    /// <summary>The text of the first element with this name; null when there is none.</summary>
    public string? Value(string name) => Xml.DescendantsAndSelf().FirstOrDefault(element => element.Name.LocalName == name)?.Value;

    public IReadOnlyList<XElement> All(string name) => Xml.Descendants().Where(element => element.Name.LocalName == name).ToList();

    /// <summary>The error's code, whatever the protocol.</summary>
    public string? ErrorCode => Text.StartsWith('<') ? Value("Code") : System.Text.Json.Nodes.JsonNode.Parse(Text)?["__type"]?.ToString();

    public string? ErrorMessage => Text.StartsWith('<') ? Value("Message") : System.Text.Json.Nodes.JsonNode.Parse(Text)?["message"]?.ToString() ?? System.Text.Json.Nodes.JsonNode.Parse(Text)?["Message"]?.ToString();

    public SandboxAnswer EnsureSuccess()
    {
        Assert.True(Status is >= 200 and < 300, $"{Status}: {Text}");
        return this;
    }
}
