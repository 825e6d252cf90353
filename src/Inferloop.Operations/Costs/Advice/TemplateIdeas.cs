using Inferloop.Operations.Costs.Pricing;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Advice;

/// <summary>What can be seen in the resources of any template.</summary>
internal static class TemplateIdeas
{
    public static IEnumerable<TemplateIdea> Of(CostScope scope, CostSheet sheet) => scope.All.SelectMany(r => r.Type switch
    {
        "AWS::EC2::Volume" => Volume(r, "VolumeType", r.Text("VolumeType") ?? "gp2"),
        "AWS::EC2::LaunchTemplate" => [.. Disks(r, "LaunchTemplateData.BlockDeviceMappings", r.Items("LaunchTemplateData", "BlockDeviceMappings")), .. Arm(r, "LaunchTemplateData.InstanceType", "The image must be one for arm64.")],
        "AWS::EC2::Instance" => [.. Disks(r, "BlockDeviceMappings", r.Items("BlockDeviceMappings")), .. Arm(r, "InstanceType", "The image must be one for arm64.")],
        "AWS::RDS::DBInstance" => [.. Arm(r, "DBInstanceClass", "A restart; the engine runs on both alike.")],
        "AWS::ElastiCache::ReplicationGroup" or "AWS::ElastiCache::CacheCluster" => Arm(r, "CacheNodeType", "A restart; the engine runs on both alike."),
        "AWS::Lambda::Function" => Function(r),
        "AWS::ECS::TaskDefinition" => Tasks(r),
        "AWS::ECS::Service" => Spot(r),
        "AWS::Logs::LogGroup" => Logs(r),
        "AWS::S3::Bucket" => Bucket(r, scope),
        "AWS::EC2::VPCEndpoint" => Endpoint(r, scope, sheet),
        "AWS::EC2::NatGateway" => Nat(r, scope, sheet),
        _ => Enumerable.Empty<TemplateIdea>(),
    });

    private static IEnumerable<TemplateIdea> Volume(CostedResource r, string property, string type) => type == "gp2"
        ? [new TemplateIdea(CostRecommendationKind.VolumeType, r.Path, "gp3 instead of gp2", "gp3 costs a fifth less, and its 3,000 operations a second do not depend on the size.", "None: AWS changes the type while the volume is in use.", property, Changed.Text("gp3")) { Was = "gp2" }]
        : [];

    private static IEnumerable<TemplateIdea> Disks(CostedResource r, string path, IReadOnlyList<Value> mappings)
    {
        for (var i = 0; i < mappings.Count; i++)
        {
            if (mappings[i]["Ebs"] is { } disk)
            {
                foreach (var idea in Volume(r, $"{path}.{i}.Ebs.VolumeType", disk["VolumeType"]?.AsString() ?? "gp2"))
                {
                    yield return idea;
                }
            }
        }
    }

    private static IEnumerable<TemplateIdea> Arm(CostedResource r, string property, string risk) => r.Text(property.Split('.')) is { } type && Families.OnArm(type) is { } arm
        ? [new TemplateIdea(CostRecommendationKind.Arm, r.Path, $"{arm} instead of {type}", $"{type} is an x86 type; Graviton costs less for the same size.", risk, property, Changed.Text(arm)) { Was = type }]
        : [];

    private static IEnumerable<TemplateIdea> Function(CostedResource r) => r.Items("Architectures").All(a => a.AsString() == "x86_64")
        ? [new TemplateIdea(CostRecommendationKind.Arm, r.Path, "arm64 instead of x86_64", "A second of a function on Graviton costs a fifth less.", "The image, compiled libraries and layers must be built for arm64.", "Architectures", new ListValue([Changed.Text("arm64")])) { Was = "x86_64", Becomes = "arm64" }]
        : [];

    private static IEnumerable<TemplateIdea> Tasks(CostedResource r) =>
        r.Items("RequiresCompatibilities").Any(c => c.AsString() == "FARGATE") && (r.Text("RuntimePlatform", "CpuArchitecture") ?? "X86_64") == "X86_64" && r.Text("RuntimePlatform", "OperatingSystemFamily")?.StartsWith("WINDOWS", StringComparison.Ordinal) != true
            ? [new TemplateIdea(CostRecommendationKind.Arm, r.Path, "Fargate on Graviton", "A vCPU and a GB of Fargate on Graviton cost a fifth less.", "The image must be built for arm64.", "RuntimePlatform.CpuArchitecture", Changed.Text("ARM64")) { Was = "X86_64" }]
            : [];

    private static IEnumerable<TemplateIdea> Spot(CostedResource r) => r.Text("LaunchType") == "FARGATE" && r.Items("CapacityProviderStrategy").Count == 0
        ? [new TemplateIdea(CostRecommendationKind.Spot, r.Path, "Fargate Spot", "All tasks run on demand.", "AWS takes Spot capacity back with two minutes' notice: not for what may not stop.", "CapacityProviderStrategy",
            new ListValue([new MapValue(new[] { KeyValuePair.Create("CapacityProvider", Changed.Text("FARGATE_SPOT")), KeyValuePair.Create<string, Value>("Weight", new NumberValue(1)) })])) { Was = "LaunchType FARGATE", Becomes = "FARGATE_SPOT" }]
        : [];

