namespace Inferloop.Templates;

/// <summary>The codes of <see cref="Diagnostic"/>: stable, for scripts to match on.</summary>
public static class DiagnosticCodes
{
    /// <summary>The text is not well-formed YAML.</summary>
    public const string InvalidYaml = nameof(InvalidYaml);

    /// <summary>The text is not well-formed JSON.</summary>
    public const string InvalidJson = nameof(InvalidJson);

    /// <summary>A key stands twice in one mapping.</summary>
    public const string DuplicateKey = nameof(DuplicateKey);

    /// <summary>A value is null, which CloudFormation refuses.</summary>
    public const string NullValue = nameof(NullValue);

    /// <summary>A part of the template has the wrong shape.</summary>
    public const string InvalidStructure = nameof(InvalidStructure);

    /// <summary>A section, attribute or function that CloudFormation does not have.</summary>
    public const string UnknownSection = nameof(UnknownSection);

    /// <summary>A name that breaks CloudFormation's rule for names.</summary>
    public const string InvalidName = nameof(InvalidName);

    /// <summary>A limit of CloudFormation is exceeded.</summary>
    public const string LimitExceeded = nameof(LimitExceeded);

    /// <summary>The template uses YAML aliases, which CloudFormation refuses.</summary>
    public const string AliasUsed = nameof(AliasUsed);

    /// <summary>A transform or macro that only AWS itself can run.</summary>
    public const string UnsupportedTransform = nameof(UnsupportedTransform);

    /// <summary>A function is used that needs a transform the template does not declare.</summary>
    public const string TransformRequired = nameof(TransformRequired);

    /// <summary>An unknown intrinsic function.</summary>
    public const string UnknownFunction = nameof(UnknownFunction);

    /// <summary>An intrinsic function with arguments it cannot take.</summary>
    public const string InvalidFunction = nameof(InvalidFunction);

    /// <summary>A reference to something that does not exist.</summary>
    public const string UnresolvedReference = nameof(UnresolvedReference);

    /// <summary>A reference to a resource whose condition does not hold.</summary>
    public const string ConditionalReference = nameof(ConditionalReference);

    /// <summary>A reference to an attribute that the resource type does not have.</summary>
    public const string UnknownAttribute = nameof(UnknownAttribute);

    /// <summary>A key that a mapping does not have.</summary>
    public const string MappingKeyNotFound = nameof(MappingKeyNotFound);

    /// <summary>Resources, conditions or outputs that depend on each other in a circle.</summary>
    public const string CircularDependency = nameof(CircularDependency);

    /// <summary>A parameter without value and default.</summary>
    public const string MissingParameter = nameof(MissingParameter);

    /// <summary>A value for a parameter that the template does not have.</summary>
    public const string UnknownParameter = nameof(UnknownParameter);

    /// <summary>A parameter value that its type or constraints refuse.</summary>
    public const string InvalidParameter = nameof(InvalidParameter);

    /// <summary>An assertion of the template's Rules failed.</summary>
    public const string RuleFailed = nameof(RuleFailed);

    /// <summary>An assertion or condition that cannot be decided before the resources exist.</summary>
    public const string Undecided = nameof(Undecided);

    /// <summary>A nested template that cannot be read.</summary>
    public const string NestedTemplate = nameof(NestedTemplate);

    /// <summary>A resource type that the resource specification does not have.</summary>
    public const string UnknownResourceType = nameof(UnknownResourceType);

    /// <summary>A property that the resource type does not have.</summary>
    public const string UnknownProperty = nameof(UnknownProperty);

    /// <summary>A required property is missing.</summary>
    public const string MissingProperty = nameof(MissingProperty);

    /// <summary>A property value of the wrong type.</summary>
    public const string InvalidPropertyValue = nameof(InvalidPropertyValue);

    /// <summary>Something declared but never used.</summary>
    public const string Unused = nameof(Unused);
}
