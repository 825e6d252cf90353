using System.Management.Automation;
using Inferloop.Operations.Environments;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>
/// Brings an environment to rest whose update or rollback stopped halfway: continues the rollback, where needed without
/// resources that cannot be brought back.
/// </summary>
[Cmdlet(VerbsLifecycle.Resume, "InferloopEnvironment", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopEnvironment))]
public sealed class ResumeEnvironmentCommand : ExistingEnvironmentCmdlet
{
    /// <summary>Resources that the rollback leaves as they are, each by its path, such as Storage/DataBucket. Only those at which it stopped can be left out.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] SkipResource { get; set; } = [];

    /// <summary>Return as soon as AWS has begun, instead of following to the end.</summary>
    [Parameter]
    public SwitchParameter NoWait { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        var what = SkipResource.Length == 0 ? "Continue the rollback" : $"Continue the rollback without {string.Join(", ", SkipResource)}";
        if (!await ShouldProcessAsync($"environment {environment}", what).ConfigureAwait(false))
        {
            return;
        }

        if (!await operations.ResumeAsync(environment, SkipResource, !NoWait, cancellationToken).ConfigureAwait(false))
        {
            WriteVerbose($"The environment '{environment.Name}' is {environment.Status}: there is nothing to bring to rest.");
        }

        WriteObject(await operations.RefreshAsync(environment.StackId, withHealth: !NoWait, cancellationToken).ConfigureAwait(false));
    }
}
