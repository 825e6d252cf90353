using System.Management.Automation;
using Inferloop.Operations.Releases;

namespace Inferloop.PowerShell.Commands.Release;

/// <summary>The releases of an environment, the newest first: what took over from what, how, and what became of it.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopRelease", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopRelease))]
public sealed class GetReleaseCommand : ReleaseCmdlet
{
    /// <summary>Only the release of this id.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Id { get; set; }

    /// <summary>Only the one that is under way, or else the newest.</summary>
    [Parameter]
    public SwitchParameter Current { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        var releases = Releases(operations, environment);
        if (Id is not null || Current)
        {
            WriteObject(await releases.FindAsync(environment, Id, cancellationToken).ConfigureAwait(false));
            return;
        }

        foreach (var release in await releases.HistoryAsync(environment, cancellationToken).ConfigureAwait(false))
        {
            WriteObject(release);
        }
    }
}
