namespace Inferloop.Help;

/// <summary>A page of cmdlet help: PlatyPS schema version 2024-05-01. Texts are markdown.</summary>
internal sealed class HelpPage
{
    /// <summary>The keys between the page's first two rules, in order.</summary>
    public List<KeyValuePair<string, string>> FrontMatter { get; } = [];

    /// <summary>The cmdlet.</summary>
    public required string Title { get; set; }

    public string Synopsis { get; set; } = "";

    /// <summary>One line a parameter set; generated.</summary>
    public List<SyntaxItem> Syntax { get; } = [];

    public string Aliases { get; set; } = "";

    public string Description { get; set; } = "";

    public List<HelpExample> Examples { get; } = [];

    public List<HelpParameter> Parameters { get; } = [];

    /// <summary>The text under the heading CommonParameters; empty for a cmdlet without them.</summary>
    public string CommonParameters { get; set; } = "";

    public List<HelpType> Inputs { get; } = [];

    public List<HelpType> Outputs { get; } = [];

    public string Notes { get; set; } = "";

    public string RelatedLinks { get; set; } = "";
}

/// <summary>One way to call the cmdlet.</summary>
internal sealed record SyntaxItem(string ParameterSet, string Line);

/// <summary>An example: a title, and text with fenced code in it.</summary>
internal sealed record HelpExample(string Title, string Text);

/// <summary>A type that goes in or comes out.</summary>
internal sealed record HelpType(string Name, string Text);

/// <summary>A parameter: prose, and metadata that the built cmdlet decides.</summary>
internal sealed class HelpParameter
{
    public required string Name { get; init; }

    public string Text { get; set; } = "";

    public ParameterFacts Facts { get; set; } = new();
}

/// <summary>What the metadata block of a parameter says.</summary>
internal sealed record ParameterFacts
{
    public string Type { get; init; } = "";

    public string DefaultValue { get; init; } = "";

    public bool SupportsWildcards { get; init; }

    public IReadOnlyList<string> Aliases { get; init; } = [];

    public IReadOnlyList<ParameterSetFacts> ParameterSets { get; init; } = [];

    public bool DontShow { get; init; }

    public IReadOnlyList<string> AcceptedValues { get; init; } = [];

    public string HelpMessage { get; init; } = "";
}

/// <summary>The part a parameter plays in a parameter set; <c>(All)</c> stands for every set.</summary>
internal sealed record ParameterSetFacts(
    string Name, string Position, bool IsRequired, bool ValueFromPipeline, bool ValueFromPipelineByPropertyName, bool ValueFromRemainingArguments);
