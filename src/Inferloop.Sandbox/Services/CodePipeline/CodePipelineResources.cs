using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CodePipeline;

/// <summary>AWS::CodePipeline::Pipeline and AWS::CodeConnections::Connection.</summary>
internal static class CodePipelineResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime) =>
        [Pipeline(runtime.Service<CodePipelineService>()), Connection(runtime.Service<CodeConnectionsService>())];

    private static JsonObject Input(CodePipelineService service, ProvisionContext context, string operation, string name, JsonObject properties)
    {
        var source = properties.Copy();
        source["Name"] = name;
        if (properties["ArtifactStores"] is JsonArray stores)
        {
            source["ArtifactStores"] = new JsonObject(stores.OfType<JsonObject>().Select(item => KeyValuePair.Create(item.Required("Region"), item["ArtifactStore"].Copy())));
        }
        foreach (var action in source.Objects("Stages").SelectMany(stage => stage.Objects("Actions")))
        {
            // Configurations are maps of text, whatever the template writes.
            foreach (var (key, value) in (action.Child("Configuration") ?? []).ToList())
            {
                action.Child("Configuration")![key] = PolicyDocument.AsText(value);
            }
        }
        var input = PropertyMapper.ToInput(service, operation, new JsonObject { ["pipeline"] = source });
        if (operation == "CreatePipeline")
        {
            input["tags"] = Tags.As(context.MergedTags(properties["Tags"]).OfType<JsonObject>(), "key", "value");
        }
        return input;
    }

    private static Provider Pipeline(CodePipelineService service)
    {
        async Task<JsonObject> Find(ProvisionContext context, string name) => (await service.CallAsync(context, "GetPipeline", new JsonObject { ["name"] = name }).ConfigureAwait(false)).Child("pipeline")!;
        return new Provider("AWS::CodePipeline::Pipeline")
        {
            Gone = ["PipelineNotFoundException"],
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "Name", 100);
                await service.CallAsync(context, "CreatePipeline", Input(service, context, "CreatePipeline", name, properties)).ConfigureAwait(false);
                await TransitionsAsync(service, context, name, [], properties).ConfigureAwait(false);
                return name;
            },
            Update = async (context, name, before, after) =>
            {
                await service.CallAsync(context, "UpdatePipeline", Input(service, context, "UpdatePipeline", name, after)).ConfigureAwait(false);
                await TransitionsAsync(service, context, name, before, after).ConfigureAwait(false);
                if (after.Is("RestartExecutionOnUpdate"))
                {
                    await service.CallAsync(context, "StartPipelineExecution", new JsonObject { ["name"] = name }).ConfigureAwait(false);
                }
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeletePipeline", new JsonObject { ["name"] = name }),
            Read = async (context, name) =>
            {
                var properties = (JsonObject)PropertyMapper.ToProperties(service.Model.Shape("PipelineDeclaration"), await Find(context, name).ConfigureAwait(false))!;
                properties.Remove("Version");
                return properties;
            },
            Attributes = async (context, name) => ProviderExtensions.Attributes(("Version", (await Find(context, name).ConfigureAwait(false)).Text("version"))),
        };
    }

    private static async Task TransitionsAsync(CodePipelineService service, ProvisionContext context, string name, JsonObject before, JsonObject after)
    {
        var closed = after.Objects("DisableInboundStageTransitions").ToList();
        foreach (var stage in before.Objects("DisableInboundStageTransitions").Where(old => !closed.Exists(item => item.Text("StageName") == old.Text("StageName"))))
        {
            await service.CallAsync(context, "EnableStageTransition", new JsonObject { ["pipelineName"] = name, ["stageName"] = stage.Text("StageName"), ["transitionType"] = "Inbound" }).ConfigureAwait(false);
        }
        foreach (var stage in closed)
        {
            await service.CallAsync(context, "DisableStageTransition", new JsonObject { ["pipelineName"] = name, ["stageName"] = stage.Text("StageName"), ["transitionType"] = "Inbound", ["reason"] = stage.Text("Reason") }).ConfigureAwait(false);
        }
    }

    private static Provider Connection(CodeConnectionsService service)
    {
        async Task<JsonObject> Find(ProvisionContext context, string arn) => (await service.CallAsync(context, "GetConnection", new JsonObject { ["ConnectionArn"] = arn }).ConfigureAwait(false)).Child("Connection")!;
        return new Provider("AWS::CodeConnections::Connection")
        {
            Create = async (context, properties) => (await service.CallMappedAsync(context, "CreateConnection", properties.Tagged(context)).ConfigureAwait(false)).Required("ConnectionArn"),
            Update = async (context, arn, before, after) =>
            {
                var (put, removed) = ProviderExtensions.TagChange(context, before, after);
                if (removed.Count > 0)
                {
                    await service.CallAsync(context, "UntagResource", new JsonObject { ["ResourceArn"] = arn, ["TagKeys"] = removed }).ConfigureAwait(false);
                }
                if (put.Count > 0)
                {
                    await service.CallAsync(context, "TagResource", new JsonObject { ["ResourceArn"] = arn, ["Tags"] = put }).ConfigureAwait(false);
                }
            },
            Delete = (context, arn, _) => service.CallAsync(context, "DeleteConnection", new JsonObject { ["ConnectionArn"] = arn }),
            Read = async (context, arn) => (await Find(context, arn).ConfigureAwait(false)).Pick("ConnectionName", "ProviderType", "HostArn"),
            Attributes = async (context, arn) =>
            {
                var connection = await Find(context, arn).ConfigureAwait(false);
                return ProviderExtensions.Attributes(("ConnectionArn", arn), ("ConnectionStatus", connection["ConnectionStatus"]), ("OwnerAccountId", connection["OwnerAccountId"]));
            },
        };
    }
}
