namespace Inferloop.Operations.Specs;

/// <summary>A spec file's content, whatever its syntax: scalars, lists and maps that know where they stand.</summary>
internal abstract record SpecNode(SpecPosition Position);

/// <summary>A number, a boolean, a text or nothing.</summary>
internal sealed record SpecScalar(object? Value, SpecPosition Position) : SpecNode(Position);

/// <summary>A sequence.</summary>
internal sealed record SpecList(IReadOnlyList<SpecNode> Items, SpecPosition Position) : SpecNode(Position);

/// <summary>Keys and values in the order of the file; a key may stand there twice, which the reader reports.</summary>
internal sealed record SpecMap(IReadOnlyList<SpecEntry> Entries, SpecPosition Position) : SpecNode(Position);

/// <summary>One key with its value.</summary>
internal sealed record SpecEntry(string Key, SpecPosition Position, SpecNode Value);
