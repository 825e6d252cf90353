using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Iam;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>Add-ons: what a cluster runs that EKS keeps up.</summary>
internal sealed partial class EksService
{
    private void AddAddons()
    {
        On("CreateAddon", CreateAddon);
        On("UpdateAddon", UpdateAddon);
        On("DescribeAddon", (context, input) => new JsonObject { ["addon"] = Addon(context, input) });
        On("ListAddons", (context, input) =>
        {
            _ = Cluster(context, input.Required("clusterName"));
            return ListedNames(input, Addons(context).Where(addon => addon.Text("clusterName") == input.Text("clusterName")).Select(addon => addon.Required("addonName")), "addons");
        });
        On("DeleteAddon", (context, input) =>
        {
            var addon = Addon(context, input);
            if (addon.Text("status") == "UPDATING")
            {
                throw InUse($"Addon {addon.Text("addonName")} has an update in progress", input.Text("clusterName"));
            }
            addon["status"] = "DELETING";
            Addons(context).Put(AddonKey(input), addon);
            Runtime.After(Durations.EksAddonDelete, () =>
            {
                Addons(context).Remove(AddonKey(input));
                foreach (var owned in Associations(context).Where(item => item.Text("ownerArn") == addon.Text("addonArn")))
                {
                    Associations(context).Remove(owned.Required("associationId"));
                }
            });
            return new JsonObject { ["addon"] = addon };
        });
        On("DescribeAddonVersions", (_, input) =>
        {
            int? minor = input.Text("kubernetesVersion") is { } version ? (EksVersions.Find(version) ?? throw Invalid($"unsupported Kubernetes version {version}")).Minor : null;
            if (input.Text("addonName") is { } name && EksAddonCatalog.Find(name) is null)
            {
                throw NotFound($"Addon {name} not found.");
            }
            var all = EksAddonCatalog.All.Where(addon => input.Text("addonName") is not { } asked || addon.Name == asked)
                .Where(addon => input.Texts("types") is { Count: 0 } || input.Texts("types").Contains(addon.Type))
                .Where(addon => (input.Texts("publishers") is { Count: 0 } || input.Texts("publishers").Contains("eks")) && (input.Texts("owners") is { Count: 0 } || input.Texts("owners").Contains("aws")))
                .Select(addon => EksAddonCatalog.Describe(addon, minor)).Where(addon => addon.Objects("addonVersions").Any()).ToList();
            return Pages.Answer(input, all, "addons", "maxResults", "nextToken", 100, "InvalidParameterException");
        });
        On("DescribeAddonConfiguration", (_, input) =>
        {
            var addon = EksAddonCatalog.Find(input.Required("addonName")) ?? throw NotFound($"Addon {input.Text("addonName")} not found.");
            return addon.Versions.Any(version => version.Version == input.Text("addonVersion"))
                ? new JsonObject
                {
                    ["addonName"] = addon.Name,
                    ["addonVersion"] = input.Text("addonVersion"),
                    ["configurationSchema"] = """{"$schema":"http://json-schema.org/draft-06/schema#","type":"object","additionalProperties":true}""",
                    ["podIdentityConfiguration"] = new JsonArray(),
                }
                : throw NotFound($"Addon version {input.Text("addonVersion")} not found for addon {addon.Name}.");
        });
    }

    private static string AddonKey(JsonObject input) => $"{input.Text("clusterName")}/{input.Text("addonName")}";

    private JsonObject Addon(RequestContext context, JsonObject input)
    {
        _ = Cluster(context, input.Required("clusterName"));
        return Addons(context).Get(AddonKey(input)) ?? throw NotFound($"No addon: {input.Text("addonName")} found in cluster: {input.Text("clusterName")}", input.Text("clusterName"));
    }

    private static string AddonVersion(EksAddon addon, JsonObject cluster, string? asked)
    {
        var fitting = addon.For(EksVersions.Find(cluster.Required("version"))!.Minor).Select(version => version.Version).ToList();
        return fitting.Count == 0 ? throw Invalid($"Addon {addon.Name} is not supported for Kubernetes version {cluster.Text("version")}")
            : asked is null ? fitting[0]
            : fitting.Contains(asked) ? asked
            : throw Invalid("Addon version specified is not supported", cluster.Text("name"));
    }

    private void CheckAddonSettings(RequestContext context, JsonObject input)
    {
        if (input.Text("configurationValues") is { Length: > 0 } values)
        {
            try
            {
                // YAML is taken too; what begins as JSON has to be it.
                if (values.TrimStart().StartsWith('{') && JsonNode.Parse(values) is not JsonObject)
                {
                    throw Invalid("ConfigurationValue provided in request is not supported: must be an object");
                }
            }
            catch (JsonException e)
            {
                throw Invalid($"ConfigurationValue provided in request is not supported: Json schema validation failed with error: {e.Message}");
            }
        }
        foreach (var arn in input.Objects("podIdentityAssociations").Select(item => item.Required("roleArn")).Concat(input.Text("serviceAccountRoleArn") is { } role ? [role] : []))
        {
            if (Runtime.Service<IamService>().FindRole(context, arn) is null)
            {
                throw Invalid($"Role {arn} provided in the request does not exist.");
            }
        }
    }

