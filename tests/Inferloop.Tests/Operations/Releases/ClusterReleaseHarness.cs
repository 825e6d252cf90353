using System.Globalization;
using Amazon.ECR;
using Amazon.ECR.Model;
using Amazon.IdentityManagement;
using Amazon.IdentityManagement.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Kubernetes;
using Inferloop.Operations.Releases;
using Inferloop.Tests.Operations.Environments;
using k8s;
using k8s.Models;

namespace Inferloop.Tests.Operations.Releases;

/// <summary>An environment with a cluster in a sandbox of its own, the application on it as an operator would have put it there, and images to release.</summary>
internal sealed class ClusterReleaseHarness : IAsyncDisposable
{
    private const string Repository = "inferloop/demo-dev";

    private ClusterReleaseHarness(EnvironmentHarness inner, InferloopEnvironment environment, string registry)
    {
        Inner = inner;
        Environment = environment;
        Registry = registry;
    }

    public EnvironmentHarness Inner { get; }

    public InferloopEnvironment Environment { get; }

    /// <summary>Where the images are, up to their tags.</summary>
    public string Registry { get; }

    public List<InferloopRelease> Seen { get; } = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<ClusterReleaseHarness> StartAsync()
    {
        var inner = await EnvironmentHarness.StartAsync(600);
        inner.UseShippedTemplates();
        const string Trust = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}""";
        var role = (await inner.Aws.Client<IAmazonIdentityManagementService>().CreateRoleAsync(new CreateRoleRequest { RoleName = "operators", AssumeRolePolicyDocument = Trust }, Stop)).Role.Arn;
        var ecr = inner.Aws.Client<IAmazonECR>();
        await ecr.CreateRepositoryAsync(new CreateRepositoryRequest { RepositoryName = Repository, ImageScanningConfiguration = new ImageScanningConfiguration { ScanOnPush = true } }, Stop);
        var size = 0;
        foreach (var tag in new[] { "v1", "v2", "v3", "v4-crash" })
        {
            var manifest = $$"""{"schemaVersion":2,"layers":[{"size":{{(++size).ToString(CultureInfo.InvariantCulture)}}}]}""";
            await ecr.PutImageAsync(new PutImageRequest { RepositoryName = Repository, ImageTag = tag, ImageManifest = manifest }, Stop);
        }

        var registry = $"{await inner.Aws.AccountId(Stop)}.dkr.ecr.us-east-1.amazonaws.com/{Repository}";
        var spec = EnvironmentHarness.Spec;
        var environment = await inner.Operator().CreateAsync(
            spec with
            {
                Ecs = spec.Ecs with { EcsEnabled = false },
                Database = spec.Database with { DatabaseEnabled = false },
                Cache = spec.Cache with { CacheEnabled = false },
                Monitoring = spec.Monitoring with { MonitoringEnabled = false },
                Eks = spec.Eks with { EksEnabled = true, EksAdminRoleArn = role, EksPublicAccessCidrs = "203.0.113.0/24", EksMinimumNodes = 3, EksDesiredNodes = 3 },
                Application = spec.Application with { ContainerImage = registry + ":v1", ServiceVersion = "v1" },
            },
            cancellation: Stop);
        var harness = new ClusterReleaseHarness(inner, environment, registry);
        await harness.InstallAsync();
        return harness;
    }

    public ClusterReleases By(string user = "ada", Func<string, CancellationToken, Task>? beforeStep = null) =>
        new(Inner.Operator(user, beforeStep: beforeStep).Operations, WorkloadName.Default, Seen.Add);

    public async Task<InferloopRelease> PublishAsync(ReleaseRequest request, ClusterReleases? by = null, CancellationToken? cancellation = null)
    {
        by ??= By();
        await using var prepared = await by.PrepareAsync(Environment, request, preview: false, cancellation ?? Stop);
        return await by.RunAsync(prepared, wait: true, cancellation ?? Stop);
    }

    /// <summary>The image of the pods that get the Service's requests.</summary>
    public async Task<string> ServingAsync()
    {
        using var client = await ClientAsync();
        return (await new ClusterWorkload(client, WorkloadName.Default).ReadAsync(Stop)).Serving.Image;
    }

    public Task<IKubernetes> ClientAsync() => EksConnection.OpenAsync(Inner.Aws, Environment.Outputs["EksClusterName"], Environment.Spec.Eks.EksAdminRoleArn, Stop);

    public ValueTask DisposeAsync() => Inner.DisposeAsync();

    private async Task InstallAsync()
    {
        using var client = await ClientAsync();
        await client.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = "inferloop" } }, cancellationToken: Stop);
        var labels = new Dictionary<string, string> { ["app"] = "synthdata" };
        await client.AppsV1.CreateNamespacedDeploymentAsync(
            new V1Deployment
            {
                Metadata = new V1ObjectMeta { Name = "synthdata" },
                Spec = new V1DeploymentSpec
                {
                    Replicas = 2, ProgressDeadlineSeconds = 300, Selector = new V1LabelSelector { MatchLabels = labels },
                    Template = new V1PodTemplateSpec
                    {
                        Metadata = new V1ObjectMeta { Labels = labels },
                        Spec = new V1PodSpec { Containers = [new V1Container { Name = "synthdata", Image = Registry + ":v1" }] },
                    },
                },
            },
            "inferloop", cancellationToken: Stop);
        await client.CoreV1.CreateNamespacedServiceAsync(
            new V1Service { Metadata = new V1ObjectMeta { Name = "synthdata" }, Spec = new V1ServiceSpec { Selector = labels, Ports = [new V1ServicePort { Port = 80 }] } }, "inferloop", cancellationToken: Stop);
        var workload = new ClusterWorkload(client, WorkloadName.Default);
        while (await workload.FindAsync("synthdata", Stop) is not { IsComplete: true })
        {
            // The test's own time limit ends a wait for nothing.
            await Task.Delay(20, Stop);
        }
    }
}
