using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.Runtime;

namespace Inferloop.Operations.Environments;

/// <summary>Asks CloudFormation for the drift of every stack of an environment. AWS looks at one stack at a time, and never into nested ones.</summary>
internal sealed class DriftReader(IAmazonCloudFormation cloudFormation, EnvironmentOptions options, IOperationReporter reporter)
{
    // Detections of one account share a rate; a few at once are quicker than one and are not throttled.
    private const int AtOnce = 4;

    /// <summary>Detects anew and reads, for the stacks given with the paths that lead to them ("" for the root).</summary>
    public async Task<IReadOnlyList<InferloopDrift>> ReadAsync(string environment, IReadOnlyList<(string Path, string StackId)> stacks, CancellationToken cancellation)
    {
        var done = 0;
        using var slots = new SemaphoreSlim(AtOnce);
        var all = await Task.WhenAll(stacks.Select(async stack =>
        {
            await slots.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                await DetectAsync(stack.StackId, cancellation).ConfigureAwait(false);
                var found = await DriftsAsync(environment, stack.Path, stack.StackId, cancellation).ConfigureAwait(false);
                reporter.Progress(new OperationProgress($"Looking for drift in {environment}", $"{Interlocked.Increment(ref done)} of {stacks.Count} stacks", done * 100 / stacks.Count));
                return found;
            }
            finally
            {
                slots.Release();
            }
        })).ConfigureAwait(false);
        reporter.Progress(new OperationProgress($"Looking for drift in {environment}", "", 100, Completed: true));
        return all.SelectMany(d => d).OrderBy(d => d.Path, StringComparer.Ordinal).ToList();
    }

    private async Task DetectAsync(string stackId, CancellationToken cancellation)
    {
        var id = await BeginAsync(stackId, cancellation).ConfigureAwait(false);
        var delay = options.PollMinimum;
        while (true)
        {
            var answer = await PatientAsync(
                () => cloudFormation.DescribeStackDriftDetectionStatusAsync(new DescribeStackDriftDetectionStatusRequest { StackDriftDetectionId = id }, cancellation), cancellation).ConfigureAwait(false);
            switch (answer.DetectionStatus?.Value)
            {
                case "DETECTION_COMPLETE":
                    return;
                case "DETECTION_FAILED":
                    // Part of the resources could be checked all the same; what could not is told, and the rest is shown.
                    reporter.Warning($"The drift of stack '{stackId}' is not known in full: {answer.DetectionStatusReason}");
                    return;
            }

            await Task.Delay(delay, options.Time, cancellation).ConfigureAwait(false);
            delay = delay * 1.5 < options.PollMaximum ? delay * 1.5 : options.PollMaximum;
        }
    }

    private async Task<string> BeginAsync(string stackId, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                return (await PatientAsync(() => cloudFormation.DetectStackDriftAsync(new DetectStackDriftRequest { StackName = stackId }, cancellation), cancellation).ConfigureAwait(false)).StackDriftDetectionId;
            }
            catch (AmazonServiceException e) when (e.Message.Contains("already in progress", StringComparison.OrdinalIgnoreCase))
            {
                // Someone else looks at the same stack; its detection says nothing about its id, so ours comes after it.
                await Task.Delay(options.PollMinimum, options.Time, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<T> PatientAsync<T>(Func<Task<T>> call, CancellationToken cancellation)
    {
        for (var delay = options.PollMinimum; ; delay *= 2)
        {
            try
            {
                return await call().ConfigureAwait(false);
            }
            catch (AmazonServiceException e) when (AwsFaults.IsThrottling(e) && delay < options.PollMaximum * 16)
            {
                await Task.Delay(delay, options.Time, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<IReadOnlyList<InferloopDrift>> DriftsAsync(string environment, string path, string stackId, CancellationToken cancellation)
    {
        var found = new List<InferloopDrift>();
        string? token = null;
        do
        {
            var page = await PatientAsync(
                () => cloudFormation.DescribeStackResourceDriftsAsync(new DescribeStackResourceDriftsRequest { StackName = stackId, NextToken = token }, cancellation), cancellation).ConfigureAwait(false);
            found.AddRange((page.StackResourceDrifts ?? []).Select(d => Recovery.PromotedReplica.Without(Releases.ShiftedTraffic.Without(Convert(environment, path, d), d.ExpectedProperties, d.ActualProperties))));
            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));
        return found;
    }

    internal static InferloopDrift Convert(string environment, string path, StackResourceDrift drift) => new()
    {
        Environment = environment,
        Path = path + drift.LogicalResourceId,
        LogicalId = drift.LogicalResourceId,
        Type = drift.ResourceType,
        PhysicalId = drift.PhysicalResourceId ?? "",
        StackId = drift.StackId,
        Status = drift.StackResourceDriftStatus?.Value switch { "IN_SYNC" => DriftStatus.InSync, "MODIFIED" => DriftStatus.Modified, "DELETED" => DriftStatus.Deleted, _ => DriftStatus.NotChecked },
        Checked = drift.Timestamp is { } time ? new DateTimeOffset(DateTime.SpecifyKind(time.ToUniversalTime(), DateTimeKind.Utc)) : null,
        Properties = (drift.PropertyDifferences ?? []).Select(p =>
        {
            var difference = p.DifferenceType?.Value switch { "ADD" => DriftDifference.Added, "REMOVE" => DriftDifference.Removed, _ => DriftDifference.NotEqual };
            return new InferloopDriftProperty(
                p.PropertyPath.TrimStart('/').Replace('/', '.'),
                difference == DriftDifference.Added ? null : p.ExpectedValue, difference == DriftDifference.Removed ? null : p.ActualValue, difference);
        }).ToList(),
    };
}
