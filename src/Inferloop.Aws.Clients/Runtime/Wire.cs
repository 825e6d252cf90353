using System.Globalization;
using System.Text;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;
using Amazon.Util;

namespace Inferloop.Aws.Clients;

/// <summary>What the protocols share: requests, text to values, raw bodies.</summary>
internal static class Wire
{
    /// <summary>A collection counts as set when it exists, unless collections always exist.</summary>
    public static bool IsSet<T>(ICollection<T>? collection) =>
        collection is not null && (collection.Count > 0 || !Amazon.AWSConfigs.InitializeCollections);

    public static DefaultRequest QueryRequest(AmazonWebServiceRequest input, string service, string action, string version)
    {
        DefaultRequest request = new(input, service);
        request.Parameters.Add("Action", action);
        request.Parameters.Add("Version", version);
        return request;
    }

    public static DefaultRequest RestRequest(AmazonWebServiceRequest input, string service, string method, string path, string version)
    {
        DefaultRequest request = new(input, service) { HttpMethod = method, ResourcePath = path };
        request.Headers[HeaderKeys.XAmzApiVersion] = version;
        return request;
    }

    public static void SetStream(DefaultRequest request, Stream? content)
    {
        request.ContentStream = content ?? new MemoryStream();
        request.Headers[HeaderKeys.ContentLengthHeader] = request.ContentStream.Length.ToString(CultureInfo.InvariantCulture);
        request.Headers[HeaderKeys.ContentTypeHeader] = "application/octet-stream";
    }

    public static void SetText(DefaultRequest request, string? content)
    {
        request.Content = Encoding.UTF8.GetBytes(content ?? "");
        request.Headers[HeaderKeys.ContentTypeHeader] = "text/plain";
    }

    /// <summary>"Z1" of "/hostedzone/Z1"; "Z1" of "Z1".</summary>
    public static string LastSegment(string id) => id.StartsWith('/') ? id[(id.LastIndexOf('/') + 1)..] : id;

    public static List<string> Texts<T>(IEnumerable<T> values, Func<T, string> text) => [.. values.Select(text)];

    public static Dictionary<string, string> Headers(IWebResponseData data, string prefix) =>
        data.GetHeaderNames().Where(n => n.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(n => n[prefix.Length..], data.GetHeaderValue, StringComparer.Ordinal);

    /// <summary>The whole body: our operations answer with blobs of a few megabytes at most.</summary>
    public static MemoryStream Content(Stream stream)
    {
        MemoryStream copy = new();
        stream.CopyTo(copy);
        copy.Position = 0;
        return copy;
    }

    public static string Text(Stream stream)
    {
        using StreamReader reader = new(stream, Encoding.UTF8, leaveOpen: true);
        return reader.ReadToEnd();
    }

    public static int? ParseInt(string? text) => string.IsNullOrEmpty(text) ? null : int.Parse(text, CultureInfo.InvariantCulture);

    public static long? ParseLong(string? text) => string.IsNullOrEmpty(text) ? null : long.Parse(text, CultureInfo.InvariantCulture);

    public static float? ParseFloat(string? text) => string.IsNullOrEmpty(text) ? null : float.Parse(text, CultureInfo.InvariantCulture);

    public static double? ParseDouble(string? text) => string.IsNullOrEmpty(text) ? null : double.Parse(text, CultureInfo.InvariantCulture);

    public static bool? ParseBool(string? text) => string.IsNullOrEmpty(text) ? null : bool.Parse(text);

    public static MemoryStream? ParseBlob(string? text) => text is null ? null : new MemoryStream(Convert.FromBase64String(text));

    /// <summary>ISO 8601, RFC 822 or seconds since 1970, in UTC.</summary>
    public static DateTime? ParseTimestamp(string? text) =>
        string.IsNullOrEmpty(text) ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) ? AWSSDKUtils.ConvertFromUnixDoubleEpochSeconds(seconds)
        : DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal);
}
