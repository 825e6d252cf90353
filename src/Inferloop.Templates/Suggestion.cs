namespace Inferloop.Templates;

/// <summary>The nearest known name to a misspelt one.</summary>
internal static class Suggestion
{
    /// <summary>A sentence to append, with a leading space, or an empty string.</summary>
    public static string For(string name, IEnumerable<string> known) => Nearest(name, known) is { } nearest ? $" Did you mean '{nearest}'?" : "";

    public static string? Nearest(string name, IEnumerable<string> known)
    {
        if (name.Length > 256)
        {
            return null;
        }

        string? best = null;
        var bestDistance = int.MaxValue;
        var limit = Math.Max(2, name.Length / 3);
        foreach (var candidate in known)
        {
            if (candidate.Equals(name, StringComparison.OrdinalIgnoreCase) && candidate != name)
            {
                return candidate;
            }

            if (Math.Abs(candidate.Length - name.Length) > limit)
            {
                continue;
            }

            var distance = Distance(name, candidate);
            if (distance <= limit && distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    // Edits between two names; swapping two neighbours ("Vcp" for "Vpc") is one edit.
    private static int Distance(string name, string candidate)
    {
        var (a, b) = (name.ToLowerInvariant(), candidate.ToLowerInvariant());
        var beforePrevious = new int[b.Length + 1];
        var previous = new int[b.Length + 1];
        var current = new int[b.Length + 1];
        for (var j = 0; j <= b.Length; j++)
        {
            previous[j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                current[j] = Math.Min(Math.Min(current[j - 1] + 1, previous[j] + 1), previous[j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    current[j] = Math.Min(current[j], beforePrevious[j - 2] + 1);
                }
            }

            (beforePrevious, previous, current) = (previous, current, beforePrevious);
        }

        return previous[b.Length];
    }
}
