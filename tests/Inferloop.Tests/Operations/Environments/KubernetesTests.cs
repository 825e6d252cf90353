using Amazon.CloudFormation.Model;
using Amazon.EKS;
using Amazon.EKS.Model;
using Amazon.IdentityManagement;
using Amazon.IdentityManagement.Model;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>An environment's cluster through its life, and what its states mean.</summary>
public sealed class KubernetesTests
{
    private static readonly InferloopEnvironmentSpec Spec = EnvironmentHarness.Spec.With("EksEnabled", true).With("EksNodeCapacity", "OnDemand").With("EksVersion", "1.35").With("DatabaseEnabled", false).With("CacheEnabled", false).With("EcsEnabled", false).With("EksExtendedSupport", true)
        .With("EksAdminRoleArn", "arn:aws:iam::123456789012:role/operators");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_cluster_comes_up_whole_is_upgraded_by_one_minor_grows_and_goes()
    {
        await using var harness = await EnvironmentHarness.StartAsync();
        harness.UseShippedTemplates();
        await OperatorsAsync(harness);
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(Spec, cancellation: Stop);
        Assert.Equal("CREATE_COMPLETE", environment.Status);
        Assert.Equal(("demo-dev", "aws eks update-kubeconfig --region us-east-1 --name demo-dev"), (environment.Outputs["EksClusterName"], environment.Outputs["EksKubeconfigCommand"]));
        Assert.StartsWith("https://oidc.eks.us-east-1.amazonaws.com/id/", environment.Outputs["EksOidcIssuerUrl"], StringComparison.Ordinal);

        var parts = await PartsAsync(harness, environment);
        Assert.All(parts, p => Assert.True(p.Health == EnvironmentHealth.Healthy, p.ToString()));
        Assert.Equal("Kubernetes 1.35, standard support until 2027-03-27; API from the VPC", parts.Single(p => p.Path == "Eks/Cluster").Detail);
        Assert.Equal("2 of 2 nodes (1 to 4) of t3.medium,t3a.medium, on demand; Kubernetes 1.35", parts.Single(p => p.Path == "Eks/NodeGroup").Detail);
        Assert.StartsWith("coredns v1.", parts.Single(p => p.Path == "Eks/CoreDns").Detail, StringComparison.Ordinal);
        Assert.Equal(8, parts.Count);

        foreach (var (version, id, word) in new[] { ("1.34", "KubernetesDowngrade", "back to 1.34"), ("1.37", "KubernetesSkip", "one minor version at a time") })
        {
            var steps = ada.Steps.Count;
            var refused = await Assert.ThrowsAsync<OperationException>(() => ada.UpdateAsync(Spec.With("EksVersion", version), cancellation: Stop));
            Assert.Equal((id, OperationErrorKind.InvalidArgument), (refused.ErrorId, refused.Kind));
            Assert.Contains(word, refused.Message, StringComparison.Ordinal);
            Assert.Contains("Set-InferloopEnvironment demo -EksVersion 1.3", refused.RecommendedAction, StringComparison.Ordinal);
            Assert.Equal(steps, ada.Steps.Count);
        }

        var changes = await ada.UpdateAsync(Spec.With("EksVersion", "1.36").With("EksDesiredNodes", 3), cancellation: Stop);
        Assert.Contains(changes.Changes, c => c is { Path: "Eks/Cluster", Risk: EnvironmentChangeRisk.Downtime, Replacement: EnvironmentReplacement.Never });
        Assert.DoesNotContain(changes.Changes, c => c.Path.StartsWith("Eks/", StringComparison.Ordinal) && c.Replacement == EnvironmentReplacement.Always);
        parts = await PartsAsync(harness, environment);
        Assert.StartsWith("Kubernetes 1.36", parts.Single(p => p.Path == "Eks/Cluster").Detail, StringComparison.Ordinal);
        Assert.Equal("3 of 3 nodes (1 to 4) of t3.medium,t3a.medium, on demand; Kubernetes 1.36", parts.Single(p => p.Path == "Eks/NodeGroup").Detail);

        await ada.RemoveAsync(deleteData: true, cancellation: Stop);
        Assert.Empty((await harness.Aws.Client<IAmazonEKS>().ListClustersAsync(new ListClustersRequest(), Stop)).Clusters ?? []);
    }

