using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class Deployment
{
    private async Task<bool> CreateAsync(EvaluatedResource resource, MapValue properties)
    {
        if (Imports.TryGetValue(resource.LogicalId, out var identifier))
        {
            return await ImportAsync(resource, properties, identifier).ConfigureAwait(false);
        }
        var record = NewRecord(resource, properties);
        Add(new DeploymentStep { Record = record });
        engine.SetStatus(Stack, record, "CREATE_IN_PROGRESS");
        return await CreatePhysicalAsync(record, properties, "CREATE").ConfigureAwait(false);
    }

    /// <summary>Creates the physical resource of a record, for a new resource or a replacement.</summary>
    private async Task<bool> CreatePhysicalAsync(ResourceRecord record, MapValue properties, string verb)
    {
        var provider = runtime.Provider(record.Type);
        if (provider is null)
        {
            Fail(record.LogicalId, record, $"Resource type {record.Type} is not provided by the sandbox");
            return false;
        }
        var started = runtime.Clock.Now;
        var token = runtime.Ids.Uuid();
        var initiated = false;
        void Initiated(string physicalId)
        {
            lock (Stack.Gate)
            {
                if (initiated)
                {
                    return;
                }
                initiated = true;
                record.PhysicalId = physicalId;
            }
            engine.SetStatus(Stack, record, verb + "_IN_PROGRESS", "Resource creation Initiated");
        }
        try
        {
            var created = await CreateOrWaitAsync(provider, record, properties, Initiated, () => initiated, started).ConfigureAwait(false);
            lock (Stack.Gate)
            {
                record.Reference = created.Reference;
                record.Attributes = created.Attributes;
            }
            Initiated(created.PhysicalId);
            if (!Stack.IsExpress)
            {
                await WaitAtLeastAsync(started, ResourceDurations.Create(record.Type)).ConfigureAwait(false);
            }
            lock (Stack.Gate)
            {
                record.PhysicalId = created.PhysicalId;
                record.Properties = properties;
            }
            engine.SetStatus(Stack, record, verb + "_COMPLETE", Stack.IsExpress ? "Resource configuration applied. It may continue becoming available in the background." : null);
            return true;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            FailCancelled(record);
            return false;
        }
        catch (ServiceFault fault)
        {
            Fail(record.LogicalId, record, StackEngine.FailureReason(fault, provider, token));
            return false;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            runtime.Report(e);
            Fail(record.LogicalId, record, $"Resource handler returned message: \"{e.Message}\" (RequestToken: {token}, HandlerErrorCode: InternalFailure)");
            return false;
        }
    }

    private async Task<ProvisionedResource> CreateOrWaitAsync(
        ResourceProvider provider, ResourceRecord record, MapValue properties, Action<string> onInitiated, Func<bool> initiated, DateTimeOffset started)
    {
        while (true)
        {
            try
            {
                return await provider.CreateAsync(ContextFor(record, context, "create", onInitiated), Json(properties)).ConfigureAwait(false);
            }
            catch (ServiceFault)
            {
                if (!await TryAgainAsync(record, initiated(), started).ConfigureAwait(false))
                {
                    throw;
                }
            }
        }
    }

    private static bool Holds(StackRecord stack, string type, string physicalId)
    {
        lock (stack.Gate)
        {
            return stack.Resources.Values.Any(record => record.Type == type && record.PhysicalId == physicalId && record.Status is not ("DELETE_COMPLETE" or "DELETE_SKIPPED"));
        }
    }

    private async Task<bool> ImportAsync(EvaluatedResource resource, MapValue properties, IReadOnlyDictionary<string, string> identifier)
    {
        var record = NewRecord(resource, properties);
        Add(new DeploymentStep { Record = record });
        engine.SetStatus(Stack, record, "IMPORT_IN_PROGRESS", "Resource import started.");
        var provider = runtime.Provider(record.Type);
        if (provider is null)
        {
            Fail(record.LogicalId, record, $"Resource type {record.Type} is not provided by the sandbox");
            return false;
        }
        try
        {
            var found = await provider.ImportAsync(ContextFor(record, context, "import"), identifier, Json(properties)).ConfigureAwait(false);
            if (found is null)
            {
                Fail(record.LogicalId, record, $"Resource of type '{record.Type}' with identifier '{string.Join(", ", identifier.Select(pair => $"{pair.Key}={pair.Value}"))}' was not found.");
                return false;
            }
            if (engine.Store(Stack).All.FirstOrDefault(other => !other.IsDeleted && !ReferenceEquals(other, Stack) && Holds(other, record.Type, found.PhysicalId)) is { } owner)
            {
                Fail(record.LogicalId, record, $"{found.PhysicalId} already exists in stack {owner.Id}");
                return false;
            }
            lock (Stack.Gate)
            {
                record.PhysicalId = found.PhysicalId;
                record.Reference = found.Reference;
                record.Attributes = found.Attributes;
            }
            await context.Runtime.Clock.DelayAsync(ResourceDurations.Update(record.Type), cancellation.Token).ConfigureAwait(false);
            engine.SetStatus(Stack, record, "IMPORT_COMPLETE", "Resource import completed.");
            return true;
        }
        catch (ServiceFault fault)
        {
            Fail(record.LogicalId, record, StackEngine.FailureReason(fault, provider, runtime.Ids.Uuid()));
            return false;
        }
    }

    private async Task<bool> UpdateAsync(EvaluatedResource resource, ResourceRecord record, MapValue properties)
    {
        var provider = runtime.Provider(record.Type);
        var specification = ResourceSpecification.Default.Find(record.Type);
        var changes = new PropertyComparison(specification, new Dictionary<string, Replacement>()).Compare(record.Properties, properties);
        var tags = StackEngine.ResourceTags(Stack, Definition, resource.LogicalId);
        var retagged = specification?.IsTaggable == true && !SameTags(record.StackTags, tags);
        if (changes.Count == 0 && !retagged && record.Status != "UPDATE_FAILED")
        {
            return UpdateAttributes(resource, record, properties);
        }
        var replace = changes.Any(change => Replaces(change, provider, record.Properties, properties));
        if (Policy?.Denies(replace ? "Update:Replace" : "Update:Modify", record.LogicalId, record.Type) is { } denied)
        {
            engine.SetStatus(Stack, record, "UPDATE_IN_PROGRESS");
            Add(new DeploymentStep { Record = record, Before = Unchanged(record), IsAttributesOnly = true });
            Fail(record.LogicalId, record, denied);
            return false;
        }
        if (provider is null)
        {
            Fail(record.LogicalId, record, $"Resource type {record.Type} is not provided by the sandbox");
            return false;
        }
        return replace
            ? await ReplaceAsync(resource, record, properties, specification).ConfigureAwait(false)
            : await UpdateInPlaceAsync(resource, record, properties, provider).ConfigureAwait(false);
    }

    private async Task<bool> UpdateInPlaceAsync(EvaluatedResource resource, ResourceRecord record, MapValue properties, ResourceProvider provider)
    {
        var before = Unchanged(record);
        var step = new DeploymentStep { Record = record, Before = before, Target = properties };
        Add(step);
        lock (Stack.Gate)
        {
            Describe(record, resource, properties);
            // Until the update is done the resource has what it had.
            record.Properties = before.Properties;
        }
        engine.SetStatus(Stack, record, "UPDATE_IN_PROGRESS");
        if (await UpdatePhysicalAsync(record, provider, before.Properties, properties, context, cancellation.Token).ConfigureAwait(false) is not { } reason)
        {
            engine.SetStatus(Stack, record, "UPDATE_COMPLETE");
            return true;
        }
        if (reason.Length == 0)
        {
            FailCancelled(record);
        }
        else
        {
            Fail(record.LogicalId, record, reason);
        }
        return false;
    }

    /// <summary>Asks the provider for an update; null when done, else the reason (empty: cancelled).</summary>
    private async Task<string?> UpdatePhysicalAsync(
        ResourceRecord record, ResourceProvider provider, MapValue before, MapValue after, RequestContext request, CancellationToken token)
    {
        var started = runtime.Clock.Now;
        var requestToken = runtime.Ids.Uuid();
        try
        {
            var updated = await provider.UpdateAsync(ContextFor(record, request, "update"), record.PhysicalId!, Json(before), Json(after)).ConfigureAwait(false);
            if (!Stack.IsExpress)
            {
                await runtime.Clock.DelayAsync(started + ResourceDurations.Update(record.Type) - runtime.Clock.Now, token).ConfigureAwait(false);
            }
            lock (Stack.Gate)
            {
                record.PhysicalId = updated.PhysicalId;
                record.Reference = updated.Reference ?? record.Reference;
                record.Attributes = updated.Attributes.Count > 0 ? updated.Attributes : record.Attributes;
                record.Properties = after;
            }
            return null;
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return "";
        }
        catch (ServiceFault fault)
        {
            return StackEngine.FailureReason(fault, provider, requestToken);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            runtime.Report(e);
            return $"Resource handler returned message: \"{e.Message}\" (RequestToken: {requestToken}, HandlerErrorCode: InternalFailure)";
        }
    }

    private async Task<bool> ReplaceAsync(EvaluatedResource resource, ResourceRecord record, MapValue properties, ResourceTypeSpecification? specification)
    {
        var before = Unchanged(record);
        if (CustomName(specification, record.Properties, properties) is { } name)
        {
            Add(new DeploymentStep { Record = record, Before = before, IsAttributesOnly = true });
            engine.SetStatus(Stack, record, "UPDATE_IN_PROGRESS");
            Fail(record.LogicalId, record, $"CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename {name} and update the stack again.");
            return false;
        }
        var step = new DeploymentStep { Record = record, Before = before, IsReplacement = true, Target = properties };
        Add(step);
        engine.SetStatus(Stack, record, "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource; hence creating one.");
        lock (Stack.Gate)
        {
            Describe(record, resource, properties);
        }
        if (await CreatePhysicalAsync(record, properties, "UPDATE").ConfigureAwait(false))
        {
            return true;
        }
        return false;
    }

    /// <summary>The name a user gave the resource, when it would have to be two resources' name at once during a replacement.</summary>
    private static string? CustomName(ResourceTypeSpecification? specification, MapValue before, MapValue after)
    {
        if (specification is null || specification.PrimaryIdentifier.Count != 1)
        {
            return null;
        }
        var property = specification.PrimaryIdentifier[0];
        return before[property]?.AsString() is { } was && after[property]?.AsString() is { } now && was == now ? now : null;
    }

    /// <summary>Metadata and policies change without the service being asked.</summary>
    private bool UpdateAttributes(EvaluatedResource resource, ResourceRecord record, MapValue properties)
    {
        var before = Unchanged(record);
        lock (Stack.Gate)
        {
            Describe(record, resource, properties);
        }
        var metadata = ValueRendering.Text(before.Metadata) != ValueRendering.Text(record.Metadata);
        Add(new DeploymentStep { Record = record, Before = before, IsAttributesOnly = true });
        if (metadata)
        {
            engine.SetStatus(Stack, record, "UPDATE_COMPLETE");
        }
        return true;
    }

    private static bool Replaces(PropertyChange change, ResourceProvider? provider, MapValue before, MapValue after) => change.RequiresRecreation switch
    {
        Replacement.Always => true,
        Replacement.Conditional => provider?.RequiresReplacement(PropertyComparison.TopLevel(change.Path), Json(before), Json(after)) == true,
        _ => false,
    };

    private static bool SameTags(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> after) =>
        before.Count == after.Count && before.All(tag => after.TryGetValue(tag.Key, out var value) && value == tag.Value);

    private ResourceRecord Unchanged(ResourceRecord record)
    {
        lock (Stack.Gate)
        {
            return record.Clone();
        }
    }

    private Task WaitAtLeastAsync(DateTimeOffset started, TimeSpan duration) =>
        runtime.Clock.DelayAsync(started + duration - runtime.Clock.Now, cancellation.Token);
}
