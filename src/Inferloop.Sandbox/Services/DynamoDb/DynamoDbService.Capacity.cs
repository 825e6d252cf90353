using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>Throttling of provisioned tables and indexes.</summary>
internal sealed partial class DynamoDbService
{
    /// <summary>Takes over the capacities that a table's document states.</summary>
    private static void SetCapacities(JsonObject table, TableStore store)
    {
        static void Set(Capacities capacities, JsonObject? throughput)
        {
            capacities.Read.Rate = throughput?.Long("ReadCapacityUnits") ?? 0;
            capacities.Write.Rate = throughput?.Long("WriteCapacityUnits") ?? 0;
        }
        lock (store.Gate)
        {
            store.Arn = table.Required("TableArn");
            Set(store.Capacity, table.Child("ProvisionedThroughput"));
            foreach (var index in table.Objects("GlobalSecondaryIndexes"))
            {
                if (store.Index(index.Required("IndexName")) is { } found)
                {
                    Set(found.Capacity, index.Child("ProvisionedThroughput"));
                }
            }
        }
    }

    private static ServiceFault Throttled(TableStore store, SecondaryIndex? index, string kind) => new("ProvisionedThroughputExceededException",
        index is null
            ? "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
            : "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API.",
        400, new JsonObject
        {
            ["ThrottlingReasons"] = new JsonArray(new JsonObject
            {
                ["reason"] = $"{(index is null ? "Table" : "Index")}{kind}ProvisionedThroughputExceeded",
                ["resource"] = index is null ? store.Arn : $"{store.Arn}/index/{index.Name}",
            }),
        });

    /// <summary>Refuses a read that the table, or the index it goes to, has no capacity for.</summary>
    private static void AdmitRead(TableStore store, SecondaryIndex? index = null)
    {
        if ((index is { IsGlobal: true } ? index.Capacity : store.Capacity).Read.IsExhausted)
        {
            throw Throttled(store, index is { IsGlobal: true } ? index : null, "Read");
        }
    }

    private static void ChargeRead(TableStore store, SecondaryIndex? index, double units) => (index is { IsGlobal: true } ? index.Capacity : store.Capacity).Read.Charge(units);

    /// <summary>Refuses a write that the table or one of its indexes has no capacity for.</summary>
    private static void AdmitWrite(TableStore store)
    {
        if (store.Capacity.Write.IsExhausted)
        {
            throw Throttled(store, null, "Write");
        }
        if (store.Indexes.FirstOrDefault(index => index.IsGlobal && index.Capacity.Write.IsExhausted) is { } full)
        {
            throw Throttled(store, full, "Write");
        }
    }

    /// <summary>Charges a write to the table, and to the indexes whose entries it changes; a transaction costs twice as much.</summary>
    private static void ChargeWrite(ItemWrite write, WriteResult result, int factor = 1)
    {
        var units = factor * WriteUnits(SizeOf(result));
        write.Store.Capacity.Write.Charge(units);
        foreach (var index in write.Store.Indexes)
        {
            if (index.IsGlobal && ((result.Before is not null && index.EntryOf(result.Before, write.Key) is not null) || (result.After is not null && index.EntryOf(result.After, write.Key) is not null)))
            {
                index.Capacity.Write.Charge(units);
            }
        }
    }

    private static int SizeOf(WriteResult result) =>
        Math.Max(result.Before is null ? 0 : TableStore.SizeOf(result.Before), result.After is null ? 0 : TableStore.SizeOf(result.After));
}
