using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Cdk;

/// <summary>Specs for CDK apps: from the presets and from the files that the cmdlets use.</summary>
public static class InferloopSpecs
{
    /// <summary>A stage's preset, as New-InferloopEnvironmentSpec makes it; change it with <c>with</c> or <see cref="InferloopEnvironmentSpec.With"/>.</summary>
    /// <param name="name">2 to 16 characters: a lower-case letter, then lower-case letters, digits and hyphens.</param>
    /// <param name="stage">Dev, Staging or Prod.</param>
    /// <param name="region">The AWS region.</param>
    public static InferloopEnvironmentSpec ForStage(string name, EnvironmentStage stage, string region) => SpecPresets.Create(name, stage, region);

    /// <summary>A spec file in YAML or JSON, as Export-InferloopEnvironmentSpec writes it.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="Operations.OperationException">It cannot be read as a spec; each error is in the message with its line.</exception>
    public static InferloopEnvironmentSpec FromFile(string path)
    {
        var reading = SpecReader.ReadYaml(File.ReadAllText(path), path);
        var errors = reading.Findings.Where(f => f.Severity == SpecFindingSeverity.Error).ToList();
        return errors.Count == 0 ? reading.Spec : throw SpecErrors.Invalid(path, errors);
    }
}
