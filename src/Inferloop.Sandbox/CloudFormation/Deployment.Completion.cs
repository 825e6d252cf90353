using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class Deployment
{
    /// <summary>Work after the operation itself outlives its cancellation.</summary>
    private RequestContext After => context.WithCancellation(runtime.Stopping);

    /// <summary>Whether something is left to remove once the new definition is in force.</summary>
    public bool HasCleanup => Steps().Any(step => step.IsReplacement || step.Nested?.HasCleanup == true) || Removed().Count > 0;

    /// <summary>Resources of the stack that the new definition does not have.</summary>
    private List<ResourceRecord> Removed()
    {
        var kept = target!.Resources.Select(resource => resource.LogicalId).ToHashSet(StringComparer.Ordinal);
        lock (Stack.Gate)
        {
            return Stack.Resources.Values.Where(record => !kept.Contains(record.LogicalId)).ToList();
        }
    }

    /// <summary>Makes an update final: replaced and removed resources go, as their policies say.</summary>
    public async Task CommitAsync()
    {
        var nested = Steps().Where(step => step.Nested is not null).Select(step => step.Nested!).ToList();
        await Task.WhenAll(nested.Select(async child =>
        {
            await child.CommitAsync().ConfigureAwait(false);
            if (child.Stack.Status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            {
                engine.SetStatus(child.Stack, "UPDATE_COMPLETE");
            }
            child.Stack.Deployment = null;
            child.Ended.TrySetResult();
        })).ConfigureAwait(false);
        await Task.WhenAll(Steps().Where(step => step.IsReplacement).Select(step =>
            DeleteReplacedAsync(step.Record, step.Before!.PhysicalId, step.Before.Properties, step.Record.UpdateReplacePolicy))).ConfigureAwait(false);
        await DeleteRecordsAsync(Removed(), record => Denied(record) ? "Retain" : record.DeletionPolicy).ConfigureAwait(false);
    }

    private bool Denied(ResourceRecord record) => Policy?.Denies("Update:Delete", record.LogicalId, record.Type) is not null;

    /// <summary>The resource that a stack policy keeps from being deleted, if the new definition would delete one.</summary>
    public (ResourceRecord Record, string Reason)? DeniedDeletion() => Policy is null ? null : Removed()
        .Select(record => (Record: record, Reason: Policy.Denies("Update:Delete", record.LogicalId, record.Type)))
        .Where(pair => pair.Reason is not null)
        .Select(pair => ((ResourceRecord, string)?)(pair.Record, pair.Reason!))
        .FirstOrDefault();

    /// <summary>Refuses the update because of a deletion the stack policy denies.</summary>
    public void FailDenied(ResourceRecord record, string reason)
    {
        Add(new DeploymentStep { Record = record, Before = Unchanged(record), IsAttributesOnly = true });
        lock (Stack.Gate)
        {
            failedToUpdate.Add(record.LogicalId);
        }
        engine.SetStatus(Stack, record, "UPDATE_FAILED", reason);
    }

    /// <summary>Removes what a create or import made. An import gives its resources back instead.</summary>
    /// <returns>The resources that could not be deleted.</returns>
    public async Task<IReadOnlyList<string>> UndoCreateAsync()
    {
        List<ResourceRecord> records;
        lock (Stack.Gate)
        {
            records = Kind == DeploymentKind.Import
                ? Steps().Where(step => step.Before is null).Select(step => step.Record).ToList()
                : [.. Stack.Resources.Values];
        }
        if (Kind == DeploymentKind.Import)
        {
            foreach (var record in records)
            {
                engine.SetStatus(Stack, record, "IMPORT_ROLLBACK_COMPLETE", "Resource import rolled back.");
                Forget(record);
            }
            RestoreDefinition();
            return [];
        }
        return await DeleteRecordsAsync(records, record => record.DeletionPolicy switch
        {
            "RetainExceptOnCreate" => "Delete",
            "Retain" or "Snapshot" when Stack.RetainExceptOnCreate => "Delete",
            // A resource that never came to be has nothing to retain.
            _ when record.Status != "CREATE_COMPLETE" => "Delete",
            var policy => policy,
        }).ConfigureAwait(false);
    }

    private void RestoreDefinition()
    {
        lock (Stack.Gate)
        {
            Stack.Definition = previous ?? Stack.Definition;
            Stack.Outputs = previousOutputs;
            Stack.Imports = previousImports;
        }
    }

    /// <summary>Brings every resource back to what it was before an update.</summary>
    /// <param name="skip">Resources to leave as they are, from ContinueUpdateRollback.</param>
    /// <returns>The resources that could not be brought back.</returns>
    public async Task<IReadOnlyList<string>> RollbackAsync(IReadOnlySet<string>? skip = null)
    {
        var failed = new List<string>();
        RestoreDefinition();
        var pending = Steps().Where(step => step.Before is not null && !step.IsRolledBack).ToList();
        var running = new List<(string Name, Task<bool> Task)>();
        var ends = new Dictionary<string, Signal>(StringComparer.Ordinal);
        var order = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var resource in target?.Resources ?? [])
        {
            order[resource.LogicalId] = order.Count;
        }
        foreach (var step in pending.OrderBy(step => order.GetValueOrDefault(step.Record.LogicalId, int.MaxValue)))
        {
            var waits = step.Before!.DependsOn.Where(ends.ContainsKey).Select(name => ends[name]).ToArray();
            var end = ends[step.Record.LogicalId] = new Signal(runtime.Clock);
            running.Add((step.Record.LogicalId, end.FollowAsync(() => UndoAsync(step, waits, skip))));
        }
        foreach (var (name, task) in running)
        {
            if (!await task.ConfigureAwait(false))
            {
                failed.Add(name);
            }
        }
        return failed;
    }

    private async Task<bool> UndoAsync(DeploymentStep step, Signal[] waits, IReadOnlySet<string>? skip)
    {
        foreach (var wait in waits)
        {
            await wait.WaitAsync().ConfigureAwait(false);
        }
        var record = step.Record;
        var before = step.Before!;
        if (skip?.Contains(record.LogicalId) == true)
        {
            Restore(record, before);
            engine.SetStatus(Stack, record, "UPDATE_COMPLETE", "Resource was skipped during rollback as requested by the user");
            step.IsRolledBack = true;
            return true;
        }
        if (step.IsAttributesOnly)
        {
            var touched = record.Status is "UPDATE_FAILED" or "UPDATE_IN_PROGRESS";
            Restore(record, before);
            if (touched)
            {
                engine.SetStatus(Stack, record, "UPDATE_COMPLETE");
            }
            step.IsRolledBack = true;
            return true;
        }
        if (step.Nested is { } nested)
        {
            return await UndoNestedAsync(step, nested, skip).ConfigureAwait(false);
        }
        if (step.IsReplacement)
        {
            engine.SetStatus(Stack, record, "UPDATE_IN_PROGRESS");
            replacements.Add((record, record.PhysicalId == before.PhysicalId ? null : record.PhysicalId, record.Properties));
            Restore(record, before);
            engine.SetStatus(Stack, record, "UPDATE_COMPLETE");
            step.IsRolledBack = true;
            return true;
        }
        engine.SetStatus(Stack, record, "UPDATE_IN_PROGRESS");
        var reached = record.Properties;
        lock (Stack.Gate)
        {
            record.StackTags = before.StackTags;
        }
        // A failed update may have got some of the way: the way back starts from where it was going.
        var from = ReferenceEquals(reached, before.Properties) ? step.Target : reached;
        var reason = await UpdatePhysicalAsync(record, runtime.Provider(record.Type)!, from, before.Properties, After, runtime.Stopping).ConfigureAwait(false);
        if (reason is not null)
        {
            engine.SetStatus(Stack, record, "UPDATE_FAILED", reason);
            return false;
        }
        Restore(record, before);
        engine.SetStatus(Stack, record, "UPDATE_COMPLETE");
        step.IsRolledBack = true;
        return true;
    }

    private readonly System.Collections.Concurrent.ConcurrentBag<(ResourceRecord Record, string? PhysicalId, MapValue Properties)> replacements = [];

    private async Task<bool> UndoNestedAsync(DeploymentStep step, Deployment nested, IReadOnlySet<string>? skip)
    {
        var child = nested.Stack;
        // NestedStackName.LogicalId names a resource of a nested stack.
        var inside = skip?.Where(name => name.StartsWith(child.Name + ".", StringComparison.Ordinal)).Select(name => name[(child.Name.Length + 1)..])
            .Concat(skip.Where(name => name.Contains('.', StringComparison.Ordinal))).ToHashSet(StringComparer.Ordinal);
        engine.SetStatus(Stack, step.Record, "UPDATE_IN_PROGRESS");
        if (child.Status != "UPDATE_ROLLBACK_IN_PROGRESS")
        {
            engine.SetStatus(child, "UPDATE_ROLLBACK_IN_PROGRESS");
        }
        var failed = await nested.RollbackAsync(inside).ConfigureAwait(false);
        if (failed.Count > 0)
        {
            engine.SetStatus(child, "UPDATE_ROLLBACK_FAILED", $"The following resource(s) failed to update: [{string.Join(", ", failed)}]. ");
            engine.SetStatus(Stack, step.Record, "UPDATE_FAILED", $"Embedded stack {child.Id} was not successfully updated. Currently in UPDATE_ROLLBACK_FAILED with reason: {child.Reason}");
            return false;
        }
        engine.SetStatus(child, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
        await nested.CleanUpRollbackAsync().ConfigureAwait(false);
        engine.SetStatus(child, "UPDATE_ROLLBACK_COMPLETE");
        child.Deployment = null;
        nested.Ended.TrySetResult();
        Restore(step.Record, step.Before!);
        engine.SetStatus(Stack, step.Record, "UPDATE_COMPLETE");
        step.IsRolledBack = true;
        return true;
    }

    private void Restore(ResourceRecord record, ResourceRecord before)
    {
        lock (Stack.Gate)
        {
            record.PhysicalId = before.PhysicalId;
            record.Reference = before.Reference;
            record.Attributes = before.Attributes;
            record.Properties = before.Properties;
            record.ShownProperties = before.ShownProperties;
            record.StackTags = before.StackTags;
            record.Metadata = before.Metadata;
            record.CreationPolicy = before.CreationPolicy;
            record.UpdatePolicy = before.UpdatePolicy;
            record.DeletionPolicy = before.DeletionPolicy;
            record.UpdateReplacePolicy = before.UpdateReplacePolicy;
            record.DependsOn = before.DependsOn;
        }
    }

    /// <summary>After a rollback: the resources that the update had created go.</summary>
    public async Task CleanUpRollbackAsync()
    {
        await Task.WhenAll(replacements.Select(item => DeleteReplacedAsync(item.Record, item.PhysicalId, item.Properties, "Delete"))).ConfigureAwait(false);
        await DeleteRecordsAsync(Steps().Where(step => step.Before is null).Select(step => step.Record).ToList(), static _ => "Delete").ConfigureAwait(false);
    }

    private async Task DeleteReplacedAsync(ResourceRecord record, string? physicalId, MapValue properties, string policy)
    {
        if (physicalId is null)
        {
            return;
        }
        if (policy == "Retain")
        {
            engine.AddEvent(Stack, record, physicalId, "DELETE_SKIPPED", null);
            return;
        }
        engine.AddEvent(Stack, record, physicalId, "DELETE_IN_PROGRESS", null);
        var old = record.Clone();
        old.Properties = properties;
        var reason = await DeletePhysicalAsync(old, physicalId, policy == "Snapshot", After).ConfigureAwait(false);
        engine.AddEvent(Stack, record, physicalId, reason is null ? "DELETE_COMPLETE" : "DELETE_FAILED", reason);
    }

    /// <summary>Deletes resources of the stack, each after those that depend on it, in parallel.</summary>
    /// <returns>The logical ids of those that could not be deleted, and of none that wait for them.</returns>
    public async Task<IReadOnlyList<string>> DeleteRecordsAsync(IReadOnlyList<ResourceRecord> records, Func<ResourceRecord, string> policyOf)
    {
        var dependents = records.ToDictionary(record => record.LogicalId, static _ => new List<string>(), StringComparer.Ordinal);
        foreach (var record in records)
        {
            foreach (var name in record.DependsOn)
            {
                if (dependents.TryGetValue(name, out var list))
                {
                    list.Add(record.LogicalId);
                }
            }
        }
        var byName = records.ToDictionary(record => record.LogicalId, StringComparer.Ordinal);
        var done = records.ToDictionary(record => record.LogicalId, _ => new Signal(runtime.Clock), StringComparer.Ordinal);
        var failed = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await Task.WhenAll(records.Select(async record =>
        {
            await runtime.Clock.YieldAsync().ConfigureAwait(false);
            var clear = true;
            foreach (var name in dependents[record.LogicalId])
            {
                clear &= await done[name].WaitAsync().ConfigureAwait(false);
            }
            var deleted = false;
            try
            {
                deleted = clear && await DeleteRecordAsync(byName[record.LogicalId], policyOf(record)).ConfigureAwait(false);
                if (clear && !deleted)
                {
                    failed.Enqueue(record.LogicalId);
                }
            }
            finally
            {
                done[record.LogicalId].Set(deleted);
            }
        })).ConfigureAwait(false);
        return failed.Order(StringComparer.Ordinal).ToList();
    }

    private async Task<bool> DeleteRecordAsync(ResourceRecord record, string policy)
    {
        if (record.PhysicalId is null)
        {
            engine.SetStatus(Stack, record, "DELETE_COMPLETE");
            Forget(record);
            return true;
        }
        if (policy is "Retain" or "RetainExceptOnCreate")
        {
            engine.SetStatus(Stack, record, "DELETE_SKIPPED");
            Forget(record);
            return true;
        }
        engine.SetStatus(Stack, record, "DELETE_IN_PROGRESS");
        var reason = await DeletePhysicalAsync(record, record.PhysicalId, policy == "Snapshot", After).ConfigureAwait(false);
        if (reason is not null)
        {
            engine.SetStatus(Stack, record, "DELETE_FAILED", reason);
            return false;
        }
        engine.SetStatus(Stack, record, "DELETE_COMPLETE");
        Forget(record);
        return true;
    }

    private void Forget(ResourceRecord record)
    {
        lock (Stack.Gate)
        {
            if (Stack.Resources.TryGetValue(record.LogicalId, out var current) && ReferenceEquals(current, record))
            {
                Stack.Resources.Remove(record.LogicalId);
            }
            Stack.Gone.RemoveAll(gone => gone.LogicalId == record.LogicalId);
            Stack.Gone.Add(record);
        }
    }

    /// <summary>Deletes a physical resource; null when it is gone, else the reason why not.</summary>
    private async Task<string?> DeletePhysicalAsync(ResourceRecord record, string? physicalId, bool snapshot, RequestContext request)
    {
        if (physicalId is null)
        {
            return null;
        }
        if (record.IsNestedStack)
        {
            return await DeleteNestedAsync(physicalId, request).ConfigureAwait(false);
        }
        var provider = runtime.Provider(record.Type);
        if (provider is null)
        {
            return $"Resource type {record.Type} is not provided by the sandbox";
        }
        var started = runtime.Clock.Now;
        var token = runtime.Ids.Uuid();
        try
        {
            await slots.WaitAsync(request.Cancellation).ConfigureAwait(false);
            try
            {
                await provider.DeleteAsync(ContextFor(record, request, "delete", snapshot: snapshot), physicalId, Json(record.Properties)).ConfigureAwait(false);
                await runtime.Clock.DelayAsync(started + ResourceDurations.Delete(record.Type) - runtime.Clock.Now, request.Cancellation).ConfigureAwait(false);
                return null;
            }
            finally
            {
                slots.Release();
            }
        }
        catch (ServiceFault fault)
        {
            return StackEngine.FailureReason(fault, provider, token);
        }
        catch (Exception e) when (e is not OutOfMemoryException && !runtime.Stopping.IsCancellationRequested)
        {
            runtime.Report(e);
            return $"Resource handler returned message: \"{e.Message}\" (RequestToken: {token}, HandlerErrorCode: InternalFailure)";
        }
    }

    private async Task<string?> DeleteNestedAsync(string stackId, RequestContext request)
    {
        if (engine.Store(Stack).Find(stackId) is not { IsDeleted: false } child)
        {
            return null;
        }
        engine.BeginOperation(child, "DELETE_STACK", Stack.ClientRequestToken);
        return await StackDeletion.RunAsync(engine, child, request, new HashSet<string>(), force: false).ConfigureAwait(false) is { } reason
            ? $"Embedded stack {child.Id} was not successfully deleted: {reason}"
            : null;
    }
}

/// <summary>The deletion of a whole stack.</summary>
internal static class StackDeletion
{
    /// <summary>Deletes a stack's resources and the stack; null when it is gone, else the reason why not.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="stack">The stack.</param>
    /// <param name="context">Who deletes it.</param>
    /// <param name="retain">Logical ids to leave behind.</param>
    /// <param name="force">Leaves behind whatever cannot be deleted.</param>
    /// <param name="announced">Whether the history says already that the deletion began.</param>
    public static async Task<string?> RunAsync(StackEngine engine, StackRecord stack, RequestContext context, IReadOnlySet<string> retain, bool force, bool announced = false)
    {
        if (!announced)
        {
            engine.SetStatus(stack, "DELETE_IN_PROGRESS", "User Initiated");
        }
        var store = engine.Store(stack);
        foreach (var export in stack.Outputs.Where(output => output.ExportName is not null))
        {
            var users = store.Importers(export.ExportName!).Where(user => !ReferenceEquals(user, stack)).Select(user => user.Name).ToList();
            if (users.Count > 0)
            {
                var reason = $"Export {export.ExportName} cannot be deleted as it is in use by {string.Join(" and ", users)}";
                engine.SetStatus(stack, "DELETE_FAILED", reason);
                return reason;
            }
        }
        List<ResourceRecord> records;
        lock (stack.Gate)
        {
            records = [.. stack.Resources.Values];
        }
        if (stack.Definition is { } definition)
        {
            var deployment = new Deployment(engine, stack, context, DeploymentKind.Update, definition);
            var failed = await deployment.DeleteRecordsAsync(records, record => retain.Contains(record.LogicalId) ? "Retain" : record.DeletionPolicy).ConfigureAwait(false);
            if (failed.Count > 0 && force)
            {
                // A forced deletion leaves behind what cannot be deleted.
                var left = stack.Resources.Values.ToList();
                failed = await deployment.DeleteRecordsAsync(left, static _ => "Retain").ConfigureAwait(false);
            }
            deployment.Ended.TrySetResult();
            stack.Deployment = null;
            if (failed.Count > 0)
            {
                var reason = $"The following resource(s) failed to delete: [{string.Join(", ", failed)}]. ";
                engine.SetStatus(stack, "DELETE_FAILED", reason);
                return reason;
            }
        }
        lock (stack.Gate)
        {
            stack.Deleted = engine.Runtime.Clock.Now;
            stack.Outputs = [];
            stack.Imports = [];
            stack.ChangeSets.Clear();
        }
        engine.SetStatus(stack, "DELETE_COMPLETE");
        store.Release(stack);
        return null;
    }
}
