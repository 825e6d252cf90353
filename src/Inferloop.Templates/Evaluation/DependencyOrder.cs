namespace Inferloop.Templates;

/// <summary>A resource waiting for others.</summary>
internal sealed record DependencyNode(TemplateResource Resource, IReadOnlyList<ResourceReference> References, IReadOnlyList<ParameterReference> ParameterReferences, IReadOnlyList<string> DependsOn);

/// <summary>Orders resources so that each comes after what it depends on, otherwise as in the template; finds cycles.</summary>
internal static class DependencyOrder
{
    public static List<DependencyNode> Sort(IReadOnlyList<DependencyNode> nodes, Action<IReadOnlyList<DependencyNode>> onCycle)
    {
        var index = new Dictionary<string, int>(nodes.Count, StringComparer.Ordinal);
        for (var i = 0; i < nodes.Count; i++)
        {
            index[nodes[i].Resource.LogicalId] = i;
        }

        var dependents = new List<int>[nodes.Count];
        var waiting = new int[nodes.Count];
        for (var i = 0; i < nodes.Count; i++)
        {
            foreach (var name in nodes[i].DependsOn)
            {
                waiting[i]++;
                (dependents[index[name]] ??= []).Add(i);
            }
        }

        var ready = new PriorityQueue<int, int>();
        for (var i = 0; i < nodes.Count; i++)
        {
            if (waiting[i] == 0)
            {
                ready.Enqueue(i, i);
            }
        }

        var done = new bool[nodes.Count];
        var order = new List<DependencyNode>(nodes.Count);
        while (true)
        {
            while (ready.TryDequeue(out var next, out _))
            {
                done[next] = true;
                order.Add(nodes[next]);
                foreach (var dependent in dependents[next] ?? [])
                {
                    if (--waiting[dependent] == 0 && !done[dependent])
                    {
                        ready.Enqueue(dependent, dependent);
                    }
                }
            }

            if (order.Count == nodes.Count)
            {
                return order;
            }

            // Everything left waits for a cycle. Report one, take its first member as done, and go on to find the others.
            var cycle = FindCycle(nodes, index, done);
            onCycle([.. cycle.Select(i => nodes[i])]);
            foreach (var member in cycle)
            {
                done[member] = true;
                order.Add(nodes[member]);
            }

            foreach (var dependent in cycle.SelectMany(m => dependents[m] ?? []))
            {
                if (--waiting[dependent] == 0 && !done[dependent])
                {
                    ready.Enqueue(dependent, dependent);
                }
            }
        }
    }

    private static List<int> FindCycle(IReadOnlyList<DependencyNode> nodes, Dictionary<string, int> index, bool[] done)
    {
        var at = Array.IndexOf(done, false);
        var position = new Dictionary<int, int>();
        var path = new List<int>();
        while (!position.ContainsKey(at))
        {
            position[at] = path.Count;
            path.Add(at);
            at = index[nodes[at].DependsOn.First(d => !done[index[d]])];
        }

        var cycle = path.GetRange(position[at], path.Count - position[at]);
        // Begin with the one that stands first in the template.
        var first = cycle.IndexOf(cycle.Min());
        return [.. cycle.Skip(first), .. cycle.Take(first)];
    }
}
