namespace Inferloop.Sandbox.Services;

/// <summary>The availability zones of the regions. Most have a, b and c; the table has those that differ.</summary>
internal static class AvailabilityZones
{
    private static readonly Dictionary<string, string> Letters = new(StringComparer.Ordinal)
    {
        ["us-east-1"] = "abcdef",
        ["us-west-2"] = "abcd",
        ["us-west-1"] = "ac",
        ["ca-central-1"] = "abd",
        ["ap-northeast-1"] = "acd",
        ["ap-northeast-2"] = "abcd",
        ["cn-north-1"] = "abd",
    };

    public static IReadOnlyList<string> Of(string region) =>
        Letters.GetValueOrDefault(region, "abc").Select(letter => region + letter).ToList();
}
