using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.Ssm;

/// <summary>The parameters AWS publishes for machine images: those of ECS, EKS and Amazon Linux.</summary>
internal static class PublicParameters
{
    private static readonly string[] EksVersions = ["1.28", "1.29", "1.30", "1.31", "1.32", "1.33", "1.34"];

    public static IEnumerable<string> Names(RequestContext context) => All(context).Keys;

    public static JsonObject? Find(RequestContext context, string name) => name.StartsWith("/aws/service/", StringComparison.Ordinal) && All(context).TryGetValue(name, out var value)
        ? new JsonObject
        {
            ["Name"] = name,
            ["Type"] = "String",
            ["Value"] = value,
            ["Version"] = 1,
            ["LastModifiedDate"] = "2026-10-20T00:00:00.000Z",
            ["ARN"] = $"arn:{context.Partition}:ssm:{context.Region}::parameter{name}",
            ["DataType"] = "text",
        }
        : null;

    private static Dictionary<string, string> All(RequestContext context)
    {
        var images = Ec2Service.PublicImages(context);
        string Image(string part, string architecture) => images.First(image => image.Required("Name").Contains(part, StringComparison.Ordinal) && image.Text("Architecture") == architecture).Required("ImageId");
        var all = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"] = Image("al2023-ami-2023", "x86_64"),
            ["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"] = Image("al2023-ami-2023", "arm64"),
            ["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-x86_64"] = Image("al2023-ami-2023", "x86_64"),
            ["/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2"] = Image("amzn2-ami-kernel", "x86_64"),
        };
        foreach (var (path, part, architecture) in new[]
        {
            ("amazon-linux-2023", "al2023-ami-ecs", "x86_64"), ("amazon-linux-2023/arm64", "al2023-ami-ecs", "arm64"), ("amazon-linux-2", "amzn2-ami-ecs", "x86_64"),
        })
        {
            var id = Image(part, architecture);
            all[$"/aws/service/ecs/optimized-ami/{path}/recommended/image_id"] = id;
            all[$"/aws/service/ecs/optimized-ami/{path}/recommended"] = new JsonObject
            {
                ["schema_version"] = 1,
                ["image_name"] = images.First(image => image.Text("ImageId") == id).Text("Name"),
                ["image_id"] = id,
                ["os"] = path.StartsWith("amazon-linux-2023", StringComparison.Ordinal) ? "Amazon Linux 2023" : "Amazon Linux 2",
                ["ecs_agent_version"] = "1.99.0",
            }.ToJsonString();
        }
        foreach (var version in EksVersions)
        {
            foreach (var architecture in (string[])["x86_64", "arm64"])
            {
                all[$"/aws/service/eks/optimized-ami/{version}/amazon-linux-2023/{architecture}/standard/recommended/image_id"] = "ami-0" + Ec2Service.StableHex($"{context.Region}eks{version}{architecture}", 16);
            }
        }
        return all;
    }
}
