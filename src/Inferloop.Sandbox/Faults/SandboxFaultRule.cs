namespace Inferloop.Sandbox.Faults;

/// <summary>A fault to inject: what it does, to which calls, how often and when. Names and patterns take the wildcards * and ?.</summary>
public sealed record SandboxFaultRule
{
    /// <summary>What it does.</summary>
    public required SandboxFaultKind Kind { get; init; }

    /// <summary>The service, by its model's name, such as <c>ecs</c> or <c>dynamodb</c>.</summary>
    public string Service { get; init; } = "*";

    /// <summary>The operation, such as <c>CreateService</c>; of a resource failure one of <c>Create</c>, <c>Update</c>, <c>Delete</c>.</summary>
    public string Operation { get; init; } = "*";

    /// <summary>A value of the call's input, such as a table's name or an ARN; of a resource failure the resource's type, logical or physical id; of a shortage the capacity provider, FARGATE or FARGATE_SPOT.</summary>
    public string Resource { get; init; } = "*";

    /// <summary>The region called; of a replication lag the region copied from, of a region loss the region lost, of a partition the one side.</summary>
    public string Region { get; init; } = "*";

    /// <summary>Of a replication lag the region copied to, of a partition the other side; every region when it is not given.</summary>
    public string OtherRegion { get; init; } = "*";

    /// <summary>The availability zone that is lost.</summary>
    public string? Zone { get; init; }

    /// <summary>How likely a matching call is struck: 1 is every one.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>How many calls are struck before the fault is over; without it there is no end.</summary>
    public int? Count { get; init; }

    /// <summary>How much sandbox time passes before the fault begins.</summary>
    public TimeSpan StartsAfter { get; init; }

    /// <summary>How much sandbox time the fault lasts; without it, it lasts until it is removed.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>How late the answer is, how long a call hangs (both in real time), or how late a copy arrives (in sandbox time).</summary>
    public TimeSpan? Delay { get; init; }

    /// <summary>The error's code, in place of the one AWS gives.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>The error's message, in place of the one AWS gives.</summary>
    public string? Message { get; init; }

    /// <summary>Makes the choice of struck calls the same at every run; without it the sandbox's own seed does, where it has one.</summary>
    public int? Seed { get; init; }
}
