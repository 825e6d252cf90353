using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Config;

/// <summary>The AWS::Config resource types. CloudFormation starts the recorder as soon as there is a delivery channel.</summary>
internal static class ConfigResources
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<ConfigService>();
        return [Recorder(service), Channel(service), Rule(service)];
    }

    private static async Task<IReadOnlyList<string>> RecordersAsync(ConfigService service, ProvisionContext context) =>
        (await service.CallAsync(context, "DescribeConfigurationRecorders", []).ConfigureAwait(false)).Objects("ConfigurationRecorders").Select(item => item.Required("name")).ToList();

    private static async Task StopAsync(ConfigService service, ProvisionContext context)
    {
        foreach (var name in await RecordersAsync(service, context).ConfigureAwait(false))
        {
            try
            {
                await service.CallAsync(context, "StopConfigurationRecorder", new JsonObject { ["ConfigurationRecorderName"] = name }).ConfigureAwait(false);
            }
            catch (ServiceFault fault) when (fault.Code == "NoSuchConfigurationRecorderException")
            {
                // The recorder of the same stack is deleted beside this; a recorder that is gone records nothing.
            }
        }
    }

    private static Provider Recorder(ConfigService service)
    {
        Task Put(ProvisionContext context, string name, JsonObject properties)
        {
            var input = PropertyMapper.ToInput(service, "PutConfigurationRecorder", new JsonObject { ["ConfigurationRecorder"] = properties.Copy().With("name", name) });
            return service.CallAsync(context, "PutConfigurationRecorder", input);
        }
        return new Provider("AWS::Config::ConfigurationRecorder")
        {
            Gone = ["NoSuchConfigurationRecorderException"],
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "Name");
                await Put(context, name, properties).ConfigureAwait(false);
                if ((await service.CallAsync(context, "DescribeDeliveryChannels", []).ConfigureAwait(false)).Objects("DeliveryChannels").Any())
                {
                    await service.CallAsync(context, "StartConfigurationRecorder", new JsonObject { ["ConfigurationRecorderName"] = name }).ConfigureAwait(false);
                }
                return name;
            },
            Update = (context, name, _, after) => Put(context, name, after),
            Delete = async (context, name, _) =>
            {
                await service.CallAsync(context, "StopConfigurationRecorder", new JsonObject { ["ConfigurationRecorderName"] = name }).ConfigureAwait(false);
                await service.CallAsync(context, "DeleteConfigurationRecorder", new JsonObject { ["ConfigurationRecorderName"] = name }).ConfigureAwait(false);
            },
            Read = async (context, name) =>
            {
                var found = (await service.CallAsync(context, "DescribeConfigurationRecorders", new JsonObject { ["ConfigurationRecorderNames"] = new JsonArray(name) }).ConfigureAwait(false)).Objects("ConfigurationRecorders").First();
                var properties = (JsonObject)PropertyMapper.ToProperties(service.Model.Shape("ConfigurationRecorder"), found)!;
                return properties.Pick("Name", "RecordingGroup").With("RoleARN", properties["RoleARN"].Copy());
            },
        };
    }

    private static Provider Channel(ConfigService service)
    {
        Task Put(ProvisionContext context, string name, JsonObject properties) => service.CallAsync(context, "PutDeliveryChannel",
            PropertyMapper.ToInput(service, "PutDeliveryChannel", new JsonObject { ["DeliveryChannel"] = properties.Copy().With("name", name) }));
        return new Provider("AWS::Config::DeliveryChannel")
        {
            Gone = ["NoSuchDeliveryChannelException"],
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "Name");
                // The recorder of the same stack may come after this.
                await context.WaitUntilAsync(async () => (await RecordersAsync(service, context).ConfigureAwait(false)).Count > 0, timeout: Patience).ConfigureAwait(false);
                await Put(context, name, properties).ConfigureAwait(false);
                foreach (var recorder in await RecordersAsync(service, context).ConfigureAwait(false))
                {
                    await service.CallAsync(context, "StartConfigurationRecorder", new JsonObject { ["ConfigurationRecorderName"] = recorder }).ConfigureAwait(false);
                }
                return name;
            },
            Update = (context, name, _, after) => Put(context, name, after),
            Delete = async (context, name, _) =>
            {
                await StopAsync(service, context).ConfigureAwait(false);
                await service.CallAsync(context, "DeleteDeliveryChannel", new JsonObject { ["DeliveryChannelName"] = name }).ConfigureAwait(false);
            },
            Read = async (context, name) => (JsonObject)PropertyMapper.ToProperties(service.Model.Shape("DeliveryChannel"),
                (await service.CallAsync(context, "DescribeDeliveryChannels", new JsonObject { ["DeliveryChannelNames"] = new JsonArray(name) }).ConfigureAwait(false)).Objects("DeliveryChannels").First())!,
        };
    }

    private static Provider Rule(ConfigService service)
    {
        async Task<JsonObject> Find(ProvisionContext context, string name) =>
            (await service.CallAsync(context, "DescribeConfigRules", new JsonObject { ["ConfigRuleNames"] = new JsonArray(name) }).ConfigureAwait(false)).Objects("ConfigRules").First();
        Task Put(ProvisionContext context, string name, JsonObject properties)
        {
            var input = PropertyMapper.ToInput(service, "PutConfigRule", new JsonObject { ["ConfigRule"] = properties.Copy().With("ConfigRuleName", name) });
            var tags = context.MergedTags(properties["Tags"]);
            return service.CallAsync(context, "PutConfigRule", tags.Count > 0 ? input.With("Tags", tags) : input);
        }
        return new Provider("AWS::Config::ConfigRule")
        {
            Gone = ["NoSuchConfigRuleException"],
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "ConfigRuleName", 128);
                await Put(context, name, properties).ConfigureAwait(false);
                return name;
            },
            Update = (context, name, _, after) => Put(context, name, after),
            Delete = (context, name, _) => service.CallAsync(context, "DeleteConfigRule", new JsonObject { ["ConfigRuleName"] = name }),
            Read = async (context, name) =>
            {
                var properties = (await Find(context, name).ConfigureAwait(false)).Pick("ConfigRuleName", "Description", "Scope", "Source", "MaximumExecutionFrequency", "InputParameters");
                return properties.With("InputParameters", PolicyDocument.AsObject(properties.Text("InputParameters")));
            },
            Attributes = async (context, name) =>
            {
                var rule = await Find(context, name).ConfigureAwait(false);
                var compliance = (await service.CallAsync(context, "DescribeComplianceByConfigRule", new JsonObject { ["ConfigRuleNames"] = new JsonArray(name) }).ConfigureAwait(false)).Objects("ComplianceByConfigRules").First();
                return ProviderExtensions.Attributes(("Arn", rule["ConfigRuleArn"]), ("ConfigRuleId", rule["ConfigRuleId"]), ("Compliance.Type", compliance.Child("Compliance")!["ComplianceType"]));
            },
        };
    }
}
