using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.EnvironmentSpec;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>
/// Creates an environment: nested stacks through a change set, with live events. Run again after an interruption it
/// takes up where the create stands. With -WhatIf it shows the change set and its price, and leaves nothing behind.
/// </summary>
[Cmdlet(VerbsCommon.New, "InferloopEnvironment", SupportsShouldProcess = true, DefaultParameterSetName = "Parameters")]
[OutputType(typeof(InferloopEnvironment), typeof(InferloopChangeSet))]
public sealed class NewEnvironmentCommand : EnvironmentCmdlet, IDynamicParameters
{
    private readonly SpecParameters members = new();

    /// <summary>What to create.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Spec")]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <summary>The name of the new environment: 2 to 16 characters, a lower-case letter first.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Parameters")]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>The stage whose preset is the beginning. Default Dev.</summary>
    [Parameter(Position = 1, ParameterSetName = "Parameters")]
    public EnvironmentStage Stage { get; set; }

    /// <summary>What the application runs on, which decides the parts that are on to begin with. Default Container.</summary>
    [Parameter(ParameterSetName = "Parameters")]
    public DeploymentPattern? Pattern { get; set; }

    /// <summary>Return as soon as AWS has begun, instead of following to the end.</summary>
    [Parameter]
    public SwitchParameter NoWait { get; set; }

    /// <summary>When stopped (Ctrl-C), call the create off instead of leaving it running in AWS.</summary>
    [Parameter]
    public SwitchParameter CancelOnStop { get; set; }

    /// <summary>Clear away the remains of an earlier create that failed, then begin again.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Create nothing if it would cost more than this a month, in US dollars.</summary>
    [Parameter]
    [ValidateRange(0, 100000000)]
    public decimal? MaxMonthlyCost { get; set; }

    /// <summary>For stage dev: CloudFormation's express mode, which ends when the configuration is applied and does not wait until everything is ready.</summary>
    [Parameter]
    public SwitchParameter Express { get; set; }

    /// <summary>Do not look at quotas, names and zones first.</summary>
    [Parameter]
    public SwitchParameter SkipPreflight { get; set; }

    private protected override bool WithPreflight => !SkipPreflight;

    private protected override decimal? MonthlyLimit => MaxMonthlyCost;

    /// <inheritdoc/>
    public object GetDynamicParameters() => members;

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var spec = members.Over(Spec ?? SpecPresets.Create(Name!, Stage, Region ?? "", members.ServiceTier, members.CapacityMode, Pattern));
        var operations = await OpenAsync(spec.Region.Length > 0 ? spec.Region : null, cancellationToken).ConfigureAwait(false);
        spec = spec with { Region = operations.Aws.Region };
        var whatIf = await IsWhatIfAsync().ConfigureAwait(false);
        var prepared = await operations.PrepareCreateAsync(spec, whatIf, Resume, Express, cancellationToken).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            if (whatIf)
            {
                WriteObject(prepared.ChangeSet);
                await ShouldProcessAsync($"environment {spec}: {prepared.ChangeSet}", "Create").ConfigureAwait(false);
                return;
            }

            if (prepared.ChangeSet is not null)
            {
                WriteVerbose(prepared.ChangeSet.ToString());
            }

            if (!prepared.Attached && !await ShouldProcessAsync($"environment {spec}: {prepared.ChangeSet}", "Create").ConfigureAwait(false))
            {
                return;
            }

            await prepared.ExecuteAsync(!NoWait, CancelOnStop, cancellationToken).ConfigureAwait(false);
        }

        WriteObject(await operations.RefreshAsync(spec.StackName, withHealth: !NoWait, cancellationToken).ConfigureAwait(false));
    }
}
