using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>Clusters from creation to deletion, and the versions they can have.</summary>
internal sealed partial class EksService
{
    private static readonly string[] LogTypes = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

    private void AddClusters()
    {
        On("CreateCluster", CreateCluster);
        On("DescribeCluster", (context, input) => new JsonObject { ["cluster"] = Cluster(context, input.Required("name")) });
        On("ListClusters", (context, input) => ListedNames(input, Clusters(context).Keys(), "clusters"));
        On("DeleteCluster", DeleteCluster);
        On("DescribeClusterVersions", DescribeClusterVersions);
    }

    [GeneratedRegex("^[0-9A-Za-z][A-Za-z0-9\\-_]*$")]
    private static partial Regex NamePattern();

    private async Task<JsonObject> CreateCluster(RequestContext context, JsonObject input)
    {
        var name = input.Required("name");
        if (!NamePattern().IsMatch(name))
        {
            throw Invalid("ClusterName doesn't satisfy regular expression pattern: [0-9A-Za-z][A-Za-z0-9\\-_]*", name);
        }
        if (Clusters(context).Contains(name))
        {
            throw InUse($"Cluster already exists with name: {name}", name);
        }
        var version = input.Text("version") ?? EksVersions.Default;
        if (EksVersions.Find(version)?.IsOffered(context.Now) != true)
        {
            throw Invalid($"unsupported Kubernetes version {version}", name);
        }
        if (input.Has("outpostConfig"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox has no Outposts. Nothing was changed.", 501);
        }
        RequireRole(context, input.Required("roleArn"), "eks.amazonaws.com");
        var vpc = CheckNetwork(context, input.Child("resourcesVpcConfig")!, null);
        CheckEncryption(context, input.Objects("encryptionConfig").ToList());
        var mode = input.Child("accessConfig")?.Text("authenticationMode") ?? "CONFIG_MAP";
        var autoMode = input.Child("computeConfig")?.Is("enabled") == true;
        if (autoMode && mode == "CONFIG_MAP")
        {
            throw Invalid("For EKS Auto Mode, the authentication mode must be API or API_AND_CONFIG_MAP", name);
        }
        if (input.Has("logging"))
        {
            CheckLogging(input.Child("logging")!);
        }
        Tags.Check(Tags.FromMap(input.Child("tags")), "InvalidParameterException");
        var hash = Runtime.Ids.Hex(32).ToUpperInvariant();
        var group = await CreateClusterGroup(context, name, vpc).ConfigureAwait(false);
        var network = input.Child("kubernetesNetworkConfig");
        var cluster = new JsonObject
        {
            ["name"] = name,
            ["arn"] = context.Arn("eks", "cluster/" + name),
            ["createdAt"] = Documents.Time(context.Now),
            ["version"] = version,
            ["roleArn"] = input.Text("roleArn"),
            ["resourcesVpcConfig"] = VpcConfig(input.Child("resourcesVpcConfig")!, vpc, group),
            ["kubernetesNetworkConfig"] = new JsonObject
            {
                ["serviceIpv4Cidr"] = network?.Text("serviceIpv4Cidr") ?? "172.20.0.0/16",
                ["ipFamily"] = network?.Text("ipFamily") ?? "ipv4",
                ["elasticLoadBalancing"] = new JsonObject { ["enabled"] = network?.Child("elasticLoadBalancing")?.Is("enabled") == true },
            },
            ["logging"] = Logging(input.Child("logging")),
            ["status"] = "CREATING",
            ["certificateAuthority"] = new JsonObject(),
            ["platformVersion"] = "eks." + (1 + EksVersions.All.Count - EksVersions.All.ToList().FindIndex(item => item.Name == version)),
            ["tags"] = input["tags"].Copy() ?? new JsonObject(),
            ["health"] = new JsonObject { ["issues"] = new JsonArray() },
            ["accessConfig"] = new JsonObject
            {
                ["bootstrapClusterCreatorAdminPermissions"] = input.Child("accessConfig")?.Flag("bootstrapClusterCreatorAdminPermissions") ?? true,
                ["authenticationMode"] = mode,
            },
            ["upgradePolicy"] = new JsonObject { ["supportType"] = input.Child("upgradePolicy")?.Text("supportType") ?? "EXTENDED" },
            ["deletionProtection"] = input.Is("deletionProtection"),
            ["_Hash"] = hash,
        }.Take(input, "encryptionConfig", "clientRequestToken", "zonalShiftConfig", "computeConfig", "storageConfig", "remoteNetworkConfig", "controlPlaneScalingConfig");
        if (!Clusters(context).TryAdd(name, cluster))
        {
            throw InUse($"Cluster already exists with name: {name}", name);
        }
        Runtime.Service<Iam.IamService>().EnsureServiceLinkedRole(context, "eks.amazonaws.com", "AWSServiceRoleForAmazonEKS");
        if (mode != "CONFIG_MAP" && cluster.Child("accessConfig")!.Is("bootstrapClusterCreatorAdminPermissions"))
        {
            AddEntry(context, name, context.PrincipalArn, "STANDARD", null, [], [], "AmazonEKSClusterAdminPolicy");
        }
        Runtime.After(Durations.EksClusterCreate, () => Ready(context, name));
        return new JsonObject { ["cluster"] = Clusters(context).Get(name) };
    }

    private void Ready(RequestContext context, string name)
    {
        var interfaces = new JsonArray();
        if (Clusters(context).Get(name) is not { } made || made.Text("status") != "CREATING")
        {
            return;
        }
        var config = made.Child("resourcesVpcConfig")!;
        try
        {
            var groups = config.Texts("securityGroupIds").Append(config.Required("clusterSecurityGroupId")).ToList();
            foreach (var subnet in config.Texts("subnetIds").Take(2))
            {
                interfaces.Add(Runtime.Service<Ec2Service>().AllocateInterface(context, subnet, groups, "Amazon EKS " + name, "interface", "amazon-eks").Text("NetworkInterfaceId"));
            }
        }
        catch (ServiceFault fault)
        {
            Clusters(context).Update(name, cluster =>
            {
                cluster["status"] = "FAILED";
                cluster["_Failure"] = fault.Message;
                cluster.ChildOrNew("health")["issues"] = new JsonArray(new JsonObject { ["code"] = "Ec2SubnetNotFound", ["message"] = fault.Message, ["resourceIds"] = config["subnetIds"].Copy() });
            });
            return;
        }
        var hash = made.Required("_Hash");
        var api = StartKubernetes(context, name);
        Clusters(context).Update(name, cluster =>
        {
            cluster["status"] = "ACTIVE";
            cluster["endpoint"] = api.Endpoint.GetLeftPart(UriPartial.Authority);
            cluster["identity"] = new JsonObject { ["oidc"] = new JsonObject { ["issuer"] = $"https://oidc.eks.{context.Region}.{context.DnsSuffix}/id/{hash}" } };
            cluster["certificateAuthority"] = new JsonObject { ["data"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(api.Authority)) };
            cluster["_Interfaces"] = interfaces.Copy();
        });
        LogGroup(context, name);
    }

    /// <summary>EKS makes the log group of a cluster that logs.</summary>
    private void LogGroup(RequestContext context, string name)
    {
        if (Clusters(context).Get(name)?.Child("logging")?.Objects("clusterLogging").Any(setup => setup.Is("enabled")) == true)
        {
            Runtime.Service<Logs.LogsService>().EnsureGroup(context, $"/aws/eks/{name}/cluster", create: true);
        }
    }

    private string CheckNetwork(RequestContext context, JsonObject config, string? expectedVpc)
    {
        var ec2 = Runtime.Service<Ec2Service>();
        var subnets = new List<JsonObject>();
        try
        {
            subnets.AddRange(config.Texts("subnetIds").Select(id => ec2.Subnet(context, id)));
            foreach (var group in config.Texts("securityGroupIds"))
            {
                _ = ec2.SecurityGroup(context, group);
            }
        }
        catch (ServiceFault fault)
        {
            throw Invalid(fault.Message);
        }
        if (subnets.Select(subnet => subnet.Text("AvailabilityZone")).Distinct(StringComparer.Ordinal).Count() < 2)
        {
            throw Invalid("Subnets specified must be in at least two different AZs");
        }
        if (subnets.Find(subnet => Ec2Service.ZoneId(subnet.Required("AvailabilityZone")) is "use1-az3" or "usw1-az2" or "cac1-az3") is { } bad)
        {
            var zone = bad.Required("AvailabilityZone");
            throw new ServiceFault("UnsupportedAvailabilityZoneException",
                $"Cannot create cluster because {zone}, the targeted availability zone, does not currently have sufficient capacity to support the cluster. Retry and choose from these availability zones: {string.Join(", ", Ec2Service.Zones(context).Where(item => item != zone))}", 400,
                new JsonObject { ["validZones"] = Ec2Service.Zones(context).Where(item => item != zone).ToTextList() });
        }
        var vpcs = subnets.Select(subnet => subnet.Required("VpcId")).Concat(config.Texts("securityGroupIds").Select(group => ec2.SecurityGroup(context, group).Required("VpcId"))).Distinct(StringComparer.Ordinal).ToList();
        if (vpcs.Count > 1 || (expectedVpc is not null && vpcs[0] != expectedVpc))
        {
            throw Invalid("Provided subnets and security groups must belong to the same VPC");
        }
        if (config.Flag("endpointPublicAccess") == false && config.Flag("endpointPrivateAccess") != true)
        {
            throw Invalid("Private and public endpoint access cannot be false");
        }
        return vpcs[0];
    }

    private void CheckEncryption(RequestContext context, List<JsonObject> configs)
    {
        foreach (var config in configs)
        {
            if (!config.Texts("resources").SequenceEqual(["secrets"]))
            {
                throw Invalid("The encryption config must have 'secrets' as its resources");
            }
            try
            {
                Runtime.Service<Kms.KmsService>().RequireEnabledKey(context, config.Child("provider")?.Text("keyArn") ?? "", "eks");
            }
            catch (ServiceFault fault)
            {
                throw Invalid($"KeyArn is invalid: {fault.Message}");
            }
        }
    }

    private static void CheckLogging(JsonObject logging)
    {
        foreach (var type in logging.Objects("clusterLogging").SelectMany(setup => setup.Texts("types")))
        {
            if (!LogTypes.Contains(type))
            {
                throw Invalid($"Invalid log type: {type}");
            }
        }
    }

    /// <summary>Every type of log as on or off.</summary>
    private static JsonObject Logging(JsonObject? wanted, JsonObject? before = null)
    {
        var enabled = (before?.Objects("clusterLogging") ?? []).Where(setup => setup.Is("enabled")).SelectMany(setup => setup.Texts("types")).ToHashSet(StringComparer.Ordinal);
        foreach (var setup in wanted?.Objects("clusterLogging") ?? [])
        {
            foreach (var type in setup.Texts("types"))
            {
                _ = setup.Is("enabled") ? enabled.Add(type) : enabled.Remove(type);
            }
        }
        var setups = new JsonArray();
        foreach (var state in new[] { true, false })
        {
            var types = LogTypes.Where(type => enabled.Contains(type) == state).ToList();
            if (types.Count > 0)
            {
                setups.Add((JsonNode)new JsonObject { ["types"] = types.ToTextList(), ["enabled"] = state });
            }
        }
        return new JsonObject { ["clusterLogging"] = setups };
    }

    private static JsonObject VpcConfig(JsonObject config, string vpc, string group) => new()
    {
        ["subnetIds"] = config["subnetIds"].Copy() ?? new JsonArray(),
        ["securityGroupIds"] = config["securityGroupIds"].Copy() ?? new JsonArray(),
        ["clusterSecurityGroupId"] = group,
        ["vpcId"] = vpc,
        ["endpointPublicAccess"] = config.Flag("endpointPublicAccess") ?? true,
        ["endpointPrivateAccess"] = config.Is("endpointPrivateAccess"),
        ["publicAccessCidrs"] = config["publicAccessCidrs"].Copy() ?? (config.Flag("endpointPublicAccess") == false ? new JsonArray() : new JsonArray("0.0.0.0/0")),
    };

    /// <summary>The group that EKS puts on its interfaces and on managed nodes: open to itself.</summary>
    private async Task<string> CreateClusterGroup(RequestContext context, string name, string vpc)
    {
        var ec2 = Runtime.Service<Ec2Service>();
        var inner = context.Detached();
        var group = (await ec2.InvokeAsync(inner, "CreateSecurityGroup", new JsonObject
        {
            ["GroupName"] = $"eks-cluster-sg-{name}-{Runtime.Ids.Digits(9)}",
            ["Description"] = "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.",
            ["VpcId"] = vpc,
            ["TagSpecifications"] = new JsonArray(new JsonObject
            {
                ["ResourceType"] = "security-group",
                ["Tags"] = new JsonArray(
                    new JsonObject { ["Key"] = "aws:eks:cluster-name", ["Value"] = name },
                    new JsonObject { ["Key"] = $"kubernetes.io/cluster/{name}", ["Value"] = "owned" },
                    new JsonObject { ["Key"] = "Name", ["Value"] = "eks-cluster-sg-" + name }),
            }),
        }).ConfigureAwait(false)).Required("GroupId");
        await ec2.InvokeAsync(inner, "AuthorizeSecurityGroupIngress", new JsonObject
        {
            ["GroupId"] = group,
            ["IpPermissions"] = new JsonArray(new JsonObject { ["IpProtocol"] = "-1", ["UserIdGroupPairs"] = new JsonArray(new JsonObject { ["GroupId"] = group }) }),
        }).ConfigureAwait(false);
        return group;
    }

    private JsonObject DeleteCluster(RequestContext context, JsonObject input)
    {
        var name = input.Required("name");
        var cluster = Cluster(context, name);
        bool Mine(JsonObject item) => item.Text("clusterName") == name;
        if (cluster.Text("status") is "CREATING" or "UPDATING" or "DELETING")
        {
            throw InUse(cluster.Text("status") == "UPDATING" ? $"Cluster {name} has an update in progress" : $"Cluster {name} is in {cluster.Text("status")} status and cannot be deleted", name);
        }
        if (cluster.Is("deletionProtection"))
        {
            throw Request($"Cluster '{name}' has deletion protection enabled and cannot be deleted. Disable deletion protection first", name);
        }
        if (Nodegroups(context).Any(Mine))
        {
            throw InUse("Cluster has nodegroups attached", name);
        }
        if (Profiles(context).Any(Mine))
        {
            throw InUse("Cluster has fargate profiles attached", name);
        }
        Clusters(context).Update(name, document => document["status"] = "DELETING");
        foreach (var update in Updates(context).Where(item => item.Text("_Cluster") == name))
        {
            Updates(context).Remove($"{name}/{update.Text("id")}");
        }
        Runtime.After(Durations.EksClusterDelete, () => Runtime.Run(cancellation => Remove(context.Detached(), name, cluster, cancellation)));
        return new JsonObject { ["cluster"] = Clusters(context).Get(name) };
    }

    private async Task Remove(RequestContext context, string name, JsonObject cluster, CancellationToken cancellation)
    {
        var ec2 = Runtime.Service<Ec2Service>();
        foreach (var id in cluster.Texts("_Interfaces"))
        {
            ec2.ReleaseInterface(context, id);
        }
        foreach (var kind in new[] { Addons(context), Entries(context), Associations(context), IdentityProviders(context) })
        {
            foreach (var key in kind.Keys().Where(key => kind.Get(key)?.Text("clusterName") == name))
            {
                kind.Remove(key);
            }
        }
        var stopped = StopKubernetes(context, name);
        Clusters(context).Remove(name);
        try
        {
            await ec2.InvokeAsync(context.WithCancellation(cancellation), "DeleteSecurityGroup", new JsonObject { ["GroupId"] = cluster.Child("resourcesVpcConfig")?.Text("clusterSecurityGroupId") }).ConfigureAwait(false);
        }
        catch (ServiceFault)
        {
            // A group that others still use stays behind, as AWS leaves it.
        }
        await stopped.ConfigureAwait(false);
    }

    private static JsonObject DescribeClusterVersions(RequestContext context, JsonObject input)
    {
        var asked = input.Texts("clusterVersions");
        var status = input.Text("versionStatus") ?? input.Text("status")?.ToUpperInvariant().Replace('-', '_');
        var all = EksVersions.All.Where(version => asked.Count > 0 ? asked.Contains(version.Name) : input.Is("includeAll") || version.IsOffered(context.Now))
            .Where(version => status is null || version.Status(context.Now) == status)
            .Where(version => !input.Is("defaultOnly") || version.Name == EksVersions.Default)
            .OrderByDescending(version => version.Minor)
            .Select(version => new JsonObject
            {
                ["clusterVersion"] = version.Name,
                ["clusterType"] = input.Text("clusterType") ?? "eks",
                ["defaultPlatformVersion"] = "eks.1",
                ["defaultVersion"] = version.Name == EksVersions.Default,
                ["releaseDate"] = Documents.Time(version.Released),
                ["endOfStandardSupportDate"] = Documents.Time(version.StandardEnd),
                ["endOfExtendedSupportDate"] = Documents.Time(version.ExtendedEnd),
                ["status"] = version.Status(context.Now).ToLowerInvariant().Replace("_support", "-support", StringComparison.Ordinal),
                ["versionStatus"] = version.Status(context.Now),
                ["kubernetesPatchVersion"] = version.Patch,
            }).ToList();
        return Pages.Answer(input, all, "clusterVersions", "maxResults", "nextToken", 100, "InvalidParameterException");
    }
}
