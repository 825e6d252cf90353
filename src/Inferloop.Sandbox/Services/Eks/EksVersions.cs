using System.Globalization;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>A Kubernetes version that EKS offers or offered.</summary>
internal sealed record EksVersion(string Name, DateTimeOffset Released, DateTimeOffset StandardEnd, DateTimeOffset ExtendedEnd, string Patch)
{
    public int Minor => int.Parse(Name.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>The status at a moment, as DescribeClusterVersions names it.</summary>
    public string Status(DateTimeOffset now) => now < StandardEnd ? "STANDARD_SUPPORT" : now < ExtendedEnd ? "EXTENDED_SUPPORT" : "UNSUPPORTED";

    public bool IsOffered(DateTimeOffset now) => now < ExtendedEnd;
}

/// <summary>
/// EKS's release calendar: fourteen months of standard and twelve of extended support. Dates to 1.35 are those of the EKS user guide's page
/// "Kubernetes version lifecycle"; those of 1.36 follow the page's rule from its release.
/// </summary>
internal static class EksVersions
{
    /// <summary>What a cluster gets when the caller names no version.</summary>
    public const string Default = "1.35";

    public static readonly IReadOnlyList<EksVersion> All =
    [
        Version("1.27", "2023-05-24", "2024-07-24", "2025-07-24", "1.27.16"),
        Version("1.28", "2023-09-26", "2024-11-26", "2025-11-26", "1.28.15"),
        Version("1.29", "2024-01-23", "2025-03-23", "2026-03-23", "1.29.15"),
        Version("1.30", "2024-05-23", "2025-07-23", "2026-07-23", "1.30.14"),
        Version("1.31", "2024-09-26", "2025-11-26", "2026-11-26", "1.31.14"),
        Version("1.32", "2025-01-23", "2026-03-23", "2027-03-23", "1.32.13"),
        Version("1.33", "2025-05-29", "2026-07-29", "2027-07-29", "1.33.11"),
        Version("1.34", "2025-10-02", "2026-12-02", "2027-12-02", "1.34.9"),
        Version("1.35", "2026-01-27", "2027-03-27", "2028-03-27", "1.35.6"),
        Version("1.36", "2026-06-02", "2027-08-02", "2028-08-02", "1.36.3"),
    ];

    public static EksVersion? Find(string name) => All.FirstOrDefault(version => version.Name == name);

    private static EksVersion Version(string name, string released, string standard, string extended, string patch) =>
        new(name, Day(released), Day(standard), Day(extended), patch);

    private static DateTimeOffset Day(string text) => DateTimeOffset.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
