using System.Globalization;
using Inferloop.Templates.Versions;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>A Kubernetes version that EKS offers or offered.</summary>
internal sealed record EksVersion(string Name, DateTimeOffset Released, DateTimeOffset StandardEnd, DateTimeOffset ExtendedEnd, string Patch)
{
    public int Minor => int.Parse(Name.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary>The status at a moment, as DescribeClusterVersions names it.</summary>
    public string Status(DateTimeOffset now) => now < StandardEnd ? "STANDARD_SUPPORT" : now < ExtendedEnd ? "EXTENDED_SUPPORT" : "UNSUPPORTED";

    public bool IsOffered(DateTimeOffset now) => now < ExtendedEnd;
}

/// <summary>EKS's release calendar (the table of support windows), with the patch version that each minor version runs.</summary>
internal static class EksVersions
{
    /// <summary>What a cluster gets when the caller names no version.</summary>
    public const string Default = "1.35";

    private static readonly Dictionary<string, string> s_patches = new(StringComparer.Ordinal)
    {
        ["1.27"] = "1.27.16", ["1.28"] = "1.28.15", ["1.29"] = "1.29.15", ["1.30"] = "1.30.14", ["1.31"] = "1.31.14",
        ["1.32"] = "1.32.13", ["1.33"] = "1.33.11", ["1.34"] = "1.34.9", ["1.35"] = "1.35.6", ["1.36"] = "1.36.3",
    };

    public static readonly IReadOnlyList<EksVersion> All = SupportWindows.All
        .Where(window => window.Product == "eks" && s_patches.ContainsKey(window.Version))
        .Select(window => new EksVersion(window.Version, Start(window.Released), Start(window.StandardEnd), Start(window.ExtendedEnd), s_patches[window.Version]))
        .ToList();

    public static EksVersion? Find(string name) => All.FirstOrDefault(version => version.Name == name);

    private static DateTimeOffset Start(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);
}
