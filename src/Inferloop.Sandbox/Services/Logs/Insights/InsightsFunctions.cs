using System.Net;
using System.Net.Sockets;

namespace Inferloop.Sandbox.Services.Logs.Insights;

/// <summary>The functions of the query language, as its guide lists them.</summary>
internal static class InsightsFunctions
{
    private static double? Numeric(object?[] a, Func<double, double> function) => InsightsValue.Number(a[0]) is { } number && function(number) is var result && double.IsFinite(result) ? result : null;

    private static object? OfText(object?[] a, Func<string, object?> function) => InsightsValue.Text(a[0]) is { } text ? function(text) : null;

    private static readonly Dictionary<string, (int Least, int Most, Func<object?[], object?> Function)> Functions = new(StringComparer.OrdinalIgnoreCase)
    {
        ["abs"] = (1, 1, a => Numeric(a, Math.Abs)),
        ["ceil"] = (1, 1, a => Numeric(a, Math.Ceiling)),
        ["floor"] = (1, 1, a => Numeric(a, Math.Floor)),
        ["sqrt"] = (1, 1, a => Numeric(a, Math.Sqrt)),
        ["log"] = (1, 1, a => Numeric(a, Math.Log)),
        ["greatest"] = (1, 99, a => a.Select(InsightsValue.Number).Max() is { } most ? most : null),
        ["least"] = (1, 99, a => a.Select(InsightsValue.Number).Min() is { } least ? least : null),
        ["ispresent"] = (1, 1, a => a[0] is not null),
        ["coalesce"] = (1, 99, a => Array.Find(a, value => value is not null)),
        ["isempty"] = (1, 1, a => a[0] is null or ""),
        ["isblank"] = (1, 1, a => string.IsNullOrWhiteSpace(InsightsValue.Text(a[0]))),
        ["concat"] = (1, 99, a => string.Concat(a.Select(InsightsValue.Text))),
        ["trim"] = (1, 2, a => OfText(a, text => text.Trim(Characters(a)))),
        ["ltrim"] = (1, 2, a => OfText(a, text => text.TrimStart(Characters(a)))),
        ["rtrim"] = (1, 2, a => OfText(a, text => text.TrimEnd(Characters(a)))),
        ["strlen"] = (1, 1, a => OfText(a, text => (double)text.Length)),
        ["toupper"] = (1, 1, a => OfText(a, text => text.ToUpperInvariant())),
        ["tolower"] = (1, 1, a => OfText(a, text => text.ToLowerInvariant())),
        ["strcontains"] = (2, 2, a => OfText(a, text => InsightsValue.Text(a[1]) is { } part && text.Contains(part, StringComparison.Ordinal))),
        ["replace"] = (3, 3, a => OfText(a, text => InsightsValue.Text(a[1]) is { Length: > 0 } part ? text.Replace(part, InsightsValue.Text(a[2]), StringComparison.Ordinal) : text)),
        ["substr"] = (2, 3, a => OfText(a, text =>
        {
            var from = (int)Math.Clamp(InsightsValue.Number(a[1]) ?? 0, 0, text.Length);
            var length = a.Length > 2 ? (int)Math.Clamp(InsightsValue.Number(a[2]) ?? 0, 0, text.Length - from) : text.Length - from;
            return text.Substring(from, length);
        })),
        ["frommillis"] = (1, 1, a => InsightsValue.Number(a[0]) is { } at ? DateTimeOffset.FromUnixTimeMilliseconds((long)at) : null),
        ["tomillis"] = (1, 1, a => InsightsValue.Number(a[0])),
        ["isvalidip"] = (1, 1, a => IPAddress.TryParse(InsightsValue.Text(a[0]), out _)),
        ["isvalidipv4"] = (1, 1, a => IPAddress.TryParse(InsightsValue.Text(a[0]), out var ip) && ip.AddressFamily == AddressFamily.InterNetwork),
        ["isvalidipv6"] = (1, 1, a => IPAddress.TryParse(InsightsValue.Text(a[0]), out var ip) && ip.AddressFamily == AddressFamily.InterNetworkV6),
        ["isipinsubnet"] = (2, 2, a => InSubnet(a, null)),
        ["isipv4insubnet"] = (2, 2, a => InSubnet(a, AddressFamily.InterNetwork)),
        ["isipv6insubnet"] = (2, 2, a => InSubnet(a, AddressFamily.InterNetworkV6)),
    };

