using System.Globalization;
using System.Management.Automation;
using Inferloop.Aws;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.Environment;
using Inferloop.PowerShell.Completion;

namespace Inferloop.PowerShell.Commands.Failover;

/// <summary>The base of the cmdlets on failovers: an environment by name or down the pipeline, and the region that takes over.</summary>
public abstract class FailoverCmdlet : EnvironmentCmdlet
{
    private readonly Dictionary<string, FailoverStepState> shown = new(StringComparer.Ordinal);

    /// <summary>The name of the environment.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string? Name { get; set; }

    /// <summary>The stage, where environments of several stages have the name.</summary>
    [Parameter(ParameterSetName = "Name")]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>The environment, in either of its regions, as Get-InferloopEnvironment gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Environment")]
    [ValidateNotNull]
    public InferloopEnvironment? Environment { get; set; }

    /// <summary>The region that takes over. Default: the one of -Region or of the session where the environment stands by there, otherwise the recovery region of what was piped.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? ToRegion { get; set; }

    /// <summary>The environment in the region that takes over, and the operations on both regions. The other region is not called.</summary>
    private protected async Task<(FailoverOperations Operations, InferloopEnvironment Target)> FindAsync(CancellationToken cancellationToken)
    {
        var region = ToRegion ?? (Environment is { } piped ? piped.Spec.Recovery.RegionRole == RegionRole.Standby ? piped.Region : piped.Spec.RecoveryRegion : null);
        if (Environment is not null && string.IsNullOrEmpty(region))
        {
            throw new OperationException(
                "FailoverNoStandby", OperationErrorKind.InvalidState, $"'{Environment.Name}' in {Environment.Region} has no standby in another region.",
                $"Make one: Get-InferloopEnvironment {Environment.Name} | New-InferloopStandby -RecoveryRegion <region>.", Environment.Name);
        }

        return await FindInAsync(region, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The environment in one region.</summary>
    private protected async Task<(FailoverOperations Operations, InferloopEnvironment Target)> FindInAsync(string? region, CancellationToken cancellationToken)
    {
        var given = Environment?.Connection.Session as AwsSession;
        var session = given is not null && !ConnectionIsGiven ? given : await GetSessionAsync(region ?? Region, cancellationToken).ConfigureAwait(false);
        session = session.Apart(region ?? session.Region);
        var here = Operations(session, null);
        var target = Environment is { } piped
            ? await here.RefreshAsync(piped.StackName, withHealth: false, cancellationToken).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(piped.Name, session.Region)
            : await ResolveAsync(here, Name!, Stage, cancellationToken).ConfigureAwait(false);
        var other = new Dictionary<string, AwsSession>(StringComparer.Ordinal) { [session.Region] = session };
        EnvironmentOperations Open(string name, EnvironmentOptions? options)
        {
            if (!other.TryGetValue(name, out var way))
            {
                other[name] = way = session.Apart(name);
            }

            return Operations(way, options);
        }

        return (new FailoverOperations(Open, Now, Reporter) { Changed = Show }, target);
    }

    /// <summary>A line on the host for each step that begins or ends.</summary>
    private void Show(InferloopFailover failover)
    {
        foreach (var step in failover.Steps)
        {
            if (shown.TryGetValue(step.Name, out var before) ? before == step.State : step.State is FailoverStepState.Waiting or FailoverStepState.NotNeeded)
            {
                continue;
            }

            shown[step.Name] = step.State;
            var elapsed = Now() - failover.Started;
            WriteHost(string.Create(
                CultureInfo.InvariantCulture,
                $"{elapsed:hh\\:mm\\:ss}  {step.State,-9} {step.Name,-9} {step.Region,-14} {(step.State == FailoverStepState.Running ? step.Title : step.Reason.Length > 0 ? step.Reason : step.Evidence)}"));
        }
    }
}
