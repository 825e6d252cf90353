using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class CloudFormationService
{
    private static readonly TimeSpan DeletedStacksAreListedFor = TimeSpan.FromDays(90);

    private void RegisterQueries()
    {
        On("DescribeStacks", DescribeStacks);
        On("ListStacks", ListStacks);
        On("DescribeStackEvents", DescribeStackEvents);
        On("DescribeEvents", DescribeEvents);
        On("DescribeStackResource", DescribeStackResource);
        On("DescribeStackResources", DescribeStackResources);
        On("ListStackResources", ListStackResources);
        On("ListExports", ListExports);
        On("ListImports", ListImports);
        On("DescribeAccountLimits", (_, _) => new JsonObject
        {
            ["AccountLimits"] = Array(new (string Name, int Value)[] { ("StackLimit", 2000), ("StackOutputsLimit", 200), ("ConcurrentResourcesLimit", 10_000) }
                .Select(limit => (JsonNode?)new JsonObject { ["Name"] = limit.Name, ["Value"] = limit.Value })),
        });
    }

    private JsonObject DescribeStacks(RequestContext context, JsonObject input)
    {
        if (Optional(input, "StackName") is { Length: > 0 } name)
        {
            return new JsonObject { ["Stacks"] = new JsonArray(Describe(Find(context, name))) };
        }
        var live = engine.Store(context).All.Where(stack => !stack.IsDeleted).ToList();
        var (items, next) = Page(live, Optional(input, "NextToken"));
        return new JsonObject { ["Stacks"] = Array(items.Select(stack => (JsonNode?)Describe(stack))), ["NextToken"] = next };
    }

    private static JsonObject Describe(StackRecord stack)
    {
        lock (stack.Gate)
        {
            var definition = stack.Definition;
            return new JsonObject
            {
                ["StackId"] = stack.Id,
                ["StackName"] = stack.Name,
                ["ChangeSetId"] = stack.ChangeSetId,
                ["Description"] = definition?.Template.Description,
                ["Parameters"] = definition is null ? null : Parameters(definition),
                ["CreationTime"] = Scalars.Timestamp(stack.Created),
                ["DeletionTime"] = stack.Deleted is { } deleted ? Scalars.Timestamp(deleted) : null,
                ["LastUpdatedTime"] = stack.Updated is { } updated ? Scalars.Timestamp(updated) : null,
                ["RollbackConfiguration"] = stack.Definition?.RollbackConfiguration?.DeepClone() ?? new JsonObject(),
                ["StackStatus"] = stack.Status,
                ["StackStatusReason"] = stack.Reason,
                ["DisableRollback"] = stack.DisableRollback,
                ["DeploymentConfig"] = stack.DeploymentConfig?.DeepClone(),
                ["NotificationARNs"] = Array((definition?.NotificationArns ?? []).Select(arn => (JsonNode?)arn)),
                ["TimeoutInMinutes"] = stack.TimeoutInMinutes,
                ["Capabilities"] = definition is null || definition.Capabilities.Count == 0 ? null : Array(definition.Capabilities.Select(capability => (JsonNode?)capability)),
                ["Outputs"] = stack.Outputs.Count == 0 ? null : Array(stack.Outputs.Select(Output)),
                ["RoleARN"] = definition?.RoleArn,
                ["Tags"] = Array((definition?.Tags ?? new Dictionary<string, string>()).Select(Tag)),
                ["EnableTerminationProtection"] = stack.TerminationProtection,
                ["ParentId"] = stack.ParentId,
                ["RootId"] = stack.RootId,
                ["DriftInformation"] = DriftInformation(stack),
                ["RetainExceptOnCreate"] = stack.RetainExceptOnCreate ? true : null,
                ["DeletionMode"] = stack.DeletionMode,
                ["LastOperations"] = stack.LastOperations.Count == 0 ? null : Array(stack.LastOperations.Select(operation =>
                    (JsonNode?)new JsonObject { ["OperationType"] = operation.Type, ["OperationId"] = operation.Id })),
            };
        }
    }

    private static JsonArray Parameters(StackDefinition definition) => Array(definition.Template.Parameters.Values
        .Where(parameter => definition.Parameters.ContainsKey(parameter.Name))
        .Select(parameter => (JsonNode?)new JsonObject
        {
            ["ParameterKey"] = parameter.Name,
            ["ParameterValue"] = parameter.NoEcho ? ValueRendering.Mask : definition.Parameters[parameter.Name],
        }));

    private static JsonObject Output(EvaluatedOutput output) => new()
    {
        ["OutputKey"] = output.Name,
        ["OutputValue"] = ValueRendering.Scalar(output.Value) ?? "",
        ["Description"] = output.Description,
        ["ExportName"] = output.ExportName,
    };

    private static JsonObject Tag(KeyValuePair<string, string> tag) => new() { ["Key"] = tag.Key, ["Value"] = tag.Value };

    private static JsonObject DriftInformation(StackRecord stack)
    {
        var information = new JsonObject { ["StackDriftStatus"] = stack.DriftStatus };
        if (stack.DriftChecked is { } time)
        {
            information["LastCheckTimestamp"] = Scalars.Timestamp(time);
        }
        return information;
    }

    private JsonObject ListStacks(RequestContext context, JsonObject input)
    {
        var filter = Strings(input["StackStatusFilter"]).ToHashSet(StringComparer.Ordinal);
        var since = context.Now - DeletedStacksAreListedFor;
        var stacks = engine.Store(context).All
            .Where(stack => (filter.Count == 0 || filter.Contains(stack.Status)) && (stack.Deleted is null || stack.Deleted >= since))
            .ToList();
        var (items, next) = Page(stacks, Optional(input, "NextToken"));
        return new JsonObject
        {
            ["StackSummaries"] = Array(items.Select(stack =>
            {
                lock (stack.Gate)
                {
                    return (JsonNode?)new JsonObject
                    {
                        ["StackId"] = stack.Id,
                        ["StackName"] = stack.Name,
                        ["TemplateDescription"] = stack.Definition?.Template.Description,
                        ["CreationTime"] = Scalars.Timestamp(stack.Created),
                        ["LastUpdatedTime"] = stack.Updated is { } updated ? Scalars.Timestamp(updated) : null,
                        ["DeletionTime"] = stack.Deleted is { } deleted ? Scalars.Timestamp(deleted) : null,
                        ["StackStatus"] = stack.Status,
                        ["StackStatusReason"] = stack.Reason,
                        ["ParentId"] = stack.ParentId,
                        ["RootId"] = stack.RootId,
                        ["DriftInformation"] = DriftInformation(stack),
                    };
                }
            })),
            ["NextToken"] = next,
        };
    }

    /// <summary>The history, newest first. A page's token keeps its place while new events arrive.</summary>
    private JsonObject DescribeStackEvents(RequestContext context, JsonObject input)
    {
        var name = Optional(input, "StackName") ?? throw Invalid("1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null");
        var stack = engine.Store(context).Find(name) ?? throw Invalid($"Stack [{name}] does not exist");
        var (events, next) = Events(stack, Optional(input, "NextToken"), static _ => true);
        return new JsonObject { ["StackEvents"] = Array(events.Select(item => (JsonNode?)item.ToJson(stack))), ["NextToken"] = next };
    }

    private static (List<StackEventRecord> Events, string? Next) Events(StackRecord stack, string? token, Func<StackEventRecord, bool> condition)
    {
        lock (stack.Gate)
        {
            var from = stack.Events.Count - 1;
            if (token is not null)
            {
                from = DecodePosition(token);
            }
            var page = new List<StackEventRecord>();
            var at = Math.Min(from, stack.Events.Count - 1);
            for (; at >= 0 && page.Count < PageSize; at--)
            {
                if (condition(stack.Events[at]))
                {
                    page.Add(stack.Events[at]);
                }
            }
            return (page, at >= 0 ? Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"at:{at}")) : null);
        }
    }

    private static int DecodePosition(string token)
    {
        try
        {
            var text = System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(token));
            if (text.StartsWith("at:", StringComparison.Ordinal) && int.TryParse(text["at:".Length..], out var position) && position >= 0)
            {
                return position;
            }
        }
        catch (FormatException)
        {
            // Answered below.
        }
        throw Invalid("Invalid next token");
    }

    /// <summary>The newer form of the history: by operation, with the operation's type, filtered to failures if wished.</summary>
    private JsonObject DescribeEvents(RequestContext context, JsonObject input)
    {
        var operation = Optional(input, "OperationId");
        StackRecord? stack;
        if (Optional(input, "StackName") is { } name)
        {
            stack = Find(context, name);
        }
        else if (Optional(input, "ChangeSetName") is { } changeSet)
        {
            stack = FindChangeSet(context, changeSet, null).Stack;
        }
        else if (operation is not null)
        {
            stack = engine.Store(context).All.FirstOrDefault(candidate => candidate.LastOperations.Any(last => last.Id == operation)
                || candidate.Events.ToArray().Any(item => item.OperationId == operation))
                ?? throw Invalid($"Operation [{operation}] does not exist");
        }
        else
        {
            throw Invalid("Either StackName, ChangeSetName or OperationId must be specified");
        }
        var failures = Scalars.TryBoolean(input["Filters"]?["FailedEvents"], out var flag) && flag;
        var (events, next) = Events(stack, Optional(input, "NextToken"), item => (operation is null || item.OperationId == operation) && (!failures || item.IsFailure));
        return new JsonObject { ["OperationEvents"] = Array(events.Select(item => (JsonNode?)OperationEvent(stack, item))), ["NextToken"] = next };
    }

    private static JsonObject OperationEvent(StackRecord stack, StackEventRecord item)
    {
        var own = item.LogicalId == stack.Name && item.PhysicalId == stack.Id;
        var json = item.ToJson(stack);
        json.Remove("StackName");
        json["OperationType"] = item.OperationType;
        json["EventType"] = own ? "STACK_EVENT" : item.IsFailure ? "PROVISIONING_ERROR" : "PROGRESS_EVENT";
        if (own)
        {
            json["OperationStatus"] = item.Status switch
            {
                "CREATE_COMPLETE" or "UPDATE_COMPLETE" or "DELETE_COMPLETE" or "IMPORT_COMPLETE" => "SUCCEEDED",
                _ when item.IsFailure || item.Status.Contains("ROLLBACK", StringComparison.Ordinal) => "FAILED",
                _ => "IN_PROGRESS",
            };
        }
        return json;
    }

    private JsonObject DescribeStackResource(RequestContext context, JsonObject input)
    {
        var stack = FindForResources(context, Text(input, "StackName"));
        var logicalId = Text(input, "LogicalResourceId");
        lock (stack.Gate)
        {
            var record = stack.Resources.GetValueOrDefault(logicalId) ?? (stack.IsDeleted ? stack.Gone.Find(gone => gone.LogicalId == logicalId) : null)
                ?? throw Invalid($"Resource {logicalId} does not exist for stack {stack.Name}");
            var detail = Resource(stack, record, "LastUpdatedTimestamp");
            detail["Metadata"] = record.Metadata is null ? null : ValueRendering.Text(record.Metadata);
            return new JsonObject { ["StackResourceDetail"] = detail };
        }
    }

    private JsonObject DescribeStackResources(RequestContext context, JsonObject input)
    {
        var name = Optional(input, "StackName");
        var physicalId = Optional(input, "PhysicalResourceId");
        if (name is not null && physicalId is not null)
        {
            throw Invalid("StackName and PhysicalResourceId cannot be specified together");
        }
        var stack = name is not null ? FindForResources(context, name)
            : physicalId is null ? throw Invalid("Either StackName or PhysicalResourceId must be specified")
            : engine.Store(context).All.OrderBy(candidate => candidate.IsDeleted).FirstOrDefault(candidate => candidate.Resources.Values.ToArray().Any(record => record.PhysicalId == physicalId))
                ?? throw Invalid($"Stack for {physicalId} does not exist");
        var logicalId = Optional(input, "LogicalResourceId");
        lock (stack.Gate)
        {
            return new JsonObject
            {
                ["StackResources"] = Array(Listed(stack).Where(record => logicalId is null || record.LogicalId == logicalId).Take(PageSize)
                    .Select(record => (JsonNode?)Resource(stack, record, "Timestamp"))),
            };
        }
    }

    private JsonObject ListStackResources(RequestContext context, JsonObject input)
    {
        var stack = FindForResources(context, Text(input, "StackName"));
        lock (stack.Gate)
        {
            var (items, next) = Page(Listed(stack).ToList(), Optional(input, "NextToken"));
            return new JsonObject
            {
                ["StackResourceSummaries"] = Array(items.Select(record =>
                {
                    var summary = Resource(stack, record, "LastUpdatedTimestamp");
                    summary.Remove("StackName");
                    summary.Remove("StackId");
                    return (JsonNode?)summary;
                })),
                ["NextToken"] = next,
            };
        }
    }

    private StackRecord FindForResources(RequestContext context, string name) =>
        engine.Store(context).Find(name) ?? throw Invalid($"Stack '{name}' does not exist");

    private static IEnumerable<ResourceRecord> Listed(StackRecord stack) =>
        stack.Resources.Values.Concat(stack.Gone.Where(gone => !stack.Resources.ContainsKey(gone.LogicalId))).OrderBy(record => record.LogicalId, StringComparer.Ordinal);

    private static JsonObject Resource(StackRecord stack, ResourceRecord record, string timestamp)
    {
        var drift = new JsonObject { ["StackResourceDriftStatus"] = (string?)record.Drift?["StackResourceDriftStatus"] ?? "NOT_CHECKED" };
        if (record.DriftChecked is { } time)
        {
            drift["LastCheckTimestamp"] = Scalars.Timestamp(time);
        }
        return new JsonObject
        {
            ["StackName"] = stack.Name,
            ["StackId"] = stack.Id,
            ["LogicalResourceId"] = record.LogicalId,
            ["PhysicalResourceId"] = record.PhysicalId,
            ["ResourceType"] = record.Type,
            [timestamp] = Scalars.Timestamp(record.Timestamp),
            ["ResourceStatus"] = record.Status,
            ["ResourceStatusReason"] = record.Reason,
            ["DriftInformation"] = drift,
        };
    }

    private JsonObject ListExports(RequestContext context, JsonObject input)
    {
        var exports = engine.Store(context).All.Where(stack => !stack.IsDeleted)
            .SelectMany(stack => stack.Outputs.Where(output => output.ExportName is not null).Select(output => (Stack: stack, Output: output)))
            .OrderBy(pair => pair.Output.ExportName, StringComparer.Ordinal).ToList();
        var (items, next) = Page(exports, Optional(input, "NextToken"));
        return new JsonObject
        {
            ["Exports"] = Array(items.Select(pair => (JsonNode?)new JsonObject
            {
                ["ExportingStackId"] = pair.Stack.Id,
                ["Name"] = pair.Output.ExportName,
                ["Value"] = pair.Output.Value.AsString(),
            })),
            ["NextToken"] = next,
        };
    }

    private JsonObject ListImports(RequestContext context, JsonObject input)
    {
        var name = Text(input, "ExportName");
        var store = engine.Store(context);
        if (store.FindExport(name) is null)
        {
            throw Invalid($"No export named {name} found.");
        }
        var users = store.Importers(name).Select(stack => stack.Name).ToList();
        if (users.Count == 0)
        {
            throw Invalid($"Export '{name}' is not imported by any stack.");
        }
        var (items, next) = Page(users, Optional(input, "NextToken"));
        return new JsonObject { ["Imports"] = Array(items.Select(user => (JsonNode?)user)), ["NextToken"] = next };
    }
}
