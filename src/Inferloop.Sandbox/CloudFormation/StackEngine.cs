using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>What all operations on stacks share: the stacks, their events, evaluation of their templates.</summary>
internal sealed class StackEngine(SandboxRuntime runtime)
{
    private readonly ConcurrentDictionary<(string Account, string Region), StackStore> stores = new();

    public SandboxRuntime Runtime => runtime;

    public StackStore Store(RequestContext context) => Store(context.AccountId, context.Region);

    public StackStore Store(string accountId, string region) => stores.GetOrAdd((accountId, region), static _ => new StackStore());

    public StackStore Store(StackRecord stack) => Store(stack.AccountId, stack.Region);

    /// <summary>Sets a stack's status and writes it to its history.</summary>
    public void SetStatus(StackRecord stack, string status, string? reason = null)
    {
        lock (stack.Gate)
        {
            stack.Status = status;
            stack.Reason = reason;
            stack.Events.Add(new StackEventRecord(
                runtime.Ids.Uuid(), runtime.Clock.Now, stack.Name, stack.Id, "AWS::CloudFormation::Stack", status, reason, null, stack.ClientRequestToken, stack.OperationId, stack.OperationType));
        }
    }

    /// <summary>Sets a resource's status and writes it to the stack's history.</summary>
    public void SetStatus(StackRecord stack, ResourceRecord record, string status, string? reason = null)
    {
        var now = runtime.Clock.Now;
        lock (stack.Gate)
        {
            record.Status = status;
            record.Reason = reason;
            record.Timestamp = now;
            AddEvent(stack, record, record.PhysicalId, status, reason, now);
        }
    }

    /// <summary>Writes an event of a resource to the history without touching its status (for the old one of a replaced pair).</summary>
    public void AddEvent(StackRecord stack, ResourceRecord record, string? physicalId, string status, string? reason)
    {
        lock (stack.Gate)
        {
            AddEvent(stack, record, physicalId, status, reason, runtime.Clock.Now);
        }
    }

    private static void AddEvent(StackRecord stack, ResourceRecord record, string? physicalId, string status, string? reason, DateTimeOffset now)
    {
        var properties = status.StartsWith("DELETE", StringComparison.Ordinal) && stack.Status.StartsWith("DELETE", StringComparison.Ordinal) ? null : record.ShownProperties;
        var id = string.Create(CultureInfo.InvariantCulture, $"{record.LogicalId}-{status}-{now.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}");
        if (stack.Events.Count > 0 && stack.Events[^1].EventId.StartsWith(id, StringComparison.Ordinal))
        {
            // Two events of one resource within a millisecond still have ids of their own.
            id += "-" + stack.Events.Count.ToString(CultureInfo.InvariantCulture);
        }
        stack.Events.Add(new StackEventRecord(
            id, now, record.LogicalId, physicalId, record.Type, status, reason, properties, stack.ClientRequestToken, stack.OperationId, stack.OperationType));
    }

    /// <summary>Begins an operation: its id goes on the events that follow.</summary>
    public string BeginOperation(StackRecord stack, string type, string? token)
    {
        lock (stack.Gate)
        {
            stack.OperationId = runtime.Ids.Uuid();
            stack.OperationType = type;
            stack.ClientRequestToken = token;
            stack.LastOperations.RemoveAll(operation => operation.Type == type);
            stack.LastOperations.Add((type, stack.OperationId));
            if (token is not null)
            {
                stack.Tokens[token] = type;
            }
            return stack.OperationId;
        }
    }

    /// <summary>Evaluates a stack's template with what is known of its resources.</summary>
    /// <param name="context">The caller.</param>
    /// <param name="stack">The stack; null where it does not exist yet.</param>
    /// <param name="name">The stack's name.</param>
    /// <param name="definition">Template and parameters.</param>
    /// <param name="nested">Where nested templates come from; null leaves nested stacks unexpanded.</param>
    /// <param name="imports">Filled with the names of imported values.</param>
    public async Task<EvaluatedStack> EvaluateAsync(
        RequestContext context, StackRecord? stack, string name, StackDefinition definition, INestedTemplateSource? nested, ISet<string>? imports = null)
    {
        var store = Store(context);
        var used = imports ?? new HashSet<string>(StringComparer.Ordinal);
        return await StackEvaluator.EvaluateAsync(
            definition.Template,
            new EvaluationContext
            {
                StackName = name,
                StackId = stack?.Id,
                Region = context.Region,
                AccountId = context.AccountId,
                Partition = context.Partition,
                Parameters = definition.Parameters,
                NotificationArns = definition.NotificationArns,
                Imports = export =>
                {
                    lock (used)
                    {
                        used.Add(export);
                    }
                    return store.FindExport(export)?.Output.Value;
                },
                DynamicReferences = (service, reference) => Resolve(context, service, reference),
                Resources = new StackValues(stack, store),
                NestedTemplates = nested,
            },
            context.Cancellation).ConfigureAwait(false);
    }

