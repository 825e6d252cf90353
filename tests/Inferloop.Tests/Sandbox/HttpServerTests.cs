using System.Net.Sockets;
using System.Text;

namespace Inferloop.Tests.Sandbox;

public sealed class HttpServerTests(SandboxFixture sandbox)
{
    [Fact]
    public async Task It_answers_on_loopback_only()
    {
        Assert.Equal("127.0.0.1", sandbox.Host.Endpoint.Host);
        var others = System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(listener => listener.Port == sandbox.Host.Endpoint.Port);
        Assert.All(others, listener => Assert.True(System.Net.IPAddress.IsLoopback(listener.Address)));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_bucket_in_the_host_name_is_found()
    {
        var client = new SandboxClient(sandbox.Host);
        var bucket = "virtual-" + Guid.NewGuid().ToString("N")[..12];
        (await client.SendAsync("s3", HttpMethod.Put, "/" + bucket)).EnsureSuccess();
        foreach (var host in new[] { $"{bucket}.localhost:{sandbox.Host.Endpoint.Port}", $"{bucket}.s3.us-east-1.amazonaws.com", $"{bucket}.s3.localhost" })
        {
            var put = new HttpRequestMessage(HttpMethod.Put, new Uri(sandbox.Host.Endpoint, "/a/b")) { Content = new ByteArrayContent("x"u8.ToArray()) };
            put.Headers.Host = host;
            client.Sign(put, "s3", "/a/b", "x"u8.ToArray());
            (await SandboxClient.SendAsync(put)).EnsureSuccess();
        }
        Assert.Equal("x", (await client.SendAsync("s3", HttpMethod.Get, $"/{bucket}/a/b")).EnsureSuccess().Text);
    }

    [Fact]
    public async Task Several_requests_in_one_packet_are_answered_in_order()
    {
        var answer = await ExchangeAsync("GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        var first = answer.IndexOf("<Resource>/one</Resource>", StringComparison.Ordinal);
        var second = answer.IndexOf("<Resource>/two</Resource>", StringComparison.Ordinal);
        Assert.True(first > 0 && second > first, answer);
    }

    [Theory]
    [InlineData("NONSENSE\r\n\r\n")]
    [InlineData("get / HTTP/1.1\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nno colon here\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\n folded: header\r\n\r\n")]
    [InlineData("PUT /b/k HTTP/1.1\r\nContent-Length: minus\r\n\r\n")]
    [InlineData("PUT /b/k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("PUT /b/k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n")]
    public async Task What_is_no_request_is_a_bad_request(string text)
    {
        var answer = await ExchangeAsync(text);
        Assert.StartsWith("HTTP/1.1 400 Bad Request\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("<Code>BadRequest</Code>", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_too_large_is_refused_before_it_is_read()
    {
        var answer = await ExchangeAsync("PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.Contains("EntityTooLarge", answer, StringComparison.Ordinal);
        Assert.Contains("RequestHeaderSectionTooLarge", await ExchangeAsync("GET / HTTP/1.1\r\nX: " + new string('x', 70_000)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expected_continue_is_given()
    {
        using var socket = new TcpClient("127.0.0.1", sandbox.Host.Endpoint.Port);
        var stream = socket.GetStream();
        await stream.WriteAsync("PUT /b/k HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        var buffer = new byte[64];
        var read = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
        Assert.Equal("HTTP/1.1 100 Continue\r\n\r\n", Encoding.ASCII.GetString(buffer, 0, read));
        await stream.WriteAsync("ok"u8.ToArray(), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 403 ", await reader.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_log_can_be_followed_and_stopping_is_clean()
    {
        var host = await Inferloop.Sandbox.SandboxHost.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var follower = Task.Run(async () =>
        {
            var seen = new List<string>();
            await foreach (var request in host.Statistics.FollowAsync(TestContext.Current.CancellationToken))
            {
                seen.Add($"{request.Service} {request.Operation} {request.Status}");
            }
            return seen;
        }, TestContext.Current.CancellationToken);
        // A follower sees what is answered after it began to follow.
        await CloudFormationCaller.UntilAsync(async () => { await new SandboxClient(host).QueryAsync("sts", "2011-06-15", "GetCallerIdentity"); return host.Statistics.Followers; }, followers => followers == 1);
        await new SandboxClient(host).QueryAsync("sts", "2011-06-15", "GetCallerIdentity");
        await host.DisposeAsync();
        Assert.Contains("sts GetCallerIdentity 200", await follower);
        Assert.Contains(host.Statistics.Operations, count => count is { Service: "sts", Operation: "GetCallerIdentity", Errors: 0 } && count.Requests >= 1);
        await Assert.ThrowsAnyAsync<SocketException>(async () => { using var socket = new TcpClient(); await socket.ConnectAsync("127.0.0.1", host.Endpoint.Port, TestContext.Current.CancellationToken); });
        await host.DisposeAsync();
    }

    private async Task<string> ExchangeAsync(string text)
    {
        using var socket = new TcpClient("127.0.0.1", sandbox.Host.Endpoint.Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);
        socket.Client.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
