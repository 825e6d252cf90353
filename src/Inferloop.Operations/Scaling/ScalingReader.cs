using Amazon.ApplicationAutoScaling;
using Amazon.AutoScaling;
using Amazon.AutoScaling.Model;
using Amazon.Batch;
using Amazon.Batch.Model;
using Amazon.EKS;
using Amazon.EKS.Model;
using Amazon.Lambda;
using Amazon.Lambda.Model;
using Amazon.Runtime;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Scaling;

/// <summary>Looks at what of an environment scales, through the services themselves.</summary>
/// <param name="operations">The operations of the environment's account and region.</param>
/// <param name="now">The time by AWS's clock, from which the next times of schedules are counted.</param>
internal sealed class ScalingReader(EnvironmentOperations operations, DateTimeOffset now)
{
    private EnvironmentAws Aws => operations.Aws;

    private AutoScalingReader AutoScaling => new(Aws.Client<IAmazonApplicationAutoScaling>(), Aws.Client<Amazon.CloudWatch.IAmazonCloudWatch>(), now);

    /// <summary>All parts of the environment that scale, or the ones asked for.</summary>
    public async Task<IReadOnlyList<InferloopScaling>> ReadAsync(InferloopEnvironment environment, IReadOnlyCollection<ScalingComponent>? components, CancellationToken cancellation)
    {
        var resources = await operations.ResourcesAsync(environment.StackId, cancellation).ConfigureAwait(false);
        var found = new List<InferloopScaling>();
        foreach (var rule in ScalingRules.All.Where(r => (components is null || components.Contains(r.Component)) && r.IsPresent(environment.Spec)))
        {
            foreach (var resource in resources.Where(r => rule.IsOf(r) && r.PhysicalId.Length > 0 && r.Status != "DELETE_COMPLETE"))
            {
                operations.Report($"Looking at the scaling of {environment.Name}", resource.Path);
                found.AddRange(await LiveAsync(rule, Frame(environment, rule, resource), resources, cancellation).ConfigureAwait(false));
            }
        }

        operations.Reporter.Progress(new OperationProgress($"Looking at the scaling of {environment.Name}", "", 100, Completed: true));
        return found;
    }

    private static InferloopScaling Frame(InferloopEnvironment environment, ScalingRule rule, DeployedResource resource) => new()
    {
        Environment = environment.Name, Stage = environment.Stage, Region = environment.Region,
        Component = rule.Component, Path = resource.Path, PhysicalId = resource.PhysicalId, Unit = rule.Unit,
        SpecMembers = rule.Members.ToDictionary(m => m, m => SpecMembers.Require(m).Get(environment.Spec), StringComparer.Ordinal),
        Origin = environment,
    };

    private async Task<IReadOnlyList<InferloopScaling>> LiveAsync(ScalingRule rule, InferloopScaling frame, IReadOnlyList<DeployedResource> resources, CancellationToken cancellation) => rule.Component switch
    {
        ScalingComponent.Ecs => [await ServiceAsync(frame, cancellation).ConfigureAwait(false)],
        ScalingComponent.EcsInstances => [await GroupAsync(frame, frame.PhysicalId, cancellation).ConfigureAwait(false)],
        ScalingComponent.EksNodes => [await NodesAsync(frame, cancellation).ConfigureAwait(false)],
        ScalingComponent.Batch => [await BatchAsync(frame, cancellation).ConfigureAwait(false)],
        ScalingComponent.LambdaReserved => [await ReservedAsync(frame, cancellation).ConfigureAwait(false)],
        ScalingComponent.LambdaProvisioned => [await ProvisionedAsync(frame, cancellation).ConfigureAwait(false)],
        ScalingComponent.TableRead or ScalingComponent.TableWrite => await TableAsync(frame, cancellation).ConfigureAwait(false),
        ScalingComponent.Cache => [await CacheAsync(frame, cancellation).ConfigureAwait(false)],
        ScalingComponent.DatabaseStorage => [await StorageAsync(frame, cancellation).ConfigureAwait(false)],
        _ => [await ReplicasAsync(frame, resources, cancellation).ConfigureAwait(false)],
    };

    private static InferloopScaling With(InferloopScaling frame, AutoScalingState? state) => state is null
        ? frame
        : frame with { Minimum = state.Minimum, Maximum = state.Maximum, Suspended = state.Suspended, Targets = state.Targets, Steps = state.Steps, Schedule = state.Schedule, Activities = state.Activities };

