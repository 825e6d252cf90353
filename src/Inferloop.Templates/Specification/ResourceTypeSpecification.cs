namespace Inferloop.Templates;

/// <summary>What changing a property does to the resource.</summary>
public enum PropertyUpdateType
{
    /// <summary>The resource is changed in place.</summary>
    Mutable,

    /// <summary>Depending on the change, the resource is changed in place or replaced.</summary>
    Conditional,

    /// <summary>The resource is replaced by a new one.</summary>
    Immutable,
}

/// <summary>What a property holds.</summary>
public enum PropertyKind
{
    /// <summary>A string.</summary>
    String,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>Any JSON, such as a policy document.</summary>
    Json,

    /// <summary>A date and time in ISO 8601 form.</summary>
    DateTime,

    /// <summary>A tag: a mapping with Key and Value.</summary>
    Tag,

    /// <summary>A mapping with the properties of <see cref="PropertyTypeSpecification.Nested"/>.</summary>
    Object,

    /// <summary>A list of <see cref="PropertyTypeSpecification.Element"/>.</summary>
    List,

    /// <summary>A mapping of any keys to <see cref="PropertyTypeSpecification.Element"/>.</summary>
    Map,

    /// <summary>One of <see cref="PropertyTypeSpecification.Alternatives"/>.</summary>
    Union,
}

/// <summary>The type of a property.</summary>
public sealed class PropertyTypeSpecification
{
    internal PropertyTypeSpecification(PropertyKind kind) => Kind = kind;

    /// <summary>What it holds.</summary>
    public PropertyKind Kind { get; }

    /// <summary>The items' type of a list or map.</summary>
    public PropertyTypeSpecification? Element { get; internal init; }

    /// <summary>The nested type of an object.</summary>
    public NestedTypeSpecification? Nested { get; internal init; }

    /// <summary>The types of a union.</summary>
    public IReadOnlyList<PropertyTypeSpecification> Alternatives { get; internal init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        PropertyKind.List => $"List<{Element}>",
        PropertyKind.Map => $"Map<{Element}>",
        PropertyKind.Object => Nested!.Name,
        PropertyKind.Union => string.Join(" or ", Alternatives),
        _ => Kind.ToString(),
    };
}

/// <summary>A type of nested properties, such as a container definition.</summary>
public sealed class NestedTypeSpecification
{
    internal NestedTypeSpecification(string name) => Name = name;

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its properties.</summary>
    public IReadOnlyDictionary<string, PropertySpecification> Properties { get; internal set; } = new Dictionary<string, PropertySpecification>();
}

/// <summary>A property.</summary>
public sealed class PropertySpecification
{
    internal PropertySpecification(string name, PropertyTypeSpecification type) => (Name, Type) = (name, type);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Whether it must be given.</summary>
    public bool Required { get; internal init; }

    /// <summary>Its type.</summary>
    public PropertyTypeSpecification Type { get; }

    /// <summary>What changing it does.</summary>
    public PropertyUpdateType UpdateType { get; internal init; }

    /// <summary>The only values AWS documents; empty when any is allowed. New ones can appear in AWS before they appear here.</summary>
    public IReadOnlyList<string> AllowedValues { get; internal init; } = [];

    /// <summary>Whether it is deprecated.</summary>
    public bool IsDeprecated { get; internal init; }

    /// <summary>Whether it is a list.</summary>
    public bool IsList => Type.Kind == PropertyKind.List;

    /// <summary>Whether it is a mapping of any keys.</summary>
    public bool IsMap => Type.Kind == PropertyKind.Map;

    /// <summary>The name of the nested type it holds, in a list or map or alone.</summary>
    public string? NestedTypeName => (Type.Nested ?? Type.Element?.Nested)?.Name;
}

/// <summary>A resource type.</summary>
public sealed class ResourceTypeSpecification
{
    internal ResourceTypeSpecification(string name) => Name = name;

    /// <summary>Its name, such as <c>AWS::ECS::Service</c>.</summary>
    public string Name { get; }

    /// <summary>Its properties.</summary>
    public IReadOnlyDictionary<string, PropertySpecification> Properties { get; internal init; } = new Dictionary<string, PropertySpecification>();

    /// <summary>Its attributes for Fn::GetAtt, such as <c>Endpoint.Address</c>.</summary>
    public IReadOnlyDictionary<string, PropertyTypeSpecification> Attributes { get; internal init; } = new Dictionary<string, PropertyTypeSpecification>();

    /// <summary>The properties or attributes that identify a resource.</summary>
    public IReadOnlyList<string> PrimaryIdentifier { get; internal init; } = [];

    /// <summary>The properties or attributes that Ref gives; by default the identifier.</summary>
    public IReadOnlyList<string> RefIdentifier { get; internal init; } = [];

    /// <summary>The property that holds tags; null when it cannot be tagged.</summary>
    public string? TagsProperty { get; internal init; }

    /// <summary>Whether it can be tagged.</summary>
    public bool IsTaggable => TagsProperty is not null;

    /// <summary>Whether it holds data that is lost with it, as far as the source marks it.</summary>
    public bool IsStateful { get; internal init; }

    /// <summary>Property paths inside nested values whose change replaces the resource too.</summary>
    public IReadOnlyList<string> ReplacementPaths { get; internal init; } = [];
}
