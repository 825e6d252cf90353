using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.RecoveryRegion;

/// <summary>
/// Makes what stands by for an environment in its recovery region, and the replication to it, or brings both up to the environment's spec.
/// Run again after an interruption it goes on where it stopped.
/// </summary>
[Cmdlet(VerbsCommon.New, "InferloopStandby", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopStandby), typeof(InferloopChangeSet))]
public sealed class NewStandbyCommand : StandbyCmdlet
{
    /// <summary>What stands by. Default the StandbyMode of the environment's spec, which it also changes.</summary>
    [Parameter]
    public StandbyMode? Mode { get; set; }

    /// <summary>ACM certificate of the recovery region for HTTPS, where the environment has one: a certificate is of one region.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CertificateArn { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (environment, recovery, operations) = await FindStandbyAsync(cancellationToken).ConfigureAwait(false);
        var (_, primary, standby) = await operations.PlanAsync(environment, CertificateArn, Mode, cancellationToken).ConfigureAwait(false);
        if (primary.Security.CertificateArn.Length > 0 && standby.Security.CertificateArn.Length == 0)
        {
            WriteWarning($"'{primary.Name}' answers by HTTPS, and the standby would not: give -CertificateArn, a certificate of {recovery.Aws.Region}.");
        }

        var what = $"{primary.Recovery.StandbyMode} of environment {environment.Name} ({environment.Stage.ToString().ToLowerInvariant()}) in {recovery.Aws.Region}, replicated from {environment.Region}";
        if (await IsWhatIfAsync().ConfigureAwait(false) && await recovery.RefreshAsync(standby.StackName, withHealth: false, cancellationToken).ConfigureAwait(false) is null)
        {
            var prepared = await recovery.PrepareCreateAsync(standby, preview: true, resume: false, cancellationToken).ConfigureAwait(false);
            await using (prepared.ConfigureAwait(false))
            {
                WriteObject(prepared.ChangeSet);
            }
        }

        if (await ShouldProcessAsync(what, "Create standby").ConfigureAwait(false))
        {
            WriteObject(await operations.CreateAsync(environment, CertificateArn, Mode, cancellationToken).ConfigureAwait(false));
        }
    }
}
