using System.Management.Automation;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.Release;

/// <summary>Brings back an earlier release: the last good one before what runs, or any by its id. It is a release of its own, with its own stages.</summary>
[Cmdlet(VerbsCommon.Undo, "InferloopRelease", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopRelease))]
public sealed class UndoReleaseCommand : OneReleaseCmdlet
{
    /// <summary>The id of the release to bring back. Default: the last good one of another image.</summary>
    [Parameter(ParameterSetName = "Name")]
    [Parameter(ParameterSetName = "Environment")]
    [ValidateNotNullOrEmpty]
    public string? To { get; set; }

    /// <summary>How it takes over: Rolling, BlueGreen, Linear or Canary. Default: as the environment's spec has it.</summary>
    [Parameter]
    public ReleaseStrategy? Strategy { get; set; }

    /// <summary>Give $false to leave out the wait for approval that the environment's spec asks for, here and from then on.</summary>
    [Parameter]
    public bool? Approval { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (releases, environment, id) = await FindReleaseAsync(To, cancellationToken).ConfigureAwait(false);
        var request = await releases.UndoAsync(environment, id, cancellationToken).ConfigureAwait(false) with { Strategy = Strategy, Approval = Approval };
        if (!await ShouldProcessAsync($"environment {environment}", $"Bring back {request.Version ?? request.Image}").ConfigureAwait(false))
        {
            return;
        }

        var prepared = await releases.PrepareAsync(environment, request, preview: false, cancellationToken).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            WriteObject(await releases.RunAsync(prepared, !NoWait, cancellationToken).ConfigureAwait(false));
        }
    }
}
