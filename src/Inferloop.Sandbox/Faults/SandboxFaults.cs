using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Faults;

/// <summary>The faults injected into a sandbox, in the order they were.</summary>
public sealed class SandboxFaults
{
    private readonly SandboxClock clock;
    private readonly int? seed;
    private readonly Func<string, bool> knowsRegion;
    private readonly object gate = new();
    private volatile SandboxFault[] faults = [];
    private int number;

    internal SandboxFaults(SandboxClock clock, int? seed, Func<string, bool> knowsRegion)
    {
        this.clock = clock;
        this.seed = seed;
        this.knowsRegion = knowsRegion;
    }

    /// <summary>Those not removed, ended ones among them.</summary>
    public IReadOnlyList<SandboxFault> All => faults;

    /// <summary>Told of every fault that begins, in its time, and of every one that is over.</summary>
    internal event Action<SandboxFault>? Changed;

    /// <summary>Whether anything can strike at all: the path of every request looks here first.</summary>
    internal bool Any => faults.Length > 0;

    /// <summary>Injects a fault.</summary>
    /// <param name="rule">What it does.</param>
    /// <exception cref="ArgumentException">The rule cannot be: the message says why.</exception>
    public SandboxFault Add(SandboxFaultRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        Check(rule);
        SandboxFault fault;
        lock (gate)
        {
            number++;
#pragma warning disable CA5394
            var random = rule.Seed is { } own ? new Random(own) : seed is { } sandbox ? new Random(unchecked((sandbox * 397) ^ number)) : new Random();
#pragma warning restore CA5394
            fault = new SandboxFault("fault-" + number.ToString(CultureInfo.InvariantCulture), rule, clock, random);
            faults = [.. faults, fault];
        }
        if (rule.StartsAfter > TimeSpan.Zero)
        {
            clock.Schedule(fault.Begins, () => Changed?.Invoke(fault));
        }
        else
        {
            Changed?.Invoke(fault);
        }
        if (fault.Ends is { } ends)
        {
            clock.Schedule(ends, () => Changed?.Invoke(fault));
        }
        return fault;
    }

    /// <summary>Takes a fault away; says whether it was there.</summary>
    /// <param name="id">Its id.</param>
    public bool Remove(string id)
    {
        SandboxFault? fault;
        lock (gate)
        {
            fault = Array.Find(faults, f => f.Id == id);
            if (fault is null)
            {
                return false;
            }
            faults = [.. faults.Where(f => f != fault)];
            fault.Remove();
        }
        Changed?.Invoke(fault);
        return true;
    }

    /// <summary>The fault that strikes a call over the wire, or null. The first injected wins; the loss of a region comes before all others.</summary>
    internal SandboxFault? Strike(string service, string operation, string region, JsonObject? input)
    {
        foreach (var fault in faults)
        {
            var rule = fault.Rule;
            if (IsOfCalls(rule.Kind)
                && IsService(rule.Service, service)
                && Wildcard.Matches(rule.Operation, operation)
                && Wildcard.Matches(rule.Region, region)
                && Names(input, rule.Resource)
                && fault.Strikes())
            {
                return fault;
            }
        }
        return null;
    }

    /// <summary>The fault that strikes a step of a stack, or null.</summary>
    internal SandboxFault? StrikeResource(string step, string type, string logicalId, string? physicalId, string region)
    {
        foreach (var fault in faults)
        {
            var rule = fault.Rule;
            if (rule.Kind == SandboxFaultKind.ResourceFailure
                && Wildcard.Matches(rule.Operation, step)
                && Wildcard.Matches(rule.Region, region)
                && (Wildcard.Matches(rule.Resource, type) || Wildcard.Matches(rule.Resource, logicalId) || (physicalId is not null && Wildcard.Matches(rule.Resource, physicalId)))
                && fault.Strikes())
            {
                return fault;
            }
        }
        return null;
    }

    /// <summary>Whether a region is lost, to a service or altogether.</summary>
    internal bool IsRegionLost(string region, string service = "*") => LostRegion(region, service) is not null;

    /// <summary>Since when a region is lost, to a service or altogether; null when it is not.</summary>
    internal DateTimeOffset? LostSince(string region, string service) => LostRegion(region, service)?.Begins;

