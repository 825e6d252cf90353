namespace Inferloop.Operations.Specs;

/// <summary>Finds what a mistyped name probably meant.</summary>
internal static class Suggestion
{
    /// <summary>" Did you mean 'x'?" for the nearest candidate, or nothing when none is near.</summary>
    public static string For(string given, IEnumerable<string> candidates) =>
        Nearest(given, candidates) is { } near ? $" Did you mean '{near}'?" : "";

    public static string? Nearest(string given, IEnumerable<string> candidates)
    {
        var limit = Math.Max(2, given.Length / 3);
        return candidates
            .Select(c => (Name: c, Distance: Distance(given.ToLowerInvariant(), c.ToLowerInvariant())))
            .Where(c => c.Distance <= limit)
            .OrderBy(c => c.Distance)
            .ThenBy(c => c.Name, StringComparer.Ordinal)
            .Select(c => c.Name)
            .FirstOrDefault();
    }

    // Optimal string alignment: a swapped pair of letters counts as one slip.
    internal static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            d[i, 0] = i;
        }

        for (var j = 0; j <= b.Length; j++)
        {
            d[0, j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
