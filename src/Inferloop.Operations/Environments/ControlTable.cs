using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Inferloop.Operations.Environments;

/// <summary>Locks and journal in the control stack's DynamoDB table.</summary>
internal sealed class ControlTable(IAmazonDynamoDB dynamo, string tableName, OperatorIdentity self, TimeProvider time)
{
    /// <summary>How long a lock holds without a sign of life.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(90);

    /// <summary>What is added to a lease before another machine takes over, for clocks that differ.</summary>
    public static readonly TimeSpan ClockAllowance = TimeSpan.FromSeconds(30);

    private const string LockKey = "lock";

    public DateTimeOffset Now => time.GetUtcNow();

    public string Owner => self.Name;

    /// <summary>Takes the environment for one operation, or says who has it.</summary>
    /// <exception cref="OperationException">EnvironmentBusy: another operation holds it.</exception>
    public async Task<EnvironmentLock> AcquireAsync(string environment, string operationId, OperationKind kind, CancellationToken cancellation)
    {
        // Two rounds at most: a lock whose process is known to be gone is removed, then taken like any other.
        for (var round = 0; ; round++)
        {
            var now = Now;
            try
            {
                await dynamo.PutItemAsync(
                    new PutItemRequest
                    {
                        TableName = tableName,
                        Item = new Dictionary<string, AttributeValue>
                        {
                            ["pk"] = Text(Partition(environment)),
                            ["sk"] = Text(LockKey),
                            ["user"] = Text(self.User),
                            ["host"] = Text(self.Host),
                            ["processId"] = Number(self.ProcessId),
                            ["operationId"] = Text(operationId),
                            ["kind"] = Text(kind.ToString()),
                            ["since"] = Number(now.ToUnixTimeMilliseconds()),
                            ["leaseUntil"] = Number((now + Lease).ToUnixTimeMilliseconds()),
                        },
                        ConditionExpression = "attribute_not_exists(pk) OR leaseUntil < :stale OR operationId = :me",
                        ExpressionAttributeValues = new Dictionary<string, AttributeValue>
                        {
                            [":stale"] = Number((now - ClockAllowance).ToUnixTimeMilliseconds()),
                            [":me"] = Text(operationId),
                        },
                    },
                    cancellation).ConfigureAwait(false);
                return new EnvironmentLock(this, environment, operationId, time);
            }
            catch (ConditionalCheckFailedException)
            {
                var holder = await HolderAsync(environment, cancellation).ConfigureAwait(false);
                if (holder is null && round < 3)
                {
                    continue; // it was released between the two calls
                }

                if (holder is not null && round < 3 && self.KnowsGone(holder.Operator))
                {
                    await RemoveAsync(environment, holder.OperationId, cancellation).ConfigureAwait(false);
                    continue;
                }

                throw Busy(environment, holder);
            }
        }
    }

    public async Task<LockHolder?> HolderAsync(string environment, CancellationToken cancellation)
    {
        var answer = await dynamo.GetItemAsync(
            new GetItemRequest { TableName = tableName, ConsistentRead = true, Key = Key(environment, LockKey) }, cancellation).ConfigureAwait(false);
        return answer.Item is not { Count: > 0 } item
            ? null
            : new LockHolder(
                new OperatorIdentity(item["user"].S, item["host"].S, int.Parse(item["processId"].N, CultureInfo.InvariantCulture)),
                item["operationId"].S, Enum.Parse<OperationKind>(item["kind"].S), Moment(item["since"]), Moment(item["leaseUntil"]));
    }

