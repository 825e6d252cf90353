using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Organizations;

/// <summary>AWS::Organizations::Policy.</summary>
internal static class OrganizationsResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<OrganizationsService>();
        return
        [
            new Provider("AWS::Organizations::Policy")
            {
                Gone = ["PolicyNotFoundException"],
                Create = async (context, properties) =>
                {
                    var input = PropertyMapper.ToInput(service, "CreatePolicy", properties.Tagged(context));
                    input["Description"] ??= "";
                    var id = (await service.CallAsync(context, "CreatePolicy", input).ConfigureAwait(false)).Child("Policy")!.Child("PolicySummary")!.Required("Id");
                    context.Initiated(id);
                    foreach (var target in properties.Texts("TargetIds"))
                    {
                        await service.CallAsync(context, "AttachPolicy", new JsonObject { ["PolicyId"] = id, ["TargetId"] = target }).ConfigureAwait(false);
                    }
                    return id;
                },
                Update = async (context, id, before, after) =>
                {
                    await service.CallAsync(context, "UpdatePolicy", PropertyMapper.ToInput(service, "UpdatePolicy", after).With("PolicyId", id)).ConfigureAwait(false);
                    foreach (var target in before.Texts("TargetIds").Except(after.Texts("TargetIds")))
                    {
                        await service.CallAsync(context, "DetachPolicy", new JsonObject { ["PolicyId"] = id, ["TargetId"] = target }).ConfigureAwait(false);
                    }
                    foreach (var target in after.Texts("TargetIds").Except(before.Texts("TargetIds")))
                    {
                        await service.CallAsync(context, "AttachPolicy", new JsonObject { ["PolicyId"] = id, ["TargetId"] = target }).ConfigureAwait(false);
                    }
                    var (put, removed) = ProviderExtensions.TagChange(context, before, after);
                    if (removed.Count > 0)
                    {
                        await service.CallAsync(context, "UntagResource", new JsonObject { ["ResourceId"] = id, ["TagKeys"] = removed }).ConfigureAwait(false);
                    }
                    if (put.Count > 0)
                    {
                        await service.CallAsync(context, "TagResource", new JsonObject { ["ResourceId"] = id, ["Tags"] = put }).ConfigureAwait(false);
                    }
                },
                Delete = async (context, id, _) =>
                {
                    foreach (var target in await TargetsAsync(service, context, id).ConfigureAwait(false))
                    {
                        await service.CallAsync(context, "DetachPolicy", new JsonObject { ["PolicyId"] = id, ["TargetId"] = target }).ConfigureAwait(false);
                    }
                    await service.CallAsync(context, "DeletePolicy", new JsonObject { ["PolicyId"] = id }).ConfigureAwait(false);
                },
                Read = async (context, id) =>
                {
                    var policy = (await service.CallAsync(context, "DescribePolicy", new JsonObject { ["PolicyId"] = id }).ConfigureAwait(false)).Child("Policy")!;
                    return policy.Child("PolicySummary")!.Pick("Name", "Description", "Type").With("Content", PolicyDocument.AsObject(policy.Text("Content")))
                        .With("TargetIds", (await TargetsAsync(service, context, id).ConfigureAwait(false)).ToTextList());
                },
                Attributes = async (context, id) =>
                {
                    var summary = (await service.CallAsync(context, "DescribePolicy", new JsonObject { ["PolicyId"] = id }).ConfigureAwait(false)).Child("Policy")!.Child("PolicySummary")!;
                    return ProviderExtensions.Attributes(("Id", id), ("Arn", summary["Arn"]), ("AwsManaged", summary["AwsManaged"]));
                },
            },
        ];
    }

    private static async Task<IReadOnlyList<string>> TargetsAsync(OrganizationsService service, ProvisionContext context, string id) =>
        (await service.CallAsync(context, "ListTargetsForPolicy", new JsonObject { ["PolicyId"] = id, ["MaxResults"] = 20 }).ConfigureAwait(false)).Objects("Targets").Select(target => target.Required("TargetId")).ToList();
}
