using System.Collections;
using System.Globalization;
using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Scaling;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.Scaling;

/// <summary>
/// Changes how a part of an environment scales. The change goes through the environment's spec, so that nothing takes it back and no
/// drift is left. With -WhatIf it shows what would change and what that does to the monthly price.
/// </summary>
[Cmdlet(VerbsCommon.Set, "InferloopScaling", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopScalingChange))]
public sealed class SetScalingCommand : ScalingCmdlet
{
    /// <summary>What scales: Ecs, EcsInstances, EksNodes, Batch, LambdaReserved, LambdaProvisioned, TableRead, TableWrite, Cache, DatabaseStorage or DatabaseReplicas. What comes down the pipeline may say it.</summary>
    [Parameter(Position = 1)]
    public ScalingComponent? Component { get; set; }

    /// <summary>Begin with the bounds and targets that environments of this stage start from; the other parameters go over it.</summary>
    [Parameter]
    public EnvironmentStage? Preset { get; set; }

    /// <summary>The fewest that scaling leaves.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? Minimum { get; set; }

    /// <summary>The most that scaling makes.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? Maximum { get; set; }

    /// <summary>How many there shall be now; scaling moves it from there.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? Desired { get; set; }

    /// <summary>Average CPU that scaling holds, in percent.</summary>
    [Parameter]
    [ValidateRange(1, 100)]
    public int? TargetCpu { get; set; }

    /// <summary>Average memory that scaling holds, in percent.</summary>
    [Parameter]
    [ValidateRange(1, 100)]
    public int? TargetMemory { get; set; }

    /// <summary>Requests a minute for each task that scaling holds; 0 to scale by CPU and memory only.</summary>
    [Parameter]
    [ValidateRange(0, 1000000)]
    public int? TargetRequests { get; set; }

    /// <summary>Use of what is provided that scaling holds, in percent.</summary>
    [Parameter]
    [ValidateRange(1, 100)]
    public int? TargetUtilization { get; set; }

    /// <summary>A metric of one's own that scaling holds at a target: @{ Namespace = 'Inferloop'; Name = 'QueueDepth'; Target = 20; Statistic = 'Average'; Dimensions = @{ Queue = 'jobs' } }, with two dimensions at most; @{} for none.</summary>
    [Parameter]
    [AllowNull]
    public Hashtable? TargetMetric { get; set; }

    /// <summary>Percent of the tasks that are added at once when the CPU alarm fires: at 90 to 95 %, and above.</summary>
    [Parameter]
    [ValidateCount(2, 2)]
    [ValidateRange(1, 999)]
    public int[]? StepPercent { get; set; }

    /// <summary>When other bounds begin to hold: cron(minute hour day month weekday year), rate(...) or at(...).</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Schedule { get; set; }

    /// <summary>The name of the scheduled change; one that exists is replaced. Default scheduled.</summary>
    [Parameter]
    [ValidatePattern("^[A-Za-z0-9_-]{1,32}$")]
    public string ScheduleName { get; set; } = "scheduled";

    /// <summary>The time zone of the schedule, such as Europe/Berlin. Default Etc/UTC.</summary>
    [Parameter]
    [ValidatePattern("^[A-Za-z0-9_+/-]{1,40}$")]
    public string TimeZone { get; set; } = "Etc/UTC";

    /// <summary>The fewest from the scheduled time on; without it, the fewest that hold otherwise.</summary>
    [Parameter]
    [ValidateRange(0, 99999)]
    public int? ScheduledMinimum { get; set; }

    /// <summary>The most from the scheduled time on; without it, the most that hold otherwise.</summary>
    [Parameter]
    [ValidateRange(0, 99999)]
    public int? ScheduledMaximum { get; set; }

    /// <summary>Names of scheduled changes that go; * for all.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] RemoveSchedule { get; set; } = [];

    /// <summary>Let scaling rest: nothing is added or taken away by policies or schedules until -Resume.</summary>
    [Parameter]
    public SwitchParameter Suspend { get; set; }

    /// <summary>What rests with -Suspend: In, Out, Dynamic (both), Scheduled or All. Default All.</summary>
    [Parameter]
    public ScalingSuspension SuspendOnly { get; set; } = ScalingSuspension.All;

    /// <summary>Let scaling go on that rests.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Take along what else differs between the environment and the module's templates.</summary>
    [Parameter]
    public SwitchParameter AllowOtherChanges { get; set; }

    /// <summary>Return as soon as AWS has begun, instead of following to the end.</summary>
    [Parameter]
    public SwitchParameter NoWait { get; set; }

    /// <summary>When stopped (Ctrl-C), call the update off and let AWS roll it back, instead of leaving it running.</summary>
    [Parameter]
    public SwitchParameter CancelOnStop { get; set; }

    /// <summary>Change nothing if the environment would then cost more than this a month, in US dollars.</summary>
    [Parameter]
    [ValidateRange(0, 100000000)]
    public decimal? MaxMonthlyCost { get; set; }

    private protected override decimal? MonthlyLimit => MaxMonthlyCost;

