namespace Inferloop.Templates.Versions;

/// <summary>From when to when AWS supports a version of something that it runs.</summary>
/// <param name="Product">eks, postgres, mysql, redis or amazon-linux.</param>
/// <param name="Version">The version, as far as support depends on it: "1.34", "17", "6.2".</param>
/// <param name="Released">When AWS first offered it.</param>
/// <param name="StandardEnd">The last day of standard support, and of the ordinary price.</param>
/// <param name="ExtendedEnd">The last day of extended support (of maintenance, for Amazon Linux); after it AWS upgrades, or creates no more.</param>
/// <param name="Source">Where AWS says so.</param>
public sealed record SupportWindow(string Product, string Version, DateOnly Released, DateOnly StandardEnd, DateOnly ExtendedEnd, string Source)
{
    /// <summary>Whether a day lies after standard support: a surcharge is due from then until the version is upgraded.</summary>
    public bool IsExtended(DateOnly day) => day > StandardEnd;

    /// <summary>Whether a day lies after all support.</summary>
    public bool IsOver(DateOnly day) => day > ExtendedEnd;

    /// <summary>The year of extended support that a day lies in: 1, 2 or 3.</summary>
    public int ExtendedYear(DateOnly day) => day > StandardEnd.AddYears(2) ? 3 : day > StandardEnd.AddYears(1) ? 2 : 1;
}
