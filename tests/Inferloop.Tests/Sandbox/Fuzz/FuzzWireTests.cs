using System.Net.Sockets;
using System.Text;
using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox.Fuzz;

/// <summary>Bytes that are no HTTP, and HTTP that no client would send, through the socket: an error or a closed connection, and the next client is served.</summary>
public sealed class FuzzWireTests
{
    private const int Requests = 2_000;

    private static readonly string[] Pieces =
    [
        "\r\n", "\n", "\r", "\0", " ", ":", "\t", "HTTP/1.1", "HTTP/9.9", "é", "%zz", "Content-Length: 5\r\n", "Content-Length: -5\r\n", "Content-Length: 99999999999999999999\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Expect: 100-continue\r\n", "Connection: close\r\n", "Host: \r\n", "Host: a b\r\n", "Host: bucket.s3.amazonaws.com\r\n", "Authorization: AWS4-HMAC-SHA256\r\n", ": nameless\r\n",
        "X-Amz-Target: DynamoDB_20120810.ListTables\r\n", "smithy-protocol: rpc-v2-cbor\r\n", "ffffffff\r\n", "7fffffff\r\n", "0\r\n\r\n", "-1\r\n", "5;x=y\r\nabcde\r\n", "http://other/path", "*", "..//..", "?", "#",
    ];

    [Fact]
    public async Task Bytes_of_any_kind_are_answered_or_hung_up_on()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var host = await SandboxHost.StartAsync(new SandboxOptions { ClockRate = 0, Seed = 7 }, cancellation);
        var random = new Random(7);
        var answered = 0;
        for (var i = 0; i < Requests; i++)
        {
            var sent = Next(random);
            var (status, text) = await ExchangeAsync(host, sent, cancellation);
            var shown = $"#{i}: {Encoding.Latin1.GetString(sent.AsSpan(0, Math.Min(sent.Length, 500)))}\n->\n{text}";
            Assert.True(host.Statistics.InternalErrors.Count == 0, $"{shown}\n{string.Join("\n", host.Statistics.InternalErrors)}");
            Assert.True(status is null or (>= 100 and < 500) or 501, shown);
            if (status >= 400)
            {
                Assert.True(text.Contains("<Code>", StringComparison.Ordinal) || text.Contains("__type", StringComparison.Ordinal) || text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) && sent.AsSpan().StartsWith("HEAD"u8), shown);
            }
            answered += status is null ? 0 : 1;
        }
        Assert.True(answered > Requests / 2, $"only {answered} of {Requests} were answered at all");
        (await new SandboxClient(host).QueryAsync("sts", "2011-06-15", "GetCallerIdentity")).EnsureSuccess();
    }

    private static byte[] Next(Random random)
    {
        if (random.Next(10) == 0)
        {
            var noise = new byte[random.Next(1, 3_000)];
            random.NextBytes(noise);
            return noise;
        }
        var method = new[] { "GET", "PUT", "POST", "DELETE", "HEAD", "get", "VERYLONGMETHODNAME" }[random.Next(7)];
        var text = new StringBuilder($"{method} /{new[] { "", "b", "b/k", "b?list-type=2", "2015-03-31/functions/", "%2e%2e/", "b/k?uploadId=x&partNumber=y" }[random.Next(7)]} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {new[] { "application/x-www-form-urlencoded", "application/json", "" }[random.Next(3)]}\r\n");
        for (var count = random.Next(3); count > 0; count--)
        {
            text.Append(Pieces[random.Next(Pieces.Length)].TrimEnd('\r', '\n')).Append("\r\n");
        }
        text.Append("\r\n");
        for (var count = random.Next(3); count > 0; count--)
        {
            text.Append(Pieces[random.Next(Pieces.Length)]);
        }
        var bytes = Encoding.UTF8.GetBytes(text.ToString()).ToList();
        for (var count = random.Next(4); count > 0; count--)
        {
            bytes.InsertRange(random.Next(bytes.Count), Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]));
        }
        return random.Next(6) == 0 ? [.. bytes.Take(random.Next(1, bytes.Count))] : [.. bytes];
    }

    /// <summary>The status and the whole of what came back before the connection was closed; no status where nothing came.</summary>
    private static async Task<(int? Status, string Text)> ExchangeAsync(SandboxHost host, byte[] sent, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(TimeSpan.FromSeconds(20));
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", host.Endpoint.Port, timeout.Token);
        var stream = socket.GetStream();
        using var received = new MemoryStream();
        try
        {
            await stream.WriteAsync(sent, timeout.Token);
            socket.Client.Shutdown(SocketShutdown.Send);
            await stream.CopyToAsync(received, timeout.Token);
        }
        catch (IOException)
        {
            // Hung up on before all was read: a reset is what a client then sees.
        }
        var text = Encoding.UTF8.GetString(received.ToArray());
        return text.Split(' ') is ["HTTP/1.1", var status, ..] ? (int.Parse(status, System.Globalization.CultureInfo.InvariantCulture), text) : (null, text);
    }
}
