namespace Inferloop.Operations.Costs.Measuring;

/// <summary>An amount of the usage profile that was measured.</summary>
/// <param name="Name">Name of the amount.</param>
/// <param name="Amount">The amount a month.</param>
/// <param name="Source">The metrics that it is from.</param>
internal sealed record MeasuredAmount(string Name, decimal Amount, string Source);

/// <summary>How an environment was used over a time.</summary>
internal sealed record MeasuredUse
{
    public required DateTimeOffset Start { get; init; }

    public required DateTimeOffset End { get; init; }

    /// <summary>The amounts that metrics tell, taken to a month of 730 hours.</summary>
    public required IReadOnlyList<MeasuredAmount> Amounts { get; init; }

    /// <summary>Single readings by path, metric and reading.</summary>
    public required IReadOnlyDictionary<string, double> Readings { get; init; }

    public double Days => (End - Start).TotalDays;

    public double? Of(string path, string metric, Reading reading) => Readings.TryGetValue($"{path} {metric} {reading}", out var value) ? value : null;

    /// <summary>A profile with what was measured over what was not.</summary>
    public UsageProfile Over(UsageProfile rest)
    {
        var profile = Amounts.Aggregate(rest, (p, a) => UsageProfile.Dimensions.Single(d => d.Name == a.Name).Set(p, a.Amount));

        // What goes out to clients is a part of what the load balancer handles, and has no metric of its own: the part stays what it was.
        var outPart = rest.LoadBalancerGb == 0 ? 0 : Math.Min(1, rest.InternetOutGb / rest.LoadBalancerGb);
        profile = profile with
        {
            InternetOutGb = Amounts.Any(a => a.Name == nameof(UsageProfile.LoadBalancerGb)) ? profile.LoadBalancerGb * outPart : profile.InternetOutGb,

            // A part may not be greater than its whole, of which only one was measured.
            NatInternetOutGb = Math.Min(profile.NatInternetOutGb, profile.NatProcessedGb),
            StoredAddedGb = Math.Min(profile.StoredAddedGb, profile.StoredGb),
        };
        profile.Validate();
        return profile with { Name = FormattableString.Invariant($"Measured over {Days:0.#} days, the rest {rest.Name}") };
    }

    /// <summary>What an estimate on this use says of it.</summary>
    public IReadOnlyList<string> Notes(UsageProfile rest) =>
    [
        Amounts.Count == 0
            ? FormattableString.Invariant($"CloudWatch has no data of {Start:yyyy-MM-dd HH:mm} to {End:yyyy-MM-dd HH:mm} UTC: all usage is that of {rest.Name}.")
            : FormattableString.Invariant($"Measured from {Start:yyyy-MM-dd HH:mm} to {End:yyyy-MM-dd HH:mm} UTC and taken to a month: {string.Join("; ", Amounts.Select(a => FormattableString.Invariant($"{a.Name} {a.Amount:#,0.###} ({a.Source})")))}. The rest is that of {rest.Name}."),
    ];
}
