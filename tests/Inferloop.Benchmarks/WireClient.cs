using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Inferloop.Benchmarks;

/// <summary>A request before it is signed.</summary>
internal sealed record WireRequest(string Method, string Path, string Service, string? Target, string? ContentType, byte[] Body)
{
    public static WireRequest Json(string service, string path, string? target, string body, string contentType = "application/x-amz-json-1.0") =>
        new("POST", path, service, target, contentType, Encoding.UTF8.GetBytes(body));

    public static WireRequest Object(string method, string path, byte[] body) => new(method, path, "s3", null, method == "PUT" ? "application/octet-stream" : null, body);
}

/// <summary>One connection that sends signed requests and reads answers, one after the other, with as little work as that needs: what is measured is the server.</summary>
internal sealed class WireClient : IDisposable
{
    private const string Region = "us-east-1";

    private readonly int port;
    private Socket? socket;
    private readonly string accessKeyId;
    private readonly string secret;
    private readonly string host;
    private readonly byte[] buffer = new byte[256 * 1024];
    private readonly byte[] outgoing = new byte[256 * 1024];
    private (string Day, string Service, byte[] Key) derived = ("", "", []);
    private (long Second, string Text) clock;

    public WireClient(int port, string accessKeyId, string secret)
    {
        this.accessKeyId = accessKeyId;
        this.secret = secret;
        this.port = port;
        host = $"127.0.0.1:{port}";
    }

    public void Dispose() => socket?.Dispose();

    private Socket Connected()
    {
        if (socket is null)
        {
            socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 60_000 };
            socket.Connect(IPAddress.Loopback, port);
        }
        return socket;
    }

    /// <summary>Sends a request and gives the body of its answer, which holds until the next one; fails where that is an error.</summary>
    public ReadOnlyMemory<byte> Send(WireRequest request)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        if (clock.Second != now)
        {
            clock = (now, DateTimeOffset.FromUnixTimeSeconds(now).UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture));
        }
        var time = clock.Text;
        var digest = Convert.ToHexStringLower(SHA256.HashData(request.Body));
        var content = request.ContentType is null ? "" : $"content-type:{request.ContentType}\n";
        var target = request.Target is null ? "" : $"x-amz-target:{request.Target}\n";
        var names = $"{(request.ContentType is null ? "" : "content-type;")}host;x-amz-content-sha256;x-amz-date{(request.Target is null ? "" : ";x-amz-target")}";
        var canonical = $"{request.Method}\n{request.Path}\n\n{content}host:{host}\nx-amz-content-sha256:{digest}\nx-amz-date:{time}\n{target}\n{names}\n{digest}";
        var scope = $"{time[..8]}/{Region}/{request.Service}/aws4_request";
        var text = $"AWS4-HMAC-SHA256\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Key(time[..8], request.Service), Encoding.UTF8.GetBytes(text)));
        var head = $"{request.Method} {request.Path} HTTP/1.1\r\nHost: {host}\r\nX-Amz-Date: {time}\r\nX-Amz-Content-Sha256: {digest}\r\n"
            + (request.ContentType is null ? "" : $"Content-Type: {request.ContentType}\r\n") + (request.Target is null ? "" : $"X-Amz-Target: {request.Target}\r\n")
            + $"Authorization: AWS4-HMAC-SHA256 Credential={accessKeyId}/{scope}, SignedHeaders={names}, Signature={signature}\r\nContent-Length: {request.Body.Length}\r\n\r\n";
        var length = Encoding.ASCII.GetBytes(head, outgoing);
        request.Body.CopyTo(outgoing, length);
        for (var sent = 0; sent < length + request.Body.Length;)
        {
            sent += Connected().Send(outgoing, sent, length + request.Body.Length - sent, SocketFlags.None);
        }
        return Receive(request);
    }

    private byte[] Key(string day, string service)
    {
        if (derived.Day != day || derived.Service != service)
        {
            var key = HMACSHA256.HashData(Encoding.UTF8.GetBytes("AWS4" + secret), Encoding.UTF8.GetBytes(day));
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(Region));
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(service));
            derived = (day, service, HMACSHA256.HashData(key, "aws4_request"u8));
        }
        return derived.Key;
    }

    private ReadOnlyMemory<byte> Receive(WireRequest request)
    {
        var filled = 0;
        var headEnd = -1;
        while (headEnd < 0)
        {
            filled += Read(filled);
            headEnd = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
        }
        var head = Encoding.ASCII.GetString(buffer, 0, headEnd);
        var status = int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
        var at = head.IndexOf("content-length:", StringComparison.OrdinalIgnoreCase);
        var start = headEnd + 4;
        int end;
        if (at >= 0)
        {
            var line = head.IndexOf('\r', at);
            end = start + int.Parse(head.AsSpan(at + 15, (line < 0 ? head.Length : line) - at - 15).Trim(), CultureInfo.InvariantCulture);
            while (filled < end)
            {
                filled += Read(filled);
            }
        }
        else if (head.Contains("chunked", StringComparison.OrdinalIgnoreCase))
        {
            while (!buffer.AsSpan(start, filled - start).EndsWith("0\r\n\r\n"u8))
            {
                filled += Read(filled);
            }
            end = filled;
        }
        else
        {
            end = start;
        }
        if (head.Contains("connection: close", StringComparison.OrdinalIgnoreCase))
        {
            // moto keeps no connection open.
            socket!.Dispose();
            socket = null;
        }
        if (status is < 200 or >= 300)
        {
            throw new InvalidOperationException($"{request.Method} {request.Path} {request.Target}: {head}\n{Encoding.UTF8.GetString(buffer, start, end - start)}");
        }
        return buffer.AsMemory(start, end - start);
    }

    private int Read(int filled)
    {
        var read = socket!.Receive(buffer, filled, buffer.Length - filled, SocketFlags.None);
        return read > 0 ? read : throw new InvalidOperationException("The server closed the connection.");
    }
}
