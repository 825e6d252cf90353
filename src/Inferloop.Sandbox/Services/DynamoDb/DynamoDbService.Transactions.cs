using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.DynamoDb.Expressions;

namespace Inferloop.Sandbox.Services.DynamoDb;

internal sealed partial class DynamoDbService
{
    private const int MaximumTransactionItems = 100;
    private static readonly TimeSpan TransactionTokenLife = TimeSpan.FromMinutes(10);

    private JsonObject TransactWriteItems(RequestContext context, JsonObject input)
    {
        var actions = input.Objects("TransactItems").ToList();
        if (actions.Count > MaximumTransactionItems)
        {
            throw Invalid($"1 validation error detected: Value '[...]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to {MaximumTransactionItems}");
        }
        var writes = actions.ConvertAll(action => Parse(context, action));
        if (writes.Select(write => (write.Store, write.Key)).Distinct().Count() != writes.Count)
        {
            throw Invalid("Transaction request cannot include multiple operations on one item");
        }
        var token = input.Text("ClientRequestToken");
        return WithLocks(writes.Select(write => write.Store), () =>
        {
            if (token is not null && Collection(context, "transactions").Get(token) is { } earlier && earlier.TimeOf("At") > context.Now - TransactionTokenLife)
            {
                return Documents.Same(earlier["Items"], input["TransactItems"])
                    ? TransactionCapacity(input, writes)
                    : throw new ServiceFault("IdempotentParameterMismatchException", "The request uses the same client token as a previous, but non-identical request. "
                        + "Do not reuse a client token with different requests, unless the requests are identical");
            }
            Execute(writes);
            if (token is not null)
            {
                Collection(context, "transactions").Put(token, new JsonObject { ["At"] = Documents.Time(context.Now), ["Items"] = input["TransactItems"].Copy() });
            }
            return TransactionCapacity(input, writes);
        });
    }

    private ItemWrite Parse(RequestContext context, JsonObject action)
    {
        var kinds = action.Where(pair => pair.Value is JsonObject).ToList();
        if (kinds.Count != 1)
        {
            throw Invalid("TransactItems can only contain one of Check, Put, Update or Delete");
        }
        var (kind, value) = kinds[0];
        var input = (JsonObject)value!;
        var store = Store(context, input.Required("TableName"));
        return kind switch
        {
            "Put" => ItemWrite.Put(store, input),
            "Update" => ItemWrite.Update(store, input),
            "Delete" => ItemWrite.Delete(store, input),
            _ => ItemWrite.Check(store, input),
        };
    }

    /// <summary>All or nothing, under the locks of all tables: conditions and results first, then the writes.</summary>
    private static void Execute(List<ItemWrite> writes)
    {
        var reasons = new JsonArray();
        var results = new List<WriteResult>();
        var failed = false;
        foreach (var write in writes)
        {
            var reason = new JsonObject { ["Code"] = "None" };
            if (ThrottlingOf(write.Store) is { } throttled)
            {
                failed = true;
                reason = new JsonObject { ["Code"] = "ProvisionedThroughputExceeded", ["Message"] = throttled.Message };
            }
            else if (!write.Holds())
            {
                failed = true;
                reason = new JsonObject { ["Code"] = "ConditionalCheckFailed", ["Message"] = "The conditional request failed" };
                if (write.ReturnsOldOnFailure && write.Store.Get(write.Key) is { } present)
                {
                    reason["Item"] = AttributeValue.ToJson(present);
                }
            }
            else
            {
                try
                {
                    results.Add(write.Compute());
                }
                catch (ServiceFault fault) when (fault.Code == "ValidationException")
                {
                    failed = true;
                    reason = new JsonObject { ["Code"] = "ValidationError", ["Message"] = fault.Message };
                }
            }
            reasons.Add((JsonNode)reason);
        }
        if (failed)
        {
            var codes = string.Join(", ", reasons.OfType<JsonObject>().Select(reason => reason.Text("Code")));
            throw new ServiceFault("TransactionCanceledException", $"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]", 400,
                new JsonObject { ["CancellationReasons"] = reasons });
        }
        for (var i = 0; i < writes.Count; i++)
        {
            writes[i].Commit(results[i]);
            ChargeWrite(writes[i], results[i], 2);
        }
    }

    private static ServiceFault? ThrottlingOf(TableStore store)
    {
        try
        {
            AdmitWrite(store);
            return null;
        }
        catch (ServiceFault fault)
        {
            return fault;
        }
    }

    private JsonObject TransactGetItems(RequestContext context, JsonObject input)
    {
        var gets = input.Objects("TransactItems").Select(item => item.Child("Get")!).Select(get =>
        {
            var store = Store(context, get.Required("TableName"));
            var scope = new ExpressionScope(get, "ProjectionExpression");
            var projection = ExpressionParser.Projection(get.Text("ProjectionExpression"), scope);
            scope.CheckAllUsed();
            return (Store: store, Key: store.KeyFrom(get.Child("Key")), Projection: projection);
        }).ToList();
        if (gets.Count > MaximumTransactionItems)
        {
            throw Invalid($"1 validation error detected: Value '[...]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to {MaximumTransactionItems}");
        }
        return WithLocks(gets.Select(get => get.Store), () => new JsonObject
        {
            ["Responses"] = gets.Select(get => get.Store.Get(get.Key) is { } item
                ? new JsonObject { ["Item"] = AttributeValue.ToJson(Projections.Apply(item, get.Projection)) }
                : []).ToJsonList(),
        });
    }

