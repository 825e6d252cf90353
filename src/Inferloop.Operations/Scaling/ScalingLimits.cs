using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Scaling;

/// <summary>Says no to what cannot be before anything is changed: bounds that would end what runs, and more than the account or the network holds.</summary>
internal sealed class ScalingLimits(EnvironmentOperations operations)
{
    // What every account begins with, where its own number cannot be read.
    private const int FargateDefault = 6;

    public async Task RefuseAsync(InferloopEnvironmentSpec before, InferloopEnvironmentSpec spec, ScalingRequest request, IReadOnlyList<InferloopScaling> live, CancellationToken cancellation)
    {
        RefuseBounds(spec, request);
        RefuseBelowRunning(before, spec, request, live);
        RefuseShrinking(spec, request, live);
        switch (request.Component)
        {
            case ScalingComponent.Ecs when Greatest(spec) > Greatest(before):
                await RefuseFargateAsync(spec, cancellation).ConfigureAwait(false);
                await RefuseAddressesAsync(spec, live, cancellation).ConfigureAwait(false);
                break;
            case ScalingComponent.LambdaReserved when spec.Lambda.LambdaReservedConcurrency > before.Lambda.LambdaReservedConcurrency:
                await RefuseConcurrencyAsync(spec, live, cancellation).ConfigureAwait(false);
                break;
            case ScalingComponent.EksNodes when spec.Eks.EksMaximumNodes > before.Eks.EksMaximumNodes || spec.Eks.EksDesiredNodes > before.Eks.EksDesiredNodes:
                var type = spec.Eks.EksNodeInstanceTypes.Split(',')[0];
                await JudgeInstancesAsync(spec, "nodes", type, spec.Eks.EksNodeCapacity == EksNodeCapacity.Spot, spec.Eks.EksDesiredNodes, spec.Eks.EksMaximumNodes, cancellation).ConfigureAwait(false);
                break;
            case ScalingComponent.EcsInstances when spec.Ecs.Ec2MaximumInstances > before.Ecs.Ec2MaximumInstances || spec.Ecs.Ec2MinimumInstances > before.Ecs.Ec2MinimumInstances:
                await JudgeInstancesAsync(spec, "instances", spec.Ecs.Ec2InstanceType, spot: false, spec.Ecs.Ec2MinimumInstances, spec.Ecs.Ec2MaximumInstances, cancellation).ConfigureAwait(false);
                break;
            case ScalingComponent.Batch when spec.Batch.BatchMaximumVcpus > before.Batch.BatchMaximumVcpus || spec.Batch.BatchMinimumVcpus > before.Batch.BatchMinimumVcpus:
                foreach (var spot in new[] { false, true })
                {
                    await JudgeVcpusAsync(spec, "vCPUs", spot, spec.Batch.BatchMinimumVcpus, spec.Batch.BatchMaximumVcpus, cancellation).ConfigureAwait(false);
                }

                break;
        }
    }

