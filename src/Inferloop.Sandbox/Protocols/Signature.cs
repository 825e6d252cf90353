using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

/// <summary>Why a signature is not accepted; each protocol has its own codes for it.</summary>
internal enum SignatureProblem
{
    Missing,
    Incomplete,
    UnknownKey,
    Mismatch,
    Skewed,
    ExpiredToken,
    InvalidToken,
    ExpiredPresigned,
    BodyMismatch,
    Scope,
}

internal sealed class SignatureException(SignatureProblem problem, string detail = "") : Exception(detail)
{
    public SignatureProblem Problem { get; } = problem;
}

/// <summary>The signature of a request (Signature Version 4, in the header or in a presigned query).</summary>
internal sealed class Signature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";
    /// <summary>Characters of a path that stand for themselves, encoded or not.</summary>
    private static readonly SearchValues<char> Plain = SearchValues.Create("/ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~");

    private const string DateFormat = "yyyyMMdd'T'HHmmss'Z'";

    public required string AccessKeyId { get; init; }

    /// <summary>The scope's date, <c>yyyyMMdd</c>.</summary>
    public required string Date { get; init; }

    public required string Region { get; init; }

    public required string Service { get; init; }

    public required IReadOnlyList<string> SignedHeaders { get; init; }

    public required string Value { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required string TimeText { get; init; }

    /// <summary>How long a presigned URL lasts; null for a signature in the header.</summary>
    public TimeSpan? Expires { get; init; }

    public string? Token { get; init; }

    public bool IsPresigned => Expires is not null;

    public string Scope => $"{Date}/{Region}/{Service}/aws4_request";

    /// <summary>The signature that a request carries; null when it carries none.</summary>
    public static Signature? Read(ServiceRequest request)
    {
        if (request.Header("authorization") is { } header)
        {
            return FromHeader(request, header);
        }
        return request.QueryValue("X-Amz-Algorithm") is not null || request.QueryValue("X-Amz-Credential") is not null ? FromQuery(request) : null;
    }

    private static Signature FromHeader(ServiceRequest request, string header)
    {
        if (!header.StartsWith(Algorithm, StringComparison.Ordinal))
        {
            throw new SignatureException(SignatureProblem.Incomplete, "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
        }
        var parts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in header[Algorithm.Length..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                parts[part[..equals]] = part[(equals + 1)..];
            }
        }
        foreach (var name in new[] { "Credential", "Signature", "SignedHeaders" })
        {
            if (!parts.TryGetValue(name, out var found) || found.Length == 0)
            {
                throw new SignatureException(SignatureProblem.Incomplete, $"Authorization header requires '{name}' parameter. Authorization={Redacted(header)}");
            }
        }
        var date = request.Header("x-amz-date") ?? request.Header("date")
            ?? throw new SignatureException(SignatureProblem.Incomplete, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
        return Create(parts["Credential"], parts["SignedHeaders"], parts["Signature"], date, null, request.Header("x-amz-security-token"));
    }

    private static Signature FromQuery(ServiceRequest request)
    {
        string Required(string name) => request.QueryValue(name) is { Length: > 0 } value
            ? value
            : throw new SignatureException(SignatureProblem.Incomplete, $"Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.");

        if (Required("X-Amz-Algorithm") != Algorithm)
        {
            throw new SignatureException(SignatureProblem.Incomplete, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
        }
        // STS accepts presigned queries without a lifetime; fifteen minutes is what it gives them.
        var expires = request.QueryValue("X-Amz-Expires") is { } text
            ? int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= 604800
                ? TimeSpan.FromSeconds(seconds)
                : throw new SignatureException(SignatureProblem.Incomplete, "X-Amz-Expires must be a number between 1 and 604800 seconds")
            : TimeSpan.FromMinutes(15);
        return Create(Required("X-Amz-Credential"), Required("X-Amz-SignedHeaders"), Required("X-Amz-Signature"), Required("X-Amz-Date"), expires, request.QueryValue("X-Amz-Security-Token"));
    }

    private static Signature Create(string credential, string signedHeaders, string signature, string date, TimeSpan? expires, string? token)
    {
        var scope = credential.Split('/');
        if (scope.Length != 5 || scope[4] != "aws4_request" || scope.Any(part => part.Length == 0))
        {
            throw new SignatureException(SignatureProblem.Incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term");
        }
        var exact = DateTimeOffset.TryParseExact(date, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time);
        if (!exact && !DateTimeOffset.TryParse(date, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time))
        {
            throw new SignatureException(SignatureProblem.Incomplete, "Date must be in ISO-8601 'basic format'.");
        }
        return new Signature
        {
            AccessKeyId = scope[0],
            Date = scope[1],
            Region = scope[2],
            Service = scope[3],
            SignedHeaders = signedHeaders.Split(';'),
            Value = signature,
            Time = time,
            TimeText = exact ? date : time.UtcDateTime.ToString(DateFormat, CultureInfo.InvariantCulture),
            Expires = expires,
            Token = token,
        };
    }

    /// <summary>Checks the signature against a key; the request's clock is compared with the real one.</summary>
    public void Verify(ServiceRequest request, AccessKey key, DateTimeOffset now)
    {
        var s3 = Service is "s3" or "s3express";
        if (key.SessionToken is not null)
        {
            if (Token is null || !Equal(Token, key.SessionToken))
            {
                throw new SignatureException(SignatureProblem.InvalidToken);
            }
            if (key.Expiration <= now)
            {
                throw new SignatureException(SignatureProblem.ExpiredToken);
            }
        }
        else if (Token is not null)
        {
            throw new SignatureException(SignatureProblem.InvalidToken);
        }
        CheckTime(now, s3);
        var declared = request.Header("x-amz-content-sha256");
        var bodyHash = BodyHash(request, declared, s3);
        if (!Equal(Value, Sign(request, key.Secret, bodyHash, s3)))
        {
            throw new SignatureException(SignatureProblem.Mismatch);
        }
        if (declared is { Length: 64 } && !string.Equals(declared, Hex(SHA256.HashData(request.Body.Span)), StringComparison.OrdinalIgnoreCase))
        {
            throw new SignatureException(SignatureProblem.BodyMismatch, declared);
        }
    }

    private void CheckTime(DateTimeOffset now, bool s3)
    {
        if (!TimeText.AsSpan(0, 8).SequenceEqual(Date))
        {
            throw new SignatureException(SignatureProblem.Scope, $"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{Date}' != '{TimeText[..8]}', from '{TimeText}'.");
        }
        if (Expires is { } lifetime)
        {
            if (now > Time + lifetime)
            {
                throw new SignatureException(SignatureProblem.ExpiredPresigned, (Time + lifetime).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            }
            if (Time > now + TimeSpan.FromMinutes(15))
            {
                throw new SignatureException(SignatureProblem.Skewed, "Request is not yet valid");
            }
            return;
        }
        var allowed = TimeSpan.FromMinutes(s3 ? 15 : 5);
        if (Time < now - allowed)
        {
            throw new SignatureException(SignatureProblem.Skewed, $"Signature expired: {TimeText} is now earlier than {Text(now - allowed)} ({Text(now)} - {allowed.TotalMinutes:0} min.)");
        }
        if (Time > now + allowed)
        {
            throw new SignatureException(SignatureProblem.Skewed, $"Signature not yet current: {TimeText} is still later than {Text(now + allowed)} ({Text(now)} + {allowed.TotalMinutes:0} min.)");
        }
    }

    private string BodyHash(ServiceRequest request, string? declared, bool s3)
    {
        if (IsPresigned && s3)
        {
            return declared ?? "UNSIGNED-PAYLOAD";
        }
        return declared ?? Hex(SHA256.HashData(request.Body.Span));
    }

    private string Sign(ServiceRequest request, string secret, string bodyHash, bool s3)
    {
        var canonical = new StringBuilder(1024)
            .Append(request.Method).Append('\n')
            .Append(CanonicalPath(request.RawPath, s3)).Append('\n')
            .Append(CanonicalQuery(request)).Append('\n');
        foreach (var name in SignedHeaders)
        {
            canonical.Append(name).Append(':').Append(Collapse(request.Header(name) ?? "")).Append('\n');
        }
        canonical.Append('\n').AppendJoin(';', SignedHeaders).Append('\n').Append(bodyHash);
        var toSign = $"{Algorithm}\n{TimeText}\n{Scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString())))}";
        return Hex(HMACSHA256.HashData(SigningKey(secret), Encoding.UTF8.GetBytes(toSign)));
    }

    /// <summary>A presigned S3 address, as a client with the key would make it.</summary>
    public static string Presign(AccessKey key, string method, Uri endpoint, string region, string rawPath, TimeSpan lifetime, DateTimeOffset now)
    {
        var time = Text(now);
        var credential = $"{key.Id}/{time[..8]}/{region}/s3/aws4_request";
        var query = $"X-Amz-Algorithm={Algorithm}&X-Amz-Credential={Uri.EscapeDataString(credential)}&X-Amz-Date={time}&X-Amz-Expires={(long)lifetime.TotalSeconds}&X-Amz-SignedHeaders=host";
        var request = new ServiceRequest
        {
            Method = method,
            RawPath = rawPath,
            RawQuery = query,
            Headers = new Dictionary<string, string> { ["host"] = endpoint.Authority },
        };
        var signature = Create(credential, "host", "-", time, lifetime, null).Sign(request, key.Secret, "UNSIGNED-PAYLOAD", s3: true);
        return $"{endpoint.GetLeftPart(UriPartial.Authority)}{rawPath}?{query}&X-Amz-Signature={signature}";
    }

    /// <summary>The signature of a request, as a client with the key would make it over host and date.</summary>
    public static string Of(AccessKey key, string time, string region, string service, ServiceRequest request) =>
        Create($"{key.Id}/{time[..8]}/{region}/{service}/aws4_request", "host;x-amz-date", "-", time, null, null)
            .Sign(request, key.Secret, request.Header("x-amz-content-sha256") ?? Hex(SHA256.HashData(request.Body.Span)), service is "s3");

    /// <summary>The signature of a presigned query, as a client with the key would make it over some headers.</summary>
    public static string Over(AccessKey key, string time, string region, string service, string signedHeaders, ServiceRequest request) =>
        Create($"{key.Id}/{time[..8]}/{region}/{service}/aws4_request", signedHeaders, "-", time, null, null).Sign(request, key.Secret, Hex(SHA256.HashData(request.Body.Span)), service is "s3");

    public byte[] SigningKey(string secret) => SigningKeys.Of(secret, Date, Region, Service);

    private static string CanonicalPath(string rawPath, bool s3)
    {
        if (rawPath.Length == 0)
        {
            return "/";
        }
        if (rawPath.AsSpan().IndexOfAnyExcept(Plain) < 0 && (s3 || rawPath == "/"))
        {
            return rawPath;
        }
        if (s3)
        {
            return string.Join('/', rawPath.Split('/').Select(segment => Uri.EscapeDataString(Uri.UnescapeDataString(segment))));
        }
        // Elsewhere the path is normalised and encoded once more over what was sent.
        var segments = new List<string>();
        foreach (var segment in rawPath.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            switch (segment)
            {
                case ".":
                    break;
                case "..":
                    if (segments.Count > 0)
                    {
                        segments.RemoveAt(segments.Count - 1);
                    }
                    break;
                default:
                    segments.Add(Uri.EscapeDataString(segment));
                    break;
            }
        }
        var path = "/" + string.Join('/', segments);
        return rawPath.EndsWith('/') && path.Length > 1 ? path + "/" : path;
    }

    private static string CanonicalQuery(ServiceRequest request) => request.RawQuery.Length == 0 ? "" : string.Join('&', request.Query
        .Where(pair => pair.Key != "X-Amz-Signature")
        .Select(pair => (Key: Uri.EscapeDataString(pair.Key), Value: Uri.EscapeDataString(pair.Value)))
        .OrderBy(pair => pair.Key, StringComparer.Ordinal).ThenBy(pair => pair.Value, StringComparer.Ordinal)
        .Select(pair => $"{pair.Key}={pair.Value}"));

    private static string Collapse(string value)
    {
        value = value.Trim();
        while (value.Contains("  ", StringComparison.Ordinal))
        {
            value = value.Replace("  ", " ", StringComparison.Ordinal);
        }
        return value;
    }

    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes).ToLowerInvariant();

    public static bool Equal(string left, string right) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(left), Encoding.UTF8.GetBytes(right));

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString(DateFormat, CultureInfo.InvariantCulture);

    private static string Redacted(string header)
    {
        var at = header.IndexOf("Signature=", StringComparison.Ordinal);
        return at < 0 ? header : header[..at] + "Signature=…";
    }
}
