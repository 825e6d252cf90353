using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>Looks, before anything is made, at what would let the create of an environment fail: quotas, names, zones, permissions, and more.</summary>
[Cmdlet(VerbsDiagnostic.Test, "InferloopEnvironment", DefaultParameterSetName = "Spec")]
[OutputType(typeof(InferloopPreflightFinding))]
[OutputType(typeof(bool))]
public sealed class TestEnvironmentCommand : EnvironmentCmdlet
{
    /// <summary>What is to be created; an environment gives its own spec, and what exists of it counts as made.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <summary>Only the quick checks, which New-InferloopEnvironment makes by itself: no permissions, instance types and database classes.</summary>
    [Parameter]
    public SwitchParameter Quick { get; set; }

    /// <summary>Also what is well.</summary>
    [Parameter]
    public SwitchParameter All { get; set; }

    /// <summary>Only say whether the create can begin: true when no finding is an error.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var operations = await OpenAsync(Spec!.Region.Length > 0 ? Spec.Region : null, cancellationToken).ConfigureAwait(false);
        var findings = await operations.PreflightAsync(Spec with { Region = operations.Aws.Region }, thorough: !Quick, cancellationToken).ConfigureAwait(false);
        if (Quiet)
        {
            WriteObject(findings.All(f => f.Severity != PreflightSeverity.Error));
            return;
        }

        WriteObject(findings.Where(f => All || f.Severity != PreflightSeverity.Passed).ToList(), enumerateCollection: true);
    }
}
