using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Config;

/// <summary>AWS Config: a recorder, a delivery channel, and rules that judge the sandbox's own resources.</summary>
internal sealed partial class ConfigService : SandboxService
{
    public ConfigService(SandboxRuntime runtime)
        : base(runtime, "config")
    {
        AddRecorder();
        AddRules();
        AddCompliance();
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("Tags"))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["Tags"] = RuleByArn(context, input)["_Tags"].Copy() ?? new JsonArray() });
        On("DescribeConformancePacks", (context, input) => input.Texts("ConformancePackNames") is [var name, ..]
            ? throw new ServiceFault("NoSuchConformancePackException", $"One or more conformance packs with name {name} does not exist.") : new JsonObject { ["ConformancePackDetails"] = new JsonArray() });
    }

    private Collection Recorders(RequestContext context) => Collection(context, "recorders");

    private Collection Channels(RequestContext context) => Collection(context, "channels");

    private Collection Rules(RequestContext context) => Collection(context, "rules");

    private JsonObject RuleByArn(RequestContext context, JsonObject input) => Rules(context).Find(rule => rule.Text("ConfigRuleArn") == input.Text("ResourceArn"))
        ?? throw new ServiceFault("ResourceNotFoundException", $"Resource {input.Text("ResourceArn")} does not exist.");

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Rules(context).Update(RuleByArn(context, input).Required("ConfigRuleName"), change);
        return [];
    }

    private JsonObject Recorder(RequestContext context, string name) => Recorders(context).Get(name)
        ?? throw new ServiceFault("NoSuchConfigurationRecorderException", $"Cannot find configuration recorder with the specified name '{name}'.");

    private JsonObject Channel(RequestContext context, string name) => Channels(context).Get(name)
        ?? throw new ServiceFault("NoSuchDeliveryChannelException", $"Cannot find delivery channel with specified name '{name}'.");

    private static IReadOnlyList<JsonObject> Chosen(IReadOnlyList<string> names, Func<string, JsonObject> find, Collection all) => names.Count > 0 ? names.Select(find).ToList() : all.All();

    private void AddRecorder()
    {
        On("PutConfigurationRecorder", (context, input) =>
        {
            var recorder = input.Child("ConfigurationRecorder")!.Copy();
            var name = recorder.Text("name") is { Length: > 0 } given ? given : "default";
            if (Recorders(context).Keys().Any(other => other != name))
            {
                throw new ServiceFault("MaxNumberOfConfigurationRecordersExceededException", $"Failed to put configuration recorder '{name}' because the maximum number of configuration recorders: 1 is reached.");
            }
            if (recorder.Text("roleARN") is not { } role || !role.Contains(":role/", StringComparison.Ordinal))
            {
                throw new ServiceFault("InvalidRoleException", "The role ARN is not valid.");
            }
            var group = recorder.ChildOrNew("recordingGroup");
            if (group.Is("allSupported") && group["resourceTypes"] is JsonArray { Count: > 0 })
            {
                throw new ServiceFault("InvalidRecordingGroupException", "The recording group provided is not valid");
            }
            if (!group.Has("allSupported") && !group.Has("resourceTypes") && !group.Has("recordingStrategy"))
            {
                group["allSupported"] = true;
            }
            group["includeGlobalResourceTypes"] ??= false;
            group["resourceTypes"] ??= new JsonArray();
            recorder["name"] = name;
            recorder["arn"] = context.Arn("config", $"configuration-recorder/{name}/{Runtime.Ids.Lower(10)}");
            recorder["recordingMode"] ??= new JsonObject { ["recordingFrequency"] = "CONTINUOUS" };
            recorder["recordingScope"] = "PAID";
            recorder["_Status"] = Recorders(context).Get(name)?["_Status"].Copy() ?? new JsonObject { ["name"] = name, ["recording"] = false, ["lastStatus"] = "Pending" };
            Recorders(context).Put(name, recorder);
            return [];
        });
        On("DescribeConfigurationRecorders", (context, input) => new JsonObject { ["ConfigurationRecorders"] = Chosen(input.Texts("ConfigurationRecorderNames"), name => Recorder(context, name), Recorders(context)).ToJsonList() });
        On("DescribeConfigurationRecorderStatus", (context, input) => new JsonObject
        {
            ["ConfigurationRecordersStatus"] = Chosen(input.Texts("ConfigurationRecorderNames"), name => Recorder(context, name), Recorders(context)).Select(recorder => recorder.Child("_Status")!.Copy()).ToJsonList(),
        });
        On("StartConfigurationRecorder", (context, input) =>
        {
            var name = Recorder(context, input.Required("ConfigurationRecorderName")).Required("name");
            if (Channels(context).Count == 0)
            {
                throw new ServiceFault("NoAvailableDeliveryChannelException", "Delivery channel is not available to start configuration recorder.");
            }
            Recorders(context).Update(name, recorder => recorder["_Status"] = new JsonObject
            {
                ["name"] = name,
                ["recording"] = true,
                ["lastStatus"] = "Success",
                ["lastStartTime"] = Documents.Time(context.Now),
                ["lastStatusChangeTime"] = Documents.Time(context.Now),
            });
            return [];
        });
        On("StopConfigurationRecorder", (context, input) =>
        {
            var name = Recorder(context, input.Required("ConfigurationRecorderName")).Required("name");
            Recorders(context).Update(name, recorder =>
            {
                recorder.Child("_Status")!["recording"] = false;
                recorder.Child("_Status")!["lastStopTime"] = Documents.Time(context.Now);
            });
            return [];
        });
        On("DeleteConfigurationRecorder", (context, input) =>
        {
            Recorders(context).Remove(Recorder(context, input.Required("ConfigurationRecorderName")).Required("name"));
            return [];
        });
        On("PutDeliveryChannel", async (context, input) =>
        {
            var channel = input.Child("DeliveryChannel")!.Copy();
            var name = channel.Text("name") is { Length: > 0 } given ? given : "default";
            if (Recorders(context).Count == 0)
            {
                throw new ServiceFault("NoAvailableConfigurationRecorderException", "Configuration recorder is not available to put delivery channel.");
            }
            if (Channels(context).Keys().Any(other => other != name))
            {
                throw new ServiceFault("MaxNumberOfDeliveryChannelsExceededException", $"Failed to put delivery channel '{name}' because the maximum number of delivery channels: 1 is reached.");
            }
            var bucket = channel.Required("s3BucketName");
            try
            {
                await Runtime.Service("s3")!.InvokeAsync(context, "HeadBucket", new JsonObject { ["Bucket"] = bucket }).ConfigureAwait(false);
            }
            catch (ServiceFault fault) when (fault.Status == 404)
            {
                throw new ServiceFault("NoSuchBucketException", $"Cannot find a S3 bucket with name '{bucket}'.");
            }
            if (channel.Text("snsTopicARN") is { } topic && !topic.Contains(":sns:", StringComparison.Ordinal))
            {
                throw new ServiceFault("InvalidSNSTopicARNException", "The sns topic arn is not valid.");
            }
            channel["name"] = name;
            Channels(context).Put(name, channel);
            return [];
        });
        On("DescribeDeliveryChannels", (context, input) => new JsonObject { ["DeliveryChannels"] = Chosen(input.Texts("DeliveryChannelNames"), name => Channel(context, name), Channels(context)).ToJsonList() });
        On("DescribeDeliveryChannelStatus", (context, input) => new JsonObject
        {
            ["DeliveryChannelsStatus"] = Chosen(input.Texts("DeliveryChannelNames"), name => Channel(context, name), Channels(context)).Select(channel => new JsonObject
            {
                ["name"] = channel.Text("name"),
                ["configSnapshotDeliveryInfo"] = new JsonObject { ["lastStatus"] = "Not_Applicable" },
                ["configHistoryDeliveryInfo"] = new JsonObject { ["lastStatus"] = "Not_Applicable" },
                ["configStreamDeliveryInfo"] = new JsonObject { ["lastStatus"] = channel.Has("snsTopicARN") ? "Success" : "Not_Applicable" },
            }).ToJsonList(),
        });
        On("DeleteDeliveryChannel", (context, input) =>
        {
            var name = Channel(context, input.Required("DeliveryChannelName")).Required("name");
            if (Recorders(context).Any(recorder => recorder.Child("_Status")!.Is("recording")))
            {
                throw new ServiceFault("LastDeliveryChannelDeleteFailedException", $"Failed to delete last specified delivery channel with name '{name}', because there, because there is a running configuration recorder.");
            }
            Channels(context).Remove(name);
            return [];
        });
    }

    private void AddRules()
    {
        On("PutConfigRule", PutConfigRule);
        On("DescribeConfigRules", (context, input) => Pages.Answer(input, Chosen(input.Texts("ConfigRuleNames"), name => Rule(context, name), Rules(context)), "ConfigRules", defaultSize: 25, tokenErrorCode: "InvalidNextTokenException"));
        On("DeleteConfigRule", (context, input) =>
        {
            var name = Rule(context, input.Required("ConfigRuleName")).Required("ConfigRuleName");
            Rules(context).Remove(name);
            Results(context).Remove(name);
            return [];
        });
        On("StartConfigRulesEvaluation", (context, input) =>
        {
            foreach (var rule in Chosen(input.Texts("ConfigRuleNames"), name => Rule(context, name), Rules(context)))
            {
                EvaluateSoon(context.Detached(), rule.Required("ConfigRuleName"));
            }
            return [];
        });
        On("DescribeConfigRuleEvaluationStatus", (context, input) => Pages.Answer(input, Chosen(input.Texts("ConfigRuleNames"), name => Rule(context, name), Rules(context)).Select(rule =>
            rule.Pick("ConfigRuleName", "ConfigRuleArn", "ConfigRuleId").With("FirstActivatedTime", rule["_Activated"].Copy()).With("LastSuccessfulInvocationTime", rule["_Evaluated"].Copy())
                .With("LastSuccessfulEvaluationTime", rule["_Evaluated"].Copy()).With("FirstEvaluationStarted", rule.Has("_Evaluated"))).ToList(), "ConfigRulesEvaluationStatus", "Limit", defaultSize: 50, tokenErrorCode: "InvalidNextTokenException"));
    }

    private JsonObject Rule(RequestContext context, string name) => Rules(context).Get(name)
        ?? throw new ServiceFault("NoSuchConfigRuleException", $"The ConfigRule '{name}' provided in the request is invalid. Please check the configRule name.");

    private JsonObject PutConfigRule(RequestContext context, JsonObject input)
    {
        if (Recorders(context).Count == 0)
        {
            throw new ServiceFault("NoAvailableConfigurationRecorderException", "Configuration recorder is not available to put config rule.");
        }
        var rule = input.Child("ConfigRule")!.Copy();
        var source = rule.Child("Source")!;
        var identifier = source.Text("SourceIdentifier") ?? "";
        if (source.Text("Owner") == "AWS")
        {
            if (!ManagedRules.Exists(identifier))
            {
                throw new ServiceFault("InvalidParameterValueException", $"The sourceIdentifier {identifier} is invalid. Please refer to the documentation for a list of valid sourceIdentifiers that can be used when AWS is the Owner.");
            }
            if (source.Has("SourceDetails"))
            {
                throw new ServiceFault("InvalidParameterValueException", "SourceDetails should be null/empty if the owner is AWS.");
            }
        }
        if (rule.Text("InputParameters") is { Length: > 0 } parameters)
        {
            if (PolicyDocument.AsObject(parameters) is not JsonObject given)
            {
                throw new ServiceFault("InvalidParameterValueException", $"Invalid json {parameters} passed in the InputParameters.");
            }
            if (ManagedRules.ParametersOf(identifier) is { } known && given.Select(pair => pair.Key).FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            {
                throw new ServiceFault("InvalidParameterValueException", $"Unknown parameters provided in the inputParameters: {new JsonObject { [unknown] = given[unknown].Copy() }.ToJsonString()}.");
            }
        }
        var name = rule.Text("ConfigRuleName") ?? Rules(context).Find(item => item.Text("ConfigRuleArn") == rule.Text("ConfigRuleArn") || item.Text("ConfigRuleId") == rule.Text("ConfigRuleId"))?.Text("ConfigRuleName")
            ?? throw new ServiceFault("InvalidParameterValueException", "One or more identifiers needs to be provided. Provide Name or Id or Arn.");
        var present = Rules(context).Get(name);
        var id = present?.Text("ConfigRuleId") ?? "config-rule-" + Runtime.Ids.Lower(6);
        rule["ConfigRuleName"] = name;
        rule["ConfigRuleId"] = id;
        rule["ConfigRuleArn"] = context.Arn("config", "config-rule/" + id);
        rule["ConfigRuleState"] = "ACTIVE";
        rule["EvaluationModes"] ??= new JsonArray(new JsonObject { ["Mode"] = "DETECTIVE" });
        rule["_Tags"] = present?["_Tags"].Copy() ?? input["Tags"].Copy() ?? new JsonArray();
        rule["_Activated"] = present?["_Activated"].Copy() ?? Documents.Time(context.Now);
        rule["_Version"] = Runtime.Ids.Uuid();
        rule.With("_Evaluated", present?["_Evaluated"].Copy());
        Rules(context).Put(name, rule);
        EvaluateSoon(context.Detached(), name);
        EvaluateAgain(context.Detached(), name, rule.Required("_Version"));
        return [];
    }
}
