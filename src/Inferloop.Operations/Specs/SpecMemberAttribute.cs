namespace Inferloop.Operations.Specs;

/// <summary>
/// Says how one member of a spec is bounded and which parameter of the root template carries it. With the member's
/// place and type this is the only statement of the mapping: files, cmdlet parameters, checks and stacks all read it.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SpecMemberAttribute : Attribute
{
    /// <summary>The root template's parameter; the property's own name when null, none at all when empty.</summary>
    public string? TemplateParameter { get; init; }

    /// <summary>The least allowed number.</summary>
    public int Minimum { get; init; } = int.MinValue;

    /// <summary>The greatest allowed number.</summary>
    public int Maximum { get; init; } = int.MaxValue;

    /// <summary>The only allowed numbers, where a range would not say it.</summary>
    public int[]? Values { get; init; }

    /// <summary>What the number counts: "%", "days", "CPU units".</summary>
    public string? Unit { get; init; }

    /// <summary>A regular expression that the whole text matches.</summary>
    public string? Pattern { get; init; }

    /// <summary>What the pattern asks for, in words.</summary>
    public string? PatternMeaning { get; init; }

    /// <summary>The text may be empty, which means "not used".</summary>
    public bool Optional { get; init; }

    /// <summary>One line for exported files.</summary>
    public string Summary { get; init; } = "";
}
