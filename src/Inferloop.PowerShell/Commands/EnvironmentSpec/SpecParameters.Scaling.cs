using System.Management.Automation;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <summary>The members that say how the platform scales beyond its bounds and targets; Set-InferloopScaling has easier words for them.</summary>
public sealed partial class SpecParameters
{
    /// <summary>Requests a minute for each task that scaling keeps, 0 to 1000000; 0 for no scaling by requests. Default 0.</summary>
    [Parameter]
    public int? TargetRequestsPerTask { get; set; }

    /// <summary>A metric of one's own that scaling keeps at a target, namespace|metric|statistic|target|dimension|value; empty for none. Default empty.</summary>
    [Parameter]
    public string? TaskScalingMetric { get; set; }

    /// <summary>Percent of the tasks that are added when the CPU alarm fires, at 90 to 95 % CPU and above. Default 25,50.</summary>
    [Parameter]
    public string? TaskScalingSteps { get; set; }

    /// <summary>Times at which the bounds change, up to five, name|expression|time zone|fewest|most with semicolons between them; empty for none. Default empty.</summary>
    [Parameter]
    public string? TaskScalingSchedule { get; set; }

    /// <summary>What of scaling rests: None, In, Out, Dynamic (both directions), Scheduled or All. Default None.</summary>
    [Parameter]
    public ScalingSuspension? TaskScalingSuspended { get; set; }
}
