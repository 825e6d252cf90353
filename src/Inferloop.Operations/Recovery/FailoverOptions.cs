namespace Inferloop.Operations.Recovery;

/// <summary>What an operator says about a failover.</summary>
internal sealed record FailoverOptions
{
    public FailoverMode Mode { get; init; }

    /// <summary>How much of the newest data may be lost; more than the objective is a consent.</summary>
    public TimeSpan? MaximumDataLoss { get; init; }

    /// <summary>The steps before which to wait for an approval.</summary>
    public IReadOnlyList<string> Approvals { get; init; } = [];

    /// <summary>Since when the region is lost, where somebody knows: nothing was written there since, so that a lag that grew since then lost nothing.</summary>
    public DateTimeOffset? LostSince { get; init; }

    public bool IsRehearsal { get; init; }
}
