using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Inferloop.Operations;
using Inferloop.Operations.Kubernetes;
using Inferloop.Sandbox.Kubernetes;
using Inferloop.Sandbox.Services;
using Inferloop.Tests.Sandbox.Kubernetes;
using k8s;

namespace Inferloop.Tests.Operations.Kubernetes;

/// <summary>Releases to a Deployment of a cluster, with Kubernetes' own client.</summary>
public sealed class ClusterRolloutTests : IAsyncLifetime
{
    private static readonly WorkloadName s_name = new("default", "web");
    private readonly List<string> stages = [];
    private ClusterHarness harness = null!;
    private k8s.Kubernetes client = null!;
    private int leastServing = int.MaxValue;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ClusterWorkload Workload => new(client, s_name);

    public async ValueTask InitializeAsync()
    {
        harness = await ClusterHarness.StartAsync(nodes: 4);
        // Three minutes of the cluster's pass in a second.
        harness.Host.Clock.Rate = 180;
        var authority = new X509Certificate2Collection();
        authority.ImportFromPem(harness.Cluster.Authority);
        client = new k8s.Kubernetes(new KubernetesClientConfiguration { Host = harness.Cluster.Endpoint.ToString(), SslCaCerts = authority, AccessToken = harness.Token() });
        await harness.SendAsync("POST", "/apis/apps/v1/namespaces/default/deployments", ClusterHarness.Deployment("web", "web:1", 3, deadline: 120));
        await harness.SendAsync("POST", "/api/v1/namespaces/default/services", JsonNode.Parse("""{"metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}}"""));
        while (await Workload.FindAsync("web", Stop) is not { IsComplete: true })
        {
            await Task.Delay(20, Stop);
        }

        // What a client of the Service would find behind it, at every moment.
        harness.Objects.Changed += change =>
        {
            if (change.Kind.Kind == "EndpointSlice")
            {
                leastServing = Math.Min(leastServing, change.Document.Objects("endpoints").Count(endpoint => endpoint.Child("conditions")!.Is("ready")));
            }
        };
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await harness.DisposeAsync();
    }

    [Fact]
    public async Task A_rolling_release_replaces_the_pods_and_there_is_always_one_that_serves()
    {
        var outcome = await Rollout().RollAsync("web:2", "web:1", "release 2", Stop);
        Assert.True(outcome.HasSucceeded, outcome.Reason);
        Assert.Equal("web:2", (await Workload.FindAsync("web", Stop))!.Image);
        Assert.InRange(leastServing, 3, int.MaxValue);
        // Begun again it finds its work done.
        Assert.True((await Rollout().RollAsync("web:2", "web:1", "release 2", Stop)).HasSucceeded);
    }

    [Fact]
    public async Task A_rolling_release_that_crashes_comes_back_within_a_minute_of_the_second_crash()
    {
        var began = harness.Host.Clock.Now;
        var outcome = await Rollout().RollAsync("web:crash", "web:1", "release 2", Stop);
        Assert.False(outcome.HasSucceeded);
        Assert.StartsWith("2 starts of the new version failed: CrashLoopBackOff (exit code 1): ERROR:    Application startup failed. Exiting", outcome.Reason, StringComparison.Ordinal);
        Assert.InRange(harness.Host.Clock.Now - began, TimeSpan.Zero, TimeSpan.FromMinutes(2));
        var back = (await Workload.FindAsync("web", Stop))!;
        Assert.Equal(("web:1", true), (back.Image, back.IsComplete));
        Assert.InRange(leastServing, 3, int.MaxValue);
        Assert.Equal(["ROLLING", "ROLLBACK"], stages);
    }

