using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>EKS: a closed, logged and encrypted cluster, nodes that come up because their add-ons do first, and pods with roles of their own.</summary>
public sealed class EksStackTests
{
    private static Task<EvaluatedStack> EvaluateAsync(params (string, string)[] parameters) => StackFixture.EvaluateAsync(parameters: [("EksEnabled", "true"), .. parameters]);

    [Fact]
    public async Task The_control_plane_is_logged_encrypted_and_closed_unless_ranges_are_named()
    {
        var stack = await EvaluateAsync();
        var cluster = stack.Find("Eks/Cluster");
        Assert.Equal(("demo-prod", "1.35"), (cluster.Text("Name"), cluster.Text("Version")));
        Assert.Equal(["api", "audit", "authenticator", "controllerManager", "scheduler"], cluster.At("Logging.ClusterLogging.EnabledTypes")!.Items.Select(t => t["Type"]!.AsString()));
        Assert.True(cluster.At("EncryptionConfig.0.Provider.KeyArn")!.ComesFrom("Security/Key"));
        Assert.Equal("secrets", cluster.Text("EncryptionConfig.0.Resources.0"));
        Assert.Equal(("true", "false"), (cluster.Text("ResourcesVpcConfig.EndpointPrivateAccess"), cluster.Text("ResourcesVpcConfig.EndpointPublicAccess")));
        Assert.Null(cluster.At("ResourcesVpcConfig.PublicAccessCidrs"));
        Assert.Equal(("API", "false"), (cluster.Text("AccessConfig.AuthenticationMode"), cluster.Text("AccessConfig.BootstrapClusterCreatorAdminPermissions")));
        Assert.Equal("EXTENDED", cluster.Text("UpgradePolicy.SupportType"));

        var log = stack.Find("Eks/ControlPlaneLogGroup");
        Assert.Equal("/aws/eks/demo-prod/cluster", log.Text("LogGroupName"));
        Assert.True(log.At("KmsKeyId")!.ComesFrom("Security/Key"));
        Assert.Equal("90", log.Text("RetentionInDays"));
        Assert.True(stack.Find("Eks/OidcProvider").At("Url")!.ComesFrom("Eks/Cluster"));

        var open = (await EvaluateAsync(("EksPublicAccessCidrs", "203.0.113.0/24,198.51.100.7/32"), ("EksExtendedSupport", "false"))).Find("Eks/Cluster");
        Assert.Equal("true", open.Text("ResourcesVpcConfig.EndpointPublicAccess"));
        Assert.Equal(["203.0.113.0/24", "198.51.100.7/32"], open.At("ResourcesVpcConfig.PublicAccessCidrs")!.Items.Select(c => c.AsString()));
        Assert.Equal("STANDARD", open.Text("UpgradePolicy.SupportType"));
    }

    [Fact]
    public async Task Only_the_named_role_administers_it()
    {
        const string Role = "arn:aws:iam::123456789012:role/operators";
        var entry = (await EvaluateAsync(("EksAdminRoleArn", Role))).Find("Eks/Administrator");
        Assert.Equal(Role, entry.Text("PrincipalArn"));
        Assert.Equal("arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", entry.Text("AccessPolicies.0.PolicyArn"));
        Assert.Empty((await EvaluateAsync()).OfType("AWS::EKS::AccessEntry"));
    }

    [Fact]
    public async Task Nodes_are_private_encrypted_and_keep_their_credentials_from_pods()
    {
        var stack = await EvaluateAsync(("EksNodeCapacity", "Spot"), ("EksNodeInstanceTypes", "t3.medium,t3a.medium"));
        var group = stack.Find("Eks/NodeGroup");
        Assert.Equal(("2", "2", "10"), (group.Text("ScalingConfig.MinSize"), group.Text("ScalingConfig.DesiredSize"), group.Text("ScalingConfig.MaxSize")));
        Assert.Equal("SPOT", group.Text("CapacityType"));
        Assert.Equal(["t3.medium", "t3a.medium"], group.At("InstanceTypes")!.Items.Select(t => t.AsString()));
        Assert.All(group.At("Subnets")!.Items, s => Assert.True(s.ComesFrom("Network/PrivateSubnet1") || s.ComesFrom("Network/PrivateSubnet2")));
        Assert.Equal("1", group.Text("UpdateConfig.MaxUnavailable"));
        Assert.Null(group.At("DiskSize"));

        var template = stack.Find("Eks/NodeLaunchTemplate");
        Assert.Equal(("required", "1"), (template.Text("LaunchTemplateData.MetadataOptions.HttpTokens"), template.Text("LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit")));
        var disk = template.At("LaunchTemplateData.BlockDeviceMappings.0.Ebs")!;
        Assert.Equal(("gp3", "100", "true"), (disk["VolumeType"]!.AsString(), disk["VolumeSize"]!.AsString(), disk["Encrypted"]!.AsString()));

        // Both: with a group in the template EKS adds its own no more, and nodes and control plane would not speak.
        var groups = template.At("LaunchTemplateData.SecurityGroupIds")!.Items;
        Assert.Contains(groups, g => g.ComesFrom("Eks/Cluster"));
        Assert.Contains(groups, g => g.ComesFrom("Network/TaskSecurityGroup"));
    }

    [Fact]
    public async Task The_network_add_ons_come_before_the_nodes_and_deployments_after()
    {
        var stack = await EvaluateAsync();
        Assert.Equal(
            ["aws-ebs-csi-driver", "coredns", "eks-pod-identity-agent", "kube-proxy", "metrics-server", "vpc-cni"],
            stack.OfType("AWS::EKS::Addon").Select(a => a.Text("AddonName")).Order(StringComparer.Ordinal));
        Assert.Superset(new HashSet<string> { "VpcCni", "KubeProxy" }, stack.Find("Eks/NodeGroup").DependsOn.ToHashSet());
        Assert.All(["CoreDns", "EbsCsiDriver", "MetricsServer"], id => Assert.Contains("NodeGroup", stack.Find("Eks/" + id).DependsOn));
        Assert.True(stack.Find("Eks/EbsCsiDriver").At("PodIdentityAssociations.0.RoleArn")!.ComesFrom("Eks/EbsCsiRole"));
    }

    [Fact]
    public async Task Roles_of_pods_are_for_pods_of_this_cluster_only()
    {
        var stack = await EvaluateAsync();
        foreach (var role in new[] { "Eks/EbsCsiRole", "Eks/AutoscalerRole", "Eks/ApplicationRole" }.Select(stack.Find))
        {
            Assert.Equal("pods.eks.amazonaws.com", role.Text("AssumeRolePolicyDocument.Statement.0.Principal.Service"));
            Assert.Equal(["sts:AssumeRole", "sts:TagSession"], role.At("AssumeRolePolicyDocument.Statement.0.Action")!.Items.Select(a => a.AsString()));
            Assert.True(role.At("AssumeRolePolicyDocument.Statement.0.Condition")!["ArnEquals"]!["aws:SourceArn"]!.ComesFrom("Eks/Cluster"));
        }

        Assert.Equal(
            ["inferloop/synthdata", "kube-system/cluster-autoscaler"],
            stack.OfType("AWS::EKS::PodIdentityAssociation").Select(a => $"{a.Text("Namespace")}/{a.Text("ServiceAccount")}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_the_switch_there_is_no_cluster() =>
        Assert.DoesNotContain((await StackFixture.EvaluateAsync()).AllResources(), r => r.Path.StartsWith("Eks", StringComparison.Ordinal));
}
