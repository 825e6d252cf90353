using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Hosting;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Traffic;

namespace Inferloop.Sandbox;

/// <summary>A running sandbox: AWS on loopback.</summary>
public sealed class SandboxHost : IAsyncDisposable
{
    private static readonly Lazy<IReadOnlyDictionary<string, IReadOnlyList<string>>> Known = new(static () =>
    {
        using var catalog = new SandboxRuntime(new SandboxOptions { ClockRate = 0 });
        return catalog.Services.OrderBy(service => service.ModelName, StringComparer.Ordinal)
            .ToDictionary(service => service.ModelName, service => (IReadOnlyList<string>)[.. service.Operations.Order(StringComparer.Ordinal)], StringComparer.Ordinal);
    });

    private readonly SandboxRuntime runtime;
    private readonly HttpServer server;
    private readonly Persistence? persistence;
    private int disposed;

    private SandboxHost(SandboxRuntime runtime, HttpServer server, Persistence? persistence = null)
    {
        this.persistence = persistence;
        this.runtime = runtime;
        this.server = server;
        Endpoint = runtime.Endpoint!;
        Started = DateTimeOffset.UtcNow;
    }

    /// <summary>Where every service answers, in every region.</summary>
    public Uri Endpoint { get; }

    /// <summary>When the sandbox started, in real time.</summary>
    public DateTimeOffset Started { get; }

    /// <summary>The sandbox's time.</summary>
    public SandboxClock Clock => runtime.Clock;

    /// <summary>What it has been asked.</summary>
    public SandboxStatistics Statistics => runtime.Statistics;

    /// <summary>How it was set up. The secret is not repeated here.</summary>
    public SandboxOptions Options => runtime.Options with { SecretAccessKey = null, AccessKeyId = AccessKeyId, Port = Endpoint.Port };

    /// <summary>The account that <see cref="AccessKeyId"/> belongs to.</summary>
    public string AccountId => runtime.Options.AccountId;

    /// <summary>The access key id to sign with.</summary>
    public string AccessKeyId => runtime.AccessKeys.Root.Id;

    /// <summary>The secret to sign with. Not to be logged.</summary>
    public string SecretAccessKey => runtime.AccessKeys.Root.Secret;

    /// <summary>The regions that answer.</summary>
    public IReadOnlyList<string> Regions => runtime.EnabledRegions;

    /// <summary>E-mails, text messages and calls of web hooks that the services would have sent; they are kept here and never leave the process.</summary>
    public IReadOnlyList<SandboxDelivery> Deliveries => runtime.Outbox.Sent;

    /// <summary>The synthetic traffic on its load balancers.</summary>
    public SandboxLoads Loads => runtime.Loads;

    /// <summary>The faults injected into it.</summary>
    public SandboxFaults Faults => runtime.Faults;

    /// <summary>The services of every sandbox, by their models' names, each with the operations that it has.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<string>> KnownServices => Known.Value;

    /// <summary>The availability zones of every region.</summary>
    public static IEnumerable<string> KnownZones => Sandbox.Runtime.Regions.All.SelectMany(Sandbox.Services.AvailabilityZones.Of);

    internal SandboxRuntime Runtime => runtime;

    /// <summary>Puts charges on the account's bill, which Cost Explorer and Budgets then read; budgets whose thresholds they cross speak.</summary>
    /// <param name="lines">What was charged.</param>
    public void Charge(IReadOnlyList<SandboxBillLine> lines) => runtime.Service<Services.CostExplorer.CostExplorerService>().Charge(AccountId, lines);

    /// <summary>Puts an image into ECR, as a push of one does; its repository is made where it is missing, with scans on push. What it does, its tag says.</summary>
    /// <param name="region">The region of the registry.</param>
    /// <param name="repository">The repository.</param>
    /// <param name="tag">The tag; one that is there already moves to the new image, unless the repository forbids that.</param>
    /// <returns>The image by its digest.</returns>
    /// <exception cref="ArgumentException">ECR refuses it: the message says why.</exception>
    public string PushImage(string region, string repository, string tag)
    {
        try
        {
            return runtime.Service<Services.Ecr.EcrService>().Push(runtime.SystemContext(AccountId, region), repository, tag);
        }
        catch (ServiceFault fault)
        {
            throw new ArgumentException(fault.Message, nameof(tag), fault);
        }
    }

    /// <summary>Starts a sandbox.</summary>
    /// <param name="options">How to set it up; the defaults when null.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static Task<SandboxHost> StartAsync(SandboxOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (options?.Path is not null)
        {
            return Task.Run(() => StartJournaled(options), cancellationToken);
        }
        var runtime = new SandboxRuntime(options ?? new SandboxOptions());
        try
        {
            var router = new ServiceRouter(runtime);
            runtime.Route = router.HandleAsync;
            var server = HttpServer.Start(runtime.Options, router.HandleAsync, runtime.Report);
            runtime.Endpoint = new Uri($"http://127.0.0.1:{server.Port}");
            return Task.FromResult(new SandboxHost(runtime, server));
        }
        catch
        {
            runtime.Dispose();
            throw;
        }
    }

    private static SandboxHost StartJournaled(SandboxOptions given)
    {
        SandboxRuntime? runtime = null;
        var (persistence, options) = Persistence.Open(given, e => runtime?.Report(e));
        try
        {
            ServiceRouter? router = null;
            persistence.Turnstile.Run(() =>
            {
                using (persistence.Enter(0))
                {
                    runtime = new SandboxRuntime(options, persistence);
                }
                // Addresses of this sandbox in what is repeated are those it had.
                runtime.Endpoint = new Uri($"http://127.0.0.1:{persistence.Header.Port}");
                router = new ServiceRouter(runtime);
                persistence.Repeat(runtime, router);
            });
            runtime!.Route = (request, ended) => persistence.HandleAsync(runtime, router!, request, ended);
            var server = StartServer(given, options, runtime.Route, runtime.Report);
            persistence.KeepPort(server.Port);
            runtime.Endpoint = new Uri($"http://127.0.0.1:{server.Port}");
            return new SandboxHost(runtime, server, persistence);
        }
        catch
        {
            persistence.Dispose();
            runtime?.Dispose();
            throw;
        }
    }

    /// <summary>At the port that it had, unless another has that by now and none was asked for.</summary>
    private static HttpServer StartServer(SandboxOptions given, SandboxOptions options, Func<Protocols.ServiceRequest, CancellationToken, Task<Protocols.ServiceResponse>> handler, Action<Exception> report)
    {
        try
        {
            return HttpServer.Start(options, handler, report);
        }
        catch (System.Net.Sockets.SocketException) when (given.Port == 0 && options.Port != 0)
        {
            return HttpServer.Start(options with { Port = 0 }, handler, report);
        }
    }

    /// <summary>Stops it: no more requests, no more transitions; what it held is gone, unless it has a folder that keeps it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 1)
        {
            return;
        }
        if (persistence is not null)
        {
            // Nothing that waits goes on after this: it would go on differently from what the journal says.
            persistence.Dispose();
        }
        runtime.Stop();
        await server.DisposeAsync().ConfigureAwait(false);
        runtime.Dispose();
    }
}
