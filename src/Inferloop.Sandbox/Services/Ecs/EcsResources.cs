using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecs;

/// <summary>The AWS::ECS resource types.</summary>
internal static class EcsResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var ecs = runtime.Service<EcsService>();
        return [Cluster(ecs), CapacityProvider(ecs), Associations(ecs), TaskDefinition(ecs), Service(ecs)];
    }

    private static JsonArray EcsTags(ProvisionContext context, JsonObject properties) => Tags.As(context.MergedTags(properties["Tags"]).OfType<JsonObject>(), "key", "value");

    private static async Task RetagAsync(EcsService ecs, ProvisionContext context, string arn, JsonObject before, JsonObject after)
    {
        var (put, removed) = ProviderExtensions.TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await ecs.CallAsync(context, "UntagResource", new JsonObject { ["resourceArn"] = arn, ["tagKeys"] = removed }).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await ecs.CallAsync(context, "TagResource", new JsonObject { ["resourceArn"] = arn, ["tags"] = Tags.As(put.OfType<JsonObject>(), "key", "value") }).ConfigureAwait(false);
        }
    }

    private static JsonObject Properties(EcsService ecs, string shape, JsonObject document)
    {
        var properties = (JsonObject)PropertyMapper.ToProperties(ecs.Model.Shape(shape), document)!;
        properties["Tags"] = Tags.OfTemplate(document.Objects("tags"), "key", "value");
        return properties;
    }

    private static async Task<JsonObject?> ClusterAsync(EcsService ecs, ProvisionContext context, string name) =>
        (await ecs.CallAsync(context, "DescribeClusters", new JsonObject { ["clusters"] = new JsonArray(name), ["include"] = new JsonArray("TAGS", "SETTINGS", "CONFIGURATIONS") }).ConfigureAwait(false)).Objects("clusters").FirstOrDefault();

    private static Provider Cluster(EcsService ecs) => new("AWS::ECS::Cluster")
    {
        Service = "Ecs",
        Gone = ["ClusterNotFoundException"],
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(ecs, "CreateCluster", properties, ("ClusterSettings", "settings"));
            input["clusterName"] = context.NameOf(properties, "ClusterName");
            input["tags"] = EcsTags(context, properties);
            var name = (await ecs.CallAsync(context, "CreateCluster", input).ConfigureAwait(false)).Child("cluster")!.Required("clusterName");
            context.Initiated(name);
            await context.DelayAsync(Durations.ClusterProvisioning).ConfigureAwait(false);
            return name;
        },
        Update = async (context, name, before, after) =>
        {
            if (after.Changed(before, "ClusterSettings", "Configuration", "ServiceConnectDefaults"))
            {
                var input = PropertyMapper.ToInput(ecs, "UpdateCluster", after.Pick("ClusterSettings", "Configuration", "ServiceConnectDefaults"), ("ClusterSettings", "settings"));
                input["cluster"] = name;
                input["settings"] ??= new JsonArray(new JsonObject { ["name"] = "containerInsights", ["value"] = "disabled" });
                await ecs.CallAsync(context, "UpdateCluster", input).ConfigureAwait(false);
            }
            if (after.Changed(before, "CapacityProviders", "DefaultCapacityProviderStrategy"))
            {
                await PutProvidersAsync(ecs, context, name, after).ConfigureAwait(false);
            }
            await RetagAsync(ecs, context, context.Request.Arn("ecs", "cluster/" + name), before, after).ConfigureAwait(false);
        },
        Delete = (context, name, _) => ecs.CallAsync(context, "DeleteCluster", new JsonObject { ["cluster"] = name }),
        Read = async (context, name) => await ClusterAsync(ecs, context, name).ConfigureAwait(false) is { } cluster
            ? Properties(ecs, "Cluster", cluster).With("ClusterSettings", PropertyMapper.ToProperties(ecs.Model.Shape("Cluster").Member("settings")!.Shape, cluster["settings"]))
            : null,
        Attributes = (context, name) => Task.FromResult(ProviderExtensions.Attributes(("Arn", context.Request.Arn("ecs", "cluster/" + name)))),
    };

    private static Task<JsonObject> PutProvidersAsync(EcsService ecs, ProvisionContext context, string cluster, JsonObject properties)
    {
        var input = PropertyMapper.ToInput(ecs, "PutClusterCapacityProviders", properties);
        input["cluster"] = cluster;
        input["capacityProviders"] ??= new JsonArray();
        input["defaultCapacityProviderStrategy"] ??= new JsonArray();
        return ecs.CallAsync(context, "PutClusterCapacityProviders", input);
    }

    private static Provider CapacityProvider(EcsService ecs) => new("AWS::ECS::CapacityProvider")
    {
        Service = "Ecs",
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(ecs, "CreateCapacityProvider", properties);
            input["name"] = context.NameOf(properties, "Name");
            input["tags"] = EcsTags(context, properties);
            return (await ecs.CallAsync(context, "CreateCapacityProvider", input).ConfigureAwait(false)).Child("capacityProvider")!.Required("name");
        },
        Update = async (context, name, before, after) =>
        {
            if (after.Changed(before, "AutoScalingGroupProvider"))
            {
                var input = PropertyMapper.ToInput(ecs, "UpdateCapacityProvider", after);
                input["name"] = name;
                await ecs.CallAsync(context, "UpdateCapacityProvider", input).ConfigureAwait(false);
            }
            await RetagAsync(ecs, context, context.Request.Arn("ecs", "capacity-provider/" + name), before, after).ConfigureAwait(false);
        },
        Delete = async (context, name, _) =>
        {
            var found = await ecs.CallAsync(context, "DescribeCapacityProviders", new JsonObject { ["capacityProviders"] = new JsonArray(name) }).ConfigureAwait(false);
            if (found.Objects("capacityProviders").Any())
            {
                await ecs.CallAsync(context, "DeleteCapacityProvider", new JsonObject { ["capacityProvider"] = name }).ConfigureAwait(false);
            }
        },
        Read = async (context, name) => (await ecs.CallAsync(context, "DescribeCapacityProviders", new JsonObject { ["capacityProviders"] = new JsonArray(name), ["include"] = new JsonArray("TAGS") }).ConfigureAwait(false))
            .Objects("capacityProviders").FirstOrDefault() is { } provider ? Properties(ecs, "CapacityProvider", provider) : null,
    };

    private static Provider Associations(EcsService ecs) => new("AWS::ECS::ClusterCapacityProviderAssociations")
    {
        Service = "Ecs",
        Gone = ["ClusterNotFoundException"],
        Create = async (context, properties) =>
        {
            var cluster = properties.Required("Cluster").Split('/')[^1];
            await PutProvidersAsync(ecs, context, cluster, properties).ConfigureAwait(false);
            return cluster;
        },
        Update = (context, cluster, _, after) => PutProvidersAsync(ecs, context, cluster, after),
        Delete = (context, cluster, _) => PutProvidersAsync(ecs, context, cluster, []),
        Read = async (context, name) => await ClusterAsync(ecs, context, name).ConfigureAwait(false) is { } cluster && cluster.Texts("capacityProviders").Count > 0
            ? Properties(ecs, "Cluster", cluster).Pick("CapacityProviders", "DefaultCapacityProviderStrategy").With("Cluster", name)
            : null,
    };

    private static Provider TaskDefinition(EcsService ecs) => new("AWS::ECS::TaskDefinition")
    {
        Service = "Ecs",
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(ecs, "RegisterTaskDefinition", properties);
            input["family"] = properties.Text("Family") ?? context.GenerateName(255);
            input["tags"] = EcsTags(context, properties);
            return (await ecs.CallAsync(context, "RegisterTaskDefinition", input).ConfigureAwait(false)).Child("taskDefinition")!.Required("taskDefinitionArn");
        },
        Update = (context, arn, before, after) => RetagAsync(ecs, context, arn, before, after),
        Delete = async (context, arn, _) =>
        {
            try
            {
                await ecs.CallAsync(context, "DeregisterTaskDefinition", new JsonObject { ["taskDefinition"] = arn }).ConfigureAwait(false);
            }
            catch (ServiceFault fault) when (fault.Code == "ClientException")
            {
                // There is no such revision any more.
            }
        },
        Read = async (context, arn) =>
        {
            try
            {
                var found = await ecs.CallAsync(context, "DescribeTaskDefinition", new JsonObject { ["taskDefinition"] = arn, ["include"] = new JsonArray("TAGS") }).ConfigureAwait(false);
                var definition = found.Child("taskDefinition")!;
                return definition.Text("status") == "ACTIVE"
                    ? Properties(ecs, "TaskDefinition", definition).With("Tags", Tags.OfTemplate(found.Objects("tags"), "key", "value"))
                    : null;
            }
            catch (ServiceFault fault) when (fault.Code == "ClientException")
            {
                return null;
            }
        },
        Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("TaskDefinitionArn", arn))),
    };

    private static string ClusterOf(string serviceArn) => serviceArn.Split('/')[^2];

    private static async Task<JsonObject?> ServiceAsync(EcsService ecs, ProvisionContext context, string arn) => (await ecs.CallAsync(context, "DescribeServices",
        new JsonObject { ["cluster"] = ClusterOf(arn), ["services"] = new JsonArray(arn), ["include"] = new JsonArray("TAGS") }).ConfigureAwait(false)).Objects("services").FirstOrDefault();

    /// <summary>CloudFormation waits until the deployment is completed, and fails when the circuit breaker has ended it.</summary>
    private static async Task StableAsync(EcsService ecs, ProvisionContext context, string arn, string? deployment)
    {
        await context.WaitUntilAsync(async () =>
        {
            var service = await ServiceAsync(ecs, context, arn).ConfigureAwait(false)
                ?? throw new ServiceFault("NotStabilized", "The service was deleted while CloudFormation waited for it.");
            var deployments = service.Objects("deployments").ToList();
            var failed = deployments.Find(item => item.Text("id") == deployment && item.Text("rolloutState") == "FAILED");
            if (failed is not null || service.Text("_RolledBack") == deployment)
            {
                throw new ServiceFault("NotStabilized", service.Text("_RollbackReason") is { } reason && service.Has("_RolledBack") && !reason.StartsWith("ECS deployment circuit breaker", StringComparison.Ordinal)
                    ? $"Error occurred during operation 'ECS Deployment was rolled back': {reason}"
                    : "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.");
            }
            return deployments is [{ } only] && only.Text("rolloutState") == "COMPLETED" && only.Int("runningCount") == service.Int("desiredCount");
        }, TimeSpan.FromSeconds(10)).ConfigureAwait(false);
    }

    private static Provider Service(EcsService ecs) => new("AWS::ECS::Service")
    {
        Service = "AmazonECS",
        Gone = ["ServiceNotFoundException", "ClusterNotFoundException"],
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(ecs, "CreateService", properties, ("PlacementStrategies", "placementStrategy"));
            input["serviceName"] = properties.Text("ServiceName") ?? context.GenerateName(255);
            input["tags"] = EcsTags(context, properties);
            input["desiredCount"] ??= 1;
            var service = (await ecs.CallAsync(context, "CreateService", input).ConfigureAwait(false)).Child("service")!;
            var arn = service.Required("serviceArn");
            context.Initiated(arn);
            await StableAsync(ecs, context, arn, service.Objects("deployments").First().Text("id")).ConfigureAwait(false);
            return arn;
        },
        Update = async (context, arn, before, after) =>
        {
            var input = PropertyMapper.ToInput(ecs, "UpdateService", after, ("PlacementStrategies", "placementStrategy"));
            input["service"] = arn;
            input["cluster"] = ClusterOf(arn);
            // The count belongs to autoscaling once the service lives: it is set only when the template changes it.
            if (!after.Changed(before, "DesiredCount"))
            {
                input.Remove("desiredCount");
            }
            input.Remove("forceNewDeployment");
            var service = (await ecs.CallAsync(context, "UpdateService", input).ConfigureAwait(false)).Child("service")!;
            await RetagAsync(ecs, context, arn, before, after).ConfigureAwait(false);
            await StableAsync(ecs, context, arn, service.Objects("deployments").First().Text("id")).ConfigureAwait(false);
        },
        Delete = async (context, arn, _) =>
        {
            await ecs.CallAsync(context, "DeleteService", new JsonObject { ["cluster"] = ClusterOf(arn), ["service"] = arn, ["force"] = true }).ConfigureAwait(false);
            await context.WaitUntilAsync(async () => await ServiceAsync(ecs, context, arn).ConfigureAwait(false) is not { } service || service.Text("status") == "INACTIVE", TimeSpan.FromSeconds(10)).ConfigureAwait(false);
        },
        Read = async (context, arn) =>
        {
            if (await ServiceAsync(ecs, context, arn).ConfigureAwait(false) is not { } service || service.Text("status") == "INACTIVE")
            {
                return null;
            }
            var properties = Properties(ecs, "Service", service);
            properties["Cluster"] = service.Text("clusterArn");
            properties["PlacementStrategies"] = properties["PlacementStrategy"].Copy();
            return properties;
        },
        Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("Name", arn.Split('/')[^1]), ("ServiceArn", arn))),
    };
}
