using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class Deployment
{
    private const int MaximumStackNameLength = 128;

    private async Task<bool> ProvisionNestedAsync(EvaluatedResource resource)
    {
        ResourceRecord? existing;
        lock (Stack.Gate)
        {
            existing = Stack.Resources.GetValueOrDefault(resource.LogicalId);
        }
        if (existing is { Status: "CREATE_FAILED" })
        {
            await DeletePhysicalAsync(existing, existing.PhysicalId, snapshot: false, context).ConfigureAwait(false);
            existing = null;
        }
        var properties = Evaluate(resource, out var reason);
        if (properties is null)
        {
            Fail(resource.LogicalId, existing ?? NewRecord(resource, MapValue.Empty), reason!);
            return false;
        }
        var child = existing?.PhysicalId is { } id ? engine.Store(Stack).Find(id) : null;
        if (existing is not null && child is { IsDeleted: false })
        {
            return await UpdateNestedAsync(resource, existing, child, properties).ConfigureAwait(false);
        }
        var record = NewRecord(resource, properties);
        Add(new DeploymentStep { Record = record });
        engine.SetStatus(Stack, record, "CREATE_IN_PROGRESS");
        return await CreateNestedAsync(record, properties).ConfigureAwait(false);
    }

    private async Task<bool> CreateNestedAsync(ResourceRecord record, MapValue properties)
    {
        StackDefinition definition;
        try
        {
            definition = await NestedDefinitionAsync(properties, null).ConfigureAwait(false);
        }
        catch (ServiceFault fault)
        {
            Fail(record.LogicalId, record, fault.Message);
            return false;
        }
        var child = Prepared(record.LogicalId) ?? NewChild(record.LogicalId);
        engine.BeginOperation(child, "CREATE_STACK", Stack.ClientRequestToken);
        lock (Stack.Gate)
        {
            record.PhysicalId = child.Id;
        }
        child.DisableRollback = Stack.DisableRollback;
        child.DeploymentConfig = Stack.DeploymentConfig;
        engine.SetStatus(child, "CREATE_IN_PROGRESS", "User Initiated");
        engine.SetStatus(Stack, record, "CREATE_IN_PROGRESS", "Resource creation Initiated");
        var deployment = new Deployment(engine, child, context, DeploymentKind.Create, definition, this);
        try
        {
            if (await deployment.ApplyAsync().ConfigureAwait(false))
            {
                engine.SetStatus(child, "CREATE_COMPLETE");
                child.Deployment = null;
                await runtime.Clock.DelayAsync(ResourceDurations.Create(record.Type), cancellation.Token).ConfigureAwait(false);
                engine.SetStatus(Stack, record, "CREATE_COMPLETE");
                return true;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Its own resources are complete; only the wait after them was cut short.
        }
        finally
        {
            deployment.Ended.TrySetResult();
        }
        var reason = deployment.FailureReason;
        if (reason.Length == 0)
        {
            if (child.Status == "CREATE_IN_PROGRESS")
            {
                engine.SetStatus(child, "CREATE_FAILED", "Resource creation cancelled");
            }
            FailCancelled(record);
            return false;
        }
        engine.SetStatus(child, "CREATE_FAILED", reason);
        Fail(record.LogicalId, record, $"Embedded stack {child.Id} was not successfully created: {reason}");
        return false;
    }

    private StackRecord? Prepared(string logicalId)
    {
        var id = Stack.PreparedChildren.GetValueOrDefault(logicalId);
        return id is null ? null : engine.Store(Stack).Find(id) is { Status: "REVIEW_IN_PROGRESS" } stack ? stack : null;
    }

    private StackRecord NewChild(string logicalId)
    {
        var child = NewChild(engine, Stack, logicalId, context);
        child.Status = "CREATE_IN_PROGRESS";
        return child;
    }

    /// <summary>A nested stack's record: parent's name, logical id and a suffix make its name.</summary>
    public static StackRecord NewChild(StackEngine engine, StackRecord parent, string logicalId, RequestContext context)
    {
        var suffix = "-" + engine.Runtime.Ids.Upper(12);
        var prefix = $"{parent.Name}-{logicalId}";
        var name = prefix[..Math.Min(prefix.Length, MaximumStackNameLength - suffix.Length)] + suffix;
        var child = new StackRecord
        {
            Id = StackStore.NewStackId(context, name),
            Name = name,
            AccountId = parent.AccountId,
            Region = parent.Region,
            Created = engine.Runtime.Clock.Now,
            ParentId = parent.Id,
            RootId = parent.RootId ?? parent.Id,
        };
        engine.Store(parent).TryAdd(child);
        return child;
    }

    private async Task<bool> UpdateNestedAsync(EvaluatedResource resource, ResourceRecord record, StackRecord child, MapValue properties)
    {
        var step = new DeploymentStep { Record = record, Before = Unchanged(record), Target = properties };
        if (Policy?.Denies("Update:Modify", record.LogicalId, record.Type) is { } denied
            && new PropertyComparison(null, new Dictionary<string, Replacement>()).Compare(record.Properties, properties).Count > 0)
        {
            step.IsAttributesOnly = true;
            Add(step);
            engine.SetStatus(Stack, record, "UPDATE_IN_PROGRESS");
            Fail(record.LogicalId, record, denied);
            return false;
        }
        Add(step);
        lock (Stack.Gate)
        {
            Describe(record, resource, properties);
        }
        engine.SetStatus(Stack, record, "UPDATE_IN_PROGRESS");
        StackDefinition definition;
        try
        {
            definition = await NestedDefinitionAsync(properties, child.Definition).ConfigureAwait(false);
        }
        catch (ServiceFault fault)
        {
            step.IsAttributesOnly = true;
            Fail(record.LogicalId, record, fault.Message);
            return false;
        }
        if (child.IsBusy)
        {
            step.IsAttributesOnly = true;
            Fail(record.LogicalId, record, $"Embedded stack {child.Id} is in {child.Status} state and can not be updated.");
            return false;
        }
        engine.BeginOperation(child, "UPDATE_STACK", Stack.ClientRequestToken);
        lock (child.Gate)
        {
            child.Updated = runtime.Clock.Now;
            child.DeploymentConfig = Stack.DeploymentConfig;
        }
        engine.SetStatus(child, "UPDATE_IN_PROGRESS", "User Initiated");
        var deployment = new Deployment(engine, child, context, DeploymentKind.Update, definition, this)
        {
            Policy = child.Policy is { } policy ? StackPolicy.Parse(policy) : null,
        };
        step.Nested = deployment;
        if (await deployment.ApplyAsync().ConfigureAwait(false))
        {
            engine.SetStatus(child, deployment.HasCleanup ? "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" : "UPDATE_COMPLETE");
            engine.SetStatus(Stack, record, "UPDATE_COMPLETE");
            return true;
        }
        var reason = deployment.FailureReason;
        if (Stack.DisableRollback)
        {
            engine.SetStatus(child, "UPDATE_FAILED", reason.Length > 0 ? reason : "Resource update cancelled");
        }
        else
        {
            engine.SetStatus(child, "UPDATE_ROLLBACK_IN_PROGRESS", reason.Length > 0 ? reason : "Resource update cancelled");
        }
        if (reason.Length == 0)
        {
            FailCancelled(record);
        }
        else
        {
            Fail(record.LogicalId, record, $"Embedded stack {child.Id} was not successfully updated. Currently in {child.Status} with reason: {reason}");
        }
        return false;
    }

    private async Task<StackDefinition> NestedDefinitionAsync(MapValue properties, StackDefinition? before)
    {
        var url = properties["TemplateURL"]?.AsString() ?? throw new ServiceFault("ValidationError", "Property TemplateURL is required.");
        var template = await new S3TemplateSource(runtime, context).LoadAsync(url).ConfigureAwait(false);
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in (properties["Parameters"] as MapValue)?.Entries ?? [])
        {
            given[name] = value.AsString() ?? string.Join(',', value.Items.Select(item => item.AsString()));
        }
        var tags = new Dictionary<string, string>(Definition.Tags, StringComparer.Ordinal);
        foreach (var tag in properties["Tags"]?.Items ?? [])
        {
            tags[tag["Key"]?.AsString() ?? ""] = tag["Value"]?.AsString() ?? "";
        }
        var arns = properties["NotificationARNs"]?.Items.Select(item => item.AsString() ?? "").ToList();
        _ = before;
        return new StackDefinition
        {
            Template = template,
            Parameters = ParameterSet.Complete(template, given),
            Tags = tags,
            Capabilities = Definition.Capabilities,
            NotificationArns = arns ?? [.. Definition.NotificationArns],
            RoleArn = Definition.RoleArn,
        };
    }
}
