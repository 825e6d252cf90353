using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>An error that the Kubernetes API tells its client as a Status object.</summary>
internal sealed class KubernetesFault(int code, string reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code { get; } = code;

    public string Reason { get; } = reason;

    public static KubernetesFault NotFound(KubernetesKind kind, string name) =>
        new(404, "NotFound", $"{Plural(kind)} \"{name}\" not found", Details(kind, name));

    public static KubernetesFault AlreadyExists(KubernetesKind kind, string name) =>
        new(409, "AlreadyExists", $"{Plural(kind)} \"{name}\" already exists", Details(kind, name));

    public static KubernetesFault Conflict(KubernetesKind kind, string name) => new(
        409, "Conflict", $"Operation cannot be fulfilled on {Plural(kind)} \"{name}\": the object has been modified; please apply your changes to the latest version and try again", Details(kind, name));

    /// <summary>A document that breaks a rule.</summary>
    public static KubernetesFault Invalid(KubernetesKind kind, string name, string field, string message)
    {
        var details = Details(kind, name);
        details["kind"] = kind.Kind;
        details["causes"] = new JsonArray(new JsonObject { ["reason"] = "FieldValueInvalid", ["message"] = message, ["field"] = field });
        var type = kind.Group.Length == 0 ? kind.Kind : $"{kind.Kind}.{kind.Group}";
        return new KubernetesFault(422, "Invalid", $"{type} \"{name}\" is invalid: {field}: {message}", details);
    }

    public static KubernetesFault BadRequest(string message) => new(400, "BadRequest", message);

    public static KubernetesFault Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static KubernetesFault PageNotFound() => new(404, "NotFound", "the server could not find the requested resource");

    public static KubernetesFault Forbidden(KubernetesKind kind, string name, string user, string verb, string? space)
    {
        var subject = kind.Group.Length == 0 ? $"resource \"{kind.Name}\" in API group \"\"" : $"resource \"{kind.Name}\" in API group \"{kind.Group}\"";
        var where = space is null ? " at the cluster scope" : $" in the namespace \"{space}\"";
        var what = name.Length == 0 ? $"{Plural(kind)} is forbidden" : $"{Plural(kind)} \"{name}\" is forbidden";
        return new KubernetesFault(403, "Forbidden", $"{what}: User \"{user}\" cannot {verb} {subject}{where}", Details(kind, name));
    }

    /// <summary>The object that clients read.</summary>
    public JsonObject ToStatus()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Failure", ["message"] = Message, ["reason"] = Reason, ["code"] = Code,
        };
        if (details is not null)
        {
            status["details"] = details.DeepClone();
        }
        return status;
    }

    private static string Plural(KubernetesKind kind) => kind.Group.Length == 0 ? kind.Name : $"{kind.Name}.{kind.Group}";

    private static JsonObject Details(KubernetesKind kind, string name)
    {
        var details = new JsonObject { ["name"] = name, ["kind"] = kind.Name };
        if (kind.Group.Length > 0)
        {
            details["group"] = kind.Group;
        }
        return details;
    }
}
