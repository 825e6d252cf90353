using System.Text.RegularExpressions;
using Inferloop.Sandbox.Protocols;

namespace Inferloop.Sandbox.Hosting;

/// <summary>S3's virtual-host style: the bucket as the first part of the host name.</summary>
internal static partial class VirtualHost
{
    public static string PathOf(ServiceRequest request)
    {
        var host = request.Header("host") ?? "";
        return BucketOf(host) is { } bucket
            ? "/" + Uri.EscapeDataString(bucket) + (request.RawPath.StartsWith('/') ? request.RawPath : "/" + request.RawPath)
            : request.RawPath;
    }

    /// <summary>The bucket in <c>bucket.s3.us-east-1.amazonaws.com</c> or <c>bucket.localhost</c>; null where the host names none.</summary>
    public static string? BucketOf(string authority)
    {
        var colon = authority.LastIndexOf(':');
        var host = colon > authority.LastIndexOf(']') ? authority[..colon] : authority;
        if (!host.Contains("amazonaws", StringComparison.OrdinalIgnoreCase) && !host.EndsWith("localhost", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        foreach (var pattern in new[] { Amazon(), Local() })
        {
            if (pattern.Match(host) is { Success: true } match && match.Groups["bucket"] is { Success: true, Length: > 0 } bucket)
            {
                return bucket.Value;
            }
        }
        return null;
    }

    [GeneratedRegex(@"^(?:(?<bucket>[a-z0-9][a-z0-9.\-]*)\.)?s3(?:[.\-](?:dualstack\.|fips\.)?[a-z0-9\-]+)?\.amazonaws\.com(?:\.cn)?$", RegexOptions.IgnoreCase)]
    private static partial Regex Amazon();

    [GeneratedRegex(@"^(?!s3\.)(?<bucket>[a-z0-9][a-z0-9.\-]*?)(?:\.s3(?:\.[a-z0-9\-]+)?)?\.localhost$", RegexOptions.IgnoreCase)]
    private static partial Regex Local();
}
