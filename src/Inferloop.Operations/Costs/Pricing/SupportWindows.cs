namespace Inferloop.Operations.Costs.Pricing;

/// <summary>When a version's standard support ends, and with it its ordinary price.</summary>
internal sealed record SupportWindow(DateOnly StandardEnd)
{
    /// <summary>Whether a day lies after standard support: AWS charges the surcharge from then until the version is upgraded.</summary>
    public bool IsExtended(DateOnly day) => day > StandardEnd;

    /// <summary>The year of extended support that a day lies in: 1, 2 or 3.</summary>
    public int ExtendedYear(DateOnly day) => day > StandardEnd.AddYears(2) ? 3 : day > StandardEnd.AddYears(1) ? 2 : 1;
}

/// <summary>The support windows of the versions that AWS charges extended support for.</summary>
internal static class SupportWindows
{
    private static readonly Dictionary<string, DateOnly> s_eks = new(StringComparer.Ordinal)
    {
        ["1.23"] = new(2023, 10, 11), ["1.24"] = new(2024, 1, 31), ["1.25"] = new(2024, 5, 1), ["1.26"] = new(2024, 6, 11), ["1.27"] = new(2024, 7, 24),
        ["1.28"] = new(2024, 11, 26), ["1.29"] = new(2025, 3, 23), ["1.30"] = new(2025, 7, 23), ["1.31"] = new(2025, 11, 26), ["1.32"] = new(2026, 3, 23),
        ["1.33"] = new(2026, 7, 29), ["1.34"] = new(2026, 12, 2),
    };

    private static readonly Dictionary<string, DateOnly> s_rds = new(StringComparer.Ordinal)
    {
        ["postgres 11"] = new(2024, 3, 31), ["postgres 12"] = new(2025, 2, 28), ["postgres 13"] = new(2026, 2, 28), ["postgres 14"] = new(2027, 2, 28),
        ["postgres 15"] = new(2028, 2, 29), ["postgres 16"] = new(2029, 2, 28), ["postgres 17"] = new(2030, 2, 28), ["mysql 5.7"] = new(2024, 2, 29), ["mysql 8.0"] = new(2026, 7, 31),
    };

    /// <summary>The window of a Kubernetes version; null for one that is not in the table.</summary>
    public static SupportWindow? Eks(string version) => s_eks.TryGetValue(version, out var end) ? new SupportWindow(end) : null;

    /// <summary>The window of a database version, of RDS or Aurora; null for one that is not in the table.</summary>
    public static SupportWindow? Rds(string engine, string version)
    {
        var parts = version.Split('.');
        var key = engine.Contains("postgres", StringComparison.Ordinal) ? "postgres " + parts[0] : $"mysql {parts[0]}.{(parts.Length > 1 ? parts[1] : "0")}";
        return s_rds.TryGetValue(key, out var end) ? new SupportWindow(end) : null;
    }
}