    [Theory]
    [InlineData("1.35", PreflightSeverity.Passed, "standard support until 2027-03-27")]
    [InlineData("1.33", PreflightSeverity.Warning, "extended support only")]
    [InlineData("1.27", PreflightSeverity.Error, "it offers 1.3")]
    [InlineData("1.99", PreflightSeverity.Error, "it offers 1.3")]
    public async Task Whether_EKS_takes_the_version_is_asked_before_anything_is_made(string version, PreflightSeverity severity, string message)
    {
        await using var harness = await EnvironmentHarness.StartAsync();
        harness.UseShippedTemplates();
        var findings = await harness.Operator().Operations.PreflightAsync(Spec.With("EksVersion", version), thorough: true, Stop);
        var found = Assert.Single(findings, f => f.Subject == "Kubernetes " + version);
        Assert.Equal(severity, found.Severity);
        Assert.Contains(message, found.Message, StringComparison.Ordinal);
        Assert.Contains(findings, f => f is { Check: PreflightCheck.InstanceType, Subject: "t3a.medium", Severity: PreflightSeverity.Passed });
    }

    [Theory]
    [InlineData(false, PreflightSeverity.Error)]
    [InlineData(true, PreflightSeverity.Passed)]
    public async Task An_administrator_that_does_not_exist_is_found_before_the_cluster_is_up(bool exists, PreflightSeverity severity)
    {
        await using var harness = await EnvironmentHarness.StartAsync();
        harness.UseShippedTemplates();
        if (exists)
        {
            await OperatorsAsync(harness);
        }

        var findings = await harness.Operator().Operations.PreflightAsync(Spec, thorough: false, Stop);
        Assert.Equal(severity, Assert.Single(findings, f => f.Subject == Spec.Eks.EksAdminRoleArn).Severity);
    }

    [Theory]
    [InlineData("1.35", "1.35", null)]
    [InlineData("1.35", "1.36", null)]
    [InlineData("1.35", "1.34", "KubernetesDowngrade")]
    [InlineData("1.33", "1.35", "KubernetesSkip")]
    public void A_version_goes_up_by_one(string from, string to, string? id)
    {
        var stack = new Stack { Parameters = [new Parameter { ParameterKey = "EksEnabled", ParameterValue = "true" }, new Parameter { ParameterKey = "EksVersion", ParameterValue = from }] };
        var refused = Record.Exception(() => EnvironmentOperations.RefuseVersionStep(Spec.With("EksVersion", to), stack)) as OperationException;
        Assert.Equal(id, refused?.ErrorId);

        // One that does not exist yet, or shall no longer, has no version to step from.
        stack.Parameters[0].ParameterValue = "false";
        EnvironmentOperations.RefuseVersionStep(Spec.With("EksVersion", to), stack);
        stack.Parameters[0].ParameterValue = "true";
        EnvironmentOperations.RefuseVersionStep(Spec.With("EksVersion", to).With("EksEnabled", false), stack);
    }

