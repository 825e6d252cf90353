using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class CloudFormationService
{
    private const string NoChanges = "The submitted information didn't contain changes. Submit different information to create a change set.";
    private static readonly TimeSpan ChangeSetTakes = TimeSpan.FromSeconds(4);

    private void RegisterChangeSets()
    {
        On("CreateChangeSet", CreateChangeSetAsync);
        On("DescribeChangeSet", DescribeChangeSet);
        On("ListChangeSets", ListChangeSets);
        On("ExecuteChangeSet", ExecuteChangeSetAsync);
        On("DeleteChangeSet", DeleteChangeSet);
    }

    private (StackRecord Stack, ChangeSetRecord ChangeSet) FindChangeSet(RequestContext context, string nameOrId, string? stackName)
    {
        if (nameOrId.StartsWith("arn:", StringComparison.Ordinal))
        {
            foreach (var candidate in engine.Store(context).All)
            {
                lock (candidate.Gate)
                {
                    if (candidate.ChangeSets.Values.FirstOrDefault(changeSet => changeSet.Id == nameOrId) is { } byId)
                    {
                        return (candidate, byId);
                    }
                }
            }
            throw NoSuchChangeSet(nameOrId);
        }
        if (stackName is null)
        {
            throw Invalid("StackName must be specified if ChangeSetName is not specified as an ARN.");
        }
        var stack = engine.Store(context).Find(stackName) ?? throw Invalid($"Stack [{stackName}] does not exist");
        lock (stack.Gate)
        {
            return stack.ChangeSets.TryGetValue(nameOrId, out var found) ? (stack, found) : throw NoSuchChangeSet(nameOrId);
        }
    }

    private static ServiceFault NoSuchChangeSet(string name) => new("ChangeSetNotFound", $"ChangeSet [{name}] does not exist", 404);

    private async Task<JsonObject> CreateChangeSetAsync(RequestContext context, JsonObject input)
    {
        var stackName = Text(input, "StackName");
        var name = Text(input, "ChangeSetName");
        var type = Optional(input, "ChangeSetType") ?? "UPDATE";
        if (Optional(input, "DeploymentMode") is not null && type != "UPDATE")
        {
            throw Invalid($"DeploymentMode REVERT_DRIFT is not supported for change sets of type {type}.");
        }
        var store = engine.Store(context);
        var stack = store.Find(stackName) is { IsDeleted: false } live ? live : null;
        CheckChangeSetType(stack, stackName, name, type);
        if (stack?.ChangeSets.TryGetValue(name, out var existing) == true)
        {
            if (Optional(input, "ClientToken") is { } token && (string?)existing.Request["ClientToken"] == token)
            {
                return new JsonObject { ["Id"] = existing.Id, ["StackId"] = stack.Id };
            }
            throw new ServiceFault("AlreadyExistsException", $"ChangeSet {name} already exists");
        }
        var template = stack?.Definition is { } current
            ? NewTemplate(context, input, current.Template)
            : TemplateReader.Read(Runtime, context, input) ?? throw Invalid("Either Template URL or Template Body must be specified.");
        var definition = DefinitionOf(context, input, template, stack?.Definition);
        await CheckEvaluatesAsync(context, stack, stack?.Name ?? stackName, definition).ConfigureAwait(false);
        var imports = ImportsOf(input, template, type);
        if (stack is not null)
        {
            CheckTypes(stack, template);
        }
        else
        {
            CheckName(stackName);
            stack = new StackRecord
            {
                Id = StackStore.NewStackId(context, stackName),
                Name = stackName,
                AccountId = context.AccountId,
                Region = context.Region,
                Created = context.Now,
                Status = "REVIEW_IN_PROGRESS",
            };
            if (!store.TryAdd(stack))
            {
                throw new ServiceFault("AlreadyExistsException", $"Stack [{stackName}] already exists");
            }
            engine.SetStatus(stack, "REVIEW_IN_PROGRESS", "User Initiated");
        }
        var changeSet = NewChangeSet(context, input, name, type, definition, imports);
        lock (stack.Gate)
        {
            if (!stack.ChangeSets.TryAdd(name, changeSet))
            {
                throw new ServiceFault("AlreadyExistsException", $"ChangeSet {name} already exists");
            }
        }
        var inner = context.Detached();
        Runtime.Run(_ => BuildAsync(inner, stack, changeSet, definition));
        return new JsonObject { ["Id"] = changeSet.Id, ["StackId"] = stack.Id };
    }

    private static void CheckChangeSetType(StackRecord? stack, string stackName, string name, string type)
    {
        var reviewed = stack is { Status: "REVIEW_IN_PROGRESS" };
        if (type == "CREATE" && stack is not null && !reviewed)
        {
            throw Invalid($"Stack [{stackName}] already exists and cannot be created again with the changeSet [{name}].");
        }
        if (type == "UPDATE")
        {
            if (stack is null)
            {
                throw Invalid($"Stack [{stackName}] does not exist");
            }
            CheckUpdatable(stack);
        }
        if (type == "IMPORT" && stack is not null && !reviewed)
        {
            CheckUpdatable(stack);
        }
    }

    private ChangeSetRecord NewChangeSet(
        RequestContext context, JsonObject input, string name, string type, StackDefinition definition,
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> imports, string? parent = null, string? root = null) => new()
        {
            Id = context.Arn("cloudformation", $"changeSet/{name}/{Runtime.Ids.Uuid()}"),
            Name = name,
            Type = type,
            Created = Runtime.Clock.Now,
            Request = (JsonObject)input.DeepClone(),
            Description = Optional(input, "Description"),
            IncludeNestedStacks = Flag(input, "IncludeNestedStacks"),
            DeploymentMode = Optional(input, "DeploymentMode"),
            ImportExistingResources = Flag(input, "ImportExistingResources"),
            OnStackFailure = Optional(input, "OnStackFailure"),
            Definition = definition,
            Imports = imports,
            ParentId = parent,
            RootId = root,
        };

    private static Dictionary<string, IReadOnlyDictionary<string, string>> ImportsOf(JsonObject input, Template template, string type)
    {
        var imports = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var item in (input["ResourcesToImport"] as JsonArray ?? []).OfType<JsonObject>())
        {
            var logicalId = Text(item, "LogicalResourceId");
            if (!template.Resources.TryGetValue(logicalId, out var resource))
            {
                throw Invalid($"Resources [{logicalId}] passed in ResourceToImport are not present in the template");
            }
            if (resource.Type != Text(item, "ResourceType"))
            {
                throw Invalid($"Resource type of [{logicalId}] in ResourcesToImport does not match the template");
            }
            if (resource.DeletionPolicy is null)
            {
                throw Invalid($"Resources to import must have a DeletionPolicy attribute specified in the template: [{logicalId}]");
            }
            imports[logicalId] = ((JsonObject)item["ResourceIdentifier"]!).ToDictionary(pair => pair.Key, pair => Scalars.Text(pair.Value) ?? "");
        }
        if (type == "IMPORT" && imports.Count == 0)
        {
            throw Invalid("You must specify ResourcesToImport");
        }
        return type == "IMPORT" || imports.Count == 0 ? imports : throw Invalid("ResourcesToImport can only be specified for change sets of type IMPORT");
    }

    private async Task BuildAsync(RequestContext context, StackRecord stack, ChangeSetRecord changeSet, StackDefinition definition)
    {
        changeSet.Status = "CREATE_IN_PROGRESS";
        try
        {
            await Runtime.Clock.DelayAsync(ChangeSetTakes, context.Cancellation).ConfigureAwait(false);
            var builder = new ChangeSetBuilder(engine, context);
            changeSet.Live = changeSet.DeploymentMode is null ? null : await LiveStatesAsync(context, stack).ConfigureAwait(false);
            var comparison = await builder.CompareAsync(stack, definition, live: changeSet.Live).ConfigureAwait(false);
            if (!comparison.HasChanges)
            {
                FailChangeSet(changeSet, NoChanges);
                return;
            }
            if (changeSet.Type == "IMPORT" && NotImported(comparison, changeSet) is { } refused)
            {
                FailChangeSet(changeSet, refused);
                return;
            }
            if (changeSet.ImportExistingResources)
            {
                changeSet.Imports = await FindExistingAsync(context, stack, comparison).ConfigureAwait(false);
            }
            var nested = changeSet.IncludeNestedStacks
                ? AddNested(context, stack, changeSet, comparison, "", changeSet.Id)
                : new Dictionary<string, string>();
            changeSet.Changes = ChangeSetBuilder.Changes(comparison, "", stack, changeSet.Imports, nested);
            changeSet.ExecutionStatus = "AVAILABLE";
            changeSet.Status = "CREATE_COMPLETE";
        }
        catch (ServiceFault fault)
        {
            FailChangeSet(changeSet, fault.Message);
        }
        catch (OperationCanceledException)
        {
            FailChangeSet(changeSet, "The sandbox is stopping.");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Runtime.Report(e);
            FailChangeSet(changeSet, "Internal Failure: " + e.Message);
        }
    }

    private static void FailChangeSet(ChangeSetRecord changeSet, string reason)
    {
        changeSet.StatusReason = reason;
        changeSet.ExecutionStatus = "UNAVAILABLE";
        changeSet.Status = "FAILED";
    }

    /// <summary>An import does nothing but import.</summary>
    private static string? NotImported(StackComparison comparison, ChangeSetRecord changeSet)
    {
        if (comparison.OutputsChanged || (comparison.Before is null && comparison.After.Outputs.Count > 0))
        {
            return "As part of the import operation, you cannot modify or add [Outputs]";
        }
        var others = comparison.Difference.Changes.Where(change => change.Action != ChangeAction.Add || !changeSet.Imports.ContainsKey(change.Path)).ToList();
        if (others.Where(change => change.Action == ChangeAction.Add).Select(change => change.Path).ToList() is { Count: > 0 } added)
        {
            return $"Resources [{string.Join(", ", added)}] is missing from ResourceToImport list";
        }
        return others.Count > 0
            ? $"You have modified resources [{string.Join(", ", others.Select(change => change.Path))}] in your template that are not being imported. Update, create or delete operations cannot be executed during import operations."
            : null;
    }

    private async Task<IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>> FindExistingAsync(RequestContext context, StackRecord stack, StackComparison comparison)
    {
        var found = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal);
        foreach (var change in comparison.Difference.Changes.Where(change => change.Action == ChangeAction.Add && !change.Path.Contains('/', StringComparison.Ordinal)))
        {
            var specification = ResourceSpecification.Default.Find(change.Type);
            var provider = Runtime.Provider(change.Type);
            if (provider is null || specification is not { PrimaryIdentifier.Count: > 0 })
            {
                continue;
            }
            var identifier = specification.PrimaryIdentifier.ToDictionary(name => name, name => change.After!.Properties[name]?.AsString());
            if (identifier.Values.Any(value => value is null))
            {
                continue;
            }
            var known = identifier.ToDictionary(pair => pair.Key, pair => pair.Value!);
            var provision = new ProvisionContext { Request = context, StackName = stack.Name, StackId = stack.Id, LogicalId = change.LogicalId, ClientToken = "import" };
            if (change.After!.DeletionPolicy != "Delete" && await provider.ImportAsync(provision, known, change.After.Properties.ToJsonObject()).ConfigureAwait(false) is not null)
            {
                found[change.LogicalId] = known;
            }
        }
        return found;
    }

    /// <summary>Change sets for the nested stacks; new nested stacks come under review.</summary>
    private Dictionary<string, string> AddNested(
        RequestContext context, StackRecord stack, ChangeSetRecord parent, StackComparison comparison, string path, string rootId)
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        var after = ChangeSetBuilder.StackAt(comparison.After, path);
        foreach (var (logicalId, nested) in after?.NestedStacks ?? new Dictionary<string, EvaluatedStack>())
        {
            // Each nested stack has one, also where nothing in it changes: its template might be another one.
            var inside = path + logicalId + "/";
            var child = ExistingChild(stack, logicalId) ?? Reviewed(context, stack, logicalId);
            var input = new JsonObject { ["IncludeNestedStacks"] = true, ["DeploymentMode"] = parent.DeploymentMode };
            var name = $"{parent.Name}-{logicalId}-{Runtime.Ids.Upper(12)}";
            name = name.Length <= 128 ? name : name[^128..].TrimStart('-');
            var definition = new StackDefinition
            {
                Template = nested.Template,
                Parameters = nested.Parameters.ToDictionary(pair => pair.Key, pair => ValueRendering.Scalar(pair.Value.Value) ?? ""),
                Tags = parent.Definition!.Tags,
                Capabilities = parent.Definition.Capabilities,
            };
            var changeSet = NewChangeSet(context, input, name, child.Definition is null ? "CREATE" : "UPDATE", definition, new Dictionary<string, IReadOnlyDictionary<string, string>>(), parent.Id, rootId);
            changeSet.Changes = ChangeSetBuilder.Changes(comparison, inside, child, changeSet.Imports, AddNested(context, child, changeSet, comparison, inside, rootId));
            changeSet.Status = "CREATE_COMPLETE";
            changeSet.ExecutionStatus = "AVAILABLE";
            lock (child.Gate)
            {
                child.ChangeSets[name] = changeSet;
            }
            parent.Nested[logicalId] = (child.Id, changeSet.Id);
            ids[logicalId] = changeSet.Id;
        }
        return ids;
    }

    private StackRecord? ExistingChild(StackRecord stack, string logicalId)
    {
        lock (stack.Gate)
        {
            return stack.Resources.TryGetValue(logicalId, out var record) && record is { IsNestedStack: true, PhysicalId: { } id } ? engine.Store(stack).Find(id) : null;
        }
    }

    private StackRecord Reviewed(RequestContext context, StackRecord stack, string logicalId)
    {
        lock (stack.Gate)
        {
            if (stack.PreparedChildren.TryGetValue(logicalId, out var id) && engine.Store(stack).Find(id) is { Status: "REVIEW_IN_PROGRESS" } prepared)
            {
                return prepared;
            }
            var child = Deployment.NewChild(engine, stack, logicalId, context);
            stack.PreparedChildren[logicalId] = child.Id;
            engine.SetStatus(child, "REVIEW_IN_PROGRESS", "User Initiated");
            return child;
        }
    }

    private JsonObject DescribeChangeSet(RequestContext context, JsonObject input)
    {
        var (stack, changeSet) = FindChangeSet(context, Text(input, "ChangeSetName"), Optional(input, "StackName"));
        var values = Flag(input, "IncludePropertyValues");
        var (items, next) = Page(changeSet.Changes, Optional(input, "NextToken"));
        var output = Summary(stack, changeSet);
        output["Parameters"] = changeSet.Definition is null ? null : Parameters(changeSet.Definition);
        output["NotificationARNs"] = Array((changeSet.Definition?.NotificationArns ?? []).Select(arn => (JsonNode?)arn));
        output["RollbackConfiguration"] = changeSet.Definition?.RollbackConfiguration?.DeepClone() ?? new JsonObject();
        output["Capabilities"] = Array((changeSet.Definition?.Capabilities ?? []).Select(capability => (JsonNode?)capability));
        output["Tags"] = Array((changeSet.Definition?.Tags ?? new Dictionary<string, string>()).Select(tag => (JsonNode?)Tag(tag)));
        output["Changes"] = Array(items.Select(change => values ? change.DeepClone() : ChangeSetBuilder.WithoutValues(change)));
        output["NextToken"] = next;
        output["OnStackFailure"] = changeSet.OnStackFailure;
        output["DeploymentConfig"] = changeSet.Request["DeploymentConfig"]?.DeepClone();
        output["DeploymentMode"] = changeSet.DeploymentMode;
        output["StackDriftStatus"] = changeSet.Live is null ? null : changeSet.Live.Count > 0 ? "DRIFTED" : "IN_SYNC";
        return output;
    }

    private static JsonObject Summary(StackRecord stack, ChangeSetRecord changeSet) => new()
    {
        ["ChangeSetName"] = changeSet.Name,
        ["ChangeSetId"] = changeSet.Id,
        ["StackId"] = stack.Id,
        ["StackName"] = stack.Name,
        ["Description"] = changeSet.Description,
        ["CreationTime"] = Scalars.Timestamp(changeSet.Created),
        ["ExecutionStatus"] = changeSet.ExecutionStatus,
        ["Status"] = changeSet.Status,
        ["StatusReason"] = changeSet.StatusReason,
        ["IncludeNestedStacks"] = changeSet.IncludeNestedStacks,
        ["ParentChangeSetId"] = changeSet.ParentId,
        ["RootChangeSetId"] = changeSet.RootId,
        ["ImportExistingResources"] = changeSet.ImportExistingResources,
    };

    private JsonObject ListChangeSets(RequestContext context, JsonObject input)
    {
        var name = Text(input, "StackName");
        var stack = engine.Store(context).Find(name) ?? throw Invalid($"Stack [{name}] does not exist");
        lock (stack.Gate)
        {
            var (items, next) = Page(stack.ChangeSets.Values.OrderByDescending(changeSet => changeSet.Created).ToList(), Optional(input, "NextToken"));
            return new JsonObject { ["Summaries"] = Array(items.Select(changeSet => (JsonNode?)Summary(stack, changeSet))), ["NextToken"] = next };
        }
    }

    private async Task<JsonObject> ExecuteChangeSetAsync(RequestContext context, JsonObject input)
    {
        var (stack, changeSet) = FindChangeSet(context, Text(input, "ChangeSetName"), Optional(input, "StackName"));
        var token = Optional(input, "ClientRequestToken");
        if (token is not null && stack.Tokens.ContainsKey(token))
        {
            return [];
        }
        if (changeSet.ParentId is not null)
        {
            throw Invalid($"ChangeSet [{changeSet.Id}] is a nested change set; execute its root change set [{changeSet.RootId}] instead");
        }
        if (changeSet.Status != "CREATE_COMPLETE" || changeSet.ExecutionStatus != "AVAILABLE")
        {
            throw new ServiceFault("InvalidChangeSetStatus", $"ChangeSet [{changeSet.Id}] cannot be executed in its current status of [{(changeSet.ExecutionStatus == "AVAILABLE" ? changeSet.Status : changeSet.Status == "CREATE_COMPLETE" ? changeSet.ExecutionStatus : changeSet.Status)}]");
        }
        var created = stack.Definition is null;
        if (!created)
        {
            CheckUpdatable(stack);
        }
        var definition = changeSet.Definition!;
        await CheckEvaluatesAsync(context, stack, stack.Name, definition).ConfigureAwait(false);
        Deployment deployment;
        lock (stack.Gate)
        {
            if (stack.IsBusy || changeSet.ExecutionStatus != "AVAILABLE")
            {
                throw Invalid($"Stack:{stack.Id} is in {stack.Status} state and can not be updated.");
            }
            SetExecution(stack, changeSet, "EXECUTE_IN_PROGRESS");
            Obsolete(stack, changeSet);
            stack.ChangeSetId = changeSet.Id;
            stack.DeploymentConfig = (JsonObject?)changeSet.Request["DeploymentConfig"]?.DeepClone();
            stack.DisableRollback = Flag(input, "DisableRollback") || RollbackDisabled(changeSet.Request) || changeSet.OnStackFailure == "DO_NOTHING";
            stack.RetainExceptOnCreate = Flag(input, "RetainExceptOnCreate");
            if (created)
            {
                stack.OnFailure = changeSet.OnStackFailure ?? "ROLLBACK";
            }
            else
            {
                stack.Updated = context.Now;
            }
            if (changeSet.Live is { } live)
            {
                Adopt(stack, live);
            }
            var import = changeSet.Type == "IMPORT";
            engine.BeginOperation(stack, created ? "CREATE_STACK" : "UPDATE_STACK", token);
            engine.SetStatus(stack, import ? "IMPORT_IN_PROGRESS" : created ? "CREATE_IN_PROGRESS" : "UPDATE_IN_PROGRESS", "User Initiated");
            deployment = new Deployment(engine, stack, context.Detached(), import ? DeploymentKind.Import : created ? DeploymentKind.Create : DeploymentKind.Update, definition)
            {
                Imports = changeSet.Imports,
                Policy = created || stack.Policy is null ? null : StackPolicy.Parse(stack.Policy),
            };
        }
        Runtime.Run(async _ =>
        {
            await (deployment.Kind == DeploymentKind.Create ? RunCreateAsync(stack, deployment) : RunUpdateAsync(stack, deployment)).ConfigureAwait(false);
            SetExecution(stack, changeSet, stack.Status is "CREATE_COMPLETE" or "UPDATE_COMPLETE" or "IMPORT_COMPLETE" ? "EXECUTE_COMPLETE" : "EXECUTE_FAILED");
        });
        return [];
    }

    /// <summary>The execution status of a change set and of its nested ones.</summary>
    private void SetExecution(StackRecord stack, ChangeSetRecord changeSet, string status)
    {
        changeSet.ExecutionStatus = status;
        foreach (var (childId, nestedId) in changeSet.Nested.Values)
        {
            if (engine.Store(stack).Find(childId) is { } child)
            {
                ChangeSetRecord? nested;
                lock (child.Gate)
                {
                    nested = child.ChangeSets.Values.FirstOrDefault(candidate => candidate.Id == nestedId);
                }
                if (nested is not null)
                {
                    SetExecution(child, nested, status);
                }
            }
        }
    }

    /// <summary>Once a stack changes, the change sets made before describe what is no longer so.</summary>
    private void Obsolete(StackRecord stack, ChangeSetRecord? executed)
    {
        foreach (var changeSet in stack.ChangeSets.Values.Where(changeSet => !ReferenceEquals(changeSet, executed)).ToList())
        {
            Remove(stack, changeSet);
        }
    }

    private JsonObject DeleteChangeSet(RequestContext context, JsonObject input)
    {
        StackRecord stack;
        ChangeSetRecord changeSet;
        try
        {
            (stack, changeSet) = FindChangeSet(context, Text(input, "ChangeSetName"), Optional(input, "StackName"));
        }
        catch (ServiceFault fault) when (fault.Code == "ChangeSetNotFound")
        {
            // Deleting what is not there succeeds.
            return [];
        }
        if (changeSet.ExecutionStatus == "EXECUTE_IN_PROGRESS" || changeSet.Status is "CREATE_PENDING" or "CREATE_IN_PROGRESS")
        {
            throw new ServiceFault("InvalidChangeSetStatus", $"ChangeSet [{changeSet.Id}] cannot be deleted in its current status of [{(changeSet.ExecutionStatus == "EXECUTE_IN_PROGRESS" ? changeSet.ExecutionStatus : changeSet.Status)}]");
        }
        if (changeSet.ParentId is not null)
        {
            throw Invalid($"ChangeSet [{changeSet.Id}] is a nested change set; delete its root change set [{changeSet.RootId}] instead");
        }
        Remove(stack, changeSet);
        return [];
    }

    private void Remove(StackRecord stack, ChangeSetRecord changeSet)
    {
        lock (stack.Gate)
        {
            stack.ChangeSets.Remove(changeSet.Name);
        }
        foreach (var (logicalId, (childId, nestedId)) in changeSet.Nested)
        {
            if (engine.Store(stack).Find(childId) is not { } child)
            {
                continue;
            }
            ChangeSetRecord? nested;
            lock (child.Gate)
            {
                nested = child.ChangeSets.Values.FirstOrDefault(candidate => candidate.Id == nestedId);
            }
            if (nested is not null)
            {
                Remove(child, nested);
            }
            if (child is { Status: "REVIEW_IN_PROGRESS", ChangeSets.Count: 0 })
            {
                // A nested stack that existed only for this change set.
                lock (stack.Gate)
                {
                    stack.PreparedChildren.Remove(logicalId);
                }
                engine.Store(stack).Forget(child);
            }
        }
    }
}
