using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.DynamoDb.Expressions;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>What a write did.</summary>
internal sealed record WriteResult(IReadOnlyDictionary<string, AttributeValue>? Before, IReadOnlyDictionary<string, AttributeValue>? After);

/// <summary>One write of one item, parsed and checked; applied under the table's lock, alone or within a transaction.</summary>
internal sealed class ItemWrite
{
    private readonly IReadOnlyDictionary<string, AttributeValue>? replacement;
    private readonly UpdateExpression? update;
    private readonly Condition? condition;
    private readonly bool isDelete;

    private ItemWrite(TableStore store, PrimaryKey key, Condition? condition, JsonObject input)
    {
        Store = store;
        Key = key;
        this.condition = condition;
        ReturnsOldOnFailure = input.Text("ReturnValuesOnConditionCheckFailure") == "ALL_OLD";
    }

    private ItemWrite(TableStore store, PrimaryKey key, Condition? condition, JsonObject input,
        IReadOnlyDictionary<string, AttributeValue>? replacement, UpdateExpression? update, bool isDelete)
        : this(store, key, condition, input)
    {
        this.replacement = replacement;
        this.update = update;
        this.isDelete = isDelete;
    }

    public TableStore Store { get; }

    public PrimaryKey Key { get; }

    public UpdateExpression? UpdateOf => update;

    public bool ReturnsOldOnFailure { get; }

    public static ItemWrite Put(TableStore store, JsonObject input)
    {
        var scope = new ExpressionScope(input, "ConditionExpression");
        var condition = ExpressionParser.Condition(input.Text("ConditionExpression"), "ConditionExpression", scope);
        scope.CheckAllUsed();
        var item = AttributeValue.ParseMap(input.Child("Item") ?? []);
        return new ItemWrite(store, store.CheckedKey(item), condition, input, item, null, false);
    }

    public static ItemWrite Delete(TableStore store, JsonObject input)
    {
        var scope = new ExpressionScope(input, "ConditionExpression");
        var condition = ExpressionParser.Condition(input.Text("ConditionExpression"), "ConditionExpression", scope);
        scope.CheckAllUsed();
        return new ItemWrite(store, store.KeyFrom(input.Child("Key")), condition, input, null, null, true);
    }

    public static ItemWrite Check(TableStore store, JsonObject input)
    {
        var scope = new ExpressionScope(input, "ConditionExpression");
        var condition = ExpressionParser.Condition(input.Text("ConditionExpression"), "ConditionExpression", scope);
        scope.CheckAllUsed();
        return new ItemWrite(store, store.KeyFrom(input.Child("Key")), condition, input);
    }

    public static ItemWrite Update(TableStore store, JsonObject input)
    {
        var scope = new ExpressionScope(input, "UpdateExpression", "ConditionExpression");
        var update = ExpressionParser.Update(input.Text("UpdateExpression"), scope);
        var condition = ExpressionParser.Condition(input.Text("ConditionExpression"), "ConditionExpression", scope);
        scope.CheckAllUsed();
        var key = store.KeyFrom(input.Child("Key"));
        var keyNames = store.Keys.Attributes.Select(attribute => attribute.Name).ToHashSet(StringComparer.Ordinal);
        if (update?.Actions.FirstOrDefault(action => keyNames.Contains(action.Path.Root)) is { } touching)
        {
            throw new ServiceFault("ValidationException", $"One or more parameter values were invalid: Cannot update attribute {touching.Path.Root}. This attribute is part of the key");
        }
        return new ItemWrite(store, key, condition, input, null, update ?? new UpdateExpression([]), false);
    }

    /// <summary>Whether the condition holds now.</summary>
    public bool Holds() => condition?.Holds(Store.Get(Key)) ?? true;

    /// <summary>The write's result, without storing it: whatever can go wrong, goes wrong here.</summary>
    public WriteResult Compute()
    {
        var before = Store.Get(Key);
        if (isDelete)
        {
            return new WriteResult(before, null);
        }
        if (replacement is not null)
        {
            return new WriteResult(before, replacement);
        }
        if (update is null)
        {
            return new WriteResult(before, before);
        }
        var start = before ?? Store.Keys.ItemOf(Key);
        var after = update.Apply(start);
        Store.CheckedKey(after);
        return new WriteResult(before, after);
    }

    public void Commit(WriteResult result)
    {
        if (isDelete)
        {
            Store.Remove(Key);
        }
        else if ((replacement is not null || update is not null) && result.After is { } after)
        {
            Store.Put(Key, after);
        }
    }
}
