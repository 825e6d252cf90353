using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>Changes of a cluster, each an update that takes its time and can be described.</summary>
internal sealed partial class EksService
{
    private const int KubeletSkew = 3;

    private void AddUpdates()
    {
        On("UpdateClusterConfig", UpdateClusterConfig);
        On("UpdateClusterVersion", UpdateClusterVersion);
        On("AssociateEncryptionConfig", (context, input) =>
        {
            var name = input.Required("clusterName");
            var cluster = ActiveCluster(context, name);
            if (cluster.Objects("encryptionConfig").Any())
            {
                throw Invalid("Cluster already has an encryption configuration", name);
            }
            var configs = input.Objects("encryptionConfig").Select(item => item.Copy()).ToList();
            CheckEncryption(context, configs);
            return StartClusterUpdate(context, name, "AssociateEncryptionConfig", [("EncryptionConfig", configs.ToJsonList().ToJsonString())], document => document["encryptionConfig"] = configs.ToJsonList().Copy());
        });
        On("DescribeUpdate", (context, input) =>
        {
            var name = input.Required("name");
            _ = Cluster(context, name);
            var update = Updates(context).Get($"{name}/{input.Text("updateId")}");
            return update is not null && update.Text("_Nodegroup") == input.Text("nodegroupName") && update.Text("_Addon") == input.Text("addonName")
                ? new JsonObject { ["update"] = update }
                : throw NotFound($"No update found for ID: {input.Text("updateId")}", name);
        });
        On("ListUpdates", (context, input) =>
        {
            var name = input.Required("name");
            _ = Cluster(context, name);
            return ListedNames(input, Updates(context).Where(update => update.Text("_Cluster") == name && update.Text("_Nodegroup") == input.Text("nodegroupName") && update.Text("_Addon") == input.Text("addonName"))
                .Select(update => update.Required("id")), "updateIds");
        });
    }

    private Collection Updates(RequestContext context) => Collection(context, "updates");

    private JsonObject NewUpdate(RequestContext context, string cluster, string type, IEnumerable<(string Type, string Value)> parameters, string? nodegroup = null, string? addon = null)
    {
        var id = Runtime.Ids.Uuid();
        var update = new JsonObject
        {
            ["id"] = id,
            ["status"] = "InProgress",
            ["type"] = type,
            ["params"] = parameters.Select(item => new JsonObject { ["type"] = item.Type, ["value"] = item.Value }).ToJsonList(),
            ["createdAt"] = Documents.Time(context.Now),
            ["errors"] = new JsonArray(),
            ["_Cluster"] = cluster,
        }.With("_Nodegroup", nodegroup).With("_Addon", addon);
        Updates(context).Put($"{cluster}/{id}", update);
        return update;
    }

    private void EndUpdate(RequestContext context, JsonObject update, ServiceFault? failure = null, string code = "Unknown") => Updates(context).Update($"{update.Text("_Cluster")}/{update.Text("id")}", document =>
    {
        document["status"] = failure is null ? "Successful" : "Failed";
        if (failure is not null)
        {
            document["errors"] = new JsonArray(new JsonObject { ["errorCode"] = code, ["errorMessage"] = failure.Message });
        }
    });

    private JsonObject StartClusterUpdate(RequestContext context, string name, string type, IEnumerable<(string Type, string Value)> parameters, Action<JsonObject> apply, TimeSpan? duration = null)
    {
        var busy = Updates(context).Find(update => update.Text("_Cluster") == name && !update.Has("_Nodegroup") && !update.Has("_Addon") && update.Text("status") == "InProgress");
        if (busy is not null || Cluster(context, name).Text("status") != "ACTIVE")
        {
            throw InUse($"Cannot {type} because cluster {name} currently has update {busy?.Text("id")} in progress", name);
        }
        var update = NewUpdate(context, name, type, parameters);
        Clusters(context).Update(name, cluster => cluster["status"] = "UPDATING");
        Runtime.After(duration ?? Durations.EksClusterConfigUpdate, () =>
        {
            Clusters(context).Update(name, cluster =>
            {
                apply(cluster);
                cluster["status"] = "ACTIVE";
            });
            LogGroup(context, name);
            EndUpdate(context, update);
        });
        return new JsonObject { ["update"] = update };
    }

