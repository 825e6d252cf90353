namespace Inferloop.Operations.Specs;

/// <summary>A window of RDS or ElastiCache as minutes of the week, in UTC; it may run over midnight and over the week's end.</summary>
internal readonly record struct MaintenanceWindow(int Start, int Minutes, bool Daily)
{
    public const string DailyPattern = "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$";
    public const string DailyMeaning = "a daily window hh:mm-hh:mm in UTC";
    public const string WeeklyPattern = "^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$";
    public const string WeeklyMeaning = "a weekly window ddd:hh:mm-ddd:hh:mm in UTC";

    private const int Day = 24 * 60;
    private const int Week = 7 * Day;
    private static readonly string[] Days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// <summary>Reads either form; false for text that the patterns refuse.</summary>
    public static bool TryParse(string text, out MaintenanceWindow window)
    {
        window = default;
        var ends = text.Split('-');
        if (ends.Length != 2 || !TryMinute(ends[0], out var start, out var daily) || !TryMinute(ends[1], out var end, out var alike) || daily != alike)
        {
            return false;
        }

        var cycle = daily ? Day : Week;
        window = new MaintenanceWindow(start, (end - start + cycle) % cycle, daily);
        return true;
    }

    /// <summary>Whether there is a minute in both; a daily window comes again on each day.</summary>
    public bool Overlaps(MaintenanceWindow other)
    {
        foreach (var mine in Occurrences())
        {
            foreach (var theirs in other.Occurrences())
            {
                // Either begins inside the other, counted round the week.
                if ((theirs - mine + Week) % Week < Minutes || (mine - theirs + Week) % Week < other.Minutes)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private IEnumerable<int> Occurrences()
    {
        var start = Start;
        return Daily ? Enumerable.Range(0, 7).Select(day => (day * Day) + start) : [start];
    }

    private static bool TryMinute(string text, out int minute, out bool daily)
    {
        minute = 0;
        var parts = text.Split(':');
        daily = parts.Length == 2;
        var day = parts.Length == 3 ? Array.IndexOf(Days, parts[0]) : 0;
        if (parts.Length is not (2 or 3) || day < 0 || !int.TryParse(parts[^2], out var hours) || !int.TryParse(parts[^1], out var minutes) || hours is < 0 or > 23 || minutes is < 0 or > 59)
        {
            return false;
        }

        minute = (day * Day) + (hours * 60) + minutes;
        return true;
    }
}
