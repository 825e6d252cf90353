using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>The instance types the sandbox knows: those an operator of the platform would choose among. Facts of the EC2 instance type pages.</summary>
internal static class InstanceTypes
{
    private const string Table = """
        t3.micro 2 1 x86_64 2 2|t3.small 2 2 x86_64 3 4|t3.medium 2 4 x86_64 3 6|t3.large 2 8 x86_64 3 12|t3.xlarge 4 16 x86_64 4 15|t3.2xlarge 8 32 x86_64 4 15
        t3a.medium 2 4 x86_64 3 6|t3a.large 2 8 x86_64 3 12|t3a.xlarge 4 16 x86_64 4 15
        t4g.micro 2 1 arm64 2 2|t4g.small 2 2 arm64 3 4|t4g.medium 2 4 arm64 3 6|t4g.large 2 8 arm64 3 12|t4g.xlarge 4 16 arm64 4 15
        m5.large 2 8 x86_64 3 10|m5.xlarge 4 16 x86_64 4 15|m5.2xlarge 8 32 x86_64 4 15|m5.4xlarge 16 64 x86_64 8 30
        m6i.large 2 8 x86_64 3 10|m6i.xlarge 4 16 x86_64 4 15|m6i.2xlarge 8 32 x86_64 4 15|m6i.4xlarge 16 64 x86_64 8 30
        m6g.large 2 8 arm64 3 10|m6g.xlarge 4 16 arm64 4 15|m7g.large 2 8 arm64 3 10|m7g.xlarge 4 16 arm64 4 15
        m7i.large 2 8 x86_64 3 10|m7i.xlarge 4 16 x86_64 4 15|m7i.2xlarge 8 32 x86_64 4 15
        c5.large 2 4 x86_64 3 10|c5.xlarge 4 8 x86_64 4 15|c5.2xlarge 8 16 x86_64 4 15|c5.4xlarge 16 32 x86_64 8 30
        c6i.large 2 4 x86_64 3 10|c6i.xlarge 4 8 x86_64 4 15|c6i.2xlarge 8 16 x86_64 4 15|c6g.large 2 4 arm64 3 10|c7g.large 2 4 arm64 3 10
        r5.large 2 16 x86_64 3 10|r5.xlarge 4 32 x86_64 4 15|r5.2xlarge 8 64 x86_64 4 15|r6i.large 2 16 x86_64 3 10|r6i.xlarge 4 32 x86_64 4 15|r6g.large 2 16 arm64 3 10
        g4dn.xlarge 4 16 x86_64 3 10|g5.xlarge 4 16 x86_64 4 15|p3.2xlarge 8 61 x86_64 4 15
        """;

    public static readonly IReadOnlyDictionary<string, InstanceType> All = Table.Split(['|', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(row => row.Split(' '))
        .Select(cells => new InstanceType(cells[0], int.Parse(cells[1]), int.Parse(cells[2]) * 1024, cells[3], int.Parse(cells[4]), int.Parse(cells[5])))
        .ToDictionary(type => type.Name, StringComparer.Ordinal);

    public static JsonObject Describe(InstanceType type) => new()
    {
        ["InstanceType"] = type.Name,
        ["CurrentGeneration"] = true,
        ["FreeTierEligible"] = type.Name is "t3.micro" or "t4g.small",
        ["SupportedUsageClasses"] = new JsonArray("on-demand", "spot"),
        ["SupportedRootDeviceTypes"] = new JsonArray("ebs"),
        ["SupportedVirtualizationTypes"] = new JsonArray("hvm"),
        ["BareMetal"] = false,
        ["Hypervisor"] = "nitro",
        ["ProcessorInfo"] = new JsonObject { ["SupportedArchitectures"] = new JsonArray(type.Architecture) },
        ["VCpuInfo"] = new JsonObject { ["DefaultVCpus"] = type.VCpus },
        ["MemoryInfo"] = new JsonObject { ["SizeInMiB"] = type.MemoryMiB },
        ["NetworkInfo"] = new JsonObject
        {
            ["MaximumNetworkInterfaces"] = type.Interfaces,
            ["Ipv4AddressesPerInterface"] = type.AddressesPerInterface,
            ["Ipv6Supported"] = true,
        },
        ["BurstablePerformanceSupported"] = type.Name[0] == 't',
        ["AutoRecoverySupported"] = true,
    };
}

/// <summary>An instance type.</summary>
internal sealed record InstanceType(string Name, int VCpus, int MemoryMiB, string Architecture, int Interfaces, int AddressesPerInterface);
