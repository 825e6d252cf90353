using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Costs.Advice;

/// <summary>What can be seen in a spec alone.</summary>
internal static class SpecIdeas
{
    private const string BalancerPath = "Ecs/Service";

    public static IEnumerable<SpecIdea> Of(InferloopEnvironmentSpec spec, CostEstimate estimate) =>
        [.. Spot(spec), .. Arm(spec), .. Network(spec, estimate), .. Logs(spec), .. Storage(spec), .. Spare(spec), .. Versions(spec, estimate)];

    private static bool IsProduction(InferloopEnvironmentSpec spec) => spec.Stage == EnvironmentStage.Prod;

    private static bool HasDatabase(InferloopEnvironmentSpec spec) => spec.Database.DatabaseEnabled && spec.Connections.DatabaseHost.Length == 0;

    private static IEnumerable<SpecIdea> Spot(InferloopEnvironmentSpec spec)
    {
        const string Risk = "AWS takes Spot capacity back with two minutes' notice.";
        if (spec.Ecs is { EcsEnabled: true, CapacityMode: CapacityMode.Fargate } && !IsProduction(spec))
        {
            yield return new SpecIdea(
                CostRecommendationKind.Spot, BalancerPath, "Run the tasks on Fargate Spot", $"The stage is {spec.Stage}, and {spec.Ecs.DesiredTasks} tasks run on demand.", Risk, (nameof(EcsSpec.CapacityMode), CapacityMode.FargateSpot));
        }

        if (spec.Eks is { EksEnabled: true, EksNodeCapacity: EksNodeCapacity.OnDemand } && !IsProduction(spec))
        {
            yield return new SpecIdea(
                CostRecommendationKind.Spot, "Eks/Nodes", "Run the Kubernetes nodes on Spot", $"The stage is {spec.Stage}, and {spec.Eks.EksDesiredNodes} nodes run on demand.", Risk, (nameof(EksSpec.EksNodeCapacity), EksNodeCapacity.Spot));
        }

        if (spec.Batch is { BatchEnabled: true, BatchSpotPercent: 0 })
        {
            yield return new SpecIdea(
                CostRecommendationKind.Spot, "Batch", "Run Batch jobs on Spot", "Jobs are tried again when they are interrupted, and all of them run on demand.", Risk, (nameof(BatchSpec.BatchSpotPercent), 100));
        }
    }

    private static IEnumerable<SpecIdea> Arm(InferloopEnvironmentSpec spec)
    {
        const string Risk = "A restart; what it does is the same.";
        if (HasDatabase(spec) && Families.OnArm(spec.Database.DatabaseInstanceClass) is { } database)
        {
            yield return new SpecIdea(
                CostRecommendationKind.Arm, "Database/Database", $"Run the database on Graviton: {database}", $"{spec.Database.DatabaseInstanceClass} is an x86 type, and PostgreSQL runs on both alike.", Risk, (nameof(DatabaseSpec.DatabaseInstanceClass), database));
        }

        if (spec.Cache.CacheEnabled && spec.Connections.CacheHost.Length == 0 && Families.OnArm(spec.Cache.CacheNodeType) is { } cache)
        {
            yield return new SpecIdea(
                CostRecommendationKind.Arm, "Cache/ReplicationGroup", $"Run the cache on Graviton: {cache}", $"{spec.Cache.CacheNodeType} is an x86 type, and the cache runs on both alike.", Risk, (nameof(CacheSpec.CacheNodeType), cache));
        }

        if (spec.Lambda is { LambdaEnabled: true, LambdaArchitecture: LambdaArchitecture.X8664 })
        {
            yield return new SpecIdea(
                CostRecommendationKind.Arm, "Lambda/Function", "Run the function on Graviton (arm64)", "The function is x86_64.", "The image, or compiled libraries in the package, must be built for arm64.",
                spec.Lambda.LambdaInsights
                    ? [(nameof(LambdaSpec.LambdaArchitecture), LambdaArchitecture.Arm64), (nameof(LambdaSpec.LambdaInsights), false)]
                    : [(nameof(LambdaSpec.LambdaArchitecture), LambdaArchitecture.Arm64)]);
        }
    }

    private static IEnumerable<SpecIdea> Network(InferloopEnvironmentSpec spec, CostEstimate estimate)
    {
        if (spec.Network.NatGatewayMode == NatGatewayMode.PerAz && !IsProduction(spec))
        {
            var gateways = estimate.Lines.Where(l => l.Dimension == "nat_gateway/gateway_hour").ToList();
            yield return new SpecIdea(
                CostRecommendationKind.Network, "Network/NatGateway2", "One NAT gateway instead of one in each zone",
                FormattableString.Invariant($"The stage is {spec.Stage}, and {gateways.Count} gateways cost {gateways.Sum(l => l.MonthlyExpected):0.00} a month before traffic."),
                "When the gateway's zone fails, tasks in the other reach nothing outside.", (nameof(NetworkSpec.NatGatewayMode), NatGatewayMode.Single));
        }
    }

