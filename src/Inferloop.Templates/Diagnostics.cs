namespace Inferloop.Templates;

/// <summary>A place in a template's text. Lines and columns count from one.</summary>
/// <param name="File">The file's name, or null for text that came from elsewhere.</param>
/// <param name="Line">The line, from one.</param>
/// <param name="Column">The column, from one.</param>
public sealed record SourceLocation(string? File, int Line, int Column)
{
    /// <inheritdoc/>
    public override string ToString() => File is null ? $"line {Line}, column {Column}" : $"{File}({Line},{Column})";
}

/// <summary>How bad a diagnostic is.</summary>
public enum DiagnosticSeverity
{
    /// <summary>The template cannot be used as it is.</summary>
    Error,

    /// <summary>The template can be used, but probably does not mean what it says.</summary>
    Warning,

    /// <summary>Worth knowing.</summary>
    Information,
}

/// <summary>One finding about a template.</summary>
/// <param name="Code">A stable identifier of the kind of finding, such as <c>UnresolvedReference</c>.</param>
/// <param name="Severity">How bad it is.</param>
/// <param name="Message">The finding in a sentence.</param>
/// <param name="Location">Where in the text, when known.</param>
/// <param name="Path">Which part of which resource, such as <c>Network/NatGateway1.Properties.SubnetId</c>, when known.</param>
public sealed record Diagnostic(string Code, DiagnosticSeverity Severity, string Message, SourceLocation? Location, string? Path)
{
    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new System.Text.StringBuilder();
        if (Location is not null)
        {
            text.Append(Location).Append(": ");
        }

        if (!string.IsNullOrEmpty(Path))
        {
            text.Append(Path).Append(": ");
        }

        return text.Append(Message).ToString();
    }
}

/// <summary>A template that cannot be read or evaluated, with every reason found.</summary>
public sealed class TemplateException : Exception
{
    /// <summary>Makes the exception from the errors found.</summary>
    /// <param name="diagnostics">What was found; at least one.</param>
    public TemplateException(IReadOnlyList<Diagnostic> diagnostics)
        : base(Describe(diagnostics)) => Diagnostics = diagnostics;

    internal TemplateException(Diagnostic diagnostic)
        : this([diagnostic])
    {
    }

    /// <summary>Everything found, errors first.</summary>
    public IReadOnlyList<Diagnostic> Diagnostics { get; }

    private static string Describe(IReadOnlyList<Diagnostic> diagnostics)
    {
        var errors = diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).ToList();
        return errors.Count switch
        {
            0 => "The template cannot be used.",
            1 => errors[0].ToString(),
            _ => $"{errors.Count} errors:{Environment.NewLine}{string.Join(Environment.NewLine, errors.Select(e => "  " + e))}",
        };
    }
}
