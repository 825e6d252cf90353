namespace Inferloop.Sandbox.Services.Rds;

/// <summary>A PostgreSQL version that RDS knows.</summary>
/// <param name="Major">The major version.</param>
/// <param name="Minor">The minor version.</param>
/// <param name="Wave">The release of the PostgreSQL project it came with: majors can only be left for minors of the same or a later one.</param>
internal sealed record PostgresVersion(int Major, int Minor, int Wave)
{
    public string Text => $"{Major}.{Minor}";

    public string Family => $"postgres{Major}";
}

/// <summary>
/// The PostgreSQL versions that RDS creates. Sources: the RDS for PostgreSQL release notes as far as public clients follow them (cfn-lint 1.51:
/// up to 18.3, 17.9, 16.13, 15.17, 14.22; templates in use since: 17.10 and its siblings), and RDS's notice that 14.14 to 14.17, 15.9 to 15.12,
/// 16.5 to 16.8 and 17.1 to 17.4 cannot be created since 1 May 2026. Standard support of 13 ended on 28 February 2026, of 12 and 11 before.
/// </summary>
internal static class PostgresVersions
{
    public static readonly IReadOnlyList<PostgresVersion> All =
    [
        new(11, 22, 2023_11),
        new(12, 22, 2024_11),
        new(13, 20, 2025_02), new(13, 21, 2025_05), new(13, 22, 2025_08), new(13, 23, 2025_11),
        new(14, 18, 2025_05), new(14, 19, 2025_08), new(14, 20, 2025_11), new(14, 21, 2026_02), new(14, 22, 2026_03), new(14, 23, 2026_05),
        new(15, 13, 2025_05), new(15, 14, 2025_08), new(15, 15, 2025_11), new(15, 16, 2026_02), new(15, 17, 2026_03), new(15, 18, 2026_05),
        new(16, 9, 2025_05), new(16, 10, 2025_08), new(16, 11, 2025_11), new(16, 12, 2026_02), new(16, 13, 2026_03), new(16, 14, 2026_05),
        new(17, 5, 2025_05), new(17, 6, 2025_08), new(17, 7, 2025_11), new(17, 8, 2026_02), new(17, 9, 2026_03), new(17, 10, 2026_05),
        new(18, 1, 2025_11), new(18, 2, 2026_02), new(18, 3, 2026_03), new(18, 4, 2026_05),
    ];

    /// <summary>The version that an instance without one gets.</summary>
    public static readonly PostgresVersion Default = Latest(17)!;

    public static IEnumerable<int> Majors => All.Select(version => version.Major).Distinct();

    public static PostgresVersion? Latest(int major) => All.LastOrDefault(version => version.Major == major);

    /// <summary>A version by its text; a major version alone stands for its latest minor version.</summary>
    public static PostgresVersion? Find(string text) => int.TryParse(text, out var major)
        ? Latest(major)
        : All.FirstOrDefault(version => version.Text == text);

    /// <summary>What a version can be upgraded to: later minors, and minors of later majors that are no older than it.</summary>
    public static IEnumerable<PostgresVersion> Targets(PostgresVersion from) => All.Where(to =>
        (to.Major == from.Major && to.Minor > from.Minor) || (to.Major > from.Major && to.Wave >= from.Wave));
}
