using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

/// <summary>S3's <c>aws-chunked</c> bodies: chunks, each signed or not, and trailing headers.</summary>
internal static class ChunkedBody
{
    private static readonly string EmptyHash = Signature.Hex(SHA256.HashData([]));

    public static bool Applies(ServiceRequest request) =>
        request.Header("x-amz-content-sha256")?.StartsWith("STREAMING-", StringComparison.Ordinal) == true;

    /// <summary>The decoded body and its trailers; the chunks' signatures are verified where they have one.</summary>
    public static (byte[] Body, Dictionary<string, string> Trailers) Decode(ServiceRequest request, Signature signature, AccessKey key)
    {
        var signed = request.Header("x-amz-content-sha256")!.StartsWith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", StringComparison.Ordinal);
        var data = request.Body.Span;
        var expected = request.Header("x-amz-decoded-content-length") is { } lengthText
            && long.TryParse(lengthText, NumberStyles.None, CultureInfo.InvariantCulture, out var declared) ? declared : -1;
        if (expected < 0)
        {
            throw new ServiceFault("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);
        }
        if (expected > data.Length)
        {
            throw Incomplete();
        }
        var body = new byte[expected];
        var length = 0;
        var position = 0;
        var signingKey = signed ? signature.SigningKey(key.Secret) : [];
        var previous = signature.Value;
        while (true)
        {
            var header = Line(data, ref position) ?? throw Incomplete();
            var semicolon = header.IndexOf(';', StringComparison.Ordinal);
            if (!int.TryParse(semicolon < 0 ? header : header[..semicolon], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size) || size < 0)
            {
                throw Incomplete();
            }
            if (data.Length - position < size || length + size > body.Length)
            {
                throw Incomplete();
            }
            var chunk = data.Slice(position, size);
            if (signed)
            {
                const string Marker = "chunk-signature=";
                var at = header.IndexOf(Marker, StringComparison.Ordinal);
                var given = at < 0 ? "" : header[(at + Marker.Length)..].Trim();
                var computed = Sign(signingKey, $"AWS4-HMAC-SHA256-PAYLOAD\n{signature.TimeText}\n{signature.Scope}\n{previous}\n{EmptyHash}\n{Signature.Hex(SHA256.HashData(chunk))}");
                if (!Signature.Equal(given, computed))
                {
                    throw new SignatureException(SignatureProblem.Mismatch);
                }
                previous = computed;
            }
            position += size;
            if (size == 0)
            {
                break;
            }
            chunk.CopyTo(body.AsSpan(length));
            length += size;
            if (Line(data, ref position) is not "")
            {
                throw Incomplete();
            }
        }
        return length == body.Length ? (body, Trailers(data[position..], signature, signed, signingKey, previous)) : throw Incomplete();
    }

    private static Dictionary<string, string> Trailers(ReadOnlySpan<byte> data, Signature signature, bool signed, byte[] signingKey, string previous)
    {
        var trailers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var canonical = new StringBuilder();
        var position = 0;
        while (Line(data, ref position) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw new ServiceFault("MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our published schema.");
            }
            var name = line[..colon].Trim().ToLowerInvariant();
            var value = line[(colon + 1)..].Trim();
            trailers[name] = value;
            if (name != "x-amz-trailer-signature")
            {
                canonical.Append(name).Append(':').Append(value).Append('\n');
            }
        }
        if (signed && trailers.Remove("x-amz-trailer-signature", out var given))
        {
            var hash = Signature.Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString())));
            if (!Signature.Equal(given, Sign(signingKey, $"AWS4-HMAC-SHA256-TRAILER\n{signature.TimeText}\n{signature.Scope}\n{previous}\n{hash}")))
            {
                throw new SignatureException(SignatureProblem.Mismatch);
            }
        }
        return trailers;
    }

    private static string Sign(byte[] key, string text) => Signature.Hex(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));

    private static string? Line(ReadOnlySpan<byte> data, ref int position)
    {
        if (position >= data.Length)
        {
            return null;
        }
        var end = data[position..].IndexOf("\r\n"u8);
        if (end is < 0 or > 4096)
        {
            return null;
        }
        var line = Encoding.ASCII.GetString(data.Slice(position, end));
        position += end + 2;
        return line;
    }

    private static ServiceFault Incomplete() =>
        new("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.");
}
