namespace Inferloop.Operations.Costs.Advice;

/// <summary>What a recommendation is about.</summary>
public enum CostRecommendationKind
{
    /// <summary>Something is larger, or there is more of it, than its use asks for.</summary>
    RightSizing,

    /// <summary>Something runs that nothing uses.</summary>
    Idle,

    /// <summary>A newer kind of volume costs less.</summary>
    VolumeType,

    /// <summary>Graviton (ARM) processors cost less.</summary>
    Arm,

    /// <summary>Capacity that AWS may take back costs less.</summary>
    Spot,

    /// <summary>NAT gateways and endpoints.</summary>
    Network,

    /// <summary>Logs are kept longer than they are of use.</summary>
    LogRetention,

    /// <summary>Cheaper classes of storage for what is seldom read.</summary>
    StorageTiering,

    /// <summary>An old version is charged extra.</summary>
    ExtendedSupport,
}

/// <summary>A way to pay less.</summary>
public sealed record CostRecommendation
{
    /// <summary>What it is about.</summary>
    public required CostRecommendationKind Kind { get; init; }

    /// <summary>The environment; null for a template that names none.</summary>
    public string? Environment { get; init; }

    /// <summary>The resource with the nested stacks it is in.</summary>
    public required string Path { get; init; }

    /// <summary>The recommendation in a sentence.</summary>
    public required string Title { get; init; }

    /// <summary>What it is concluded from.</summary>
    public required string Evidence { get; init; }

    /// <summary>Whether metrics of the running environment are part of the evidence.</summary>
    public bool IsMeasured { get; init; }

    /// <summary>What may be lost by it.</summary>
    public required string Risk { get; init; }

    /// <summary>What it saves a month, by two estimates on the same usage; null where a price that it needs is not known. Savings of several do not add up where they are about the same thing.</summary>
    public decimal? MonthlySaving { get; init; }

    /// <summary>What is to be changed: members of the spec, or properties of the template.</summary>
    public required string Change { get; init; }

    /// <summary>The command that applies it; empty for a template, which its owner changes.</summary>
    public string Command { get; init; } = "";

    /// <summary>The saving and the recommendation.</summary>
    public override string ToString() => FormattableString.Invariant($"{(MonthlySaving is { } saving ? saving.ToString("0.00", System.Globalization.CultureInfo.InvariantCulture) : "?")} a month: {Title}");
}
