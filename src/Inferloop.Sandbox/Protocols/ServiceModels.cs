using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text.Json;

namespace Inferloop.Sandbox.Protocols;

/// <summary>The service models embedded in this assembly.</summary>
internal static class ServiceModels
{
    private static readonly Lazy<IReadOnlyList<string>> EmbeddedNames = new(ReadNames);
    private static readonly ConcurrentDictionary<string, Lazy<ServiceModel>> Loaded = new(StringComparer.Ordinal);

    /// <summary>The names of all models.</summary>
    public static IReadOnlyList<string> Names => EmbeddedNames.Value;

    public static bool Exists(string name) => Names.Contains(name, StringComparer.Ordinal);

    public static ServiceModel Get(string name) => Loaded.GetOrAdd(name, static key => new Lazy<ServiceModel>(() => Read(key))).Value;

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