    [Theory]
    [InlineData("ACTIVE", 2, "1.35", EnvironmentHealth.Healthy, "2 of 2 nodes (1 to 4) of t3.medium, Spot; Kubernetes 1.35")]
    [InlineData("ACTIVE", 1, "1.35", EnvironmentHealth.Degraded, "1 of 2 nodes (1 to 4) of t3.medium, Spot; Kubernetes 1.35")]
    [InlineData("ACTIVE", 0, "1.35", EnvironmentHealth.Unhealthy, "0 of 2 nodes (1 to 4) of t3.medium, Spot; Kubernetes 1.35")]
    [InlineData("ACTIVE", 2, "1.36", EnvironmentHealth.Healthy, "2 of 2 nodes (1 to 4) of t3.medium, Spot; Kubernetes 1.35, the cluster has 1.36")]
    [InlineData("UPDATING", 1, "1.36", EnvironmentHealth.Changing, "1 of 2 nodes (1 to 4) of t3.medium, Spot; Kubernetes 1.35, the cluster has 1.36")]
    [InlineData("CREATE_FAILED", 0, "1.35", EnvironmentHealth.Unhealthy, "0 of 2 nodes (1 to 4) of t3.medium, Spot; Kubernetes 1.35")]
    public void Nodes_are_counted_against_what_is_wanted(string status, int running, string cluster, EnvironmentHealth health, string detail)
    {
        var group = new Nodegroup { Status = status, Version = "1.35", CapacityType = "SPOT", InstanceTypes = ["t3.medium"], ScalingConfig = new NodegroupScalingConfig { MinSize = 1, DesiredSize = 2, MaxSize = 4 } };
        var state = EnvironmentComponents.NodeGroup(group, cluster, running);
        Assert.Equal((status, health, detail), (state.Status, state.Health, state.Detail));

        group.Health = new NodegroupHealth { Issues = [new Issue { Code = "AsgInstanceLaunchFailures", Message = "no capacity" }] };
        Assert.EndsWith("; AsgInstanceLaunchFailures: no capacity", EnvironmentComponents.NodeGroup(group, cluster, running).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.35", "ACTIVE", EnvironmentHealth.Healthy, "Kubernetes 1.35, standard support until 2027-03-27; API from 203.0.113.0/24")]
    [InlineData("1.33", "UPDATING", EnvironmentHealth.Changing, "Kubernetes 1.33, extended support until 2027-07-29; API from 203.0.113.0/24")]
    [InlineData("1.27", "FAILED", EnvironmentHealth.Unhealthy, "Kubernetes 1.27, out of support; API from 203.0.113.0/24")]
    public void A_cluster_tells_its_version_and_how_long_it_is_supported(string version, string status, EnvironmentHealth health, string detail)
    {
        var state = EnvironmentComponents.Kubernetes(
            new Cluster { Version = version, Status = status, ResourcesVpcConfig = new VpcConfigResponse { EndpointPublicAccess = true, PublicAccessCidrs = ["203.0.113.0/24"] } }, new DateOnly(2026, 11, 23));
        Assert.Equal((status, health, detail), (state.Status, state.Health, state.Detail));
    }

    [Theory]
    [InlineData("ACTIVE", EnvironmentHealth.Healthy)]
    [InlineData("UPDATING", EnvironmentHealth.Changing)]
    [InlineData("DEGRADED", EnvironmentHealth.Degraded)]
    [InlineData("UPDATE_FAILED", EnvironmentHealth.Degraded)]
    [InlineData("CREATE_FAILED", EnvironmentHealth.Unhealthy)]
    public void An_add_on_whose_update_failed_still_runs(string status, EnvironmentHealth health)
    {
        var state = EnvironmentComponents.Addon(new Addon { AddonName = "coredns", AddonVersion = "v1.13.2-eksbuild.1", Status = status });
        Assert.Equal((health, "coredns v1.13.2-eksbuild.1"), (state.Health, state.Detail));
    }

    private static async Task OperatorsAsync(EnvironmentHarness harness) =>
        await harness.Aws.Client<IAmazonIdentityManagementService>().CreateRoleAsync(
            new CreateRoleRequest { RoleName = "operators", AssumeRolePolicyDocument = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}""" }, Stop);

    private static async Task<IReadOnlyList<InferloopEnvironmentComponent>> PartsAsync(EnvironmentHarness harness, InferloopEnvironment environment)
    {
        var parts = await harness.Operator().Operations.ComponentsAsync(environment, Stop);
        return parts.Where(p => p.Component == "Eks" && p.Type.StartsWith("AWS::EKS::", StringComparison.Ordinal)).ToList();
    }
}
