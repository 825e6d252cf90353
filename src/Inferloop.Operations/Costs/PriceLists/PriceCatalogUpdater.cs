using System.Globalization;
using Amazon.Pricing;
using Amazon.Pricing.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Costs.PriceLists;

/// <summary>Makes a catalog of today's list prices: what AWS lists replaces the row of the same key, everything else stays.</summary>
internal sealed class PriceCatalogUpdater(PriceCatalog old, IOperationReporter reporter)
{
    private readonly Dictionary<(string Region, string Service, string Dimension), Found> _found = [];
    private readonly HashSet<(string, string, string)> _ambiguous = [];

    /// <summary>Asks the Price List Query API.</summary>
    public async Task QueryAsync(IAmazonPricing pricing, IReadOnlyList<string> regions, IReadOnlyCollection<string> services, CancellationToken cancellation)
    {
        var queries = PriceListRules.Queries.Where(q => services.Count == 0 || services.Contains(q.ServiceCode, StringComparer.OrdinalIgnoreCase)).ToList();
        if (queries.Count == 0)
        {
            var known = PriceListRules.Queries.Select(q => q.ServiceCode).Distinct().ToList();
            throw new OperationException(
                "PriceServiceUnknown", OperationErrorKind.InvalidArgument, $"No prices are taken from '{string.Join(", ", services)}'.{Suggestion.For(services.First(), known)}",
                "Use service codes of AWS's price list: " + string.Join(", ", known) + ".", services.First());
        }

        var done = 0;
        foreach (var region in regions)
        {
            foreach (var (code, filters) in queries)
            {
                reporter.Progress(new OperationProgress("Reading AWS's price list", $"{region}: {code}", done * 100 / (queries.Count * regions.Count)));
                var products = 0;
                string? token = null;
                do
                {
                    var page = await pricing.GetProductsAsync(
                        new GetProductsRequest
                        {
                            ServiceCode = code,
                            FormatVersion = "aws_v1",
                            MaxResults = 100,
                            NextToken = token,
                            Filters =
                            [
                                new Filter { Type = FilterType.TERM_MATCH, Field = code == "AWSDataTransfer" ? "fromRegionCode" : "regionCode", Value = region },
                                .. filters.Select(f => new Filter { Type = FilterType.TERM_MATCH, Field = f.Field, Value = f.Value }),
                            ],
                        },
                        cancellation).ConfigureAwait(false);
                    foreach (var product in page.PriceList ?? [])
                    {
                        products++;
                        foreach (var item in PriceListItem.Parse(product))
                        {
                            Add(region, item, $"AWS Price List Query API, {code}");
                        }
                    }

                    token = page.NextToken;
                }
                while (!string.IsNullOrEmpty(token));
                reporter.Verbose($"{region} {code}: {products} products.");
                done++;
            }
        }

        reporter.Progress(new OperationProgress("Reading AWS's price list", "read", 100));
    }

    /// <summary>Reads a bulk price file.</summary>
    public async Task ReadAsync(TextReader file, string name, IReadOnlyList<string> regions, CancellationToken cancellation)
    {
        var lines = 0;
        await foreach (var item in BulkPriceFile.ReadAsync(file, name, cancellation).ConfigureAwait(false))
        {
            var region = item["regionCode"] is { Length: > 0 } own ? own : item["fromRegionCode"];
            if (regions.Count == 0 || regions.Contains(region, StringComparer.Ordinal))
            {
                Add(region, item, $"AWS Price List bulk file, {item.ServiceCode}");
            }

            if (++lines % 10_000 == 0)
            {
                reporter.Progress(new OperationProgress("Reading " + name, string.Create(CultureInfo.InvariantCulture, $"{lines:#,0} prices")));
            }
        }
    }

    /// <summary>Downloads AWS's bulk files of the services and reads them.</summary>
    public async Task DownloadAsync(IAmazonPricing pricing, HttpClient http, IReadOnlyList<string> regions, IReadOnlyCollection<string> services, CancellationToken cancellation)
    {
        var codes = PriceListRules.Queries.Select(q => q.ServiceCode).Distinct().Where(c => services.Count == 0 || services.Contains(c, StringComparer.OrdinalIgnoreCase)).ToList();
        foreach (var region in regions)
        {
            foreach (var code in codes)
            {
                var lists = await pricing.ListPriceListsAsync(
                    new ListPriceListsRequest { ServiceCode = code, RegionCode = region, CurrencyCode = "USD", EffectiveDate = DateTime.UtcNow }, cancellation).ConfigureAwait(false);
                foreach (var list in lists.PriceLists ?? [])
                {
                    var answer = await pricing.GetPriceListFileUrlAsync(new GetPriceListFileUrlRequest { PriceListArn = list.PriceListArn, FileFormat = "csv" }, cancellation).ConfigureAwait(false);
                    await DownloadAsync(http, new Uri(answer.Url), $"{code} of {region}", regions, cancellation).ConfigureAwait(false);
                }
            }
        }
    }

