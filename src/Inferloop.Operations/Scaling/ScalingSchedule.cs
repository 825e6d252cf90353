using System.Globalization;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Operations.Scaling;

/// <summary>A schedule as a spec writes it: name|expression|time zone|fewest|most, with semicolons between its actions.</summary>
internal static class ScalingSchedule
{
    /// <summary>What one text of the spec may look like; the root template has the same.</summary>
    public const string Pattern = "^" + Action + "(;" + Action + "){0,4}$";

    public const string Meaning = "up to five times such as morning|cron(0 8 ? * MON-FRI *)|Europe/Berlin|4|20, with semicolons between them";

    /// <summary>As many as the template has places for.</summary>
    public const int Limit = 5;

    private const string Action = @"[A-Za-z0-9_-]{1,32}\|(cron|rate|at)\([^()|;]{1,100}\)\|[A-Za-z0-9_+/-]{1,40}\|[0-9]{1,5}\|[0-9]{1,5}";

    /// <summary>The actions of a text that the pattern admits.</summary>
    public static IReadOnlyList<InferloopScheduledScaling> Parse(string text) => text.Split(';', StringSplitOptions.RemoveEmptyEntries)
        .Select(a => a.Split('|'))
        .Where(p => p.Length == 5)
        .Select(p => new InferloopScheduledScaling
        {
            Name = p[0], Schedule = p[1], TimeZone = p[2],
            Minimum = int.Parse(p[3], CultureInfo.InvariantCulture), Maximum = int.Parse(p[4], CultureInfo.InvariantCulture),
        }).ToList();

    public static string ToText(IEnumerable<InferloopScheduledScaling> actions) =>
        string.Join(';', actions.Select(a => string.Create(CultureInfo.InvariantCulture, $"{a.Name}|{a.Schedule}|{a.TimeZone}|{a.Minimum}|{a.Maximum}")));

    /// <summary>What is wrong with an action that the pattern admits; null when it is right.</summary>
    public static string? Problem(InferloopScheduledScaling action) =>
        ScheduleExpression.Parse(action.Schedule) is null ? $"'{action.Schedule}' is no schedule of Application Auto Scaling"
        : Zone(action.TimeZone) is null ? $"'{action.TimeZone}' is no time zone of the IANA list"
        : action.Minimum > action.Maximum ? $"the fewest ({action.Minimum}) are more than the most ({action.Maximum})"
        : null;

    /// <summary>The next times of an action after a moment, in its own zone.</summary>
    public static IReadOnlyList<DateTimeOffset> Next(InferloopScheduledScaling action, DateTimeOffset after, int count)
    {
        var found = new List<DateTimeOffset>();
        if (ScheduleExpression.Parse(action.Schedule) is not { } expression || Zone(action.TimeZone) is not { } zone)
        {
            return found;
        }

        var from = after;
        while (found.Count < count && expression.Next(from, after, zone) is { } next)
        {
            found.Add(TimeZoneInfo.ConvertTime(next, zone));
            from = next;
        }

        return found;
    }

    // Application Auto Scaling takes the names of the IANA list, not Windows' own.
    private static TimeZoneInfo? Zone(string name) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && (zone.HasIanaId || name is "UTC" or "Etc/UTC") ? zone : null;
}
