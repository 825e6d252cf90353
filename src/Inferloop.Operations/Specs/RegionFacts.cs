using System.Text.Json;

namespace Inferloop.Operations.Specs;

/// <summary>What is known of AWS's regions without asking AWS: names, partitions, and services that a region lacks.</summary>
internal sealed class RegionFacts
{
    /// <summary>The services behind the stacks of an environment, by endpoint prefix.</summary>
    public static readonly string[] RequiredServices =
        ["cloudformation", "ecs", "elasticloadbalancing", "dynamodb", "s3", "kms", "logs", "application-autoscaling", "servicediscovery", "ec2", "secretsmanager", "autoscaling", "monitoring", "sts"];

    private static readonly Lazy<RegionFacts> Shipped = new(() =>
    {
        using var stream = typeof(RegionFacts).Assembly.GetManifestResourceStream("regions.json")!;
        return Load(stream);
    });

    private readonly Dictionary<string, RegionFact> regions;

    private RegionFacts(Dictionary<string, RegionFact> regions) => this.regions = regions;

    public static RegionFacts Default => Shipped.Value;

    public IEnumerable<RegionFact> All => regions.Values;

    public RegionFact? Find(string name) => regions.TryGetValue(name, out var fact) ? fact : null;

    public static RegionFacts Load(Stream json)
    {
        using var document = JsonDocument.Parse(json);
        return new RegionFacts(document.RootElement.GetProperty("regions").EnumerateArray()
            .Select(r => new RegionFact(
                r.GetProperty("name").GetString()!, r.GetProperty("partition").GetString()!, r.GetProperty("title").GetString()!,
                r.GetProperty("without").EnumerateArray().Select(s => s.GetString()!).ToList()))
            .ToDictionary(r => r.Name, StringComparer.Ordinal));
    }
}

/// <summary>One region.</summary>
/// <param name="Name">Its code, such as eu-west-1.</param>
/// <param name="Partition">aws, aws-cn, aws-us-gov, ...</param>
/// <param name="Title">Its name in words.</param>
/// <param name="Without">Endpoint prefixes of services it lacks.</param>
internal sealed record RegionFact(string Name, string Partition, string Title, IReadOnlyList<string> Without);
