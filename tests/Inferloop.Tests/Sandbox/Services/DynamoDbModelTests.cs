using System.Globalization;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.DynamoDb;
using Inferloop.Sandbox.Services.DynamoDb.Expressions;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>DynamoDB held against a small reference model on random histories.</summary>
public sealed class DynamoDbModelTests : ServiceTestBase
{
    private enum Kind
    {
        Put,
        PutIfAbsent,
        PutIfNewer,
        Add,
        SetSum,
        Remove,
        Delete,
        DeleteIf,
        Transfer,
        Query,
        QueryBackwards,
    }

    private sealed record Step(Kind Kind, string Id, int At, int Value);

    private static readonly Gen<Step> s_step =
        from kind in Gen.Elements(Enum.GetValues<Kind>())
        from id in Gen.Elements("a", "b", "ü")
        from at in Gen.Choose(-3, 3)
        from value in Gen.Choose(-20, 20)
        select new Step(kind, id, at, value);

    [Fact]
    public void Random_histories_leave_what_a_dictionary_would_have()
    {
        var history = s_step.ListOf().ToArbitrary();
        Prop.ForAll(history, steps => Run(steps.ToList())).Check(Config.QuickThrowOnFailure.WithMaxTest(60).WithEndSize(60));
    }

    private bool Run(List<Step> steps)
    {
        var table = "t" + Guid.NewGuid().ToString("N");
        Invoke("CreateTable", $$"""{"TableName":"{{table}}","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"at","AttributeType":"N"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"},{"AttributeName":"at","KeyType":"RANGE"}]}""");
        Pass(TimeSpan.FromSeconds(15));
        var model = new Dictionary<(string Id, int At), int?>();
        foreach (var step in steps)
        {
            Apply(table, model, step);
        }
        return model.GroupBy(pair => pair.Key.Id).All(group =>
            Ats(table, group.Key, true).SequenceEqual(group.Select(pair => pair.Key.At).Order())) && Count(table) == model.Count;
    }

    private void Apply(string table, Dictionary<(string Id, int At), int?> model, Step step)
    {
        var key = (step.Id, step.At);
        var exists = model.TryGetValue(key, out var present);
        var keyJson = $$$"""{"id":{"S":"{{{step.Id}}}"},"at":{"N":"{{{step.At}}}"} }""";
        var item = $$$$"""{"id":{"S":"{{{{step.Id}}}}"},"at":{"N":"{{{{step.At}}}}"},"n":{"N":"{{{{step.Value}}}}"} }""";
        var value = $$$"""{":v":{"N":"{{{step.Value}}}"} }""";
        switch (step.Kind)
        {
            case Kind.Put:
                Invoke("PutItem", $$"""{"TableName":"{{table}}","Item":{{item}} }""");
                model[key] = step.Value;
                break;
            case Kind.PutIfAbsent:
                Conditional(!exists, "PutItem", $$"""{"TableName":"{{table}}","Item":{{item}},"ConditionExpression":"attribute_not_exists(id)"}""", () => model[key] = step.Value);
                break;
            case Kind.PutIfNewer:
                Conditional(!exists || present is null || present < step.Value, "PutItem",
                    $$"""{"TableName":"{{table}}","Item":{{item}},"ConditionExpression":"attribute_not_exists(n) OR n < :v","ExpressionAttributeValues":{{value}} }""", () => model[key] = step.Value);
                break;
            case Kind.Add:
                Invoke("UpdateItem", $$"""{"TableName":"{{table}}","Key":{{keyJson}},"UpdateExpression":"ADD n :v","ExpressionAttributeValues":{{value}} }""");
                model[key] = (present ?? 0) + step.Value;
                break;
            case Kind.SetSum:
                Invoke("UpdateItem", $$"""{"TableName":"{{table}}","Key":{{keyJson}},"UpdateExpression":"SET n = if_not_exists(n, :v) - :v","ExpressionAttributeValues":{{value}} }""");
                model[key] = (present ?? step.Value) - step.Value;
                break;
            case Kind.Remove:
                Invoke("UpdateItem", $$"""{"TableName":"{{table}}","Key":{{keyJson}},"UpdateExpression":"REMOVE n"}""");
                model[key] = null;
                break;
            case Kind.Delete:
                Invoke("DeleteItem", $$"""{"TableName":"{{table}}","Key":{{keyJson}} }""");
                model.Remove(key);
                break;
            case Kind.DeleteIf:
                Conditional(exists && present >= step.Value, "DeleteItem", $$"""{"TableName":"{{table}}","Key":{{keyJson}},"ConditionExpression":"n >= :v","ExpressionAttributeValues":{{value}} }""", () => model.Remove(key));
                break;
            case Kind.Transfer:
                var other = ("bank", 0);
                var enough = exists && present >= step.Value;
                try
                {
                    Invoke("TransactWriteItems", $$$$"""
                        {"TransactItems":[
                          {"Update":{"TableName":"{{{{table}}}}","Key":{"id":{"S":"bank"},"at":{"N":"0"}},"UpdateExpression":"ADD n :v","ExpressionAttributeValues":{{{{value}}}} }},
                          {"Update":{"TableName":"{{{{table}}}}","Key":{{{{keyJson}}}},"UpdateExpression":"SET n = n - :v","ConditionExpression":"n >= :v","ExpressionAttributeValues":{{{{value}}}} }}]}
                        """);
                    Assert.True(enough, "The transaction went through though its condition does not hold.");
                    model[other] = (model.GetValueOrDefault(other) ?? 0) + step.Value;
                    model[key] = present - step.Value;
                }
                catch (ServiceFault fault) when (fault.Code == "TransactionCanceledException")
                {
                    Assert.False(enough, "The transaction was cancelled though its condition holds.");
                }
                break;
            default:
                var forward = step.Kind == Kind.Query;
                var expected = model.Keys.Where(item => item.Id == step.Id && item.At >= step.At).Select(item => item.At).Order().ToList();
                if (!forward)
                {
                    expected.Reverse();
                }
                Assert.Equal(expected, Ats(table, step.Id, forward, step.At));
                break;
        }
        var stored = Invoke("GetItem", $$"""{"TableName":"{{table}}","Key":{{keyJson}} }""")["Item"];
        Assert.Equal(model.ContainsKey(key), stored is not null);
        Assert.Equal(model.GetValueOrDefault(key)?.ToString(CultureInfo.InvariantCulture), (string?)stored?["n"]?["N"]);
    }

