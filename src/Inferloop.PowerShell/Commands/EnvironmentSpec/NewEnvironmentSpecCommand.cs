using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <summary>Makes the spec of an environment from a stage's preset, from a file, or from parameters over either.</summary>
[Cmdlet(VerbsCommon.New, "InferloopEnvironmentSpec", DefaultParameterSetName = "Parameters")]
[OutputType(typeof(InferloopEnvironmentSpec))]
public sealed class NewEnvironmentSpecCommand : InferloopCmdlet, IDynamicParameters
{
    private readonly SpecParameters members = new();

    /// <summary>The environment's name: 2 to 16 characters, a lower-case letter first.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Parameters", ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = "File")]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>The stage whose preset is the beginning. Default Dev.</summary>
    [Parameter(Position = 1, ParameterSetName = "Parameters", ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = "File")]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>The region. Default us-east-1.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? Region { get; set; }

    /// <summary>What the application runs on, which decides the parts that are on to begin with. Default Container.</summary>
    [Parameter(ParameterSetName = "Parameters")]
    public DeploymentPattern? Pattern { get; set; }

    /// <summary>A file that holds the spec: YAML, JSON, or a PowerShell data file, which is read as data and never run.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "File")]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    public object GetDynamicParameters() => members;

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        InferloopEnvironmentSpec spec;
        if (Path is not null)
        {
            var full = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
            spec = await SpecFiles.RequireAsync(full, cancellationToken).ConfigureAwait(false);
            spec = Name is null ? spec : spec with { Name = Name };
            spec = Stage is null ? spec : spec with { Stage = Stage.Value };
            spec = Region is null ? spec : spec with { Region = Region };
        }
        else
        {
            spec = SpecPresets.Create(Name!, Stage ?? EnvironmentStage.Dev, Region ?? "us-east-1", members.ServiceTier, members.CapacityMode, Pattern);
        }

        spec = members.Over(spec);
        var findings = SpecValidator.Validate(spec);
        var errors = findings.Where(f => f.Severity == SpecFindingSeverity.Error).ToList();
        if (errors.Count > 0)
        {
            throw SpecErrors.Invalid(spec.Name, errors);
        }

        foreach (var finding in findings.Where(f => f.Severity == SpecFindingSeverity.Warning))
        {
            WriteWarning($"{finding.Location}: {finding.Message} {finding.Recommendation}");
        }

        WriteObject(spec);
    }
}
