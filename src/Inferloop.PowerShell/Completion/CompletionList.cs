using System.Management.Automation;

namespace Inferloop.PowerShell.Completion;

/// <summary>Values as completions.</summary>
internal static class CompletionList
{
    /// <summary>The values that begin with the word, or else those that have it somewhere; quoted where PowerShell needs it.</summary>
    public static IEnumerable<CompletionResult> Completions(this IEnumerable<(string Value, string ToolTip)> values, string? word)
    {
        word = (word ?? "").Trim('\'', '"');
        var all = values.ToList();
        var found = all.Where(v => v.Value.StartsWith(word, StringComparison.OrdinalIgnoreCase)).ToList();
        if (found.Count == 0)
        {
            found = [.. all.Where(v => v.Value.Contains(word, StringComparison.OrdinalIgnoreCase))];
        }

        return found.Select(v => new CompletionResult(Quote(v.Value), v.Value, CompletionResultType.ParameterValue, v.ToolTip));
    }

    private static string Quote(string value) =>
        value.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':') ? value : "'" + value.Replace("'", "''", StringComparison.Ordinal) + "'";
}
