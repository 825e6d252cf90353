using Inferloop.Operations.Costs.Measuring;
using Inferloop.Operations.Costs.Pricing;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Costs.Advice;

/// <summary>What the metrics of a running environment tell beside its spec.</summary>
internal static class MeasuredIdeas
{
    // Half of it must still do: at twice the load there is room left.
    private const double Room = 40;

    // A weekend of silence is no sign.
    private const double DaysOfSilence = 5;

    public static IEnumerable<SpecIdea> Of(InferloopEnvironmentSpec spec, MeasuredUse use, IReadOnlyList<DeployedResource> resources) =>
    [
        .. resources.SelectMany(r => r.Type switch
        {
            "AWS::ECS::Service" when spec.Ecs.EcsEnabled => Tasks(spec, use, r.Path),
            "AWS::RDS::DBInstance" when spec.Database.DatabaseEnabled && !r.LogicalId.StartsWith("Replica", StringComparison.Ordinal) => Database(spec, use, r.Path),
            "AWS::ElastiCache::ReplicationGroup" when spec.Cache.CacheEnabled => Cache(spec, use, r.Path),
            "AWS::ElasticLoadBalancingV2::LoadBalancer" when spec.Ecs.EcsEnabled => Balancer(spec, use, r.Path),
            "AWS::DynamoDB::Table" when spec.Storage.TableBillingMode == TableBillingMode.Provisioned => Table(spec, use, r.Path),
            _ => [],
        }),
    ];

    private static string Over(MeasuredUse use) => FormattableString.Invariant($"over {use.Days:0.#} days");

    private static IEnumerable<SpecIdea> Tasks(InferloopEnvironmentSpec spec, MeasuredUse use, string path)
    {
        if (use.Of(path, "CPUUtilization", Reading.Maximum) is not { } cpu || use.Of(path, "MemoryUtilization", Reading.Maximum) is not { } memory)
        {
            yield break;
        }

        var evidence = FormattableString.Invariant($"CPU was at {cpu:0.#} % at most and memory at {memory:0.#} %, {Over(use)}.");
        if (cpu < Room && memory < Room)
        {
            yield return new SpecIdea(
                CostRecommendationKind.RightSizing, path, $"Tasks of half the size: {spec.Ecs.TaskCpu / 2} CPU units, {spec.Ecs.TaskMemory / 2} MiB", evidence, "Load that the measured time did not have.",
                (nameof(EcsSpec.TaskCpu), spec.Ecs.TaskCpu / 2), (nameof(EcsSpec.TaskMemory), spec.Ecs.TaskMemory / 2)) { IsMeasured = true };
        }

        var least = spec.Stage == EnvironmentStage.Prod ? 2 : 1;
        if (cpu < Room && spec.Ecs.MinimumTasks > least)
        {
            yield return new SpecIdea(
                CostRecommendationKind.RightSizing, path, $"At least {least} task{(least == 1 ? "" : "s")} instead of {spec.Ecs.MinimumTasks}", evidence, "Fewer tasks share the load until scaling has added some.",
                (nameof(EcsSpec.MinimumTasks), least), (nameof(EcsSpec.DesiredTasks), least)) { IsMeasured = true };
        }
    }

    private static IEnumerable<SpecIdea> Database(InferloopEnvironmentSpec spec, MeasuredUse use, string path)
    {
        if (use.Of(path, "DatabaseConnections", Reading.Maximum) is 0 && use.Days >= DaysOfSilence)
        {
            yield return new SpecIdea(
                CostRecommendationKind.Idle, path, "No database: nothing connects to it", $"There was no connection {Over(use)}.", "The database and its data are deleted, after a last snapshot.", (nameof(DatabaseSpec.DatabaseEnabled), false))
            { IsMeasured = true, Consent = path };
        }
        else if (use.Of(path, "CPUUtilization", Reading.Maximum) is { } cpu and < Room && Families.Smaller(spec.Database.DatabaseInstanceClass) is { } smaller && HasMemory(spec.Database.DatabaseInstanceClass, use.Of(path, "FreeableMemory", Reading.Minimum)))
        {
            yield return new SpecIdea(
                CostRecommendationKind.RightSizing, path, $"A smaller database: {smaller}",
                FormattableString.Invariant($"CPU was at {cpu:0.#} % at most, and {use.Of(path, "FreeableMemory", Reading.Minimum) / 1024 / 1024 / 1024:0.##} GiB of memory were free at least, {Over(use)}."),
                "A restart, and less memory for pages that are read often.", (nameof(DatabaseSpec.DatabaseInstanceClass), smaller)) { IsMeasured = true };
        }
    }

