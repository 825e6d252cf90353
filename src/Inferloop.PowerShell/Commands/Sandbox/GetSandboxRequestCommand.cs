using System.Management.Automation;
using Inferloop.PowerShell.Completion;
using Inferloop.PowerShell.Session;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Gets the requests the sandbox has answered, or follows them as they come.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopSandboxRequest")]
[OutputType(typeof(InferloopSandboxRequest))]
public sealed class GetSandboxRequestCommand : SandboxCmdlet
{
    /// <summary>Only requests to these services; wildcards are allowed.</summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(SandboxServiceCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Service { get; set; } = ["*"];

    /// <summary>Only requests for these operations; wildcards are allowed.</summary>
    [Parameter(Position = 1)]
    [ArgumentCompleter(typeof(SandboxOperationCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Operation { get; set; } = ["*"];

    /// <summary>Only requests that were answered with an error, or not at all.</summary>
    [Parameter]
    public SwitchParameter Failed { get; set; }

    /// <summary>Only the last so many of them.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int? Last { get; set; }

    /// <summary>Write requests as they are answered, until Ctrl-C, or until something downstream has had enough.</summary>
    [Parameter]
    public SwitchParameter Follow { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var sandbox = await RunningAsync().ConfigureAwait(false);
        var services = Patterns(Service);
        var operations = Patterns(Operation);
        bool Fits(InferloopSandboxRequest request) =>
            services.Exists(p => p.IsMatch(request.Service)) && operations.Exists(p => p.IsMatch(request.Operation)) && (!Failed || request.Status is 0 or >= 400);

        // Followed before the past is read, so that none is missed between the two.
        var coming = Follow ? sandbox.FollowRequests(cancellationToken) : null;
        var past = sandbox.RecentRequests.Where(Fits).ToList();
        var shown = new HashSet<string>(past.Select(request => request.RequestId), StringComparer.Ordinal);
        foreach (var request in past.TakeLast(Last ?? (Follow ? 0 : int.MaxValue)))
        {
            await WriteAsync(request).ConfigureAwait(false);
        }

        if (coming is null)
        {
            return;
        }

        await foreach (var request in coming.ConfigureAwait(false))
        {
            if (Fits(request) && !shown.Remove(request.RequestId))
            {
                await WriteAsync(request).ConfigureAwait(false);
            }
        }
    }

    private static List<WildcardPattern> Patterns(string[] texts) => [.. texts.Select(text => WildcardPattern.Get(text, WildcardOptions.IgnoreCase))];
}
