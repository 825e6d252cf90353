using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <summary>ElastiCache for Redis OSS and Valkey: replication groups with their nodes, groups, users and snapshots. Nothing answers on their ports.</summary>
internal sealed partial class ElastiCacheService : SandboxService
{
    public ElastiCacheService(SandboxRuntime runtime)
        : base(runtime, "elasticache")
    {
        AddSettings();
        AddReplicationGroups();
        AddChanges();
        AddSnapshots();
        AddGlobal();
        AddUsers();
        On("AddTagsToResource", (context, input) => Retag(context, input, document =>
        {
            Tags.Check(input.Objects("Tags"), "InvalidParameterValue");
            Tags.Put(document, "_Tags", input.Objects("Tags"));
        }));
        On("RemoveTagsFromResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => Retag(context, input, static _ => { }));
        On("DescribeEvents", (context, input) =>
        {
            var end = input.TimeOf("EndTime") ?? context.Now;
            var start = input.TimeOf("StartTime") ?? end.AddMinutes(-(input.Int("Duration") ?? 60));
            return Paged(input, Collection(context, "events").Where(item => item.TimeOf("Date") is { } at && at >= start && at <= end
                && (input.Text("SourceType") is not { } type || item.Text("SourceType") == type) && (input.Text("SourceIdentifier") is not { } id || item.Text("SourceIdentifier") == id)), "Events");
        });
    }

    private Collection Groups(RequestContext context) => Collection(context, "replication-groups");

    private Collection SubnetGroups(RequestContext context) => Collection(context, "subnet-groups");

    private Collection ParameterGroups(RequestContext context) => Collection(context, "parameter-groups");

    private Collection Snapshots(RequestContext context) => Collection(context, "snapshots");

    private Collection Users(RequestContext context) => Collection(context, "users");

    private Collection UserGroups(RequestContext context) => Collection(context, "user-groups");

    private Ec2Service Ec2 => Runtime.Service<Ec2Service>();

    private static string Key(string name) => name.ToLowerInvariant();

    private static ServiceFault Invalid(string message) => new("InvalidParameterValue", message);

    private static ServiceFault Conflict(string message) => new("InvalidParameterCombination", message);

    private static JsonObject Paged(JsonObject input, IReadOnlyList<JsonObject> all, string member) => input.Int("MaxRecords") is < 20 or > 100
        ? throw Invalid("MaxRecords must be between 20 and 100.")
        : Pages.Answer(input, all, member, "MaxRecords", "Marker", 100, "InvalidParameterValue");

    private JsonObject Group(RequestContext context, string id) => Groups(context).Get(Key(id))
        ?? throw new ServiceFault("ReplicationGroupNotFoundFault", $"ReplicationGroup {id} not found.", 404);

    private void Later(RequestContext context, TimeSpan after, JsonObject group, Action<JsonObject> change, Action? then = null)
    {
        var (place, key, token) = (context.Detached(), group.Required("ReplicationGroupId"), group.Text("_Birth"));
        Runtime.After(after, () =>
        {
            var same = false;
            Groups(place).Update(key, document =>
            {
                same = document.Text("_Birth") == token;
                if (same)
                {
                    change(document);
                }
            });
            if (same)
            {
                then?.Invoke();
            }
        });
    }

    private void Record(RequestContext context, string type, string id, string message)
    {
        var events = Collection(context, "events");
        events.Put($"{context.Now.UtcTicks.ToString("D19", CultureInfo.InvariantCulture)}-{events.Count.ToString("D8", CultureInfo.InvariantCulture)}",
            new JsonObject { ["SourceIdentifier"] = id, ["SourceType"] = type, ["Message"] = message, ["Date"] = Documents.Time(context.Now) });
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var parts = input.Required("ResourceName").Split(':', 7);
        var (name, missing) = parts.Length != 7 || parts[2] != "elasticache" ? throw new ServiceFault("InvalidARN", $"{input.Text("ResourceName")} is not a valid ARN.") : parts[5] switch
        {
            "replicationgroup" => ("replication-groups", "ReplicationGroupNotFoundFault"),
            "subnetgroup" => ("subnet-groups", "CacheSubnetGroupNotFoundFault"),
            "parametergroup" => ("parameter-groups", "CacheParameterGroupNotFound"),
            "snapshot" => ("snapshots", "SnapshotNotFoundFault"),
            "globalreplicationgroup" => throw Invalid("Global datastores have no tags."),
            "user" => ("users", "UserNotFound"),
            "usergroup" => ("user-groups", "UserGroupNotFound"),
            _ => throw new ServiceFault("InvalidARN", $"{input.Text("ResourceName")} is not a valid ARN."),
        };
        var changed = Collection(context, name).Update(Key(parts[6]), change) ?? throw new ServiceFault(missing, $"{parts[6]} is either not present or not available.", 404);
        return new JsonObject { ["TagList"] = changed["_Tags"].Copy() ?? new JsonArray() };
    }

    private string EndpointLabel(RequestContext context)
    {
        var labels = Collection(context, "labels");
        labels.TryAdd("endpoint", new JsonObject { ["Label"] = Runtime.Ids.Lower(6) });
        return labels.Get("endpoint")!.Required("Label");
    }
}
