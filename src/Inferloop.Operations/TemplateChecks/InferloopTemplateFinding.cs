namespace Inferloop.Operations.TemplateChecks;

/// <summary>How much a finding about a template matters.</summary>
public enum TemplateFindingSeverity
{
    /// <summary>CloudFormation refuses it, or what it makes does not work.</summary>
    Error,

    /// <summary>It probably does not do what was meant.</summary>
    Warning,

    /// <summary>Worth knowing.</summary>
    Information,
}

/// <summary>One thing that a check of a template found.</summary>
public sealed record InferloopTemplateFinding
{
    /// <summary>Error, Warning or Information.</summary>
    public required TemplateFindingSeverity Severity { get; init; }

    /// <summary>The stable name of the rule, such as ListenerPortTaken.</summary>
    public required string Rule { get; init; }

    /// <summary>What is wrong.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it.</summary>
    public required string Remedy { get; init; }

    /// <summary>The resource or part concerned, nested stacks included.</summary>
    public string Path { get; init; } = "";

    /// <summary>The file.</summary>
    public string File { get; init; } = "";

    /// <summary>The line, from 1; 0 when unknown.</summary>
    public int Line { get; init; }

    /// <summary>The column, from 1; 0 when unknown.</summary>
    public int Column { get; init; }

    /// <summary>File, line and column, as editors understand them.</summary>
    public string Location => Line > 0 ? $"{System.IO.Path.GetFileName(File)}({Line},{Column})" : System.IO.Path.GetFileName(File);

    /// <summary>The finding in one line.</summary>
    public override string ToString() => $"{Location}: {Severity.ToString().ToLowerInvariant()} {Rule}: {Message}";
}
