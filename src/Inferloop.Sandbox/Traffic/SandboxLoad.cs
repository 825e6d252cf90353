namespace Inferloop.Sandbox.Traffic;

/// <summary>What a load did in a minute.</summary>
/// <param name="Time">The end of the minute, on the sandbox clock.</param>
/// <param name="RequestsPerSecond">The requests a second that came.</param>
/// <param name="Targets">The healthy targets that they were shared among.</param>
/// <param name="Utilization">The CPU utilization of those targets: 1 is all they have, above that requests time out.</param>
/// <param name="ResponseTime">How long a request took.</param>
/// <param name="ErrorShare">The share of requests that was answered with 5xx, by the targets or by the load balancer.</param>
public sealed record SandboxLoadMinute(DateTimeOffset Time, double RequestsPerSecond, int Targets, double Utilization, TimeSpan ResponseTime, double ErrorShare);

/// <summary>What became of the requests that a target was sent since a load was set.</summary>
/// <param name="LoadBalancer">The load balancer's name.</param>
/// <param name="TargetGroup">The target group's name; null for requests that the load balancer could send to none.</param>
/// <param name="Target">The target: an address or an instance.</param>
/// <param name="Revision">The task definition and its revision, such as <c>app:7</c>; null for what is no task.</param>
/// <param name="Requests">How many requests it was sent.</param>
/// <param name="Failed">How many of them were answered with 5xx, by it or by the load balancer in its place.</param>
/// <param name="First">When it was first sent any, on the sandbox clock.</param>
/// <param name="Last">When it was last sent any.</param>
public sealed record SandboxLoadTarget(string LoadBalancer, string? TargetGroup, string? Target, string? Revision, long Requests, long Failed, DateTimeOffset First, DateTimeOffset Last);

/// <summary>A load that was set on load balancers.</summary>
public sealed class SandboxLoad
{
    private readonly Dictionary<(string Balancer, string? Group, string? Target, string? Revision), Row> rows = [];

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

    /// <summary>What became of every request since the load was set: by load balancer, target group and target.</summary>
    public IReadOnlyList<SandboxLoadTarget> Targets
    {
        get
        {
            lock (rows)
            {
                return [.. rows.Values.OrderBy(row => row.First).ThenBy(row => row.Target, StringComparer.Ordinal).Select(row => row.Show())];
            }
        }
    }

    /// <summary>Counts requests that a target was sent; one that no target could be found for has neither group nor target.</summary>
    internal void Count(string balancer, string? group, string? target, string? revision, double requests, double failed, DateTimeOffset moment)
    {
        if (requests <= 0)
        {
            return;
        }
        lock (rows)
        {
            // An address may serve another revision later on: that is another row.
            var key = (balancer, group, target, revision);
            var row = rows.TryGetValue(key, out var present) ? present : rows[key] = new Row(balancer, group, target, revision, moment);
            row.Requests += requests;
            row.Failed += failed;
            row.Last = moment;
        }
    }

    private sealed class Row(string balancer, string? group, string? target, string? revision, DateTimeOffset first)
    {
        public string? Target => target;

        public DateTimeOffset First => first;

        public DateTimeOffset Last { get; set; }

        public double Requests { get; set; }

        public double Failed { get; set; }

        // A part of a request that failed is a request that failed.
        public SandboxLoadTarget Show() => new(balancer, group, target, revision, (long)Math.Round(Requests), (long)Math.Ceiling(Math.Round(Failed, 6)), First, Last);
    }
}
