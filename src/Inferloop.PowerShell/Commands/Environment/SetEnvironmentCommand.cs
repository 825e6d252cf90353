using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.EnvironmentSpec;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>
/// Changes an environment through a change set. With -WhatIf it shows what would change and what that does to the monthly
/// price, and leaves nothing behind.
/// </summary>
[Cmdlet(VerbsCommon.Set, "InferloopEnvironment", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopEnvironment), typeof(InferloopChangeSet))]
public sealed class SetEnvironmentCommand : EnvironmentCmdlet, IDynamicParameters
{
    private readonly SpecParameters members = new();

    /// <summary>The name of the environment.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string? Name { get; set; }

    /// <summary>The stage, where environments of several stages have the name.</summary>
    [Parameter(ParameterSetName = "Name")]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>The environment, as Get-InferloopEnvironment gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Environment")]
    [ValidateNotNull]
    public InferloopEnvironment? Environment { get; set; }

    /// <summary>What the environment shall be, whole.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Spec")]
    [Parameter(ParameterSetName = "Environment")]
    [Parameter(ParameterSetName = "Name")]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <summary>Give the environment after the change.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Return as soon as AWS has begun, instead of following to the end.</summary>
    [Parameter]
    public SwitchParameter NoWait { get; set; }

    /// <summary>When stopped (Ctrl-C), call the update off and let AWS roll it back, instead of leaving it running.</summary>
    [Parameter]
    public SwitchParameter CancelOnStop { get; set; }

    /// <summary>First bring an environment to rest whose update or rollback failed.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>For stage dev: CloudFormation's express mode, which ends when the configuration is applied and does not wait until everything is ready.</summary>
    [Parameter]
    public SwitchParameter Express { get; set; }

    /// <summary>Start from what is there, not from what was deployed last: what other hands changed or deleted is taken back to what the spec says, together with the other changes.</summary>
    [Parameter]
    public SwitchParameter RevertDrift { get; set; }

    /// <summary>Data stores that this update may replace or delete, each named as the preview shows it, such as Storage/Table. Without its name here an update that would do so is refused.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] AllowReplacement { get; set; } = [];

    /// <summary>Change nothing if it would then cost more than this a month, in US dollars.</summary>
    [Parameter]
    [ValidateRange(0, 100000000)]
    public decimal? MaxMonthlyCost { get; set; }

    private protected override bool WithPreflight => true;

    private protected override decimal? MonthlyLimit => MaxMonthlyCost;

    /// <inheritdoc/>
    public object GetDynamicParameters() => members;

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var operations = Environment is not null
            ? await OpenAsync(Environment, cancellationToken).ConfigureAwait(false)
            : await OpenAsync(Spec?.Region, cancellationToken).ConfigureAwait(false);
        var current = Environment ?? await ResolveAsync(operations, Name ?? Spec!.Name, Stage ?? Spec?.Stage, cancellationToken).ConfigureAwait(false);
        var spec = members.Over(Spec ?? current.Spec, existing: true);
        spec = ReleasedState.Keep(spec, current.Spec, members.ContainerImage is not null, out var kept, members.LambdaImage is not null);
        foreach (var note in kept)
        {
            WriteWarning(note);
        }

        if (spec.Name != current.Name || spec.Stage != current.Stage)
        {
            throw new OperationException(
                "EnvironmentIdentity", OperationErrorKind.InvalidArgument, $"The spec is of '{spec}', the environment is '{current}': name and stage of an environment cannot change.",
                "Give a spec of the same name and stage, or create another environment.", current.Name);
        }

        spec = spec with { Region = operations.Aws.Region };
        var whatIf = await IsWhatIfAsync().ConfigureAwait(false);
        var prepared = await operations.PrepareUpdateAsync(
            spec, new UpdateOptions { Preview = whatIf, Resume = Resume, AllowedReplacements = AllowReplacement, RevertDrift = RevertDrift, Express = Express }, cancellationToken).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            var changes = prepared.ChangeSet!;
            if (whatIf)
            {
                WriteObject(changes);
                await ShouldProcessAsync($"environment {changes}", "Update").ConfigureAwait(false);
                return;
            }

            if (prepared.Empty)
            {
                WriteVerbose($"The environment '{spec.Name}' is as the spec has it already.");
            }
            else
            {
                // Before the question whether to go on: what is refused needs no answer.
                prepared.RefuseUnnamed();
                if (!await ShouldProcessAsync($"environment {changes}", "Update").ConfigureAwait(false))
                {
                    return;
                }

                if (ReleasedState.WaitsForApproval(spec, changes))
                {
                    WriteWarning($"This update replaces the tasks, and its spec has releases wait for approval: once the new tasks are healthy, Approve-InferloopRelease {spec.Name} in another session lets it go on; after {spec.Release.ReleaseApprovalMinutes} minutes it is taken back. -ReleaseApproval $false leaves that out.");
                }

                await prepared.ExecuteAsync(!NoWait, CancelOnStop, cancellationToken).ConfigureAwait(false);
            }
        }

        if (PassThru)
        {
            WriteObject(await operations.RefreshAsync(spec.StackName, withHealth: !NoWait, cancellationToken).ConfigureAwait(false));
        }
    }
}
