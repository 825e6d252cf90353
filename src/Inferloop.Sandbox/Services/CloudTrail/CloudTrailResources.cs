using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudTrail;

/// <summary>AWS::CloudTrail::Trail.</summary>
internal static class CloudTrailResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<CloudTrailService>();
        return [Trail(service)];
    }

    private static JsonObject Named(string name) => new() { ["Name"] = name };

    private static Provider Trail(CloudTrailService service)
    {
        async Task Settings(ProvisionContext context, string name, JsonObject before, JsonObject after)
        {
            if (after.Changed(before, "EventSelectors", "AdvancedEventSelectors") && (after.Has("EventSelectors") || after.Has("AdvancedEventSelectors")))
            {
                await service.CallMappedAsync(context, "PutEventSelectors", after.Pick("EventSelectors", "AdvancedEventSelectors").With("TrailName", name)).ConfigureAwait(false);
            }
            if (after.Changed(before, "InsightSelectors"))
            {
                await service.CallMappedAsync(context, "PutInsightSelectors", new JsonObject { ["TrailName"] = name, ["InsightSelectors"] = after["InsightSelectors"].Copy() ?? new JsonArray() }).ConfigureAwait(false);
            }
            if (after.Changed(before, "IsLogging"))
            {
                await service.CallAsync(context, after.Is("IsLogging") ? "StartLogging" : "StopLogging", Named(name)).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::CloudTrail::Trail")
        {
            Gone = ["TrailNotFoundException"],
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "TrailName", 128);
                var input = PropertyMapper.ToInput(service, "CreateTrail", properties);
                input["Name"] = name;
                input["TagsList"] = context.MergedTags(properties["Tags"]);
                await service.CallAsync(context, "CreateTrail", input).ConfigureAwait(false);
                await Settings(context, name, [], properties).ConfigureAwait(false);
                return name;
            },
            Update = async (context, name, before, after) =>
            {
                var input = PropertyMapper.ToInput(service, "UpdateTrail", after);
                input["Name"] = name;
                foreach (var cleared in (string[])["S3KeyPrefix", "SnsTopicName", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "KmsKeyId"])
                {
                    if (before.Has(cleared) && !after.Has(cleared))
                    {
                        input[cleared] = "";
                    }
                }
                await service.CallAsync(context, "UpdateTrail", input).ConfigureAwait(false);
                await Settings(context, name, before, after).ConfigureAwait(false);
                var arn = context.Request.Arn("cloudtrail", "trail/" + name);
                var (put, removed) = ProviderExtensions.TagChange(context, before, after);
                if (removed.Count > 0)
                {
                    await service.CallAsync(context, "RemoveTags", new JsonObject { ["ResourceId"] = arn, ["TagsList"] = removed.Select(key => new JsonObject { ["Key"] = (string?)key }).ToJsonList() }).ConfigureAwait(false);
                }
                if (put.Count > 0)
                {
                    await service.CallAsync(context, "AddTags", new JsonObject { ["ResourceId"] = arn, ["TagsList"] = put }).ConfigureAwait(false);
                }
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeleteTrail", Named(name)),
            Read = async (context, name) =>
            {
                var trail = (await service.CallAsync(context, "GetTrail", Named(name)).ConfigureAwait(false)).Child("Trail")!;
                var status = await service.CallAsync(context, "GetTrailStatus", Named(name)).ConfigureAwait(false);
                return trail.Pick("S3BucketName", "S3KeyPrefix", "SnsTopicName", "IncludeGlobalServiceEvents", "IsMultiRegionTrail", "IsOrganizationTrail", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")
                    .With("TrailName", name).With("KMSKeyId", trail["KmsKeyId"].Copy()).With("EnableLogFileValidation", trail["LogFileValidationEnabled"].Copy()).With("IsLogging", status["IsLogging"].Copy())
                    .With("Tags", Tags.OfTemplate(trail.Objects("_Tags")));
            },
            Attributes = async (context, name) =>
            {
                var trail = (await service.CallAsync(context, "GetTrail", Named(name)).ConfigureAwait(false)).Child("Trail")!;
                return ProviderExtensions.Attributes(("Arn", trail["TrailARN"]), ("SnsTopicArn", trail["SnsTopicARN"]));
            },
        };
    }
}