    /// <summary>The value behind <c>{{resolve:…}}</c>, asked of the sandbox's own services; null when it is not there.</summary>
    private StringValue? Resolve(RequestContext context, string service, string reference)
    {
        var inside = context.WithCancellation(runtime.Stopping);
        try
        {
            switch (service)
            {
                case "ssm" or "ssm-secure" when runtime.Service("ssm") is { } ssm && ssm.Implements("GetParameter"):
                    var found = Wait(ssm.InvokeAsync(inside, "GetParameter", new JsonObject { ["Name"] = reference, ["WithDecryption"] = true }));
                    return (string?)found["Parameter"]?["Value"] is { } text ? new StringValue(text, isSecret: service == "ssm-secure") : null;
                case "secretsmanager" when runtime.Service("secretsmanager") is { } secrets && secrets.Implements("GetSecretValue"):
                    return Secret(inside, secrets, reference);
                default:
                    return null;
            }
        }
        catch (ServiceFault)
        {
            // What cannot be resolved stays as it is written; provisioning reports it on the resource that needs it.
            return null;
        }
    }

    private static StringValue? Secret(RequestContext context, SandboxService secrets, string reference)
    {
        // secret-id:SecretString:json-key:version-stage:version-id, where the id may itself be an ARN.
        var arn = reference.StartsWith("arn:", StringComparison.Ordinal);
        var parts = reference.Split(':');
        var id = arn ? string.Join(':', parts.Take(7)) : parts[0];
        var rest = parts.Skip(arn ? 7 : 1).ToArray();
        var input = new JsonObject { ["SecretId"] = id };
        if (rest.Length > 2 && rest[2].Length > 0)
        {
            input["VersionStage"] = rest[2];
        }
        if (rest.Length > 3 && rest[3].Length > 0)
        {
            input["VersionId"] = rest[3];
        }
        var text = (string?)Wait(secrets.InvokeAsync(context, "GetSecretValue", input))["SecretString"];
        if (text is null)
        {
            return null;
        }
        if (rest.Length > 1 && rest[1].Length > 0)
        {
            try
            {
                return Scalars.Text(JsonNode.Parse(text)?[rest[1]]) is { } value ? new StringValue(value, isSecret: true) : null;
            }
            catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
            {
                return null;
            }
        }
        return new StringValue(text, isSecret: true);
    }

    /// <summary>The engine resolves references synchronously; the sandbox's handlers of these reads complete at once.</summary>
    private static JsonObject Wait(Task<JsonObject> task) => task.GetAwaiter().GetResult();

    /// <summary>The tags CloudFormation puts on a resource: the stack's and its own.</summary>
    public static IReadOnlyDictionary<string, string> ResourceTags(StackRecord stack, StackDefinition definition, string logicalId)
    {
        var tags = new Dictionary<string, string>(definition.Tags, StringComparer.Ordinal)
        {
            ["aws:cloudformation:stack-name"] = stack.Name,
            ["aws:cloudformation:stack-id"] = stack.Id,
            ["aws:cloudformation:logical-id"] = logicalId,
        };
        return tags;
    }

    /// <summary>A service's fault as CloudFormation words it on the resource.</summary>
    public static string FailureReason(Exception exception, ResourceProvider? provider, string token)
    {
        if (exception is not ServiceFault fault)
        {
            return exception.Message;
        }
        if (fault.Code == "CloudFormationReason")
        {
            return fault.Message;
        }
        var handler = fault.Code switch
        {
            _ when fault.Code.Contains("AlreadyExists", StringComparison.OrdinalIgnoreCase) || fault.Code.Contains("AlreadyOwned", StringComparison.OrdinalIgnoreCase) || fault.Code.EndsWith("InUse", StringComparison.Ordinal) => "AlreadyExists",
            _ when fault.Code.Contains("NotFound", StringComparison.OrdinalIgnoreCase) || fault.Code.StartsWith("NoSuch", StringComparison.Ordinal) => "NotFound",
            _ when fault.Code.Contains("AccessDenied", StringComparison.OrdinalIgnoreCase) || fault.Code.Contains("Unauthorized", StringComparison.OrdinalIgnoreCase) => "AccessDenied",
            _ when fault.Code.Contains("LimitExceeded", StringComparison.OrdinalIgnoreCase) => "ServiceLimitExceeded",
            _ when fault.Code.Contains("Throttl", StringComparison.OrdinalIgnoreCase) => "Throttling",
            "NotStabilized" => "NotStabilized",
            _ when fault.Status >= 500 => "ServiceInternalError",
            _ => "InvalidRequest",
        };
        return $"Resource handler returned message: \"{fault.Message} (Service: {provider?.ServiceName ?? "CloudFormation"}, Status Code: {fault.Status}, Request ID: {token})\" (RequestToken: {token}, HandlerErrorCode: {handler})";
    }
}
