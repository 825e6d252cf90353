using Inferloop.Operations.Specs;

namespace Inferloop.Cdk;

/// <summary>What an <see cref="InferloopPlatform"/> is made of.</summary>
public sealed class InferloopPlatformProps
{
    /// <summary>
    /// The environment: the same typed spec that the cmdlets take, with the same validation. Read from a file by
    /// <see cref="InferloopSpecs.FromFile"/>, begun from a stage's preset by <see cref="InferloopSpecs.ForStage"/>, or made by hand.
    /// </summary>
    public required InferloopEnvironmentSpec Spec { get; init; }

    /// <summary>Folder with <c>main.yaml</c> and its nested templates. Default: the ones that come with this assembly.</summary>
    public string? TemplateFolder { get; init; }
}
