using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>DynamoDB as the module's lock and journal stand on it.</summary>
public sealed class DynamoDbTests : ServiceTestBase
{
    private const string Table = """
        {"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"at","AttributeType":"N"},{"AttributeName":"status","AttributeType":"S"}],
         "KeySchema":[{"AttributeName":"id","KeyType":"HASH"},{"AttributeName":"at","KeyType":"RANGE"}],"BillingMode":"PAY_PER_REQUEST",
         "GlobalSecondaryIndexes":[{"IndexName":"by-status","KeySchema":[{"AttributeName":"status","KeyType":"HASH"},{"AttributeName":"at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]}
        """;

    private async Task CreateTable()
    {
        await Call("dynamodb", "CreateTable", Table);
        Pass(TimeSpan.FromSeconds(15));
    }

    private static string? TextOf(JsonNode? node) => node?.ToJsonString();

    [Fact]
    public async Task A_table_takes_time_to_become_active_and_takes_no_items_before()
    {
        var created = await Call("dynamodb", "CreateTable", Table);
        Assert.Equal("CREATING", (string?)created["TableDescription"]!["TableStatus"]);
        Assert.Equal("ResourceNotFoundException", (await Fails("dynamodb", "GetItem", """{"TableName":"jobs","Key":{"id":{"S":"a"},"at":{"N":"1"}}}""")).Code);
        Pass(TimeSpan.FromSeconds(15));
        Assert.Equal("ACTIVE", (string?)(await Call("dynamodb", "DescribeTable", """{"TableName":"jobs"}"""))["Table"]!["TableStatus"]);
        Assert.Equal("ResourceInUseException", (await Fails("dynamodb", "CreateTable", Table)).Code);
    }

    [Fact]
    public async Task A_conditional_put_wins_once_and_tells_the_loser_who_holds_the_item()
    {
        await CreateTable();
        const string Put = """{"TableName":"jobs","Item":{"id":{"S":"lock"},"at":{"N":"0"},"owner":{"S":"%"}},"ConditionExpression":"attribute_not_exists(id) OR expires < :now","ExpressionAttributeValues":{":now":{"N":"5"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}""";
        await Call("dynamodb", "PutItem", Put.Replace("%", "one", StringComparison.Ordinal));
        var refused = await Fails("dynamodb", "PutItem", Put.Replace("%", "two", StringComparison.Ordinal));
        Assert.Equal("ConditionalCheckFailedException", refused.Code);
        Assert.Equal("The conditional request failed", refused.Message);
        Assert.Equal("one", (string?)refused.Members!["Item"]!["owner"]!["S"]);
    }

