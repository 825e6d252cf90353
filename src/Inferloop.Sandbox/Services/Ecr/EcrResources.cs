using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecr;

/// <summary>AWS::ECR::Repository.</summary>
internal static class EcrResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<EcrService>();
        async Task<JsonObject> Find(ProvisionContext context, string name) =>
            (await service.CallAsync(context, "DescribeRepositories", new JsonObject { ["repositoryNames"] = new JsonArray(name) }).ConfigureAwait(false)).Objects("repositories").First();
        async Task Policies(ProvisionContext context, string name, JsonObject before, JsonObject after)
        {
            JsonObject Input() => new() { ["repositoryName"] = name };
            if (after.Changed(before, "LifecyclePolicy"))
            {
                await service.CallAsync(context, after.Has("LifecyclePolicy") ? "PutLifecyclePolicy" : "DeleteLifecyclePolicy",
                    Input().With("lifecyclePolicyText", after.Child("LifecyclePolicy")?.Text("LifecyclePolicyText"))).ConfigureAwait(false);
            }
            if (after.Changed(before, "RepositoryPolicyText"))
            {
                await service.CallAsync(context, after.Has("RepositoryPolicyText") ? "SetRepositoryPolicy" : "DeleteRepositoryPolicy",
                    after.Has("RepositoryPolicyText") ? Input().With("policyText", PolicyDocument.AsText(after["RepositoryPolicyText"])) : Input()).ConfigureAwait(false);
            }
        }
        yield return new Provider("AWS::ECR::Repository")
        {
            Service = "Ecr",
            Gone = ["RepositoryNotFoundException"],
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "RepositoryName", 256, lowerCase: true);
                var input = PropertyMapper.ToInput(service, "CreateRepository", properties.Tagged(context));
                input["repositoryName"] = name;
                await service.CallAsync(context, "CreateRepository", input).ConfigureAwait(false);
                context.Initiated(name);
                await Policies(context, name, [], properties).ConfigureAwait(false);
                return name;
            },
            Update = async (context, name, before, after) =>
            {
                JsonObject Input() => new() { ["repositoryName"] = name };
                if (after.Changed(before, "ImageScanningConfiguration") && after.Has("ImageScanningConfiguration"))
                {
                    await service.CallMappedAsync(context, "PutImageScanningConfiguration", Input().With("ImageScanningConfiguration", after["ImageScanningConfiguration"].Copy())).ConfigureAwait(false);
                }
                if (after.Changed(before, "ImageTagMutability"))
                {
                    await service.CallAsync(context, "PutImageTagMutability", Input().With("imageTagMutability", after.Text("ImageTagMutability") ?? "MUTABLE")).ConfigureAwait(false);
                }
                await Policies(context, name, before, after).ConfigureAwait(false);
            },
            Delete = (context, name, properties) => service.CallAsync(context, "DeleteRepository", new JsonObject { ["repositoryName"] = name, ["force"] = properties.Is("EmptyOnDelete") }),
            Read = async (context, name) =>
            {
                var found = await Find(context, name).ConfigureAwait(false);
                return ((JsonObject)PropertyMapper.ToProperties(service.Model.Shape("Repository"), found)!).With("Tags", Tags.OfTemplate(found.Objects("_Tags")));
            },
            Attributes = async (context, name) =>
            {
                var found = await Find(context, name).ConfigureAwait(false);
                return ProviderExtensions.Attributes(("Arn", found["repositoryArn"]), ("RepositoryUri", found["repositoryUri"]));
            },
        };
        async Task Replicate(ProvisionContext context, JsonObject properties) =>
            await service.CallMappedAsync(context, "PutReplicationConfiguration", properties).ConfigureAwait(false);
        yield return new Provider("AWS::ECR::ReplicationConfiguration")
        {
            Service = "Ecr",
            Create = async (context, properties) =>
            {
                // A registry has one: a second resource of the type must not take its place unseen.
                if (await Configured(context).ConfigureAwait(false) is not null)
                {
                    throw new ServiceFault("AlreadyExists", $"The registry {context.Request.AccountId} has a replication configuration already.");
                }
                await Replicate(context, properties).ConfigureAwait(false);
                return context.Request.AccountId;
            },
            Update = (context, _, _, after) => Replicate(context, after),
            Delete = (context, _, _) => service.CallAsync(context, "PutReplicationConfiguration", new JsonObject { ["replicationConfiguration"] = new JsonObject { ["rules"] = new JsonArray() } }),
            Read = async (context, _) => await Configured(context).ConfigureAwait(false) is { } found
                ? new JsonObject { ["ReplicationConfiguration"] = PropertyMapper.ToProperties(service.Model.Shape("ReplicationConfiguration"), found) }
                : null,
            Attributes = (_, registry) => Task.FromResult(ProviderExtensions.Attributes(("RegistryId", registry))),
        };

        async Task<JsonObject?> Configured(ProvisionContext context) =>
            (await service.CallAsync(context, "DescribeRegistry", []).ConfigureAwait(false)).Child("replicationConfiguration") is { } found && found.Objects("rules").Any() ? found : null;
    }
}
