using System.Collections.Frozen;

namespace Inferloop.Templates;

/// <summary>Availability zones and partitions of the regions, for evaluating without asking AWS.</summary>
internal static class RegionTable
{
    // Zone letters as an account that sees all of them has them. Zones closed to new accounts are left out.
    private static readonly FrozenDictionary<string, string> s_zones = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["af-south-1"] = "abc", ["ap-east-1"] = "abc", ["ap-east-2"] = "abc", ["ap-northeast-1"] = "acd", ["ap-northeast-2"] = "abcd",
        ["ap-northeast-3"] = "abc", ["ap-south-1"] = "abc", ["ap-south-2"] = "abc", ["ap-southeast-1"] = "abc", ["ap-southeast-2"] = "abc",
        ["ap-southeast-3"] = "abc", ["ap-southeast-4"] = "abc", ["ap-southeast-5"] = "abc", ["ap-southeast-6"] = "abc", ["ap-southeast-7"] = "abc",
        ["ca-central-1"] = "abd", ["ca-west-1"] = "abc", ["cn-north-1"] = "abd", ["cn-northwest-1"] = "abc", ["eu-central-1"] = "abc",
        ["eu-central-2"] = "abc", ["eu-north-1"] = "abc", ["eu-south-1"] = "abc", ["eu-south-2"] = "abc", ["eu-west-1"] = "abc",
        ["eu-west-2"] = "abc", ["eu-west-3"] = "abc", ["il-central-1"] = "abc", ["me-central-1"] = "abc", ["me-south-1"] = "abc",
        ["mx-central-1"] = "abc", ["sa-east-1"] = "abc", ["us-east-1"] = "abcdef", ["us-east-2"] = "abc", ["us-gov-east-1"] = "abc",
        ["us-gov-west-1"] = "abc", ["us-west-1"] = "ac", ["us-west-2"] = "abcd",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IReadOnlyList<string> AvailabilityZones(string region) =>
        [.. s_zones.GetValueOrDefault(region, "abc").Select(letter => region + letter)];

    public static string Partition(string region) =>
        region.StartsWith("cn-", StringComparison.Ordinal) ? "aws-cn"
        : region.StartsWith("us-gov-", StringComparison.Ordinal) ? "aws-us-gov"
        : region.StartsWith("us-isob-", StringComparison.Ordinal) ? "aws-iso-b"
        : region.StartsWith("us-isof-", StringComparison.Ordinal) || region.StartsWith("eu-isoe-", StringComparison.Ordinal) ? (region[0] == 'u' ? "aws-iso-f" : "aws-iso-e")
        : region.StartsWith("us-iso-", StringComparison.Ordinal) ? "aws-iso"
        : region.StartsWith("eusc-", StringComparison.Ordinal) ? "aws-eusc"
        : "aws";

    public static string UrlSuffix(string partition) => partition switch
    {
        "aws-cn" => "amazonaws.com.cn",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    };
}
