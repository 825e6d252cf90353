using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>From a request to a cluster to its answer: who asks, what for, may they, what is it.</summary>
internal sealed partial class KubernetesApi(SandboxRuntime runtime, KubernetesCluster cluster, string name, Func<string> version, Kubelet kubelet, Func<string, (string User, IReadOnlyList<JsonObject> Policies)?> entryOf)
{
    private readonly ClusterObjects objects = cluster.Objects;

    /// <summary>Answers at once: in a sandbox with a journal everything happens on the thread that asked.</summary>
    public ServiceResponse Handle(ServiceRequest request)
    {
        try
        {
            return Answer(request);
        }
        catch (KubernetesFault fault)
        {
            return Write(fault.ToStatus(), fault.Code);
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or InvalidCastException)
        {
            // A document whose members are of other types than they should be.
            return Write(KubernetesFault.BadRequest("the object provided is unrecognized: " + e.Message).ToStatus(), 400);
        }
    }

    private ServiceResponse Answer(ServiceRequest request)
    {
        var path = request.RawPath.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToArray();
        if (path is ["healthz" or "livez" or "readyz", ..])
        {
            return Text("ok");
        }
        if (path is ["version"])
        {
            return Write(ApiDiscovery.Version(version()));
        }
        var identity = KubernetesIdentity.Of(runtime, name, entryOf, request);
        if (ApiDiscovery.Find(path) is { } discovered)
        {
            return request.Method == "GET" ? Write(discovered) : throw MethodNotAllowed();
        }
        if (path is ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] && request.Method == "POST")
        {
            return Write(Review(identity, Body(request)), 201);
        }
        var target = Target.Parse(path) ?? throw KubernetesFault.PageNotFound();
        var verb = Verb(request, target);
        if (!identity.May(verb, target.Kind, target.Space))
        {
            throw KubernetesFault.Forbidden(target.Kind, target.Name ?? "", identity.User, verb, target.Space);
        }
        if (target.Kind.Kind == "Node")
        {
            cluster.FollowNodes();
        }
        if (verb == "watch")
        {
            return Watch(target, request);
        }
        lock (objects.Gate)
        {
            return verb switch
            {
                "get" => Read(target, request),
                "list" => List(target, request),
                "create" => Create(target, request),
                "update" => Update(target, request),
                "patch" => Patch(target, request),
                "delete" => Delete(target, request),
                "deletecollection" => DeleteMany(target, request),
                _ => throw MethodNotAllowed(),
            };
        }
    }

    private static string Verb(ServiceRequest request, Target target) => (request.Method, target.Name) switch
    {
        ("GET", null) => request.QueryValue("watch") is "true" or "1" ? "watch" : "list",
        ("GET", _) => "get",
        ("POST", null) => "create",
        ("PUT", not null) => "update",
        ("PATCH", not null) => "patch",
        ("DELETE", not null) => "delete",
        ("DELETE", null) => "deletecollection",
        _ => throw MethodNotAllowed(),
    };

    private ServiceResponse Read(Target target, ServiceRequest request)
    {
        var found = Find(target);
        if (target.Part == "log")
        {
            return Log(found, request);
        }
        return target.Part switch
        {
            null when Tables.IsWanted(request.Header("accept")) => Write(Tables.Of(target.Kind, [found], new JsonObject { ["resourceVersion"] = found.Child("metadata")!.Text("resourceVersion") }, runtime.Clock.Now)),
            null or "status" => Write(found),
            "scale" when target.Kind.HasScale => Write(Scale(target.Kind, found)),
            _ => throw KubernetesFault.PageNotFound(),
        };
    }

    private ServiceResponse Log(JsonObject pod, ServiceRequest request)
    {
        var containers = pod.Child("spec")!.Objects("containers").ToList();
        var wanted = request.QueryValue("container");
        var container = wanted is null ? containers.Count == 1 ? containers[0]
                : throw KubernetesFault.BadRequest($"a container name must be specified for pod {pod.Child("metadata")!.Text("name")}, choose one of: [{string.Join(' ', containers.Select(item => item.Text("name")))}]")
            : containers.Find(item => item.Text("name") == wanted) ?? throw KubernetesFault.BadRequest($"container {wanted} is not valid for pod {pod.Child("metadata")!.Text("name")}");
        var lines = kubelet.Log(pod, container);
        var tail = int.TryParse(request.QueryValue("tailLines"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : lines.Count;
        return Text(string.Concat(lines.Skip(Math.Max(0, lines.Count - tail)).Select(line => line + "\n")));
    }

    private ServiceResponse List(Target target, ServiceRequest request)
    {
        var matches = Selected(request);
        var all = objects.List(target.Kind, target.Space).Where(matches).ToList();
        var after = Continuation(request.QueryValue("continue"));
        var rest = after is null ? all : all.Where(item => string.CompareOrdinal(Key(item), after) > 0).ToList();
        var limit = int.TryParse(request.QueryValue("limit"), NumberStyles.None, CultureInfo.InvariantCulture, out var most) && most > 0 ? most : int.MaxValue;
        var page = rest.Take(limit).ToList();
        var metadata = new JsonObject { ["resourceVersion"] = objects.Version.ToString(CultureInfo.InvariantCulture) };
        if (page.Count < rest.Count)
        {
            metadata["continue"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(Key(page[^1])));
            metadata["remainingItemCount"] = rest.Count - page.Count;
        }
        if (Tables.IsWanted(request.Header("accept")))
        {
            return Write(Tables.Of(target.Kind, page, metadata, runtime.Clock.Now));
        }
        return Write(new JsonObject { ["kind"] = target.Kind.Kind + "List", ["apiVersion"] = target.Kind.ApiVersion, ["metadata"] = metadata, ["items"] = page.Select(item => item.Copy()!).ToJsonList() });
    }

    private static string Key(JsonObject document) => $"{document.Child("metadata")!.Text("namespace")}\u0001{document.Child("metadata")!.Text("name")}";

    private static string? Continuation(string? token)
    {
        try
        {
            return string.IsNullOrEmpty(token) ? null : Encoding.UTF8.GetString(Convert.FromBase64String(token));
        }
        catch (FormatException)
        {
            throw KubernetesFault.BadRequest("continue key is not valid");
        }
    }

    private static Func<JsonObject, bool> Selected(ServiceRequest request)
    {
        var (labels, fields) = (Selectors.Labels(request.QueryValue("labelSelector")), Selectors.Fields(request.QueryValue("fieldSelector")));
        return document => labels(document) && fields(document);
    }

    private ServiceResponse Watch(Target target, ServiceRequest request)
    {
        var matches = Selected(request);
        var since = request.QueryValue("resourceVersion") is { Length: > 0 } text && text != "0"
            ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw KubernetesFault.BadRequest($"invalid resource version \"{text}\"")
            : (long?)null;
        var lifetime = int.TryParse(request.QueryValue("timeoutSeconds"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : TimeSpan.FromMinutes(30);
        System.Threading.Channels.Channel<ClusterChange> channel;
        List<JsonObject> first;
        lock (objects.Gate)
        {
            first = since is null ? objects.List(target.Kind, target.Space).Where(matches).ToList() : [];
            channel = objects.Watch(since ?? objects.Version);
        }
        var table = Tables.IsWanted(request.Header("accept"));
        JsonObject Shown(JsonObject document) => table ? Tables.Of(target.Kind, [document], [], runtime.Clock.Now) : Public(document);
        bool Wanted(JsonObject? document) => document is not null && (target.Space is null || document.Child("metadata")!.Text("namespace") == target.Space) && matches(document);

        return new ServiceResponse
        {
            Headers = { ["Content-Type"] = "application/json" },
            Streaming = async (stream, connection) =>
            {
                using var ending = CancellationTokenSource.CreateLinkedTokenSource(connection, runtime.Stopping);
                ending.CancelAfter(lifetime);
                try
                {
                    foreach (var document in first)
                    {
                        await Tell(stream, "ADDED", Shown(document), ending.Token).ConfigureAwait(false);
                    }
                    await foreach (var change in channel.Reader.ReadAllAsync(ending.Token).ConfigureAwait(false))
                    {
                        if (change.Kind != target.Kind)
                        {
                            continue;
                        }
                        var (was, now) = (Wanted(change.Before), change.Type != "DELETED" && Wanted(change.Document));
                        if (was || now)
                        {
                            await Tell(stream, was && now ? "MODIFIED" : now ? "ADDED" : "DELETED", Shown(change.Document), ending.Token).ConfigureAwait(false);
                        }
                    }
                }
                catch (OperationCanceledException) when (!connection.IsCancellationRequested)
                {
                    // Its time is over; the client watches again from the last version it saw.
                }
                finally
                {
                    lock (objects.Gate)
                    {
                        objects.Unwatch(channel);
                    }
                }
            },
        };
    }

    private static ValueTask Tell(Stream stream, string type, JsonObject document, CancellationToken cancellationToken)
    {
        var line = new JsonObject { ["type"] = type, ["object"] = document };
        return stream.WriteAsync(Encoding.UTF8.GetBytes(line.ToJsonString() + "\n"), cancellationToken);
    }

    private static JsonObject Scale(KubernetesKind kind, JsonObject document) => new()
    {
        ["kind"] = "Scale", ["apiVersion"] = "autoscaling/v1",
        ["metadata"] = document.Child("metadata")!.Pick("name", "namespace", "uid", "resourceVersion", "creationTimestamp"),
        ["spec"] = new JsonObject { ["replicas"] = document.Child("spec")!["replicas"].Copy() ?? 0 },
        ["status"] = new JsonObject
        {
            ["replicas"] = document.Child("status")?["replicas"].Copy() ?? 0,
            ["selector"] = string.Join(',', (document.Child("spec")!.Child("selector")?.Child("matchLabels") ?? []).Select(pair => $"{pair.Key}={pair.Value}")),
        },
    };

    private JsonObject Find(Target target) => objects.Find(target.Kind, target.Space ?? "", target.Name!) ?? throw KubernetesFault.NotFound(target.Kind, target.Name!);

    private static JsonObject Review(KubernetesIdentity identity, JsonObject review)
    {
        var asked = review.Child("spec")?.Child("resourceAttributes");
        var kind = KubernetesKind.All.FirstOrDefault(item => item.Name == asked?.Text("resource") && (asked?.Text("group") is null || item.Group == asked.Text("group")));
        var answer = review.Copy()!;
        answer["status"] = new JsonObject { ["allowed"] = asked is not null && kind is not null && identity.May(asked.Text("verb") ?? "get", kind, asked.Text("namespace") is { Length: > 0 } space ? space : null) };
        return answer;
    }

    private static JsonObject Body(ServiceRequest request)
    {
        if (request.Header("content-type") is { } type && !type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new KubernetesFault(415, "UnsupportedMediaType", $"the body of the request was in an unknown format - accepted media types include: application/json (got {type})");
        }
        try
        {
            return JsonNode.Parse(request.Body.Span) as JsonObject ?? throw KubernetesFault.BadRequest("the object provided is unrecognized (must be of type Object)");
        }
        catch (JsonException e)
        {
            throw KubernetesFault.BadRequest("couldn't get version/kind; json parse error: " + e.Message);
        }
    }

    private static KubernetesFault MethodNotAllowed() => new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");

    private static ServiceResponse Write(JsonObject document, int status = 200) => new()
    {
        Status = status,
        Headers = { ["Content-Type"] = "application/json", ["Cache-Control"] = "no-cache, private" },
        Body = Encoding.UTF8.GetBytes(Public(document).ToJsonString()),
    };

    private static ServiceResponse Text(string text) => new() { Headers = { ["Content-Type"] = "text/plain" }, Body = Encoding.UTF8.GetBytes(text) };

    /// <summary>A document without the members that are the sandbox's own.</summary>
    private static JsonObject Public(JsonObject document)
    {
        var copy = document.Copy()!;
        foreach (var condition in copy.Child("status")?.Objects("conditions") ?? [])
        {
            condition.Remove("_set");
        }
        foreach (var condition in copy.Objects("items").SelectMany(item => item.Child("status")?.Objects("conditions") ?? []))
        {
            condition.Remove("_set");
        }
        return copy;
    }

    /// <summary>What a path names.</summary>
    private sealed record Target(KubernetesKind Kind, string? Space, string? Name, string? Part)
    {
        public static Target? Parse(string[] path)
        {
            var (group, at) = path switch
            {
                ["api", "v1", ..] => ("", 2),
                ["apis", var named, _, ..] => (named, 3),
                _ => ("", -1),
            };
            if (at < 0 || path.Length <= at)
            {
                return null;
            }
            string? space = null;
            if (path[at] == "namespaces" && path.Length > at + 2 && path[at + 2] is not ("status" or "finalize"))
            {
                space = path[at + 1];
                at += 2;
            }
            var rest = path[at..];
            var kind = KubernetesKind.All.FirstOrDefault(item => item.Group == group && item.Name == rest[0] && (group.Length == 0 || item.Version == path[2]));
            return kind is null || rest.Length > 3 || (kind.IsNamespaced ? space is null && rest.Length > 1 : space is not null)
                ? null
                : new Target(kind, space, rest.ElementAtOrDefault(1), rest.ElementAtOrDefault(2));
        }
    }
}
