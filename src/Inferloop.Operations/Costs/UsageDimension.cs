namespace Inferloop.Operations.Costs;

/// <summary>One amount of a usage profile.</summary>
public sealed class UsageDimension
{
    private readonly Func<UsageProfile, decimal> _get;
    private readonly Func<UsageProfile, decimal, UsageProfile> _set;

    internal UsageDimension(
        string name, string unit, decimal maximum, string description, Func<UsageProfile, decimal> get, Func<UsageProfile, decimal, UsageProfile> set)
    {
        Name = name;
        Unit = unit;
        Maximum = maximum;
        Description = description;
        _get = get;
        _set = set;
    }

    /// <summary>Name of the amount, such as <c>NatProcessedGb</c>.</summary>
    public string Name { get; }

    /// <summary>Its unit.</summary>
    public string Unit { get; }

    /// <summary>The most that is taken for meant; more is refused as a slip.</summary>
    public decimal Maximum { get; }

    /// <summary>What it is.</summary>
    public string Description { get; }

    /// <summary>The amount in a profile.</summary>
    /// <param name="profile">The profile.</param>
    /// <returns>The amount, in <see cref="Unit"/>.</returns>
    public decimal Of(UsageProfile profile) => _get(profile);

    internal UsageProfile Set(UsageProfile profile, decimal value) => _set(profile, value);
}
