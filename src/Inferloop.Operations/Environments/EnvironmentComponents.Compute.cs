using Amazon.Batch;
using Amazon.Lambda;
using Amazon.SQS;

namespace Inferloop.Operations.Environments;

/// <content>Functions, the queues of what failed, and Batch.</content>
internal sealed partial class EnvironmentComponents
{
    private const string Waiting = "ApproximateNumberOfMessages";

    private async Task<Dictionary<string, PartState>> FunctionsAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        var lambda = aws.Client<IAmazonLambda>();
        foreach (var id in ids)
        {
            try
            {
                var found = await lambda.GetFunctionConfigurationAsync(new Amazon.Lambda.Model.GetFunctionConfigurationRequest { FunctionName = id }, cancellation).ConfigureAwait(false);
                states[id] = Function(found.State?.Value, found.LastUpdateStatus?.Value, found.StateReason ?? found.LastUpdateStatusReason, $"{found.PackageType?.Value switch { "Image" => "image", _ => found.Runtime?.Value }}, {found.MemorySize} MB, {found.Timeout} s");
            }
            catch (Amazon.Lambda.Model.ResourceNotFoundException)
            {
                // Reported as missing.
            }
        }

        return states;
    }

    /// <summary>A function: inactive ones wake when they are called, and a failed update leaves the code before it at work.</summary>
    internal static PartState Function(string? state, string? update, string? reason, string detail) => (state, update) switch
    {
        ("Active" or "Inactive", "Failed") => new PartState("update failed", EnvironmentHealth.Degraded, reason ?? detail),
        ("Active" or "Inactive", "InProgress") => new PartState("updating", EnvironmentHealth.Changing, detail),
        ("Active" or "Inactive", _) => new PartState(state.ToLowerInvariant(), EnvironmentHealth.Healthy, detail),
        ("Pending", _) => new PartState("pending", EnvironmentHealth.Changing, detail),
        _ => new PartState(state?.ToLowerInvariant() ?? "unknown", EnvironmentHealth.Unhealthy, reason ?? detail),
    };

    private async Task<Dictionary<string, PartState>> AliasesAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        var lambda = aws.Client<IAmazonLambda>();
        foreach (var id in ids)
        {
            // arn:aws:lambda:REGION:ACCOUNT:function:NAME:ALIAS
            if (id.Split(':') is not [_, _, _, _, _, _, var function, var alias])
            {
                continue;
            }

            try
            {
                var found = await lambda.GetAliasAsync(new Amazon.Lambda.Model.GetAliasRequest { FunctionName = function, Name = alias }, cancellation).ConfigureAwait(false);
                states[id] = Alias(found.Name, found.FunctionVersion, found.RoutingConfig?.AdditionalVersionWeights);
            }
            catch (Amazon.Lambda.Model.ResourceNotFoundException)
            {
                // Reported as missing.
            }
        }

        return states;
    }

    /// <summary>What an alias stands for, and the share of calls that go to another version.</summary>
    internal static PartState Alias(string name, string version, IReadOnlyDictionary<string, double>? weights) => new(
        $"version {version}", EnvironmentHealth.Healthy,
        weights is { Count: > 0 }
            ? $"{name}; {string.Join(", ", weights.Select(w => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{w.Value * 100:0.##} % of calls to version {w.Key}")))}"
            : name);

    // The platform's queues hold what failed: one with messages wants somebody's eye, though everything else works.
    private async Task<Dictionary<string, PartState>> QueuesAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            try
            {
                var answer = await aws.Client<IAmazonSQS>().GetQueueAttributesAsync(id, [Waiting], cancellation).ConfigureAwait(false);
                var waiting = answer.ApproximateNumberOfMessages;
                states[id] = waiting == 0
                    ? new PartState("empty", EnvironmentHealth.Healthy, "nothing failed")
                    : new PartState("messages", EnvironmentHealth.Degraded, $"{waiting} that could not be processed: aws sqs receive-message --queue-url {id}");
            }
            catch (Amazon.SQS.Model.QueueDoesNotExistException)
            {
                // Reported as missing.
            }
        }

        return states;
    }

    private async Task<Dictionary<string, PartState>> BatchEnvironmentsAsync(List<string> ids, CancellationToken cancellation)
    {
        var answer = await aws.Client<IAmazonBatch>().DescribeComputeEnvironmentsAsync(new Amazon.Batch.Model.DescribeComputeEnvironmentsRequest { ComputeEnvironments = ids }, cancellation).ConfigureAwait(false);
        return (answer.ComputeEnvironments ?? []).ToDictionary(
            e => e.ComputeEnvironmentArn,
            e => new PartState(
                e.Status?.Value?.ToLowerInvariant() ?? "unknown", BatchHealth(e.Status?.Value, e.State?.Value),
                e.Status?.Value == "VALID" ? $"{e.ComputeResources?.DesiredvCpus ?? 0} of {e.ComputeResources?.MaxvCpus ?? 0} vCPUs, {e.ComputeResources?.Type?.Value}" : e.StatusReason ?? ""));
    }

    private async Task<Dictionary<string, PartState>> BatchQueuesAsync(List<string> ids, CancellationToken cancellation)
    {
        var answer = await aws.Client<IAmazonBatch>().DescribeJobQueuesAsync(new Amazon.Batch.Model.DescribeJobQueuesRequest { JobQueues = ids }, cancellation).ConfigureAwait(false);
        return (answer.JobQueues ?? []).ToDictionary(
            q => q.JobQueueArn,
            q => new PartState(q.Status?.Value?.ToLowerInvariant() ?? "unknown", BatchHealth(q.Status?.Value, q.State?.Value), q.Status?.Value == "VALID" ? $"priority {q.Priority}" : q.StatusReason ?? ""));
    }

    /// <summary>Valid and enabled takes jobs; a disabled one takes none on somebody's wish.</summary>
    internal static EnvironmentHealth BatchHealth(string? status, string? state) => status switch
    {
        "VALID" => state == "ENABLED" ? EnvironmentHealth.Healthy : EnvironmentHealth.Degraded,
        "CREATING" or "UPDATING" or "DELETING" => EnvironmentHealth.Changing,
        _ => EnvironmentHealth.Unhealthy,
    };
}
