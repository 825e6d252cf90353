using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

/// <summary>S3's older presigned URL (Signature Version 2), which botocore and the aws CLI still make for us-east-1.</summary>
internal sealed class PresignedV2
{
    private static readonly HashSet<string> SignedParameters = new(StringComparer.Ordinal)
    {
        "accelerate", "acl", "cors", "defaultObjectAcl", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy",
        "replication", "requestPayment", "restore", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
        "response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language", "response-content-type",
        "response-expires", "analytics", "metrics", "inventory", "object-lock", "legal-hold", "retention", "select", "select-type",
    };

    public required string AccessKeyId { get; init; }

    public required string Value { get; init; }

    public required string Expires { get; init; }

    public string? Token { get; init; }

    public static PresignedV2? Read(ServiceRequest request) =>
        request.QueryValue("AWSAccessKeyId") is { } id && request.QueryValue("Signature") is { } signature && request.QueryValue("Expires") is { } expires
            ? new PresignedV2 { AccessKeyId = id, Value = signature, Expires = expires, Token = request.QueryValue("x-amz-security-token") }
            : null;

    /// <param name="request">The request, its path already in path style.</param>
    /// <param name="key">The key it names.</param>
    /// <param name="now">Real time.</param>
    public void Verify(ServiceRequest request, AccessKey key, DateTimeOffset now)
    {
        if (!long.TryParse(Expires, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253402300799)
        {
            throw new SignatureException(SignatureProblem.Incomplete, "Expires is not a number");
        }
        var end = DateTimeOffset.FromUnixTimeSeconds(seconds);
        if (now > end)
        {
            throw new SignatureException(SignatureProblem.ExpiredPresigned, end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        }
        if (key.SessionToken is null ? Token is not null : Token is null || !Signature.Equal(Token, key.SessionToken))
        {
            throw new SignatureException(SignatureProblem.InvalidToken);
        }
        var text = new StringBuilder()
            .Append(request.Method).Append('\n')
            .Append(request.Header("content-md5")).Append('\n')
            .Append(request.Header("content-type")).Append('\n')
            .Append(Expires).Append('\n');
        // Amazon's headers, and those of them that came in the query, in order.
        var amazon = request.Headers.Where(header => header.Key.StartsWith("x-amz-", StringComparison.Ordinal))
            .Concat(request.Query.Where(pair => pair.Key.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase))
                .Select(pair => new KeyValuePair<string, string>(pair.Key.ToLowerInvariant(), pair.Value)))
            .OrderBy(header => header.Key, StringComparer.Ordinal);
        foreach (var (name, value) in amazon)
        {
            text.Append(name).Append(':').Append(value.Trim()).Append('\n');
        }
        text.Append(request.Path);
        var separator = '?';
        foreach (var (name, value) in request.Query.Where(pair => SignedParameters.Contains(pair.Key)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            text.Append(separator).Append(name);
            if (value.Length > 0)
            {
                text.Append('=').Append(value);
            }
            separator = '&';
        }
        if (!Signature.Equal(Value, Sign(key, text.ToString())))
        {
            throw new SignatureException(SignatureProblem.Mismatch);
        }
    }

    /// <summary>The query that lets anybody GET a path (in path style) until a moment.</summary>
    public static string Query(AccessKey key, string path, DateTimeOffset end)
    {
        var expires = end.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return $"AWSAccessKeyId={Uri.EscapeDataString(key.Id)}&Expires={expires}&Signature={Uri.EscapeDataString(Sign(key, $"GET\n\n\n{expires}\n{path}"))}";
    }

#pragma warning disable CA5350 // What this version of the signature is made of.
    private static string Sign(AccessKey key, string text) => Convert.ToBase64String(HMACSHA1.HashData(Encoding.UTF8.GetBytes(key.Secret), Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5350
}