    private async Task JudgeInstancesAsync(InferloopEnvironmentSpec spec, string unit, string type, bool spot, int started, int most, CancellationToken cancellation)
    {
        var types = (await operations.Aws.EC2.DescribeInstanceTypesAsync(new Amazon.EC2.Model.DescribeInstanceTypesRequest { InstanceTypes = [type] }, cancellation).ConfigureAwait(false)).InstanceTypes ?? [];
        if (types is [{ VCpuInfo.DefaultVCpus: { } each }, ..] && "acdhimrtz".Contains(type[0], StringComparison.Ordinal))
        {
            await JudgeVcpusAsync(spec, $"{unit} of {type}", spot, started * each, most * each, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What is started for sure must fit into the account's quota of EC2; what scaling may ask for some day is worth a warning.</summary>
    private async Task JudgeVcpusAsync(InferloopEnvironmentSpec spec, string what, bool spot, int started, int most, CancellationToken cancellation)
    {
        var (code, name) = spot ? ("L-34B43A08", "standard Spot instances") : ("L-1216C47A", "standard instances on demand");
        if (await AccountQuotas.ValueAsync(operations.Aws, "ec2", code, cancellation).ConfigureAwait(false) is not { } limit || most <= limit)
        {
            return;
        }

        string Ask(int wanted) => $"Ask for more: aws service-quotas request-service-quota-increase --service-code ec2 --quota-code {code} --desired-value {wanted} --region {spec.Region}.";
        if (started > limit)
        {
            throw new OperationException(
                "ScalingQuota", OperationErrorKind.LimitExceeded, $"The {what} to start need {started} vCPUs of {name}; this account has {limit:0} in {spec.Region}.", $"{Ask(started)} Or take fewer.", spec.Name);
        }

        operations.Warn($"The most {what} would need {most} vCPUs of {name}; this account has {limit:0} in {spec.Region}, and scaling stops there. {Ask(most)}");
    }

    /// <summary>The most tasks that scaling may ever ask for: its bound, and those of its schedule.</summary>
    private static int Greatest(InferloopEnvironmentSpec spec) =>
        ScalingSchedule.Parse(spec.Ecs.TaskScalingSchedule).Select(a => a.Maximum).Append(spec.Ecs.MaximumTasks).Max();

    private static void RefuseBounds(InferloopEnvironmentSpec spec, ScalingRequest request)
    {
        var rule = ScalingRules.Of(request.Component);
        foreach (var member in rule.Members.Select(SpecMembers.Require).Where(m => m.Type == typeof(int)))
        {
            var value = (int)member.Get(spec);
            if (value < member.Bounds.Minimum || value > member.Bounds.Maximum)
            {
                throw new OperationException(
                    "ScalingOutOfRange", OperationErrorKind.InvalidArgument, $"{value} is out of range for {request.Component}: {member.Name} is from {member.Bounds.Minimum} to {member.Bounds.Maximum} {member.Bounds.Unit}.",
                    "Give a number within the range.", spec.Name);
            }
        }

        // 0 means none, or without bound, where there are two numbers of other kinds.
        if (request.Component is not (ScalingComponent.DatabaseStorage or ScalingComponent.LambdaReserved) && !(request.Component == ScalingComponent.LambdaProvisioned && spec.Lambda.LambdaProvisionedMaximum == 0)
            && rule is { Minimum: { } least, Maximum: { } most } && (int)SpecMembers.Require(least).Get(spec) is var low && (int)SpecMembers.Require(most).Get(spec) is var high)
        {
            if (low > high)
            {
                throw new OperationException(
                    "ScalingBounds", OperationErrorKind.InvalidArgument, $"The fewest {rule.Unit} ({low}) would be more than the most ({high}).",
                    request switch
                    {
                        { Minimum: not null, Maximum: not null } => $"Turn them round: Set-InferloopScaling {spec.Name} {request.Component} -Minimum {high} -Maximum {low}.",
                        { Minimum: not null } => $"Raise the other bound too: Set-InferloopScaling {spec.Name} {request.Component} -Minimum {low} -Maximum {low}.",
                        _ => $"Lower the other bound too: Set-InferloopScaling {spec.Name} {request.Component} -Minimum {high} -Maximum {high}.",
                    },
                    spec.Name);
            }

            if (request.Desired is { } desired && (desired < low || desired > high))
            {
                throw new OperationException(
                    "ScalingBounds", OperationErrorKind.InvalidArgument, $"{desired} {rule.Unit} are not between {low} and {high}.",
                    $"Give a number from {low} to {high}, or move the bounds with -Minimum and -Maximum.", spec.Name);
            }
        }
    }

    private static void RefuseBelowRunning(InferloopEnvironmentSpec before, InferloopEnvironmentSpec spec, ScalingRequest request, IReadOnlyList<InferloopScaling> live)
    {
        var rule = ScalingRules.Of(request.Component);
        if (request.Component is ScalingComponent.DatabaseStorage or ScalingComponent.LambdaReserved or ScalingComponent.LambdaProvisioned || rule.Maximum is not { } member || request.Desired is not null)
        {
            return;
        }

        var (was, most) = ((int)SpecMembers.Require(member).Get(before), (int)SpecMembers.Require(member).Get(spec));
        if (most < was && live.MaxBy(l => Math.Max(l.Desired ?? 0, l.Running ?? 0)) is { } busiest && Math.Max(busiest.Desired ?? 0, busiest.Running ?? 0) is var running && running > most)
        {
            throw new OperationException(
                "ScalingBelowRunning", OperationErrorKind.InvalidState, $"{running} {rule.Unit} of {busiest.Path} are there, and {most} would be the most: {running - most} would be ended at once.",
                rule.Desired is null
                    ? $"Wait until the load has gone, or give a maximum of {running} or more."
                    : $"If they shall end, say so with -Desired {most}; or give a maximum of {running} or more.", spec.Name);
        }
    }

    private static void RefuseShrinking(InferloopEnvironmentSpec spec, ScalingRequest request, IReadOnlyList<InferloopScaling> live)
    {
        if (request.Component == ScalingComponent.DatabaseStorage && live.Count > 0 && live[0].Desired is { } there && request.Minimum is { } wanted && wanted < there)
        {
            throw new OperationException(
                "ScalingStorageShrinks", OperationErrorKind.InvalidArgument, $"The database has {there} GiB; RDS makes storage larger, never smaller.",
                $"Give {there} or more. A smaller database is a new one, restored from a dump.", spec.Name);
        }
    }

    private async Task RefuseFargateAsync(InferloopEnvironmentSpec spec, CancellationToken cancellation)
    {
        var ecs = spec.Ecs;
        if (ecs.CapacityMode == CapacityMode.Ec2)
        {
            return;
        }

        var most = Greatest(spec);

        // Mixed keeps two tasks and half of the rest on Fargate, the other half on Spot; each has its quota.
        var (regular, spot) = ecs.CapacityMode switch
        {
            CapacityMode.FargateSpot => (0, most),
            CapacityMode.Mixed => (2 + (Math.Max(0, most - 2) + 1) / 2, Math.Max(0, most - 2) / 2),
            _ => (most, 0),
        };
        foreach (var (tasks, code, name) in new[] { (regular, "L-3032A538", "Fargate"), (spot, "L-36FBB829", "Fargate Spot") })
        {
            var needed = (int)Math.Ceiling(tasks * ecs.TaskCpu / 1024.0);
            if (needed > 0 && await AccountQuotas.ValueAsync(operations.Aws, "fargate", code, cancellation).ConfigureAwait(false) is var limit && needed > (limit ?? FargateDefault))
            {
                var text = $"{most} tasks of {ecs.TaskCpu / 1024.0:0.##} vCPU need {needed} vCPUs of {name}; this account has {limit ?? FargateDefault:0} in {spec.Region}.";
                var remedy = $"Ask for more: aws service-quotas request-service-quota-increase --service-code fargate --quota-code {code} --desired-value {needed} --region {spec.Region}; or take smaller tasks, or fewer.";
                if (limit is null)
                {
                    // Without the account's own number this is a guess, and a guess stops nobody.
                    operations.Warn($"{text} Its own number could not be read. {remedy}");
                    continue;
                }

                throw new OperationException("ScalingQuota", OperationErrorKind.LimitExceeded, text, remedy, spec.Name);
            }
        }
    }

    /// <summary>Each task has an address of its own in the private subnets, and a deployment doubles them for a while.</summary>
    private async Task RefuseAddressesAsync(InferloopEnvironmentSpec spec, IReadOnlyList<InferloopScaling> live, CancellationToken cancellation)
    {
        if (live.Count == 0)
        {
            return;
        }

        var (cluster, service) = ScalingReader.ServiceOf(live[0].PhysicalId);
        var answer = await operations.Aws.ECS.DescribeServicesAsync(new Amazon.ECS.Model.DescribeServicesRequest { Cluster = cluster, Services = [service] }, cancellation).ConfigureAwait(false);
        if (answer.Services is not { Count: > 0 } services || services[0].NetworkConfiguration?.AwsvpcConfiguration?.Subnets is not { Count: > 0 } ids)
        {
            return;
        }

        var subnets = (await operations.Aws.EC2.DescribeSubnetsAsync(new Amazon.EC2.Model.DescribeSubnetsRequest { SubnetIds = ids }, cancellation).ConfigureAwait(false)).Subnets ?? [];
        var room = subnets.Sum(s => s.AvailableIpAddressCount ?? 0) + (live[0].Running ?? 0);
        if (Greatest(spec) > room)
        {
            throw new OperationException(
                "ScalingAddresses", OperationErrorKind.LimitExceeded, $"Each task has an address of its own, and the private subnets have room for {room}; {Greatest(spec)} tasks do not fit.",
                $"Give a maximum of {room} or less; a larger VPC is a new environment (New-InferloopEnvironment -VpcCidr).", spec.Name);
        }

        if (Greatest(spec) * 2 > room)
        {
            operations.Warn($"The private subnets have room for {room} tasks: a deployment at {Greatest(spec)} tasks, which starts as many again, would go more slowly.");
        }
    }

    private async Task RefuseConcurrencyAsync(InferloopEnvironmentSpec spec, IReadOnlyList<InferloopScaling> live, CancellationToken cancellation)
    {
        var lambda = operations.Aws.Client<Amazon.Lambda.IAmazonLambda>();
        var limit = (await lambda.GetAccountSettingsAsync(new Amazon.Lambda.Model.GetAccountSettingsRequest(), cancellation).ConfigureAwait(false)).AccountLimit;
        var own = live.Count == 0 ? 0
            : (await lambda.GetFunctionConcurrencyAsync(new Amazon.Lambda.Model.GetFunctionConcurrencyRequest { FunctionName = live[0].PhysicalId }, cancellation).ConfigureAwait(false)).ReservedConcurrentExecutions ?? 0;
        var free = (limit?.UnreservedConcurrentExecutions ?? 0) + own;
        if (free - spec.Lambda.LambdaReservedConcurrency < Preflight.Unreserved)
        {
            throw new OperationException(
                "ScalingQuota", OperationErrorKind.LimitExceeded,
                $"{spec.Lambda.LambdaReservedConcurrency} calls are to be reserved of {free} that no other function has reserved; Lambda keeps {Preflight.Unreserved} for the functions that reserve none.",
                $"Give {Math.Max(0, free - Preflight.Unreserved)} or less, or ask for more: aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value {(limit?.ConcurrentExecutions ?? 0) - free + spec.Lambda.LambdaReservedConcurrency + Preflight.Unreserved} --region {spec.Region}.", spec.Name);
        }
    }
}
