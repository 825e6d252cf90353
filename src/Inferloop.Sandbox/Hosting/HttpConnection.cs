using System.Globalization;
using System.Text;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Hosting;

/// <summary>One client's connection: requests in, answers out, one after the other.</summary>
/// <param name="stream">What it comes and goes by.</param>
/// <param name="maximumBody">The largest body that is read.</param>
/// <param name="owner">The thread that serves nothing else and may wait for the client; null where none may.</param>
internal sealed class HttpConnection(Stream stream, long maximumBody, Thread? owner = null) : IDisposable
{
    private const int MaximumHead = 64 * 1024;
    internal static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(3);
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private byte[] buffer = new byte[16 * 1024];
    private readonly HeadWriter head = new();
    private CancellationTokenSource? idle;
    private int start;
    private int end;

    public void Dispose()
    {
        idle?.Dispose();
        stream.Dispose();
    }

    /// <summary>Serves the next request; false when it was the last.</summary>
    public async Task<bool> ServeNextAsync(Func<ServiceRequest, CancellationToken, Task<ServiceResponse>> handler, CancellationToken cancellationToken)
    {
        ServiceRequest? request = null;
        ServiceResponse response;
        var keepAlive = false;
        try
        {
            if (await ReadHeadAsync(cancellationToken).ConfigureAwait(false) is not { } received)
            {
                return false;
            }
            (request, keepAlive) = ParseHead(received);
            request.Body = await ReadBodyAsync(request, cancellationToken).ConfigureAwait(false);
            response = await handler(request, cancellationToken).ConfigureAwait(false);
        }
        catch (BadRequestException e)
        {
            // What follows on this connection cannot be told apart any more.
            keepAlive = false;
            request ??= new ServiceRequest { Method = "GET", RawPath = "/", RawQuery = "", Headers = new Dictionary<string, string>() };
            response = ErrorWriter.Write(ProtocolKind.RestXml, null, e.Fault, Guid.NewGuid().ToString(), request);
        }
        if (response.Hold > TimeSpan.Zero)
        {
            await HoldAsync(response.Hold, cancellationToken).ConfigureAwait(false);
        }
        if (response.IsDropped)
        {
            return false;
        }
        await WriteAsync(response, request, keepAlive, cancellationToken).ConfigureAwait(false);
        return keepAlive && !cancellationToken.IsCancellationRequested;
    }

    /// <summary>Holds an answer back; a client that has gone away meanwhile is not waited for.</summary>
    private async Task HoldAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(time);
        if (start == end)
        {
            start = end = 0;
        }
        try
        {
            // A client that sends more while it waits for an answer is there: only the end of its stream cuts the waiting short.
            while (end < buffer.Length && await stream.ReadAsync(buffer.AsMemory(end), over.Token).ConfigureAwait(false) is var read && read > 0)
            {
                end += read;
            }
            if (end == buffer.Length)
            {
                await Task.Delay(Timeout.Infinite, over.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The time is over.
        }
    }

    private async Task<string?> ReadHeadAsync(CancellationToken cancellationToken)
    {
        var searched = 0;
        while (true)
        {
            var found = buffer.AsSpan(start + searched, end - start - searched).IndexOf("\r\n\r\n"u8);
            if (found >= 0)
            {
                var length = searched + found;
                var text = Decode(buffer.AsSpan(start, length));
                start += length + 4;
                return text;
            }
            searched = Math.Max(0, end - start - 3);
            if (end - start >= MaximumHead)
            {
                throw new BadRequestException(new ServiceFault("RequestHeaderSectionTooLarge", "Your request header section exceeds the maximum allowed request header section size."));
            }
            var empty = end == start;
            if (await FillAsync(cancellationToken).ConfigureAwait(false) == 0)
            {
                return empty ? null : throw new BadRequestException(new ServiceFault("BadRequest", "An error occurred when parsing the HTTP request."));
            }
        }
    }

    /// <summary>Header text is UTF-8 where it is valid UTF-8, else Latin-1: clients sign the one or send the other.</summary>
    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (ArgumentException)
        {
            return Encoding.Latin1.GetString(bytes);
        }
    }

    private async ValueTask<int> FillAsync(CancellationToken cancellationToken)
    {
        if (start == end)
        {
            start = end = 0;
        }
        else if (end == buffer.Length)
        {
            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                end -= start;
                start = 0;
            }
            else
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
        var read = await ReceiveAsync(buffer.AsMemory(end), cancellationToken).ConfigureAwait(false);
        end += read;
        return read;
    }

