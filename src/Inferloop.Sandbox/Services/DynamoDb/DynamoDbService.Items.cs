using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.DynamoDb.Expressions;

namespace Inferloop.Sandbox.Services.DynamoDb;

internal sealed partial class DynamoDbService
{
    private const int WriteUnit = 1024;
    private const int ReadUnit = 4096;

    private JsonObject PutItem(RequestContext context, JsonObject input)
    {
        RefuseLegacy(input, "Expected", "ConditionalOperator");
        CheckReturnValues(input, "NONE", "ALL_OLD");
        var write = ItemWrite.Put(Store(context, input.Required("TableName")), input);
        return Written(input, write, Apply(write));
    }

    private JsonObject DeleteItem(RequestContext context, JsonObject input)
    {
        RefuseLegacy(input, "Expected", "ConditionalOperator");
        CheckReturnValues(input, "NONE", "ALL_OLD");
        var write = ItemWrite.Delete(Store(context, input.Required("TableName")), input);
        return Written(input, write, Apply(write));
    }

    private JsonObject UpdateItem(RequestContext context, JsonObject input)
    {
        RefuseLegacy(input, "Expected", "ConditionalOperator", "AttributeUpdates");
        var write = ItemWrite.Update(Store(context, input.Required("TableName")), input);
        return Written(input, write, Apply(write));
    }

    private JsonObject GetItem(RequestContext context, JsonObject input)
    {
        RefuseLegacy(input, "AttributesToGet");
        var store = Store(context, input.Required("TableName"));
        var scope = new ExpressionScope(input, "ProjectionExpression");
        var projection = ExpressionParser.Projection(input.Text("ProjectionExpression"), scope);
        scope.CheckAllUsed();
        var key = store.KeyFrom(input.Child("Key"));
        IReadOnlyDictionary<string, AttributeValue>? item;
        lock (store.Gate)
        {
            AdmitRead(store);
            item = store.Get(key);
            ChargeRead(store, null, ReadUnits(item, input.Is("ConsistentRead")));
        }
        var answer = new JsonObject();
        if (item is not null)
        {
            answer["Item"] = AttributeValue.ToJson(Projections.Apply(item, projection));
        }
        return answer.With("ConsumedCapacity", Capacity(input, store, ReadUnits(item, input.Is("ConsistentRead"))));
    }

    /// <summary>Checks the condition and writes, as one step.</summary>
    private static WriteResult Apply(ItemWrite write)
    {
        lock (write.Store.Gate)
        {
            AdmitWrite(write.Store);
            if (!write.Holds())
            {
                // A write that is refused by its condition has used its capacity all the same.
                write.Store.Capacity.Write.Charge(1);
                var present = write.ReturnsOldOnFailure ? write.Store.Get(write.Key) : null;
                throw new ServiceFault("ConditionalCheckFailedException", "The conditional request failed", 400,
                    present is null ? null : new JsonObject { ["Item"] = AttributeValue.ToJson(present) });
            }
            var result = write.Compute();
            write.Commit(result);
            ChargeWrite(write, result);
            return result;
        }
    }

    private static JsonObject Written(JsonObject input, ItemWrite write, WriteResult result)
    {
        var answer = new JsonObject();
        var attributes = (input.Text("ReturnValues") ?? "NONE") switch
        {
            "ALL_OLD" => result.Before,
            "ALL_NEW" => result.After,
            "UPDATED_OLD" => Touched(result.Before, write),
            "UPDATED_NEW" => Touched(result.After, write),
            _ => null,
        };
        if (attributes is { Count: > 0 })
        {
            answer["Attributes"] = AttributeValue.ToJson(attributes);
        }
        return answer.With("ConsumedCapacity", Capacity(input, write.Store, WriteUnits(SizeOf(result))));
    }

    /// <summary>The attributes that the update names.</summary>
    private static IReadOnlyDictionary<string, AttributeValue>? Touched(IReadOnlyDictionary<string, AttributeValue>? item, ItemWrite write) =>
        item is null || write.UpdateOf is null ? null : Projections.Apply(item, write.UpdateOf.Actions.Select(action => action.Path).ToList());

    private static void CheckReturnValues(JsonObject input, params ReadOnlySpan<string> allowed)
    {
        if (input.Text("ReturnValues") is { } asked && !allowed.Contains(asked))
        {
            throw Invalid("ReturnValues can only be ALL_OLD or NONE");
        }
    }

    /// <summary>The parameters that expressions replaced in 2014 are refused openly rather than ignored.</summary>
    private static void RefuseLegacy(JsonObject input, params ReadOnlySpan<string> members)
    {
        foreach (var member in members)
        {
            if (input.Has(member))
            {
                throw new ServiceFault("NotImplemented", $"The sandbox does not implement DynamoDB's legacy parameter {member}; use expressions. Nothing was changed.", 501);
            }
        }
    }

    private static double WriteUnits(int size) => Math.Max(1, Math.Ceiling(size / (double)WriteUnit));

    private static double ReadUnits(IReadOnlyDictionary<string, AttributeValue>? item, bool consistent) => ReadUnits(item is null ? 0 : TableStore.SizeOf(item), consistent);

    private static double ReadUnits(int size, bool consistent) => Math.Max(1, Math.Ceiling(size / (double)ReadUnit)) * (consistent ? 1 : 0.5);

    private static JsonObject? Capacity(JsonObject input, TableStore store, double units) => (input.Text("ReturnConsumedCapacity") ?? "NONE") switch
    {
        "TOTAL" => new JsonObject { ["TableName"] = store.Name, ["CapacityUnits"] = units },
        "INDEXES" => new JsonObject { ["TableName"] = store.Name, ["CapacityUnits"] = units, ["Table"] = new JsonObject { ["CapacityUnits"] = units } },
        _ => null,
    };
}
