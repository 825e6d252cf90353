using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecs;

/// <summary>ECS: clusters, capacity providers, task definitions, services whose tasks come and go on the sandbox's clock.</summary>
internal sealed partial class EcsService : SandboxService
{
    public EcsService(SandboxRuntime runtime)
        : base(runtime, "ecs")
    {
        AddClusters();
        AddTaskDefinitions();
        AddServices();
        AddTasks();
        AddDeployments();
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "tags", input.Objects("tags"), "key", "value")));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "tags", input.Texts("tagKeys"), "key")));
        On("ListTagsForResource", (context, input) => new JsonObject { ["tags"] = Resource(context, input.Required("resourceArn")).Found["tags"].Copy() ?? new JsonArray() });
    }

    private Collection Clusters(RequestContext context) => Collection(context, "clusters");

    private Collection Providers(RequestContext context) => Collection(context, "capacity-providers");

    private Collection Definitions(RequestContext context) => Collection(context, "task-definitions");

    private Collection ServicesOf(RequestContext context) => Collection(context, "services");

    private Collection Tasks(RequestContext context) => Collection(context, "tasks");

    private Collection Instances(RequestContext context) => Collection(context, "container-instances");

    private static ServiceFault Invalid(string message) => new("InvalidParameterException", message);

    private static ServiceFault Client(string message) => new("ClientException", message);

    /// <summary>The last part of a name or an ARN.</summary>
    private static string NameOf(string nameOrArn) => nameOrArn.Split('/')[^1];

    private static JsonObject Failure(string arn, string reason = "MISSING") => new() { ["arn"] = arn, ["reason"] = reason };

    /// <summary>The cluster of a request: named, or the one called default.</summary>
    private JsonObject Cluster(RequestContext context, JsonObject input) =>
        Clusters(context).Get(NameOf(input.Text("cluster") ?? "default")) is { } cluster && cluster.Text("status") == "ACTIVE"
            ? cluster
            : throw new ServiceFault("ClusterNotFoundException", "Cluster not found.");

    private (Collection Kind, string Key, JsonObject Found) Resource(RequestContext context, string arn)
    {
        var parts = arn.Split(':', 6);
        var path = parts.Length == 6 && parts[2] == "ecs" ? parts[5].Split('/') : throw Invalid("Invalid identifier: Identifier is for " + arn);
        var (kind, key) = path[0] switch
        {
            "cluster" => (Clusters(context), path[1]),
            "service" => (ServicesOf(context), string.Join('/', path[1..])),
            "service-deployment" => (Deployments(context), DeploymentKey(parts[5])),
            "service-revision" => (Revisions(context), DeploymentKey(parts[5])),
            "task" => (Tasks(context), path[^1]),
            "task-definition" => (Definitions(context), path[1]),
            "capacity-provider" => (Providers(context), path[1]),
            "container-instance" => (Instances(context), path[^1]),
            _ => throw Invalid("Invalid identifier: Identifier is for " + arn),
        };
        return (kind, key, kind.Get(key) ?? throw new ServiceFault("ResourceNotFoundException", "The specified resource is not available or does not exist."));
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var (kind, key, _) = Resource(context, input.Required("resourceArn"));
        kind.Update(key, document =>
        {
            change(document);
            Tags.Check(document.Objects("tags"), "InvalidParameterException", "key", "value");
        });
        return [];
    }

    /// <summary>A document without its tags unless the caller asked to include them.</summary>
    private static JsonObject View(JsonObject document, JsonObject input)
    {
        if (!input.Texts("include").Contains("TAGS"))
        {
            document.Remove("tags");
        }
        return document;
    }
}
