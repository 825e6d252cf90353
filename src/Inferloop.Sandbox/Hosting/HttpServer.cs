using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Inferloop.Sandbox.Protocols;

namespace Inferloop.Sandbox.Hosting;

/// <summary>
/// HTTP/1.1 on a loopback socket, for any host name; over TLS where it is given a certificate.
/// </summary>
/// <remarks>
/// HttpListener cannot do this: bound to 127.0.0.1 it refuses other host names (S3's virtual-host style), it cannot take a free port by
/// itself, it rewrites the path a signature was made over, and on Windows it needs a URL reservation for an address.
/// </remarks>
internal sealed class HttpServer : IAsyncDisposable
{
    private const int MaximumConnections = 1024;

    /// <summary>
    /// So many connections are served by threads of their own that wait for their clients: one wake-up for each request instead of two, which is
    /// most of what a small request costs. Further ones share the pool.
    /// </summary>
    private const int MaximumThreads = 64;

    private readonly Socket listener;
    private readonly Func<ServiceRequest, CancellationToken, Task<ServiceResponse>> handler;
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim connectionSlots = new(MaximumConnections);
    private readonly SemaphoreSlim requestSlots;
    private readonly long maximumBody;
    private readonly HashSet<Task> connections = [];
    private readonly object gate = new();
    private readonly Action<Exception> report;
    private readonly X509Certificate2? certificate;
    private Task accepting = Task.CompletedTask;
    private int threads;

    private HttpServer(Socket listener, Func<ServiceRequest, CancellationToken, Task<ServiceResponse>> handler, SandboxOptions options, Action<Exception> report, X509Certificate2? certificate)
    {
        this.certificate = certificate;
        this.listener = listener;
        this.handler = handler;
        this.report = report;
        maximumBody = options.MaximumRequestBytes;
        requestSlots = new SemaphoreSlim(Math.Max(1, options.MaximumConcurrentRequests));
    }

    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public static HttpServer Start(SandboxOptions options, Func<ServiceRequest, CancellationToken, Task<ServiceResponse>> handler, Action<Exception> report, X509Certificate2? certificate = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, options.Port));
            socket.Listen(512);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        var server = new HttpServer(socket, handler, options, report, certificate);
        server.accepting = server.AcceptAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
        {
            return;
        }
        await stopping.CancelAsync().ConfigureAwait(false);
        listener.Dispose();
        await accepting.ConfigureAwait(false);
        Task[] open;
        lock (gate)
        {
            open = [.. connections];
        }
        await Task.WhenAll(open).ConfigureAwait(false);
        stopping.Dispose();
        connectionSlots.Dispose();
        requestSlots.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await connectionSlots.WaitAsync(stopping.Token).ConfigureAwait(false);
                var socket = await listener.AcceptAsync(stopping.Token).ConfigureAwait(false);
                var connection = certificate is null && Interlocked.Increment(ref threads) is var count && count <= MaximumThreads ? ServeOnThread(socket) : ServeOnPoolAsync(socket);
                lock (gate)
                {
                    connections.Add(connection);
                }
                _ = connection.ContinueWith(
                    done =>
                    {
                        lock (gate)
                        {
                            connections.Remove(done);
                        }
                    },
                    TaskScheduler.Default);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e)
            {
                // A connection that died between arriving and being accepted; the next one is none the worse.
                if (stopping.IsCancellationRequested)
                {
                    return;
                }
                connectionSlots.Release();
                report(e);
            }
        }
    }

    private Task ServeOnThread(Socket socket)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            GuardAsync(() =>
            {
                socket.NoDelay = true;
                socket.ReceiveTimeout = (int)HttpConnection.IdleTimeout.TotalMilliseconds;
                // A thread that waits for its client is woken by the end of its socket.
                using var stop = stopping.Token.Register(socket.Dispose);
                using var connection = new HttpConnection(new NetworkStream(socket, ownsSocket: true), maximumBody, Thread.CurrentThread);
                while (connection.ServeNextAsync(AnswerAsync, stopping.Token).GetAwaiter().GetResult())
                {
                    // One request after the other.
                }
                return Task.CompletedTask;
            }).GetAwaiter().GetResult();
            ended.SetResult();
        })
        {
            IsBackground = true,
            Name = "Sandbox connection",
        };
        thread.Start();
        return ended.Task;
    }

    private async Task ServeOnPoolAsync(Socket socket)
    {
        await Task.Yield();
        await GuardAsync(async () =>
        {
            socket.NoDelay = true;
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (certificate is not null)
            {
                stream = await EncryptAsync(stream, certificate).ConfigureAwait(false);
            }
            using var connection = new HttpConnection(stream, maximumBody);
            while (await connection.ServeNextAsync(AnswerAsync, stopping.Token).ConfigureAwait(false))
            {
                // One request after the other.
            }
        }).ConfigureAwait(false);
    }

    /// <summary>Serves a connection to its end, whatever that is.</summary>
    private async Task GuardAsync(Func<Task> serve)
    {
        try
        {
            await serve().ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException or AuthenticationException)
        {
            // The client went away, or the sandbox stops.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            report(e);
        }
        finally
        {
            if (certificate is null)
            {
                Interlocked.Decrement(ref threads);
            }
            if (!stopping.IsCancellationRequested)
            {
                connectionSlots.Release();
            }
        }
    }

    private async Task<Stream> EncryptAsync(Stream stream, X509Certificate2 own)
    {
        var encrypted = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token);
            timeout.CancelAfter(TimeSpan.FromSeconds(10));
            await encrypted.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = own, EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 }, timeout.Token).ConfigureAwait(false);
            return encrypted;
        }
        catch
        {
            await encrypted.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<ServiceResponse> AnswerAsync(ServiceRequest request, CancellationToken cancellationToken)
    {
        await requestSlots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await handler(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            requestSlots.Release();
        }
    }
}
