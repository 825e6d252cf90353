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

    /// <summary>The curve and what a request costs.</summary>
    public SandboxLoadProfile Profile => load.Profile;
}
