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

    /// <summary>Times at which other bounds of reading and writing begin to hold, name|expression|time zone|fewest|most with semicolons between them; empty for none. Default empty.</summary>
    [Parameter]
    public string? TableScalingSchedule { get; set; }

    /// <summary>What of the table's scaling rests: None, In, Out, Dynamic (both directions), Scheduled or All. Default None.</summary>
    [Parameter]
    public ScalingSuspension? TableScalingSuspended { get; set; }

    /// <summary>Most calls at once that scaling keeps ready, 0 to 10000; 0 keeps LambdaProvisionedConcurrency fixed. Default 0.</summary>
    [Parameter]
    public int? LambdaProvisionedMaximum { get; set; }

    /// <summary>Use of the calls kept ready that scaling holds, 10 to 90 percent. Default 70.</summary>
    [Parameter]
    public int? LambdaProvisionedTarget { get; set; }

    /// <summary>Times at which other bounds of the calls kept ready begin to hold, name|expression|time zone|fewest|most with semicolons between them; empty for none. Default empty.</summary>
    [Parameter]
    public string? LambdaScalingSchedule { get; set; }

    /// <summary>What of the scaling of calls kept ready rests: None, In, Out, Dynamic (both directions), Scheduled or All. Default None.</summary>
    [Parameter]
    public ScalingSuspension? LambdaScalingSuspended { get; set; }
}