    private async Task<InferloopScaling> ServiceAsync(InferloopScaling frame, CancellationToken cancellation)
    {
        var (cluster, service) = ServiceOf(frame.PhysicalId);
        var answer = await Aws.ECS.DescribeServicesAsync(new Amazon.ECS.Model.DescribeServicesRequest { Cluster = cluster, Services = [service] }, cancellation).ConfigureAwait(false);
        var found = answer.Services is { Count: > 0 } services ? services[0] : null;
        var state = await AutoScaling.ReadAsync("ecs", $"service/{cluster}/{service}", "ecs:service:DesiredCount", cancellation).ConfigureAwait(false);
        return With(frame, state) with { Desired = found?.DesiredCount, Running = found?.RunningCount };
    }

    /// <summary>Cluster and name of a service by its ARN.</summary>
    internal static (string Cluster, string Service) ServiceOf(string arn) => arn.Split('/') is [_, var cluster, var service] ? (cluster, service) : ("default", arn);

    private async Task<InferloopScaling> GroupAsync(InferloopScaling frame, string name, CancellationToken cancellation)
    {
        var answer = await Aws.Client<IAmazonAutoScaling>().DescribeAutoScalingGroupsAsync(new DescribeAutoScalingGroupsRequest { AutoScalingGroupNames = [name] }, cancellation).ConfigureAwait(false);
        return answer.AutoScalingGroups is { Count: > 0 } groups
            ? frame with { Minimum = groups[0].MinSize, Maximum = groups[0].MaxSize, Desired = groups[0].DesiredCapacity, Running = (groups[0].Instances ?? []).Count(i => i.LifecycleState == "InService") }
            : frame;
    }

    private async Task<InferloopScaling> NodesAsync(InferloopScaling frame, CancellationToken cancellation)
    {
        var parts = frame.PhysicalId.Split('/');
        var answer = await Aws.Client<IAmazonEKS>().DescribeNodegroupAsync(new DescribeNodegroupRequest { ClusterName = parts[0], NodegroupName = parts[^1] }, cancellation).ConfigureAwait(false);
        var scaling = answer.Nodegroup.ScalingConfig;
        var group = answer.Nodegroup.Resources?.AutoScalingGroups is { Count: > 0 } groups ? await GroupAsync(frame, groups[0].Name, cancellation).ConfigureAwait(false) : frame;
        return frame with { Minimum = scaling?.MinSize, Maximum = scaling?.MaxSize, Desired = scaling?.DesiredSize, Running = group.Running };
    }

    private async Task<InferloopScaling> BatchAsync(InferloopScaling frame, CancellationToken cancellation)
    {
        var answer = await Aws.Client<IAmazonBatch>().DescribeComputeEnvironmentsAsync(new DescribeComputeEnvironmentsRequest { ComputeEnvironments = [frame.PhysicalId] }, cancellation).ConfigureAwait(false);
        return answer.ComputeEnvironments is { Count: > 0 } found
            ? frame with { Minimum = found[0].ComputeResources?.MinvCpus, Maximum = found[0].ComputeResources?.MaxvCpus, Desired = found[0].ComputeResources?.DesiredvCpus }
            : frame;
    }

    private async Task<InferloopScaling> ReservedAsync(InferloopScaling frame, CancellationToken cancellation)
    {
        var lambda = Aws.Client<IAmazonLambda>();
        var own = (await lambda.GetFunctionConcurrencyAsync(new GetFunctionConcurrencyRequest { FunctionName = frame.PhysicalId }, cancellation).ConfigureAwait(false)).ReservedConcurrentExecutions;
        if (own is not null)
        {
            return frame with { Maximum = own };
        }

        // Without a reservation it may have what no other function has reserved.
        var limit = (await lambda.GetAccountSettingsAsync(new GetAccountSettingsRequest(), cancellation).ConfigureAwait(false)).AccountLimit;
        return frame with { Maximum = limit?.UnreservedConcurrentExecutions };
    }