    /// <summary>Whether this is the thread that may wait for the client: a handler that waited itself goes on elsewhere.</summary>
    private bool MayWait => owner == Thread.CurrentThread;

    private ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (!MayWait)
        {
            return stream.WriteAsync(bytes, cancellationToken);
        }
        stream.Write(bytes.Span);
        return ValueTask.CompletedTask;
    }

    /// <summary>Reads what has arrived, or waits for it as long as a connection may be idle.</summary>
    private async ValueTask<int> ReceiveAsync(Memory<byte> memory, CancellationToken cancellationToken)
    {
        if (MayWait)
        {
            return stream.Read(memory.Span);
        }
        // One source for all reads of the connection: making one for each is a good part of what a small request costs.
        idle ??= CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        idle.CancelAfter(IdleTimeout);
        var read = await stream.ReadAsync(memory, idle.Token).ConfigureAwait(false);
        idle.CancelAfter(Timeout.InfiniteTimeSpan);
        return read;
    }

    private static (ServiceRequest Request, bool KeepAlive) ParseHead(string head)
    {
        var lineEnd = head.IndexOf("\r\n", StringComparison.Ordinal);
        var parts = (lineEnd < 0 ? head : head[..lineEnd]).Split(' ');
        if (parts.Length != 3 || !parts[2].StartsWith("HTTP/1.", StringComparison.Ordinal) || parts[0].Length is 0 or > 16 || !parts[0].All(char.IsAsciiLetterUpper))
        {
            throw new BadRequestException(new ServiceFault("BadRequest", "An error occurred when parsing the HTTP request."));
        }
        var target = parts[1];
        if (!target.StartsWith('/'))
        {
            // The absolute form that proxies are sent.
            var authority = target.IndexOf("://", StringComparison.Ordinal);
            var path = authority < 0 ? -1 : target.IndexOf('/', authority + 3);
            target = path < 0 ? "/" : target[path..];
        }
        var headers = new Dictionary<string, string>(16, StringComparer.Ordinal);
        for (var at = lineEnd < 0 ? head.Length : lineEnd + 2; at < head.Length;)
        {
            lineEnd = head.IndexOf("\r\n", at, StringComparison.Ordinal);
            var line = head.AsSpan(at, (lineEnd < 0 ? head.Length : lineEnd) - at);
            at += line.Length + 2;
            var colon = line.IndexOf(':');
            if (colon <= 0 || line[0] is ' ' or '\t')
            {
                throw new BadRequestException(new ServiceFault("BadRequest", "An error occurred when parsing the HTTP request."));
            }
            var name = line[..colon].ToString().ToLowerInvariant();
            var value = line[(colon + 1)..].Trim(" \t").ToString();
            headers[name] = headers.TryGetValue(name, out var earlier) ? earlier + "," + value : value;
        }
        var connection = headers.GetValueOrDefault("connection") ?? "";
        var keepAlive = parts[2] == "HTTP/1.0"
            ? connection.Contains("keep-alive", StringComparison.OrdinalIgnoreCase)
            : !connection.Contains("close", StringComparison.OrdinalIgnoreCase);
        var question = target.IndexOf('?');
        return (new ServiceRequest
        {
            Method = parts[0],
            RawPath = question < 0 ? target : target[..question],
            RawQuery = question < 0 ? "" : target[(question + 1)..],
            Headers = headers,
        }, keepAlive);
    }

    private async Task<ReadOnlyMemory<byte>> ReadBodyAsync(ServiceRequest request, CancellationToken cancellationToken)
    {
        var chunked = request.Header("transfer-encoding")?.Contains("chunked", StringComparison.OrdinalIgnoreCase) == true;
        long length = 0;
        if (!chunked && request.Header("content-length") is { } text
            && (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out length) || length < 0))
        {
            throw new BadRequestException(new ServiceFault("BadRequest", "The Content-Length header is not a number."));
        }
        if (length > maximumBody)
        {
            throw TooLarge();
        }
        if (!chunked && length == 0)
        {
            return ReadOnlyMemory<byte>.Empty;
        }
        if (request.Header("expect")?.Contains("100-continue", StringComparison.OrdinalIgnoreCase) == true && start == end)
        {
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        }
        return chunked ? await ReadChunkedAsync(cancellationToken).ConfigureAwait(false) : await ReadExactlyAsync((int)length, cancellationToken).ConfigureAwait(false);
    }

    private async Task<byte[]> ReadExactlyAsync(int length, CancellationToken cancellationToken)
    {
        // Memory follows what has arrived, not what the header promises.
        var body = new byte[Math.Min(length, Math.Max(end - start, 1024 * 1024))];
        var filled = 0;
        while (filled < length)
        {
            if (filled == body.Length)
            {
                Array.Resize(ref body, (int)Math.Min(length, body.Length * 2L));
            }
            if (start < end)
            {
                var take = Math.Min(end - start, body.Length - filled);
                buffer.AsSpan(start, take).CopyTo(body.AsSpan(filled));
                start += take;
                filled += take;
                continue;
            }
            var read = await ReceiveAsync(body.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                throw new BadRequestException(new ServiceFault("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header."));
            }
            filled += read;
        }
        return body;
    }

    private async Task<ReadOnlyMemory<byte>> ReadChunkedAsync(CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        while (true)
        {
            var line = await ReadLineAsync(cancellationToken).ConfigureAwait(false);
            var semicolon = line.IndexOf(';', StringComparison.Ordinal);
            if (!int.TryParse(semicolon < 0 ? line : line[..semicolon], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size) || size < 0)
            {
                throw new BadRequestException(new ServiceFault("BadRequest", "A chunk has no readable size."));
            }
            if (size == 0)
            {
                while ((await ReadLineAsync(cancellationToken).ConfigureAwait(false)).Length > 0)
                {
                    // Trailers of the transfer coding carry nothing that AWS reads.
                }
                return body.ToArray();
            }
            if (body.Length + size > maximumBody)
            {
                throw TooLarge();
            }
            body.Write(await ReadExactlyAsync(size, cancellationToken).ConfigureAwait(false));
            if ((await ReadLineAsync(cancellationToken).ConfigureAwait(false)).Length > 0)
            {
                throw new BadRequestException(new ServiceFault("BadRequest", "A chunk is longer than its size."));
            }
        }
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = buffer.AsSpan(start, end - start).IndexOf("\r\n"u8);
            if (found >= 0)
            {
                var line = Encoding.Latin1.GetString(buffer, start, found);
                start += found + 2;
                return line;
            }
            if (end - start > 8192 || await FillAsync(cancellationToken).ConfigureAwait(false) == 0)
            {
                throw new BadRequestException(new ServiceFault("IncompleteBody", "The request body terminated unexpectedly."));
            }
        }
    }

    private async Task WriteAsync(ServiceResponse response, ServiceRequest request, bool keepAlive, CancellationToken cancellationToken)
    {
        var bodyless = request.Method == "HEAD" || response.Status is 204 or 304;
        head.Begin(response.Status, Reason(response.Status));
        foreach (var (name, value) in response.Headers)
        {
            head.Header(name, OneLine(value));
        }
        if (response.Streaming is not null)
        {
            head.Header("Transfer-Encoding", "chunked");
        }
        else if (response.Status is not (204 or 304) && !response.Headers.ContainsKey("Content-Length"))
        {
            head.Length(response.Body.Length);
        }
        head.Header("Connection", keepAlive ? "keep-alive" : "close");
        head.End();
        if (response.Streaming is { } streaming)
        {
            await SendAsync(head.Written, cancellationToken).ConfigureAwait(false);
            await streaming(new ChunkedStream(stream), cancellationToken).ConfigureAwait(false);
            await stream.WriteAsync("0\r\n\r\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        }
        else if (bodyless || response.Body.IsEmpty)
        {
            await SendAsync(head.Written, cancellationToken).ConfigureAwait(false);
        }
        else if (response.Body.Length <= 64 * 1024)
        {
            // Small answers leave in one packet.
            head.Append(response.Body.Span);
            await SendAsync(head.Written, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await SendAsync(head.Written, cancellationToken).ConfigureAwait(false);
            await SendAsync(response.Body, cancellationToken).ConfigureAwait(false);
        }
    }

    private static string OneLine(string value) =>
        value.AsSpan().IndexOfAny('\r', '\n') < 0 ? value : value.Replace('\r', ' ').Replace('\n', ' ');

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Status",
    };

    private static BadRequestException TooLarge() =>
        new(new ServiceFault("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 413));

    private sealed class BadRequestException(ServiceFault fault) : Exception(fault.Message)
    {
        public ServiceFault Fault { get; } = fault;
    }
}
