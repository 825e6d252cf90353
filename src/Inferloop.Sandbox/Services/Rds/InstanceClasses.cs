namespace Inferloop.Sandbox.Services.Rds;

/// <summary>A class of RDS instances.</summary>
internal sealed record InstanceClass(string Name, int Cpus, double MemoryGib);

/// <summary>
/// The instance classes of RDS for PostgreSQL. Source: the classes cfn-lint 1.51 lists for engine postgres in us-east-1, without those of past
/// generations that no listed version runs on; sizes from the RDS guide's table of instance classes.
/// </summary>
internal static class InstanceClasses
{
    private static readonly Dictionary<string, InstanceClass> ByName = Build().ToDictionary(item => item.Name, StringComparer.Ordinal);

    public static IEnumerable<InstanceClass> All => ByName.Values;

    public static InstanceClass? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Whether a class runs a major version: the newest families need a recent one.</summary>
    public static bool Runs(InstanceClass item, int major) => Family(item.Name) switch
    {
        "t2" or "m4" or "r4" => major <= 12,
        "m8g" or "r8g" or "m8gd" or "r8gd" => major >= 13,
        "m7g" or "r7g" or "m7i" or "r7i" => major >= 13,
        _ => true,
    };

    private static string Family(string name) => name.Split('.')[1];

    private static IEnumerable<InstanceClass> Build()
    {
        foreach (var family in (string[])["t3", "t4g"])
        {
            foreach (var (size, cpus, memory) in ((string, int, double)[])[("micro", 2, 1), ("small", 2, 2), ("medium", 2, 4), ("large", 2, 8), ("xlarge", 4, 16), ("2xlarge", 8, 32)])
            {
                yield return new InstanceClass($"db.{family}.{size}", cpus, memory);
            }
        }
        foreach (var size in (string[])["micro", "small", "medium", "large", "xlarge", "2xlarge"])
        {
            yield return new InstanceClass($"db.t2.{size}", 2, 1);
        }
        (string Families, int Ratio, string Sizes)[] tables =
        [
            ("m5 m5d m6i m6id m6in m6idn", 4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
            ("r5 r5b r5d r6i r6id r6in r6idn", 8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge"),
            ("m6i m6id m6in m6idn", 4, "32xlarge"),
            ("r6i r6id r6in r6idn", 8, "32xlarge"),
            ("m6g m6gd m7g", 4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
            ("r6g r6gd r7g", 8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
            ("m7i m8g m8gd", 4, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
            ("r7i r8g r8gd", 8, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge 24xlarge 48xlarge"),
            ("x2g", 16, "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"),
            ("x2iedn", 32, "xlarge 2xlarge 4xlarge 8xlarge 16xlarge 24xlarge 32xlarge"),
            ("m4", 4, "large xlarge 2xlarge 4xlarge 10xlarge 16xlarge"),
            ("r4", 8, "large xlarge 2xlarge 4xlarge 8xlarge 16xlarge"),
        ];
        foreach (var (families, ratio, sizes) in tables)
        {
            foreach (var family in families.Split(' '))
            {
                foreach (var size in sizes.Split(' '))
                {
                    var cpus = size == "large" ? 2 : size == "xlarge" ? 4 : 4 * int.Parse(size[..^6], System.Globalization.CultureInfo.InvariantCulture);
                    yield return new InstanceClass($"db.{family}.{size}", cpus, cpus * ratio);
                }
            }
        }
    }
}
