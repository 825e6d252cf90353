using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.EnvironmentEvent;

/// <summary>Gets the events of an environment's stacks, nested ones interleaved, with the root cause of a failure marked.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopEnvironmentEvent", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopEnvironmentEvent))]
public sealed class GetEnvironmentEventCommand : ExistingEnvironmentCmdlet
{
    /// <summary>All events since the environment was created, not only the newest operation's.</summary>
    [Parameter]
    public SwitchParameter All { get; set; }

    /// <summary>Only failures.</summary>
    [Parameter]
    public SwitchParameter FailedOnly { get; set; }

    /// <summary>Go on with new events until the operation that runs has ended.</summary>
    [Parameter]
    public SwitchParameter Follow { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        if (!Follow)
        {
            foreach (var e in await operations.EventsAsync(environment, All, cancellationToken).ConfigureAwait(false))
            {
                await SendAsync(e).ConfigureAwait(false);
            }

            return;
        }

        await foreach (var e in operations.FollowEventsAsync(environment, cancellationToken).ConfigureAwait(false))
        {
            await SendAsync(e).ConfigureAwait(false);
        }
    }

    private Task SendAsync(InferloopEnvironmentEvent e) => FailedOnly && !e.IsFailure ? Task.CompletedTask : WriteAsync(e);
}