    /// <summary>Runs under the locks of several tables, always taken in the same order.</summary>
    private static T WithLocks<T>(IEnumerable<TableStore> tables, Func<T> body)
    {
        var ordered = tables.Distinct().OrderBy(store => store.Name, StringComparer.Ordinal).ToList();
        var taken = 0;
        try
        {
            foreach (var store in ordered)
            {
                Monitor.Enter(store.Gate);
                taken++;
            }
            return body();
        }
        finally
        {
            for (var i = taken - 1; i >= 0; i--)
            {
                Monitor.Exit(ordered[i].Gate);
            }
        }
    }

    private static JsonObject TransactionCapacity(JsonObject input, List<ItemWrite> writes)
    {
        if ((input.Text("ReturnConsumedCapacity") ?? "NONE") == "NONE")
        {
            return [];
        }
        // A transactional write costs twice an ordinary one.
        var capacities = writes.GroupBy(write => write.Store)
            .Select(group => Capacity(input, group.Key, group.Sum(write => 2 * WriteUnits(write.Store.Get(write.Key) is { } item ? TableStore.SizeOf(item) : 0)))!);
        return new JsonObject { ["ConsumedCapacity"] = capacities.ToJsonList() };
    }

    private JsonObject BatchGetItem(RequestContext context, JsonObject input)
    {
        const int MaximumKeys = 100;
        var responses = new JsonObject();
        var unprocessed = new JsonObject();
        ServiceFault? throttled = null;
        var total = 0;
        foreach (var (tableName, value) in input.Child("RequestItems") ?? [])
        {
            var request = (JsonObject)value!;
            RefuseLegacy(request, "AttributesToGet");
            var store = Store(context, tableName);
            var scope = new ExpressionScope(request, "ProjectionExpression");
            var projection = ExpressionParser.Projection(request.Text("ProjectionExpression"), scope);
            scope.CheckAllUsed();
            var keys = request.Objects("Keys").Select(store.KeyFrom).ToList();
            total += keys.Count;
            if (total > MaximumKeys)
            {
                throw Invalid("Too many items requested for the BatchGetItem call");
            }
            if (keys.Distinct().Count() != keys.Count)
            {
                throw Invalid("Provided list of item keys contains duplicates");
            }
            var found = new List<JsonObject>();
            lock (store.Gate)
            {
                for (var i = 0; i < keys.Count; i++)
                {
                    try
                    {
                        AdmitRead(store);
                    }
                    catch (ServiceFault fault)
                    {
                        throttled = fault;
                        var rest = request.Copy();
                        rest["Keys"] = request.Objects("Keys").Skip(i).ToJsonList();
                        unprocessed[tableName] = rest;
                        break;
                    }
                    var item = store.Get(keys[i]);
                    ChargeRead(store, null, ReadUnits(item, request.Is("ConsistentRead")));
                    if (item is not null)
                    {
                        found.Add(AttributeValue.ToJson(Projections.Apply(item, projection)));
                    }
                }
            }
            responses[tableName] = found.ToJsonList();
        }
        if (throttled is not null && unprocessed.Sum(pair => ((JsonObject)pair.Value!).Objects("Keys").Count()) == total)
        {
            throw throttled;
        }
        return new JsonObject { ["Responses"] = responses, ["UnprocessedKeys"] = unprocessed };
    }

    private JsonObject BatchWriteItem(RequestContext context, JsonObject input)
    {
        const int MaximumWrites = 25;
        var writes = new List<ItemWrite>();
        var requests = new List<(string Table, JsonObject Request)>();
        foreach (var (tableName, value) in input.Child("RequestItems") ?? [])
        {
            var store = Store(context, tableName);
            foreach (var request in ((JsonArray)value!).OfType<JsonObject>())
            {
                requests.Add((tableName, request));
                writes.Add(request.Child("PutRequest") is { } put ? ItemWrite.Put(store, put.Pick("Item"))
                    : request.Child("DeleteRequest") is { } delete ? ItemWrite.Delete(store, delete.Pick("Key"))
                    : throw Invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"));
            }
        }
        if (writes.Count > MaximumWrites)
        {
            throw Invalid("Too many items requested for the BatchWriteItem call");
        }
        if (writes.Select(write => (write.Store, write.Key)).Distinct().Count() != writes.Count)
        {
            throw Invalid("Provided list of item keys contains duplicates");
        }
        var unprocessed = new JsonObject();
        ServiceFault? throttled = null;
        var done = 0;
        for (var i = 0; i < writes.Count; i++)
        {
            try
            {
                Apply(writes[i]);
                done++;
            }
            catch (ServiceFault fault) when (fault.Code == "ProvisionedThroughputExceededException")
            {
                throttled = fault;
                unprocessed.ListOrNew(requests[i].Table).Add((JsonNode)requests[i].Request.Copy());
            }
        }
        return throttled is not null && done == 0 ? throw throttled : new JsonObject { ["UnprocessedItems"] = unprocessed };
    }
}
