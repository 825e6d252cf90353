using System.Management.Automation;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <content>How releases of the service on ECS go.</content>
public sealed partial class SpecParameters
{
    /// <summary>How a new image takes over: Rolling, BlueGreen, Linear or Canary. All but Rolling need <see cref="ReleaseShifting"/>. Default Rolling.</summary>
    [Parameter]
    public ReleaseStrategy? ReleaseStrategy { get; set; }

    /// <summary>Whether there is a second target group, and rules between which releases shift traffic. Stays on once it is on: either group may be the one that serves. Default false; the first release that shifts traffic turns it on.</summary>
    [Parameter]
    public bool? ReleaseShifting { get; set; }

    /// <summary>Minutes that the old tasks stay after all traffic has moved, 0 to 60; until then a return takes seconds. Default 5.</summary>
    [Parameter]
    public int? ReleaseBakeMinutes { get; set; }

    /// <summary>Share of traffic in percent that moves in each step (Linear) or first (Canary), 3 to 100. Default 20.</summary>
    [Parameter]
    public int? ReleaseStepPercent { get; set; }

    /// <summary>Minutes between two steps, 0 to 60. Default 5.</summary>
    [Parameter]
    public int? ReleaseStepMinutes { get; set; }

    /// <summary>Whether a release that shifts traffic waits for approval once the new tasks are healthy and before they get traffic. Default false.</summary>
    [Parameter]
    public bool? ReleaseApproval { get; set; }

    /// <summary>Minutes that a release waits for approval before it is taken back, 1 to 120. Default 60.</summary>
    [Parameter]
    public int? ReleaseApprovalMinutes { get; set; }

    /// <summary>Whether alarms on errors and unhealthy targets take back a release that shifts traffic. Default true.</summary>
    [Parameter]
    public bool? ReleaseAlarms { get; set; }
}
