using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery;

/// <summary>What of an environment a failover has to do with.</summary>
internal sealed record FailoverShape
{
    public required FailoverMode Mode { get; init; }

    public FailoverDirection Direction { get; init; }

    public required StandbyMode StandbyMode { get; init; }

    public required string FromRegion { get; init; }

    public required string ToRegion { get; init; }

    public bool HasDatabase { get; init; }

    public bool HasCache { get; init; }

    public bool HasTable { get; init; }

    public bool HasBucket { get; init; }

    public bool HasSecrets { get; init; }

    public bool HasDns { get; init; }

    /// <summary>How long the update of the standby's stack takes, as its forecast says.</summary>
    public TimeSpan Compute { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The steps before which an approval is waited for.</summary>
    public IReadOnlyList<string> Approvals { get; init; } = [];
}
