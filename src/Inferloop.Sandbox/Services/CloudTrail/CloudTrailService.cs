using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudTrail;

/// <summary>CloudTrail: the calls that were really made, looked up, and delivered to the buckets of trails.</summary>
internal sealed partial class CloudTrailService : SandboxService
{
    private const int MaximumTrails = 5;

    public CloudTrailService(SandboxRuntime runtime)
        : base(runtime, "cloudtrail")
    {
        On("CreateTrail", CreateTrailAsync);
        On("UpdateTrail", UpdateTrailAsync);
        On("DeleteTrail", (context, input) =>
        {
            var trail = Trail(context, input.Required("Name"));
            Own(context, trail);
            Trails(context).Remove(trail.Required("TrailARN"));
            return [];
        });
        On("GetTrail", (context, input) => new JsonObject { ["Trail"] = Trail(context, input.Required("Name")) });
        On("DescribeTrails", (context, input) =>
        {
            var names = input.Texts("trailNameList");
            var shadows = input.Flag("includeShadowTrails") ?? true;
            return new JsonObject
            {
                ["trailList"] = Trails(context).Where(trail => (names.Count == 0 || names.Contains(trail.Text("Name")!) || names.Contains(trail.Text("TrailARN")!))
                    && (trail.Text("HomeRegion") == context.Region || (shadows && trail.Is("IsMultiRegionTrail")))).ToJsonList(),
            };
        });
        On("ListTrails", (context, input) => Pages.Answer(input, Trails(context).All().Select(trail => trail.Pick("TrailARN", "Name", "HomeRegion")).ToList(), "Trails", defaultSize: 100));
        On("GetTrailStatus", (context, input) => Trail(context, input.Required("Name")).Child("_Status")!.Copy());
        On("StartLogging", (context, input) => Switch(context, input, true));
        On("StopLogging", (context, input) => Switch(context, input, false));
        On("PutEventSelectors", PutEventSelectors);
        On("GetEventSelectors", (context, input) =>
        {
            var trail = Trail(context, input.Required("TrailName"));
            return new JsonObject { ["TrailARN"] = trail.Text("TrailARN") }.With(trail.Has("_Advanced") ? "AdvancedEventSelectors" : "EventSelectors", trail[trail.Has("_Advanced") ? "_Advanced" : "_Selectors"].Copy());
        });
        On("PutInsightSelectors", (context, input) =>
        {
            var trail = Trail(context, input.Required("TrailName"));
            Trails(context).Update(trail.Required("TrailARN"), document =>
            {
                document["_Insights"] = input["InsightSelectors"].Copy();
                document["HasInsightSelectors"] = input.Objects("InsightSelectors").Any();
            });
            return new JsonObject { ["TrailARN"] = trail.Text("TrailARN"), ["InsightSelectors"] = input["InsightSelectors"].Copy() };
        });
        On("GetInsightSelectors", (context, input) => Trail(context, input.Required("TrailName")) is var trail && trail.Is("HasInsightSelectors")
            ? new JsonObject { ["TrailARN"] = trail.Text("TrailARN"), ["InsightSelectors"] = trail["_Insights"].Copy() }
            : throw new ServiceFault("InsightNotEnabledException", $"Insight events are not enabled on trail {trail.Text("Name")}"));
        On("AddTags", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("TagsList"))));
        On("RemoveTags", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Objects("TagsList").Select(tag => tag.Required("Key")))));
        On("ListTags", (context, input) => new JsonObject
        {
            ["ResourceTagList"] = input.Texts("ResourceIdList").Select(arn => new JsonObject { ["ResourceId"] = arn, ["TagsList"] = Trail(context, arn)["_Tags"].Copy() }).ToJsonList(),
        });
        On("LookupEvents", LookupEvents);
        runtime.Called += Record;
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]\z")]
    private static partial Regex NamePattern();

    /// <summary>An account's trails, of all regions: a multi-region trail shows in every one.</summary>
    private Collection Trails(RequestContext context) => Runtime.Collection(ModelName, "trails", context.AccountId, "");

    private JsonObject Trail(RequestContext context, string name)
    {
        if (name.StartsWith("arn:", StringComparison.Ordinal) && !name.Contains(":trail/", StringComparison.Ordinal))
        {
            throw new ServiceFault("CloudTrailARNInvalidException", $"Invalid trail ARN: {name}");
        }
        return Trails(context).Find(trail => trail.Text("TrailARN") == name || (trail.Text("Name") == name && (trail.Text("HomeRegion") == context.Region || trail.Is("IsMultiRegionTrail"))))
            ?? throw new ServiceFault("TrailNotFoundException", $"Unknown trail: {(name.StartsWith("arn:", StringComparison.Ordinal) ? name : context.Arn("cloudtrail", "trail/" + name))} for the user: {context.AccountId}");
    }

    private static void Own(RequestContext context, JsonObject trail)
    {
        if (trail.Text("HomeRegion") != context.Region)
        {
            throw new ServiceFault("InvalidHomeRegionException", $"Trail {trail.Text("TrailARN")} must be updated from its home region.");
        }
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Trails(context).Update(Trail(context, input.Required("ResourceId")).Required("TrailARN"), change);
        return [];
    }

    private async Task<JsonObject> CreateTrailAsync(RequestContext context, JsonObject input)
    {
        var name = input.Required("Name");
        if (!NamePattern().IsMatch(name))
        {
            throw new ServiceFault("InvalidTrailNameException", $"Trail name {name} must be between 3 and 128 characters, start and end with a letter or number, and contain only letters, numbers, periods, underscores and dashes.");
        }
        var arn = context.Arn("cloudtrail", "trail/" + name);
        if (Trails(context).Contains(arn))
        {
            throw new ServiceFault("TrailAlreadyExistsException", $"Trail {name} already exists for customer: {context.AccountId}");
        }
        if (Trails(context).Where(trail => trail.Text("HomeRegion") == context.Region).Count >= MaximumTrails)
        {
            throw new ServiceFault("MaximumNumberOfTrailsExceededException", $"User: {context.AccountId} already has {MaximumTrails} trails in {context.Region}.");
        }
        var trail = new JsonObject
        {
            ["Name"] = name,
            ["TrailARN"] = arn,
            ["HomeRegion"] = context.Region,
            ["IncludeGlobalServiceEvents"] = input.Flag("IncludeGlobalServiceEvents") ?? true,
            ["IsMultiRegionTrail"] = input.Is("IsMultiRegionTrail"),
            ["IsOrganizationTrail"] = input.Is("IsOrganizationTrail"),
            ["LogFileValidationEnabled"] = input.Is("EnableLogFileValidation"),
            ["HasCustomEventSelectors"] = false,
            ["HasInsightSelectors"] = false,
            ["_Selectors"] = new JsonArray(new JsonObject { ["ReadWriteType"] = "All", ["IncludeManagementEvents"] = true, ["DataResources"] = new JsonArray(), ["ExcludeManagementEventSources"] = new JsonArray() }),
            ["_Status"] = new JsonObject { ["IsLogging"] = false },
            ["_Tags"] = input["TagsList"].Copy() ?? new JsonArray(),
        };
        await ApplyAsync(context, trail, input).ConfigureAwait(false);
        Trails(context).Put(arn, trail);
        return Answer(trail);
    }

    private static JsonObject Answer(JsonObject trail)
    {
        var answer = trail.Copy();
        answer.Remove("HomeRegion");
        answer.Remove("HasCustomEventSelectors");
        answer.Remove("HasInsightSelectors");
        return answer;
    }

    private async Task<JsonObject> UpdateTrailAsync(RequestContext context, JsonObject input)
    {
        var trail = Trail(context, input.Required("Name"));
        Own(context, trail);
        foreach (var (given, kept) in new[] { ("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents"), ("IsMultiRegionTrail", "IsMultiRegionTrail"), ("IsOrganizationTrail", "IsOrganizationTrail"), ("EnableLogFileValidation", "LogFileValidationEnabled") })
        {
            trail.With(kept, input[given].Copy());
        }
        await ApplyAsync(context, trail, input).ConfigureAwait(false);
        Trails(context).Update(trail.Required("TrailARN"), document =>
        {
            foreach (var (member, value) in trail.Where(pair => pair.Key is not ("_Status" or "_Tags" or "_Selectors" or "_Advanced")))
            {
                document[member] = value.Copy();
            }
            foreach (var gone in document.Select(pair => pair.Key).Where(member => !member.StartsWith('_') && !trail.Has(member)).ToList())
            {
                document.Remove(gone);
            }
        });
        return Answer(trail);
    }

    /// <summary>Where a trail delivers to, checked as AWS checks it.</summary>
    private async Task ApplyAsync(RequestContext context, JsonObject trail, JsonObject input)
    {
        foreach (var member in (string[])["S3BucketName", "S3KeyPrefix", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "KmsKeyId", "SnsTopicName"])
        {
            if (input.Text(member) is { Length: > 0 } value)
            {
                trail[member] = value;
            }
            else if (input.Has(member))
            {
                trail.Remove(member);
            }
        }
        var bucket = trail.Required("S3BucketName");
        string? policy;
        try
        {
            policy = (await Runtime.Service("s3")!.InvokeAsync(context, "GetBucketPolicy", new JsonObject { ["Bucket"] = bucket }).ConfigureAwait(false)).Text("Policy");
        }
        catch (ServiceFault fault) when (fault.Code == "NoSuchBucketPolicy")
        {
            policy = null;
        }
        catch (ServiceFault fault) when (fault.Code == "NoSuchBucket")
        {
            throw new ServiceFault("S3BucketDoesNotExistException", $"S3 bucket {bucket} does not exist!");
        }
        if (!ServiceAccess.Allows(policy, "cloudtrail.amazonaws.com", "s3:PutObject"))
        {
            throw new ServiceFault("InsufficientS3BucketPolicyException", $"Incorrect S3 bucket policy is detected for bucket: {bucket}");
        }
        if (trail.Has("CloudWatchLogsLogGroupArn") != trail.Has("CloudWatchLogsRoleArn"))
        {
            throw new ServiceFault("InvalidCloudWatchLogsLogGroupArnException", "CloudWatchLogsLogGroupArn and CloudWatchLogsRoleArn must be specified together.");
        }
        if (trail.Text("CloudWatchLogsLogGroupArn") is { } group && !Runtime.Service<Logs.LogsService>().EnsureGroup(context, group.Split(":log-group:")[^1].TrimEnd('*').TrimEnd(':'), create: false))
        {
            throw new ServiceFault("InvalidCloudWatchLogsLogGroupArnException", $"Access denied. Check the permissions for your role, or the log group does not exist: {group}");
        }
        if (trail.Text("KmsKeyId") is { } key)
        {
            try
            {
                Runtime.Service<Kms.KmsService>().RequireEnabledKey(context, key, "cloudtrail");
            }
            catch (ServiceFault)
            {
                throw new ServiceFault("KmsKeyNotFoundException", $"KMS key not found: {key}");
            }
        }
        if (trail.Text("SnsTopicName") is { } topic)
        {
            trail["SnsTopicARN"] = topic.StartsWith("arn:", StringComparison.Ordinal) ? topic : context.Arn("sns", topic);
        }
    }

    private JsonObject Switch(RequestContext context, JsonObject input, bool on)
    {
        var trail = Trail(context, input.Required("Name"));
        Own(context, trail);
        Trails(context).Update(trail.Required("TrailARN"), document =>
        {
            var status = document.ChildOrNew("_Status");
            status["IsLogging"] = on;
            status[on ? "StartLoggingTime" : "StopLoggingTime"] = Documents.Time(context.Now);
            status[on ? "TimeLoggingStarted" : "TimeLoggingStopped"] = context.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        });
        if (on)
        {
            Begin(context.Detached(), trail.Required("TrailARN"));
        }
        return [];
    }

    private JsonObject PutEventSelectors(RequestContext context, JsonObject input)
    {
        var trail = Trail(context, input.Required("TrailName"));
        Own(context, trail);
        if (input.Has("EventSelectors") == input.Has("AdvancedEventSelectors"))
        {
            throw new ServiceFault("InvalidEventSelectorsException", "Exactly one of EventSelectors and AdvancedEventSelectors must be specified.");
        }
        Trails(context).Update(trail.Required("TrailARN"), document =>
        {
            document.Remove("_Advanced");
            document.With("_Advanced", input["AdvancedEventSelectors"].Copy());
            document["_Selectors"] = input["EventSelectors"].Copy() ?? new JsonArray();
            document["HasCustomEventSelectors"] = true;
        });
        return input.Pick("EventSelectors", "AdvancedEventSelectors").With("TrailARN", trail.Text("TrailARN"));
    }
}
