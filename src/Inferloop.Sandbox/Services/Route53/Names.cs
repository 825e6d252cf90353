using System.Text.RegularExpressions;

namespace Inferloop.Sandbox.Services.Route53;

/// <summary>Domain names as Route 53 writes and orders them.</summary>
internal static partial class Names
{
    /// <summary>Lower case, with the dot of the root, a leading asterisk in its escaped form.</summary>
    public static string Normal(string name)
    {
        var lower = name.ToLowerInvariant().Replace("*", "\\052", StringComparison.Ordinal);
        return lower.EndsWith('.') ? lower : lower + ".";
    }

    /// <summary>The order of lists: by the labels from the root on.</summary>
    public static string Key(string normal) => string.Join('\u0001', Enumerable.Reverse(normal.TrimEnd('.').Split('.')));

    public static bool IsValid(string normal) => normal.Length <= 255 && Valid().IsMatch(normal);

    /// <summary>Whether a name is of a zone: the zone's own, or below it.</summary>
    public static bool IsIn(string name, string zone) => name == zone || name.EndsWith("." + zone, StringComparison.Ordinal);

    [GeneratedRegex(@"^(\\052\.)?([a-z0-9_\-!""#$%&'()+,/:;<=>?@\[\]^`{|}~]{1,63}\.)+$")]
    private static partial Regex Valid();
}
