using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CodeBuild;

/// <summary>AWS::CodeBuild::Project.</summary>
internal static class CodeBuildResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<CodeBuildService>();
        return
        [
            new Provider("AWS::CodeBuild::Project")
            {
                Create = async (context, properties) =>
                {
                    var name = context.NameOf(properties, "Name", 150);
                    await service.CallAsync(context, "CreateProject", Input(service, context, "CreateProject", name, properties)).ConfigureAwait(false);
                    if (properties.Child("Triggers") is { } triggers && triggers.Is("Webhook"))
                    {
                        await service.CallMappedAsync(context, "CreateWebhook", triggers.Copy().With("ProjectName", name)).ConfigureAwait(false);
                    }
                    return name;
                },
                Update = async (context, name, before, after) =>
                {
                    await service.CallAsync(context, "UpdateProject", Input(service, context, "UpdateProject", name, after)).ConfigureAwait(false);
                    if (after.Changed(before, "Triggers"))
                    {
                        var had = before.Child("Triggers")?.Is("Webhook") == true;
                        var has = after.Child("Triggers")?.Is("Webhook") == true;
                        if (has)
                        {
                            await service.CallMappedAsync(context, had ? "UpdateWebhook" : "CreateWebhook", after.Child("Triggers")!.Copy().With("ProjectName", name)).ConfigureAwait(false);
                        }
                        else if (had)
                        {
                            await service.CallAsync(context, "DeleteWebhook", new JsonObject { ["projectName"] = name }).ConfigureAwait(false);
                        }
                    }
                },
                Delete = (context, name, _) => service.CallAsync(context, "DeleteProject", new JsonObject { ["name"] = name }),
                Read = async (context, name) =>
                {
                    var found = (await service.CallAsync(context, "BatchGetProjects", new JsonObject { ["names"] = new JsonArray(name) }).ConfigureAwait(false)).Objects("projects").FirstOrDefault();
                    if (found is null)
                    {
                        return null;
                    }
                    var properties = (JsonObject)PropertyMapper.ToProperties(service.Model.Shape("Project"), found)!;
                    properties.With("BadgeEnabled", found.Child("badge")?["badgeEnabled"].Copy());
                    if (properties.Child("Source") is { } source && source.Text("Buildspec") is { } specification)
                    {
                        source.Remove("Buildspec");
                        source["BuildSpec"] = specification;
                    }
                    properties["Tags"] = Tags.OfTemplate(found.Objects("tags"), "key", "value");
                    foreach (var member in (string[])["Arn", "Created", "LastModified", "Badge", "Webhook", "ProjectVisibility"])
                    {
                        properties.Remove(member);
                    }
                    return properties;
                },
                Attributes = (context, name) => Task.FromResult(ProviderExtensions.Attributes(("Arn", context.Request.Arn("codebuild", "project/" + name)))),
            },
        ];
    }

    private static JsonObject Input(CodeBuildService service, ProvisionContext context, string operation, string name, JsonObject properties)
    {
        var input = PropertyMapper.ToInput(service, operation, properties);
        input["name"] = name;
        input["tags"] = Tags.As(context.MergedTags(properties["Tags"]).OfType<JsonObject>(), "key", "value");
        return input;
    }
}
