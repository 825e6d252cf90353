using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal sealed partial class Ec2Service
{
    private void AddRegions()
    {
        On("DescribeRegions", (context, input) =>
        {
            var all = Runtime.EnabledRegions.Where(region => Regions.PartitionOf(region) == context.Partition).Order(StringComparer.Ordinal).Select(region => new JsonObject
            {
                ["RegionName"] = region,
                ["Endpoint"] = $"ec2.{region}.{context.DnsSuffix}",
                ["OptInStatus"] = "opt-in-not-required",
            }).ToList();
            var names = input.Texts("RegionNames");
            if (names.FirstOrDefault(name => !all.Exists(region => region.Text("RegionName") == name)) is { } unknown)
            {
                throw Invalid("InvalidParameterValue", $"Invalid region provided: {unknown}");
            }
            var chosen = names.Count == 0 ? all : all.Where(region => names.Contains(region.Text("RegionName")!));
            return new JsonObject { ["Regions"] = Ec2Filters.Apply(chosen, input.Objects("Filters"), "region-name endpoint opt-in-status").ToJsonList() };
        });
        On("DescribeAvailabilityZones", (context, input) =>
        {
            var all = Zones(context).Select(zone => new JsonObject
            {
                ["State"] = "available",
                ["OptInStatus"] = "opt-in-not-required",
                ["Messages"] = new JsonArray(),
                ["RegionName"] = context.Region,
                ["ZoneName"] = zone,
                ["ZoneId"] = ZoneId(zone),
                ["GroupName"] = context.Region + "-zg-1",
                ["NetworkBorderGroup"] = context.Region,
                ["ZoneType"] = "availability-zone",
            }).ToList();
            var names = input.Texts("ZoneNames");
            if (names.FirstOrDefault(name => !all.Exists(zone => zone.Text("ZoneName") == name)) is { } unknown)
            {
                throw Invalid("InvalidParameterValue", $"Invalid availability zone: [{unknown}]");
            }
            var ids = input.Texts("ZoneIds");
            var chosen = all.Where(zone => (names.Count == 0 || names.Contains(zone.Text("ZoneName")!)) && (ids.Count == 0 || ids.Contains(zone.Text("ZoneId")!)));
            return new JsonObject
            {
                ["AvailabilityZones"] = Ec2Filters.Apply(chosen, input.Objects("Filters"), "zone-name zone-id region-name state zone-type opt-in-status group-name").ToJsonList(),
            };
        });
        On("DescribeAccountAttributes", (_, input) =>
        {
            var values = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["supported-platforms"] = "VPC",
                ["default-vpc"] = "none",
                ["max-instances"] = "20",
                ["vpc-max-security-groups-per-interface"] = "5",
                ["max-elastic-ips"] = "5",
                ["vpc-max-elastic-ips"] = "5",
            };
            var names = input.Texts("AttributeNames");
            return new JsonObject
            {
                ["AccountAttributes"] = values.Where(pair => names.Count == 0 || names.Contains(pair.Key)).Select(pair => new JsonObject
                {
                    ["AttributeName"] = pair.Key,
                    ["AttributeValues"] = new JsonArray(new JsonObject { ["AttributeValue"] = pair.Value }),
                }).ToJsonList(),
            };
        });
    }

    /// <summary>The names of a region's zones.</summary>
    public static IReadOnlyList<string> Zones(RequestContext context) => AvailabilityZones.Of(context.Region);

    /// <summary>The id of a zone, such as <c>use1-az1</c>: names map to ids differently per account at AWS, here in order.</summary>
    public static string ZoneId(string zone)
    {
        var region = zone[..^1];
        var parts = region.Split('-');
        var direction = parts[^2] switch
        {
            "northeast" => "ne",
            "northwest" => "nw",
            "southeast" => "se",
            "southwest" => "sw",
            var word => word[..1],
        };
        return $"{string.Concat(parts[..^2])}{direction}{parts[^1]}-az{zone[^1] - 'a' + 1}";
    }
}
