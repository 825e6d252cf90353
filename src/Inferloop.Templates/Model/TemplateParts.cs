using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>A parameter that a template declares.</summary>
public sealed class TemplateParameter
{
    internal TemplateParameter(string name, SourceLocation location) => (Name, Location) = (name, location);

    /// <summary>The parameter's name.</summary>
    public string Name { get; }

    /// <summary>Where it is declared.</summary>
    public SourceLocation Location { get; }

    /// <summary>Its type: <c>String</c>, <c>Number</c>, <c>CommaDelimitedList</c>, <c>AWS::EC2::VPC::Id</c>, ...</summary>
    public string Type { get; internal init; } = "String";

    /// <summary>The default, in string form; null when a value must be given.</summary>
    public string? Default { get; internal init; }

    /// <summary>Whether its value is secret and never shown.</summary>
    public bool NoEcho { get; internal init; }

    /// <summary>The only values allowed; empty when any is.</summary>
    public IReadOnlyList<string> AllowedValues { get; internal init; } = [];

    /// <summary>The regular expression that the whole value must match.</summary>
    public string? AllowedPattern { get; internal init; }

    /// <summary>The least number of characters.</summary>
    public int? MinLength { get; internal init; }

    /// <summary>The greatest number of characters.</summary>
    public int? MaxLength { get; internal init; }

    /// <summary>The least number.</summary>
    public decimal? MinValue { get; internal init; }

    /// <summary>The greatest number.</summary>
    public decimal? MaxValue { get; internal init; }

    /// <summary>What the parameter is for.</summary>
    public string? Description { get; internal init; }

    /// <summary>What to say when a constraint is broken.</summary>
    public string? ConstraintDescription { get; internal init; }

    /// <summary>Whether its value is a list.</summary>
    public bool IsList => ParameterTypes.IsList(Type);

    /// <summary>Whether its value is the name of a parameter in Systems Manager, read when the stack is deployed.</summary>
    public bool IsSystemsManager => ParameterTypes.IsSystemsManagerValue(Type);
}

/// <summary>A resource as the template declares it, before evaluation.</summary>
public sealed class TemplateResource
{
    internal TemplateResource(string logicalId, string type, SourceLocation location, MappingNode node)
    {
        LogicalId = logicalId;
        Type = type;
        Location = location;
        Node = node;
    }

    /// <summary>Its name in the template.</summary>
    public string LogicalId { get; }

    /// <summary>Its type, such as <c>AWS::ECS::Service</c>.</summary>
    public string Type { get; }

    /// <summary>Where it is declared.</summary>
    public SourceLocation Location { get; }

    /// <summary>The condition under which it is created.</summary>
    public string? Condition { get; internal init; }

    /// <summary>The resources it waits for, as declared.</summary>
    public IReadOnlyList<string> DependsOn { get; internal init; } = [];

    /// <summary>The deletion policy as declared; null when absent or computed by a function.</summary>
    public string? DeletionPolicy { get; internal init; }

    /// <summary>The update-replace policy as declared; null when absent or computed by a function.</summary>
    public string? UpdateReplacePolicy { get; internal init; }

    internal MappingNode Node { get; }

    internal MappingNode? Properties => Node["Properties"] as MappingNode;
}

/// <summary>An output as the template declares it.</summary>
public sealed class TemplateOutput
{
    internal TemplateOutput(string name, SourceLocation location, MappingNode node)
    {
        Name = name;
        Location = location;
        Node = node;
    }

    /// <summary>The output's name.</summary>
    public string Name { get; }

    /// <summary>Where it is declared.</summary>
    public SourceLocation Location { get; }

    /// <summary>What it is.</summary>
    public string? Description { get; internal init; }

    /// <summary>The condition under which it exists.</summary>
    public string? Condition { get; internal init; }

    /// <summary>Whether other stacks can import it.</summary>
    public bool IsExported => Node["Export"] is not null;

    internal MappingNode Node { get; }
}

/// <summary>A named condition.</summary>
public sealed class TemplateCondition
{
    internal TemplateCondition(string name, SourceLocation location, Node node)
    {
        Name = name;
        Location = location;
        Node = node;
    }

    /// <summary>The condition's name.</summary>
    public string Name { get; }

    /// <summary>Where it is declared.</summary>
    public SourceLocation Location { get; }

    internal Node Node { get; }
}

/// <summary>A two-level map of constants.</summary>
public sealed class TemplateMapping
{
    internal TemplateMapping(string name, SourceLocation location, IReadOnlyDictionary<string, IReadOnlyDictionary<string, Value>> values)
    {
        Name = name;
        Location = location;
        Values = values;
    }

    /// <summary>The mapping's name.</summary>
    public string Name { get; }

    /// <summary>Where it is declared.</summary>
    public SourceLocation Location { get; }

    /// <summary>The values by top-level and second-level key.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, Value>> Values { get; }
}

/// <summary>A rule: assertions about the parameters.</summary>
public sealed class TemplateRule
{
    internal TemplateRule(string name, SourceLocation location, Node? condition, IReadOnlyList<TemplateAssertion> assertions)
    {
        Name = name;
        Location = location;
        Condition = condition;
        Assertions = assertions;
    }

    /// <summary>The rule's name.</summary>
    public string Name { get; }

    /// <summary>Where it is declared.</summary>
    public SourceLocation Location { get; }

    /// <summary>What it asserts.</summary>
    public IReadOnlyList<TemplateAssertion> Assertions { get; }

    internal Node? Condition { get; }
}

/// <summary>One assertion of a rule.</summary>
public sealed class TemplateAssertion
{
    internal TemplateAssertion(Node node, string? description) => (Node, Description) = (node, description);

    /// <summary>What to say when it fails.</summary>
    public string? Description { get; }

    internal Node Node { get; }
}
