namespace Inferloop.Templates;

/// <summary>A parameter with the value it has in one evaluation.</summary>
public sealed class EvaluatedParameter
{
    internal EvaluatedParameter(TemplateParameter declaration, Value value, bool isDefault)
    {
        Declaration = declaration;
        Value = value;
        IsDefault = isDefault;
    }

    /// <summary>The parameter's name.</summary>
    public string Name => Declaration.Name;

    /// <summary>How the template declares it.</summary>
    public TemplateParameter Declaration { get; }

    /// <summary>The value; a list for list types, unknown when it comes from a resource of the parent stack.</summary>
    public Value Value { get; }

    /// <summary>Whether the value is the template's default.</summary>
    public bool IsDefault { get; }

    /// <summary>Whether the value must not be shown.</summary>
    public bool IsSecret => Declaration.NoEcho;
}

/// <summary>An output with its value.</summary>
/// <param name="Name">The output's name.</param>
/// <param name="Value">The value; perhaps unknown.</param>
/// <param name="ExportName">The name under which other stacks import it; null when not exported or not known yet.</param>
/// <param name="Description">What it is.</param>
/// <param name="Location">Where the template declares it.</param>
public sealed record EvaluatedOutput(string Name, Value Value, string? ExportName, string? Description, SourceLocation? Location);

/// <summary>One reference from a resource to another resource of the same template.</summary>
/// <param name="LogicalId">The resource referred to.</param>
/// <param name="Attribute">The attribute; null for Ref.</param>
/// <param name="Path">Where in the referring resource, such as <c>Properties.SubnetId</c>.</param>
public sealed record ResourceReference(string LogicalId, string? Attribute, string Path);

/// <summary>One reference from a resource to a parameter of its template.</summary>
/// <param name="Name">The parameter.</param>
/// <param name="Path">Where in the referring resource, such as <c>Properties.VpcId</c>.</param>
public sealed record ParameterReference(string Name, string Path);

/// <summary>A resource with its properties evaluated.</summary>
public sealed class EvaluatedResource
{
    internal EvaluatedResource(string logicalId, string type, string path)
    {
        LogicalId = logicalId;
        Type = type;
        Path = path;
    }

    /// <summary>Its name in its template.</summary>
    public string LogicalId { get; }

    /// <summary>Its type.</summary>
    public string Type { get; }

    /// <summary>Its name from the root stack on, such as <c>Network/NatGateway1</c>.</summary>
    public string Path { get; }

    /// <summary>Its properties.</summary>
    public MapValue Properties { get; internal init; } = MapValue.Empty;

    /// <summary>The logical ids it waits for, declared and by reference.</summary>
    public IReadOnlyList<string> DependsOn { get; internal init; } = [];

    /// <summary>Its references to other resources of the template, in the template's order.</summary>
    public IReadOnlyList<ResourceReference> References { get; internal init; } = [];

    /// <summary>Its references to parameters of the template, in the template's order.</summary>
    public IReadOnlyList<ParameterReference> ParameterReferences { get; internal init; } = [];

    /// <summary>What happens to it when it leaves the stack: Delete, Retain, Snapshot or RetainExceptOnCreate.</summary>
    public string DeletionPolicy { get; internal init; } = "Delete";

    /// <summary>What happens to it when it is replaced: Delete, Retain or Snapshot.</summary>
    public string UpdateReplacePolicy { get; internal init; } = "Delete";

    /// <summary>Where the template declares it.</summary>
    public SourceLocation? Location { get; internal init; }

    /// <summary>Its metadata.</summary>
    public Value? Metadata { get; internal init; }

    /// <summary>What its creation waits for.</summary>
    public Value? CreationPolicy { get; internal init; }

    /// <summary>How it is updated.</summary>
    public Value? UpdatePolicy { get; internal init; }

    /// <summary>The same resource with other properties: those it has in AWS, for example.</summary>
    internal EvaluatedResource With(MapValue properties) => new(LogicalId, Type, Path)
    {
        Properties = properties,
        DependsOn = DependsOn,
        References = References,
        ParameterReferences = ParameterReferences,
        DeletionPolicy = DeletionPolicy,
        UpdateReplacePolicy = UpdateReplacePolicy,
        Location = Location,
        Metadata = Metadata,
        CreationPolicy = CreationPolicy,
        UpdatePolicy = UpdatePolicy,
    };

    /// <inheritdoc/>
    public override string ToString() => $"{Path} ({Type})";
}
