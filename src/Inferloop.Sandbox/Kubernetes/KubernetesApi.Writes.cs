using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>Creating, changing and deleting. All of it under the gate.</summary>
internal sealed partial class KubernetesApi
{
    private static bool IsDry(ServiceRequest request) => request.QueryValue("dryRun") == "All";

    private ServiceResponse Create(Target target, ServiceRequest request)
    {
        var document = Body(request);
        RequireKind(target.Kind, document);
        var metadata = document.ChildOrNew("metadata");
        if (target.Space is { } space)
        {
            if (metadata.Text("namespace") is { Length: > 0 } named && named != space)
            {
                throw KubernetesFault.BadRequest($"the namespace of the provided object does not match the namespace sent on the request");
            }
            metadata["namespace"] = space;
            RequireNamespace(space);
        }
        else
        {
            metadata.Remove("namespace");
        }
        if (metadata.Text("name") is not { Length: > 0 } && metadata.Text("generateName") is { Length: > 0 } prefix)
        {
            metadata["name"] = prefix + runtime.Ids.Hex(5);
        }
        document.Remove("status");
        metadata.Remove("resourceVersion");
        metadata.Remove("uid");
        ObjectRules.Complete(target.Kind, document);
        ObjectRules.Check(target.Kind, document, null);
        var own = metadata.Required("name");
        if (objects.Find(target.Kind, target.Space ?? "", own) is not null)
        {
            throw KubernetesFault.AlreadyExists(target.Kind, own);
        }
        if (IsDry(request))
        {
            metadata["uid"] = runtime.Ids.Uuid();
            metadata["creationTimestamp"] = objects.Now;
            return Write(document, 201);
        }
        return Write(objects.Add(target.Kind, document), 201);
    }

    private ServiceResponse Update(Target target, ServiceRequest request)
    {
        var before = Find(target);
        var document = Body(request);
        if (target.Part == "scale" && target.Kind.HasScale)
        {
            RequireVersion(target.Kind, before, document);
            return Write(Scale(target.Kind, SetReplicas(target, before, document.Child("spec")?.Long("replicas"), request)));
        }
        RequireKind(target.Kind, document);
        return Write(Store(target, before, document, request));
    }

    private ServiceResponse Patch(Target target, ServiceRequest request)
    {
        var before = Find(target);
        var type = request.Header("content-type");
        if (target.Part == "scale" && target.Kind.HasScale)
        {
            var scale = Patches.Apply(Scale(target.Kind, before), type, request.Body);
            return Write(Scale(target.Kind, SetReplicas(target, before, scale.Child("spec")?.Long("replicas"), request)));
        }
        return Write(Store(target, before, Patches.Apply(before, type, request.Body), request));
    }

    private JsonObject SetReplicas(Target target, JsonObject before, long? replicas, ServiceRequest request)
    {
        var document = before.Copy()!;
        document.Child("spec")!["replicas"] = replicas ?? throw KubernetesFault.Invalid(target.Kind, target.Name!, "spec.replicas", "Required value");
        return Store(target with { Part = null }, before, document, request);
    }

    /// <summary>Puts a changed document in the place of what is there: status alone, or all but status.</summary>
    private JsonObject Store(Target target, JsonObject before, JsonObject document, ServiceRequest request)
    {
        RequireVersion(target.Kind, before, document);
        var kept = before.Child("metadata")!;
        var metadata = document.ChildOrNew("metadata");
        if ((metadata.Text("name") ?? target.Name) != target.Name)
        {
            throw KubernetesFault.BadRequest($"the name of the object ({metadata.Text("name")}) does not match the name on the URL ({target.Name})");
        }
        foreach (var member in new[] { "name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds" })
        {
            metadata.Remove(member);
            metadata.With(member, kept[member].Copy());
        }
        JsonObject next;
        switch (target.Part)
        {
            case null:
                next = document.Copy()!;
                next.Remove("status");
                next.With("status", before["status"].Copy());
                break;
            case "status" when target.Kind.HasStatus:
                next = before.Copy()!;
                next["status"] = document["status"].Copy();
                break;
            default:
                throw KubernetesFault.PageNotFound();
        }
        next["apiVersion"] = target.Kind.ApiVersion;
        next["kind"] = target.Kind.Kind;
        if (target.Kind.Kind == "Service" && next.Child("spec")?.Has("clusterIP") == false)
        {
            next.Child("spec")!.Take(before.Child("spec")!, "clusterIP", "clusterIPs");
        }
        ObjectRules.Complete(target.Kind, next);
        ObjectRules.Check(target.Kind, next, before);
        return IsDry(request) ? next : objects.Replace(target.Kind, before, next);
    }