    [Fact]
    public async Task Of_many_concurrent_conditional_writes_exactly_one_succeeds()
    {
        await CreateTable();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(async () =>
        {
            try
            {
                await Call("dynamodb", "PutItem", $$$$"""{"TableName":"jobs","Item":{"id":{"S":"race"},"at":{"N":"0"},"owner":{"N":"{{{{i}}}}"}},"ConditionExpression":"attribute_not_exists(id)"}""");
                return 1;
            }
            catch (Inferloop.Sandbox.Runtime.ServiceFault fault) when (fault.Code == "ConditionalCheckFailedException")
            {
                return 0;
            }
        })));
        Assert.Equal(1, outcomes.Sum());
    }

    [Theory]
    [InlineData("SET a = :n", """{":n":{"N":"1.50"}}""", """{"a":{"N":"1.5"}}""")]
    [InlineData("SET c = c + :n, d = if_not_exists(d, :n)", """{":n":{"N":"2"}}""", """{"c":{"N":"12"},"d":{"N":"2"}}""")]
    [InlineData("SET c = l[0] - c", "", """{"c":{"N":"-9"}}""")]
    [InlineData("SET l = list_append(l, :l), l2 = list_append(:l, l)", """{":l":{"L":[{"N":"9"}]}}""", """{"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"},{"N":"9"}]},"l2":{"L":[{"N":"9"},{"N":"1"},{"N":"2"},{"N":"3"}]}}""")]
    [InlineData("REMOVE l[0], l[2]", "", """{"l":{"L":[{"N":"2"}]}}""")]
    [InlineData("SET l[7] = :n, m.b = :n REMOVE m.a", """{":n":{"N":"7"}}""", """{"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"},{"N":"7"}]},"m":{"M":{"b":{"N":"7"}}}}""")]
    [InlineData("ADD c :n, s :s, fresh :n", """{":n":{"N":"-3"},":s":{"SS":["y","z"]}}""", """{"c":{"N":"7"},"s":{"SS":["x","y","z"]},"fresh":{"N":"-3"}}""")]
    [InlineData("DELETE s :s", """{":s":{"SS":["x","y"]}}""", """{"s":null}""")]
    public async Task Updates_do_what_their_expression_says(string expression, string values, string expected)
    {
        await CreateTable();
        await Call("dynamodb", "PutItem", """{"TableName":"jobs","Item":{"id":{"S":"a"},"at":{"N":"1"},"c":{"N":"10"},"l":{"L":[{"N":"1"},{"N":"2"},{"N":"3"}]},"m":{"M":{"a":{"N":"1"}}},"s":{"SS":["x","y"]}}}""");
        var input = (JsonObject)JsonNode.Parse("""{"TableName":"jobs","Key":{"id":{"S":"a"},"at":{"N":"1"}},"ReturnValues":"ALL_NEW"}""")!;
        input["UpdateExpression"] = expression;
        if (values.Length > 0)
        {
            input["ExpressionAttributeValues"] = JsonNode.Parse(values);
        }
        var attributes = (await Call("dynamodb", "UpdateItem", input.ToJsonString()))["Attributes"]!;
        foreach (var (name, value) in (JsonObject)JsonNode.Parse(expected)!)
        {
            Assert.Equal(TextOf(value), TextOf(attributes[name]));
        }
    }

    [Theory]
    [InlineData("SET id = :v", "One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key")]
    [InlineData("SET x = :v, x = :v", "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [x], path two: [x]")]
    [InlineData("SET name = :v", "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name")]
    [InlineData("SET x = :w", "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :w")]
    [InlineData("SET x == :v", "Invalid UpdateExpression: Syntax error; token: \"=\", near: \"SET x == :v\"")]
    [InlineData("SET x.y = :v", "The document path provided in the update expression is invalid for update")]
    [InlineData("SET x = nothing REMOVE y", "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}")]
    [InlineData("SET x = nothing + :v", "The provided expression refers to an attribute that does not exist in the item")]
    public async Task Wrong_updates_are_refused_in_AWS_words(string expression, string message)
    {
        await CreateTable();
        var fault = await Fails("dynamodb", "UpdateItem",
            $$$$"""{"TableName":"jobs","Key":{"id":{"S":"a"},"at":{"N":"1"}},"UpdateExpression":"{{{{expression}}}}","ExpressionAttributeValues":{":v":{"N":"1"}}}""");
        Assert.Equal("ValidationException", fault.Code);
        Assert.Equal(message, fault.Message);
    }

    [Fact]
    public async Task A_query_walks_a_partition_in_order_in_both_directions_and_by_pages()
    {
        await CreateTable();
        foreach (var at in (int[])[10, 9, 100, -1, 2])
        {
            await Call("dynamodb", "PutItem", $$$$"""{"TableName":"jobs","Item":{"id":{"S":"a"},"at":{"N":"{{{{at}}}}"},"status":{"S":"{{{{(at % 2 == 0 ? "even" : "odd")}}}}"}}}""");
        }
        const string Query = """{"TableName":"jobs","KeyConditionExpression":"id = :a AND #t >= :from","ExpressionAttributeNames":{"#t":"at"},"ExpressionAttributeValues":{":a":{"S":"a"},":from":{"N":"0"}}""";
        Assert.Equal(["2", "9", "10", "100"], await Ats(Query + "}"));
        Assert.Equal(["100", "10", "9", "2"], await Ats(Query + ",\"ScanIndexForward\":false}"));
        var seen = new List<string>();
        JsonNode? start = null;
        do
        {
            var page = await Call("dynamodb", "Query", Query + ",\"Limit\":3" + (start is null ? "}" : $",\"ExclusiveStartKey\":{start.ToJsonString()}}}"));
            seen.AddRange(page["Items"]!.AsArray().Select(item => (string)item!["at"]!["N"]!));
            start = page["LastEvaluatedKey"];
        }
        while (start is not null);
        Assert.Equal(["2", "9", "10", "100"], seen);
        Assert.Equal(["2", "10", "100"], await Ats("""{"TableName":"jobs","IndexName":"by-status","KeyConditionExpression":"#s = :s","ExpressionAttributeNames":{"#s":"status"},"ExpressionAttributeValues":{":s":{"S":"even"}}}"""));
    }

    private async Task<string[]> Ats(string query) => (await Call("dynamodb", "Query", query))["Items"]!.AsArray().Select(item => (string)item!["at"]!["N"]!).ToArray();

    [Fact]
    public async Task A_scan_by_segments_and_pages_sees_every_item_once()
    {
        await CreateTable();
        for (var i = 0; i < 120; i++)
        {
            await Call("dynamodb", "PutItem", $$$$"""{"TableName":"jobs","Item":{"id":{"S":"p{{{{i % 40}}}}"},"at":{"N":"{{{{i}}}}"}}}""");
        }
        var seen = new List<string>();
        for (var segment = 0; segment < 3; segment++)
        {
            JsonNode? start = null;
            do
            {
                var page = await Call("dynamodb", "Scan", $$"""{"TableName":"jobs","Limit":7,"Segment":{{segment}},"TotalSegments":3""" + (start is null ? "}" : $",\"ExclusiveStartKey\":{start.ToJsonString()}}}"));
                seen.AddRange(page["Items"]!.AsArray().Select(item => (string)item!["at"]!["N"]!));
                start = page["LastEvaluatedKey"];
            }
            while (start is not null);
        }
        Assert.Equal(120, seen.Count);
        Assert.Equal(120, seen.Distinct().Count());
    }

    [Fact]
    public async Task A_cancelled_transaction_changes_nothing_and_says_which_part_failed()
    {
        await CreateTable();
        await Call("dynamodb", "PutItem", """{"TableName":"jobs","Item":{"id":{"S":"held"},"at":{"N":"0"},"owner":{"S":"one"}}}""");
        var fault = await Fails("dynamodb", "TransactWriteItems", """
            {"TransactItems":[
              {"Put":{"TableName":"jobs","Item":{"id":{"S":"new"},"at":{"N":"0"}}}},
              {"Update":{"TableName":"jobs","Key":{"id":{"S":"held"},"at":{"N":"0"}},"UpdateExpression":"SET steps = :s","ConditionExpression":"#o = :o","ExpressionAttributeNames":{"#o":"owner"},"ExpressionAttributeValues":{":s":{"N":"1"},":o":{"S":"two"}},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}]}
            """);
        Assert.Equal("TransactionCanceledException", fault.Code);
        Assert.Equal("Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]", fault.Message);
        Assert.Equal("one", (string?)fault.Members!["CancellationReasons"]![1]!["Item"]!["owner"]!["S"]);
        Assert.Null((await Call("dynamodb", "GetItem", """{"TableName":"jobs","Key":{"id":{"S":"new"},"at":{"N":"0"}}}"""))["Item"]);
    }

    [Fact]
    public async Task Expired_items_go_when_the_clock_has_passed_their_time()
    {
        await CreateTable();
        await Call("dynamodb", "UpdateTimeToLive", """{"TableName":"jobs","TimeToLiveSpecification":{"AttributeName":"expires","Enabled":true}}""");
        var soon = Runtime.Clock.Now.AddMinutes(10).ToUnixTimeSeconds();
        await Call("dynamodb", "PutItem", $$$$"""{"TableName":"jobs","Item":{"id":{"S":"a"},"at":{"N":"0"},"expires":{"N":"{{{{soon}}}}"}}}""");
        await Call("dynamodb", "PutItem", """{"TableName":"jobs","Item":{"id":{"S":"b"},"at":{"N":"0"}}}""");
        Pass(TimeSpan.FromHours(2));
        Assert.Equal(["b"], (await Call("dynamodb", "Scan", """{"TableName":"jobs"}"""))["Items"]!.AsArray().Select(item => (string?)item!["id"]!["S"]));
    }

    [Fact]
    public async Task CloudFormation_makes_changes_and_removes_a_table()
    {
        var properties = (JsonObject)JsonNode.Parse(Table)!;
        properties.Remove("TableName");
        properties["PointInTimeRecoverySpecification"] = JsonNode.Parse("""{"PointInTimeRecoveryEnabled":"true"}""");
        properties["SSESpecification"] = JsonNode.Parse("""{"SSEEnabled":"true","SSEType":"KMS"}""");
        properties["StreamSpecification"] = JsonNode.Parse("""{"StreamViewType":"NEW_AND_OLD_IMAGES"}""");
        var table = await Provision("AWS::DynamoDB::Table", properties.ToJsonString(), "Jobs");
        Assert.Matches("^stack-Jobs-[A-Z0-9]{12}$", table.PhysicalId);
        Assert.Equal($"arn:aws:dynamodb:us-east-1:123456789012:table/{table.PhysicalId}", (string?)table.Attributes["Arn"]);
        Assert.StartsWith($"arn:aws:dynamodb:us-east-1:123456789012:table/{table.PhysicalId}/stream/", (string?)table.Attributes["StreamArn"], StringComparison.Ordinal);
        var read = await Provider("AWS::DynamoDB::Table").ReadAsync(Provisioning(), table.PhysicalId);
        Assert.True((bool)read!["PointInTimeRecoverySpecification"]!["PointInTimeRecoveryEnabled"]!);
        var after = (JsonObject)properties.DeepClone();
        after.Remove("GlobalSecondaryIndexes");
        after["DeletionProtectionEnabled"] = "true";
        after["AttributeDefinitions"]!.AsArray().RemoveAt(2);
        await Complete(Provider("AWS::DynamoDB::Table").UpdateAsync(Provisioning(), table.PhysicalId, properties, after));
        Assert.Equal("ValidationException", (await Fails("dynamodb", "DeleteTable", $$"""{"TableName":"{{table.PhysicalId}}"}""")).Code);
        var open = (JsonObject)after.DeepClone();
        open.Remove("DeletionProtectionEnabled");
        await Complete(Provider("AWS::DynamoDB::Table").UpdateAsync(Provisioning(), table.PhysicalId, after, open));
        await Complete(Provider("AWS::DynamoDB::Table").DeleteAsync(Provisioning(), table.PhysicalId, open));
        Assert.Null(await Provider("AWS::DynamoDB::Table").ReadAsync(Provisioning(), table.PhysicalId));
    }
}
