using System.Globalization;

namespace Inferloop.Sandbox.Services.Logs.Insights;

/// <summary>Values of queries: null, text, numbers, truths and moments; text that looks like a number counts as one.</summary>
internal static class InsightsValue
{
    public static double? Number(object? value) => value switch
    {
        double number => number,
        DateTimeOffset moment => moment.ToUnixTimeMilliseconds(),
        string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };

    public static bool IsTrue(object? value) => value switch { bool truth => truth, double number => number != 0, string text => text is "true" or "1", _ => false };

    /// <summary>As results show it.</summary>
    public static string? Text(object? value) => value switch
    {
        null => null,
        string text => text,
        bool truth => truth ? "1" : "0",
        DateTimeOffset moment => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture),
        double number => Math.Round(number, 4).ToString("0.####", CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    public static int Compare(object? one, object? other)
    {
        if (one is null || other is null)
        {
            return one is null ? other is null ? 0 : -1 : 1;
        }
        return Number(one) is { } left && Number(other) is { } right ? left.CompareTo(right) : string.CompareOrdinal(Text(one), Text(other));
    }

    public static bool Same(object? one, object? other) => one is not null && other is not null && Compare(one, other) == 0;

    /// <summary>The span of <c>5m</c>, <c>1h</c> and the like; null for what is none.</summary>
    public static TimeSpan? Span(string text)
    {
        var digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        if (!double.TryParse(text.AsSpan(0, digits), NumberStyles.Float, CultureInfo.InvariantCulture, out var count) || count <= 0)
        {
            return null;
        }
        return text[digits..] switch
        {
            "ms" or "msec" or "milliseconds" or "millisecond" => TimeSpan.FromMilliseconds(count),
            "s" or "sec" or "second" or "seconds" => TimeSpan.FromSeconds(count),
            "m" or "min" or "minute" or "minutes" => TimeSpan.FromMinutes(count),
            "h" or "hr" or "hour" or "hours" => TimeSpan.FromHours(count),
            "d" or "day" or "days" => TimeSpan.FromDays(count),
            "w" or "week" or "weeks" => TimeSpan.FromDays(count * 7),
            _ => null,
        };
    }
}