    private void Conditional(bool holds, string operation, string input, Action change)
    {
        try
        {
            Invoke(operation, input);
            Assert.True(holds, $"{operation} went through though its condition does not hold.");
            change();
        }
        catch (ServiceFault fault) when (fault.Code == "ConditionalCheckFailedException")
        {
            Assert.False(holds, $"{operation} was refused though its condition holds.");
        }
    }

    private List<int> Ats(string table, string id, bool forward, int from = -100)
    {
        var seen = new List<int>();
        JsonNode? start = null;
        do
        {
            var input = (JsonObject)JsonNode.Parse($$$$"""{"TableName":"{{{{table}}}}","Limit":2,"ScanIndexForward":{{{{(forward ? "true" : "false")}}}},"KeyConditionExpression":"id = :i AND #a >= :f","ExpressionAttributeNames":{"#a":"at"},"ExpressionAttributeValues":{":i":{"S":"{{{{id}}}}"},":f":{"N":"{{{{from}}}}"} } }""")!;
            if (start is not null)
            {
                input["ExclusiveStartKey"] = start.DeepClone();
            }
            var page = Invoke("Query", input.ToJsonString());
            seen.AddRange(page["Items"]!.AsArray().Select(item => int.Parse((string)item!["at"]!["N"]!, CultureInfo.InvariantCulture)));
            start = page["LastEvaluatedKey"];
        }
        while (start is not null);
        return seen;
    }

    private int Count(string table) => (int)Invoke("Scan", $$"""{"TableName":"{{table}}","Select":"COUNT"}""")["Count"]!;

    // The handlers of DynamoDB complete at once; a property runs synchronously.
    private JsonObject Invoke(string operation, string input) => Call("dynamodb", operation, input).GetAwaiter().GetResult();

    [Fact]
    public void Numbers_add_and_compare_exactly()
    {
        var numbers = (from mantissa in Gen.Choose(-999_999, 999_999) from scale in Gen.Choose(0, 9) select mantissa / (decimal)Math.Pow(10, scale)).ToArbitrary();
        Prop.ForAll(numbers, numbers, (a, b) =>
        {
            Assert.True(DynamoNumber.TryParse(a.ToString(CultureInfo.InvariantCulture), out var x, out _));
            Assert.True(DynamoNumber.TryParse(b.ToString("E28", CultureInfo.InvariantCulture), out var y, out _));
            Assert.True(DynamoNumber.TryAdd(x, y, out var sum, out _));
            return decimal.Parse(sum.ToString(), CultureInfo.InvariantCulture) == a + b && Math.Sign(x.CompareTo(y)) == a.CompareTo(b) && x.Equals(y) == (a == b);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("1E125", true)]
    [InlineData("9.9999999999999999999999999999999999999E+125", true)]
    [InlineData("1E126", false)]
    [InlineData("1E-130", true)]
    [InlineData("1E-131", false)]
    [InlineData("123456789012345678901234567890123456789", false)]
    [InlineData("1e", false)]
    [InlineData("0x10", false)]
    [InlineData("-0", true)]
    public void Numbers_have_the_range_of_DynamoDB(string text, bool expected) => Assert.Equal(expected, DynamoNumber.TryParse(text, out _, out _));

    [Theory]
    [InlineData("a = :one AND NOT (b = :one OR c < :one)", true)]
    [InlineData("size(l) = :two AND contains(l, :one) AND contains(s, :x)", true)]
    [InlineData("attribute_type(m, :map) AND m.within1 BETWEEN :one AND :two", true)]
    [InlineData("a IN (:two, :one)", true)]
    [InlineData("begins_with(s, :x)", true)]
    [InlineData("absent <> :one", true)]
    [InlineData("absent = :one OR absent < :one", false)]
    [InlineData("a < :x", false)]
    [InlineData("l[1] = :two and attribute_exists(l[1]) and attribute_not_exists(l[2])", true)]
    public void Conditions_hold_as_written(string expression, bool expected)
    {
        var item = AttributeValue.ParseMap((JsonObject)JsonNode.Parse("""{"a":{"N":"1"},"b":{"N":"2"},"c":{"N":"3"},"l":{"L":[{"N":"1"},{"N":"2"}]},"s":{"S":"xyz"},"m":{"M":{"within1":{"N":"1.5"}}}}""")!);
        var all = new Dictionary<string, string> { [":one"] = """{"N":"1"}""", [":two"] = """{"N":"2"}""", [":x"] = """{"S":"x"}""", [":map"] = """{"S":"M"}""" };
        var values = new JsonObject();
        foreach (var (name, value) in all.Where(pair => expression.Contains(pair.Key, StringComparison.Ordinal)))
        {
            values[name] = JsonNode.Parse(value);
        }
        var scope = new ExpressionScope(new JsonObject { ["ConditionExpression"] = expression, ["ExpressionAttributeValues"] = values }, "ConditionExpression");
        Assert.Equal(expected, ExpressionParser.Condition(expression, "ConditionExpression", scope)!.Holds(item));
    }
}
