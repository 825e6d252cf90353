using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Runtime;

/// <summary>
/// The entities of one kind in one account and region: JSON documents in the API's output shape, in ordinal key order.
/// Members whose names begin with <c>_</c> are private to the service; the protocols never write them.
/// </summary>
/// <remarks>Thread-safe. What goes in and what comes out are copies, except where a method says otherwise.</remarks>
internal sealed class Collection
{
    private readonly SortedDictionary<string, JsonObject> documents = new(StringComparer.Ordinal);
    private readonly object gate = new();

    public int Count
    {
        get
        {
            lock (gate)
            {
                return documents.Count;
            }
        }
    }

    public bool Contains(string key)
    {
        lock (gate)
        {
            return documents.ContainsKey(key);
        }
    }

    public JsonObject? Get(string key)
    {
        lock (gate)
        {
            return documents.TryGetValue(key, out var document) ? Copy(document) : null;
        }
    }

    public bool TryGet(string key, [NotNullWhen(true)] out JsonObject? document) => (document = Get(key)) is not null;

    public IReadOnlyList<JsonObject> All()
    {
        lock (gate)
        {
            return documents.Values.Select(Copy).ToList();
        }
    }

    public IReadOnlyList<string> Keys()
    {
        lock (gate)
        {
            return documents.Keys.ToList();
        }
    }

    /// <summary>Copies of the documents that satisfy a condition; the condition sees the stored documents and must not change them.</summary>
    public IReadOnlyList<JsonObject> Where(Func<JsonObject, bool> condition)
    {
        lock (gate)
        {
            return documents.Values.Where(condition).Select(Copy).ToList();
        }
    }

    public JsonObject? Find(Func<JsonObject, bool> condition)
    {
        lock (gate)
        {
            foreach (var document in documents.Values)
            {
                if (condition(document))
                {
                    return Copy(document);
                }
            }
            return null;
        }
    }

    public bool Any(Func<JsonObject, bool> condition)
    {
        lock (gate)
        {
            return documents.Values.Any(condition);
        }
    }

    public void Put(string key, JsonObject document)
    {
        var copy = Copy(document);
        lock (gate)
        {
            documents[key] = copy;
        }
    }

    /// <summary>Adds the document unless the key is taken; says whether it was added.</summary>
    public bool TryAdd(string key, JsonObject document)
    {
        var copy = Copy(document);
        lock (gate)
        {
            return documents.TryAdd(key, copy);
        }
    }

    /// <summary>Changes the stored document in place, atomically; returns a copy of the result, or null when there is none.</summary>
    public JsonObject? Update(string key, Action<JsonObject> change)
    {
        lock (gate)
        {
            if (!documents.TryGetValue(key, out var document))
            {
                return null;
            }
            change(document);
            return Copy(document);
        }
    }

    public bool Remove(string key)
    {
        lock (gate)
        {
            return documents.Remove(key);
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            documents.Clear();
        }
    }

    /// <summary>Runs several operations on this collection as one; the lock may be taken again by the same thread.</summary>
    public T Lock<T>(Func<T> body)
    {
        lock (gate)
        {
            return body();
        }
    }

    public void Lock(Action body)
    {
        lock (gate)
        {
            body();
        }
    }

    private static JsonObject Copy(JsonObject document) => (JsonObject)document.DeepClone();
}
