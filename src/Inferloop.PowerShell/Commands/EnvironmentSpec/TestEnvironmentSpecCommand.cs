using System.Management.Automation;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <summary>Checks a spec or a spec file, without AWS, and reports everything it finds at once.</summary>
[Cmdlet(VerbsDiagnostic.Test, "InferloopEnvironmentSpec", DefaultParameterSetName = "Spec")]
[OutputType(typeof(InferloopSpecFinding), ParameterSetName = ["Spec", "File"])]
[OutputType(typeof(bool), ParameterSetName = ["Spec", "File"])]
public sealed class TestEnvironmentSpecCommand : InferloopCmdlet
{
    /// <summary>The spec to check.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = "Spec")]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <summary>The spec file to check.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "File", ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Only say whether an environment can be made from it: true when no finding is an error.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<InferloopSpecFinding> findings;
        if (Path is not null)
        {
            var full = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
            var reading = await SpecFiles.ReadAsync(full, cancellationToken).ConfigureAwait(false);

            // A file that is no spec at all has nothing further to check.
            findings = reading.Findings.Any(f => f.Rule == "SpecSyntax") ? reading.Findings : [.. reading.Findings, .. SpecValidator.Validate(reading.Spec)];
        }
        else
        {
            findings = SpecValidator.Validate(Spec!);
        }

        if (Quiet)
        {
            WriteObject(findings.All(f => f.Severity != SpecFindingSeverity.Error));
            return;
        }

        WriteObject(findings, enumerateCollection: true);
    }
}
