using System.Management.Automation;
using Inferloop.Operations.Releases;

namespace Inferloop.PowerShell.Commands.Release;

/// <summary>Lets a release go on that waits for approval, and follows it to its end.</summary>
[Cmdlet(VerbsLifecycle.Approve, "InferloopRelease", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopRelease))]
public sealed class ApproveReleaseCommand : OneReleaseCmdlet
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (releases, environment, id) = await FindReleaseAsync(null, cancellationToken).ConfigureAwait(false);
        var release = await releases.FindAsync(environment, id, cancellationToken).ConfigureAwait(false);
        if (await ShouldProcessAsync($"environment {environment}", $"Let the release of {release.Version} go on").ConfigureAwait(false))
        {
            WriteObject(await releases.ApproveAsync(environment, release, !NoWait, cancellationToken).ConfigureAwait(false));
        }
    }
}
