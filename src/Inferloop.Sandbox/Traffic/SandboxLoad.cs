namespace Inferloop.Sandbox.Traffic;

/// <summary>What a load did in a minute.</summary>
/// <param name="Time">The end of the minute, on the sandbox clock.</param>
/// <param name="RequestsPerSecond">The requests a second that came.</param>
/// <param name="Targets">The healthy targets that they were shared among.</param>
/// <param name="Utilization">The CPU utilization of those targets: 1 is all they have, above that requests time out.</param>
/// <param name="ResponseTime">How long a request took.</param>
/// <param name="ErrorShare">The share of requests that was answered with 5xx, by the targets or by the load balancer.</param>
public sealed record SandboxLoadMinute(DateTimeOffset Time, double RequestsPerSecond, int Targets, double Utilization, TimeSpan ResponseTime, double ErrorShare);

/// <summary>A load that was set on load balancers.</summary>
public sealed class SandboxLoad
{
    internal SandboxLoad(string account, string region, string loadBalancer, SandboxLoadProfile profile, DateTimeOffset set)
    {
        AccountId = account;
        Region = region;
        LoadBalancer = loadBalancer;
        Profile = profile;
        Set = set;
    }

    /// <summary>The account of the load balancers.</summary>
    public string AccountId { get; }

    /// <summary>Their region.</summary>
    public string Region { get; }

    /// <summary>Their name; a pattern with * and ? may mean several, which then get the load each.</summary>
    public string LoadBalancer { get; }

    /// <summary>How many requests come when, and what they cost.</summary>
    public SandboxLoadProfile Profile { get; }

    /// <summary>When it was set, on the sandbox clock.</summary>
    public DateTimeOffset Set { get; }

    /// <summary>What it did in the last full minute; null before the first.</summary>
    public SandboxLoadMinute? Last { get; internal set; }
}
