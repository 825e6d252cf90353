using System.Globalization;

namespace Inferloop.Operations.Costs;

/// <summary>Reads catalog files: CSV, fields quoted where they hold a comma or a quote, one price tier a line.</summary>
internal static class CatalogReader
{
    private const string Header = "region,service,dimension,tier_from,unit,usd,source,as_of";
    private const int Fields = 8;

    public readonly record struct Row(string Region, string Service, string Dimension, string Unit, PriceTier Tier);

    public static List<Row> Read(TextReader reader, string name)
    {
        if (reader.ReadLine() is not Header)
        {
            throw new FormatException($"{name} is not a price catalog: its first line is not '{Header}'.");
        }

        // A few hundred texts make up thousands of lines: each is kept once.
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        var rows = new List<Row>(4096);
        Span<Range> fields = stackalloc Range[Fields];
        var number = 1;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (line.Length == 0)
            {
                continue;
            }

            if (Split(line, fields) != Fields)
            {
                throw new FormatException($"{name}, line {number}: {Fields} fields are expected; the file may be cut off.");
            }

            if (!decimal.TryParse(line.AsSpan(fields[3]), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var from)
                || !decimal.TryParse(line.AsSpan(fields[5]), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var usd)
                || usd == 0)
            {
                throw new FormatException($"{name}, line {number}: tier_from and usd are to be plain numbers, usd above 0.");
            }

            rows.Add(new Row(
                Text(texts, line.AsSpan(fields[0])),
                Text(texts, line.AsSpan(fields[1])),
                Text(texts, line.AsSpan(fields[2])),
                Text(texts, line.AsSpan(fields[4])),
                new PriceTier(from, usd, Text(texts, line.AsSpan(fields[6])), Text(texts, line.AsSpan(fields[7])))));
        }

        return rows;
    }

    private static string Text(Dictionary<string, string> texts, ReadOnlySpan<char> field)
    {
        var text = field.ToString();
        if (!texts.TryGetValue(text, out var known))
        {
            texts[text] = known = text.Replace("\"\"", "\"", StringComparison.Ordinal);
        }

        return known;
    }

    private static int Split(string line, Span<Range> fields)
    {
        var count = 0;
        var position = 0;
        while (count < fields.Length)
        {
            int end;
            if (position < line.Length && line[position] == '"')
            {
                end = position + 1;
                while (end < line.Length && (line[end] != '"' || (end + 1 < line.Length && line[end + 1] == '"')))
                {
                    end += line[end] == '"' ? 2 : 1;
                }

                if (end >= line.Length)
                {
                    return -1;
                }

                fields[count++] = (position + 1)..end;
                end++;
            }
            else
            {
                var comma = line.IndexOf(',', position);
                end = comma < 0 ? line.Length : comma;
                fields[count++] = position..end;
            }

            if (end == line.Length)
            {
                return count;
            }

            if (line[end] != ',')
            {
                return -1;
            }

            position = end + 1;
        }

        return -1;
    }
}