    // Half of the memory goes with the size: it has to be free.
    private static bool HasMemory(string instanceClass, double? free)
    {
        var parts = instanceClass.Split('.');
        var memory = parts.Length == 3 ? InstanceSizes.Find(parts[1] + "." + parts[2])?.Memory : null;
        return free is { } bytes && memory is { } gib && bytes / 1024 / 1024 / 1024 > (double)gib / 2;
    }

    private static IEnumerable<SpecIdea> Cache(InferloopEnvironmentSpec spec, MeasuredUse use, string path)
    {
        var calls = (use.Of(path, "GetTypeCmds", Reading.Sum), use.Of(path, "SetTypeCmds", Reading.Sum)) is var (get, set) && (get is not null || set is not null) ? (get ?? 0) + (set ?? 0) : (double?)null;
        if (calls is 0 && use.Days >= DaysOfSilence)
        {
            yield return new SpecIdea(CostRecommendationKind.Idle, path, "No cache: nothing uses it", $"Nothing was read or written {Over(use)}.", "The cache and what is in it are deleted.", (nameof(CacheSpec.CacheEnabled), false)) { IsMeasured = true, Consent = path };
        }
        else if (use.Of(path, "CPUUtilization", Reading.Maximum) is { } cpu and < Room && use.Of(path, "DatabaseMemoryUsagePercentage", Reading.Maximum) is { } memory and < Room && Families.Smaller(spec.Cache.CacheNodeType) is { } smaller)
        {
            yield return new SpecIdea(
                CostRecommendationKind.RightSizing, path, $"A smaller cache: {smaller}", FormattableString.Invariant($"CPU was at {cpu:0.#} % at most and memory at {memory:0.#} %, {Over(use)}."),
                "Keys are evicted sooner.", (nameof(CacheSpec.CacheNodeType), smaller)) { IsMeasured = true };
        }
    }

    private static IEnumerable<SpecIdea> Balancer(InferloopEnvironmentSpec spec, MeasuredUse use, string path)
    {
        // A load balancer without requests publishes none.
        if (use.Of(path, "RequestCount", Reading.Sum) is null or 0 && use.Days >= DaysOfSilence && spec.Ecs.DesiredTasks > 0)
        {
            yield return new SpecIdea(
                CostRecommendationKind.Idle, path, "No tasks while nobody asks", $"There was no request {Over(use)}, and {spec.Ecs.DesiredTasks} tasks run.", "The service answers only once tasks run again; Remove-InferloopEnvironment saves the rest too.",
                (nameof(EcsSpec.MinimumTasks), 0), (nameof(EcsSpec.DesiredTasks), 0)) { IsMeasured = true };
        }
    }

    private static IEnumerable<SpecIdea> Table(InferloopEnvironmentSpec spec, MeasuredUse use, string path)
    {
        if (use.Of(path, "ConsumedReadCapacityUnits", Reading.Sum) is { } reads && use.Of(path, "ConsumedWriteCapacityUnits", Reading.Sum) is { } writes)
        {
            yield return new SpecIdea(
                CostRecommendationKind.RightSizing, path, "Pay the table by request", FormattableString.Invariant($"{reads:#,0} units were read and {writes:#,0} written {Over(use)}; at least {spec.Storage.TableMinimumReadCapacity} and {spec.Storage.TableMinimumWriteCapacity} a second are paid for."),
                "Much more traffic costs more than capacity that is paid for.", (nameof(StorageSpec.TableBillingMode), TableBillingMode.OnDemand)) { IsMeasured = true };
        }
    }
}
