using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Scaling;

/// <summary>What a component scales by: the members of the spec that govern each value. A value without a member cannot be set.</summary>
internal sealed record ScalingRule
{
    public required ScalingComponent Component { get; init; }

    /// <summary>What is counted.</summary>
    public required string Unit { get; init; }

    /// <summary>Whether the environment has it.</summary>
    public required Func<InferloopEnvironmentSpec, bool> IsPresent { get; init; }

    /// <summary>How it comes to be there, where it is not.</summary>
    public required string Missing { get; init; }

    /// <summary>Which of the environment's resources it is.</summary>
    public required Func<DeployedResource, bool> IsOf { get; init; }

    public string? Minimum { get; init; }

    public string? Maximum { get; init; }

    public string? Desired { get; init; }

    public string? Cpu { get; init; }

    public string? Memory { get; init; }

    public string? Requests { get; init; }

    public string? Metric { get; init; }

    public string? Utilization { get; init; }

    public string? Steps { get; init; }

    public string? Schedule { get; init; }

    public string? Suspended { get; init; }

    /// <summary>Why the rest cannot be set, in a sentence.</summary>
    public string Why { get; init; } = "";

    /// <summary>All members that govern it.</summary>
    public IEnumerable<string> Members => new[] { Minimum, Maximum, Desired, Cpu, Memory, Requests, Metric, Utilization, Steps, Schedule, Suspended }.OfType<string>();
}

