namespace Inferloop.Operations.Specs;

/// <summary>Remembers the file that a spec was read from, and where in it each member stands, so that findings can point there.</summary>
internal sealed class SpecOrigin(string? file, IReadOnlyDictionary<string, SpecPosition> positions)
{
    public static SpecOrigin None { get; } = new(null, new Dictionary<string, SpecPosition>());

    public string? File { get; } = file;

    public SpecPosition? Find(string path) => positions.TryGetValue(path, out var p) ? p : null;
}

/// <summary>A line and a column, both counted from 1.</summary>
internal readonly record struct SpecPosition(int Line, int Column);
