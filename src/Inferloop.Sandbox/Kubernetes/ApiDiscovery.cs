using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>What a client learns about the API from the API: groups, kinds, and as much of a schema as kubectl asks for.</summary>
internal static class ApiDiscovery
{
    private static readonly string[] Verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    public static JsonObject Version(string version)
    {
        var minor = version.Split('.').ElementAtOrDefault(1) ?? "0";
        return new JsonObject
        {
            ["major"] = "1", ["minor"] = minor, ["gitVersion"] = $"v{version}.0-eks-sandbox", ["gitCommit"] = "", ["gitTreeState"] = "clean", ["buildDate"] = "1970-01-01T00:00:00Z",
            ["goVersion"] = "", ["compiler"] = "", ["platform"] = "linux/amd64",
        };
    }

    /// <summary>The document of a path; null when the path is not one of discovery.</summary>
    public static JsonObject? Find(string[] path) => path switch
    {
        ["api"] => new JsonObject { ["kind"] = "APIVersions", ["versions"] = new JsonArray("v1"), ["serverAddressByClientCIDRs"] = new JsonArray() },
        ["apis"] => new JsonObject { ["kind"] = "APIGroupList", ["apiVersion"] = "v1", ["groups"] = Groups().Select(Group).ToJsonList() },
        ["api", "v1"] => Resources("", "v1"),
        ["apis", var group] when Groups().Any(item => item.Group == group) => Group(Groups().First(item => item.Group == group)),
        ["apis", var group, var version] when Groups().Contains((group, version)) => Resources(group, version),
        ["openapi", "v3"] => OpenApi(),
        ["openapi", "v3", "api", "v1"] => Schema("", "v1"),
        ["openapi", "v3", "apis", var group, var version] when Groups().Contains((group, version)) => Schema(group, version),
        _ => null,
    };

    private static IEnumerable<(string Group, string Version)> Groups() => KubernetesKind.All.Where(kind => kind.Group.Length > 0).Select(kind => (kind.Group, kind.Version)).Append(("authorization.k8s.io", "v1")).Distinct();

    private static JsonObject Group((string Group, string Version) item)
    {
        var version = new JsonObject { ["groupVersion"] = $"{item.Group}/{item.Version}", ["version"] = item.Version };
        return new JsonObject { ["kind"] = "APIGroup", ["apiVersion"] = "v1", ["name"] = item.Group, ["versions"] = new JsonArray(version), ["preferredVersion"] = version.Copy() };
    }

    private static JsonObject Resources(string group, string version)
    {
        var resources = new JsonArray();
        foreach (var kind in KubernetesKind.All.Where(kind => kind.Group == group && kind.Version == version))
        {
            resources.Add((JsonNode)Resource(kind, kind.Name, kind.Kind, Verbs).With("shortNames", kind.ShortNames.Length == 0 ? null : kind.ShortNames.ToTextList()));
            if (kind.HasStatus)
            {
                resources.Add((JsonNode)Resource(kind, kind.Name + "/status", kind.Kind, ["get", "patch", "update"]));
            }
            if (kind.HasScale)
            {
                resources.Add((JsonNode)Resource(kind, kind.Name + "/scale", "Scale", ["get", "patch", "update"]).With("group", "autoscaling").With("version", "v1"));
            }
            if (kind.Kind == "Pod")
            {
                resources.Add((JsonNode)Resource(kind, "pods/log", "Pod", ["get"]));
            }
        }
        if (group == "authorization.k8s.io")
        {
            resources.Add((JsonNode)new JsonObject { ["name"] = "selfsubjectaccessreviews", ["singularName"] = "selfsubjectaccessreview", ["namespaced"] = false, ["kind"] = "SelfSubjectAccessReview", ["verbs"] = new JsonArray("create") });
        }
        return new JsonObject { ["kind"] = "APIResourceList", ["apiVersion"] = "v1", ["groupVersion"] = group.Length == 0 ? version : $"{group}/{version}", ["resources"] = resources };
    }

    private static JsonObject Resource(KubernetesKind kind, string name, string produces, string[] verbs) => new()
    {
        ["name"] = name, ["singularName"] = name.Contains('/', StringComparison.Ordinal) ? "" : kind.Kind.ToLowerInvariant(), ["namespaced"] = kind.IsNamespaced, ["kind"] = produces, ["verbs"] = verbs.ToTextList(),
    };

    private static JsonObject OpenApi()
    {
        var paths = new JsonObject { ["api/v1"] = new JsonObject { ["serverRelativeURL"] = "/openapi/v3/api/v1" } };
        foreach (var (group, version) in Groups())
        {
            paths[$"apis/{group}/{version}"] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/apis/{group}/{version}" };
        }
        return new JsonObject { ["paths"] = paths };
    }

    /// <summary>Which kinds there are and that the server itself looks at what it is sent; of their members nothing is told.</summary>
    private static JsonObject Schema(string group, string version)
    {
        var (paths, schemas) = (new JsonObject(), new JsonObject());
        foreach (var kind in KubernetesKind.All.Where(kind => kind.Group == group && kind.Version == version))
        {
            var named = new JsonObject { ["group"] = group, ["version"] = version, ["kind"] = kind.Kind };
            var root = group.Length == 0 ? "/api/" + version : $"/apis/{group}/{version}";
            paths[$"{root}/{(kind.IsNamespaced ? "namespaces/{namespace}/" : "")}{kind.Name}/{{name}}"] = new JsonObject
            {
                ["patch"] = new JsonObject
                {
                    ["x-kubernetes-action"] = "patch", ["x-kubernetes-group-version-kind"] = named.Copy(),
                    ["parameters"] = new JsonArray(
                        new JsonObject { ["name"] = "fieldValidation", ["in"] = "query", ["schema"] = new JsonObject { ["type"] = "string" } },
                        new JsonObject { ["name"] = "dryRun", ["in"] = "query", ["schema"] = new JsonObject { ["type"] = "string" } }),
                    ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
                },
            };
            schemas[$"{(group.Length == 0 ? "core" : group)}.{version}.{kind.Kind}"] = new JsonObject
            {
                ["type"] = "object", ["x-kubernetes-group-version-kind"] = new JsonArray(named), ["x-kubernetes-preserve-unknown-fields"] = true,
            };
        }
        return new JsonObject
        {
            ["openapi"] = "3.0.0", ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = version }, ["paths"] = paths, ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }
}
