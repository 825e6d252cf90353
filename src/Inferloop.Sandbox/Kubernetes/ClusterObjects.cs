using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>What became of an object.</summary>
/// <param name="Type">ADDED, MODIFIED or DELETED.</param>
/// <param name="Kind">The kind of it.</param>
/// <param name="Document">The object after it; the last of it where it is gone. Not to be changed.</param>
/// <param name="Before">The object before it; null where it is new. Not to be changed.</param>
/// <param name="Version">The version of the cluster's state that this made.</param>
internal sealed record ClusterChange(string Type, KubernetesKind Kind, JsonObject Document, JsonObject? Before, long Version);

/// <summary>The objects of one cluster, each change with its version, as etcd keeps them.</summary>
/// <remarks>
/// Not thread-safe: whoever reads or writes holds <see cref="Gate"/>. Documents are never changed in place: a change puts another document, so
/// that what was handed out stays what it was.
/// </remarks>
internal sealed class ClusterObjects(SandboxClock clock, Ids ids)
{
    /// <summary>Changes kept for watches that begin at an older version; a version older than these has expired.</summary>
    private const int MaximumHistory = 4096;

    private readonly SortedDictionary<(string Kind, string Space, string Name), JsonObject> documents = new(Comparer<(string Kind, string Space, string Name)>.Create(static (left, right) =>
    {
        var order = string.CompareOrdinal(left.Kind, right.Kind);
        order = order != 0 ? order : string.CompareOrdinal(left.Space, right.Space);
        return order != 0 ? order : string.CompareOrdinal(left.Name, right.Name);
    }));

    private readonly Queue<ClusterChange> history = new();
    private readonly HashSet<Channel<ClusterChange>> watchers = [];

    /// <summary>Held by whoever reads or writes.</summary>
    public object Gate { get; } = new();

    /// <summary>The version of the state.</summary>
    public long Version { get; private set; } = 1;

    /// <summary>Told of every change, under the gate.</summary>
    public event Action<ClusterChange>? Changed;

    /// <summary>The time as documents have it.</summary>
    public string Now => clock.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public JsonObject? Find(KubernetesKind kind, string space, string name) => documents.GetValueOrDefault((kind.Kind, space, name));

    /// <summary>The objects of a kind, in the order of their names; of one namespace, or of all.</summary>
    public IEnumerable<JsonObject> List(KubernetesKind kind, string? space = null) => documents
        .Where(pair => pair.Key.Kind == kind.Kind && (space is null || pair.Key.Space == space)).Select(pair => pair.Value);

    /// <summary>Adds an object; it gets its uid, its time and its version.</summary>
    public JsonObject Add(KubernetesKind kind, JsonObject document)
    {
        var added = document.Copy()!;
        var metadata = added.ChildOrNew("metadata");
        metadata["uid"] = ids.Uuid();
        metadata["creationTimestamp"] = Now;
        if (kind.HasGeneration)
        {
            metadata["generation"] = 1;
        }
        added["apiVersion"] = kind.ApiVersion;
        added["kind"] = kind.Kind;
        return Put(kind, added, null);
    }

    /// <summary>Puts another version of an object in the place of what is there; nothing happens when nothing differs.</summary>
    public JsonObject Replace(KubernetesKind kind, JsonObject before, JsonObject document)
    {
        var next = document.Copy()!;
        next.ChildOrNew("metadata")["resourceVersion"] = before.Child("metadata")!["resourceVersion"].Copy();
        if (kind.HasGeneration && !JsonNode.DeepEquals(before["spec"], next["spec"]))
        {
            next.Child("metadata")!["generation"] = (before.Child("metadata")!.Long("generation") ?? 0) + 1;
        }
        return JsonNode.DeepEquals(before, next) ? before : Put(kind, next, before);
    }

    /// <summary>Changes an object that is there; the action gets a copy.</summary>
    public JsonObject Change(KubernetesKind kind, JsonObject before, Action<JsonObject> change)
    {
        var next = before.Copy()!;
        change(next);
        return Replace(kind, before, next);
    }

    /// <summary>Takes an object away.</summary>
    public void Remove(KubernetesKind kind, JsonObject document)
    {
        var metadata = document.Child("metadata")!;
        if (documents.Remove((kind.Kind, metadata.Text("namespace") ?? "", metadata.Required("name")), out var last))
        {
            Version++;
            var gone = last.Copy()!;
            gone.Child("metadata")!["resourceVersion"] = Version.ToString(CultureInfo.InvariantCulture);
            Tell(new ClusterChange("DELETED", kind, gone, last, Version));
        }
    }

    /// <summary>Follows the changes after a version; what has happened since is in the channel already.</summary>
    public Channel<ClusterChange> Watch(long since)
    {
        if (since < Version && history.Count == MaximumHistory && history.Peek().Version > since + 1)
        {
            throw new KubernetesFault(410, "Expired", $"too old resource version: {since} ({history.Peek().Version})");
        }
        var channel = Channel.CreateUnbounded<ClusterChange>(new UnboundedChannelOptions { SingleReader = true });
        foreach (var change in history.Where(change => change.Version > since))
        {
            channel.Writer.TryWrite(change);
        }
        watchers.Add(channel);
        return channel;
    }

    public void Unwatch(Channel<ClusterChange> channel) => watchers.Remove(channel);

    /// <summary>Ends every watch.</summary>
    public void Complete()
    {
        foreach (var watcher in watchers)
        {
            watcher.Writer.TryComplete();
        }
        watchers.Clear();
    }

    private JsonObject Put(KubernetesKind kind, JsonObject document, JsonObject? before)
    {
        Version++;
        var metadata = document.Child("metadata")!;
        metadata["resourceVersion"] = Version.ToString(CultureInfo.InvariantCulture);
        documents[(kind.Kind, metadata.Text("namespace") ?? "", metadata.Required("name"))] = document;
        Tell(new ClusterChange(before is null ? "ADDED" : "MODIFIED", kind, document, before, Version));
        return document;
    }

    private void Tell(ClusterChange change)
    {
        history.Enqueue(change);
        if (history.Count > MaximumHistory)
        {
            history.Dequeue();
        }
        foreach (var watcher in watchers)
        {
            watcher.Writer.TryWrite(change);
        }
        Changed?.Invoke(change);
    }
}
