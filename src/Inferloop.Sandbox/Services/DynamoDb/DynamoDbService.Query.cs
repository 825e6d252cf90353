using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.DynamoDb.Expressions;

namespace Inferloop.Sandbox.Services.DynamoDb;

internal sealed partial class DynamoDbService
{
    /// <summary>A page ends when this much has been read.</summary>
    private const int MaximumPageBytes = 1024 * 1024;

    private JsonObject Query(RequestContext context, JsonObject input)
    {
        RefuseLegacy(input, "KeyConditions", "QueryFilter", "ConditionalOperator", "AttributesToGet");
        var store = Store(context, input.Required("TableName"));
        var (index, keys, entries) = Source(store, input);
        if (input.Text("KeyConditionExpression") is not { } keyExpression)
        {
            throw Invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.");
        }
        var scope = new ExpressionScope(input, "KeyConditionExpression", "FilterExpression", "ProjectionExpression");
        var keyCondition = KeyCondition.From(ExpressionParser.Condition(keyExpression, "KeyConditionExpression", scope)!, keys);
        var filter = ExpressionParser.Condition(input.Text("FilterExpression"), "FilterExpression", scope);
        var projection = ExpressionParser.Projection(input.Text("ProjectionExpression"), scope);
        scope.CheckAllUsed();
        if (index is { IsGlobal: true } && input.Is("ConsistentRead"))
        {
            throw Invalid("Consistent reads are not supported on global secondary indexes");
        }
        var start = StartPosition(input, store, index);
        if (start is { } given && !given.Partition.Equals(keyCondition.Partition))
        {
            throw Invalid("The provided starting key is outside query boundaries based on provided conditions");
        }
        lock (store.Gate)
        {
            var found = entries.Partitioned(keyCondition.Partition, input.Flag("ScanIndexForward") ?? true,
                start is { } from ? (from.Sort, from.Tie) : null, keyCondition.Range);
            return Page(input, store, index, keyCondition.Prefix is null ? found : found.Where(stored => keyCondition.Prefix.Holds(stored.Item)), filter, projection);
        }
    }

    private JsonObject Scan(RequestContext context, JsonObject input)
    {
        RefuseLegacy(input, "ScanFilter", "ConditionalOperator", "AttributesToGet");
        var store = Store(context, input.Required("TableName"));
        var (index, _, entries) = Source(store, input);
        var scope = new ExpressionScope(input, "FilterExpression", "ProjectionExpression");
        var filter = ExpressionParser.Condition(input.Text("FilterExpression"), "FilterExpression", scope);
        var projection = ExpressionParser.Projection(input.Text("ProjectionExpression"), scope);
        scope.CheckAllUsed();
        var (segment, segments) = (input.Int("Segment"), input.Int("TotalSegments"));
        if (segment.HasValue != segments.HasValue)
        {
            throw Invalid(segments is null
                ? "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"
                : "The Segment parameter is required but was not present in the request when parameter TotalSegments is present");
        }
        if (segment >= segments)
        {
            throw Invalid($"The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is not less than TotalSegments: {segments}");
        }
        var start = StartPosition(input, store, index);
        lock (store.Gate)
        {
            return Page(input, store, index, entries.Scan(segment ?? 0, segments ?? 1, start), filter, projection);
        }
    }

    private static (SecondaryIndex? Index, KeySchema Keys, KeyedStore Entries) Source(TableStore store, JsonObject input)
    {
        if (input.Text("IndexName") is not { } name)
        {
            return (null, store.Keys, store.Items);
        }
        lock (store.Gate)
        {
            var index = store.Index(name) ?? throw Invalid($"The table does not have the specified index: {name}");
            return (index, index.Keys, index.Entries);
        }
    }

    private static JsonObject Page(JsonObject input, TableStore store, SecondaryIndex? index, IEnumerable<StoredItem> found, Condition? filter, IReadOnlyList<DocumentPath>? projection)
    {
        var limit = input.Int("Limit") ?? int.MaxValue;
        var select = input.Text("Select") ?? (projection is not null ? "SPECIFIC_ATTRIBUTES" : index is null ? "ALL_ATTRIBUTES" : "ALL_PROJECTED_ATTRIBUTES");
        if (select == "SPECIFIC_ATTRIBUTES" != (projection is not null) && select != "COUNT")
        {
            throw Invalid("One or more parameter values were invalid: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES");
        }
        if (select == "ALL_ATTRIBUTES" && index is { IsGlobal: true, ProjectsAll: false })
        {
            throw Invalid($"One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index {index.Name} because its projection type is not ALL");
        }
        var projected = index is { ProjectsAll: false } && select != "ALL_ATTRIBUTES" ? index.ProjectedAttributes(store.Keys) : null;
        AdmitRead(store, index);
        var items = new JsonArray();
        var (count, scanned, size) = (0, 0, 0);
        StoredItem? last = null;
        var more = false;
        foreach (var stored in found)
        {
            if (scanned >= limit || size >= MaximumPageBytes)
            {
                more = true;
                break;
            }
            last = stored;
            scanned++;
            size += TableStore.SizeOf(stored.Item);
            var visible = projected is null ? stored.Item : stored.Item.Where(pair => projected.Contains(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
            if (filter is not null && !filter.Holds(visible))
            {
                continue;
            }
            count++;
            if (select != "COUNT")
            {
                items.Add((JsonNode)AttributeValue.ToJson(Projections.Apply(visible, projection)));
            }
        }
        var answer = new JsonObject { ["Count"] = count, ["ScannedCount"] = scanned };
        if (select != "COUNT")
        {
            answer["Items"] = items;
        }
        // AWS gives a key to go on from whenever the page ended at its limit, even when nothing follows.
        if (last is not null && (more || scanned >= limit))
        {
            answer["LastEvaluatedKey"] = Position(store, index, last);
        }
        var units = ReadUnits(size, input.Is("ConsistentRead"));
        ChargeRead(store, index, units);
        return answer.With("ConsumedCapacity", Capacity(input, store, units));
    }

    private static JsonObject Position(TableStore store, SecondaryIndex? index, StoredItem stored)
    {
        var key = new JsonObject();
        foreach (var attribute in (index?.Keys.Attributes ?? []).Concat(store.Keys.Attributes))
        {
            key[attribute.Name] ??= stored.Item[attribute.Name].ToJson();
        }
        return key;
    }

    private static (AttributeValue Partition, AttributeValue? Sort, PrimaryKey? Tie)? StartPosition(JsonObject input, TableStore store, SecondaryIndex? index)
    {
        if (input.Child("ExclusiveStartKey") is not { } given)
        {
            return null;
        }
        var map = AttributeValue.ParseMap(given);
        var needed = (index?.Keys.Attributes ?? []).Concat(store.Keys.Attributes).DistinctBy(attribute => attribute.Name).ToList();
        if (map.Count != needed.Count || needed.Exists(attribute => !map.TryGetValue(attribute.Name, out var value) || value.Kind != attribute.Kind))
        {
            throw Invalid("The provided starting key is invalid" + (index is null ? ": The provided key element does not match the schema" : ""));
        }
        AttributeValue? Value(KeyAttribute? attribute) => attribute is null ? null : map[attribute.Name];
        return index is null
            ? (map[store.Keys.Partition.Name], Value(store.Keys.Sort), null)
            : (map[index.Keys.Partition.Name], Value(index.Keys.Sort), new PrimaryKey(map[store.Keys.Partition.Name], Value(store.Keys.Sort)));
    }
}