    private static readonly Dictionary<string, (int Least, int Most, Func<IReadOnlyList<InsightsExpression>, IReadOnlyList<InsightsRow>, object?> Function)> Aggregates = new(StringComparer.OrdinalIgnoreCase)
    {
        ["count"] = (0, 1, (a, rows) => (double)(a.Count == 0 ? rows.Count : rows.Count(row => a[0].Of(row) is not null))),
        ["count_distinct"] = (1, 1, (a, rows) => (double)rows.Select(row => InsightsValue.Text(a[0].Of(row))).Where(text => text is not null).Distinct(StringComparer.Ordinal).Count()),
        ["sum"] = (1, 1, (a, rows) => Numbers(a, rows).Sum()),
        ["avg"] = (1, 1, (a, rows) => Numbers(a, rows) is { Count: > 0 } all ? all.Average() : null),
        ["min"] = (1, 1, (a, rows) => Present(a, rows).Aggregate((object?)null, (least, value) => least is null || InsightsValue.Compare(value, least) < 0 ? value : least)),
        ["max"] = (1, 1, (a, rows) => Present(a, rows).Aggregate((object?)null, (most, value) => most is null || InsightsValue.Compare(value, most) > 0 ? value : most)),
        ["stddev"] = (1, 1, (a, rows) => Numbers(a, rows) is { Count: > 0 } all ? Math.Sqrt(all.Sum(value => Math.Pow(value - all.Average(), 2)) / all.Count) : null),
        ["pct"] = (2, 2, (a, rows) => Percentile(Numbers(a, rows), InsightsValue.Number(a[1].OfGroup(rows)) ?? 50)),
        ["median"] = (1, 1, (a, rows) => Percentile(Numbers(a, rows), 50)),
        ["earliest"] = (1, 1, (a, rows) => rows.Where(row => a[0].Of(row) is not null).MinBy(row => row["@timestamp"] as DateTimeOffset?) is { } row ? a[0].Of(row) : null),
        ["latest"] = (1, 1, (a, rows) => rows.Where(row => a[0].Of(row) is not null).MaxBy(row => row["@timestamp"] as DateTimeOffset?) is { } row ? a[0].Of(row) : null),
        ["sortsfirst"] = (1, 1, (a, rows) => Present(a, rows).MinBy(InsightsValue.Text, StringComparer.Ordinal)),
        ["sortslast"] = (1, 1, (a, rows) => Present(a, rows).MaxBy(InsightsValue.Text, StringComparer.Ordinal)),
    };

    /// <summary>A call of a function; the problem where it cannot be.</summary>
    public static (InsightsExpression? Call, string? Problem) Call(string name, IReadOnlyList<InsightsExpression> arguments)
    {
        if (Aggregates.TryGetValue(name, out var aggregate))
        {
            return arguments.Count < aggregate.Least || arguments.Count > aggregate.Most ? (null, $"Wrong number of arguments for function {name}") : (new Aggregate(rows => aggregate.Function(arguments, rows)), null);
        }
        if (!Functions.TryGetValue(name, out var function))
        {
            return (null, $"Invalid function: {name}");
        }
        return arguments.Count < function.Least || arguments.Count > function.Most ? (null, $"Wrong number of arguments for function {name}") : (new Applied(arguments, function.Function), null);
    }

    /// <summary>A moment rounded down (or up) to a span.</summary>
    public static object? Bin(object? value, TimeSpan span, bool up = false)
    {
        if (value is not DateTimeOffset moment)
        {
            return null;
        }
        var ticks = moment.Ticks - DateTimeOffset.UnixEpoch.Ticks;
        var whole = (ticks / span.Ticks) + (up && ticks % span.Ticks != 0 ? 1 : 0);
        return DateTimeOffset.UnixEpoch.AddTicks(whole * span.Ticks);
    }

    private static char[]? Characters(object?[] a) => a.Length > 1 ? InsightsValue.Text(a[1])?.ToCharArray() : null;

    private static bool InSubnet(object?[] a, AddressFamily? family) => IPAddress.TryParse(InsightsValue.Text(a[0]), out var address) && IPNetwork.TryParse(InsightsValue.Text(a[1]), out var network)
        && (family is null || address.AddressFamily == family) && network.Contains(address);

    private static IEnumerable<object?> Present(IReadOnlyList<InsightsExpression> a, IReadOnlyList<InsightsRow> rows) => rows.Select(a[0].Of).Where(value => value is not null);

    private static List<double> Numbers(IReadOnlyList<InsightsExpression> a, IReadOnlyList<InsightsRow> rows) => [.. rows.Select(row => InsightsValue.Number(a[0].Of(row))).OfType<double>()];

    private static object? Percentile(List<double> values, double percent)
    {
        if (values.Count == 0)
        {
            return null;
        }
        values.Sort();
        var at = Math.Clamp(percent, 0, 100) / 100 * (values.Count - 1);
        var (below, above) = (values[(int)Math.Floor(at)], values[(int)Math.Ceiling(at)]);
        return below + ((above - below) * (at - Math.Floor(at)));
    }
}
