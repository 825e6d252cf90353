using Inferloop.Sandbox.Traffic;

namespace Inferloop.PowerShell.Session;

/// <summary>A synthetic load on load balancers of a sandbox, with what it did in the last minute.</summary>
public sealed class InferloopSandboxLoad
{
    private readonly SandboxLoad load;
    private readonly Func<DateTimeOffset> now;

    internal InferloopSandboxLoad(SandboxLoad load, Func<DateTimeOffset> now)
    {
        this.load = load;
        this.now = now;
    }

    /// <summary>The load balancers' name, or a pattern.</summary>
    public string LoadBalancer => load.LoadBalancer;

    /// <summary>Their region.</summary>
    public string Region => load.Region;

    /// <summary>When it was set, on the sandbox's clock.</summary>
    public DateTimeOffset Set => load.Set;

    /// <summary>The requests a second at present.</summary>
    public double RequestsPerSecond => Math.Round(load.Profile.At(load.Set, now()), 3);

    /// <summary>The minute that the following figures are of; null before the first has passed.</summary>
    public DateTimeOffset? Measured => load.Last?.Time;

    /// <summary>The healthy targets that shared the minute's requests.</summary>
    public int? Targets => load.Last?.Targets;

    /// <summary>The CPU utilization of those targets: 1 is all they have, above that requests time out.</summary>
    public double? Utilization => load.Last?.Utilization;

    /// <summary>How long a request took.</summary>
    public TimeSpan? ResponseTime => load.Last?.ResponseTime;

    /// <summary>The share of the minute's requests that was answered with 5xx.</summary>
    public double? Failed => load.Last?.ErrorShare;

    /// <summary>How many requests came since the load was set.</summary>
    public long Requests => load.Targets.Sum(target => target.Requests);

    /// <summary>How many of them were answered with 5xx, by the targets or by the load balancer.</summary>
    public long FailedRequests => load.Targets.Sum(target => target.Failed);

    /// <summary>The same by load balancer, target group, target and the revision that served there.</summary>
    public IReadOnlyList<InferloopSandboxLoadTarget> Results => [.. load.Targets.Select(target =>
        new InferloopSandboxLoadTarget(target.LoadBalancer, target.TargetGroup, target.Target, target.Revision, target.Requests, target.Failed, target.First, target.Last))];

    /// <summary>The curve and what a request costs.</summary>
    public SandboxLoadProfile Profile => load.Profile;
}

/// <summary>What became of the requests that a target was sent since a load was set.</summary>
/// <param name="LoadBalancer">The load balancer's name.</param>
/// <param name="TargetGroup">The target group's name; null for requests that the load balancer could send to none.</param>
/// <param name="Target">The target: an address or an instance.</param>
/// <param name="Revision">The task definition and its revision, such as <c>app:7</c>; null for what is no task.</param>
/// <param name="Requests">How many requests it was sent.</param>
/// <param name="Failed">How many of them were answered with 5xx, by it or by the load balancer in its place.</param>
/// <param name="First">When it was first sent any, on the sandbox's clock.</param>
/// <param name="Last">When it was last sent any.</param>
public sealed record InferloopSandboxLoadTarget(string LoadBalancer, string? TargetGroup, string? Target, string? Revision, long Requests, long Failed, DateTimeOffset First, DateTimeOffset Last);
