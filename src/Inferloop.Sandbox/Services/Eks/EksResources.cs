using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>The AWS::EKS resource types.</summary>
internal static class EksResources
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(15);

    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<EksService>();
        return [Cluster(service), Nodegroup(service), Addon(service), AccessEntry(service), PodIdentity(service)];
    }

    private static (string First, string Second) Split(string id, char separator) => id.IndexOf(separator, StringComparison.Ordinal) is > 0 and var at ? (id[..at], id[(at + 1)..]) : (id, "");

    private static ServiceFault Unstable(JsonObject found, string what) =>
        new("NotStabilized", $"{what} is in {found.Text("status")} state: {string.Join("; ", found.Child("health")?.Objects("issues").Select(issue => $"{issue.Text("code")}: {issue.Text("message")}") ?? [])}");

    private static JsonObject TagProperty(JsonObject found) => new() { ["Tags"] = Tags.OfTemplate(Tags.FromMap(found.Child("tags"))) };

    private static JsonObject Properties(EksService service, string shape, JsonObject found)
    {
        var properties = (JsonObject)PropertyMapper.ToProperties(service.Model.Shape(shape), found)!;
        properties.Remove("Tags");
        return properties;
    }

    /// <summary>CloudFormation lists the log types that are on; the API groups all types by on and off.</summary>
    private static JsonObject? LoggingInput(JsonObject properties)
    {
        if (properties.Child("Logging")?.Child("ClusterLogging") is not { } logging)
        {
            return null;
        }
        var on = logging.Objects("EnabledTypes").Select(item => item.Required("Type")).ToList();
        string[] all = ["api", "audit", "authenticator", "controllerManager", "scheduler"];
        return new JsonObject
        {
            ["clusterLogging"] = new JsonArray(
                new JsonObject { ["types"] = on.ToTextList(), ["enabled"] = true },
                new JsonObject { ["types"] = all.Except(on).ToTextList(), ["enabled"] = false }),
        };
    }

    private static async Task<JsonObject> FindCluster(EksService service, ProvisionContext context, string name) =>
        (await service.CallAsync(context, "DescribeCluster", new JsonObject { ["name"] = name }).ConfigureAwait(false)).Child("cluster")!;

    private static Task UntilActive(EksService service, ProvisionContext context, string name) => context.WaitUntilAsync(async () =>
    {
        var cluster = await FindCluster(service, context, name).ConfigureAwait(false);
        return cluster.Text("status") == "FAILED" ? throw Unstable(cluster, $"Cluster {name}") : cluster.Text("status") == "ACTIVE";
    }, Poll);

    private static Provider Cluster(EksService service) => new("AWS::EKS::Cluster")
    {
        Service = "Eks",
        Busy = ["ResourceInUseException"],
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(service, "CreateCluster", properties.Tagged(context));
            input["name"] = context.NameOf(properties, "Name", 100);
            input.Remove("logging");
            input.With("logging", LoggingInput(properties));
            var name = input.Required("name");
            await service.CallAsync(context, "CreateCluster", input).ConfigureAwait(false);
            context.Initiated(name);
            await UntilActive(service, context, name).ConfigureAwait(false);
            return name;
        },
        Update = async (context, name, before, after) =>
        {
            async Task Change(string operation, JsonObject input)
            {
                await service.CallAsync(context, operation, input.With("name", name)).ConfigureAwait(false);
                await UntilActive(service, context, name).ConfigureAwait(false);
            }
            if (after.Changed(before, "Version"))
            {
                await Change("UpdateClusterVersion", new JsonObject { ["version"] = after.Text("Version") }).ConfigureAwait(false);
            }
            if (after.Changed(before, "Logging"))
            {
                await Change("UpdateClusterConfig", new JsonObject { ["logging"] = LoggingInput(after) ?? LoggingInput(new JsonObject { ["Logging"] = new JsonObject { ["ClusterLogging"] = new JsonObject() } }) }).ConfigureAwait(false);
            }
            var (network, old) = (after.Child("ResourcesVpcConfig")!, before.Child("ResourcesVpcConfig")!);
            foreach (var members in new string[][] { ["EndpointPublicAccess", "EndpointPrivateAccess", "PublicAccessCidrs"], ["SubnetIds", "SecurityGroupIds"] })
            {
                if (network.Changed(old, members))
                {
                    var change = PropertyMapper.ToInput(service, "UpdateClusterConfig", new JsonObject { ["ResourcesVpcConfig"] = network.Pick(members) });
                    await Change("UpdateClusterConfig", change).ConfigureAwait(false);
                }
            }
            if (after.Child("AccessConfig")?.Text("AuthenticationMode") is { } mode && mode != before.Child("AccessConfig")?.Text("AuthenticationMode"))
            {
                await Change("UpdateClusterConfig", new JsonObject { ["accessConfig"] = new JsonObject { ["authenticationMode"] = mode } }).ConfigureAwait(false);
            }
            foreach (var member in new[] { "UpgradePolicy", "DeletionProtection", "ZonalShiftConfig", "RemoteNetworkConfig", "ControlPlaneScalingConfig" })
            {
                if (after.Changed(before, member) && after.Has(member))
                {
                    await Change("UpdateClusterConfig", PropertyMapper.ToInput(service, "UpdateClusterConfig", after.Pick(member))).ConfigureAwait(false);
                }
            }
            if (after.Changed(before, "ComputeConfig", "StorageConfig") || (after.Child("KubernetesNetworkConfig")?.Changed(before.Child("KubernetesNetworkConfig") ?? [], "ElasticLoadBalancing") ?? false))
            {
                var change = PropertyMapper.ToInput(service, "UpdateClusterConfig", after.Pick("ComputeConfig", "StorageConfig"));
                change["kubernetesNetworkConfig"] = PropertyMapper.ToInput(service, "UpdateClusterConfig", new JsonObject { ["KubernetesNetworkConfig"] = after.Child("KubernetesNetworkConfig")?.Pick("ElasticLoadBalancing") ?? [] })["kubernetesNetworkConfig"].Copy();
                await Change("UpdateClusterConfig", change).ConfigureAwait(false);
            }
            await service.RetagAsync(context, before, after, context.Request.Arn("eks", "cluster/" + name)).ConfigureAwait(false);
        },
        Delete = async (context, name, properties) =>
        {
            var cluster = await FindCluster(service, context, name).ConfigureAwait(false);
            if (properties.Is("Force") && cluster.Is("deletionProtection"))
            {
                await service.CallAsync(context, "UpdateClusterConfig", new JsonObject { ["name"] = name, ["deletionProtection"] = false }).ConfigureAwait(false);
                await UntilActive(service, context, name).ConfigureAwait(false);
            }
            if (cluster.Text("status") != "DELETING")
            {
                await service.CallAsync(context, "DeleteCluster", new JsonObject { ["name"] = name }).ConfigureAwait(false);
            }
            await context.WaitUntilAsync(async () => await FindCluster(service, context, name).ConfigureAwait(false) is null, Poll).ConfigureAwait(false);
        },
        Read = async (context, name) =>
        {
            var cluster = await FindCluster(service, context, name).ConfigureAwait(false);
            var properties = Properties(service, "Cluster", cluster);
            foreach (var attribute in new[] { "Arn", "Endpoint", "Status", "CreatedAt", "Identity", "CertificateAuthority", "PlatformVersion", "Health", "ClientRequestToken" })
            {
                properties.Remove(attribute);
            }
            var on = cluster.Child("logging")!.Objects("clusterLogging").Where(setup => setup.Is("enabled")).SelectMany(setup => setup.Texts("types"));
            properties["Logging"] = new JsonObject { ["ClusterLogging"] = new JsonObject { ["EnabledTypes"] = on.Select(type => new JsonObject { ["Type"] = type }).ToJsonList() } };
            return properties.Take(TagProperty(cluster), "Tags");
        },
        Attributes = async (context, name) =>
        {
            var cluster = await FindCluster(service, context, name).ConfigureAwait(false);
            return ProviderExtensions.Attributes(
                ("Arn", cluster["arn"]), ("Id", cluster["_Hash"]), ("Endpoint", cluster["endpoint"]), ("CertificateAuthorityData", cluster.Child("certificateAuthority")?["data"]),
                ("ClusterSecurityGroupId", cluster.Child("resourcesVpcConfig")?["clusterSecurityGroupId"]), ("OpenIdConnectIssuerUrl", cluster.Child("identity")?.Child("oidc")?["issuer"]),
                ("EncryptionConfigKeyArn", cluster.Objects("encryptionConfig").FirstOrDefault()?.Child("provider")?["keyArn"] ?? JsonValue.Create("")));
        },
    };

    private static Provider Nodegroup(EksService service)
    {
        static JsonObject Id(string id) => new() { ["clusterName"] = Split(id, '/').First, ["nodegroupName"] = Split(id, '/').Second };
        async Task<JsonObject> Find(ProvisionContext context, string id) => (await service.CallAsync(context, "DescribeNodegroup", Id(id)).ConfigureAwait(false)).Child("nodegroup")!;
        Task UntilActive(ProvisionContext context, string id) => context.WaitUntilAsync(async () =>
        {
            var found = await Find(context, id).ConfigureAwait(false);
            return found.Text("status") is "CREATE_FAILED" or "DEGRADED" ? throw Unstable(found, $"Nodegroup {id}") : found.Text("status") == "ACTIVE";
        }, Poll);
        return new Provider("AWS::EKS::Nodegroup")
        {
            Service = "Eks",
            Busy = ["ResourceInUseException"],
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateNodegroup", properties.Tagged(context));
                input["nodegroupName"] = context.NameOf(properties, "NodegroupName", 63);
                await service.CallAsync(context, "CreateNodegroup", input).ConfigureAwait(false);
                var id = $"{input.Text("clusterName")}/{input.Text("nodegroupName")}";
                context.Initiated(id);
                await UntilActive(context, id).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                async Task Change(string operation, JsonObject input)
                {
                    foreach (var (key, value) in Id(id))
                    {
                        input[key] = value.Copy();
                    }
                    await service.CallAsync(context, operation, input).ConfigureAwait(false);
                    await UntilActive(context, id).ConfigureAwait(false);
                }
                if (after.Changed(before, "Version", "ReleaseVersion", "LaunchTemplate"))
                {
                    await Change("UpdateNodegroupVersion", PropertyMapper.ToInput(service, "UpdateNodegroupVersion", after.Pick("Version", "ReleaseVersion", "LaunchTemplate", "ForceUpdateEnabled"), ("ForceUpdateEnabled", "force"))).ConfigureAwait(false);
                }
                if (after.Changed(before, "ScalingConfig", "Labels", "Taints", "UpdateConfig", "NodeRepairConfig"))
                {
                    var input = PropertyMapper.ToInput(service, "UpdateNodegroupConfig", after.Pick("ScalingConfig", "UpdateConfig", "NodeRepairConfig"));
                    var (labels, old) = (after.Map("Labels"), before.Map("Labels"));
                    if (after.Changed(before, "Labels"))
                    {
                        input["labels"] = new JsonObject { ["addOrUpdateLabels"] = labels.ToMap(), ["removeLabels"] = old.Keys.Except(labels.Keys).ToTextList() };
                    }
                    if (after.Changed(before, "Taints"))
                    {
                        var shape = service.Model.Shape("taintsList");
                        input["taints"] = new JsonObject
                        {
                            ["addOrUpdateTaints"] = PropertyMapper.ToShape(shape, after["Taints"] ?? new JsonArray()),
                            ["removeTaints"] = PropertyMapper.ToShape(shape, before.Objects("Taints").Where(taint => !after.Objects("Taints").Any(other => other.Text("Key") == taint.Text("Key") && other.Text("Effect") == taint.Text("Effect"))).ToJsonList()),
                        };
                    }
                    await Change("UpdateNodegroupConfig", input).ConfigureAwait(false);
                }
                await service.RetagAsync(context, before, after, (await Find(context, id).ConfigureAwait(false)).Required("nodegroupArn")).ConfigureAwait(false);
            },
            Delete = async (context, id, _) =>
            {
                if ((await Find(context, id).ConfigureAwait(false)).Text("status") != "DELETING")
                {
                    await service.CallAsync(context, "DeleteNodegroup", Id(id)).ConfigureAwait(false);
                }
                await context.WaitUntilAsync(async () => await Find(context, id).ConfigureAwait(false) is null, Poll).ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var found = await Find(context, id).ConfigureAwait(false);
                var properties = Properties(service, "Nodegroup", found);
                foreach (var attribute in new[] { "NodegroupArn", "CreatedAt", "ModifiedAt", "Status", "Resources", "Health" })
                {
                    properties.Remove(attribute);
                }
                properties["Tags"] = Tags.OfTemplate(Tags.FromMap(found.Child("tags"))).OfType<JsonObject>().Select(tag => KeyValuePair.Create(tag.Required("Key"), tag.Required("Value"))).ToMap();
                return properties;
            },
            Attributes = async (context, id) => ProviderExtensions.Attributes(("Arn", (await Find(context, id).ConfigureAwait(false))["nodegroupArn"]), ("ClusterName", Split(id, '/').First), ("NodegroupName", Split(id, '/').Second), ("Id", id)),
        };
    }

    private static Provider Addon(EksService service)
    {
        static JsonObject Id(string id) => new() { ["clusterName"] = Split(id, '|').First, ["addonName"] = Split(id, '|').Second };
        async Task<JsonObject> Find(ProvisionContext context, string id) => (await service.CallAsync(context, "DescribeAddon", Id(id)).ConfigureAwait(false)).Child("addon")!;
        Task UntilActive(ProvisionContext context, string id) => context.WaitUntilAsync(async () =>
        {
            var found = await Find(context, id).ConfigureAwait(false);
            return found.Text("status") is "CREATE_FAILED" or "DEGRADED" or "UPDATE_FAILED" ? throw Unstable(found, $"Addon {Split(id, '|').Second}") : found.Text("status") == "ACTIVE";
        }, TimeSpan.FromSeconds(5));
        return new Provider("AWS::EKS::Addon")
        {
            Service = "Eks",
            Busy = ["ResourceInUseException"],
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateAddon", properties.Tagged(context));
                await service.CallAsync(context, "CreateAddon", input).ConfigureAwait(false);
                var id = $"{input.Text("clusterName")}|{input.Text("addonName")}";
                context.Initiated(id);
                await UntilActive(context, id).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                if (after.Changed(before, "AddonVersion", "ServiceAccountRoleArn", "ConfigurationValues", "PodIdentityAssociations", "ResolveConflicts"))
                {
                    await service.CallMappedAsync(context, "UpdateAddon", after).ConfigureAwait(false);
                    await UntilActive(context, id).ConfigureAwait(false);
                }
                await service.RetagAsync(context, before, after, (await Find(context, id).ConfigureAwait(false)).Required("addonArn")).ConfigureAwait(false);
            },
            Delete = async (context, id, properties) =>
            {
                await service.CallAsync(context, "DeleteAddon", Id(id).With("preserve", properties.Flag("PreserveOnDelete"))).ConfigureAwait(false);
                await context.WaitUntilAsync(async () => await Find(context, id).ConfigureAwait(false) is null).ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var found = await Find(context, id).ConfigureAwait(false);
                return Properties(service, "Addon", found).Pick("AddonName", "ClusterName", "AddonVersion", "ServiceAccountRoleArn", "ConfigurationValues").Take(TagProperty(found), "Tags");
            },
            Attributes = async (context, id) => ProviderExtensions.Attributes(("Arn", (await Find(context, id).ConfigureAwait(false))["addonArn"])),
        };
    }

    private static Provider AccessEntry(EksService service)
    {
        static JsonObject Id(string id) => new() { ["principalArn"] = Split(id, '|').First, ["clusterName"] = Split(id, '|').Second };
        async Task<JsonObject> Find(ProvisionContext context, string id) => (await service.CallAsync(context, "DescribeAccessEntry", Id(id)).ConfigureAwait(false)).Child("accessEntry")!;
        async Task Policies(ProvisionContext context, string id, JsonObject before, JsonObject after)
        {
            foreach (var policy in before.Objects("AccessPolicies").Select(item => item.Required("PolicyArn")).Except(after.Objects("AccessPolicies").Select(item => item.Required("PolicyArn"))))
            {
                await service.CallAsync(context, "DisassociateAccessPolicy", Id(id).With("policyArn", policy)).ConfigureAwait(false);
            }
            foreach (var policy in after.Objects("AccessPolicies"))
            {
                var input = PropertyMapper.ToInput(service, "AssociateAccessPolicy", policy);
                foreach (var (key, value) in Id(id))
                {
                    input[key] = value.Copy();
                }
                await service.CallAsync(context, "AssociateAccessPolicy", input).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::EKS::AccessEntry")
        {
            Service = "Eks",
            Create = async (context, properties) =>
            {
                await service.CallMappedAsync(context, "CreateAccessEntry", properties.Tagged(context)).ConfigureAwait(false);
                var id = $"{properties.Text("PrincipalArn")}|{properties.Text("ClusterName")}";
                context.Initiated(id);
                await Policies(context, id, [], properties).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                if (after.Changed(before, "KubernetesGroups", "Username"))
                {
                    await service.CallMappedAsync(context, "UpdateAccessEntry", after.Pick("ClusterName", "PrincipalArn", "Username").With("KubernetesGroups", after["KubernetesGroups"].Copy() ?? new JsonArray())).ConfigureAwait(false);
                }
                if (after.Changed(before, "AccessPolicies"))
                {
                    await Policies(context, id, before, after).ConfigureAwait(false);
                }
                await service.RetagAsync(context, before, after, (await Find(context, id).ConfigureAwait(false)).Required("accessEntryArn")).ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteAccessEntry", Id(id)),
            Read = async (context, id) =>
            {
                var found = await Find(context, id).ConfigureAwait(false);
                var policies = (await service.CallAsync(context, "ListAssociatedAccessPolicies", Id(id)).ConfigureAwait(false)).Objects("associatedAccessPolicies");
                return Properties(service, "AccessEntry", found).Pick("ClusterName", "PrincipalArn", "KubernetesGroups", "Username", "Type").Take(TagProperty(found), "Tags")
                    .With("AccessPolicies", policies.Select(policy => Properties(service, "AssociatedAccessPolicy", policy).Pick("PolicyArn", "AccessScope")).ToJsonList());
            },
            Attributes = async (context, id) => ProviderExtensions.Attributes(("AccessEntryArn", (await Find(context, id).ConfigureAwait(false))["accessEntryArn"])),
        };
    }

    private static Provider PodIdentity(EksService service)
    {
        // arn:…:podidentityassociation/<cluster>/<id>
        static JsonObject Id(string arn) => new() { ["clusterName"] = arn.Split('/')[1], ["associationId"] = arn.Split('/')[2] };
        async Task<JsonObject> Find(ProvisionContext context, string arn) => (await service.CallAsync(context, "DescribePodIdentityAssociation", Id(arn)).ConfigureAwait(false)).Child("association")!;
        return new Provider("AWS::EKS::PodIdentityAssociation")
        {
            Service = "Eks",
            Create = async (context, properties) => (await service.CallMappedAsync(context, "CreatePodIdentityAssociation", properties.Tagged(context)).ConfigureAwait(false)).Child("association")!.Required("associationArn"),
            Update = async (context, arn, before, after) =>
            {
                if (after.Changed(before, "RoleArn", "TargetRoleArn", "DisableSessionTags"))
                {
                    var input = PropertyMapper.ToInput(service, "UpdatePodIdentityAssociation", after.Pick("RoleArn", "TargetRoleArn", "DisableSessionTags"));
                    foreach (var (key, value) in Id(arn))
                    {
                        input[key] = value.Copy();
                    }
                    await service.CallAsync(context, "UpdatePodIdentityAssociation", input).ConfigureAwait(false);
                }
                await service.RetagAsync(context, before, after, arn).ConfigureAwait(false);
            },
            Delete = (context, arn, _) => service.CallAsync(context, "DeletePodIdentityAssociation", Id(arn)),
            Read = async (context, arn) =>
            {
                var found = await Find(context, arn).ConfigureAwait(false);
                return Properties(service, "PodIdentityAssociation", found).Pick("ClusterName", "Namespace", "ServiceAccount", "RoleArn", "TargetRoleArn", "DisableSessionTags").Take(TagProperty(found), "Tags");
            },
            Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("AssociationArn", arn), ("AssociationId", arn.Split('/')[2]))),
        };
    }
}