    /// <summary>Gives a sign of life; false when the lock is no longer this operation's.</summary>
    public async Task<bool> RenewAsync(string environment, string operationId, CancellationToken cancellation)
    {
        try
        {
            await dynamo.UpdateItemAsync(
                new UpdateItemRequest
                {
                    TableName = tableName,
                    Key = Key(environment, LockKey),
                    UpdateExpression = "SET leaseUntil = :until",
                    ConditionExpression = "operationId = :me",
                    ExpressionAttributeValues = new Dictionary<string, AttributeValue>
                    {
                        [":until"] = Number((Now + Lease).ToUnixTimeMilliseconds()),
                        [":me"] = Text(operationId),
                    },
                },
                cancellation).ConfigureAwait(false);
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }

    /// <summary>Gives the environment free, if this operation still holds it.</summary>
    public async Task RemoveAsync(string environment, string operationId, CancellationToken cancellation)
    {
        try
        {
            await dynamo.DeleteItemAsync(
                new DeleteItemRequest
                {
                    TableName = tableName,
                    Key = Key(environment, LockKey),
                    ConditionExpression = "attribute_not_exists(pk) OR operationId = :me",
                    ExpressionAttributeValues = new Dictionary<string, AttributeValue> { [":me"] = Text(operationId) },
                },
                cancellation).ConfigureAwait(false);
        }
        catch (ConditionalCheckFailedException)
        {
            // Someone took it over after our lease ended: it is theirs to release.
        }
    }

    public Task SaveAsync(OperationRecord record, CancellationToken cancellation)
    {
        var item = new Dictionary<string, AttributeValue>
        {
            ["pk"] = Text(Partition(record.Environment)),
            ["sk"] = Text(record.SortKey),
            ["environment"] = Text(record.Environment),
            ["operationId"] = Text(record.OperationId),
            ["kind"] = Text(record.Kind.ToString()),
            ["state"] = Text(record.State.ToString()),
            ["owner"] = Text(record.Owner),
            ["started"] = Text(Stamp(record.Started)),
            ["steps"] = new AttributeValue
            {
                IsLSet = true,
                L = record.Steps.Select(s => new AttributeValue { IsMSet = true, M = StepItem(s) }).ToList(),
            },
        };
        AddText(item, "inputHash", record.InputHash);
        AddText(item, "stackId", record.StackId);
        AddText(item, "reason", record.Reason);
        if (record.LiftedPolicies.Count > 0)
        {
            item["liftedPolicies"] = new AttributeValue { IsMSet = true, M = record.LiftedPolicies.ToDictionary(p => p.Key, p => Text(p.Value), StringComparer.Ordinal) };
        }

        if (record.Finished is { } finished)
        {
            item["finished"] = Text(Stamp(finished));

            // DynamoDB's time to live clears finished entries after a year; open ones stay until someone closes them.
            item["expiresAt"] = Number(finished.AddDays(365).ToUnixTimeSeconds());
        }

        return dynamo.PutItemAsync(new PutItemRequest { TableName = tableName, Item = item }, cancellation);
    }

    /// <summary>The newest entry of the journal for an environment.</summary>
    public async Task<OperationRecord?> LatestAsync(string environment, CancellationToken cancellation)
    {
        var answer = await dynamo.QueryAsync(
            new QueryRequest
            {
                TableName = tableName,
                ConsistentRead = true,
                ScanIndexForward = false,
                Limit = 1,
                KeyConditionExpression = "pk = :pk AND begins_with(sk, :operation)",
                ExpressionAttributeValues = new Dictionary<string, AttributeValue> { [":pk"] = Text(Partition(environment)), [":operation"] = Text("operation#") },
            },
            cancellation).ConfigureAwait(false);
        return answer.Items is { Count: > 0 } ? Read(answer.Items[0]) : null;
    }

    /// <summary>The entries that nobody closed. Not only the newest: clocks of two machines may disagree about which that is.</summary>
    public async Task<IReadOnlyList<OperationRecord>> OpenAsync(string environment, CancellationToken cancellation)
    {
        var open = new List<OperationRecord>();
        Dictionary<string, AttributeValue>? next = null;
        do
        {
            var page = await dynamo.QueryAsync(
                new QueryRequest
                {
                    TableName = tableName,
                    ConsistentRead = true,
                    ExclusiveStartKey = next,
                    KeyConditionExpression = "pk = :pk AND begins_with(sk, :operation)",
                    FilterExpression = "#state IN (:running, :detached)",
                    ExpressionAttributeNames = new Dictionary<string, string> { ["#state"] = "state" },
                    ExpressionAttributeValues = new Dictionary<string, AttributeValue>
                    {
                        [":pk"] = Text(Partition(environment)),
                        [":operation"] = Text("operation#"),
                        [":running"] = Text(nameof(OperationState.Running)),
                        [":detached"] = Text(nameof(OperationState.Detached)),
                    },
                },
                cancellation).ConfigureAwait(false);
            open.AddRange((page.Items ?? []).Select(Read));
            next = page.LastEvaluatedKey is { Count: > 0 } key ? key : null;
        }
        while (next is not null);
        return open;
    }

    private static OperationException Busy(string environment, LockHolder? holder)
    {
        var doing = holder?.Kind switch { OperationKind.Create => "creating", OperationKind.Update => "updating", OperationKind.Delete => "removing", OperationKind.Failover => "failing over", _ => "working on" };
        var message = holder is null
            ? $"Another operator took the environment '{environment}' at the same moment."
            : $"{holder.Operator.Name} (process {holder.Operator.ProcessId}) is {doing} the environment '{environment}' since {holder.Since.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC; operation {holder.OperationId}.";
        var action = holder is null
            ? "Try again."
            : $"Watch it with Wait-InferloopEnvironment. If that process is gone, the lock can be taken from {(holder.LeaseUntil + ClockAllowance).UtcDateTime:HH:mm:ss} UTC on: repeat the command then.";
        return new OperationException("EnvironmentBusy", OperationErrorKind.Busy, message, action, environment);
    }

    private static OperationRecord Read(Dictionary<string, AttributeValue> item) => new()
    {
        Environment = item["environment"].S,
        OperationId = item["operationId"].S,
        Kind = Enum.Parse<OperationKind>(item["kind"].S),
        State = Enum.Parse<OperationState>(item["state"].S),
        Owner = item["owner"].S,
        Started = Parse(item["started"].S),
        Finished = item.TryGetValue("finished", out var finished) ? Parse(finished.S) : null,
        InputHash = item.TryGetValue("inputHash", out var hash) ? hash.S : "",
        StackId = item.TryGetValue("stackId", out var stack) ? stack.S : null,
        Reason = item.TryGetValue("reason", out var reason) ? reason.S : null,
        LiftedPolicies = item.TryGetValue("liftedPolicies", out var lifted) ? lifted.M.ToDictionary(p => p.Key, p => p.Value.S, StringComparer.Ordinal) : new Dictionary<string, string>(),
        Steps = (item["steps"].L ?? []).Select(s => new OperationStep(s.M["name"].S, Parse(s.M["started"].S), s.M.TryGetValue("finished", out var f) ? Parse(f.S) : null)).ToList(),
    };

    private static Dictionary<string, AttributeValue> StepItem(OperationStep step)
    {
        var item = new Dictionary<string, AttributeValue> { ["name"] = Text(step.Name), ["started"] = Text(Stamp(step.Started)) };
        if (step.Finished is { } finished)
        {
            item["finished"] = Text(Stamp(finished));
        }

        return item;
    }

    private static void AddText(Dictionary<string, AttributeValue> item, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            item[name] = Text(value);
        }
    }

    private static Dictionary<string, AttributeValue> Key(string environment, string sort) => new() { ["pk"] = Text(Partition(environment)), ["sk"] = Text(sort) };

    private static string Partition(string environment) => "environment#" + environment;

    private static AttributeValue Text(string value) => new() { S = value };

    private static AttributeValue Number(long value) => new() { N = value.ToString(CultureInfo.InvariantCulture) };

    private static DateTimeOffset Moment(AttributeValue value) => DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(value.N, CultureInfo.InvariantCulture));

    private static string Stamp(DateTimeOffset value) => value.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    private static DateTimeOffset Parse(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
}
