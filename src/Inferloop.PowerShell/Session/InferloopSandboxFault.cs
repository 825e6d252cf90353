using Inferloop.Sandbox.Faults;

namespace Inferloop.PowerShell.Session;

/// <summary>A fault injected into a sandbox, with what it has done so far.</summary>
public sealed class InferloopSandboxFault
{
    private readonly SandboxFault fault;

    internal InferloopSandboxFault(InferloopSandbox sandbox, SandboxFault fault)
    {
        Sandbox = sandbox;
        this.fault = fault;
    }

    /// <summary>Its id, such as fault-1.</summary>
    public string Id => fault.Id;

    /// <summary>What it does.</summary>
    public SandboxFaultKind Kind => fault.Rule.Kind;

    /// <summary>Whether it strikes at present.</summary>
    public SandboxFaultState State => fault.State;

    /// <summary>The service whose calls it strikes.</summary>
    public string Service => fault.Rule.Service;

    /// <summary>The operation it strikes.</summary>
    public string Operation => fault.Rule.Operation;

    /// <summary>The resource it strikes.</summary>
    public string Resource => fault.Rule.Resource;

    /// <summary>The region it strikes.</summary>
    public string Region => fault.Rule.Region;

    /// <summary>The other region of a partition or of a replication lag.</summary>
    public string OtherRegion => fault.Rule.OtherRegion;

    /// <summary>The availability zone that is lost.</summary>
    public string? AvailabilityZone => fault.Rule.Zone;

    /// <summary>How likely a matching call is struck.</summary>
    public double Probability => fault.Rule.Probability;

    /// <summary>How many calls are struck before it is over.</summary>
    public int? Count => fault.Rule.Count;

    /// <summary>How late answers or copies are, or how long calls hang.</summary>
    public TimeSpan? Delay => fault.Rule.Delay;

    /// <summary>The error's code, in place of the one AWS gives.</summary>
    public string? ErrorCode => fault.Rule.ErrorCode;

    /// <summary>The error's message, in place of the one AWS gives.</summary>
    public string? Message => fault.Rule.Message;

    /// <summary>When it begins, on the sandbox's clock.</summary>
    public DateTimeOffset Begins => fault.Begins;

    /// <summary>When it ends, on the sandbox's clock.</summary>
    public DateTimeOffset? Ends => fault.Ends;

    /// <summary>How many calls it could have struck.</summary>
    public long Met => fault.Met;

    /// <summary>How many calls it struck.</summary>
    public long Struck => fault.Struck;

    /// <summary>The sandbox it is in.</summary>
    public InferloopSandbox Sandbox { get; }

    /// <summary>What it does, and to what.</summary>
    /// <returns>One line.</returns>
    public override string ToString() => $"{Id}: {Kind} of {AvailabilityZone ?? (Region == "*" ? "" : OtherRegion == "*" ? Region + " " : $"{Region} and {OtherRegion} ")}{(AvailabilityZone is null ? $"{Service}:{Operation} {Resource}" : "")}".TrimEnd();

    internal bool Remove() => Sandbox.RemoveFault(Id);
}
