using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class CloudFormationService
{
    private static readonly HashSet<string> Updatable = new(StringComparer.Ordinal)
    {
        "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED",
    };

    private void RegisterStacks()
    {
        On("CreateStack", CreateStackAsync);
        On("UpdateStack", UpdateStackAsync);
        On("DeleteStack", DeleteStack);
        On("CancelUpdateStack", CancelUpdateStack);
        On("ContinueUpdateRollback", ContinueUpdateRollback);
        On("RollbackStack", RollbackStack);
        On("UpdateTerminationProtection", UpdateTerminationProtection);
    }

    private async Task<JsonObject> CreateStackAsync(RequestContext context, JsonObject input)
    {
        var name = Text(input, "StackName");
        CheckName(name);
        var token = Optional(input, "ClientRequestToken");
        if (engine.Store(context).Find(name) is { } existing)
        {
            if (token is not null && existing.Tokens.GetValueOrDefault(token) == "CREATE_STACK")
            {
                return new JsonObject { ["StackId"] = existing.Id };
            }
            throw new ServiceFault("AlreadyExistsException", $"Stack [{name}] already exists");
        }
        var template = TemplateReader.Read(Runtime, context, input) ?? throw Invalid("Either Template URL or Template Body must be specified.");
        var definition = DefinitionOf(context, input, template, null);
        if (Optional(input, "OnFailure") is not null && input["DisableRollback"] is not null)
        {
            throw Invalid("You can specify either DisableRollback or OnFailure, but not both.");
        }
        var policy = PolicyText(context, input, "StackPolicyBody", "StackPolicyURL");
        await CheckEvaluatesAsync(context, null, name, definition).ConfigureAwait(false);
        var stack = new StackRecord
        {
            Id = StackStore.NewStackId(context, name),
            Name = name,
            AccountId = context.AccountId,
            Region = context.Region,
            Created = context.Now,
            Definition = definition,
            Policy = policy,
            DisableRollback = RollbackDisabled(input),
            DeploymentConfig = (JsonObject?)input["DeploymentConfig"]?.DeepClone(),
            OnFailure = Optional(input, "OnFailure") ?? "ROLLBACK",
            TimeoutInMinutes = Scalars.TryInteger(input["TimeoutInMinutes"], out var minutes) ? (int)minutes : null,
            TerminationProtection = Flag(input, "EnableTerminationProtection"),
            RetainExceptOnCreate = Flag(input, "RetainExceptOnCreate"),
        };
        if (!engine.Store(context).TryAdd(stack))
        {
            throw new ServiceFault("AlreadyExistsException", $"Stack [{name}] already exists");
        }
        var operation = engine.BeginOperation(stack, "CREATE_STACK", token);
        engine.SetStatus(stack, "CREATE_IN_PROGRESS", "User Initiated");
        var deployment = new Deployment(engine, stack, context.Detached(), DeploymentKind.Create, definition);
        Runtime.Run(_ => RunCreateAsync(stack, deployment));
        return new JsonObject { ["StackId"] = stack.Id, ["OperationId"] = operation };
    }

    /// <summary>The definition a request describes, over the stack's present one for an update.</summary>
    private static StackDefinition DefinitionOf(RequestContext context, JsonObject input, Template template, StackDefinition? previous)
    {
        var capabilities = Strings(input["Capabilities"]);
        TemplateReader.CheckCapabilities(template, capabilities);
        if (Strings(input["ResourceTypes"]) is { Count: > 0 } allowed
            && template.Resources.Values.FirstOrDefault(resource => !allowed.Any(pattern => pattern == resource.Type || pattern == "*"
                || (pattern.EndsWith('*') && resource.Type.StartsWith(pattern[..^1], StringComparison.Ordinal)))) is { } refused)
        {
            throw Invalid($"Resource type {refused.Type} is not allowed by parameter ResourceTypes {string.Join(", ", allowed)}");
        }
        _ = context;
        return new StackDefinition
        {
            Template = template,
            Parameters = ParameterSet.FromRequest(template, input["Parameters"], previous?.Parameters),
            Tags = input["Tags"] is null && previous is not null ? previous.Tags : Tags(input["Tags"]),
            Capabilities = capabilities,
            NotificationArns = input["NotificationARNs"] is null && previous is not null ? previous.NotificationArns : Strings(input["NotificationARNs"]),
            RoleArn = Optional(input, "RoleARN") ?? previous?.RoleArn,
            RollbackConfiguration = (JsonObject?)(input["RollbackConfiguration"] as JsonObject)?.DeepClone() ?? previous?.RollbackConfiguration,
        };
    }

    /// <summary>Parameters and references are checked before anything is begun.</summary>
    private async Task<EvaluatedStack> CheckEvaluatesAsync(RequestContext context, StackRecord? stack, string name, StackDefinition definition, INestedTemplateSource? nested = null)
    {
        try
        {
            return await engine.EvaluateAsync(context, stack, name, definition, nested).ConfigureAwait(false);
        }
        catch (TemplateException e)
        {
            throw TemplateFaults.For(e, definition.Template);
        }
    }

    private async Task RunCreateAsync(StackRecord stack, Deployment deployment)
    {
        using var timeout = stack.TimeoutInMinutes is { } minutes
            ? Runtime.Clock.Schedule(TimeSpan.FromMinutes(minutes), () => deployment.Cancel("timeout"))
            : null;
        try
        {
            var done = await deployment.ApplyAsync().ConfigureAwait(false);
            if (done)
            {
                engine.SetStatus(stack, "CREATE_COMPLETE");
                stack.Deployment = null;
                return;
            }
            if (deployment.CancelReason == "delete")
            {
                return;
            }
            var reason = deployment.CancelReason == "timeout" ? "Stack creation time exceeded the specified timeout. " : deployment.FailureReason;
            if (stack.DisableRollback || stack.OnFailure == "DO_NOTHING")
            {
                engine.SetStatus(stack, "CREATE_FAILED", reason);
                return;
            }
            if (stack.OnFailure == "DELETE")
            {
                engine.SetStatus(stack, "CREATE_FAILED", reason + "Delete requested by user.");
                await StackDeletion.RunAsync(engine, stack, Runtime.SystemContext(stack.AccountId, stack.Region), new HashSet<string>(), force: false).ConfigureAwait(false);
                return;
            }
            await UndoCreateAsync(stack, deployment, reason + "Rollback requested by user.").ConfigureAwait(false);
        }
        finally
        {
            deployment.Ended.TrySetResult();
        }
    }

    private async Task UndoCreateAsync(StackRecord stack, Deployment deployment, string reason)
    {
        engine.SetStatus(stack, "ROLLBACK_IN_PROGRESS", reason);
        var failed = await deployment.UndoCreateAsync().ConfigureAwait(false);
        if (failed.Count > 0)
        {
            engine.SetStatus(stack, "ROLLBACK_FAILED", $"The following resource(s) failed to delete: [{string.Join(", ", failed)}]. ");
            return;
        }
        engine.SetStatus(stack, "ROLLBACK_COMPLETE");
        lock (stack.Gate)
        {
            stack.Deployment = null;
            stack.Imports = [];
            stack.Outputs = [];
        }
    }

    private async Task<JsonObject> UpdateStackAsync(RequestContext context, JsonObject input)
    {
        var name = Text(input, "StackName");
        var stack = engine.Store(context).Find(name);
        if (stack is null || stack.IsDeleted)
        {
            throw Invalid($"Stack [{name}] does not exist");
        }
        var token = Optional(input, "ClientRequestToken");
        if (token is not null && stack.Tokens.GetValueOrDefault(token) == "UPDATE_STACK")
        {
            return new JsonObject { ["StackId"] = stack.Id };
        }
        CheckUpdatable(stack);
        var current = stack.Definition!;
        var template = NewTemplate(context, input, current.Template);
        var definition = DefinitionOf(context, input, template, current);
        var policyNow = PolicyText(context, input, "StackPolicyBody", "StackPolicyURL");
        var during = PolicyText(context, input, "StackPolicyDuringUpdateBody", "StackPolicyDuringUpdateURL");
        CheckTypes(stack, definition.Template);
        var builder = new ChangeSetBuilder(engine, context);
        var comparison = await builder.CompareAsync(stack, definition).ConfigureAwait(false);
        if (!comparison.HasChanges && stack.Status is not ("CREATE_FAILED" or "UPDATE_FAILED"))
        {
            throw Invalid("No updates are to be performed.");
        }
        Deployment deployment;
        string operation;
        lock (stack.Gate)
        {
            CheckUpdatable(stack);
            var governing = during ?? stack.Policy;
            stack.Policy = policyNow ?? stack.Policy;
            stack.DisableRollback = RollbackDisabled(input);
            stack.DeploymentConfig = (JsonObject?)input["DeploymentConfig"]?.DeepClone();
            stack.RetainExceptOnCreate = Flag(input, "RetainExceptOnCreate");
            stack.Updated = context.Now;
            Obsolete(stack, null);
            operation = engine.BeginOperation(stack, "UPDATE_STACK", token);
            engine.SetStatus(stack, "UPDATE_IN_PROGRESS", "User Initiated");
            deployment = new Deployment(engine, stack, context.Detached(), DeploymentKind.Update, definition)
            {
                Policy = governing is null ? null : StackPolicy.Parse(governing),
            };
        }
        Runtime.Run(_ => RunUpdateAsync(stack, deployment));
        return new JsonObject { ["StackId"] = stack.Id, ["OperationId"] = operation };
    }

    private static bool RollbackDisabled(JsonObject input) => Flag(input, "DisableRollback") || (input["DeploymentConfig"] is JsonObject config && Flag(config, "DisableRollback"));

    private Template NewTemplate(RequestContext context, JsonObject input, Template current)
    {
        var previous = Flag(input, "UsePreviousTemplate");
        var template = TemplateReader.Read(Runtime, context, input);
        if (previous && template is not null)
        {
            throw Invalid("You cannot specify both usePreviousTemplate and Template Body/Template URL.");
        }
        return template ?? (previous ? current : throw Invalid("Either Template URL or Template Body must be specified."));
    }

    private static void CheckUpdatable(StackRecord stack)
    {
        if (!Updatable.Contains(stack.Status) || stack.Definition is null)
        {
            throw Invalid($"Stack:{stack.Id} is in {stack.Status} state and can not be updated.");
        }
    }

    private static void CheckTypes(StackRecord stack, Template template)
    {
        List<string> changed;
        lock (stack.Gate)
        {
            changed = stack.Resources.Values
                .Where(record => template.Resources.TryGetValue(record.LogicalId, out var resource) && resource.Type != record.Type)
                .Select(record => record.LogicalId).ToList();
        }
        if (changed.Count > 0)
        {
            throw Invalid($"Update of resource type is not permitted. The new template modifies resource type of the following resources: [{string.Join(", ", changed)}]");
        }
    }

    private async Task RunUpdateAsync(StackRecord stack, Deployment deployment)
    {
        try
        {
            var done = await deployment.ApplyAsync().ConfigureAwait(false);
            if (done && deployment.DeniedDeletion() is { } denied)
            {
                deployment.FailDenied(denied.Record, denied.Reason);
                done = false;
            }
            if (done)
            {
                await CompleteUpdateAsync(stack, deployment).ConfigureAwait(false);
                return;
            }
            var reason = deployment.CancelReason == "user" ? "User Initiated" : deployment.FailureReason;
            if (stack.DisableRollback && deployment.CancelReason is null)
            {
                engine.SetStatus(stack, "UPDATE_FAILED", reason);
                return;
            }
            await UndoUpdateAsync(stack, deployment, reason, null).ConfigureAwait(false);
        }
        finally
        {
            deployment.Ended.TrySetResult();
        }
    }

    private async Task CompleteUpdateAsync(StackRecord stack, Deployment deployment)
    {
        if (deployment.Kind == DeploymentKind.Import)
        {
            await deployment.CommitAsync().ConfigureAwait(false);
            engine.SetStatus(stack, "IMPORT_COMPLETE");
        }
        else
        {
            engine.SetStatus(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS");
            await deployment.CommitAsync().ConfigureAwait(false);
            engine.SetStatus(stack, "UPDATE_COMPLETE");
        }
        stack.Deployment = null;
    }

    private async Task UndoUpdateAsync(StackRecord stack, Deployment deployment, string? reason, IReadOnlySet<string>? skip)
    {
        if (deployment.Kind == DeploymentKind.Import)
        {
            engine.SetStatus(stack, "IMPORT_ROLLBACK_IN_PROGRESS", reason);
            await deployment.UndoCreateAsync().ConfigureAwait(false);
            await deployment.RollbackAsync().ConfigureAwait(false);
            engine.SetStatus(stack, "IMPORT_ROLLBACK_COMPLETE");
            stack.Deployment = null;
            return;
        }
        engine.SetStatus(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason);
        var failed = await deployment.RollbackAsync(skip).ConfigureAwait(false);
        if (failed.Count > 0)
        {
            // What is left to roll back stays with the stack, for ContinueUpdateRollback.
            engine.SetStatus(stack, "UPDATE_ROLLBACK_FAILED", $"The following resource(s) failed to update: [{string.Join(", ", failed)}]. ");
            return;
        }
        engine.SetStatus(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
        await deployment.CleanUpRollbackAsync().ConfigureAwait(false);
        engine.SetStatus(stack, "UPDATE_ROLLBACK_COMPLETE");
        stack.Deployment = null;
    }

    private JsonObject DeleteStack(RequestContext context, JsonObject input)
    {
        var name = Text(input, "StackName");
        if (engine.Store(context).Find(name) is not { IsDeleted: false } stack)
        {
            // Deleting what is not there succeeds.
            return [];
        }
        var token = Optional(input, "ClientRequestToken");
        if (token is not null && stack.Tokens.GetValueOrDefault(token) == "DELETE_STACK")
        {
            return [];
        }
        if (stack.TerminationProtection || ProtectedRoot(stack) is not null)
        {
            throw Invalid(stack.TerminationProtection
                ? $"Stack [{stack.Name}] cannot be deleted while TerminationProtection is enabled"
                : $"Stack [{stack.Name}] cannot be deleted while TerminationProtection is enabled on its root stack [{ProtectedRoot(stack)}]");
        }
        var retain = Strings(input["RetainResources"]).ToHashSet(StringComparer.Ordinal);
        var force = Optional(input, "DeletionMode") == "FORCE_DELETE_STACK";
        Deployment? creating = null;
        lock (stack.Gate)
        {
            if (stack.Status == "DELETE_IN_PROGRESS")
            {
                return [];
            }
            if (retain.Count > 0 || force)
            {
                if (stack.Status != "DELETE_FAILED")
                {
                    throw Invalid(force
                        ? $"Invalid operation on stack [{stack.Id}]. When you use FORCE_DELETE_STACK, the stack must be in DELETE_FAILED state."
                        : $"Invalid operation on stack [{stack.Id}]. When you retain resources, the stack must be in the DELETE_FAILED state.");
                }
                if (retain.FirstOrDefault(logicalId => !stack.Resources.TryGetValue(logicalId, out var record) || record.Status != "DELETE_FAILED") is { } wrong)
                {
                    throw Invalid($"Resource [{wrong}] must be in the DELETE_FAILED state to be retained");
                }
            }
            if (stack.IsBusy && stack.Status is not ("CREATE_IN_PROGRESS" or "ROLLBACK_IN_PROGRESS"))
            {
                throw Invalid($"Stack [{stack.Id}] cannot be deleted while in status {stack.Status}");
            }
            if (stack.IsBusy)
            {
                creating = stack.Deployment;
                creating?.Cancel("delete");
            }
            stack.DeletionMode = force ? "FORCE_DELETE_STACK" : null;
            if (creating is null)
            {
                engine.BeginOperation(stack, "DELETE_STACK", token);
                engine.SetStatus(stack, "DELETE_IN_PROGRESS", "User Initiated");
            }
        }
        var inner = context.Detached();
        Runtime.Run(async _ =>
        {
            if (creating is not null)
            {
                await creating.Ended.Task.ConfigureAwait(false);
                engine.BeginOperation(stack, "DELETE_STACK", token);
            }
            await StackDeletion.RunAsync(engine, stack, inner, retain, force, announced: creating is null).ConfigureAwait(false);
        });
        return [];
    }

    private string? ProtectedRoot(StackRecord stack) =>
        stack.RootId is { } id && engine.Store(stack).Find(id) is { TerminationProtection: true } root ? root.Name : null;

    private JsonObject CancelUpdateStack(RequestContext context, JsonObject input)
    {
        var stack = Find(context, Text(input, "StackName"));
        lock (stack.Gate)
        {
            if (stack.Status != "UPDATE_IN_PROGRESS" || stack.Deployment is null)
            {
                throw Invalid($"CancelUpdateStack cannot be called from current stack status");
            }
            stack.Deployment.Cancel("user");
        }
        return [];
    }

    private JsonObject ContinueUpdateRollback(RequestContext context, JsonObject input)
    {
        var stack = Find(context, Text(input, "StackName"));
        var skip = Strings(input["ResourcesToSkip"]).ToHashSet(StringComparer.Ordinal);
        Deployment deployment;
        lock (stack.Gate)
        {
            if (stack.Status != "UPDATE_ROLLBACK_FAILED" || stack.Deployment is null)
            {
                throw Invalid($"Stack:{stack.Id} is in {stack.Status} state and can not continue update rollback.");
            }
            if (stack.IsNested)
            {
                throw Invalid("RollbackUpdatedStack cannot be invoked on child stacks");
            }
            if (skip.FirstOrDefault(name => !IsStuck(stack, name)) is { } wrong)
            {
                throw Invalid($"Resource [{wrong}] to skip is not in UPDATE_FAILED state");
            }
            deployment = stack.Deployment;
            engine.BeginOperation(stack, "CONTINUE_ROLLBACK", Optional(input, "ClientRequestToken"));
            // The state changes with the answer: a caller that waits must not see the failed one again.
            stack.Status = "UPDATE_ROLLBACK_IN_PROGRESS";
        }
        Runtime.Run(async _ => await UndoUpdateAsync(stack, deployment, "User Initiated", skip).ConfigureAwait(false));
        return [];
    }

    /// <summary>Whether the rollback stopped at a resource: LogicalId of the stack itself, NestedStackName.LogicalId of a nested one.</summary>
    private bool IsStuck(StackRecord stack, string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var holder = dot < 0 ? stack : engine.Store(stack).Find(name[..dot]) is { } nested && nested.RootId == stack.Id ? nested : null;
        return holder is not null && holder.Resources.TryGetValue(name[(dot + 1)..], out var record) && record.Status == "UPDATE_FAILED";
    }

    private JsonObject RollbackStack(RequestContext context, JsonObject input)
    {
        var stack = Find(context, Text(input, "StackName"));
        Deployment deployment;
        bool created;
        lock (stack.Gate)
        {
            if (stack.Status is not ("CREATE_FAILED" or "UPDATE_FAILED") || stack.Deployment is null)
            {
                throw Invalid($"Stack:{stack.Id} is in {stack.Status} state and can not be rolled back.");
            }
            deployment = stack.Deployment;
            created = stack.Status == "CREATE_FAILED";
            stack.RetainExceptOnCreate = Flag(input, "RetainExceptOnCreate") || stack.RetainExceptOnCreate;
            engine.BeginOperation(stack, "ROLLBACK", Optional(input, "ClientRequestToken"));
            // The state changes with the answer: a caller that waits must not see the failed one again.
            stack.Status = created ? "ROLLBACK_IN_PROGRESS" : "UPDATE_ROLLBACK_IN_PROGRESS";
        }
        Runtime.Run(_ => created
            ? UndoCreateAsync(stack, deployment, "User Initiated")
            : UndoUpdateAsync(stack, deployment, "User Initiated", null));
        return new JsonObject { ["StackId"] = stack.Id };
    }

    private JsonObject UpdateTerminationProtection(RequestContext context, JsonObject input)
    {
        var stack = Find(context, Text(input, "StackName"));
        if (stack.IsDeleted)
        {
            throw NoSuchStack(Text(input, "StackName"));
        }
        if (stack.IsNested)
        {
            throw Invalid($"Stack [{stack.Name}] is a nested stack: termination protection is set on its root stack");
        }
        stack.TerminationProtection = Flag(input, "EnableTerminationProtection");
        return new JsonObject { ["StackId"] = stack.Id };
    }

    /// <summary>A stack policy from a body or an S3 address, checked.</summary>
    private string? PolicyText(RequestContext context, JsonObject input, string body, string url)
    {
        var text = Optional(input, body) ?? (Optional(input, url) is { } address ? new S3TemplateSource(Runtime, context).ReadText(address, url, 16_384) : null);
        try
        {
            if (text is not null)
            {
                StackPolicy.Parse(text);
            }
            return text;
        }
        catch (FormatException e)
        {
            throw Invalid(e.Message);
        }
    }
}