    /// <summary>Since when two regions do not reach each other, in a service or altogether; null when they do.</summary>
    internal DateTimeOffset? PartitionedSince(string one, string other, string service) => !Any || one == other ? null : faults
        .Where(fault => fault.Rule.Kind == SandboxFaultKind.RegionPartition && fault.State == SandboxFaultState.Active && IsOfService(fault.Rule, service)
            && ((Wildcard.Matches(fault.Rule.Region, one) && Wildcard.Matches(fault.Rule.OtherRegion, other)) || (Wildcard.Matches(fault.Rule.Region, other) && Wildcard.Matches(fault.Rule.OtherRegion, one))))
        .Select(static fault => (DateTimeOffset?)fault.Begins).Min();

    /// <summary>The loss that a call to a region's service meets, or null.</summary>
    internal SandboxFault? StrikesRegion(string region, string service) => LostRegion(region, service) is { } lost && lost.Strikes() ? lost : null;

    /// <summary>Whether an availability zone is lost.</summary>
    internal bool IsZoneLost(string zone) => Any && Array.Exists(faults, fault =>
        fault.Rule.Kind == SandboxFaultKind.ZoneLoss && fault.State == SandboxFaultState.Active && string.Equals(fault.Rule.Zone, zone, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether a capacity provider of a region has no room for what is new.</summary>
    internal bool LacksCapacity(string provider, string region) => Any && Array.Exists(faults, fault =>
        fault.Rule.Kind == SandboxFaultKind.CapacityShortage && fault.State == SandboxFaultState.Active && Wildcard.Matches(fault.Rule.Resource, provider) && Wildcard.Matches(fault.Rule.Region, region) && fault.Strikes());

    /// <summary>
    /// How much later than by itself a copy from one region arrives in another; null while one of the two is lost: to be asked again later.
    /// </summary>
    /// <param name="service">The service that copies.</param>
    /// <param name="resource">What is copied, such as a table's name.</param>
    /// <param name="from">The region copied from.</param>
    /// <param name="to">The region copied to.</param>
    internal TimeSpan? ReplicationLag(string service, string resource, string from, string to)
    {
        if (!Any)
        {
            return TimeSpan.Zero;
        }
        if (IsRegionLost(from, service) || IsRegionLost(to, service))
        {
            return null;
        }
        var lag = TimeSpan.Zero;
        foreach (var fault in faults)
        {
            var rule = fault.Rule;
            if (rule.Kind == SandboxFaultKind.ReplicationLag && IsService(rule.Service, service) && Wildcard.Matches(rule.Resource, resource)
                && Wildcard.Matches(rule.Region, from) && Wildcard.Matches(rule.OtherRegion, to) && fault.Strikes())
            {
                lag += rule.Delay ?? TimeSpan.Zero;
            }
        }
        return lag;
    }

    private static bool IsOfCalls(SandboxFaultKind kind) =>
        kind is not (SandboxFaultKind.ResourceFailure or SandboxFaultKind.ReplicationLag or SandboxFaultKind.ZoneLoss or SandboxFaultKind.RegionLoss or SandboxFaultKind.CapacityShortage or SandboxFaultKind.RegionPartition);

    private SandboxFault? LostRegion(string region, string service) => !Any ? null : Array.Find(faults, fault =>
        fault.Rule.Kind == SandboxFaultKind.RegionLoss && fault.State == SandboxFaultState.Active && Wildcard.Matches(fault.Rule.Region, region)
        && IsOfService(fault.Rule, service));

    private static bool IsOfService(SandboxFaultRule rule, string service) => rule.Service == "*" || (service != "*" && IsService(rule.Service, service));

    /// <summary>Whether a pattern means a service, by its model's name or by the name that requests are signed for (<c>logs</c>, <c>elasticloadbalancing</c>).</summary>
    internal static bool IsService(string pattern, string model) => Wildcard.Matches(pattern, model)
        || (ServiceModels.Index.FirstOrDefault(entry => entry.Name == model) is { } entry && Wildcard.Matches(pattern, entry.SigningName));

    /// <summary>Whether a text anywhere in an input is what the pattern names. An ARN is also met by what it ends with.</summary>
    private static bool Names(JsonNode? node, string pattern)
    {
        if (pattern == "*")
        {
            return true;
        }
        return node switch
        {
            JsonObject document => document.Any(member => Names(member.Value, pattern)),
            JsonArray list => list.Any(item => Names(item, pattern)),
            JsonValue value when value.TryGetValue<string>(out var text) =>
                Wildcard.Matches(pattern, text) || (text.StartsWith("arn:", StringComparison.Ordinal) && Wildcard.Matches(pattern, text[(text.LastIndexOfAny([':', '/']) + 1)..])),
            _ => false,
        };
    }

    [SuppressMessage("Usage", "CA2208", Justification = "The members named are the rule's.")]
    private void Check(SandboxFaultRule rule)
    {
        static void Require(bool holds, string message, string member)
        {
            if (!holds)
            {
                throw new ArgumentException(message, member);
            }
        }

        Require(Enum.IsDefined(rule.Kind), "There is no such kind of fault.", nameof(rule.Kind));
        Require(rule.Probability is > 0 and <= 1, "A probability is above 0 and at most 1.", nameof(rule.Probability));
        Require(rule.Count is null or > 0, "A count is at least 1.", nameof(rule.Count));
        Require(rule.StartsAfter >= TimeSpan.Zero, "A fault cannot begin in the past.", nameof(rule.StartsAfter));
        Require(rule.Duration is null || rule.Duration > TimeSpan.Zero, "A duration is above zero.", nameof(rule.Duration));
        Require(rule.Delay is null || rule.Delay >= TimeSpan.Zero, "A delay cannot be negative.", nameof(rule.Delay));
        var services = ServiceModels.Index.Where(entry => IsService(rule.Service, entry.Name)).ToList();
        Require(services.Count > 0, $"The sandbox has no service {rule.Service}.", nameof(rule.Service));
        Require(!IsOfCalls(rule.Kind) || rule.Operation.AsSpan().IndexOfAny('*', '?') >= 0 || services.Exists(entry => ServiceModels.Get(entry.Name).OperationNames.Contains(rule.Operation, StringComparer.OrdinalIgnoreCase)),
            $"{(rule.Service == "*" ? "No service" : "Service " + rule.Service)} has {(rule.Service == "*" ? "an" : "no")} operation {rule.Operation}.", nameof(rule.Operation));
        Require(rule.OtherRegion == "*" || rule.Kind is SandboxFaultKind.ReplicationLag or SandboxFaultKind.RegionPartition, "Only a replication lag and a partition have another region.", nameof(rule.OtherRegion));
        Require(rule.OtherRegion.AsSpan().IndexOfAny('*', '?') >= 0 || knowsRegion(rule.OtherRegion), $"The sandbox has no region {rule.OtherRegion}.", nameof(rule.OtherRegion));
        Require(rule.OtherRegion == "*" || rule.OtherRegion != rule.Region, "A region always reaches itself: name another one.", nameof(rule.OtherRegion));
        switch (rule.Kind)
        {
            case SandboxFaultKind.Latency or SandboxFaultKind.ReplicationLag:
                Require(rule.Delay is not null, $"A fault of kind {rule.Kind} needs a delay.", nameof(rule.Delay));
                break;
            case SandboxFaultKind.ZoneLoss:
                Require(rule.Zone is not null, "The loss of a zone needs the zone.", nameof(rule.Zone));
                Require(rule.Zone!.Length > 1 && knowsRegion(rule.Zone[..^1]) && Services.AvailabilityZones.Of(rule.Zone[..^1]).Contains(rule.Zone),
                    $"The sandbox has no availability zone {rule.Zone}.", nameof(rule.Zone));
                break;
            case SandboxFaultKind.RegionLoss:
                Require(rule.Region != "*", "The loss of a region needs the region.", nameof(rule.Region));
                Require(knowsRegion(rule.Region), $"The sandbox has no region {rule.Region}.", nameof(rule.Region));
                break;
            case SandboxFaultKind.RegionPartition:
                Require(rule.Region != "*", "A partition needs the region that does not reach the others.", nameof(rule.Region));
                Require(knowsRegion(rule.Region), $"The sandbox has no region {rule.Region}.", nameof(rule.Region));
                break;
            case SandboxFaultKind.ResourceFailure:
                Require(rule.Operation.AsSpan().IndexOfAny('*', '?') >= 0 || rule.Operation is "Create" or "Update" or "Delete",
                    "A resource fails at Create, Update or Delete.", nameof(rule.Operation));
                break;
        }
    }
}
