using Amazon.CloudFormation.Model;
using Amazon.Runtime;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

/// <summary>Makes, changes, follows and removes environments. One instance serves one account and region.</summary>
internal sealed partial class EnvironmentOperations(EnvironmentAws aws, EnvironmentOptions options, IOperationReporter reporter)
{
    /// <summary>Called with each event of a stack operation that this instance follows.</summary>
    public Action<InferloopEnvironmentEvent>? OnEvent { get; init; }

    public EnvironmentAws Aws => aws;

    public EnvironmentOptions Options => options;

    internal IOperationReporter Reporter => reporter;

    private ControlStack Control => new(aws, options, reporter);

    /// <summary>The key of locks and journal: name and stage, as two stages of one name are two environments.</summary>
    private static string KeyOf(InferloopEnvironmentSpec spec) => $"{spec.Name}-{spec.Stage.ToString().ToLowerInvariant()}";

    private static string NewOperationId() => Guid.NewGuid().ToString("N")[..12];

    /// <summary>The stack of that name or ARN; null when there is none, or when an ARN's stack is gone.</summary>
    internal async Task<Stack?> FindStackAsync(string nameOrId, CancellationToken cancellation)
    {
        try
        {
            var answer = await aws.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest { StackName = nameOrId }, cancellation).ConfigureAwait(false);
            return answer.Stacks?.FirstOrDefault(s => !StackStates.IsGone(s.StackStatus));
        }
        catch (AmazonServiceException e) when (AwsFaults.IsMissingStack(e))
        {
            return null;
        }
    }

    /// <summary>Takes the environment. A preview works with the control stack as it is, anything else brings it up to date.</summary>
    private async Task<OperationScope> BeginAsync(InferloopEnvironmentSpec spec, OperationKind kind, ControlPlane? previewWith, CancellationToken cancellation)
    {
        var operationId = NewOperationId();
        var journaled = previewWith is null;
        await PauseAsync("control", cancellation).ConfigureAwait(false);
        var control = previewWith ?? await Control.EnsureAsync(cancellation).ConfigureAwait(false);
        var table = TableOf(control);
        await PauseAsync("lock", cancellation).ConfigureAwait(false);
        var hold = options.Held ?? await table.AcquireAsync(KeyOf(spec), operationId, kind, cancellation).ConfigureAwait(false);
        return new OperationScope(
            control, table, hold, journaled, options,
            new OperationRecord { Environment = KeyOf(spec), OperationId = operationId, Kind = kind, Owner = table.Owner, Started = table.Now });
    }

    /// <summary>Takes the environment for an operation that is not one of its stack's.</summary>
    internal Task<OperationScope> HoldAsync(InferloopEnvironmentSpec spec, OperationKind kind, CancellationToken cancellation) => BeginAsync(spec, kind, previewWith: null, cancellation);

    /// <summary>
    /// Takes the environment's backups for one operation. Their lock and journal are apart from those of the stack: a backup of hours must not keep
    /// anyone from scaling. What dead processes left open is handed over, to be cleared and closed.
    /// </summary>
    internal async Task<(OperationScope Scope, IReadOnlyList<OperationRecord> Left)> HoldBackupsAsync(InferloopEnvironmentSpec spec, string inputHash, CancellationToken cancellation)
    {
        var key = KeyOf(spec) + ".backup";
        var operationId = NewOperationId();
        var control = await Control.EnsureAsync(cancellation).ConfigureAwait(false);
        var table = TableOf(control);
        var hold = await table.AcquireAsync(key, operationId, OperationKind.Backup, cancellation).ConfigureAwait(false);
        var scope = new OperationScope(
            control, table, hold, journaled: true, options,
            new OperationRecord { Environment = key, OperationId = operationId, Kind = OperationKind.Backup, Owner = table.Owner, Started = table.Now, InputHash = inputHash });
        try
        {
            return (scope, await table.OpenAsync(key, cancellation).ConfigureAwait(false));
        }
        catch
        {
            await scope.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private ControlTable TableOf(ControlPlane control) => new(aws.DynamoDB, control.Table, options.Operator, options.Time);

    private Task PauseAsync(string step, CancellationToken cancellation) => options.BeforeStep?.Invoke(step, cancellation) ?? Task.CompletedTask;

    /// <summary>Follows what runs on the stack to its end, telling events and progress.</summary>
    internal async Task<StackEnd> FollowAsync(string environment, string stackId, string? afterEventId, StackProgress progress, CancellationToken cancellation)
    {
        var events = new List<InferloopEnvironmentEvent>();
        var stream = new StackEventStream(aws.CloudFormation, environment, stackId, options);
        var marked = false;
        reporter.Progress(progress.Current());
        await foreach (var raw in stream.FollowAsync(afterEventId, cancellation).ConfigureAwait(false))
        {
            events.Add(raw);
            var e = raw;
            if (!marked && RootCause.Find(events)?.EventId == raw.EventId)
            {
                marked = true;
                e = raw with { IsRootCause = true };
            }

            OnEvent?.Invoke(e);
            reporter.Progress(progress.Apply(e));
        }

        reporter.Progress(progress.Current() with { Percent = 100, Remaining = TimeSpan.Zero, Completed = true });
        return stream.Gone ? new StackEnd("DELETE_COMPLETE", "", events) : new StackEnd(stream.Root!.StackStatus, stream.Root.StackStatusReason ?? "", events);
    }

    /// <summary>The error for an operation that AWS carried out and that failed: the first cause, not what followed from it.</summary>
    internal static OperationException Failure(OperationKind kind, string name, StackEnd end)
    {
        var cause = RootCause.Find(end.Events);
        var doing = kind switch { OperationKind.Create => "Creating", OperationKind.Update => "Updating", _ => "Removing" };
        var why = (cause is not null ? $"{cause.Path} ({cause.Type}) failed: {cause.Reason}" : end.Reason.Length > 0 ? end.Reason : "CloudFormation gives no reason").TrimEnd('.', ' ');
        return new OperationException(
            kind switch { OperationKind.Create => "EnvironmentCreateFailed", OperationKind.Update => "EnvironmentUpdateFailed", _ => "EnvironmentRemoveFailed" },
            OperationErrorKind.OperationFailed,
            $"{doing} '{name}' failed. {why}. The stack is {end.Status}.",
            Skippable(name, end) ?? StackStates.Guidance(name, end.Status),
            name);
    }

    /// <summary>Where a rollback stopped: the command that goes on, with what it could leave out.</summary>
    private static string? Skippable(string name, StackEnd end)
    {
        if (end.Status != "UPDATE_ROLLBACK_FAILED")
        {
            return null;
        }

        var events = end.Events.ToList();
        var begun = events.FindIndex(e => e.IsStack && e.Status == "UPDATE_ROLLBACK_IN_PROGRESS");
        var stuck = events.Skip(begun + 1).GroupBy(e => e.Path, StringComparer.Ordinal).Select(g => g.Last())
            .Where(e => e is { Status: "UPDATE_FAILED", IsStack: false, Type: not "AWS::CloudFormation::Stack" }).Select(e => e.Path).ToList();
        return stuck.Count == 0
            ? null
            : $"Correct the cause, then run Resume-InferloopEnvironment {name}. If {string.Join(", ", stuck)} cannot be brought back, leave out what cannot: Resume-InferloopEnvironment {name} -SkipResource {string.Join(",", stuck)}; then bring that resource to what the template says, or drift stays.";
    }

    private static OperationException InState(string name, string status) => new(
        StackStates.IsInProgress(status) ? "EnvironmentBusy" : "EnvironmentState",
        StackStates.IsInProgress(status) ? OperationErrorKind.Busy : OperationErrorKind.InvalidState,
        $"The environment '{name}' is {status}.", StackStates.Guidance(name, status), name);

    internal static List<Parameter> ParametersOf(IReadOnlyDictionary<string, string> parameters) =>
        parameters.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => new Parameter { ParameterKey = p.Key, ParameterValue = p.Value }).ToList();

    internal static List<Tag> TagsOf(IReadOnlyDictionary<string, string> tags) =>
        tags.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => new Tag { Key = t.Key, Value = t.Value }).ToList();
}

/// <summary>How a stack operation ended.</summary>
internal sealed record StackEnd(string Status, string Reason, IReadOnlyList<InferloopEnvironmentEvent> Events);
