using System.Runtime.CompilerServices;
using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.Runtime;

namespace Inferloop.Operations.Environments;

/// <summary>
/// The events of one stack operation, root and nested stacks interleaved, each once and in order, while they happen.
/// CloudFormation offers no such stream: it is made by looking, at a pace that follows what happens.
/// </summary>
internal sealed class StackEventStream(IAmazonCloudFormation cloudFormation, string environment, string rootStackId, EnvironmentOptions options)
{
    private readonly Dictionary<string, string> stacks = new(StringComparer.Ordinal) { [rootStackId] = "" };
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);

    /// <summary>The root stack as it was when the stream ended, or at the last look.</summary>
    public Stack? Root { get; private set; }

    /// <summary>The stack is no longer there, not even as a deleted one.</summary>
    public bool Gone { get; private set; }

    /// <summary>The newest event of the root stack, as a mark from which a later operation is followed.</summary>
    public static async Task<string?> MarkAsync(IAmazonCloudFormation cloudFormation, string stackId, CancellationToken cancellation)
    {
        var answer = await cloudFormation.DescribeStackEventsAsync(new DescribeStackEventsRequest { StackName = stackId }, cancellation).ConfigureAwait(false);
        return answer.StackEvents is { Count: > 0 } events ? events[0].EventId : null;
    }

    /// <summary>Follows the newest operation to its end.</summary>
    /// <param name="afterEventId">Only what came after this event of the root stack; null to begin where the newest operation began.</param>
    /// <param name="cancellation">Ends the watching; the operation itself goes on.</param>
    public async IAsyncEnumerable<InferloopEnvironmentEvent> FollowAsync(string? afterEventId, [EnumeratorCancellation] CancellationToken cancellation)
    {
        DateTimeOffset? start = null;
        var delay = options.PollMinimum;
        var quiet = 0;
        while (true)
        {
            var throttled = false;
            IReadOnlyList<InferloopEnvironmentEvent> batch = [];
            Stack? root = null;
            var begun = start is not null;
            try
            {
                // The status first: what has ended by now has all its events in the look that follows.
                root = await DescribeAsync(cancellation).ConfigureAwait(false);
                start ??= await StartAsync(afterEventId, cancellation).ConfigureAwait(false);
                batch = start is { } from ? await SweepAsync(afterEventId, from, cancellation).ConfigureAwait(false) : [];
            }
            catch (AmazonServiceException e) when (AwsFaults.IsMissingStack(e))
            {
                // A stack that was never executed goes without a trace.
                Gone = true;
                yield break;
            }
            catch (AmazonServiceException e) when (AwsFaults.IsThrottling(e))
            {
                throttled = true;
            }
            catch (Exception e) when (AwsFaults.IsPassing(e) && quiet++ < 10)
            {
                throttled = true;
            }

            foreach (var e in batch)
            {
                yield return e;
            }

            if (!throttled)
            {
                quiet = 0;
                Root = root;

                // A status read before the operation's first event may still be the one before it.
                if (root is not null && begun && !StackStates.IsInProgress(root.StackStatus))
                {
                    yield break;
                }
            }

            delay = throttled ? Longer(delay, 2, options.PollMaximum * 3)
                : batch.Count > 0 ? options.PollMinimum
                : Longer(delay, 1.5, options.PollMaximum);
            await Task.Delay(delay, options.Time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>All events of the newest operation, or of the stack's whole life, as they are now.</summary>
    public async Task<IReadOnlyList<InferloopEnvironmentEvent>> ReadAsync(bool wholeLife, CancellationToken cancellation)
    {
        Root = await DescribeAsync(cancellation).ConfigureAwait(false);
        var start = wholeLife ? DateTimeOffset.MinValue : await StartAsync(null, cancellation).ConfigureAwait(false);
        return start is { } from ? await SweepAsync(null, from, cancellation).ConfigureAwait(false) : [];
    }

    private static TimeSpan Longer(TimeSpan delay, double factor, TimeSpan limit) => delay * factor < limit ? delay * factor : limit;

    private async Task<Stack?> DescribeAsync(CancellationToken cancellation)
    {
        var answer = await cloudFormation.DescribeStacksAsync(new DescribeStacksRequest { StackName = rootStackId }, cancellation).ConfigureAwait(false);
        return answer.Stacks is { Count: > 0 } found ? found[0] : null;
    }

    /// <summary>When the operation began, by AWS's clock: the time of its first event on the root stack.</summary>
    private async Task<DateTimeOffset?> StartAsync(string? afterEventId, CancellationToken cancellation)
    {
        DateTimeOffset? first = null;
        await foreach (var e in PagesAsync(rootStackId, cancellation).ConfigureAwait(false))
        {
            if (e.EventId == afterEventId)
            {
                return first;
            }

            first = Time(e);
            if (afterEventId is null && e.PhysicalResourceId == rootStackId
                && e.ResourceStatus?.Value is "CREATE_IN_PROGRESS" or "UPDATE_IN_PROGRESS" or "DELETE_IN_PROGRESS" or "IMPORT_IN_PROGRESS" or "REVIEW_IN_PROGRESS")
            {
                return first;
            }
        }

        return first;
    }

    private async Task<IReadOnlyList<InferloopEnvironmentEvent>> SweepAsync(string? afterEventId, DateTimeOffset start, CancellationToken cancellation)
    {
        var batch = new List<(InferloopEnvironmentEvent Event, int Order)>();
        var open = new Queue<string>(stacks.Keys);
        var swept = new HashSet<string>(StringComparer.Ordinal);
        while (open.TryDequeue(out var stackId))
        {
            if (!swept.Add(stackId))
            {
                continue;
            }

            var fresh = new List<InferloopEnvironmentEvent>();
            await foreach (var e in PagesAsync(stackId, cancellation).ConfigureAwait(false))
            {
                // Newest first: from the first known one on, all is known.
                if (seen.Contains(e.EventId) || e.EventId == afterEventId || Time(e) < start)
                {
                    break;
                }

                fresh.Add(Convert(e, stacks[stackId]));
                if (e.ResourceType == "AWS::CloudFormation::Stack" && e.PhysicalResourceId is { Length: > 0 } nested && nested != stackId && nested.StartsWith("arn:", StringComparison.Ordinal)
                    && stacks.TryAdd(nested, Join(stacks[stackId], e.LogicalResourceId)))
                {
                    open.Enqueue(nested);
                }
            }

            fresh.Reverse();
            batch.AddRange(fresh.Select((e, i) => (e, i)));
        }

        // An event counts as seen only once the whole sweep succeeded: a throttled half is looked at again, from its beginning.
        seen.UnionWith(batch.Select(b => b.Event.EventId));
        return batch.OrderBy(b => b.Event.Time).Select(b => b.Event).ToList();
    }

    private async IAsyncEnumerable<StackEvent> PagesAsync(string stackId, [EnumeratorCancellation] CancellationToken cancellation)
    {
        string? token = null;
        do
        {
            var page = await cloudFormation.DescribeStackEventsAsync(new DescribeStackEventsRequest { StackName = stackId, NextToken = token }, cancellation).ConfigureAwait(false);
            foreach (var e in page.StackEvents ?? [])
            {
                yield return e;
            }

            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));
    }

    private InferloopEnvironmentEvent Convert(StackEvent e, string stackPath) => new()
    {
        Environment = environment,
        Time = Time(e),
        Path = e.PhysicalResourceId == e.StackId && stackPath.Length == 0 ? e.StackName
            : e.PhysicalResourceId == e.StackId ? stackPath
            : Join(stackPath, e.LogicalResourceId),
        LogicalId = e.LogicalResourceId,
        Type = e.ResourceType,
        Status = e.ResourceStatus?.Value ?? "",
        Reason = e.ResourceStatusReason ?? "",
        PhysicalId = e.PhysicalResourceId ?? "",
        StackId = e.StackId,
        EventId = e.EventId,
    };

    private static DateTimeOffset Time(StackEvent e) => new(DateTime.SpecifyKind(e.Timestamp!.Value.ToUniversalTime(), DateTimeKind.Utc));

    private static string Join(string path, string logicalId) => path.Length == 0 ? logicalId : $"{path}/{logicalId}";
}
