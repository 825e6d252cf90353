using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;
using Inferloop.Sandbox.Services.S3;

namespace Inferloop.Sandbox.Services.Events;

/// <summary>EventBridge: buses, rules by pattern and by schedule, and the delivery of events to the targets of rules.</summary>
internal sealed partial class EventsService : SandboxService
{
    private const string Default = "default";
    private const int MaximumEntry = 1_048_576;

    public EventsService(SandboxRuntime runtime)
        : base(runtime, "events")
    {
        AddBuses();
        AddRules();
        On("PutEvents", PutEvents);
        On("TestEventPattern", (_, input) =>
        {
            var pattern = EventPattern.Parse(input.Required("EventPattern"), out var problem) ?? throw new ServiceFault("InvalidEventPatternException", problem!);
            return PolicyDocument.AsObject(input.Text("Event")) is JsonObject subject ? new JsonObject { ["Result"] = pattern.Matches(subject) } : throw new ServiceFault("ValidationException", "Event is not valid JSON");
        });
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("Tags"))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["Tags"] = Tagged(context, input.Required("ResourceARN")).Document["_Tags"].Copy() ?? new JsonArray() });
    }

    /// <summary>Follows what happens in other services; called when all of them are there.</summary>
    public void Listen() => Runtime.Service<S3Service>().Happened += ObjectChanged;

    private Collection Buses(RequestContext context) => Collection(context, "buses");

    private Collection Rules(RequestContext context) => Collection(context, "rules");

    private static ServiceFault NotFound(string message) => new("ResourceNotFoundException", message);

    private static ServiceFault Invalid(string message) => new("ValidationException", message);

    /// <summary>A bus is named by its name or its ARN.</summary>
    private static string BusName(string? nameOrArn) => nameOrArn is null or "" ? Default : nameOrArn.Split('/') is [var head, .. var rest] && rest.Length > 0 && head.StartsWith("arn:", StringComparison.Ordinal) ? string.Join('/', rest) : nameOrArn;

    private JsonObject Bus(RequestContext context, string? nameOrArn)
    {
        var name = BusName(nameOrArn);
        return Buses(context).Get(name) ?? (name == Default ? new JsonObject { ["Name"] = Default, ["Arn"] = context.Arn("events", "event-bus/default"), ["_Tags"] = new JsonArray() }
            : throw NotFound($"Event bus {name} does not exist."));
    }

    private void AddBuses()
    {
        On("CreateEventBus", (context, input) =>
        {
            var name = input.Required("Name");
            if (name == Default || name.Contains('/', StringComparison.Ordinal))
            {
                throw name == Default ? new ServiceFault("ResourceAlreadyExistsException", "Event bus default already exists.") : Invalid($"Event bus name {name} must not contain '/'");
            }
            var bus = new JsonObject { ["Name"] = name, ["Arn"] = context.Arn("events", "event-bus/" + name), ["CreationTime"] = Documents.Time(context.Now), ["LastModifiedTime"] = Documents.Time(context.Now), ["_Tags"] = input["Tags"].Copy() ?? new JsonArray() }
                .Take(input, "Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig");
            return Buses(context).TryAdd(name, bus) ? bus.Pick("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig").With("EventBusArn", bus.Text("Arn")) : throw new ServiceFault("ResourceAlreadyExistsException", $"Event bus {name} already exists.");
        });
        On("UpdateEventBus", (context, input) =>
        {
            var bus = Bus(context, input.Text("Name")).Take(input, "Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig");
            bus["LastModifiedTime"] = Documents.Time(context.Now);
            Buses(context).Put(bus.Required("Name"), bus);
            return bus;
        });
        On("DeleteEventBus", (context, input) =>
        {
            var name = BusName(input.Text("Name"));
            if (name == Default)
            {
                throw Invalid("Cannot delete event bus default.");
            }
            if (Rules(context).Any(rule => rule.Text("EventBusName") == name))
            {
                throw Invalid("Cannot delete event bus with rules.");
            }
            Buses(context).Remove(name);
            return [];
        });
        On("DescribeEventBus", (context, input) => Bus(context, input.Text("Name")));
        On("ListEventBuses", (context, input) =>
        {
            var all = Buses(context).All().Where(bus => bus.Text("Name") != Default).Prepend(Bus(context, Default)).Where(bus => bus.Required("Name").StartsWith(input.Text("NamePrefix") ?? "", StringComparison.Ordinal)).ToList();
            return Pages.Answer(input, all, "EventBuses", "Limit", "NextToken", 100, "ValidationException");
        });
        On("PutPermission", (context, input) =>
        {
            var bus = Bus(context, input.Text("EventBusName"));
            if (input.Text("Policy") is { } whole)
            {
                if (PolicyDocument.Problem(whole, isResourcePolicy: true, needsResource: true) is { } problem)
                {
                    throw Invalid(problem);
                }
                bus["Policy"] = whole;
            }
            else
            {
                var policy = PolicyDocument.AsObject(bus.Text("Policy")) as JsonObject ?? new JsonObject { ["Version"] = "2012-10-17", ["Statement"] = new JsonArray() };
                var kept = policy.Objects("Statement").Where(item => item.Text("Sid") != input.Text("StatementId")).ToList();
                var statement = new JsonObject
                {
                    ["Sid"] = input.Text("StatementId"),
                    ["Effect"] = "Allow",
                    ["Principal"] = input.Text("Principal") == "*" ? "*" : new JsonObject { ["AWS"] = $"arn:{context.Partition}:iam::{input.Text("Principal")}:root" },
                    ["Action"] = input.Text("Action"),
                    ["Resource"] = bus.Text("Arn"),
                };
                if (input.Child("Condition") is { } condition)
                {
                    statement["Condition"] = new JsonObject { [condition.Required("Type")] = new JsonObject { [condition.Required("Key")] = condition.Text("Value") } };
                }
                policy["Statement"] = kept.Append(statement).ToJsonList();
                bus["Policy"] = policy.ToJsonString();
            }
            Buses(context).Put(bus.Required("Name"), bus);
            return [];
        });
        On("RemovePermission", (context, input) =>
        {
            var bus = Bus(context, input.Text("EventBusName"));
            var policy = PolicyDocument.AsObject(bus.Text("Policy")) as JsonObject ?? throw NotFound("EventBus does not have a policy.");
            var kept = input.Is("RemoveAllPermissions") ? [] : policy.Objects("Statement").Where(item => item.Text("Sid") != input.Text("StatementId")).ToList();
            if (kept.Count == policy.Objects("Statement").Count())
            {
                throw NotFound("Statement with the provided id does not exist.");
            }
            policy["Statement"] = kept.ToJsonList();
            bus.Remove("Policy");
            Buses(context).Put(bus.Required("Name"), kept.Count == 0 ? bus : bus.With("Policy", policy.ToJsonString()));
            return [];
        });
    }

    private (Collection Kind, string Key, JsonObject Document) Tagged(RequestContext context, string arn)
    {
        foreach (var kind in new[] { Rules(context), Buses(context) })
        {
            foreach (var key in kind.Keys())
            {
                if (kind.Get(key) is { } found && found.Text("Arn") == arn)
                {
                    return (kind, key, found);
                }
            }
        }
        throw NotFound($"Resource {arn} does not exist.");
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var (kind, key, _) = Tagged(context, input.Required("ResourceARN"));
        kind.Update(key, change);
        return [];
    }

    private JsonObject PutEvents(RequestContext context, JsonObject input)
    {
        var failed = 0;
        var results = new List<JsonObject>();
        if (input.Objects("Entries").Sum(entry => Encoding.UTF8.GetByteCount(entry.ToJsonString())) > MaximumEntry)
        {
            throw Invalid("Total size of the entries in the request is over the limit.");
        }
        foreach (var entry in input.Objects("Entries"))
        {
            var problem = !entry.Has("Source") ? ("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument.")
                : !entry.Has("DetailType") ? ("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument.")
                : !entry.Has("Detail") ? ("InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument.")
                : PolicyDocument.AsObject(entry.Text("Detail")) is not JsonObject ? ("MalformedDetail", "Detail is malformed.")
                : context.Request is not null && entry.Required("Source").StartsWith("aws.", StringComparison.Ordinal) ? ("NotAuthorizedForSourceException", $"Not authorized for the source.")
                : ((string, string)?)null;
            if (problem is { } said)
            {
                failed++;
                results.Add(new JsonObject { ["ErrorCode"] = said.Item1, ["ErrorMessage"] = said.Item2 });
                continue;
            }
            var name = BusName(entry.Text("EventBusName"));
            var id = Runtime.Ids.Uuid();
            results.Add(new JsonObject { ["EventId"] = id });
            if (name != Default && !Buses(context).Contains(name))
            {
                // Events for a bus that is not there are taken and lost, as at AWS.
                continue;
            }
            Accept(context, name, new JsonObject
            {
                ["version"] = "0",
                ["id"] = id,
                ["detail-type"] = entry.Text("DetailType"),
                ["source"] = entry.Text("Source"),
                ["account"] = context.AccountId,
                ["time"] = Moment(entry.TimeOf("Time") ?? context.Now),
                ["region"] = context.Region,
                ["resources"] = entry.Texts("Resources").ToTextList(),
                ["detail"] = PolicyDocument.AsObject(entry.Text("Detail")),
            });
        }
        return new JsonObject { ["FailedEntryCount"] = failed, ["Entries"] = results.ToJsonList() };
    }

    private static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>An event of one of the sandbox's own services on the default bus.</summary>
    public void Emit(RequestContext context, string source, string detailType, JsonObject detail, params ReadOnlySpan<string> resources)
    {
        var list = new JsonArray();
        foreach (var resource in resources)
        {
            list.Add((JsonNode)resource);
        }
        Accept(context, Default, new JsonObject
        {
            ["version"] = "0",
            ["id"] = Runtime.Ids.Uuid(),
            ["detail-type"] = detailType,
            ["source"] = source,
            ["account"] = context.AccountId,
            ["time"] = Moment(context.Now),
            ["region"] = context.Region,
            ["resources"] = list,
            ["detail"] = detail,
        });
    }

    /// <summary>What befalls objects of a bucket that tells EventBridge, in EventBridge's words.</summary>
    private void ObjectChanged(S3Happening happening)
    {
        var bucket = happening.Bucket;
        if (!bucket.Configuration.TryGetValue("notification", out var configuration) || configuration["EventBridgeConfiguration"] is null)
        {
            return;
        }
        var (kind, reason) = happening.Name.Split(':') is [var first, var second] ? (first, second) : (happening.Name, "");
        var (type, cause) = kind switch
        {
            "ObjectCreated" => ("Object Created", reason switch { "Put" => "PutObject", "Copy" => "CopyObject", _ => reason }),
            "ObjectRemoved" => ("Object Deleted", "DeleteObject"),
            "LifecycleExpiration" => ("Object Deleted", "Lifecycle Expiration"),
            "LifecycleTransition" => ("Object Storage Class Changed", null),
            "ObjectTagging" => (reason == "Put" ? "Object Tags Added" : "Object Tags Deleted", null),
            "ObjectAcl" => ("Object ACL Updated", null),
            "ObjectRestore" => (reason == "Post" ? "Object Restore Initiated" : "Object Restore Completed", (string?)null),
            _ => (null, null),
        };
        if (type is null)
        {
            return;
        }
        var owner = Runtime.SystemContext(bucket.AccountId, bucket.Region);
        var item = new JsonObject { ["key"] = happening.Key, ["sequencer"] = Runtime.Ids.Hex(16).ToUpperInvariant() };
        if (happening.Version is { IsDeleteMarker: false } version && type != "Object Deleted")
        {
            item["size"] = version.Data.Length;
            item["etag"] = version.ETag;
        }
        item.With("version-id", happening.Version is { } told && told.VersionId != "null" ? told.VersionId : null);
        var detail = new JsonObject
        {
            ["version"] = "0",
            ["bucket"] = new JsonObject { ["name"] = bucket.Name },
            ["object"] = item,
            ["request-id"] = happening.Context.RequestId,
            ["requester"] = happening.Context.Request is null ? "s3.amazonaws.com" : owner.AccountId,
            ["source-ip-address"] = "127.0.0.1",
        }.With("reason", cause)
            .With("deletion-type", type == "Object Deleted" ? (reason == "Delete" ? "Permanently Deleted" : "Delete Marker Created") : null)
            .With("destination-storage-class", type == "Object Storage Class Changed" ? happening.Version?.StorageClass : null);
        Runtime.Run(_ =>
        {
            Emit(owner, "aws.s3", type, detail, $"arn:{owner.Partition}:s3:::{bucket.Name}");
            return Task.CompletedTask;
        });
    }

    private void Accept(RequestContext context, string bus, JsonObject happening)
    {
        var background = context.Detached();
        foreach (var rule in Rules(context).Where(rule => rule.Text("EventBusName") == bus && rule.Text("State") != "DISABLED" && rule.Has("EventPattern")))
        {
            if (EventPattern.Parse(rule.Required("EventPattern"), out _)?.Matches(happening) == true)
            {
                Count(context, rule, "TriggeredRules");
                Runtime.After(TimeSpan.FromMilliseconds(200), () => Runtime.Run(_ => Fire(background, rule, happening)));
            }
        }
    }

    private void Count(RequestContext context, JsonObject rule, string metric)
    {
        var watch = Runtime.Service<CloudWatchService>();
        if (rule.Text("EventBusName") is { } bus and not Default)
        {
            watch.Publish(context, "AWS/Events", metric, 1, "Count", ("EventBusName", bus), ("RuleName", rule.Required("Name")));
            return;
        }
        watch.Publish(context, "AWS/Events", metric, 1, "Count", ("RuleName", rule.Required("Name")));
    }

    private async Task Fire(RequestContext context, JsonObject rule, JsonObject happening)
    {
        foreach (var target in rule.Objects("_Targets"))
        {
            await Send(context, rule, target, happening, 0, context.Now).ConfigureAwait(false);
        }
    }

    /// <summary>Sends to one target; what fails is tried again by the target's policy and goes to its dead-letter queue at last.</summary>
    private async Task Send(RequestContext context, JsonObject rule, JsonObject target, JsonObject happening, int attempt, DateTimeOffset first)
    {
        var payload = EventInput.Of(target, happening, rule, context.Now);
        // A role is for the targets that have no policy of their own; queues, topics, functions and log groups ask their own.
        var byRole = target.Has("RoleArn");
        Count(context, rule, "Invocations");
        var problem = await TargetDelivery.SendAsync(context, new Delivery(target.Required("Arn"), payload)
        {
            SourceArn = rule.Text("Arn"), ByRole = byRole, Settings = target, DetailType = happening.Text("detail-type") ?? "",
        }).ConfigureAwait(false);
        if (problem is null)
        {
            return;
        }
        Count(context, rule, "FailedInvocations");
        // What is forbidden or not there is not tried again.
        var retries = problem.Contains("not authorized", StringComparison.Ordinal) || problem.Contains("not found", StringComparison.OrdinalIgnoreCase) || problem.Contains("not exist", StringComparison.OrdinalIgnoreCase)
            ? 0 : target.Child("RetryPolicy")?.Int("MaximumRetryAttempts") ?? 185;
        var age = TimeSpan.FromSeconds(target.Child("RetryPolicy")?.Int("MaximumEventAgeInSeconds") ?? 86_400);
        var delay = TimeSpan.FromSeconds(Math.Min(600, 1 << Math.Min(attempt + 1, 10)));
        if (attempt < retries && context.Now + delay - first < age)
        {
            Runtime.After(delay, () => Runtime.Run(_ => Send(context, rule, target, happening, attempt + 1, first)));
            return;
        }
        if (target.Child("DeadLetterConfig")?.Text("Arn") is { } dead)
        {
            var lost = await TargetDelivery.SendAsync(context, new Delivery(dead, payload) { SourceArn = rule.Text("Arn") }).ConfigureAwait(false);
            Count(context, rule, lost is null ? "InvocationsSentToDlq" : "InvocationsFailedToBeSentToDlq");
        }
    }
}
