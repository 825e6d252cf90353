using Amazon.EC2.Model;
using Amazon.Runtime;

namespace Inferloop.Operations.Environments;

/// <summary>Looks at the parts of an environment through their own services: one call for each kind, a few at a time.</summary>
internal sealed partial class EnvironmentComponents(EnvironmentAws aws)
{
    private const int AtOnce = 5;

    /// <summary>All parts that have a state of their own.</summary>
    public Task<IReadOnlyList<InferloopEnvironmentComponent>> ReadAsync(string environment, IReadOnlyList<DeployedResource> resources, CancellationToken cancellation) =>
        ReadAsync(environment, resources, Probes(), cancellation);

    /// <summary>How the environment does as a whole: whether its tasks run and the load balancer reaches them, its functions can be called, the cluster and its nodes, and the database and cache that they need.</summary>
    public async Task<EnvironmentHealth> HealthAsync(string environment, IReadOnlyList<DeployedResource> resources, CancellationToken cancellation)
    {
        var probes = Probes().Where(p => p.Type is "AWS::ECS::Service" or "AWS::ElasticLoadBalancingV2::TargetGroup" or "AWS::Lambda::Function" or "AWS::RDS::DBInstance" or "AWS::ElastiCache::ReplicationGroup"
            or "AWS::EKS::Cluster" or "AWS::EKS::Nodegroup").ToList();
        var parts = await ReadAsync(environment, resources, probes, cancellation).ConfigureAwait(false);
        return parts.Count == 0 ? EnvironmentHealth.Unknown : parts.Max(p => p.Health);
    }

    private static async Task<IReadOnlyList<InferloopEnvironmentComponent>> ReadAsync(
        string environment, IReadOnlyList<DeployedResource> resources, IReadOnlyList<Probe> probes, CancellationToken cancellation)
    {
        using var places = new SemaphoreSlim(AtOnce);
        var work = probes
            .Select(probe => (Probe: probe, Of: resources.Where(r => r.Type == probe.Type && r.PhysicalId.Length > 0 && r.Status != "DELETE_COMPLETE").ToList()))
            .Where(x => x.Of.Count > 0)
            .Select(async x =>
            {
                await places.WaitAsync(cancellation).ConfigureAwait(false);
                try
                {
                    var states = await x.Probe.Look(x.Of.Select(r => r.PhysicalId).ToList(), cancellation).ConfigureAwait(false);
                    return x.Of.Select(r => Component(environment, r, states.TryGetValue(r.PhysicalId, out var s) ? s : Missing));
                }
                catch (AmazonServiceException e) when (!AwsFaults.IsPassing(e) && (e.ErrorCode?.Contains("AccessDenied", StringComparison.Ordinal) == true || e.ErrorCode is "UnauthorizedOperation" or "AuthorizationError"))
                {
                    // One kind that may not be read must not hide the others.
                    return x.Of.Select(r => Component(environment, r, new PartState("unknown", EnvironmentHealth.Unknown, "no permission to look: " + e.Message)));
                }
                finally
                {
                    places.Release();
                }
            });
        var found = await Task.WhenAll(work).ConfigureAwait(false);
        return found.SelectMany(f => f).OrderBy(c => c.Component, StringComparer.Ordinal).ThenBy(c => c.Path, StringComparer.Ordinal).ToList();
    }

    private static readonly PartState Missing = new("missing", EnvironmentHealth.Unhealthy, "CloudFormation lists it, its service does not know it");

    private static InferloopEnvironmentComponent Component(string environment, DeployedResource r, PartState state) => new()
    {
        Environment = environment,
        Component = r.Path.Split('/')[0],
        Path = r.Path,
        Type = r.Type,
        PhysicalId = r.PhysicalId,
        Status = state.Status,
        Health = state.Health,
        Detail = state.Detail,
    };

    private static EnvironmentHealth Good(bool good, bool changing = false) =>
        good ? EnvironmentHealth.Healthy : changing ? EnvironmentHealth.Changing : EnvironmentHealth.Unhealthy;

    private IReadOnlyList<Probe> Probes() =>
    [
        new("AWS::EC2::VPC", VpcsAsync),
        new("AWS::EC2::Subnet", SubnetsAsync),
        new("AWS::EC2::NatGateway", NatGatewaysAsync),
        new("AWS::ElasticLoadBalancingV2::LoadBalancer", LoadBalancersAsync),
        new("AWS::ElasticLoadBalancingV2::TargetGroup", TargetGroupsAsync),
        new("AWS::ECS::Cluster", ClustersAsync),
        new("AWS::ECS::Service", ServicesAsync),
        new("AWS::DynamoDB::Table", TablesAsync),
        new("AWS::DynamoDB::GlobalTable", TablesAsync),
        new("AWS::RDS::DBInstance", DatabasesAsync),
        new("AWS::ElastiCache::ReplicationGroup", CachesAsync),
        new("AWS::Lambda::Function", FunctionsAsync),
        new("AWS::Lambda::Alias", AliasesAsync),
        new("AWS::SQS::Queue", QueuesAsync),
        new("AWS::Batch::ComputeEnvironment", BatchEnvironmentsAsync),
        new("AWS::Batch::JobQueue", BatchQueuesAsync),
        new("AWS::EC2::VPNConnection", VpnsAsync),
        new("AWS::EKS::Cluster", KubernetesClustersAsync),
        new("AWS::EKS::Nodegroup", NodeGroupsAsync),
        new("AWS::EKS::Addon", AddonsAsync),
        new("AWS::S3::Bucket", BucketsAsync),
        new("AWS::KMS::Key", KeysAsync),
        new("AWS::Logs::LogGroup", LogGroupsAsync),
    ];

