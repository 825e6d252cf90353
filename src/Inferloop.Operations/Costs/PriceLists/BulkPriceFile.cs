using System.Text;

namespace Inferloop.Operations.Costs.PriceLists;

/// <summary>Reads AWS's bulk price files (CSV) line by line: they are larger than memory should be asked for.</summary>
internal static class BulkPriceFile
{
    private static readonly string[] s_required = ["TermType", "StartingRange", "Unit", "PricePerUnit", "Currency", "usageType"];

    /// <summary>The on-demand prices of a file.</summary>
    /// <param name="reader">The file.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>Prices in the file's order.</returns>
    /// <exception cref="FormatException">It is not a price file, or it is cut off.</exception>
    public static async IAsyncEnumerable<PriceListItem> ReadAsync(TextReader reader, string name, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var facts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        string[]? columns = null;
        var number = 0;
        var records = new Records(reader, name);
        while (await records.ReadAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            number++;
            var fields = Split(line);
            if (columns is null)
            {
                if (fields[0] == "SKU")
                {
                    columns = fields;
                    if (s_required.FirstOrDefault(r => !columns.Contains(r, StringComparer.OrdinalIgnoreCase)) is { } missing)
                    {
                        throw new FormatException($"{name} is no price file: its header has no column '{missing}'.");
                    }
                }
                else if (fields.Length >= 2)
                {
                    facts[fields[0]] = fields[1];
                }

                continue;
            }

            if (fields.Length != columns.Length)
            {
                throw new FormatException($"{name}, line {number}: {columns.Length} fields are expected and {fields.Length} are there; the file is cut off.");
            }

            var attributes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            for (var i = 0; i < fields.Length; i++)
            {
                if (fields[i].Length > 0)
                {
                    // "Instance Type" here is instanceType there.
                    attributes[columns[i].Replace(" ", "", StringComparison.Ordinal)] = fields[i];
                }
            }

            if (attributes.GetValueOrDefault("TermType") == "OnDemand" && attributes.GetValueOrDefault("Currency") == "USD")
            {
                attributes.TryAdd("regionCode", attributes.GetValueOrDefault("Region Code", ""));
                attributes["preInstalledSw"] = attributes.GetValueOrDefault("PreInstalledS/W", "");
                attributes["capacitystatus"] = attributes.GetValueOrDefault("CapacityStatus", "");
                yield return new PriceListItem(
                    attributes.GetValueOrDefault("serviceCode") ?? facts.GetValueOrDefault("OfferCode", ""), attributes, attributes.GetValueOrDefault("Unit", ""),
                    PriceListItem.Number(attributes.GetValueOrDefault("StartingRange", "0")), PriceListItem.Number(attributes.GetValueOrDefault("PricePerUnit", "")),
                    PriceListItem.Day(facts.GetValueOrDefault("Publication Date", "")));
            }
        }

        if (columns is null)
        {
            throw new FormatException($"{name} is no price file, or is cut off: it has no header.");
        }
    }

    // A field may hold line ends, so a record goes on until its quotes are closed. A record without a line end is the torn end of a file.
    private sealed class Records(TextReader reader, string name)
    {
        private readonly char[] _buffer = new char[1 << 14];
        private int _length;
        private int _position;

        public async Task<string?> ReadAsync(CancellationToken cancellation)
        {
            var record = new StringBuilder();
            var quoted = false;
            while (true)
            {
                if (_position == _length)
                {
                    _length = await reader.ReadAsync(_buffer, cancellation).ConfigureAwait(false);
                    _position = 0;
                    if (_length == 0)
                    {
                        return record.Length == 0 ? null : throw new FormatException($"{name} is cut off: its last line has no end.");
                    }
                }

                var c = _buffer[_position++];
                quoted ^= c == '"';
                if (c == '\n' && !quoted)
                {
                    return record.Length > 0 && record[^1] == '\r' ? record.ToString(0, record.Length - 1) : record.ToString();
                }

                record.Append(c);
            }
        }
    }

    private static string[] Split(string line)
    {
        var fields = new List<string>(96);
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (c == '"')
            {
                if (quoted && i + 1 < line.Length && line[i + 1] == '"')
                {
                    field.Append('"');
                    i++;
                }
                else
                {
                    quoted = !quoted;
                }
            }
            else if (c == ',' && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(c);
            }
        }

        fields.Add(field.ToString());
        return [.. fields];
    }
}