    [Theory]
    [InlineData("web:missing", "ErrImagePull")]
    [InlineData("web:unhealthy", "has timed out progressing")]
    public async Task An_image_that_cannot_be_pulled_or_does_not_get_ready_comes_back(string image, string reason)
    {
        var outcome = await Rollout().RollAsync(image, "web:1", "release 2", Stop);
        Assert.False(outcome.HasSucceeded);
        Assert.Contains(reason, outcome.Reason.Replace("ImagePullBackOff", "ErrImagePull", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal("web:1", (await Workload.FindAsync("web", Stop))!.Image);
        Assert.InRange(leastServing, 3, int.MaxValue);
    }

    [Fact]
    public async Task A_blue_green_release_moves_all_requests_at_once_and_the_next_one_moves_them_back_to_the_first_Deployment()
    {
        Assert.True((await Rollout().SwitchAsync("web:2", "release 2", TimeSpan.FromMinutes(1), Stop)).HasSucceeded);
        Assert.Equal(["SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"], stages);
        var (serving, other) = await Workload.ReadAsync(Stop);
        Assert.Equal(("web-alternate", "web:2", 3), (serving.Name, serving.Image, serving.Desired));
        Assert.Equal(("web", 0), (other!.Name, other.Desired));
        Assert.Equal(serving.Template, await Workload.RoutedAsync(Stop));
        Assert.True((await Rollout().SwitchAsync("web:3", "release 3", TimeSpan.Zero, Stop)).HasSucceeded);
        Assert.Equal(("web", "web:3"), ((await Workload.ReadAsync(Stop)).Serving.Name, (await Workload.ReadAsync(Stop)).Serving.Image));
        // And rolling within whatever serves.
        Assert.True((await Rollout().RollAsync("web:4", "web:3", "release 4", Stop)).HasSucceeded);
        Assert.InRange(leastServing, 3, int.MaxValue);
    }

    [Fact]
    public async Task A_blue_green_release_that_does_not_come_up_has_never_had_a_request()
    {
        var outcome = await Rollout().SwitchAsync("web:crash", "release 2", TimeSpan.FromMinutes(1), Stop);
        Assert.False(outcome.HasSucceeded);
        Assert.Equal("web:1", (await Workload.ReadAsync(Stop)).Serving.Image);
        Assert.Equal(["SCALE_UP", "ROLLBACK"], stages);
        Assert.InRange(leastServing, 3, int.MaxValue);
    }

    [Theory]
    [InlineData("SCALE_UP")]
    [InlineData("PRODUCTION_TRAFFIC_SHIFT")]
    [InlineData("BAKE_TIME")]
    [InlineData("CLEAN_UP")]
    public async Task A_blue_green_release_that_dies_in_any_stage_leaves_a_version_serving_and_goes_on_when_begun_again(string stage)
    {
        await Assert.ThrowsAsync<IOException>(() => Rollout(dieIn: stage).SwitchAsync("web:2", "release 2", TimeSpan.FromSeconds(30), Stop));
        var routed = await Workload.RoutedAsync(Stop);
        Assert.Contains(routed, new[] { (await Workload.FindAsync("web", Stop))?.Template, (await Workload.FindAsync("web-alternate", Stop))?.Template });
        Assert.True((await Rollout().SwitchAsync("web:2", "release 2", TimeSpan.FromSeconds(30), Stop)).HasSucceeded);
        var (serving, other) = await Workload.ReadAsync(Stop);
        Assert.Equal(("web:2", 0), (serving.Image, other!.Desired));
        Assert.InRange(leastServing, 3, int.MaxValue);
    }

    [Fact]
    public async Task Without_room_the_release_waits_says_so_and_comes_back()
    {
        await harness.SendAsync("PATCH", "/apis/apps/v1/namespaces/default/deployments/web", JsonNode.Parse("""{"spec":{"template":{"spec":{"containers":[{"name":"web","resources":{"requests":{"cpu":"1500m"}}}]}}}}"""), "application/strategic-merge-patch+json");
        while (await Workload.FindAsync("web", Stop) is not { IsComplete: true })
        {
            await Task.Delay(20, Stop);
        }

        var outcome = await Rollout().SwitchAsync("web:2", "release 2", TimeSpan.Zero, Stop);
        Assert.False(outcome.HasSucceeded);
        Assert.StartsWith("FailedScheduling: 0/4 nodes are available: 4 Insufficient cpu", outcome.Reason, StringComparison.Ordinal);
        Assert.Equal("web:1", (await Workload.ReadAsync(Stop)).Serving.Image);
    }

    private ClusterRollout Rollout(string? dieIn = null) => new(Workload, TimeSpan.FromMilliseconds(20), TimeProvider.System, SilentReporter.Instance, (stage, _) =>
    {
        stages.Add(stage.Name);
        return stage.Name == dieIn ? throw new IOException("the process dies here") : Task.CompletedTask;
    });
}
