namespace Inferloop.Operations.Recovery;

/// <summary>How a store of data stands in the other region.</summary>
public sealed record InferloopRecoveryStore
{
    /// <summary>Which: Database, Cache, Table, Bucket or Secrets.</summary>
    public required string Name { get; init; }

    /// <summary>By what its data gets there, such as "cross-region replica".</summary>
    public required string By { get; init; }

    /// <summary>What it is in the other region: an identifier.</summary>
    public string Identifier { get; init; } = "";

    /// <summary>How old the newest data is that arrived; null where that cannot be told from the other region.</summary>
    public TimeSpan? Lag { get; init; }

    /// <summary>What the age was read from, or why it cannot be told.</summary>
    public string Source { get; init; } = "";

    /// <summary>Name and age in one line.</summary>
    public override string ToString() => $"{Name}: {(Lag is { } lag ? $"{lag.TotalSeconds:0} s behind" : "not known")}";
}
