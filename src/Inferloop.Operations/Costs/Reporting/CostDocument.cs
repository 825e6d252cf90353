namespace Inferloop.Operations.Costs.Reporting;

/// <summary>How a price is written down.</summary>
public enum CostFormat
{
    /// <summary>A comment for a pull request.</summary>
    Markdown,

    /// <summary>Test results, which every CI system shows.</summary>
    JUnit,

    /// <summary>Findings for code scanning.</summary>
    Sarif,

    /// <summary>The lines as a table.</summary>
    Csv,

    /// <summary>Everything, for other programs.</summary>
    Json,
}

/// <summary>Prices as text, in the forms that CI systems and people read.</summary>
public static class CostDocument
{
    /// <summary>Writes a price that was held to limits.</summary>
    /// <param name="gate">The price and what the checks found.</param>
    /// <param name="format">The form.</param>
    /// <param name="source">The file that the price is of, relative to the repository, for findings that point at one.</param>
    /// <returns>The text.</returns>
    public static string Write(CostGate gate, CostFormat format, string? source = null) => format switch
    {
        CostFormat.Markdown => CostMarkdown.Write(gate),
        CostFormat.JUnit => CostJUnit.Write(gate),
        CostFormat.Sarif => CostSarif.Write(gate, source),
        CostFormat.Csv => CostCsv.Write(gate),
        CostFormat.Json => CostJson.Write(gate),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };
}