    private static IEnumerable<SpecIdea> Logs(InferloopEnvironmentSpec spec)
    {
        var most = IsProduction(spec) ? 90 : 14;
        if (spec.Logging.ApplicationLogRetentionDays > most)
        {
            yield return new SpecIdea(
                CostRecommendationKind.LogRetention, "Logs/ApplicationLogGroup", $"Keep application logs {most} days", $"They are kept {spec.Logging.ApplicationLogRetentionDays} days; the stage is {spec.Stage}.", "Older logs are gone.",
                (nameof(LoggingSpec.ApplicationLogRetentionDays), most));
        }

        if (spec.Logging.AccessLogRetentionDays > 90)
        {
            yield return new SpecIdea(
                CostRecommendationKind.LogRetention, "Storage/AccessLogBucket", "Keep access logs 90 days", $"They are kept {spec.Logging.AccessLogRetentionDays} days.", "Older logs are gone.", (nameof(LoggingSpec.AccessLogRetentionDays), 90));
        }
    }

    private static IEnumerable<SpecIdea> Storage(InferloopEnvironmentSpec spec)
    {
        if (!spec.Storage.IntelligentTiering)
        {
            yield return new SpecIdea(
                CostRecommendationKind.StorageTiering, "Storage/DataBucket", "Let S3 move what is seldom read to cheaper tiers", "Intelligent-Tiering is off.", "None: what is read again moves back, at a small charge for each object.",
                (nameof(StorageSpec.IntelligentTiering), true));
        }
    }

    // What is there for a failure, in a stage where a failure harms nobody.
    private static IEnumerable<SpecIdea> Spare(InferloopEnvironmentSpec spec)
    {
        if (IsProduction(spec))
        {
            yield break;
        }

        SpecIdea Less(string path, string title, string evidence, string risk, params (string, object)[] changes) => new(CostRecommendationKind.RightSizing, path, title, evidence, risk, changes);
        if (HasDatabase(spec) && spec.Database.DatabaseMultiAz)
        {
            yield return Less("Database/Database", "One database instead of one with a standby", $"The stage is {spec.Stage}, and the database has a standby in another zone.", "A failure of its zone stops the database until it is restored.", (nameof(DatabaseSpec.DatabaseMultiAz), false));
        }

        if (HasDatabase(spec) && spec.Database.DatabaseReplicas > 0)
        {
            yield return Less("Database/Replica1", "No read replicas", $"The stage is {spec.Stage}, and there are {spec.Database.DatabaseReplicas} replicas.", "All reads go to the one database.", (nameof(DatabaseSpec.DatabaseReplicas), 0));
        }

        if (spec.Cache is { CacheEnabled: true, CacheNodes: > 1 })
        {
            yield return Less(
                "Cache/ReplicationGroup", "One cache node", $"The stage is {spec.Stage}, and there are {spec.Cache.CacheNodes} nodes.", "A failure of the node empties the cache.", (nameof(CacheSpec.CacheNodes), 1), (nameof(CacheSpec.CacheMultiAz), false));
        }

        if (spec.Lambda is { LambdaEnabled: true, LambdaProvisionedConcurrency: > 0 })
        {
            yield return Less("Lambda/Alias", "No provisioned concurrency", $"The stage is {spec.Stage}, and {spec.Lambda.LambdaProvisionedConcurrency} instances are kept warm.", "First calls wait for a cold start.", (nameof(LambdaSpec.LambdaProvisionedConcurrency), 0));
        }
    }

    private static IEnumerable<SpecIdea> Versions(InferloopEnvironmentSpec spec, CostEstimate estimate)
    {
        var surcharged = estimate.Lines.Where(l => l.Dimension.Contains("extended_support", StringComparison.Ordinal)).ToList();
        if (HasDatabase(spec) && surcharged.Find(l => l.Dimension.StartsWith("rds/", StringComparison.Ordinal)) is { } database)
        {
            yield return new SpecIdea(
                CostRecommendationKind.ExtendedSupport, database.Path, $"PostgreSQL {new DatabaseSpec().DatabaseEngineVersion} instead of {spec.Database.DatabaseEngineVersion}",
                FormattableString.Invariant($"The version is in extended support, which costs {database.MonthlyExpected:0.00} a month."), "An upgrade of a major version: try it on a restored snapshot first.",
                (nameof(DatabaseSpec.DatabaseEngineVersion), new DatabaseSpec().DatabaseEngineVersion), (nameof(DatabaseSpec.DatabaseAllowMajorUpgrade), true));
        }

        if (spec.Eks.EksEnabled && surcharged.Find(l => l.Dimension.StartsWith("eks/", StringComparison.Ordinal)) is { } cluster && int.TryParse(spec.Eks.EksVersion.Split('.')[^1], out var minor))
        {
            yield return new SpecIdea(
                CostRecommendationKind.ExtendedSupport, cluster.Path, $"Kubernetes {new EksSpec().EksVersion} instead of {spec.Eks.EksVersion}",
                FormattableString.Invariant($"The version is in extended support, which costs {cluster.MonthlyExpected:0.00} a month."), "Kubernetes goes up one minor version at a time: the command is the first step.",
                (nameof(EksSpec.EksVersion), new EksSpec().EksVersion)) { FirstStep = [(nameof(EksSpec.EksVersion), $"1.{minor + 1}")] };
        }
    }
}
