using System.Collections.Concurrent;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Traffic;

namespace Inferloop.Sandbox.Runtime;

/// <summary>One sandbox: its clock, its services, its state.</summary>
internal sealed class SandboxRuntime : IDisposable
{
    private readonly ConcurrentDictionary<(string Service, string Name, string Account, string Region), Collection> collections = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly Dictionary<Type, SandboxService> servicesByType = [];
    private readonly Dictionary<string, SandboxService> servicesByModel = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ResourceProvider> providers = new(StringComparer.Ordinal);

    public SandboxRuntime(SandboxOptions options, Persistence? persistence = null)
    {
        Options = options;
        Ids = new Ids(options.Seed);
        Clock = new SandboxClock(options.ClockRate, persistence?.Header.Origin);
        if (persistence is not null)
        {
            Clock.Follow(persistence);
        }
        Clock.TransitionFailed += Report;
        Statistics = new SandboxStatistics(options.RequestLogCapacity);
        Faults = new SandboxFaults(Clock, options.Seed, EnabledRegions.Contains);
        Links = new RegionLinks(Clock, Faults);
        Stopping = stopping.Token;
        AccessKeys = new AccessKeyStore(options, Ids);
        foreach (var service in CoreCatalog.Services(this).Concat(ServiceCatalog.Services(this)))
        {
            servicesByType.Add(service.GetType(), service);
            servicesByModel.Add(service.ModelName, service);
        }
        foreach (var provider in CoreCatalog.Providers(this).Concat(ServiceCatalog.Providers(this)))
        {
            providers.Add(provider.Type, provider);
        }
        new ZoneLosses(this).Follow();
        Loads = new SandboxLoads(this);
    }

    public SandboxOptions Options { get; }

    public SandboxClock Clock { get; }

    public Ids Ids { get; }

    /// <summary>What regions send each other.</summary>
    public RegionLinks Links { get; }

    public SandboxStatistics Statistics { get; }

    /// <summary>The faults injected.</summary>
    public SandboxFaults Faults { get; }

    /// <summary>The synthetic traffic.</summary>
    public SandboxLoads Loads { get; }

    public AccessKeyStore AccessKeys { get; }

    /// <summary>What would have been sent out into the world.</summary>
    public Outbox Outbox { get; } = new();

    /// <summary>Told of every call that reached a service, after it was answered.</summary>
    public event Action<ApiCall>? Called;

    /// <summary>Tells those who follow the calls.</summary>
    public void Tell(ApiCall call) => Called?.Invoke(call);

    /// <summary>Where the sandbox answers; null before the host has started.</summary>
    public Uri? Endpoint { get; set; }

    /// <summary>From a request to its answer, whatever socket it came to; set when the host starts.</summary>
    public Func<Protocols.ServiceRequest, CancellationToken, Task<Protocols.ServiceResponse>> Route { get; set; } =
        static (_, _) => throw new InvalidOperationException("The sandbox has not started.");

    /// <summary>Cancelled when the sandbox stops.</summary>
    public CancellationToken Stopping { get; }

    public IEnumerable<SandboxService> Services => servicesByModel.Values;

    public IReadOnlyList<string> EnabledRegions => Options.Regions ?? Regions.All;

    public T Service<T>()
        where T : SandboxService => (T)servicesByType[typeof(T)];

    /// <summary>A service by its model's name, or null when the sandbox does not have it.</summary>
    public SandboxService? Service(string modelName) => servicesByModel.GetValueOrDefault(modelName);

    /// <summary>What creates resources of a CloudFormation type, or null when nothing does.</summary>
    public ResourceProvider? Provider(string resourceType) => providers.GetValueOrDefault(resourceType) is not { } provider ? null
        : Faults.Any ? new FaultyProvider(provider, Faults)
        : provider;

    /// <summary>Puts a provider in the place of its type's own. Before the first request only: nothing guards it.</summary>
    public void Substitute(ResourceProvider provider) => providers[provider.Type] = provider;

    /// <summary>The entities of one kind in the caller's account and region.</summary>
    public Collection Collection(string service, string name, RequestContext context) =>
        Collection(service, name, context.AccountId, context.Region);

    /// <summary>The entities of one kind; an empty region for kinds that are global in their account, an empty account for those global altogether.</summary>
    public Collection Collection(string service, string name, string accountId, string region) =>
        collections.GetOrAdd((service, name, accountId, region), static _ => new Collection());

    /// <summary>The entities of one kind in a region, of every account that has any.</summary>
    public IEnumerable<(string Account, Collection Documents)> Collections(string service, string name, string region) => collections
        .Where(pair => pair.Key.Service == service && pair.Key.Name == name && pair.Key.Region == region).Select(pair => (pair.Key.Account, pair.Value));

    /// <summary>The accounts that have anything in a region.</summary>
    public IReadOnlyList<string> AccountsIn(string region) => collections.Where(pair => pair.Key.Region == region && pair.Key.Account.Length > 0 && pair.Value.Count > 0)
        .Select(pair => pair.Key.Account).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();

    /// <summary>A context for work that no request asked for (transitions, schedules) in an account and region.</summary>
    public RequestContext SystemContext(string accountId, string region) => new()
    {
        Runtime = this,
        AccountId = accountId,
        Region = region,
        RequestId = Ids.Uuid(),
        Cancellation = Stopping,
        PrincipalArn = $"arn:{Regions.PartitionOf(region)}:iam::{accountId}:root",
    };

    /// <summary>Starts work in the background; what it throws is reported, never lost.</summary>
    public void Run(Func<CancellationToken, Task> work)
    {
        if (Clock.IsJournaled)
        {
            Clock.Schedule(Clock.Now, () => _ = RunAsync(work));
            return;
        }
        _ = Task.Run(() => RunAsync(work));
    }

    private async Task RunAsync(Func<CancellationToken, Task> work)
    {
        try
        {
            await work(Stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            // The sandbox stops; there is no one left to finish for.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Report(e);
        }
    }

    /// <summary>Runs an action after some sandbox time; what it throws is reported.</summary>
    public void After(TimeSpan sandboxTime, Action action) => Clock.Schedule(sandboxTime, action);

    /// <summary>An error of the sandbox itself, not of its caller.</summary>
    public void Report(Exception exception) => Statistics.InternalError(exception);

    /// <summary>Ends all work in the background and tells those who follow the request log that nothing more comes.</summary>
    public void Stop()
    {
        stopping.Cancel();
        Statistics.Complete();
    }

    public void Dispose()
    {
        if (!stopping.IsCancellationRequested)
        {
            Stop();
        }
        Clock.Dispose();
        stopping.Dispose();
    }
}
