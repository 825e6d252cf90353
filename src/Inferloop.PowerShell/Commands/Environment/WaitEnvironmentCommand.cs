using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Environments;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>Follows what runs on an environment to its end, with live events, whoever began it and wherever.</summary>
[Cmdlet(VerbsLifecycle.Wait, "InferloopEnvironment", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopEnvironment))]
public sealed class WaitEnvironmentCommand : ExistingEnvironmentCmdlet
{
    /// <summary>How long to wait at most, in seconds. The operation goes on in AWS afterwards. Default: no limit.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    [Alias("TimeoutSec")]
    public int? Timeout { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        environment = await operations.RefreshAsync(environment.StackId, withHealth: false, cancellationToken).ConfigureAwait(false) ?? environment with { Status = "DELETE_COMPLETE" };
        if (StateRules.For(EnvironmentCommand.Wait, environment.Status) == StateVerdict.Nothing)
        {
            WriteObject(environment.Status == "DELETE_COMPLETE" ? environment : await operations.WithHealthAsync(environment, cancellationToken).ConfigureAwait(false));
            return;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (Timeout is { } seconds)
        {
            limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        }

        StackEnd end;
        try
        {
            end = await operations.WaitAsync(environment, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OperationException(
                "EnvironmentWaitTimeout", OperationErrorKind.Timeout, $"After {Timeout} seconds the environment '{environment.Name}' is still {environment.Status}; the operation goes on in AWS.",
                $"Wait again with Wait-InferloopEnvironment {environment.Name}, or look with Get-InferloopEnvironmentEvent {environment.Name}.", environment.Name);
        }

        if (end.Status is not ("CREATE_COMPLETE" or "UPDATE_COMPLETE" or "DELETE_COMPLETE" or "IMPORT_COMPLETE"))
        {
            throw EnvironmentOperations.Failure(StackStates.KindOf(end.Status) ?? OperationKind.Update, environment.Name, end);
        }

        WriteObject(await operations.RefreshAsync(environment.StackId, withHealth: true, cancellationToken).ConfigureAwait(false) ?? environment with { Status = end.Status, Health = EnvironmentHealth.Unknown });
    }
}
