using System.Text.RegularExpressions;

namespace Inferloop.Templates;

/// <summary>Patterns as AWS's policies write them: * for anything, ? for one character.</summary>
internal static class Wildcards
{
    public static bool Match(string pattern, string text) =>
        Regex.IsMatch(text, "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal) + "$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
}