    private JsonObject UpdateClusterConfig(RequestContext context, JsonObject input)
    {
        var name = input.Required("name");
        var cluster = ActiveCluster(context, name);
        string[] kinds = ["resourcesVpcConfig", "logging", "accessConfig", "upgradePolicy", "zonalShiftConfig", "computeConfig", "storageConfig", "kubernetesNetworkConfig", "remoteNetworkConfig", "deletionProtection", "controlPlaneScalingConfig"];
        var given = kinds.Where(input.Has).ToList();
        // Auto Mode is one switch in three members; everything else is changed by a call of its own.
        var autoMode = given.Except(["computeConfig", "storageConfig", "kubernetesNetworkConfig"]).ToList() is [] && given.Count == 3;
        if (given.Count == 0)
        {
            throw Invalid("The type for cluster update was not provided", name);
        }
        if (given.Count > 1 && !autoMode)
        {
            throw Invalid("Only one type of update can be allowed", name);
        }
        switch (given[0])
        {
            case "resourcesVpcConfig":
                return UpdateNetwork(context, name, cluster, input.Child("resourcesVpcConfig")!);
            case "logging":
                CheckLogging(input.Child("logging")!);
                var logging = Logging(input.Child("logging"), cluster.Child("logging"));
                return Documents.Same(logging, cluster["logging"])
                    ? throw Invalid("No changes needed for the logging config provided", name)
                    : StartClusterUpdate(context, name, "LoggingUpdate", [("ClusterLogging", logging.ToJsonString())], document => document["logging"] = logging.Copy());
            case "accessConfig":
                var mode = input.Child("accessConfig")!.Text("authenticationMode");
                var now = cluster.Child("accessConfig")!.Required("authenticationMode");
                string[] order = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"];
                return mode is null || mode == now ? throw Invalid($"Cluster is already at the desired configuration with authenticationMode: {now}", name)
                    : Array.IndexOf(order, mode) != Array.IndexOf(order, now) + 1 ? throw Invalid($"Unsupported authentication mode update from {now} to {mode}", name)
                    : StartClusterUpdate(context, name, "AccessConfigUpdate", [("AuthenticationMode", mode)], document => document.ChildOrNew("accessConfig")["authenticationMode"] = mode);
            case "deletionProtection":
                var protect = input.Is("deletionProtection");
                return StartClusterUpdate(context, name, "DeletionProtectionUpdate", [("DeletionProtection", protect ? "true" : "false")], document => document["deletionProtection"] = protect, TimeSpan.FromSeconds(10));
            case "upgradePolicy":
                var policy = input.Child("upgradePolicy")!.Text("supportType");
                var isOver = EksVersions.Find(cluster.Required("version"))?.Status(context.Now) == "EXTENDED_SUPPORT";
                return policy == "STANDARD" && isOver
                    ? throw Invalid($"Cluster with Kubernetes version {cluster.Text("version")} is in extended support: its upgrade policy cannot be changed to STANDARD", name)
                    : StartClusterUpdate(context, name, "UpgradePolicyUpdate", [("UpgradePolicy", input["upgradePolicy"]!.ToJsonString())], document => document["upgradePolicy"] = input["upgradePolicy"].Copy());
            default:
                var (type, parameter) = given[0] switch
                {
                    "zonalShiftConfig" => ("ZonalShiftConfigUpdate", "ZonalShiftConfig"),
                    "remoteNetworkConfig" => ("RemoteNetworkConfigUpdate", "RemoteNetworkConfig"),
                    "controlPlaneScalingConfig" => ("ControlPlaneScalingConfigUpdate", "UpdatedTier"),
                    _ => ("AutoModeUpdate", "ComputeConfig"),
                };
                return StartClusterUpdate(context, name, type, [(parameter, input[given[0]]!.ToJsonString())], document =>
                {
                    foreach (var member in given)
                    {
                        foreach (var (key, value) in (JsonObject)input[member]!)
                        {
                            document.ChildOrNew(member)[key] = value.Copy();
                        }
                    }
                });
        }
    }

    private JsonObject UpdateNetwork(RequestContext context, string name, JsonObject cluster, JsonObject config)
    {
        var before = cluster.Child("resourcesVpcConfig")!;
        var after = before.Copy();
        foreach (var (key, value) in config)
        {
            after[key] = value.Copy();
        }
        if (Documents.Same(after, before))
        {
            throw Invalid($"Cluster is already at the desired configuration with endpointPrivateAccess: {before.Text("endpointPrivateAccess")} , endpointPublicAccess: {before.Text("endpointPublicAccess")}, and Public Endpoint Restrictions: [{string.Join(", ", before.Texts("publicAccessCidrs"))}]", name);
        }
        CheckNetwork(context, after, before.Text("vpcId"));
        var moves = config.Has("subnetIds") || config.Has("securityGroupIds");
        if (moves && (config.Has("endpointPublicAccess") || config.Has("endpointPrivateAccess") || config.Has("publicAccessCidrs")))
        {
            throw Invalid("Only one type of update can be allowed: endpoint access and subnets or security groups are changed by two", name);
        }
        (string, string)[] parameters = moves
            ? [("Subnets", after["subnetIds"]!.ToJsonString()), ("SecurityGroups", after["securityGroupIds"]!.ToJsonString())]
            : [("EndpointPublicAccess", after.Text("endpointPublicAccess")!), ("EndpointPrivateAccess", after.Text("endpointPrivateAccess")!), ("PublicAccessCidrs", after["publicAccessCidrs"]!.ToJsonString())];
        return StartClusterUpdate(context, name, moves ? "VpcConfigUpdate" : "EndpointAccessUpdate", parameters, document => document["resourcesVpcConfig"] = after.Copy());
    }

    private JsonObject UpdateClusterVersion(RequestContext context, JsonObject input)
    {
        var name = input.Required("name");
        var cluster = ActiveCluster(context, name);
        var (from, to) = (EksVersions.Find(cluster.Required("version"))!, EksVersions.Find(input.Required("version")));
        if (to?.IsOffered(context.Now) != true)
        {
            throw Invalid($"unsupported Kubernetes version {input.Text("version")}", name);
        }
        if (to.Minor == from.Minor)
        {
            throw Invalid($"Cluster is already at the desired Kubernetes version {to.Name}", name);
        }
        if (to.Minor != from.Minor + 1)
        {
            throw Invalid($"Unsupported Kubernetes minor version update from {from.Name} to {to.Name}", name);
        }
        var old = Nodegroups(context).Where(group => group.Text("clusterName") == name && EksVersions.Find(group.Required("version")) is { } version && version.Minor < to.Minor - KubeletSkew)
            .Select(group => group.Required("nodegroupName")).ToList();
        if (old.Count > 0)
        {
            throw Invalid($"Nodegroups {string.Join(", ", old)} must be updated to match cluster version {from.Name} before updating cluster version", name);
        }
        return StartClusterUpdate(context, name, "VersionUpdate", [("Version", to.Name), ("PlatformVersion", "eks.1")], document =>
        {
            document["version"] = to.Name;
            document["platformVersion"] = "eks.1";
        }, Durations.EksVersionUpdate);
    }
}
