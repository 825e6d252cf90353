using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Inferloop.Operations.Recovery;

/// <summary>The journal of failovers, beside locks and the journal of environments, in the region that takes over.</summary>
internal sealed class FailoverStore(IAmazonDynamoDB dynamo, string tableName)
{
    private static readonly JsonSerializerOptions s_format = new() { Converters = { new JsonStringEnumConverter() }, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public Task SaveAsync(string environment, InferloopFailover failover, CancellationToken cancellation)
    {
        var item = new Dictionary<string, AttributeValue>
        {
            ["pk"] = new() { S = Partition(environment) },
            ["sk"] = new() { S = failover.SortKey },
            ["failoverId"] = new() { S = failover.Id },
            ["state"] = new() { S = failover.State.ToString() },
            ["document"] = new() { S = JsonSerializer.Serialize(failover, s_format) },
        };
        if (failover.Finished is { } finished)
        {
            // An auditor may ask for the rehearsals of some years; the journal of environments goes after one.
            item["expiresAt"] = new() { N = finished.AddDays(3 * 365).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) };
        }

        return dynamo.PutItemAsync(new PutItemRequest { TableName = tableName, Item = item }, cancellation);
    }

    /// <summary>The failovers of an environment into this region, the newest first.</summary>
    public async Task<IReadOnlyList<InferloopFailover>> ListAsync(string environment, int? limit, CancellationToken cancellation)
    {
        var found = new List<InferloopFailover>();
        Dictionary<string, AttributeValue>? next = null;
        do
        {
            var page = await dynamo.QueryAsync(
                new QueryRequest
                {
                    TableName = tableName,
                    ConsistentRead = true,
                    ScanIndexForward = false,
                    ExclusiveStartKey = next,
                    Limit = limit,
                    KeyConditionExpression = "pk = :pk AND begins_with(sk, :failover)",
                    ExpressionAttributeValues = new Dictionary<string, AttributeValue> { [":pk"] = new() { S = Partition(environment) }, [":failover"] = new() { S = "failover#" } },
                },
                cancellation).ConfigureAwait(false);
            found.AddRange((page.Items ?? []).Select(item => JsonSerializer.Deserialize<InferloopFailover>(item["document"].S, s_format)!));
            next = limit is null && page.LastEvaluatedKey is { Count: > 0 } key ? key : null;
        }
        while (next is not null);
        return found;
    }

    private static string Partition(string environment) => "environment#" + environment;
}
