using System.Management.Automation;
using Inferloop.Operations.Alarms;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.Alarm;

/// <summary>Gets the alarms of an environment: those that fire first.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopAlarm", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopAlarm))]
public sealed class GetAlarmCommand : ExistingEnvironmentCmdlet
{
    /// <summary>Only alarms with these names; wildcards are allowed.</summary>
    [Parameter(Position = 1)]
    [SupportsWildcards]
    public string[] AlarmName { get; set; } = ["*"];

    /// <summary>Only alarms in these states: Ok, InsufficientData or Alarm.</summary>
    [Parameter]
    public AlarmState[]? State { get; set; }

    /// <summary>Only alarms of these severities: Information, Warning or Critical.</summary>
    [Parameter]
    public AlarmSeverity[]? Severity { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        var patterns = AlarmName.Select(n => WildcardPattern.Get(n, WildcardOptions.IgnoreCase)).ToList();
        foreach (var alarm in await operations.AlarmsAsync(environment, cancellationToken).ConfigureAwait(false))
        {
            if (patterns.Exists(p => p.IsMatch(alarm.Name)) && State?.Contains(alarm.State) != false && Severity?.Contains(alarm.Severity) != false)
            {
                await WriteAsync(alarm).ConfigureAwait(false);
            }
        }
    }
}