    private async Task<Dictionary<string, PartState>> VpcsAsync(List<string> ids, CancellationToken cancellation)
    {
        var answer = await aws.EC2.DescribeVpcsAsync(new DescribeVpcsRequest { VpcIds = ids }, cancellation).ConfigureAwait(false);
        return (answer.Vpcs ?? []).ToDictionary(v => v.VpcId, v => new PartState(v.State.Value, Good(v.State == "available", v.State == "pending"), v.CidrBlock));
    }

    private async Task<Dictionary<string, PartState>> SubnetsAsync(List<string> ids, CancellationToken cancellation)
    {
        var answer = await aws.EC2.DescribeSubnetsAsync(new DescribeSubnetsRequest { SubnetIds = ids }, cancellation).ConfigureAwait(false);
        return (answer.Subnets ?? []).ToDictionary(
            s => s.SubnetId,
            s => new PartState(s.State.Value, Good(s.State == "available", s.State == "pending"), $"{s.CidrBlock} in {s.AvailabilityZone}, {s.AvailableIpAddressCount} addresses free"));
    }

    private async Task<Dictionary<string, PartState>> NatGatewaysAsync(List<string> ids, CancellationToken cancellation)
    {
        var answer = await aws.EC2.DescribeNatGatewaysAsync(new DescribeNatGatewaysRequest { NatGatewayIds = ids }, cancellation).ConfigureAwait(false);
        return (answer.NatGateways ?? []).ToDictionary(
            n => n.NatGatewayId,
            n => new PartState(n.State.Value, Good(n.State == "available", n.State == "pending"), n.FailureMessage ?? n.NatGatewayAddresses?.FirstOrDefault()?.PublicIp ?? ""));
    }

    private async Task<Dictionary<string, PartState>> LoadBalancersAsync(List<string> ids, CancellationToken cancellation)
    {
        var answer = await aws.LoadBalancing.DescribeLoadBalancersAsync(new Amazon.ElasticLoadBalancingV2.Model.DescribeLoadBalancersRequest { LoadBalancerArns = ids }, cancellation).ConfigureAwait(false);
        return (answer.LoadBalancers ?? []).ToDictionary(
            b => b.LoadBalancerArn,
            b => new PartState(
                b.State?.Code?.Value ?? "unknown",
                b.State?.Code?.Value switch { "active" => EnvironmentHealth.Healthy, "provisioning" => EnvironmentHealth.Changing, "active_impaired" => EnvironmentHealth.Degraded, _ => EnvironmentHealth.Unhealthy },
                b.DNSName ?? ""));
    }

    private async Task<Dictionary<string, PartState>> TargetGroupsAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            var answer = await aws.LoadBalancing.DescribeTargetHealthAsync(new Amazon.ElasticLoadBalancingV2.Model.DescribeTargetHealthRequest { TargetGroupArn = id }, cancellation).ConfigureAwait(false);