    // To a file first: what is parsed is then known to be whole, as far as its length tells.
    internal async Task DownloadAsync(HttpClient http, Uri url, string name, IReadOnlyList<string> regions, CancellationToken cancellation)
    {
        var file = Path.GetTempFileName();
        try
        {
            try
            {
                using var response = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
                response.EnsureSuccessStatusCode();
                var length = response.Content.Headers.ContentLength;
                await using var source = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
                await using var target = File.Create(file);
                var buffer = new byte[1 << 16];
                var total = 0L;
                for (int read; (read = await source.ReadAsync(buffer, cancellation).ConfigureAwait(false)) > 0;)
                {
                    await target.WriteAsync(buffer.AsMemory(0, read), cancellation).ConfigureAwait(false);
                    total += read;
                    reporter.Progress(new OperationProgress(
                        "Downloading price lists", string.Create(CultureInfo.InvariantCulture, $"{name}: {total / 1_048_576.0:0.0} MB"), length is > 0 ? (int)(total * 100 / length.Value) : -1));
                }

                if (length is { } expected && total != expected)
                {
                    throw new HttpRequestException($"{total} of {expected} bytes came");
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                throw new OperationException(
                    "PriceListTruncated", OperationErrorKind.Connection, $"The price list {name} could not be downloaded whole: {e.Message}",
                    "Run Update-InferloopPriceCatalog again. The catalog that was there is unchanged.", url.Host, e);
            }

            using var reader = new StreamReader(file);
            await ReadAsync(reader, name, regions, cancellation).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Writes the new catalog over the old one, at once or not at all.</summary>
    public async Task<PriceCatalogUpdate> SaveAsync(string path, CancellationToken cancellation)
    {
        if (_found.Count == 0)
        {
            throw new OperationException(
                "PriceListEmpty", OperationErrorKind.OperationFailed, "The price list had no price that the catalog has a place for.",
                "Check -Region and -Service. The catalog that was there is unchanged.", path);
        }

        var changes = new List<PriceChange>();
        var rows = old.Prices.ToDictionary(p => (p.Region, p.Service, p.Dimension));
        foreach (var (key, found) in _found.Where(f => !_ambiguous.Contains(f.Key)))
        {
            var price = found.ToPrice(key);
            if (!rows.TryGetValue(key, out var before) || !before.Tiers.Select(t => (t.From, t.Usd)).SequenceEqual(price.Tiers.Select(t => (t.From, t.Usd))))
            {
                changes.Add(new PriceChange(key.Region, key.Service, key.Dimension, price.Unit, before?.Tiers[0].Usd, price.Tiers[0].Usd));
            }

            rows[key] = price;
        }

        // Written beside the old one, read back, and only then put in its place: whatever happens, one whole catalog is there.
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var fresh = path + "." + Guid.NewGuid().ToString("N")[..8] + ".new";
        try
        {
            await File.WriteAllTextAsync(fresh, CatalogWriter.Write(rows.Values), cancellation).ConfigureAwait(false);
            using (var reader = new StreamReader(fresh))
            {
                if (PriceCatalog.Read(reader, fresh).Count != rows.Count)
                {
                    throw new FormatException("the new catalog was not written whole");
                }
            }

            cancellation.ThrowIfCancellationRequested();
            File.Move(fresh, path, overwrite: true);
        }
        finally
        {
            File.Delete(fresh);
        }

        return new PriceCatalogUpdate
        {
            Path = path,
            Read = _found.Count,
            Added = changes.Count(c => c.Before is null),
            Changed = changes.Count(c => c.Before is not null),
            Changes = [.. changes.OrderBy(c => c.Region, StringComparer.Ordinal).ThenBy(c => c.Service, StringComparer.Ordinal).ThenBy(c => c.Dimension, StringComparer.Ordinal)],
            Ambiguous = [.. _ambiguous.Select(a => $"{a.Item1} {a.Item2}/{a.Item3}").Order(StringComparer.Ordinal)],
            Prices = rows.Count,
            Newest = _found.Values.Select(f => f.Date).Max(StringComparer.Ordinal) ?? "undated",
        };
    }

    private void Add(string region, PriceListItem item, string source)
    {
        // A price of zero is a free first tier: rows begin above it.
        if (region.Length == 0 || item.Usd <= 0 || PriceListRules.Place(item) is not { } place)
        {
            return;
        }

        var key = (region, place.Service, place.Dimension);
        if (!_found.TryGetValue(key, out var found))
        {
            _found[key] = found = new Found(place.Unit, source);
        }

        var from = item.Begin * place.Bounds;
        var usd = item.Usd * place.Factor;
        if (!found.Tiers.TryAdd(from, usd) && found.Tiers[from] != usd)
        {
            // Two products for one place, at two prices: neither is taken on a guess.
            _ambiguous.Add(key);
        }

        found.Date = item.Date;
    }

    private sealed class Found(string unit, string source)
    {
        public SortedDictionary<decimal, decimal> Tiers { get; } = [];

        public string Date { get; set; } = "undated";

        public Price ToPrice((string Region, string Service, string Dimension) key) =>
            new(key.Region, key.Service, key.Dimension, unit, [.. Tiers.Select(t => new PriceTier(t.Key, t.Value, source, Date))], null);
    }
}
