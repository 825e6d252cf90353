using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Iam;

/// <summary>The AWS::IAM resource types.</summary>
internal static class IamResources
{
    private static readonly string[] NotFound = ["NoSuchEntity"];

    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<IamService>();
        return [.. Roles(service), .. Policies(service), .. Others(service)];
    }

    private static JsonNode? Decoded(string? encoded) => encoded is null ? null : PolicyDocument.AsObject(Uri.UnescapeDataString(encoded));

    /// <summary>Brings a role's attached and inline policies from one state to another.</summary>
    private static async Task PoliciesAsync(IamService service, ProvisionContext context, string role, JsonObject before, JsonObject after)
    {
        JsonObject Input() => new() { ["RoleName"] = role };
        foreach (var arn in before.Texts("ManagedPolicyArns").Except(after.Texts("ManagedPolicyArns")))
        {
            await service.CallAsync(context, "DetachRolePolicy", Input().With("PolicyArn", arn)).ConfigureAwait(false);
        }
        foreach (var arn in after.Texts("ManagedPolicyArns"))
        {
            await service.CallAsync(context, "AttachRolePolicy", Input().With("PolicyArn", arn)).ConfigureAwait(false);
        }
        var wanted = after.Objects("Policies").Select(policy => policy.Required("PolicyName")).ToHashSet(StringComparer.Ordinal);
        foreach (var name in before.Objects("Policies").Select(policy => policy.Required("PolicyName")).Where(name => !wanted.Contains(name)))
        {
            await service.CallAsync(context, "DeleteRolePolicy", Input().With("PolicyName", name)).ConfigureAwait(false);
        }
        foreach (var policy in after.Objects("Policies"))
        {
            await service.CallAsync(context, "PutRolePolicy",
                Input().With("PolicyName", policy.Text("PolicyName")).With("PolicyDocument", PolicyDocument.AsText(policy["PolicyDocument"]))).ConfigureAwait(false);
        }
    }

    private static IEnumerable<ResourceProvider> Roles(IamService service)
    {
        async Task<JsonObject> Role(ProvisionContext context, string name) =>
            (await service.CallAsync(context, "GetRole", new JsonObject { ["RoleName"] = name }).ConfigureAwait(false)).Child("Role")!;
        yield return new Provider("AWS::IAM::Role")
        {
            Service = "Iam",
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "RoleName", 64);
                var input = PropertyMapper.ToInput(service, "CreateRole", properties.Tagged(context));
                input["RoleName"] = name;
                await service.CallAsync(context, "CreateRole", input).ConfigureAwait(false);
                context.Initiated(name);
                await PoliciesAsync(service, context, name, [], properties).ConfigureAwait(false);
                await context.DelayAsync(Durations.IamPropagation).ConfigureAwait(false);
                return name;
            },
            Update = async (context, name, before, after) =>
            {
                JsonObject Input() => new() { ["RoleName"] = name };
                if (after.Changed(before, "AssumeRolePolicyDocument"))
                {
                    await service.CallAsync(context, "UpdateAssumeRolePolicy", Input().With("PolicyDocument", PolicyDocument.AsText(after["AssumeRolePolicyDocument"]))).ConfigureAwait(false);
                }
                if (after.Changed(before, "Description", "MaxSessionDuration"))
                {
                    await service.CallAsync(context, "UpdateRole", Input().With("Description", after.Text("Description")).With("MaxSessionDuration", after.Int("MaxSessionDuration"))).ConfigureAwait(false);
                }
                if (after.Changed(before, "PermissionsBoundary"))
                {
                    await service.CallAsync(context, after.Has("PermissionsBoundary") ? "PutRolePermissionsBoundary" : "DeleteRolePermissionsBoundary",
                        Input().With("PermissionsBoundary", after.Text("PermissionsBoundary"))).ConfigureAwait(false);
                }
                await PoliciesAsync(service, context, name, before, after).ConfigureAwait(false);
                var (put, removed) = ProviderExtensions.TagChange(context, before, after);
                if (removed.Count > 0)
                {
                    await service.CallAsync(context, "UntagRole", Input().With("TagKeys", removed)).ConfigureAwait(false);
                }
                if (put.Count > 0)
                {
                    await service.CallAsync(context, "TagRole", Input().With("Tags", put)).ConfigureAwait(false);
                }
            },
            Delete = async (context, name, properties) =>
            {
                // CloudFormation takes away what it put on; what others attached keeps the role from being deleted, as at AWS.
                await PoliciesAsync(service, context, name, properties, []).ConfigureAwait(false);
                await service.CallAsync(context, "DeleteRole", new JsonObject { ["RoleName"] = name }).ConfigureAwait(false);
            },
            Read = async (context, name) =>
            {
                var role = await Role(context, name).ConfigureAwait(false);
                var properties = role.Pick("RoleName", "Path", "Description", "MaxSessionDuration");
                properties["AssumeRolePolicyDocument"] = Decoded(role.Text("AssumeRolePolicyDocument"));
                var attached = await service.CallAsync(context, "ListAttachedRolePolicies", new JsonObject { ["RoleName"] = name }).ConfigureAwait(false);
                properties["ManagedPolicyArns"] = attached.Objects("AttachedPolicies").Select(policy => policy.Required("PolicyArn")).ToTextList();
                var inline = await service.CallAsync(context, "ListRolePolicies", new JsonObject { ["RoleName"] = name }).ConfigureAwait(false);
                var policies = new List<JsonObject>();
                foreach (var policy in inline.Texts("PolicyNames"))
                {
                    var document = await service.CallAsync(context, "GetRolePolicy", new JsonObject { ["RoleName"] = name, ["PolicyName"] = policy }).ConfigureAwait(false);
                    policies.Add(new JsonObject { ["PolicyName"] = policy, ["PolicyDocument"] = Decoded(document.Text("PolicyDocument")) });
                }
                properties["Policies"] = policies.ToJsonList();
                properties["Tags"] = Tags.OfTemplate(role.Objects("Tags"));
                return properties.With("PermissionsBoundary", role.Child("PermissionsBoundary")?.Text("PermissionsBoundaryArn"));
            },
            Attributes = async (context, name) =>
            {
                var role = await Role(context, name).ConfigureAwait(false);
                return ProviderExtensions.Attributes(("Arn", role["Arn"]), ("RoleId", role["RoleId"]));
            },
        };
        yield return new Provider("AWS::IAM::ServiceLinkedRole")
        {
            Service = "Iam",
            Gone = NotFound,
            Create = async (context, properties) =>
                (await service.CallMappedAsync(context, "CreateServiceLinkedRole", properties).ConfigureAwait(false)).Child("Role")!.Required("RoleName"),
            Delete = (context, name, _) => service.CallAsync(context, "DeleteServiceLinkedRole", new JsonObject { ["RoleName"] = name }),
            Read = async (context, name) => (await Role(context, name).ConfigureAwait(false)).Pick("RoleName", "Description"),
            Attributes = (_, name) => Task.FromResult(ProviderExtensions.Attributes(("RoleName", name))),
        };
    }

    private static IEnumerable<ResourceProvider> Policies(IamService service)
    {
        JsonObject On(string role, string policy) => new() { ["RoleName"] = role, ["PolicyName"] = policy };
        static void RequireRoles(JsonObject properties)
        {
            if (properties.Texts("Users").Count > 0 || properties.Texts("Groups").Count > 0)
            {
                throw new ServiceFault("NotImplemented", "The sandbox has no IAM users and groups. Nothing was changed.", 501);
            }
            if (properties.Texts("Roles").Count == 0)
            {
                throw new ServiceFault("ValidationError", "At least one of [Groups,Roles,Users] must be non-empty.");
            }
        }
        yield return new Provider("AWS::IAM::Policy")
        {
            Service = "Iam",
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                RequireRoles(properties);
                foreach (var role in properties.Texts("Roles"))
                {
                    await service.CallAsync(context, "PutRolePolicy", On(role, properties.Required("PolicyName")).With("PolicyDocument", PolicyDocument.AsText(properties["PolicyDocument"]))).ConfigureAwait(false);
                }
                // The physical id carries what is needed to find the policy again.
                return $"{context.GenerateName(100)}|{properties.Text("PolicyName")}|{string.Join(',', properties.Texts("Roles"))}";
            },
            Reference = id => id.Split('|')[0],
            Update = async (context, _, before, after) =>
            {
                RequireRoles(after);
                foreach (var role in before.Texts("Roles").Where(role => !after.Texts("Roles").Contains(role) || before.Text("PolicyName") != after.Text("PolicyName")))
                {
                    await service.CallAsync(context, "DeleteRolePolicy", On(role, before.Required("PolicyName"))).ConfigureAwait(false);
                }
                foreach (var role in after.Texts("Roles"))
                {
                    await service.CallAsync(context, "PutRolePolicy", On(role, after.Required("PolicyName")).With("PolicyDocument", PolicyDocument.AsText(after["PolicyDocument"]))).ConfigureAwait(false);
                }
            },
            Delete = async (context, _, properties) =>
            {
                foreach (var role in properties.Texts("Roles"))
                {
                    try
                    {
                        await service.CallAsync(context, "DeleteRolePolicy", On(role, properties.Required("PolicyName"))).ConfigureAwait(false);
                    }
                    catch (ServiceFault fault) when (fault.Code == "NoSuchEntity")
                    {
                        // The role, or its policy, went before.
                    }
                }
            },
            Read = async (context, id) =>
            {
                var parts = id.Split('|');
                var found = await service.CallAsync(context, "GetRolePolicy", On(parts[2].Split(',')[0], parts[1])).ConfigureAwait(false);
                return new JsonObject { ["PolicyName"] = parts[1], ["Roles"] = parts[2].Split(',').ToTextList(), ["PolicyDocument"] = Decoded(found.Text("PolicyDocument")) };
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id.Split('|')[0]))),
        };
        yield return new Provider("AWS::IAM::RolePolicy")
        {
            Service = "Iam",
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                await service.CallAsync(context, "PutRolePolicy", On(properties.Required("RoleName"), properties.Required("PolicyName")).With("PolicyDocument", PolicyDocument.AsText(properties["PolicyDocument"]))).ConfigureAwait(false);
                return $"{properties.Text("PolicyName")}|{properties.Text("RoleName")}";
            },
            Update = (context, _, _, after) => service.CallAsync(context, "PutRolePolicy", On(after.Required("RoleName"), after.Required("PolicyName")).With("PolicyDocument", PolicyDocument.AsText(after["PolicyDocument"]))),
            Delete = (context, id, _) => service.CallAsync(context, "DeleteRolePolicy", On(id.Split('|')[1], id.Split('|')[0])),
            Read = async (context, id) =>
            {
                var found = await service.CallAsync(context, "GetRolePolicy", On(id.Split('|')[1], id.Split('|')[0])).ConfigureAwait(false);
                return found.Pick("PolicyName", "RoleName").With("PolicyDocument", Decoded(found.Text("PolicyDocument")));
            },
        };
        yield return new Provider("AWS::IAM::ManagedPolicy")
        {
            Service = "Iam",
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreatePolicy", properties, ("ManagedPolicyName", "PolicyName"));
                input["PolicyName"] = context.NameOf(properties, "ManagedPolicyName", 128);
                var tags = context.MergedTags(null);
                input.Remove("Tags");
                if (tags.Count > 0)
                {
                    input["Tags"] = tags;
                }
                var arn = (await service.CallAsync(context, "CreatePolicy", input).ConfigureAwait(false)).Child("Policy")!.Required("Arn");
                context.Initiated(arn);
                foreach (var role in properties.Texts("Roles"))
                {
                    await service.CallAsync(context, "AttachRolePolicy", new JsonObject { ["RoleName"] = role, ["PolicyArn"] = arn }).ConfigureAwait(false);
                }
                return arn;
            },
            Update = async (context, arn, before, after) =>
            {
                if (after.Changed(before, "PolicyDocument"))
                {
                    var versions = (await service.CallAsync(context, "ListPolicyVersions", new JsonObject { ["PolicyArn"] = arn }).ConfigureAwait(false)).Objects("Versions").ToList();
                    if (versions.Count >= 5)
                    {
                        var oldest = versions.Last(version => !version.Is("IsDefaultVersion"));
                        await service.CallAsync(context, "DeletePolicyVersion", new JsonObject { ["PolicyArn"] = arn, ["VersionId"] = oldest.Text("VersionId") }).ConfigureAwait(false);
                    }
                    await service.CallAsync(context, "CreatePolicyVersion",
                        new JsonObject { ["PolicyArn"] = arn, ["PolicyDocument"] = PolicyDocument.AsText(after["PolicyDocument"]), ["SetAsDefault"] = true }).ConfigureAwait(false);
                }
                foreach (var role in before.Texts("Roles").Except(after.Texts("Roles")))
                {
                    await service.CallAsync(context, "DetachRolePolicy", new JsonObject { ["RoleName"] = role, ["PolicyArn"] = arn }).ConfigureAwait(false);
                }
                foreach (var role in after.Texts("Roles").Except(before.Texts("Roles")))
                {
                    await service.CallAsync(context, "AttachRolePolicy", new JsonObject { ["RoleName"] = role, ["PolicyArn"] = arn }).ConfigureAwait(false);
                }
            },
            Delete = async (context, arn, _) =>
            {
                var entities = await service.CallAsync(context, "ListEntitiesForPolicy", new JsonObject { ["PolicyArn"] = arn }).ConfigureAwait(false);
                foreach (var role in entities.Objects("PolicyRoles"))
                {
                    await service.CallAsync(context, "DetachRolePolicy", new JsonObject { ["RoleName"] = role.Text("RoleName"), ["PolicyArn"] = arn }).ConfigureAwait(false);
                }
                var versions = await service.CallAsync(context, "ListPolicyVersions", new JsonObject { ["PolicyArn"] = arn }).ConfigureAwait(false);
                foreach (var version in versions.Objects("Versions").Where(version => !version.Is("IsDefaultVersion")))
                {
                    await service.CallAsync(context, "DeletePolicyVersion", new JsonObject { ["PolicyArn"] = arn, ["VersionId"] = version.Text("VersionId") }).ConfigureAwait(false);
                }
                await service.CallAsync(context, "DeletePolicy", new JsonObject { ["PolicyArn"] = arn }).ConfigureAwait(false);
            },
            Read = async (context, arn) =>
            {
                var policy = (await service.CallAsync(context, "GetPolicy", new JsonObject { ["PolicyArn"] = arn }).ConfigureAwait(false)).Child("Policy")!;
                var version = await service.CallAsync(context, "GetPolicyVersion", new JsonObject { ["PolicyArn"] = arn, ["VersionId"] = policy.Text("DefaultVersionId") }).ConfigureAwait(false);
                var entities = await service.CallAsync(context, "ListEntitiesForPolicy", new JsonObject { ["PolicyArn"] = arn }).ConfigureAwait(false);
                return policy.Pick("Description", "Path").With("ManagedPolicyName", policy.Text("PolicyName"))
                    .With("PolicyDocument", Decoded(version.Child("PolicyVersion")!.Text("Document")))
                    .With("Roles", entities.Objects("PolicyRoles").Select(role => role.Required("RoleName")).ToTextList());
            },
            Attributes = async (context, arn) =>
            {
                var policy = (await service.CallAsync(context, "GetPolicy", new JsonObject { ["PolicyArn"] = arn }).ConfigureAwait(false)).Child("Policy")!;
                return ProviderExtensions.Attributes(("PolicyArn", arn), ("PolicyId", policy["PolicyId"]), ("DefaultVersionId", policy["DefaultVersionId"]),
                    ("AttachmentCount", policy["AttachmentCount"]), ("CreateDate", policy["CreateDate"]), ("UpdateDate", policy["UpdateDate"]), ("IsAttachable", policy["IsAttachable"]),
                    ("PermissionsBoundaryUsageCount", policy["PermissionsBoundaryUsageCount"]));
            },
        };
    }

    private static IEnumerable<ResourceProvider> Others(IamService service)
    {
        yield return new Provider("AWS::IAM::InstanceProfile")
        {
            Service = "Iam",
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "InstanceProfileName", 128);
                await service.CallAsync(context, "CreateInstanceProfile", new JsonObject { ["InstanceProfileName"] = name }.With("Path", properties.Text("Path"))).ConfigureAwait(false);
                context.Initiated(name);
                foreach (var role in properties.Texts("Roles"))
                {
                    await service.CallAsync(context, "AddRoleToInstanceProfile", new JsonObject { ["InstanceProfileName"] = name, ["RoleName"] = role }).ConfigureAwait(false);
                }
                await context.DelayAsync(Durations.InstanceProfilePropagation).ConfigureAwait(false);
                return name;
            },
            Update = async (context, name, before, after) =>
            {
                foreach (var role in before.Texts("Roles").Except(after.Texts("Roles")))
                {
                    await service.CallAsync(context, "RemoveRoleFromInstanceProfile", new JsonObject { ["InstanceProfileName"] = name, ["RoleName"] = role }).ConfigureAwait(false);
                }
                foreach (var role in after.Texts("Roles").Except(before.Texts("Roles")))
                {
                    await service.CallAsync(context, "AddRoleToInstanceProfile", new JsonObject { ["InstanceProfileName"] = name, ["RoleName"] = role }).ConfigureAwait(false);
                }
            },
            Delete = async (context, name, _) =>
            {
                var profile = (await service.CallAsync(context, "GetInstanceProfile", new JsonObject { ["InstanceProfileName"] = name }).ConfigureAwait(false)).Child("InstanceProfile")!;
                foreach (var role in profile.Objects("Roles"))
                {
                    await service.CallAsync(context, "RemoveRoleFromInstanceProfile", new JsonObject { ["InstanceProfileName"] = name, ["RoleName"] = role.Text("RoleName") }).ConfigureAwait(false);
                }
                await service.CallAsync(context, "DeleteInstanceProfile", new JsonObject { ["InstanceProfileName"] = name }).ConfigureAwait(false);
            },
            Read = async (context, name) =>
            {
                var profile = (await service.CallAsync(context, "GetInstanceProfile", new JsonObject { ["InstanceProfileName"] = name }).ConfigureAwait(false)).Child("InstanceProfile")!;
                return profile.Pick("InstanceProfileName", "Path").With("Roles", profile.Objects("Roles").Select(role => role.Required("RoleName")).ToTextList());
            },
            Attributes = async (context, name) => ProviderExtensions.Attributes(("Arn",
                (await service.CallAsync(context, "GetInstanceProfile", new JsonObject { ["InstanceProfileName"] = name }).ConfigureAwait(false)).Child("InstanceProfile")!["Arn"])),
        };
        yield return new Provider("AWS::IAM::OIDCProvider")
        {
            Service = "Iam",
            Gone = NotFound,
            Create = async (context, properties) => (await service.CallMappedAsync(context, "CreateOpenIDConnectProvider", properties.Tagged(context), ("ClientIdList", "ClientIDList")).ConfigureAwait(false)).Required("OpenIDConnectProviderArn"),
            Update = async (context, arn, before, after) =>
            {
                JsonObject Input() => new() { ["OpenIDConnectProviderArn"] = arn };
                if (after.Changed(before, "ThumbprintList") && after.Has("ThumbprintList"))
                {
                    await service.CallAsync(context, "UpdateOpenIDConnectProviderThumbprint", Input().With("ThumbprintList", after["ThumbprintList"].Copy())).ConfigureAwait(false);
                }
                foreach (var client in before.Texts("ClientIdList").Except(after.Texts("ClientIdList")))
                {
                    await service.CallAsync(context, "RemoveClientIDFromOpenIDConnectProvider", Input().With("ClientID", client)).ConfigureAwait(false);
                }
                foreach (var client in after.Texts("ClientIdList").Except(before.Texts("ClientIdList")))
                {
                    await service.CallAsync(context, "AddClientIDToOpenIDConnectProvider", Input().With("ClientID", client)).ConfigureAwait(false);
                }
            },
            Delete = (context, arn, _) => service.CallAsync(context, "DeleteOpenIDConnectProvider", new JsonObject { ["OpenIDConnectProviderArn"] = arn }),
            Read = async (context, arn) =>
            {
                var provider = await service.CallAsync(context, "GetOpenIDConnectProvider", new JsonObject { ["OpenIDConnectProviderArn"] = arn }).ConfigureAwait(false);
                return provider.Pick("ThumbprintList").With("Url", "https://" + provider.Text("Url")).With("ClientIdList", provider["ClientIDList"].Copy()).With("Tags", Tags.OfTemplate(provider.Objects("Tags")));
            },
            Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("Arn", arn))),
        };
    }
}
