using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>RDS for PostgreSQL: instances with their groups, snapshots and replicas. There is no database behind them; their life is real.</summary>
internal sealed partial class RdsService : SandboxService
{
    private const int EventDays = 14;

    public RdsService(SandboxRuntime runtime)
        : base(runtime, "rds")
    {
        AddGroups();
        AddParameterGroups();
        AddInstances();
        AddModification();
        AddSnapshots();
        AddRestoration();
        AddReplicas();
        AddBackupReplicas();
        AddCatalog();
        On("AddTagsToResource", (context, input) => Retag(context, input, document =>
        {
            Tags.Check(input.Objects("Tags"), "InvalidParameterValue");
            Tags.Put(document, "TagList", input.Objects("Tags"));
        }));
        On("RemoveTagsFromResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "TagList", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["TagList"] = Tagged(context, input.Required("ResourceName"), static _ => { })["TagList"].Copy() ?? new JsonArray() });
        On("DescribeEvents", DescribeEvents);
    }

    private Collection Instances(RequestContext context) => Collection(context, "instances");

    private Collection Snapshots(RequestContext context) => Collection(context, "snapshots");

    private Collection SubnetGroups(RequestContext context) => Collection(context, "subnet-groups");

    private Collection ParameterGroups(RequestContext context) => Collection(context, "parameter-groups");

    private Collection Retained(RequestContext context) => Collection(context, "automated-backups");

    private static ServiceFault Invalid(string message) => new("InvalidParameterValue", message);

    private static ServiceFault Conflict(string message) => new("InvalidParameterCombination", message);

    private static ServiceFault BadState(string message) => new("InvalidDBInstanceState", message);

    /// <summary>The service's own names are without case.</summary>
    private static string Key(string name) => name.ToLowerInvariant();

    /// <summary>An instance by identifier or ARN; that of an ARN may be in another region.</summary>
    private JsonObject Instance(RequestContext context, string idOrArn)
    {
        var place = Reachable(context, PlaceOf(context, idOrArn, "db", out var id));
        return Instances(place).Get(Key(id)) ?? throw new ServiceFault("DBInstanceNotFound", $"DBInstance {id} not found.", 404);
    }

    /// <summary>A place whose resources a request is about: what is in a lost region cannot be copied from there.</summary>
    private RequestContext Reachable(RequestContext context, RequestContext place) => place.Region != context.Region && Runtime.Links.IsCut(place.Region, context.Region, ModelName)
        ? throw new ServiceFault("InternalFailure", $"The request processing has failed because RDS in {place.Region} could not be reached.", 500)
        : place;

    /// <summary>Where a resource lives that is named by identifier or ARN.</summary>
    private static RequestContext PlaceOf(RequestContext context, string idOrArn, string kind, out string id)
    {
        id = idOrArn;
        if (!idOrArn.StartsWith("arn:", StringComparison.Ordinal))
        {
            return context;
        }
        var parts = idOrArn.Split(':', 7);
        if (parts.Length != 7 || parts[2] != "rds" || parts[5] != kind)
        {
            throw Invalid($"Invalid ARN: {idOrArn}");
        }
        id = parts[6];
        return context.With(parts[4], parts[3]);
    }

    /// <summary>Changes an instance some time later, if it is still the same one.</summary>
    private void Later(RequestContext context, TimeSpan after, JsonObject instance, Action<JsonObject> change, Action? then = null)
    {
        var (place, key, resource) = (context.Detached(), Key(instance.Required("DBInstanceIdentifier")), instance.Text("DbiResourceId"));
        Runtime.After(after, () =>
        {
            var same = false;
            Instances(place).Update(key, document =>
            {
                same = document.Text("DbiResourceId") == resource;
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

    private void Record(RequestContext context, string type, string id, string arn, string message, params ReadOnlySpan<string> categories)
    {
        var list = new JsonArray();
        foreach (var category in categories)
        {
            list.Add(category);
        }
        var events = Collection(context, "events");
        events.Put($"{context.Now.UtcTicks.ToString("D19", CultureInfo.InvariantCulture)}-{events.Count.ToString("D8", CultureInfo.InvariantCulture)}", new JsonObject
        {
            ["SourceIdentifier"] = id,
            ["SourceType"] = type,
            ["SourceArn"] = arn,
            ["Message"] = message,
            ["EventCategories"] = list,
            ["Date"] = Documents.Time(context.Now),
        });
    }

    private void Record(RequestContext context, JsonObject instance, string message, params ReadOnlySpan<string> categories) =>
        Record(context, "db-instance", instance.Required("DBInstanceIdentifier"), instance.Required("DBInstanceArn"), message, categories);

    private JsonObject DescribeEvents(RequestContext context, JsonObject input)
    {
        if (input.Has("SourceIdentifier") && !input.Has("SourceType"))
        {
            throw Conflict("Cannot specify source identifier without source type");
        }
        var end = input.TimeOf("EndTime") ?? context.Now;
        var start = input.TimeOf("StartTime") ?? end.AddMinutes(-(input.Int("Duration") ?? 60));
        var categories = input.Texts("EventCategories");
        var found = Collection(context, "events").Where(item => item.TimeOf("Date") is { } at && at >= start && at <= end && at >= context.Now.AddDays(-EventDays)
            && (input.Text("SourceType") is not { } type || item.Text("SourceType") == type)
            && (input.Text("SourceIdentifier") is not { } id || string.Equals(item.Text("SourceIdentifier"), id, StringComparison.OrdinalIgnoreCase))
            && (categories.Count == 0 || item.Texts("EventCategories").Any(categories.Contains)));
        return Paged(input, found, "Events");
    }

    private static JsonObject Paged(JsonObject input, IReadOnlyList<JsonObject> all, string member)
    {
        if (input.Int("MaxRecords") is < 20 or > 100)
        {
            throw Invalid($"Invalid value {input.Int("MaxRecords")} for MaxRecords. Must be between 20 and 100");
        }
        return Pages.Answer(input, all, member, "MaxRecords", "Marker", 100, "InvalidParameterValue");
    }

    /// <summary>The document an ARN names, changed in place.</summary>
    private JsonObject Tagged(RequestContext context, string arn, Action<JsonObject> change)
    {
        var parts = arn.Split(':', 7);
        var (name, missing) = parts.Length != 7 || parts[2] != "rds" ? throw Invalid($"The specified resource name does not match an RDS resource in this region: {arn}") : parts[5] switch
        {
            "db" => ("instances", "DBInstanceNotFound"),
            "snapshot" => ("snapshots", "DBSnapshotNotFound"),
            "subgrp" => ("subnet-groups", "DBSubnetGroupNotFoundFault"),
            "pg" => ("parameter-groups", "DBParameterGroupNotFound"),
            _ => throw Invalid($"The specified resource name does not match an RDS resource in this region: {arn}"),
        };
        return Collection(context, name).Update(Key(parts[6]), change) ?? throw new ServiceFault(missing, $"{parts[6]} not found.", 404);
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Tagged(context, input.Required("ResourceName"), change);
        return [];
    }

    /// <summary>The part of every endpoint that is the account's own in a region.</summary>
    private string EndpointLabel(RequestContext context)
    {
        var labels = Collection(context, "labels");
        labels.TryAdd("endpoint", new JsonObject { ["Label"] = "c" + Runtime.Ids.Lower(11) });
        return labels.Get("endpoint")!.Required("Label");
    }

    private Ec2Service Ec2 => Runtime.Service<Ec2Service>();
}
