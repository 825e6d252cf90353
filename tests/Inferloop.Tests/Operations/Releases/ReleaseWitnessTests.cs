using System.Text.Json.Nodes;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;
using Inferloop.Sandbox;

namespace Inferloop.Tests.Operations.Releases;

/// <summary>Releases as the aws CLI and kubectl see them, and decide over them.</summary>
public sealed class ReleaseWitnessTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-witness-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_aws_CLI_sees_the_stages_lets_one_go_on_and_takes_one_back()
    {
        var aws = ExternalTool.Require("aws");
        await using var harness = await ReleaseHarness.StartAsync(change: spec => spec.With("ReleaseShifting", true));
        var variables = Variables(harness.Inner.Host);
        var paused = await harness.PublishAsync(new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 1, Approval = true, ApprovalMinutes = 120 });
        var seen = (await JsonAsync(aws, variables, "ecs", "describe-service-deployments", "--service-deployment-arns", paused.ServiceDeploymentArn))["serviceDeployments"]![0]!;
        Assert.Equal(("IN_PROGRESS", "BLUE_GREEN"), ((string?)seen["status"], (string?)seen["deploymentConfiguration"]!["strategy"]));
        Assert.Equal(paused.LifecycleStage, (string?)seen["lifecycleStage"]);
        Assert.Equal(paused.Revisions.Single(r => r.IsNew).Arn, (string?)seen["targetServiceRevision"]!["arn"]);
        var hook = (string?)seen["lifecycleHookDetails"]!.AsArray().Single(h => (string?)h!["status"] == "AWAITING_ACTION")!["hookId"];

        // Approved by other hands, it is ours all the same.
        await JsonAsync(aws, variables, "ecs", "continue-service-deployment", "--service-deployment-arn", paused.ServiceDeploymentArn, "--hook-id", hook!, "--action", "CONTINUE");
        var end = await harness.PublishAsync(new ReleaseRequest { Image = ":v2" });
        Assert.Equal((paused.Id, ReleaseStatus.Succeeded), (end.Id, end.Status));
        var parameters = (await JsonAsync(aws, variables, "cloudformation", "describe-stacks", "--stack-name", "inferloop-demo-dev"))["Stacks"]![0]!["Parameters"]!.AsArray();
        Assert.Equal(end.Image, (string?)parameters.Single(p => (string?)p!["ParameterKey"] == "ContainerImage")!["ParameterValue"]);
        var revision = (await JsonAsync(aws, variables, "ecs", "describe-service-revisions", "--service-revision-arns", end.Revisions.Single(r => r.IsNew).Arn))["serviceRevisions"]![0]!;
        Assert.Equal(end.Image, (string?)revision["containerImages"]![0]!["image"]);

        // Taken back by other hands.
        var third = await harness.PublishAsync(new ReleaseRequest { Image = ":v3", Strategy = ReleaseStrategy.BlueGreen, Approval = true, ApprovalMinutes = 120 });
        await JsonAsync(aws, variables, "ecs", "stop-service-deployment", "--service-deployment-arn", third.ServiceDeploymentArn, "--stop-type", "ROLLBACK");
        await harness.Operator.Operations.WaitAsync(await harness.NowAsync(), Ct);
        var taken = await harness.Releases.FindAsync(harness.Environment, third.Id, Ct);
        Assert.Equal(ReleaseStatus.RolledBack, taken.Status);
        Assert.Equal(end.Image, (await harness.NowAsync()).Spec.Application.ContainerImage);
    }

    [Fact]
    public async Task Kubectl_sees_the_rollout_and_what_it_was_for()
    {
        var (kubectl, aws) = (ExternalTool.Require("kubectl"), ExternalTool.Require("aws"));
        await using var harness = await ClusterReleaseHarness.StartAsync();
        var variables = Variables(harness.Inner.Host);
        var config = Path.Combine(folder, "kubeconfig");
        var written = await ExternalTool.RunAsync(
            aws, ["eks", "update-kubeconfig", "--name", harness.Environment.Outputs["EksClusterName"], "--role-arn", harness.Environment.Spec.Eks.EksAdminRoleArn, "--kubeconfig", config], variables, Ct);
        Assert.True(written.ExitCode == 0, written.Error);
        async Task<string> Kubectl(params string[] arguments)
        {
            var ran = await ExternalTool.RunAsync(kubectl, ["--kubeconfig", config, "-n", "inferloop", .. arguments], variables, Ct);
            Assert.True(ran.ExitCode == 0, $"kubectl {string.Join(' ', arguments)}: {ran.Error}");
            return ran.Output.Trim();
        }

        var rolled = await harness.PublishAsync(new ReleaseRequest { Image = ":v2" });
        Assert.Contains("successfully rolled out", await Kubectl("rollout", "status", "deployment/synthdata", "--timeout=30s"), StringComparison.Ordinal);
        Assert.Equal(rolled.Image, await Kubectl("get", "deployment", "synthdata", "-o", "jsonpath={.spec.template.spec.containers[0].image}"));
        Assert.Contains($"Inferloop release {rolled.Id}: v2", await Kubectl("rollout", "history", "deployment/synthdata"), StringComparison.Ordinal);

        // After a switch the Service asks for the pods of the new Deployment, and only they are there.
        var switched = await harness.PublishAsync(new ReleaseRequest { Image = ":v3", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 1 });
        var template = await Kubectl("get", "service", "synthdata", "-o", "jsonpath={.spec.selector.pod-template-hash}");
        Assert.Equal(switched.Image, await Kubectl("get", "pods", "-l", "pod-template-hash=" + template, "-o", "jsonpath={.items[0].spec.containers[0].image}"));
        Assert.Equal("0", await Kubectl("get", "deployment", "synthdata", "-o", "jsonpath={.spec.replicas}"));
    }

    private static Dictionary<string, string?> Variables(SandboxHost host) => new()
    {
        ["AWS_ENDPOINT_URL"] = host.Endpoint.ToString().TrimEnd('/'), ["AWS_ACCESS_KEY_ID"] = host.AccessKeyId, ["AWS_SECRET_ACCESS_KEY"] = host.SecretAccessKey,
        ["AWS_DEFAULT_REGION"] = "us-east-1", ["AWS_REGION"] = "us-east-1", ["AWS_PROFILE"] = null, ["AWS_SESSION_TOKEN"] = null, ["AWS_EC2_METADATA_DISABLED"] = "true",
    };

    private static async Task<JsonNode> JsonAsync(string aws, Dictionary<string, string?> variables, params string[] arguments)
    {
        var ran = await ExternalTool.RunAsync(aws, [.. arguments, "--output", "json"], variables, Ct);
        Assert.True(ran.ExitCode == 0, $"aws {string.Join(' ', arguments)}: {ran.Error}");
        return JsonNode.Parse(ran.Output)!;
    }
}
