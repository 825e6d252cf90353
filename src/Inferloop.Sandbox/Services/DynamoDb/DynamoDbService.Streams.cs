using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>The streams of the tables, while they are enabled and for a day after.</summary>
internal sealed partial class DynamoDbService
{
    private static readonly TimeSpan StreamAfterlife = TimeSpan.FromHours(24);

    private readonly ConcurrentDictionary<string, TableStream> streams = new(StringComparer.Ordinal);

    /// <summary>The stream's document: what DescribeStream tells of it beside its shards.</summary>
    public Collection StreamDocuments(RequestContext context) => Collection(context, "streams");

    public TableStream? Stream(string arn) => streams.GetValueOrDefault(arn);

    /// <summary>Whether a stream's table still has it enabled, or has yet to become active.</summary>
    public string StreamStatus(RequestContext context, JsonObject stream) =>
        streams.TryGetValue(stream.Required("StreamArn"), out var found) && found.IsClosed ? "DISABLED"
        : Tables(context).Get(stream.Required("TableName"))?.Text("TableStatus") == "CREATING" ? "ENABLING"
        : "ENABLED";

    /// <summary>Begins the stream that a table's specification asks for.</summary>
    private void OpenStream(RequestContext context, JsonObject table)
    {
        if (table.Child("StreamSpecification") is not { } specification || table.Text("LatestStreamArn") is not { } arn)
        {
            return;
        }
        var keys = KeySchema.From(table, table.Objects("AttributeDefinitions"));
        streams[arn] = new TableStream(Runtime.Clock, Runtime.Ids, arn, specification.Required("StreamViewType"), keys);
        StreamDocuments(context).Put(arn, new JsonObject
        {
            ["StreamArn"] = arn,
            ["StreamLabel"] = table.Text("LatestStreamLabel"),
            ["StreamViewType"] = specification.Text("StreamViewType"),
            ["CreationRequestDateTime"] = Documents.Time(context.Now),
            ["TableName"] = table.Text("TableName"),
            ["KeySchema"] = table["KeySchema"].Copy(),
        });
    }

    /// <summary>Lets a table's stream follow its items.</summary>
    private void Attach(JsonObject table, TableStore store)
    {
        if (table.Has("StreamSpecification") && table.Text("LatestStreamArn") is { } arn && streams.TryGetValue(arn, out var stream))
        {
            lock (store.Gate)
            {
                store.Changed += stream.Append;
            }
        }
    }

    /// <summary>Ends a table's stream; its records stay readable for a day.</summary>
    private void CloseStream(JsonObject table)
    {
        if (!table.Has("StreamSpecification") || table.Text("LatestStreamArn") is not { } arn || !streams.TryGetValue(arn, out var stream))
        {
            return;
        }
        stream.Close();
        if (arn.Split(':', 6) is [_, _, _, var region, var account, _])
        {
            Runtime.After(StreamAfterlife, () =>
            {
                streams.TryRemove(arn, out _);
                Runtime.Collection(ModelName, "streams", account, region).Remove(arn);
            });
        }
    }
}
