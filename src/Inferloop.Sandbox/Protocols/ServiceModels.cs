using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text.Json;

namespace Inferloop.Sandbox.Protocols;

/// <summary>What requests of a service are recognised by.</summary>
internal sealed record ServiceIndexEntry(string Name, string EndpointPrefix, string SigningName, string? TargetPrefix, string ApiVersion);

/// <summary>The service models embedded in this assembly.</summary>
internal static class ServiceModels
{
    private static readonly Lazy<IReadOnlyList<string>> EmbeddedNames = new(ReadNames);
    private static readonly Lazy<IReadOnlyList<ServiceIndexEntry>> EmbeddedIndex = new(ReadIndex);
    private static readonly Lazy<Dictionary<string, List<ServiceIndexEntry>>> Signed = new(static () =>
        Index.GroupBy(entry => entry.SigningName, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.ToList(), StringComparer.Ordinal));

    private static readonly ConcurrentDictionary<string, Lazy<ServiceModel>> Loaded = new(StringComparer.Ordinal);

    /// <summary>The names of all models.</summary>
    public static IReadOnlyList<string> Names => EmbeddedNames.Value;

    public static bool Exists(string name) => Names.Contains(name, StringComparer.Ordinal);

    public static ServiceModel Get(string name) => (Loaded.TryGetValue(name, out var known) ? known : Loaded.GetOrAdd(name, static key => new Lazy<ServiceModel>(() => Read(key)))).Value;

    /// <summary>What requests are recognised by, of every model. Only the metadata at the head of each file is read.</summary>
    public static IReadOnlyList<ServiceIndexEntry> Index => EmbeddedIndex.Value;

    /// <summary>The same by the name that their requests are signed for, which some share.</summary>
    public static IReadOnlyDictionary<string, List<ServiceIndexEntry>> BySigningName => Signed.Value;

    private static List<ServiceIndexEntry> ReadIndex()
    {
        using var archive = Open();
        var entries = new List<ServiceIndexEntry>();
        foreach (var entry in archive.Entries.Where(entry => entry.Name.EndsWith(".json", StringComparison.Ordinal)).OrderBy(entry => entry.Name[..^5], StringComparer.Ordinal))
        {
            using var stream = entry.Open();
            var metadata = ReadMetadata(stream);
            var name = Path.GetFileNameWithoutExtension(entry.Name);
            var endpoint = Json.Text(metadata, "endpointPrefix") ?? name;
            entries.Add(new ServiceIndexEntry(name, endpoint, Json.Text(metadata, "signingName") ?? endpoint, Json.Text(metadata, "targetPrefix"), Json.Text(metadata, "apiVersion") ?? ""));
        }
        return entries;
    }

    /// <summary>The value of "metadata", which the import script writes first.</summary>
    private static JsonElement ReadMetadata(Stream stream)
    {
        var buffer = new byte[8192];
        var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        var reader = new Utf8JsonReader(buffer.AsSpan(0, length), isFinalBlock: false, default);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals("metadata"))
            {
                return JsonElement.ParseValue(ref reader);
            }
        }
        throw new InvalidDataException("A service model does not begin with its metadata.");
    }

    private static ServiceModel Read(string name)
    {
        using var archive = Open();
        var entry = archive.GetEntry(name + ".json") ?? throw new KeyNotFoundException($"There is no service model named {name}.");
        using var stream = entry.Open();
        // The document lives as long as the process: shapes are read from it on demand.
        return new ServiceModel(name, JsonDocument.Parse(stream).RootElement);
    }

    private static List<string> ReadNames()
    {
        using var archive = Open();
        return archive.Entries
            .Where(entry => entry.Name.EndsWith(".json", StringComparison.Ordinal))
            .Select(entry => Path.GetFileNameWithoutExtension(entry.Name))
            .Order(StringComparer.Ordinal)
            .ToList();
    }

    private static ZipArchive Open() => new(
        typeof(ServiceModels).Assembly.GetManifestResourceStream("service-models.zip")
            ?? throw new InvalidOperationException("The service models are not embedded in this assembly."),
        ZipArchiveMode.Read);
}
