using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ssm;

/// <summary>AWS::SSM::Parameter.</summary>
internal static class SsmResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<SsmService>();
        yield return new Provider("AWS::SSM::Parameter")
        {
            Service = "Ssm",
            Gone = ["ParameterNotFound"],
            Create = async (context, properties) =>
            {
                if (properties.Text("Type") == "SecureString")
                {
                    throw new ServiceFault("ValidationException", "AWS CloudFormation doesn't support creating a SecureString parameter type.");
                }
                var input = PropertyMapper.ToInput(service, "PutParameter", properties);
                input["Name"] = context.NameOf(properties, "Name", 200);
                input["Tags"] = context.MergedTags(properties["Tags"]);
                await service.CallAsync(context, "PutParameter", input).ConfigureAwait(false);
                return input.Required("Name");
            },
            Update = async (context, name, before, after) =>
            {
                var input = PropertyMapper.ToInput(service, "PutParameter", after);
                input["Name"] = name;
                input["Overwrite"] = true;
                input.Remove("Tags");
                await service.CallAsync(context, "PutParameter", input).ConfigureAwait(false);
                var (put, removed) = ProviderExtensions.TagChange(context, before, after);
                JsonObject Resource() => new() { ["ResourceType"] = "Parameter", ["ResourceId"] = name };
                if (removed.Count > 0)
                {
                    await service.CallAsync(context, "RemoveTagsFromResource", Resource().With("TagKeys", removed)).ConfigureAwait(false);
                }
                if (put.Count > 0)
                {
                    await service.CallAsync(context, "AddTagsToResource", Resource().With("Tags", put)).ConfigureAwait(false);
                }
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeleteParameter", new JsonObject { ["Name"] = name }),
            Read = async (context, name) =>
            {
                var parameter = (await service.CallAsync(context, "GetParameter", new JsonObject { ["Name"] = name }).ConfigureAwait(false)).Child("Parameter")!;
                var described = (await service.CallAsync(context, "DescribeParameters", new JsonObject { ["ParameterFilters"] = new JsonArray(new JsonObject { ["Key"] = "Name", ["Values"] = new JsonArray(name) }) }).ConfigureAwait(false)).Objects("Parameters").First();
                var tags = await service.CallAsync(context, "ListTagsForResource", new JsonObject { ["ResourceType"] = "Parameter", ["ResourceId"] = name }).ConfigureAwait(false);
                return parameter.Pick("Name", "Type", "Value", "DataType").Take(described, "Description", "AllowedPattern", "Tier")
                    .With("Tags", Tags.AsMap(tags.Objects("TagList").Where(tag => !tag.Required("Key").StartsWith("aws:", StringComparison.Ordinal))));
            },
            Attributes = async (context, name) =>
            {
                var parameter = (await service.CallAsync(context, "GetParameter", new JsonObject { ["Name"] = name }).ConfigureAwait(false)).Child("Parameter")!;
                return ProviderExtensions.Attributes(("Type", parameter["Type"]), ("Value", parameter["Value"]));
            },
        };
    }
}
