namespace Inferloop.Operations.TemplateChecks;

/// <summary>Templates in a folder, ready for anyone's tool.</summary>
public sealed record InferloopExportedTemplate
{
    /// <summary>The environment they are for.</summary>
    public required string Environment { get; init; }

    /// <summary>The stack's name.</summary>
    public required string StackName { get; init; }

    /// <summary>The root template.</summary>
    public required string TemplateFile { get; init; }

    /// <summary>The parameters of the spec, as the AWS CLI reads them.</summary>
    public required string ParameterFile { get; init; }

    /// <summary>Whether the nested templates are in S3 already.</summary>
    public required bool Packaged { get; init; }

    /// <summary>All files that were written.</summary>
    public required IReadOnlyList<string> Files { get; init => field = value.Indexable(); }

    /// <summary>The commands that deploy them with the AWS CLI.</summary>
    public required IReadOnlyList<string> Commands { get; init => field = value.Indexable(); }

    /// <summary>The root template's file.</summary>
    public override string ToString() => TemplateFile;
}
