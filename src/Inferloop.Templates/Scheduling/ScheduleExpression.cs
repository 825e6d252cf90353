using System.Globalization;

namespace Inferloop.Templates.Scheduling;

/// <summary>AWS's schedules: <c>cron(m h dom mon dow year)</c>, <c>rate(n unit)</c>, <c>at(moment)</c>.</summary>
internal sealed class ScheduleExpression
{
    private static readonly string[] Months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] Days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    private readonly TimeSpan? rate;
    private readonly DateTime? at;
    private readonly CronField[]? fields;

    private ScheduleExpression(TimeSpan? rate, DateTime? at, CronField[]? fields)
    {
        this.rate = rate;
        this.at = at;
        this.fields = fields;
    }

    /// <summary>Whether it happens once only.</summary>
    public bool IsOnce => at is not null;

    /// <summary>Reads an expression; null when it is none.</summary>
    public static ScheduleExpression? Parse(string text)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        if (open < 0 || !text.EndsWith(')'))
        {
            return null;
        }
        var inner = text[(open + 1)..^1].Trim();
        switch (text[..open])
        {
            case "at":
                return DateTime.TryParseExact(inner, ["yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment)
                    ? new ScheduleExpression(null, moment, null) : null;
            case "rate":
                if (inner.Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var number, var unit] || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count < 1 || (count == 1) == unit.EndsWith('s'))
                {
                    return null;
                }
                TimeSpan? span = unit.TrimEnd('s') switch { "minute" => TimeSpan.FromMinutes(count), "hour" => TimeSpan.FromHours(count), "day" => TimeSpan.FromDays(count), _ => null };
                return span is null ? null : new ScheduleExpression(span, null, null);
            case "cron":
                var parts = inner.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                // One of day-of-month and day-of-week has to be a question mark.
                return parts.Length == 6 && (parts[2] == "?") != (parts[4] == "?") ? Cron(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]) : null;
            default:
                return null;
        }
    }

    /// <summary>A Unix cron expression of five fields, as EC2 Auto Scaling has them; null when it is none.</summary>
    public static ScheduleExpression? ParseUnix(string text)
    {
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 5)
        {
            return null;
        }
        // Unix counts the days of the week from 0.
        var day = string.Concat(parts[4].Select(c => char.IsAsciiDigit(c) ? (char)('0' + (c - '0') % 7 + 1) : c));
        return Cron(parts[0], parts[1], parts[2] == "*" && day != "*" ? "?" : parts[2], parts[3], day == "*" ? "?" : day, "*");
    }

    private static ScheduleExpression? Cron(string minute, string hour, string day, string month, string weekday, string year)
    {
        CronField?[] read =
        [
            CronField.Read(minute, 0, 59), CronField.Read(hour, 0, 23), CronField.Read(day, 1, 31), CronField.Read(Named(month, Months, 1), 1, 12), CronField.Read(Named(weekday, Days, 1), 1, 7), CronField.Read(year, 1970, 2199),
        ];
        return read.Contains(null) ? null : new ScheduleExpression(null, null, read!);
    }

    private static string Named(string text, string[] names, int first)
    {
        for (var i = 0; i < names.Length; i++)
        {
            text = text.Replace(names[i], (i + first).ToString(CultureInfo.InvariantCulture), StringComparison.OrdinalIgnoreCase);
        }
        return text;
    }

    /// <summary>The next time after a moment; null when there is none.</summary>
    /// <param name="after">The moment.</param>
    /// <param name="origin">When a rate began to be counted.</param>
    /// <param name="zone">The time zone of cron and at.</param>
    public DateTimeOffset? Next(DateTimeOffset after, DateTimeOffset origin, TimeZoneInfo? zone = null)
    {
        zone ??= TimeZoneInfo.Utc;
        if (rate is { } step)
        {
            return origin > after ? origin : origin + (step * (Math.Floor((after - origin) / step) + 1));
        }
        if (at is { } once)
        {
            var moment = new DateTimeOffset(once, zone.GetUtcOffset(once));
            return moment > after ? moment.ToUniversalTime() : null;
        }
        return NextOfCron(after, zone);
    }

    private DateTimeOffset? NextOfCron(DateTimeOffset after, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(after, zone).DateTime;
        var day = local.Date;
        var last = day.AddYears(10);
        var from = local.Hour * 60 + local.Minute + 1;
        for (; day < last; day = day.AddDays(1), from = 0)
        {
            if (!fields![5].Has(day.Year) || !fields[3].Has(day.Month) || !fields[2].HasDay(day) || !fields[4].HasWeekday(day))
            {
                continue;
            }
            for (var minute = from; minute < 1440; minute++)
            {
                if (fields[1].Has(minute / 60) && fields[0].Has(minute % 60))
                {
                    var moment = day.AddMinutes(minute);
                    if (!zone.IsInvalidTime(moment))
                    {
                        return new DateTimeOffset(moment, zone.GetUtcOffset(moment)).ToUniversalTime();
                    }
                }
            }
        }
        return null;
    }

    /// <summary>One field of a cron expression.</summary>
    private sealed class CronField
    {
        private readonly HashSet<int> values = [];
        private bool any;
        private bool last;
        private int? nearest;
        private (int Day, int Week)? nth;
        private int? lastWeekday;

        public bool Has(int value) => any || values.Contains(value);

        public bool HasDay(DateTime day)
        {
            var end = DateTime.DaysInMonth(day.Year, day.Month);
            if (nearest is { } wanted)
            {
                return day.Day == NearestWeekday(day, Math.Min(wanted, end));
            }
            return last ? day.Day == end : Has(day.Day);
        }

        public bool HasWeekday(DateTime day)
        {
            var number = (int)day.DayOfWeek + 1;
            if (nth is { } some)
            {
                return number == some.Day && (day.Day - 1) / 7 + 1 == some.Week;
            }
            return lastWeekday is { } final ? number == final && day.Day + 7 > DateTime.DaysInMonth(day.Year, day.Month) : Has(number);
        }

        private static int NearestWeekday(DateTime day, int wanted)
        {
            var date = new DateTime(day.Year, day.Month, wanted);
            return date.DayOfWeek switch
            {
                DayOfWeek.Saturday => wanted == 1 ? 3 : wanted - 1,
                DayOfWeek.Sunday => wanted == DateTime.DaysInMonth(day.Year, day.Month) ? wanted - 2 : wanted + 1,
                _ => wanted,
            };
        }

        public static CronField? Read(string text, int minimum, int maximum)
        {
            var field = new CronField();
            if (text is "*" or "?")
            {
                field.any = true;
                return field;
            }
            if (text == "L")
            {
                field.last = true;
                field.lastWeekday = maximum == 7 ? 7 : null;
                return field;
            }
            bool Number(string part, out int value) => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= minimum && value <= maximum;
            if (text.EndsWith('W') && Number(text[..^1], out var near))
            {
                field.nearest = near;
                return field;
            }
            if (maximum == 7 && text.EndsWith('L') && Number(text[..^1], out var final))
            {
                field.lastWeekday = final;
                return field;
            }
            if (text.Split('#') is [var weekday, var week] && Number(weekday, out var day) && int.TryParse(week, NumberStyles.None, CultureInfo.InvariantCulture, out var which))
            {
                field.nth = (day, which);
                return field;
            }
            foreach (var item in text.Split(','))
            {
                var (range, step) = item.Split('/') switch { [var one] => (one, 1), [var one, var each] when int.TryParse(each, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0 => (one, n), _ => ("", 1) };
                int low, high;
                if (range == "*")
                {
                    (low, high) = (minimum, maximum);
                }
                else if (range.Split('-') is [var first, var end] && Number(first, out low) && Number(end, out high))
                {
                    high = high < low ? high + maximum - minimum + 1 : high;
                }
                else if (Number(range, out low))
                {
                    high = item.Contains('/', StringComparison.Ordinal) ? maximum : low;
                }
                else
                {
                    return null;
                }
                for (var value = low; value <= high; value += step)
                {
                    field.values.Add(value > maximum ? value - (maximum - minimum + 1) : value);
                }
            }
            return field;
        }
    }
}
