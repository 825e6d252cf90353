using System.Text.RegularExpressions;

namespace Inferloop.Sandbox.Services.Logs.Insights;

internal abstract record InsightsCommand;

internal sealed record FieldsCommand(IReadOnlyList<NamedExpression> Columns) : InsightsCommand;

internal sealed record DisplayCommand(IReadOnlyList<NamedExpression> Columns) : InsightsCommand;

internal sealed record FilterCommand(InsightsExpression Condition) : InsightsCommand;

internal sealed record StatsCommand(IReadOnlyList<NamedExpression> Columns, IReadOnlyList<NamedExpression> By) : InsightsCommand;

internal sealed record SortCommand(IReadOnlyList<(InsightsExpression Key, bool Descending)> Keys) : InsightsCommand;

internal sealed record LimitCommand(int Count, bool Last) : InsightsCommand;

internal sealed record DedupCommand(IReadOnlyList<InsightsExpression> Keys) : InsightsCommand;

internal sealed record ParseCommand(InsightsExpression Source, Regex Pattern, IReadOnlyList<(string Group, string Field)> Fields) : InsightsCommand;

/// <summary>What a query gives: its columns and rows, and how many events it took into account.</summary>
internal sealed record InsightsResult(IReadOnlyList<string> Columns, IReadOnlyList<InsightsRow> Rows, int Matched, bool IsStatistics);

/// <summary>A query of Logs Insights: its commands, one after the other, over the rows.</summary>
internal sealed class InsightsQuery(IReadOnlyList<InsightsCommand> commands)
{
    public const int MostRows = 10_000;

    /// <summary>Runs over events, the newest first.</summary>
    public InsightsResult Run(IEnumerable<InsightsRow> events, int limit)
    {
        var rows = events;
        var columns = new List<string>();
        var (displayed, isStatistics, hasLimit) = (false, false, false);
        int? matched = null;
        foreach (var command in commands)
        {
            switch (command)
            {
                case FieldsCommand fields:
                    rows = With(rows, fields.Columns);
                    if (!displayed)
                    {
                        columns.AddRange(fields.Columns.Select(column => column.Name).Where(name => !columns.Contains(name)));
                    }
                    break;
                case DisplayCommand display:
                    rows = With(rows, display.Columns);
                    (columns, displayed) = ([.. display.Columns.Select(column => column.Name)], true);
                    break;
                case FilterCommand filter:
                    rows = rows.Where(row => InsightsValue.IsTrue(filter.Condition.Of(row)));
                    break;
                case ParseCommand parse:
                    rows = rows.Select(row => Parsed(row, parse));
                    if (!displayed && columns.Count > 0)
                    {
                        columns.AddRange(parse.Fields.Select(field => field.Field).Where(name => !columns.Contains(name)));
                    }
                    break;
                case DedupCommand dedup:
                    rows = rows.DistinctBy(row => string.Join('\u0001', dedup.Keys.Select(key => InsightsValue.Text(key.Of(row)) ?? "\u0000")));
                    break;
                case SortCommand sort:
                    rows = Sorted(rows, sort);
                    break;
                case LimitCommand cut:
                    rows = cut.Last ? rows.TakeLast(cut.Count) : rows.Take(cut.Count);
                    hasLimit = true;
                    break;
                case StatsCommand stats:
                    var all = rows.ToList();
                    matched ??= all.Count;
                    rows = Statistics(all, stats);
                    (columns, isStatistics) = ([.. stats.By.Select(column => column.Name), .. stats.Columns.Select(column => column.Name)], true);
                    break;
                default:
                    throw new InvalidOperationException($"No such command: {command}");
            }
        }
        var found = rows.ToList();
        return new InsightsResult(columns.Count > 0 ? columns : ["@timestamp", "@message"], [.. found.Take(hasLimit ? MostRows : limit)], matched ?? found.Count, isStatistics);
    }

    private static IEnumerable<InsightsRow> With(IEnumerable<InsightsRow> rows, IReadOnlyList<NamedExpression> columns) => rows.Select(row =>
    {
        foreach (var column in columns.Where(column => column.Expression is not FieldOf field || field.Name != column.Name))
        {
            row[column.Name] = column.Expression.Of(row);
        }
        return row;
    });

    private static InsightsRow Parsed(InsightsRow row, ParseCommand parse)
    {
        if (InsightsValue.Text(parse.Source.Of(row)) is { } text && parse.Pattern.Match(text) is { Success: true } match)
        {
            foreach (var (group, field) in parse.Fields.Where(field => match.Groups[field.Group].Success))
            {
                row[field] = match.Groups[group].Value;
            }
        }
        return row;
    }

    private static List<InsightsRow> Sorted(IEnumerable<InsightsRow> rows, SortCommand sort)
    {
        // Stable, and what has no value comes last whichever way.
        var comparer = Comparer<object?>.Create(InsightsValue.Compare);
        IOrderedEnumerable<InsightsRow>? ordered = null;
        foreach (var (key, descending) in sort.Keys)
        {
            ordered = (ordered?.ThenBy(row => key.Of(row) is null) ?? rows.OrderBy(row => key.Of(row) is null));
            ordered = descending ? ordered.ThenByDescending(key.Of, comparer) : ordered.ThenBy(key.Of, comparer);
        }
        return [.. ordered!];
    }

    private static IEnumerable<InsightsRow> Statistics(List<InsightsRow> rows, StatsCommand stats)
    {
        IEnumerable<List<InsightsRow>> groups = stats.By.Count == 0 ? [rows] : rows.GroupBy(row => string.Join('\u0001', stats.By.Select(key => InsightsValue.Text(key.Expression.Of(row)) ?? "\u0000")), StringComparer.Ordinal).Select(group => group.ToList());
        return groups.Select(group =>
        {
            var line = new InsightsRow();
            foreach (var key in stats.By)
            {
                line[key.Name] = key.Expression.OfGroup(group);
            }
            foreach (var column in stats.Columns)
            {
                line[column.Name] = column.Expression.OfGroup(group);
            }
            return line;
        });
    }
}
