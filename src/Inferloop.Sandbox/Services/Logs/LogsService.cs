using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Logs;

/// <summary>CloudWatch Logs: groups, streams, events with their retention, filters that measure and send on, queries.</summary>
internal sealed partial class LogsService : SandboxService
{
    private static readonly int[] Retentions = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

    public LogsService(SandboxRuntime runtime)
        : base(runtime, "logs")
    {
        AddEvents();
        On("CreateLogGroup", CreateLogGroup);
        On("DeleteLogGroup", (context, input) =>
        {
            var name = Group(context, input).Required("logGroupName");
            Groups(context).Remove(name);
            Forget(context, name);
            return [];
        });
        On("DescribeLogGroups", (context, input) =>
        {
            if (input.Has("logGroupNamePrefix") && input.Has("logGroupNamePattern"))
            {
                throw Invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
            }
            var all = Groups(context).Where(group => group.Required("logGroupName").StartsWith(input.Text("logGroupNamePrefix") ?? "", StringComparison.Ordinal)
                && group.Required("logGroupName").Contains(input.Text("logGroupNamePattern") ?? "", StringComparison.OrdinalIgnoreCase)
                && (input.Text("logGroupClass") is not { } kind || group.Text("logGroupClass") == kind)).Select(group => Measured(context, group)).ToList();
            return Pages.Answer(input, all, "logGroups", "limit", "nextToken", 50, "InvalidParameterException");
        });
        On("PutRetentionPolicy", (context, input) =>
        {
            var days = input.Int("retentionInDays") ?? 0;
            if (!Retentions.Contains(days))
            {
                throw Invalid($"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [{string.Join(", ", Retentions)}]");
            }
            return Change(context, input, group => group["retentionInDays"] = days);
        });
        On("DeleteRetentionPolicy", (context, input) => Change(context, input, group => group.Remove("retentionInDays")));
        On("AssociateKmsKey", (context, input) =>
        {
            RequireKey(context, input.Required("kmsKeyId"));
            return Change(context, input, group => group["kmsKeyId"] = input.Text("kmsKeyId"));
        });
        On("DisassociateKmsKey", (context, input) => Change(context, input, group => group.Remove("kmsKeyId")));
        On("TagLogGroup", (context, input) => Change(context, input, group => Tags.Put(group, "_Tags", Tags.FromMap(input.Child("tags")))));
        On("UntagLogGroup", (context, input) => Change(context, input, group => Tags.Remove(group, "_Tags", input.Texts("tags"))));
        On("ListTagsLogGroup", (context, input) => new JsonObject { ["tags"] = Tags.AsMap(Group(context, input).Objects("_Tags")) });
        On("TagResource", (context, input) => Change(context, ByArn(input), group => Tags.Put(group, "_Tags", Tags.FromMap(input.Child("tags")))));
        On("UntagResource", (context, input) => Change(context, ByArn(input), group => Tags.Remove(group, "_Tags", input.Texts("tagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["tags"] = Tags.AsMap(Group(context, ByArn(input)).Objects("_Tags")) });
        AddFilters();
        AddInsights();
        On("PutQueryDefinition", (context, input) =>
        {
            var id = input.Text("queryDefinitionId") ?? Runtime.Ids.Uuid();
            _ = Insights.InsightsParser.Parse(input.Required("queryString"), context.Now);
            var definition = input.Pick("name", "queryString", "logGroupNames", "queryLanguage");
            definition["queryDefinitionId"] = id;
            definition["lastModified"] = context.Now.ToUnixTimeMilliseconds();
            Collection(context, "queries").Put(id, definition);
            return new JsonObject { ["queryDefinitionId"] = id };
        });
        On("DescribeQueryDefinitions", (context, input) => Pages.Answer(input, Collection(context, "queries").Where(item => item.Required("name").StartsWith(input.Text("queryDefinitionNamePrefix") ?? "", StringComparison.Ordinal)).ToList(),
            "queryDefinitions", "maxResults", "nextToken", tokenErrorCode: "InvalidParameterException"));
        On("DeleteQueryDefinition", (context, input) => Collection(context, "queries").Remove(input.Required("queryDefinitionId"))
            ? new JsonObject { ["success"] = true }
            : throw new ServiceFault("ResourceNotFoundException", "The specified query definition does not exist."));
        On("PutResourcePolicy", (context, input) =>
        {
            var policy = new JsonObject { ["policyName"] = input.Text("policyName"), ["policyDocument"] = input.Text("policyDocument"), ["lastUpdatedTime"] = context.Now.ToUnixTimeMilliseconds() };
            if (PolicyDocument.Problem(input.Required("policyDocument"), isResourcePolicy: true, needsResource: true) is { } problem)
            {
                throw Invalid(problem);
            }
            Collection(context, "policies").Put(input.Required("policyName"), policy);
            return new JsonObject { ["resourcePolicy"] = policy };
        });
        On("DescribeResourcePolicies", (context, input) => Pages.Answer(input, Collection(context, "policies").All(), "resourcePolicies", "limit", "nextToken"));
        On("DeleteResourcePolicy", (context, input) => Collection(context, "policies").Remove(input.Required("policyName")) ? []
            : throw new ServiceFault("ResourceNotFoundException", "Policy with name [" + input.Text("policyName") + "] does not exist."));
    }

    [GeneratedRegex(@"^[.\-_/#A-Za-z0-9]{1,512}\z")]
    private static partial Regex NamePattern();

    private Collection Groups(RequestContext context) => Collection(context, "groups");

    private static ServiceFault Invalid(string message) => new("InvalidParameterException", message);

    private static JsonObject ByArn(JsonObject input) => new() { ["logGroupIdentifier"] = input.Text("resourceArn") };

    private JsonObject Group(RequestContext context, JsonObject input)
    {
        var name = input.Text("logGroupName") ?? input.Text("logGroupIdentifier") ?? "";
        if (name.StartsWith("arn:", StringComparison.Ordinal))
        {
            name = name.Split(":log-group:")[^1].TrimEnd('*').TrimEnd(':');
        }
        return Groups(context).Get(name) ?? throw new ServiceFault("ResourceNotFoundException", "The specified log group does not exist.");
    }

    private JsonObject Change(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Groups(context).Update(Group(context, input).Required("logGroupName"), change);
        return [];
    }

    private void RequireKey(RequestContext context, string key)
    {
        try
        {
            Runtime.Service<Kms.KmsService>().RequireEnabledKey(context, key, "logs");
        }
        catch (ServiceFault)
        {
            throw Invalid($"The specified KMS key does not exist or is not allowed to be used with Arn '{key}'");
        }
    }

    /// <summary>Whether a group exists, for ECS's log driver; makes it where the driver may.</summary>
    public bool EnsureGroup(RequestContext context, string name, bool create)
    {
        if (!Groups(context).Contains(name) && create)
        {
            CreateLogGroup(context, new JsonObject { ["logGroupName"] = name });
        }
        return Groups(context).Contains(name);
    }

    private JsonObject CreateLogGroup(RequestContext context, JsonObject input)
    {
        var name = input.Required("logGroupName");
        if (!NamePattern().IsMatch(name))
        {
            throw Invalid($"1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+");
        }
        if (input.Text("kmsKeyId") is { } key)
        {
            RequireKey(context, key);
        }
        var group = new JsonObject
        {
            ["logGroupName"] = name,
            ["arn"] = context.Arn("logs", $"log-group:{name}:*"),
            ["logGroupArn"] = context.Arn("logs", $"log-group:{name}"),
            ["creationTime"] = context.Now.ToUnixTimeMilliseconds(),
            ["logGroupClass"] = input.Text("logGroupClass") ?? "STANDARD",
            ["metricFilterCount"] = 0,
            ["storedBytes"] = 0,
            ["_Tags"] = Tags.FromMap(input.Child("tags")).ToJsonList(),
            ["_MetricFilters"] = new JsonObject(),
            ["_SubscriptionFilters"] = new JsonObject(),
        }.Take(input, "kmsKeyId");
        return Groups(context).TryAdd(name, group) ? [] : throw new ServiceFault("ResourceAlreadyExistsException", "The specified log group already exists");
    }

    /// <summary>Put, describe and delete of things that a group keeps by name.</summary>
    private void Stored(string kind, string nameMember, string listMember, Action<RequestContext, JsonObject, JsonObject> fill)
    {
        var member = $"_{kind}s";
        On("Put" + kind, (context, input) =>
        {
            var group = Group(context, input);
            var name = input.Required(nameMember);
            if (kind == "SubscriptionFilter" && group.Child(member)?.ContainsKey(name) != true && group.Child(member)?.Count >= 2)
            {
                throw new ServiceFault("LimitExceededException", "Resource limit exceeded.");
            }
            var stored = new JsonObject { [nameMember] = name, ["logGroupName"] = group.Text("logGroupName"), ["creationTime"] = context.Now.ToUnixTimeMilliseconds() };
            fill(context, input, stored);
            return Change(context, input, document =>
            {
                document.ChildOrNew(member)[name] = stored;
                document["metricFilterCount"] = document.ChildOrNew("_MetricFilters").Count;
            });
        });
        On("Delete" + kind, (context, input) =>
        {
            if (Group(context, input).Child(member)?.ContainsKey(input.Required(nameMember)) != true)
            {
                throw new ServiceFault("ResourceNotFoundException", $"The specified {(kind == "MetricFilter" ? "metric" : "subscription")} filter does not exist.");
            }
            return Change(context, input, document =>
            {
                document.ChildOrNew(member).Remove(input.Required(nameMember));
                document["metricFilterCount"] = document.ChildOrNew("_MetricFilters").Count;
            });
        });
        On($"Describe{kind}s", (context, input) =>
        {
            var groups = input.Has("logGroupName") ? [Group(context, input)] : Groups(context).All();
            var all = groups.SelectMany(group => group.Child(member) ?? []).Select(pair => (JsonObject)pair.Value!)
                .Where(item => item.Required(nameMember).StartsWith(input.Text("filterNamePrefix") ?? "", StringComparison.Ordinal)).ToList();
            return Pages.Answer(input, all, listMember, "limit", "nextToken", 50, "InvalidParameterException");
        });
    }
}
