using System.Globalization;

namespace Inferloop.Templates.Versions;

/// <summary>The one table of support windows: what is warned about, surcharged and refused is decided from it.</summary>
public static class SupportWindows
{
    private const int Fields = 6;

    private static readonly Dictionary<(string Product, string Version), SupportWindow> s_windows = Read().ToDictionary(w => (w.Product, w.Version));

    /// <summary>All windows, by product and in the order of their versions.</summary>
    public static IReadOnlyCollection<SupportWindow> All => s_windows.Values;

    /// <summary>The window of a Kubernetes version such as 1.34; null for one that is not in the table.</summary>
    public static SupportWindow? Eks(string version) => Find("eks", version);

    /// <summary>The window of an RDS or Aurora engine's version; null for one that is not in the table.</summary>
    /// <param name="engine">The engine's name in RDS, such as postgres or aurora-mysql.</param>
    /// <param name="version">A version with or without its minor parts.</param>
    public static SupportWindow? Rds(string engine, string version)
    {
        var parts = version.Split('.');
        return engine.Contains("postgres", StringComparison.Ordinal)
            ? Find("postgres", parts[0])
            : Find("mysql", $"{parts[0]}.{(parts.Length > 1 ? parts[1] : "0")}");
    }

    /// <summary>The window of a Redis OSS version on ElastiCache; null for one without an announced end.</summary>
    public static SupportWindow? Redis(string version) => Find("redis", version);

    /// <summary>The window of an Amazon Linux release, 2 or 2023.</summary>
    public static SupportWindow? AmazonLinux(string version) => Find("amazon-linux", version);

    private static SupportWindow? Find(string product, string version) => s_windows.GetValueOrDefault((product, version));

    private static IEnumerable<SupportWindow> Read()
    {
        using var reader = new StreamReader(typeof(SupportWindows).Assembly.GetManifestResourceStream("support-windows.csv")!);
        _ = reader.ReadLine();
        while (reader.ReadLine() is { } line)
        {
            // The source comes last and may hold commas of its own.
            var fields = line.Split(',', Fields);
            yield return new SupportWindow(fields[0], fields[1], Day(fields[2]), Day(fields[3]), Day(fields[4]), fields[5]);
        }
    }

    private static DateOnly Day(string text) => DateOnly.ParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture);
}