    private ServiceResponse Delete(Target target, ServiceRequest request)
    {
        if (target.Part is not null)
        {
            throw MethodNotAllowed();
        }
        var found = Find(target);
        var options = request.Body.IsEmpty ? null : JsonNode.Parse(request.Body.Span) as JsonObject;
        if (options?.Child("preconditions")?.Text("uid") is { } uid && uid != found.Child("metadata")!.Text("uid"))
        {
            throw KubernetesFault.Conflict(target.Kind, target.Name!);
        }
        if (!IsDry(request))
        {
            Remove(target.Kind, found, options?.Text("propagationPolicy") ?? request.QueryValue("propagationPolicy"), options?.Long("gracePeriodSeconds"));
        }
        return Write(target.Kind.Kind == "Pod" ? found : new JsonObject
        {
            ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success",
            ["details"] = new JsonObject { ["name"] = target.Name, ["kind"] = target.Kind.Name, ["uid"] = found.Child("metadata")!.Text("uid") }.With("group", target.Kind.Group.Length == 0 ? null : JsonValue.Create(target.Kind.Group)),
        });
    }

    private ServiceResponse DeleteMany(Target target, ServiceRequest request)
    {
        var found = objects.List(target.Kind, target.Space).Where(Selected(request)).ToList();
        if (!IsDry(request))
        {
            foreach (var document in found)
            {
                Remove(target.Kind, document, request.QueryValue("propagationPolicy"), null);
            }
        }
        return Write(new JsonObject { ["kind"] = target.Kind.Kind + "List", ["apiVersion"] = target.Kind.ApiVersion, ["metadata"] = new JsonObject(), ["items"] = found.Select(item => item.Copy()!).ToJsonList() });
    }

    private void Remove(KubernetesKind kind, JsonObject document, string? propagation, long? grace)
    {
        var own = document.Child("metadata")!;
        switch (kind.Kind)
        {
            case "Pod":
                kubelet.Stop(document, grace);
                return;
            case "Namespace" when own.Text("name") is "default" or "kube-system" or "kube-public":
                throw new KubernetesFault(403, "Forbidden", $"namespaces \"{own.Text("name")}\" is forbidden: this namespace may not be deleted");
            case "Namespace":
                foreach (var inner in KubernetesKind.All.Where(item => item.IsNamespaced && item.Kind != "Pod").Append(KubernetesKind.Pods))
                {
                    foreach (var held in objects.List(inner, own.Text("name")).ToList())
                    {
                        // Its pods go with their processes: nobody waits for them to end.
                        objects.Remove(inner, held);
                    }
                }
                break;
            case "Deployment" or "ReplicaSet" when propagation == "Orphan":
                foreach (var orphan in new[] { KubernetesKind.ReplicaSets, KubernetesKind.Pods })
                {
                    foreach (var left in objects.List(orphan, own.Text("namespace")).Where(item => item.Child("metadata")!.Objects("ownerReferences").Any(owner => owner.Text("uid") == own.Text("uid"))).ToList())
                    {
                        objects.Change(orphan, left, item => item.Child("metadata")!.Remove("ownerReferences"));
                    }
                }
                break;
        }
        objects.Remove(kind, document);
    }

    private static void RequireKind(KubernetesKind kind, JsonObject document)
    {
        if (document.Text("kind") is { } told && (told != kind.Kind || (document.Text("apiVersion") ?? kind.ApiVersion) != kind.ApiVersion))
        {
            throw KubernetesFault.BadRequest($"{told} in version \"{document.Text("apiVersion")}\" cannot be handled as a {kind.Kind}: no kind \"{told}\" is registered for this path");
        }
    }

    private static void RequireVersion(KubernetesKind kind, JsonObject before, JsonObject document)
    {
        var sent = document.Child("metadata")?.Text("resourceVersion");
        if (sent is { Length: > 0 } && sent != before.Child("metadata")!.Text("resourceVersion"))
        {
            throw KubernetesFault.Conflict(kind, before.Child("metadata")!.Required("name"));
        }
    }

    private void RequireNamespace(string space)
    {
        if (objects.Find(KubernetesKind.Namespaces, "", space) is null)
        {
            throw KubernetesFault.NotFound(KubernetesKind.Namespaces, space);
        }
    }
}
