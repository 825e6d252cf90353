namespace Inferloop.Operations.Specs;

/// <summary>How a new image takes over from the one that runs.</summary>
public enum ReleaseStrategy
{
    /// <summary>Task by task, in the load balancer's one group.</summary>
    Rolling,

    /// <summary>All traffic at once to tasks that stand beside the old ones; these stay while it bakes.</summary>
    BlueGreen,

    /// <summary>As blue/green, with traffic moving in equal steps.</summary>
    Linear,

    /// <summary>As blue/green, with a small share of the traffic first.</summary>
    Canary,
}

/// <summary>How releases of the service on ECS go.</summary>
public sealed record ReleaseSpec
{
    /// <summary>How a new image takes over: Rolling, BlueGreen, Linear or Canary. All but Rolling need <see cref="ReleaseShifting"/>. Default Rolling.</summary>
    [SpecMember(Summary = "Rolling, BlueGreen, Linear or Canary")]
    public ReleaseStrategy ReleaseStrategy { get; init; }

    /// <summary>Whether there is a second target group, and rules between which releases shift traffic. Stays on once it is on: either group may be the one that serves. Default false; the first release that shifts traffic turns it on.</summary>
    [SpecMember(Summary = "a second target group to shift traffic to")]
    public bool ReleaseShifting { get; init; }

    /// <summary>Minutes that the old tasks stay after all traffic has moved, 0 to 60; until then a return takes seconds. Default 5.</summary>
    [SpecMember(Minimum = 0, Maximum = 60, Unit = "minutes", Summary = "old tasks stay after all traffic moved")]
    public int ReleaseBakeMinutes { get; init; } = 5;

    /// <summary>Share of traffic in percent that moves in each step (Linear) or first (Canary), 3 to 100. Default 20.</summary>
    [SpecMember(Minimum = 3, Maximum = 100, Unit = "%", Summary = "moves in each step (Linear) or first (Canary)")]
    public int ReleaseStepPercent { get; init; } = 20;

    /// <summary>Minutes between two steps, 0 to 60. Default 5.</summary>
    [SpecMember(Minimum = 0, Maximum = 60, Unit = "minutes", Summary = "between two steps")]
    public int ReleaseStepMinutes { get; init; } = 5;

    /// <summary>Whether a release that shifts traffic waits for approval once the new tasks are healthy and before they get traffic. Default false.</summary>
    [SpecMember(Summary = "somebody approves before traffic moves")]
    public bool ReleaseApproval { get; init; }

    /// <summary>Minutes that a release waits for approval before it is taken back, 1 to 120. Default 60.</summary>
    [SpecMember(Minimum = 1, Maximum = 120, Unit = "minutes", Summary = "then it is taken back")]
    public int ReleaseApprovalMinutes { get; init; } = 60;

    /// <summary>Whether alarms on errors and unhealthy targets take back a release that shifts traffic. Default true.</summary>
    [SpecMember(Summary = "alarms take back a release that shifts traffic")]
    public bool ReleaseAlarms { get; init; } = true;
}
