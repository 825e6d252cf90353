namespace Inferloop.Operations.Environments;

internal sealed partial class EnvironmentOperations
{
    private StackPolicies Policies => new(aws.CloudFormation);

    /// <summary>The changes with what the stack policies in force would say to them in the middle of the update.</summary>
    internal async Task<InferloopChangeSet> WithDenialsAsync(InferloopChangeSet set, string rootId, CancellationToken cancellation)
    {
        var policies = await Policies.ReadAsync(await StacksAsync(rootId, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        var denials = StackPolicies.Denials(policies, set.Changes);
        return denials.Count == 0 ? set : set with { Changes = set.Changes.Select(c => denials.TryGetValue(c.Path, out var reason) ? c with { DeniedBy = reason } : c).ToList() };
    }

    /// <summary>Lifts the policies that stand against changes that were consented to, for these resources alone. What was in force enters the journal first.</summary>
    internal async Task LiftPoliciesAsync(OperationScope scope, string rootId, IReadOnlyList<InferloopChange> denied, CancellationToken cancellation)
    {
        var stacks = (await StacksAsync(rootId, cancellation).ConfigureAwait(false)).ToDictionary(s => s.Path, s => s.StackId, StringComparer.Ordinal);
        var before = await Policies.ReadAsync(stacks.Select(s => (s.Key, s.Value)), cancellation).ConfigureAwait(false);
        var concerned = denied.GroupBy(c => c.Path[..(c.Path.LastIndexOf('/') + 1)], StringComparer.Ordinal).Where(g => before.ContainsKey(g.Key)).ToList();
        await scope.StepAsync("lift", cancellation, r => r with { LiftedPolicies = concerned.ToDictionary(g => stacks[g.Key], g => before[g.Key], StringComparer.Ordinal) }).ConfigureAwait(false);
        foreach (var stack in concerned)
        {
            await Policies.SetAsync(stacks[stack.Key], StackPolicies.Document(stack.Select(c => c.LogicalId).ToList()), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Puts policies back that an operation lifted, and gives every stack with data stores the one that protects them.</summary>
    internal async Task ProtectStoresAsync(string rootId, IReadOnlyDictionary<string, string> lifted, CancellationToken cancellation)
    {
        var resources = await ResourcesAsync(rootId, cancellation).ConfigureAwait(false);
        var holding = resources.Where(r => DataStores.Contains(r.Type) && r.Status != "DELETE_COMPLETE").Select(r => r.StackId).ToHashSet(StringComparer.Ordinal);
        foreach (var id in holding.Union(lifted.Keys.Where(k => resources.Any(r => r.PhysicalId == k) || k == rootId)))
        {
            if (lifted.TryGetValue(id, out var before))
            {
                await Policies.SetAsync(id, before, cancellation).ConfigureAwait(false);
                continue;
            }

            // A policy that someone else wrote stays: it may say more than ours.
            var now = await Policies.ReadAsync([("", id)], cancellation).ConfigureAwait(false);
            if (now.Count == 0 || (now[""] != StackPolicies.Protecting && IsOurs(now[""])))
            {
                await Policies.SetAsync(id, StackPolicies.Protecting, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Puts back what a dead process had lifted.</summary>
    private async Task RestorePoliciesAsync(OperationRecord record, CancellationToken cancellation)
    {
        if (record.LiftedPolicies.Count > 0 && record.StackId is { } root && await FindStackAsync(root, cancellation).ConfigureAwait(false) is not null)
        {
            await ProtectStoresAsync(root, record.LiftedPolicies, cancellation).ConfigureAwait(false);
        }
    }

    // Ours, of another version of the module or with exceptions left in it, begins like ours.
    private static bool IsOurs(string policy) => policy.StartsWith(StackPolicies.Protecting[..StackPolicies.Protecting.IndexOf("Resource\":\"*\",\"Condition", StringComparison.Ordinal)], StringComparison.Ordinal);
}
