using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;

namespace Inferloop.Operations.Costs;

/// <summary>
/// List prices by region, service and dimension, each with its source and date. Exact by region: a price that a region lacks is
/// missing, whatever another region has.
/// </summary>
public sealed class PriceCatalog
{
    /// <summary>The region of prices that AWS lists once for all regions.</summary>
    public const string Global = "global";

    private const string Resource = "Inferloop.Operations.Costs.aws-prices.csv";
    private const string MoreResource = "Inferloop.Operations.Costs.aws-prices-more.csv";
    private static readonly Lazy<PriceCatalog> s_embedded = new(LoadEmbedded);
    private static UserCatalog? s_user;

    // Dimensions whose next tier exists but is not in the catalog: what lies beyond is unpriced, not priced at the last tier known.
    private static readonly Dictionary<(string, string, string), decimal> s_knownUpTo = new()
    {
        [("us-east-1", "data_transfer", "internet_out_gb")] = 153_600,
    };

    private readonly Dictionary<(string Region, string Service, string Dimension), Price> _prices;
    private readonly HashSet<string> _regions;

    private PriceCatalog(string name, Dictionary<(string, string, string), Price> prices)
    {
        Name = name;
        _prices = prices;
        _regions = [.. prices.Keys.Select(k => k.Item1).Where(r => r != Global)];
        var dates = prices.Values.SelectMany(p => p.Tiers).Select(t => t.AsOf).Where(d => d.Length > 0 && char.IsAsciiDigit(d[0])).ToList();
        Newest = dates.Max(StringComparer.Ordinal) ?? "undated";
        Oldest = dates.Min(StringComparer.Ordinal) ?? "undated";
    }

    /// <summary>The catalog that ships with the module; read once, on first use.</summary>
    public static PriceCatalog Embedded => s_embedded.Value;

    /// <summary>
    /// Where an updated catalog is kept for this user: the environment variable INFERLOOP_PRICE_CATALOG, or aws-prices.csv in the user's own
    /// application data.
    /// </summary>
    public static string UserPath => Environment.GetEnvironmentVariable("INFERLOOP_PRICE_CATALOG") is { Length: > 0 } path
        ? path
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "Inferloop", "aws-prices.csv");

    /// <summary>The catalog that the user has updated, or the embedded one where there is none.</summary>
    /// <exception cref="OperationException">The user's catalog is there and cannot be read.</exception>
    public static PriceCatalog Current
    {
        get
        {
            var path = UserPath;
            var written = File.GetLastWriteTimeUtc(path);
            if (!File.Exists(path))
            {
                return Embedded;
            }

            if (s_user is { } known && known.Path == path && known.Written == written)
            {
                return known.Catalog;
            }

            var catalog = Load(path);
            s_user = new(path, written, catalog);
            return catalog;
        }
    }

    /// <summary>Where the catalog came from.</summary>
    public string Name { get; }

    /// <summary>The regions that have prices, in order.</summary>
    public IReadOnlyList<string> Regions => (List<string>)[.. _regions.Order(StringComparer.Ordinal)];

    /// <summary>The number of prices.</summary>
    public int Count => _prices.Count;

    /// <summary>The date of the newest price.</summary>
    public string Newest { get; }

    /// <summary>The date of the oldest price that has one.</summary>
    public string Oldest { get; }

    /// <summary>Every price.</summary>
    public IEnumerable<Price> Prices => _prices.Values;

    /// <summary>Whether the catalog has any price of a region.</summary>
    /// <param name="region">AWS region code.</param>
    /// <returns>Whether it has.</returns>
    public bool HasRegion(string region) => _regions.Contains(region);

    /// <summary>The price of a dimension in a region, or the one price for all regions where AWS has only that.</summary>
    /// <param name="region">AWS region code.</param>
    /// <param name="service">Service key.</param>
    /// <param name="dimension">Dimension key.</param>
    /// <param name="price">The price.</param>
    /// <returns>Whether there is one. There is no other region's price instead.</returns>
    public bool TryFind(string region, string service, string dimension, [NotNullWhen(true)] out Price? price) =>
        _prices.TryGetValue((region, service, dimension), out price) || _prices.TryGetValue((Global, service, dimension), out price);

    /// <summary>Reads a catalog in the form of the embedded one: <c>region,service,dimension,tier_from,unit,usd,source,as_of</c>.</summary>
    /// <param name="reader">The text, header first.</param>
    /// <param name="name">Where it came from, for messages.</param>
    /// <returns>The catalog.</returns>
    /// <exception cref="FormatException">A line is not one of a catalog, or the text ends in the middle of one; says which.</exception>
    public static PriceCatalog Read(TextReader reader, string name) => Of(CatalogReader.Read(reader, name), name);

    /// <summary>A sentence that suggests what a slip may have meant; empty where nothing is near.</summary>
    internal static string Nearest(string given, IEnumerable<string> known) => Inferloop.Templates.Suggestion.For(given, known);

    /// <summary>Reads a catalog file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The catalog.</returns>
    /// <exception cref="OperationException">It cannot be read, or is no catalog.</exception>
    public static PriceCatalog Load(string path)
    {
        try
        {
            using var reader = new StreamReader(path);
            return Read(reader, Path.GetFileName(path));
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            throw new OperationException(
                "PriceCatalogUnreadable", e is FormatException ? OperationErrorKind.InvalidArgument : OperationErrorKind.NotFound, $"The price catalog '{path}' cannot be read: {e.Message}",
                "Make it anew with Update-InferloopPriceCatalog, or remove it to use the prices that ship with the module.", path, e);
        }
    }

    private static PriceCatalog Of(List<CatalogReader.Row> rows, string name)
    {
        var prices = new Dictionary<(string, string, string), Price>(rows.Count);
        foreach (var group in rows.GroupBy(r => (r.Region, r.Service, r.Dimension)))
        {
            var tiers = group.Select(r => r.Tier).OrderBy(t => t.From).ToArray();
            for (var i = 1; i < tiers.Length; i++)
            {
                if (tiers[i].From == tiers[i - 1].From)
                {
                    throw new FormatException(
                        $"{name}: {group.Key.Region},{group.Key.Service},{group.Key.Dimension} has two prices from {tiers[i].From.ToString(CultureInfo.InvariantCulture)}.");
                }
            }

            var first = group.First();
            prices[group.Key] = new Price(
                first.Region, first.Service, first.Dimension, first.Unit, tiers, s_knownUpTo.TryGetValue(group.Key, out var end) && tiers[^1].From < end ? end : null);
        }

        return prices.Count > 0 ? new PriceCatalog(name, prices) : throw new FormatException($"{name} holds no price.");
    }

    private static PriceCatalog LoadEmbedded()
    {
        // The second file holds facts of services beyond the platform's own; it adds and never overrides.
        const string Name = "the module's price catalog";
        var rows = new List<CatalogReader.Row>(8192);
        foreach (var resource in new[] { Resource, MoreResource })
        {
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)
                ?? throw new InvalidOperationException($"{resource} is not in the assembly.");
            using var reader = new StreamReader(stream);
            rows.AddRange(CatalogReader.Read(reader, Name));
        }

        return Of(rows, Name);
    }

    private sealed record UserCatalog(string Path, DateTime Written, PriceCatalog Catalog);
}