    private async Task<InferloopScaling> ProvisionedAsync(InferloopScaling frame, CancellationToken cancellation)
    {
        // arn:aws:lambda:region:account:function:NAME:ALIAS
        var parts = frame.PhysicalId.Split(':');
        var state = await AutoScaling.ReadAsync("lambda", $"function:{parts[^2]}:{parts[^1]}", "lambda:function:ProvisionedConcurrency", cancellation).ConfigureAwait(false);
        try
        {
            var config = await Aws.Client<IAmazonLambda>().GetProvisionedConcurrencyConfigAsync(
                new GetProvisionedConcurrencyConfigRequest { FunctionName = parts[^2], Qualifier = parts[^1] }, cancellation).ConfigureAwait(false);
            return With(frame, state) with { Desired = config.RequestedProvisionedConcurrentExecutions, Running = config.AvailableProvisionedConcurrentExecutions };
        }
        catch (AmazonServiceException e) when (e.ErrorCode == "ProvisionedConcurrencyConfigNotFoundException")
        {
            return With(frame, state) with { Desired = 0, Running = 0 };
        }
    }

    private async Task<IReadOnlyList<InferloopScaling>> TableAsync(InferloopScaling frame, CancellationToken cancellation)
    {
        var table = (await Aws.DynamoDB.DescribeTableAsync(frame.PhysicalId, cancellation).ConfigureAwait(false)).Table;
        var write = frame.Component == ScalingComponent.TableWrite;
        var kind = write ? "WriteCapacityUnits" : "ReadCapacityUnits";
        var found = new List<InferloopScaling> { await PartAsync(frame, $"table/{table.TableName}", $"dynamodb:table:{kind}", table.ProvisionedThroughput).ConfigureAwait(false) };
        foreach (var index in table.GlobalSecondaryIndexes ?? [])
        {
            found.Add(await PartAsync(
                frame with { Path = $"{frame.Path}/{index.IndexName}" }, $"table/{table.TableName}/index/{index.IndexName}", $"dynamodb:index:{kind}", index.ProvisionedThroughput).ConfigureAwait(false));
        }

        return found;

        async Task<InferloopScaling> PartAsync(InferloopScaling part, string resourceId, string dimension, Amazon.DynamoDBv2.Model.ProvisionedThroughputDescription? capacity)
        {
            var units = (int?)(write ? capacity?.WriteCapacityUnits : capacity?.ReadCapacityUnits);
            return With(part, await AutoScaling.ReadAsync("dynamodb", resourceId, dimension, cancellation).ConfigureAwait(false)) with { Desired = units, Running = units };
        }
    }

    private async Task<InferloopScaling> CacheAsync(InferloopScaling frame, CancellationToken cancellation)
    {
        var answer = await Aws.Caches.DescribeReplicationGroupsAsync(new Amazon.ElastiCache.Model.DescribeReplicationGroupsRequest { ReplicationGroupId = frame.PhysicalId }, cancellation).ConfigureAwait(false);
        var nodes = answer.ReplicationGroups is { Count: > 0 } groups ? groups[0].MemberClusters?.Count : null;
        return frame with { Desired = (int)frame.SpecMembers[nameof(CacheSpec.CacheNodes)], Running = nodes };
    }

    private async Task<InferloopScaling> StorageAsync(InferloopScaling frame, CancellationToken cancellation)
    {
        var answer = await Aws.Databases.DescribeDBInstancesAsync(new Amazon.RDS.Model.DescribeDBInstancesRequest { DBInstanceIdentifier = frame.PhysicalId }, cancellation).ConfigureAwait(false);
        return answer.DBInstances is { Count: > 0 } found
            ? frame with { Minimum = (int)frame.SpecMembers[nameof(DatabaseSpec.DatabaseStorageSize)], Maximum = found[0].MaxAllocatedStorage, Desired = found[0].AllocatedStorage, Running = found[0].AllocatedStorage }
            : frame;
    }

    private async Task<InferloopScaling> ReplicasAsync(InferloopScaling frame, IReadOnlyList<DeployedResource> resources, CancellationToken cancellation)
    {
        var available = 0;
        foreach (var replica in resources.Where(r => r is { Type: "AWS::RDS::DBInstance", PhysicalId.Length: > 0 } && r.Path.StartsWith("Database/Replica", StringComparison.Ordinal) && r.Status != "DELETE_COMPLETE"))
        {
            var answer = await Aws.Databases.DescribeDBInstancesAsync(new Amazon.RDS.Model.DescribeDBInstancesRequest { DBInstanceIdentifier = replica.PhysicalId }, cancellation).ConfigureAwait(false);
            available += answer.DBInstances is { Count: > 0 } found && found[0].DBInstanceStatus is "available" or "backing-up" or "storage-optimization" ? 1 : 0;
        }

        return frame with { Desired = (int)frame.SpecMembers[nameof(DatabaseSpec.DatabaseReplicas)], Running = available };
    }
}
