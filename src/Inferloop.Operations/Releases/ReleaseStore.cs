using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Inferloop.Operations.Releases;

/// <summary>The history of releases, beside locks and journal in the control stack's table.</summary>
internal sealed class ReleaseStore(IAmazonDynamoDB dynamo, string tableName)
{
    private static readonly JsonSerializerOptions s_format = new() { Converters = { new JsonStringEnumConverter() }, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public Task SaveAsync(string environment, InferloopRelease release, CancellationToken cancellation)
    {
        var item = new Dictionary<string, AttributeValue>
        {
            ["pk"] = new() { S = Partition(environment) },
            ["sk"] = new() { S = Sort(release) },
            ["releaseId"] = new() { S = release.Id },
            ["state"] = new() { S = release.Status.ToString() },
            ["document"] = new() { S = JsonSerializer.Serialize(release, s_format) },
        };
        if (release.Finished is { } finished)
        {
            // As with the journal, the table's time to live clears what ended a year ago; what is open stays.
            item["expiresAt"] = new() { N = finished.AddDays(365).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) };
        }

        return dynamo.PutItemAsync(new PutItemRequest { TableName = tableName, Item = item }, cancellation);
    }

    /// <summary>The releases of an environment, the newest first.</summary>
    public async Task<IReadOnlyList<InferloopRelease>> ListAsync(string environment, CancellationToken cancellation)
    {
        var found = new List<InferloopRelease>();
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
                    KeyConditionExpression = "pk = :pk AND begins_with(sk, :release)",
                    ExpressionAttributeValues = new Dictionary<string, AttributeValue> { [":pk"] = new() { S = Partition(environment) }, [":release"] = new() { S = "release#" } },
                },
                cancellation).ConfigureAwait(false);
            found.AddRange((page.Items ?? []).Select(item => JsonSerializer.Deserialize<InferloopRelease>(item["document"].S, s_format)!));
            next = page.LastEvaluatedKey is { Count: > 0 } key ? key : null;
        }
        while (next is not null);
        return found;
    }

    private static string Partition(string environment) => "environment#" + environment;

    private static string Sort(InferloopRelease release) => $"release#{release.Recorded.UtcDateTime:yyyyMMdd'T'HHmmss.fffffff}#{release.Id}";
}
