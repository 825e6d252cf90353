using System.Management.Automation;
using Inferloop.Operations.Releases;

namespace Inferloop.PowerShell.Commands.Release;

/// <summary>Takes back a release that is under way, at whatever stage it is, and follows it until the version before serves alone.</summary>
[Cmdlet(VerbsLifecycle.Stop, "InferloopRelease", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopRelease))]
public sealed class StopReleaseCommand : OneReleaseCmdlet
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (releases, environment, id) = await FindReleaseAsync(null, cancellationToken).ConfigureAwait(false);
        var release = await releases.FindAsync(environment, id, cancellationToken).ConfigureAwait(false);
        if (await ShouldProcessAsync($"environment {environment}", $"Take back the release of {release.Version}").ConfigureAwait(false))
        {
            WriteObject(await releases.StopAsync(environment, release, !NoWait, cancellationToken).ConfigureAwait(false));
        }
    }
}
