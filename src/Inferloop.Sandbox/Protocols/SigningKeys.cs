using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Inferloop.Sandbox.Protocols;

/// <summary>The keys that signatures are made with, derived from a secret for a day, a region and a service: kept, since a client's next request needs the same.</summary>
internal static class SigningKeys
{
    /// <summary>More than that many are no client's doing but a scan's: it starts again rather than growing.</summary>
    private const int Kept = 1_000;

    private static readonly ConcurrentDictionary<(string Secret, string Date, string Region, string Service), byte[]> Derived = new();

    public static byte[] Of(string secret, string date, string region, string service)
    {
        if (Derived.TryGetValue((secret, date, region, service), out var known))
        {
            return known;
        }
        var key = HMACSHA256.HashData(Encoding.UTF8.GetBytes("AWS4" + secret), Encoding.UTF8.GetBytes(date));
        key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(region));
        key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(service));
        key = HMACSHA256.HashData(key, "aws4_request"u8);
        if (Derived.Count >= Kept)
        {
            Derived.Clear();
        }
        Derived[(secret, date, region, service)] = key;
        return key;
    }
}
