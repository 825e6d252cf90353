using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Traffic;

/// <summary>The loads of a sandbox. From the first one on, what its account and region has publishes metrics each minute: loaded or idle.</summary>
public sealed class SandboxLoads
{
    private readonly SandboxRuntime runtime;
    private readonly Lazy<TrafficEngine> engine;
    private readonly object gate = new();
    private volatile SandboxLoad[] loads = [];

    internal SandboxLoads(SandboxRuntime runtime)
    {
        this.runtime = runtime;
        engine = new Lazy<TrafficEngine>(() => new TrafficEngine(runtime, this));
    }

    /// <summary>The loads that are set.</summary>
    public IReadOnlyList<SandboxLoad> All => loads;

    /// <summary>Sets the load of load balancers, in place of the one they have.</summary>
    /// <param name="accountId">Their account.</param>
    /// <param name="region">Their region.</param>
    /// <param name="loadBalancer">Their name, or a pattern.</param>
    /// <param name="profile">How many requests come when, and what they cost.</param>
    /// <exception cref="ArgumentException">The profile cannot be: the message says why.</exception>
    public SandboxLoad Set(string accountId, string region, string loadBalancer, SandboxLoadProfile profile)
    {
        ArgumentNullException.ThrowIfNull(profile);
        if (profile.Problem() is { } problem)
        {
            throw new ArgumentException(problem, nameof(profile));
        }
        if (!runtime.EnabledRegions.Contains(region))
        {
            throw new ArgumentException($"The sandbox has no region {region}.", nameof(region));
        }
        var load = new SandboxLoad(accountId, region, loadBalancer, profile, runtime.Clock.Now);
        lock (gate)
        {
            loads = [.. loads.Where(present => present.AccountId != accountId || present.Region != region || present.LoadBalancer != loadBalancer), load];
        }
        engine.Value.Follow(accountId, region);
        return load;
    }

    internal bool AnyIn(RequestContext context) => Array.Exists(loads, load => load.AccountId == context.AccountId && load.Region == context.Region);

    /// <summary>The load of a balancer: the last one set whose pattern it matches.</summary>
    internal SandboxLoad? Of(RequestContext context, string balancer) =>
        Array.FindLast(loads, load => load.AccountId == context.AccountId && load.Region == context.Region && Wildcard.Matches(load.LoadBalancer, balancer));
}
