using System.Globalization;
using Amazon.ApplicationAutoScaling;
using Amazon.ApplicationAutoScaling.Model;
using Amazon.Batch;
using Amazon.Batch.Model;
using Amazon.ECS.Model;
using Amazon.Lambda;
using Amazon.Lambda.Model;
using Inferloop.Operations.Environments;
using Task = System.Threading.Tasks.Task;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>
/// Stops what writes in the region that is left: tasks, functions that are fed, queues of jobs. Scaling is held first, or it would bring tasks back.
/// What each had is kept before it is changed, so that taking back restores exactly that.
/// </summary>
internal static class FenceStep
{
    public static readonly FailoverAction Action = new(RunAsync, UndoAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        var from = context.Run.Current.FromRegion;
        var environment = await context.Source.RefreshAsync(context.Standby.StackName, withHealth: false, cancellation).ConfigureAwait(false);
        if (environment is null)
        {
            return $"there is no stack of it in {from}";
        }

        var stopped = new List<string>();
        string? Output(string name) => environment.Outputs.TryGetValue(name, out var value) && value.Length > 0 ? value : null;
        if (Output("ClusterName") is { } cluster && Output("ServiceName") is { } service)
        {
            stopped.Add(await StopTasksAsync(context, cluster, service, cancellation).ConfigureAwait(false));
        }

        if (Output("LambdaFunctionName") is { } function)
        {
            stopped.AddRange(await StopSourcesAsync(context, function, cancellation).ConfigureAwait(false));
        }

        foreach (var queue in new[] { Output("BatchUrgentQueueArn"), Output("BatchStandardQueueArn") }.OfType<string>())
        {
            stopped.Add(await SetQueueAsync(context, queue, JQState.DISABLED, cancellation).ConfigureAwait(false));
        }

        return stopped.Count == 0 ? $"nothing of it writes in {from}" : string.Join(", ", stopped);
    }

    private static async Task UndoAsync(FailoverContext context, CancellationToken cancellation)
    {
        foreach (var (key, value) in context.Run.Current.Facts)
        {
            var parts = key.Split('|');
            switch (parts[0])
            {
                case "fence.scaling":
                    var former = value.Split(' ');
                    await HoldScalingAsync(context, parts[1], parts[2], former[1] == "True", int.Parse(former[0], CultureInfo.InvariantCulture), cancellation).ConfigureAwait(false);
                    break;
                case "fence.tasks":
                    await context.Source.Aws.ECS.UpdateServiceAsync(
                        new UpdateServiceRequest { Cluster = parts[1], Service = parts[2], DesiredCount = int.Parse(value, CultureInfo.InvariantCulture) }, cancellation).ConfigureAwait(false);
                    break;
                case "fence.mapping":
                    await context.Source.Aws.Client<IAmazonLambda>().UpdateEventSourceMappingAsync(new UpdateEventSourceMappingRequest { UUID = parts[1], Enabled = true }, cancellation).ConfigureAwait(false);
                    break;
                case "fence.queue":
                    await SetQueueAsync(context, parts[1], JQState.FindValue(value), cancellation).ConfigureAwait(false);
                    break;
            }
        }
    }

    private static async Task<string> StopTasksAsync(FailoverContext context, string cluster, string service, CancellationToken cancellation)
    {
        async Task<Service> LookAsync(CancellationToken ct) => (await context.Source.Aws.ECS.DescribeServicesAsync(new DescribeServicesRequest { Cluster = cluster, Services = [service] }, ct).ConfigureAwait(false)).Services![0];
        var now = await LookAsync(cancellation).ConfigureAwait(false);
        if (context.Run.Fact($"fence.tasks|{cluster}|{service}") is null)
        {
            await context.Run.KeepAsync($"fence.tasks|{cluster}|{service}", (now.DesiredCount ?? 0).ToString(CultureInfo.InvariantCulture), cancellation).ConfigureAwait(false);
        }

        await HoldScalingAsync(context, cluster, service, hold: true, fewest: 0, cancellation).ConfigureAwait(false);
        if (now.DesiredCount > 0)
        {
            await context.Source.Aws.ECS.UpdateServiceAsync(new UpdateServiceRequest { Cluster = cluster, Service = service, DesiredCount = 0 }, cancellation).ConfigureAwait(false);
        }

        await context.UntilAsync(
            TimeSpan.FromMinutes(20),
            async ct => (await LookAsync(ct).ConfigureAwait(false)).RunningCount is > 0 and var left ? $"{left} tasks still run" : null,
            $"The tasks of {service} are waited for to stop", cancellation).ConfigureAwait(false);
        return $"{service} runs no task";
    }