    private static IEnumerable<TemplateIdea> Logs(CostedResource r) => r.Get("RetentionInDays") is null
        ? [new TemplateIdea(CostRecommendationKind.LogRetention, r.Path, "Keep logs 30 days", "The group has no retention: its logs are kept, and paid, for ever.", "Older logs are gone; export what must be kept.", "RetentionInDays", new NumberValue(30)) { Was = "for ever" }]
        : [];

    private static IEnumerable<TemplateIdea> Bucket(CostedResource r, CostScope scope)
    {
        if (r.Items("LifecycleConfiguration", "Rules").Count > 0 || scope.Once("log buckets", StoragePricers.LogBuckets).Contains(r))
        {
            yield break;
        }

        var rule = new MapValue(new[]
        {
            KeyValuePair.Create("Status", Changed.Text("Enabled")),
            KeyValuePair.Create<string, Value>("Transitions", new ListValue([new MapValue(new[] { KeyValuePair.Create("StorageClass", Changed.Text("STANDARD_IA")), KeyValuePair.Create<string, Value>("TransitionInDays", new NumberValue(30)) })])),
        });
        yield return new TemplateIdea(
            CostRecommendationKind.StorageTiering, r.Path, "Move objects to Standard-IA after 30 days", "The bucket has no lifecycle: everything stays in the dearest class for ever.", "Reading what was moved is charged by the GB.", "LifecycleConfiguration.Rules",
            new ListValue([rule])) { Was = "none", Becomes = "STANDARD_IA after 30 days" };
    }

    // An endpoint is worth its hours from the traffic on that would cost more at a NAT gateway.
    private static IEnumerable<TemplateIdea> Endpoint(CostedResource r, CostScope scope, CostSheet sheet)
    {
        if (r.Text("VpcEndpointType") != "Interface" || scope.OfType("AWS::EC2::NatGateway").Count == 0 || !Price(r, sheet, "nat_gateway", "processed_gb", out var nat) || !Price(r, sheet, "vpc_endpoint", "interface_endpoint_hour", out var hour) || !Price(r, sheet, "vpc_endpoint", "interface_processed_gb", out var gb))
        {
            yield break;
        }

        var endpoints = scope.OfType(r.Type).Count(e => e.Text("VpcEndpointType") == "Interface");
        var zones = Math.Max(1, r.Items("SubnetIds").Count);
        var traffic = CostSheet.Share(sheet.Usage.EndpointGb, endpoints);
        var fixedCost = hour.CostOf(Month.Hours * zones);
        var saving = fixedCost - (traffic * (nat.Tiers[0].Usd - gb.Tiers[0].Usd));
        if (saving > 0)
        {
            yield return new TemplateIdea(
                CostRecommendationKind.Network, r.Path, "Let the traffic go through the NAT gateway that is there",
                FormattableString.Invariant($"The endpoint costs {fixedCost:0.00} a month in {zones} zones; its {traffic:0.##} GB would cost {traffic * nat.Tiers[0].Usd:0.00} at the NAT gateway. It is worth it from {fixedCost / (nat.Tiers[0].Usd - gb.Tiers[0].Usd):0} GB on."),
                "The traffic leaves the VPC's own network; a policy that wants the endpoint forbids it.", "(resource)", Changed.Text("removed")) { Saving = saving, Was = "there" };
        }
    }

    private static IEnumerable<TemplateIdea> Nat(CostedResource r, CostScope scope, CostSheet sheet)
    {
        // Said once, of the first gateway.
        if (scope.OfType(r.Type)[0] != r || !Price(r, sheet, "nat_gateway", "processed_gb", out var nat))
        {
            yield break;
        }

        var services = scope.OfType("AWS::EC2::VPCEndpoint").Where(e => (e.Text("VpcEndpointType") ?? "Gateway") == "Gateway").Select(e => e.Text("ServiceName") ?? "").ToList();
        if (scope.OfType("AWS::S3::Bucket").Count > 0 && !services.Exists(s => s.EndsWith(".s3", StringComparison.Ordinal)))
        {
            yield return new TemplateIdea(
                CostRecommendationKind.Network, r.Path, "A gateway endpoint for S3",
                FormattableString.Invariant($"No endpoint leads to S3, so its traffic goes through the NAT gateway; the {sheet.Usage.StoredAddedGb:#,0.##} GB alone that a month adds cost {nat.CostOf(sheet.Usage.StoredAddedGb):0.00} there. A gateway endpoint is free."),
                "None.", "AWS::EC2::VPCEndpoint", Changed.Text("com.amazonaws." + r.Region + ".s3")) { Saving = nat.CostOf(sheet.Usage.StoredAddedGb), Was = "none" };
        }
    }

    private static bool Price(CostedResource r, CostSheet sheet, string service, string dimension, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Price? price) => sheet.Catalog.TryFind(r.Region, service, dimension, out price);
}