            // Draining targets are on their way out and say nothing about the ones that serve.
            var targets = (answer.TargetHealthDescriptions ?? []).Where(t => t.TargetHealth?.State?.Value is not ("draining" or "unused")).ToList();
            var healthy = targets.Count(t => t.TargetHealth.State == "healthy");
            var bad = targets.FirstOrDefault(t => t.TargetHealth.State != "healthy")?.TargetHealth;
            var health = targets.Count == 0 ? EnvironmentHealth.Unhealthy
                : healthy == targets.Count ? EnvironmentHealth.Healthy
                : targets.TrueForAll(t => t.TargetHealth.State == "healthy" || t.TargetHealth.State == "initial") ? EnvironmentHealth.Changing
                : healthy > 0 ? EnvironmentHealth.Degraded : EnvironmentHealth.Unhealthy;
            states[id] = new PartState(
                targets.Count == 0 ? "no targets" : healthy == targets.Count ? "healthy" : bad!.State.Value, health,
                $"{healthy} of {targets.Count} targets healthy{(bad?.Description is { Length: > 0 } why ? ": " + why : "")}");
        }

        return states;
    }

    private async Task<Dictionary<string, PartState>> ClustersAsync(List<string> ids, CancellationToken cancellation)
    {
        var answer = await aws.ECS.DescribeClustersAsync(new Amazon.ECS.Model.DescribeClustersRequest { Clusters = ids }, cancellation).ConfigureAwait(false);
        return Match(ids, answer.Clusters ?? [], c => [c.ClusterArn, c.ClusterName], c => new PartState(
            c.Status, Good(c.Status == "ACTIVE", c.Status == "PROVISIONING"), $"{c.RunningTasksCount ?? 0} tasks running, {c.PendingTasksCount ?? 0} pending, {c.RegisteredContainerInstancesCount ?? 0} container instances"));
    }

    private async Task<Dictionary<string, PartState>> ServicesAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);

        // arn:...:service/CLUSTER/NAME: a call names one cluster and at most ten services.
        foreach (var group in ids.GroupBy(i => i.Split('/') is { Length: 3 } parts ? parts[1] : "default"))
        {
            foreach (var chunk in group.Chunk(10))
            {
                var answer = await aws.ECS.DescribeServicesAsync(new Amazon.ECS.Model.DescribeServicesRequest { Cluster = group.Key, Services = [.. chunk] }, cancellation).ConfigureAwait(false);
                foreach (var (id, state) in Match([.. chunk], answer.Services ?? [], s => [s.ServiceArn, s.ServiceName], State))
                {
                    states[id] = state;
                }
            }
        }

        return states;

        static PartState State(Amazon.ECS.Model.Service s)
        {
            var running = s.RunningCount ?? 0;
            var desired = s.DesiredCount ?? 0;
            var rollout = (s.Deployments ?? []).Find(d => d.Status == "PRIMARY");
            var health = s.Status != "ACTIVE" ? EnvironmentHealth.Unhealthy
                : rollout?.RolloutState?.Value == "IN_PROGRESS" && running < desired ? EnvironmentHealth.Changing
                : running >= desired ? EnvironmentHealth.Healthy
                : running > 0 ? EnvironmentHealth.Degraded : EnvironmentHealth.Unhealthy;
            var reason = rollout?.RolloutState?.Value == "FAILED" ? $", rollout failed: {rollout.RolloutStateReason}" : "";
            return new PartState(s.Status, health, $"{running} of {desired} tasks running, {s.PendingCount ?? 0} pending{reason}");
        }
    }

    private async Task<Dictionary<string, PartState>> TablesAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            try
            {
                var table = (await aws.DynamoDB.DescribeTableAsync(id, cancellation).ConfigureAwait(false)).Table;
                states[id] = new PartState(table.TableStatus.Value, Good(table.TableStatus == "ACTIVE", table.TableStatus == "CREATING" || table.TableStatus == "UPDATING"), $"{table.ItemCount ?? 0:N0} items");
            }
            catch (Amazon.DynamoDBv2.Model.ResourceNotFoundException)
            {
                // Reported as missing.
            }
        }

        return states;
    }

    private async Task<Dictionary<string, PartState>> BucketsAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            try
            {
                var versioning = await aws.S3.GetBucketVersioningAsync(new Amazon.S3.Model.GetBucketVersioningRequest { BucketName = id }, cancellation).ConfigureAwait(false);
                states[id] = new PartState("available", EnvironmentHealth.Healthy, $"versioning {versioning.VersioningConfig?.Status?.Value?.ToLowerInvariant() ?? "off"}");
            }
            catch (Amazon.S3.AmazonS3Exception e) when (e.ErrorCode == "NoSuchBucket")
            {
                // Reported as missing.
            }
        }

        return states;
    }

    private async Task<Dictionary<string, PartState>> KeysAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            try
            {
                var key = (await aws.Keys.DescribeKeyAsync(id, cancellation).ConfigureAwait(false)).KeyMetadata;
                states[id] = new PartState(key.KeyState.Value, Good(key.KeyState == "Enabled", key.KeyState == "Creating"), key.Description ?? "");
            }
            catch (Amazon.KeyManagementService.Model.NotFoundException)
            {
                // Reported as missing.
            }
        }

        return states;
    }

    private async Task<Dictionary<string, PartState>> LogGroupsAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            var answer = await aws.Logs.DescribeLogGroupsAsync(new Amazon.CloudWatchLogs.Model.DescribeLogGroupsRequest { LogGroupNamePrefix = id }, cancellation).ConfigureAwait(false);
            if ((answer.LogGroups ?? []).Find(g => g.LogGroupName == id) is { } found)
            {
                states[id] = new PartState("available", EnvironmentHealth.Healthy, found.RetentionInDays is { } days ? $"kept {days} days" : "kept for ever");
            }
        }

        return states;
    }

    private static Dictionary<string, PartState> Match<T>(List<string> ids, List<T> found, Func<T, string?[]> names, Func<T, PartState> state)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            if (found.Find(f => names(f).Contains(id)) is { } one)
            {
                states[id] = state(one);
            }
        }

        return states;
    }

    private sealed record Probe(string Type, Func<List<string>, CancellationToken, Task<Dictionary<string, PartState>>> Look);

    internal sealed record PartState(string Status, EnvironmentHealth Health, string Detail);
}