    private static async Task HoldScalingAsync(FailoverContext context, string cluster, string service, bool hold, int fewest, CancellationToken cancellation)
    {
        var scaling = context.Source.Aws.Client<IAmazonApplicationAutoScaling>();
        var id = $"service/{cluster}/{service}";
        var target = (await scaling.DescribeScalableTargetsAsync(
            new DescribeScalableTargetsRequest { ServiceNamespace = Amazon.ApplicationAutoScaling.ServiceNamespace.Ecs, ResourceIds = [id] }, cancellation).ConfigureAwait(false)).ScalableTargets?.FirstOrDefault();
        if (target is null)
        {
            return;
        }

        if (hold && context.Run.Fact($"fence.scaling|{cluster}|{service}") is null)
        {
            await context.Run.KeepAsync($"fence.scaling|{cluster}|{service}", string.Create(CultureInfo.InvariantCulture, $"{target.MinCapacity ?? 0} {target.SuspendedState?.DynamicScalingOutSuspended == true}"), cancellation).ConfigureAwait(false);
        }

        await scaling.RegisterScalableTargetAsync(
            new RegisterScalableTargetRequest
            {
                ServiceNamespace = Amazon.ApplicationAutoScaling.ServiceNamespace.Ecs, ResourceId = id, ScalableDimension = Amazon.ApplicationAutoScaling.ScalableDimension.EcsServiceDesiredCount,

                // The least too: Application Auto Scaling brings a count below it back, whatever is suspended.
                MinCapacity = fewest,
                SuspendedState = new SuspendedState { DynamicScalingInSuspended = hold, DynamicScalingOutSuspended = hold, ScheduledScalingSuspended = hold },
            },
            cancellation).ConfigureAwait(false);
    }

    private static async Task<IReadOnlyList<string>> StopSourcesAsync(FailoverContext context, string function, CancellationToken cancellation)
    {
        var lambda = context.Source.Aws.Client<IAmazonLambda>();
        var stopped = new List<string>();
        string? marker = null;
        do
        {
            var page = await lambda.ListEventSourceMappingsAsync(new ListEventSourceMappingsRequest { Marker = marker }, cancellation).ConfigureAwait(false);
            foreach (var mapping in (page.EventSourceMappings ?? []).Where(m => m.FunctionArn?.Contains($":function:{function}", StringComparison.Ordinal) == true && m.State is "Enabled" or "Enabling" or "Creating" or "Updating"))
            {
                await context.Run.KeepAsync($"fence.mapping|{mapping.UUID}", "Enabled", cancellation).ConfigureAwait(false);
                await lambda.UpdateEventSourceMappingAsync(new UpdateEventSourceMappingRequest { UUID = mapping.UUID, Enabled = false }, cancellation).ConfigureAwait(false);
                stopped.Add($"{function} takes nothing more from {mapping.EventSourceArn?.Split(':').Last()}");
            }

            marker = page.NextMarker;
        }
        while (!string.IsNullOrEmpty(marker));
        return stopped;
    }

    private static async Task<string> SetQueueAsync(FailoverContext context, string queue, JQState state, CancellationToken cancellation)
    {
        var batch = context.Source.Aws.Client<IAmazonBatch>();
        var now = (await batch.DescribeJobQueuesAsync(new DescribeJobQueuesRequest { JobQueues = [queue] }, cancellation).ConfigureAwait(false)).JobQueues?.FirstOrDefault();
        var name = queue[(queue.LastIndexOf('/') + 1)..];
        if (now is null)
        {
            return $"{name} is not there";
        }

        if (state == JQState.DISABLED && context.Run.Fact($"fence.queue|{queue}") is null)
        {
            await context.Run.KeepAsync($"fence.queue|{queue}", now.State.Value, cancellation).ConfigureAwait(false);
        }

        if (now.State != state)
        {
            await batch.UpdateJobQueueAsync(new UpdateJobQueueRequest { JobQueue = queue, State = state }, cancellation).ConfigureAwait(false);
        }

        return $"{name} is {state.Value.ToLowerInvariant()}";
    }
}
