using System.Collections.Concurrent;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>The stacks of one account and region.</summary>
internal sealed class StackStore
{
    private readonly ConcurrentDictionary<string, StackRecord> byId = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, StackRecord> liveByName = new(StringComparer.Ordinal);
    private readonly object gate = new();

    /// <summary>All stacks, deleted ones too, newest first.</summary>
    public IReadOnlyList<StackRecord> All => byId.Values.OrderByDescending(stack => stack.Created).ThenBy(stack => stack.Id, StringComparer.Ordinal).ToList();

    /// <summary>A stack by name (live ones) or id (deleted ones too).</summary>
    public StackRecord? Find(string nameOrId) => nameOrId.StartsWith("arn:", StringComparison.Ordinal)
        ? byId.GetValueOrDefault(nameOrId)
        : liveByName.GetValueOrDefault(nameOrId);

    /// <summary>Adds a stack unless a live one has its name.</summary>
    public bool TryAdd(StackRecord stack)
    {
        lock (gate)
        {
            if (!liveByName.TryAdd(stack.Name, stack))
            {
                return false;
            }
            byId[stack.Id] = stack;
            return true;
        }
    }

    /// <summary>Frees the name of a stack that has been deleted; it is still found by its id.</summary>
    public void Release(StackRecord stack)
    {
        lock (gate)
        {
            if (liveByName.TryGetValue(stack.Name, out var live) && ReferenceEquals(live, stack))
            {
                liveByName.TryRemove(stack.Name, out _);
            }
        }
    }

    /// <summary>Removes a stack without a trace: one under review whose change set was deleted.</summary>
    public void Forget(StackRecord stack)
    {
        Release(stack);
        byId.TryRemove(stack.Id, out _);
    }

    public static string NewStackId(RequestContext context, string name) => context.Arn("cloudformation", $"stack/{name}/{context.Runtime.Ids.Uuid()}");

    public (StackRecord Stack, Templates.EvaluatedOutput Output)? FindExport(string name)
    {
        foreach (var stack in liveByName.Values)
        {
            foreach (var output in stack.Outputs)
            {
                if (output.ExportName == name)
                {
                    return (stack, output);
                }
            }
        }
        return null;
    }

    /// <summary>The live stacks that import a name.</summary>
    public IReadOnlyList<StackRecord> Importers(string exportName) => liveByName.Values
        .Where(stack => stack.Imports.Contains(exportName))
        .OrderBy(stack => stack.Name, StringComparer.Ordinal)
        .ToList();
}
