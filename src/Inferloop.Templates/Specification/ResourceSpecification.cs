using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Inferloop.Templates;

/// <summary>
/// The resource types of CloudFormation: properties, their types, whether a change replaces the resource, attributes. Made from
/// AWS's published schemas; unpacked on first use, each type read when it is first asked for. Safe to use from several threads.
/// </summary>
public sealed class ResourceSpecification
{
    private static readonly Lazy<ResourceSpecification> s_default = new(() => new ResourceSpecification(Unpack()));

    private readonly byte[] _data;
    private readonly Dictionary<string, (int Start, int Length)> _lines = new(2048, StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ResourceTypeSpecification> _types = new(StringComparer.Ordinal);

    private ResourceSpecification(byte[] data)
    {
        _data = data;
        var at = data.AsSpan().IndexOf((byte)'\n') + 1;
        var prefix = "{\"t\":\""u8.Length;
        while (at < data.Length)
        {
            var length = data.AsSpan(at).IndexOf((byte)'\n');
            var name = data.AsSpan(at + prefix);
            _lines[Encoding.ASCII.GetString(name[..name.IndexOf((byte)'"')])] = (at, length);
            at += length + 1;
        }
    }

    /// <summary>The specification that ships with the module.</summary>
    public static ResourceSpecification Default => s_default.Value;

    /// <summary>The version of the source it was made from.</summary>
    public string Version
    {
        get
        {
            using var header = JsonDocument.Parse(_data.AsMemory(0, _data.AsSpan().IndexOf((byte)'\n')));
            return header.RootElement.GetProperty("version").GetString()!;
        }
    }

    /// <summary>The names of all resource types.</summary>
    public IEnumerable<string> Types => _lines.Keys;

    /// <summary>Finds a resource type.</summary>
    /// <param name="type">Its name, such as <c>AWS::ECS::Service</c>.</param>
    /// <returns>The type; null when it is not known (custom resources, modules and third-party types are not).</returns>
    public ResourceTypeSpecification? Find(string type)
    {
        if (_types.TryGetValue(type, out var known))
        {
            return known;
        }

        return _lines.TryGetValue(type, out var line)
            ? _types.GetOrAdd(type, SpecificationReader.Read(_data.AsMemory(line.Start, line.Length)))
            : null;
    }

    private static byte[] Unpack()
    {
        using var packed = typeof(ResourceSpecification).Assembly.GetManifestResourceStream("resource-specification.br")
            ?? throw new InvalidOperationException("The resource specification is not in the assembly.");
        using var stream = new BrotliStream(packed, CompressionMode.Decompress);
        using var data = new MemoryStream(2 * 1024 * 1024);
        stream.CopyTo(data);
        return data.GetBuffer().AsSpan(0, (int)data.Length).ToArray();
    }
}