    private JsonObject CreateAddon(RequestContext context, JsonObject input)
    {
        var cluster = ActiveCluster(context, input.Required("clusterName"));
        var known = EksAddonCatalog.Find(input.Required("addonName")) ?? throw NotFound($"Addon {input.Text("addonName")} specified is not supported", input.Text("clusterName"));
        var key = AddonKey(input);
        if (Addons(context).Contains(key))
        {
            throw InUse("Addon already exists.", input.Text("clusterName"));
        }
        CheckAddonSettings(context, input);
        var addon = new JsonObject
        {
            ["addonName"] = known.Name,
            ["clusterName"] = input.Text("clusterName"),
            ["status"] = "CREATING",
            ["addonVersion"] = AddonVersion(known, cluster, input.Text("addonVersion")),
            ["health"] = new JsonObject { ["issues"] = new JsonArray() },
            ["addonArn"] = context.Arn("eks", $"addon/{key}/{Runtime.Ids.Uuid()}"),
            ["createdAt"] = Documents.Time(context.Now),
            ["modifiedAt"] = Documents.Time(context.Now),
            ["tags"] = input["tags"].Copy() ?? new JsonObject(),
            ["namespaceConfig"] = new JsonObject { ["namespace"] = input.Child("namespaceConfig")?.Text("namespace") ?? known.Namespace },
        }.Take(input, "serviceAccountRoleArn", "configurationValues");
        addon.With("podIdentityAssociations", OwnAssociations(context, addon, input));
        Addons(context).Put(key, addon);
        var end = context.Now + Durations.EksAddonTimeout;
        Runtime.After(Durations.EksAddonCreate, () => Settle(context, key, known, end, null));
        return new JsonObject { ["addon"] = addon };
    }

    /// <summary>Ends a creation or an update: a deployment waits for a node, and is degraded when none comes.</summary>
    private void Settle(RequestContext context, string key, EksAddon known, DateTimeOffset end, Action? done)
    {
        if (Addons(context).Get(key) is not { } addon || addon.Text("status") is not ("CREATING" or "UPDATING" or "DEGRADED"))
        {
            return;
        }
        var healthy = !known.IsDeployment || HasCapacity(context, addon.Required("clusterName"));
        var over = Runtime.Clock.Now >= end;
        if (healthy || over)
        {
            Addons(context).Update(key, document =>
            {
                document["status"] = healthy ? "ACTIVE" : "DEGRADED";
                document["health"] = new JsonObject
                {
                    ["issues"] = healthy ? new JsonArray() : new JsonArray(new JsonObject
                    {
                        ["code"] = "InsufficientNumberOfReplicas",
                        ["message"] = "The add-on is unhealthy because all deployments have all pods unscheduled no nodes available to schedule pods",
                        ["resourceIds"] = new JsonArray(),
                    }),
                };
            });
            done?.Invoke();
        }
        if (!healthy)
        {
            // It heals by itself as soon as there is a node.
            Runtime.After(TimeSpan.FromSeconds(30), () => Settle(context, key, known, end, over ? null : done));
        }
    }

    private JsonArray? OwnAssociations(RequestContext context, JsonObject addon, JsonObject input)
    {
        var made = input.Objects("podIdentityAssociations").Select(item => Associate(context, new JsonObject
        {
            ["clusterName"] = addon.Text("clusterName"),
            ["namespace"] = addon.Child("namespaceConfig")?.Text("namespace") ?? "kube-system",
            ["serviceAccount"] = item.Text("serviceAccount"),
            ["roleArn"] = item.Text("roleArn"),
        }, addon.Text("addonArn")).Required("associationArn")).ToList();
        return made.Count > 0 ? made.ToTextList() : null;
    }

    private JsonObject UpdateAddon(RequestContext context, JsonObject input)
    {
        var addon = Addon(context, input);
        var key = AddonKey(input);
        var cluster = ActiveCluster(context, input.Required("clusterName"));
        if (addon.Text("status") is "CREATING" or "UPDATING" or "DELETING")
        {
            throw InUse($"Addon {addon.Text("addonName")} cannot be updated as it is currently in {addon.Text("status")} state", input.Text("clusterName"));
        }
        var known = EksAddonCatalog.Find(addon.Required("addonName"))!;
        CheckAddonSettings(context, input);
        var version = input.Has("addonVersion") ? AddonVersion(known, cluster, input.Text("addonVersion")) : addon.Required("addonVersion");
        var parameters = new List<(string, string)> { ("AddonVersion", version) };
        foreach (var (member, name) in new[] { ("serviceAccountRoleArn", "ServiceAccountRoleArn"), ("resolveConflicts", "ResolveConflicts"), ("configurationValues", "ConfigurationValues") })
        {
            if (input.Text(member) is { } value)
            {
                parameters.Add((name, value));
            }
        }
        var update = NewUpdate(context, input.Required("clusterName"), "AddonUpdate", parameters, addon: known.Name);
        Addons(context).Update(key, document => document["status"] = "UPDATING");
        var end = context.Now + Durations.EksAddonTimeout;
        Runtime.After(Durations.EksAddonCreate, () =>
        {
            Addons(context).Update(key, document =>
            {
                document.Take(input, "serviceAccountRoleArn", "configurationValues");
                document["addonVersion"] = version;
                document["modifiedAt"] = Documents.Time(Runtime.Clock.Now);
            });
            if (input.Has("podIdentityAssociations"))
            {
                foreach (var owned in Associations(context).Where(item => item.Text("ownerArn") == addon.Text("addonArn")))
                {
                    Associations(context).Remove(owned.Required("associationId"));
                }
                var own = OwnAssociations(context, addon, input);
                Addons(context).Update(key, document => document["podIdentityAssociations"] = own ?? []);
            }
            Settle(context, key, known, end, () => EndUpdate(context, update));
        });
        return new JsonObject { ["update"] = update };
    }
}
