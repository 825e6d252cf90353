namespace Inferloop.Sandbox.Protocols;

/// <summary>A request as the router sees it, whatever transport brought it.</summary>
internal sealed class ServiceRequest
{
    public required string Method { get; init; }

    /// <summary>The path as sent, still percent-encoded.</summary>
    public required string RawPath { get; init; }

    /// <summary>The query string as sent, without the question mark.</summary>
    public required string RawQuery { get; init; }

    /// <summary>Headers by lower-case name; repeated ones joined with a comma.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public ReadOnlyMemory<byte> Body { get; set; }

    /// <summary>The path that operations are found by: the path as sent, with the bucket of a virtual-host-style request put in front.</summary>
    public string Path
    {
        get => path ?? RawPath;
        set => path = value;
    }

    /// <summary>Headers that came after a chunked body.</summary>
    public IReadOnlyDictionary<string, string> Trailers { get; set; } = new Dictionary<string, string>();

    /// <summary>Query parameters, decoded, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Query => query ??= ParseQuery(RawQuery);

    /// <summary>The account, region and name of the EKS cluster whose own API it was sent to; null for AWS's APIs.</summary>
    /// <remarks>Kept as a header that no client can send, so that whatever keeps or repeats requests keeps it too.</remarks>
    public (string Account, string Region, string Name)? Cluster => Header(ClusterHeader)?.Split('/') is [var account, var region, var name] ? (account, region, name) : null;

    /// <summary>The same request, known to have been sent to a cluster.</summary>
    public ServiceRequest For(string account, string region, string cluster) => new()
    {
        Method = Method, RawPath = RawPath, RawQuery = RawQuery, Body = Body, Trailers = Trailers, Headers = new Dictionary<string, string>(Headers) { [ClusterHeader] = $"{account}/{region}/{cluster}" },
    };

    private const string ClusterHeader = ":cluster";

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    public string? QueryValue(string name)
    {
        foreach (var (key, value) in Query)
        {
            if (key == name)
            {
                return value;
            }
        }
        return null;
    }

    private List<KeyValuePair<string, string>>? query;
    private string? path;

    public static List<KeyValuePair<string, string>> ParseQuery(string text)
    {
        var result = new List<KeyValuePair<string, string>>();
        foreach (var part in text.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=');
            result.Add(equals < 0
                ? new(Decode(part), "")
                : new(Decode(part[..equals]), Decode(part[(equals + 1)..])));
        }
        return result;
    }

    private static string Decode(string text) =>
        text.AsSpan().IndexOfAny('%', '+') < 0 ? text : Uri.UnescapeDataString(text.Replace('+', ' '));
}

/// <summary>The answer to a <see cref="ServiceRequest"/>.</summary>
internal sealed class ServiceResponse
{
    public int Status { get; set; } = 200;

    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    public ReadOnlyMemory<byte> Body { get; set; }

    /// <summary>How long the answer is held back, in real time.</summary>
    public TimeSpan Hold { get; set; }

    /// <summary>Whether an injected fault kept the request from being carried out.</summary>
    public bool IsRefused { get; set; }

    /// <summary>No answer at all: the connection is closed instead.</summary>
    public bool IsDropped { get; init; }

    /// <summary>Writes a body whose length nobody knows yet, such as a watch; null when <see cref="Body"/> is all there is.</summary>
    public Func<Stream, CancellationToken, Task>? Streaming { get; init; }
}
