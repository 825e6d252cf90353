namespace Inferloop.Operations.Environments;

/// <summary>How a pre-flight check came out.</summary>
public enum PreflightSeverity
{
    /// <summary>All is well.</summary>
    Passed,

    /// <summary>Worth knowing, or something that could not be looked at.</summary>
    Information,

    /// <summary>It can go wrong.</summary>
    Warning,

    /// <summary>It will fail.</summary>
    Error,
}

/// <summary>What a pre-flight check is about.</summary>
public enum PreflightCheck
{
    /// <summary>Limits of the account beside what is used.</summary>
    Quota,

    /// <summary>Names that are taken already.</summary>
    Name,

    /// <summary>The region, its zones, and what is offered there.</summary>
    Region,

    /// <summary>Instance types and database classes.</summary>
    InstanceType,

    /// <summary>Versions, and the spec as a whole.</summary>
    Spec,

    /// <summary>What the caller may do.</summary>
    Permission,

    /// <summary>The certificate of the load balancer.</summary>
    Certificate,

    /// <summary>The container image, and the image or package of a function.</summary>
    Image,

    /// <summary>Mistakes in the templates that show only when the stack is up.</summary>
    Template,

    /// <summary>The standby in the recovery region.</summary>
    Standby,

    /// <summary>What is copied to the recovery region.</summary>
    Replication,

    /// <summary>When a failover was last rehearsed.</summary>
    Rehearsal,
}

/// <summary>One thing that was looked at before anything is made.</summary>
public sealed record InferloopPreflightFinding
{
    /// <summary>Passed, Information, Warning or Error.</summary>
    public required PreflightSeverity Severity { get; init; }

    /// <summary>What it is about.</summary>
    public required PreflightCheck Check { get; init; }

    /// <summary>The quota, name, instance type or action.</summary>
    public required string Subject { get; init; }

    /// <summary>What was found.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it; empty where all is well.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>The finding in one line.</summary>
    public override string ToString() => $"{Severity} {Check} {Subject}: {Message}";
}