    private protected override bool WithPreflight => true;

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var component in Components())
        {
            await ChangeAsync(Request(component), cancellationToken).ConfigureAwait(false);
        }
    }

    private IReadOnlyList<ScalingComponent> Components()
    {
        if (Component is { } named)
        {
            return [named];
        }

        var found = Scaling is not null ? [Scaling.Component] : Part is not null ? ComponentsOf(Part) : [];
        return found.Count switch
        {
            1 => found,

            // Reading and writing of a table scale alike unless one of them is named.
            > 1 when found.All(c => c is ScalingComponent.TableRead or ScalingComponent.TableWrite) => found,
            _ => throw new OperationException(
                "ScalingComponentMissing", OperationErrorKind.InvalidArgument, found.Count == 0 ? "Which part of the environment is to scale otherwise?" : $"{Part!.Path} scales in several ways: {string.Join(", ", found)}.",
                $"Say it with -Component: {string.Join(", ", found.Count == 0 ? Enum.GetValues<ScalingComponent>() : found)}.", Part?.Path ?? Name ?? Environment?.Name),
        };
    }

    private ScalingRequest Request(ScalingComponent component)
    {
        if (Suspend && Resume)
        {
            throw new OperationException("ScalingSuspendOrResume", OperationErrorKind.InvalidArgument, "Scaling cannot rest and go on at once.", "Give -Suspend or -Resume.");
        }

        if (Suspend && SuspendOnly == ScalingSuspension.None)
        {
            throw new OperationException("ScalingSuspendOrResume", OperationErrorKind.InvalidArgument, "-Suspend with -SuspendOnly None lets nothing rest.", "Give -Resume to let scaling go on.");
        }

        if (Schedule is null && (ScheduledMinimum ?? ScheduledMaximum) is not null)
        {
            throw new OperationException(
                "ScheduleInvalid", OperationErrorKind.InvalidArgument, "-ScheduledMinimum and -ScheduledMaximum are bounds from a time on, and no time is given.", "Give the time too, such as -Schedule 'cron(0 8 ? * MON-FRI *)'.");
        }

        if (Schedule is not null && (ScheduledMinimum ?? ScheduledMaximum) is null)
        {
            throw new OperationException(
                "ScheduleInvalid", OperationErrorKind.InvalidArgument, "At the scheduled time nothing would change.", "Give -ScheduledMinimum, -ScheduledMaximum or both.");
        }

        return new ScalingRequest
        {
            Component = component, Preset = Preset, Minimum = Minimum, Maximum = Maximum, Desired = Desired,
            TargetCpu = TargetCpu, TargetMemory = TargetMemory, TargetRequests = TargetRequests, TargetUtilization = TargetUtilization,
            TargetMetric = TargetMetric is null ? null : Metric(TargetMetric),
            Steps = StepPercent is [var first, var second] ? (first, second) : null,
            Action = Schedule is null ? null : new InferloopScheduledScaling { Name = ScheduleName, Schedule = Schedule, TimeZone = TimeZone, Minimum = ScheduledMinimum ?? -1, Maximum = ScheduledMaximum ?? -1 },
            RemoveActions = RemoveSchedule,
            Suspended = Resume ? ScalingSuspension.None : Suspend ? SuspendOnly : null,
        };
    }

    private static string Metric(Hashtable given)
    {
        if (given.Count == 0)
        {
            return "";
        }

        string? Text(string key) => given.Keys.OfType<object>().FirstOrDefault(k => key.Equals(k.ToString(), StringComparison.OrdinalIgnoreCase)) is { } found
            ? Convert.ToString(given[found] is PSObject o ? o.BaseObject : given[found], CultureInfo.InvariantCulture)
            : null;
        var dimensions = given.Keys.OfType<object>().FirstOrDefault(k => "Dimensions".Equals(k.ToString(), StringComparison.OrdinalIgnoreCase)) is { } key && given[key] is IDictionary named
            ? named.Keys.OfType<object>().Select(k => (k.ToString()!, Convert.ToString(named[k] is PSObject o ? o.BaseObject : named[k], CultureInfo.InvariantCulture)!)).ToList()
            : [];
        var text = string.Join('|', [Text("Namespace") ?? "", Text("Name") ?? Text("MetricName") ?? "", Text("Statistic") ?? "Average", Text("Target") ?? "", .. dimensions.SelectMany(d => new[] { d.Item1, d.Item2 })]);
        return ScalingMetric.Parse(text) is { } metric && System.Text.RegularExpressions.Regex.IsMatch(metric.ToString(), ScalingMetric.Pattern, System.Text.RegularExpressions.RegexOptions.None, TimeSpan.FromSeconds(1))
            ? metric.ToString()
            : throw new OperationException(
                "ScalingMetricInvalid", OperationErrorKind.InvalidArgument, "The metric is not whole: it needs Namespace, Name and Target, may have Statistic (Average, Maximum, Minimum, SampleCount, Sum) and one or two Dimensions.",
                "Write it as @{ Namespace = 'Inferloop'; Name = 'QueueDepth'; Target = 20; Dimensions = @{ Queue = 'jobs' } }.");
    }

    private async Task ChangeAsync(ScalingRequest request, CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindScaledAsync(cancellationToken).ConfigureAwait(false);
        var whatIf = await IsWhatIfAsync().ConfigureAwait(false);
        var prepared = await PreparedScaling.PrepareAsync(
            operations, environment, request, new ScalingOptions { Preview = whatIf, AllowOtherChanges = AllowOtherChanges }, Now(), cancellationToken).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            var change = prepared.Change;
            if (prepared.IsEmpty)
            {
                WriteVerbose($"{change.Component} of '{change.Environment}' scales so already.");
                WriteObject(change);
                return;
            }

            if (!await ShouldProcessAsync($"{change}", "Scale").ConfigureAwait(false))
            {
                if (whatIf)
                {
                    WriteObject(change);
                }

                return;
            }

            WriteObject(await prepared.ExecuteAsync(!NoWait, CancelOnStop, cancellationToken).ConfigureAwait(false));
        }
    }
}