/// <summary>What of an environment scales, and by which members of its spec.</summary>
internal static class ScalingRules
{
    public static IReadOnlyList<ScalingRule> All { get; } =
    [
        new()
        {
            Component = ScalingComponent.Ecs, Unit = "tasks", IsPresent = s => s.Ecs.EcsEnabled, Missing = "-EcsEnabled $true", IsOf = r => r.Type == "AWS::ECS::Service",
            Minimum = nameof(EcsSpec.MinimumTasks), Maximum = nameof(EcsSpec.MaximumTasks), Desired = nameof(EcsSpec.DesiredTasks),
            Cpu = nameof(EcsSpec.TargetCpuPercent), Memory = nameof(EcsSpec.TargetMemoryPercent), Requests = nameof(EcsSpec.TargetRequestsPerTask), Metric = nameof(EcsSpec.TaskScalingMetric),
            Steps = nameof(EcsSpec.TaskScalingSteps), Schedule = nameof(EcsSpec.TaskScalingSchedule), Suspended = nameof(EcsSpec.TaskScalingSuspended),
            Why = "The service's tasks are all of one kind; a target of utilization is one of CPU or memory.",
        },
        new()
        {
            Component = ScalingComponent.EcsInstances, Unit = "instances", IsPresent = s => s.Ecs.EcsEnabled && s.Ecs.CapacityMode is CapacityMode.Ec2 or CapacityMode.Mixed,
            Missing = "-CapacityMode Mixed", IsOf = r => r.Type == "AWS::AutoScaling::AutoScalingGroup" && r.Path.StartsWith("Ecs/", StringComparison.Ordinal),
            Minimum = nameof(EcsSpec.Ec2MinimumInstances), Maximum = nameof(EcsSpec.Ec2MaximumInstances),
            Why = "ECS itself starts and ends instances by the tasks that ask for them.",
        },
        new()
        {
            Component = ScalingComponent.EksNodes, Unit = "nodes", IsPresent = s => s.Eks.EksEnabled, Missing = "-EksEnabled $true", IsOf = r => r.Type == "AWS::EKS::Nodegroup",
            Minimum = nameof(EksSpec.EksMinimumNodes), Maximum = nameof(EksSpec.EksMaximumNodes), Desired = nameof(EksSpec.EksDesiredNodes),
            Why = "The cluster autoscaler starts and ends nodes by the pods that find no place.",
        },
        new()
        {
            Component = ScalingComponent.Batch, Unit = "vCPUs", IsPresent = s => s.Batch.BatchEnabled, Missing = "-BatchEnabled $true", IsOf = r => r.Type == "AWS::Batch::ComputeEnvironment",
            Minimum = nameof(BatchSpec.BatchMinimumVcpus), Maximum = nameof(BatchSpec.BatchMaximumVcpus),
            Why = "Batch itself starts and ends instances by the jobs that wait.",
        },
        new()
        {
            Component = ScalingComponent.LambdaReserved, Unit = "calls", IsPresent = s => s.Lambda.LambdaEnabled, Missing = "-LambdaEnabled $true", IsOf = r => r is { Type: "AWS::Lambda::Function", Path: "Lambda/Function" },
            Maximum = nameof(LambdaSpec.LambdaReservedConcurrency),
            Why = "Lambda scales by itself with the calls; what can be set is how many it may have at once.",
        },
        new()
        {
            Component = ScalingComponent.LambdaProvisioned, Unit = "calls", IsPresent = s => s.Lambda.LambdaEnabled, Missing = "-LambdaEnabled $true", IsOf = r => r.Type == "AWS::Lambda::Alias",
            Minimum = nameof(LambdaSpec.LambdaProvisionedConcurrency), Maximum = nameof(LambdaSpec.LambdaProvisionedMaximum), Utilization = nameof(LambdaSpec.LambdaProvisionedTarget),
            Schedule = nameof(LambdaSpec.LambdaScalingSchedule), Suspended = nameof(LambdaSpec.LambdaScalingSuspended),
            Why = "The calls that the function is kept ready for follow the use of them.",
        },
        Table(ScalingComponent.TableRead, "read units", nameof(StorageSpec.TableMinimumReadCapacity), nameof(StorageSpec.TableMaximumReadCapacity)),
        Table(ScalingComponent.TableWrite, "write units", nameof(StorageSpec.TableMinimumWriteCapacity), nameof(StorageSpec.TableMaximumWriteCapacity)),
        new()
        {
            Component = ScalingComponent.Cache, Unit = "nodes", IsPresent = s => s.Cache.CacheEnabled, Missing = "-CacheEnabled $true", IsOf = r => r.Type == "AWS::ElastiCache::ReplicationGroup",
            Desired = nameof(CacheSpec.CacheNodes),
            Why = "ElastiCache scales replicas by itself only of caches in cluster mode; this one has one shard, and as many replicas as it is told.",
        },
        new()
        {
            Component = ScalingComponent.DatabaseStorage, Unit = "GiB", IsPresent = s => s.Database.DatabaseEnabled, Missing = "-DatabaseEnabled $true",
            IsOf = r => r is { Type: "AWS::RDS::DBInstance", Path: "Database/Database" },
            Minimum = nameof(DatabaseSpec.DatabaseStorageSize), Maximum = nameof(DatabaseSpec.DatabaseMaximumStorage),
            Why = "RDS enlarges storage that runs full, up to the maximum, and never makes it smaller.",
        },
        new()
        {
            Component = ScalingComponent.DatabaseReplicas, Unit = "replicas", IsPresent = s => s.Database.DatabaseEnabled, Missing = "-DatabaseEnabled $true",
            IsOf = r => r is { Type: "AWS::RDS::DBInstance", Path: "Database/Database" },
            Desired = nameof(DatabaseSpec.DatabaseReplicas),
            Why = "RDS scales replicas by itself only in Aurora; here there are as many as it is told.",
        },
    ];

    public static ScalingRule Of(ScalingComponent component) => All.First(r => r.Component == component);

    private static ScalingRule Table(ScalingComponent component, string unit, string minimum, string maximum) => new()
    {
        Component = component, Unit = unit, IsPresent = s => s.Storage.TableBillingMode == TableBillingMode.Provisioned, Missing = "-TableBillingMode Provisioned",
        IsOf = r => r.Type is "AWS::DynamoDB::Table" or "AWS::DynamoDB::GlobalTable",
        Minimum = minimum, Maximum = maximum, Utilization = nameof(StorageSpec.TableTargetUtilization),
        Schedule = nameof(StorageSpec.TableScalingSchedule), Suspended = nameof(StorageSpec.TableScalingSuspended),
        Why = "A table's capacity follows the use of its units.",
    };
}
