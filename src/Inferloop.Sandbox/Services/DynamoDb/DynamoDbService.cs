using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>DynamoDB: tables as documents, their items in a store of their own.</summary>
internal sealed partial class DynamoDbService : SandboxService
{
    private readonly ConcurrentDictionary<(string Account, string Region, string Table), TableStore> stores = new();

    public DynamoDbService(SandboxRuntime runtime)
        : base(runtime, "dynamodb")
    {
        On("CreateTable", CreateTable);
        On("DescribeTable", (context, input) => new JsonObject { ["Table"] = Describe(context, Table(context, input.Required("TableName"))) });
        On("ListTables", ListTables);
        On("UpdateTable", (context, input) => UpdateTable(context, input, isLocal: false));
        On("DeleteTable", DeleteTable);
        On("DescribeTimeToLive", DescribeTimeToLive);
        On("UpdateTimeToLive", UpdateTimeToLive);
        On("DescribeContinuousBackups", DescribeContinuousBackups);
        On("UpdateContinuousBackups", UpdateContinuousBackups);
        On("DescribeContributorInsights", DescribeContributorInsights);
        On("UpdateContributorInsights", UpdateContributorInsights);
        On("TagResource", TagResource);
        On("UntagResource", UntagResource);
        On("ListTagsOfResource", ListTagsOfResource);
        On("GetResourcePolicy", GetResourcePolicy);
        On("PutResourcePolicy", PutResourcePolicy);
        On("DeleteResourcePolicy", DeleteResourcePolicy);
        On("DescribeLimits", (_, _) => new JsonObject
        {
            ["AccountMaxReadCapacityUnits"] = 80_000,
            ["AccountMaxWriteCapacityUnits"] = 80_000,
            ["TableMaxReadCapacityUnits"] = 40_000,
            ["TableMaxWriteCapacityUnits"] = 40_000,
        });
        On("DescribeEndpoints", (context, _) => new JsonObject
        {
            ["Endpoints"] = new JsonArray(new JsonObject { ["Address"] = $"dynamodb.{context.Region}.{context.DnsSuffix}", ["CachePeriodInMinutes"] = 1440 }),
        });
        On("PutItem", PutItem);
        On("GetItem", GetItem);
        On("UpdateItem", UpdateItem);
        On("DeleteItem", DeleteItem);
        On("Query", Query);
        On("Scan", Scan);
        On("BatchGetItem", BatchGetItem);
        On("BatchWriteItem", BatchWriteItem);
        On("TransactWriteItems", TransactWriteItems);
        On("TransactGetItems", TransactGetItems);
        AddBackups();
    }

    private static ServiceFault Invalid(string message) => new("ValidationException", message);

    /// <summary>A table name, whether given by name or by ARN.</summary>
    private static string NameOf(string nameOrArn) =>
        nameOrArn.StartsWith("arn:", StringComparison.Ordinal) && nameOrArn.IndexOf(":table/", StringComparison.Ordinal) is var at and >= 0
            ? nameOrArn[(at + 7)..].Split('/')[0]
            : nameOrArn;

    private JsonObject Table(RequestContext context, string nameOrArn) => Tables(context).Get(NameOf(nameOrArn))
        ?? throw new ServiceFault("ResourceNotFoundException", $"Requested resource not found: Table: {NameOf(nameOrArn)} not found");

    private Collection Tables(RequestContext context) => Collection(context, "tables");

    /// <summary>The items of a table that can be read and written now.</summary>
    private TableStore Store(RequestContext context, string nameOrArn)
    {
        if (!stores.TryGetValue((context.AccountId, context.Region, NameOf(nameOrArn)), out var store))
        {
            throw new ServiceFault("ResourceNotFoundException", "Requested resource not found");
        }
        return store;
    }
}
