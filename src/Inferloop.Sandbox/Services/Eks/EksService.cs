using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>
/// EKS's control plane: clusters, node groups, add-ons, access, updates. What the endpoint of a cluster answers is in
/// <see cref="Kubernetes.KubernetesCluster"/>.
/// </summary>
internal sealed partial class EksService : SandboxService
{
    public EksService(SandboxRuntime runtime)
        : base(runtime, "eks")
    {
        AddClusters();
        AddUpdates();
        AddNodegroups();
        AddFargate();
        AddAddons();
        AddAccess();
        AddIdentity();
        On("TagResource", (context, input) => Retag(context, input, tags =>
        {
            foreach (var (key, value) in input.Child("tags") ?? [])
            {
                tags[key] = value.Copy();
            }
        }));
        On("UntagResource", (context, input) => Retag(context, input, tags =>
        {
            foreach (var key in input.Texts("tagKeys"))
            {
                tags.Remove(key);
            }
        }));
        On("ListTagsForResource", (context, input) => new JsonObject { ["tags"] = Tagged(context, input.Required("resourceArn")).Document["tags"].Copy() ?? new JsonObject() });
    }

    private Collection Clusters(RequestContext context) => Collection(context, "clusters");

    private Collection Nodegroups(RequestContext context) => Collection(context, "nodegroups");

    private Collection Profiles(RequestContext context) => Collection(context, "fargate-profiles");

    private Collection Addons(RequestContext context) => Collection(context, "addons");

    private Collection Entries(RequestContext context) => Collection(context, "access-entries");

    private Collection Associations(RequestContext context) => Collection(context, "pod-identity-associations");

    private Collection IdentityProviders(RequestContext context) => Collection(context, "identity-providers");

    private static ServiceFault Invalid(string message, string? cluster = null) =>
        new("InvalidParameterException", message, 400, cluster is null ? null : new JsonObject { ["clusterName"] = cluster });

    private static ServiceFault Request(string message, string? cluster = null) =>
        new("InvalidRequestException", message, 400, cluster is null ? null : new JsonObject { ["clusterName"] = cluster });

    private static ServiceFault InUse(string message, string? cluster = null) =>
        new("ResourceInUseException", message, 409, cluster is null ? null : new JsonObject { ["clusterName"] = cluster });

    private static ServiceFault NotFound(string message, string? cluster = null) =>
        new("ResourceNotFoundException", message, 404, cluster is null ? null : new JsonObject { ["clusterName"] = cluster });

    private JsonObject Cluster(RequestContext context, string name) =>
        Clusters(context).Get(name) ?? throw NotFound($"No cluster found for name: {name}.", name);

    /// <summary>A cluster that takes work: not being created or deleted.</summary>
    private JsonObject ActiveCluster(RequestContext context, string name)
    {
        var cluster = Cluster(context, name);
        return cluster.Text("status") is "ACTIVE" or "UPDATING" ? cluster : throw Request($"Cluster '{name}' is not in ACTIVE status", name);
    }

    /// <summary>A role that a service's principal can assume; EKS refuses others.</summary>
    private void RequireRole(RequestContext context, string arn, string principal)
    {
        var role = Runtime.Service<Iam.IamService>().FindRole(context, arn);
        if (role is null || !role.Required("AssumeRolePolicyDocument").Contains(principal, StringComparison.Ordinal))
        {
            throw Invalid($"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct");
        }
    }

    private static JsonObject ListedNames(JsonObject input, IEnumerable<string> names, string member) =>
        Pages.AnswerTexts(input, names.ToList(), member, "maxResults", "nextToken", 100, "InvalidParameterException");

    private static string OwnSuffix(string arn) => arn.Split('/')[^1];

    private (Collection Kind, string Key, JsonObject Document) Tagged(RequestContext context, string arn)
    {
        foreach (var (kind, member) in new[]
        {
            (Clusters(context), "arn"), (Nodegroups(context), "nodegroupArn"), (Profiles(context), "fargateProfileArn"), (Addons(context), "addonArn"),
            (Entries(context), "accessEntryArn"), (Associations(context), "associationArn"), (IdentityProviders(context), "identityProviderConfigArn"),
        })
        {
            foreach (var key in kind.Keys())
            {
                if (kind.Get(key) is { } document && document.Text(member) == arn)
                {
                    return (kind, key, document);
                }
            }
        }
        throw new ServiceFault("NotFoundException", $"Resource not found: {arn}", 404);
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var (kind, key, _) = Tagged(context, input.Required("resourceArn"));
        kind.Update(key, document =>
        {
            var tags = document.ChildOrNew("tags").Copy();
            change(tags);
            Tags.Check(Tags.FromMap(tags), "BadRequestException");
            document["tags"] = tags;
        });
        return [];
    }
}
