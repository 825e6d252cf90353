using System.Net;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Kubernetes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Kubernetes;

/// <summary>The Kubernetes of the sandbox's clusters: who may ask, what is kept, how Deployments roll.</summary>
public sealed class ClusterTests
{
    private const string Deployments = "/apis/apps/v1/namespaces/default/deployments";
    private const string Pods = "/api/v1/namespaces/default/pods";

    [Fact]
    public async Task Only_a_fresh_token_for_this_cluster_opens_it()
    {
        await using var harness = await ClusterHarness.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await harness.SendAsync("GET", "/api/v1/namespaces")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await harness.SendAsync("GET", "/api/v1/namespaces", token: harness.Token("other"))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await harness.SendAsync("GET", "/api/v1/namespaces", token: harness.Token(at: DateTimeOffset.UtcNow.AddMinutes(-16)))).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await harness.SendAsync("GET", "/api/v1/namespaces", token: "k8s-aws-v1.bm9uc2Vuc2U")).Status);
        var (status, body) = await harness.SendAsync("GET", "/api/v1/namespaces", token: harness.Token()[..^4] + "AAAA");
        Assert.Equal((HttpStatusCode.Unauthorized, "Unauthorized"), (status, body.Text("reason")));
    }

    [Fact]
    public async Task Who_may_only_look_changes_nothing_and_sees_no_secrets()
    {
        await using var harness = await ClusterHarness.StartAsync(policy: "AmazonEKSViewPolicy");
        await harness.GetAsync(Deployments);
        var (status, body) = await harness.SendAsync("POST", Deployments, ClusterHarness.Deployment("web", "web:1", 1));
        Assert.Equal(HttpStatusCode.Forbidden, status);
        Assert.Equal("deployments.apps is forbidden: User \"ada\" cannot create resource \"deployments\" in API group \"apps\" in the namespace \"default\"", body.Text("message"));
        Assert.Equal(HttpStatusCode.Forbidden, (await harness.SendAsync("GET", "/api/v1/namespaces/default/secrets")).Status);
    }

    [Fact]
    public async Task A_document_that_breaks_a_rule_is_refused_with_the_field()
    {
        await using var harness = await ClusterHarness.StartAsync();
        async Task Refused(Action<JsonObject> spoil, string message)
        {
            var document = ClusterHarness.Deployment("web", "web:1", 1);
            spoil(document);
            var (status, body) = await harness.SendAsync("POST", Deployments, document);
            Assert.True((int)status is 400 or 422, body.ToJsonString());
            Assert.Contains(message, body.Text("message"), StringComparison.Ordinal);
        }

        await Refused(document => document["metadata"]!["name"] = "No_Name", "metadata.name");
        await Refused(document => document["spec"]!["selector"] = null, "spec.selector: Required value");
        await Refused(document => document["spec"]!["template"]!["metadata"]!["labels"]!["app"] = "other", "`selector` does not match template `labels`");
        await Refused(document => document["spec"]!["replicas"] = -1, "must be greater than or equal to 0");
        await Refused(document => document["spec"]!["template"]!["spec"]!["containers"]![0]!["image"] = "", "image: Required value");
        await Refused(document => document["spec"]!["strategy"] = new JsonObject { ["rollingUpdate"] = new JsonObject { ["maxSurge"] = 0, ["maxUnavailable"] = 0 } }, "may not be 0 when `maxSurge` is 0");
        await Refused(document => document["kind"] = "Service", "no kind \"Service\"");
        var (missing, _) = await harness.SendAsync("POST", "/apis/apps/v1/namespaces/nowhere/deployments", ClusterHarness.Deployment("web", "web:1", 1));
        Assert.Equal(HttpStatusCode.NotFound, missing);
        await harness.SendAsync("POST", Deployments, ClusterHarness.Deployment("web", "web:1", 1));
        var (conflict, _) = await harness.SendAsync("POST", Deployments, ClusterHarness.Deployment("web", "web:1", 1));
        Assert.Equal(HttpStatusCode.Conflict, conflict);
        var stale = ClusterHarness.Deployment("web", "web:2", 1);
        stale["metadata"]!["resourceVersion"] = "1";
        Assert.Contains("the object has been modified", (await harness.SendAsync("PUT", Deployments + "/web", stale)).Body.Text("message"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4, "25%", "25%")]
    [InlineData(3, "1", "0")]
    [InlineData(3, "0", "1")]
    [InlineData(5, "100%", "0")]
    public async Task A_rolling_update_never_has_too_many_pods_nor_too_few_that_serve(int replicas, string surge, string unavailable)
    {
        await using var harness = await ClusterHarness.StartAsync(nodes: 3);
        JsonNode Number(string text) => int.TryParse(text, out var number) ? number : text;
        var strategy = new JsonObject { ["type"] = "RollingUpdate", ["rollingUpdate"] = new JsonObject { ["maxSurge"] = Number(surge), ["maxUnavailable"] = Number(unavailable) } };
        await harness.SendAsync("POST", Deployments, ClusterHarness.Deployment("web", "web:1", replicas, strategy));
        harness.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal(replicas, (await harness.GetAsync(Deployments + "/web"))["status"]!["availableReplicas"]!.GetValue<int>());
        var (most, least) = (0, int.MaxValue);
        harness.Objects.Changed += change =>
        {
            if (change.Kind.Kind == "Pod")
            {
                var alive = harness.Objects.List(KubernetesKind.Pods).Where(pod => !pod.Child("metadata")!.Has("deletionTimestamp")).ToList();
                most = Math.Max(most, alive.Count);
                least = Math.Min(least, alive.Count(pod => Conditions.IsTrue(pod.Child("status"), "Ready")));
            }
        };
        await harness.SendAsync("PATCH", Deployments + "/web", JsonNode.Parse("""{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"web:2"}]}}}}"""), "application/strategic-merge-patch+json");
        harness.Pass(TimeSpan.FromSeconds(120));
        var status = (await harness.GetAsync(Deployments + "/web"))["status"]!;
        Assert.Equal(replicas, status["updatedReplicas"]!.GetValue<int>());
        Assert.Equal(replicas, status["replicas"]!.GetValue<int>());
        Assert.InRange(most, replicas, replicas + ObjectRules.Share(Number(surge), replicas, up: true, 0));
        Assert.True(least >= replicas - ObjectRules.Share(Number(unavailable), replicas, up: false, 0), $"{least} of {replicas} served");
        Assert.All((await harness.GetAsync(Pods)).Objects("items"), pod => Assert.Equal("web:2", pod["spec"]!["containers"]![0]!["image"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_crashing_image_leaves_the_old_pods_and_times_out_and_an_undo_takes_the_old_template_back()
    {
        await using var harness = await ClusterHarness.StartAsync();
        await harness.SendAsync("POST", Deployments, ClusterHarness.Deployment("web", "web:1", 2, deadline: 60));
        harness.Pass(TimeSpan.FromSeconds(30));
        await harness.SendAsync("PATCH", Deployments + "/web", JsonNode.Parse("""[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"web:crash"}]"""), "application/json-patch+json");
        harness.Pass(TimeSpan.FromSeconds(90));
        var stuck = await harness.GetAsync(Deployments + "/web");
        Assert.Equal(2, stuck["status"]!["availableReplicas"]!.GetValue<int>());
        Assert.Equal("ProgressDeadlineExceeded", stuck.Child("status")!.Objects("conditions").Single(item => item.Text("type") == "Progressing").Text("reason"));
        var crashing = (await harness.GetAsync(Pods)).Objects("items").Single(pod => pod["spec"]!["containers"]![0]!["image"]!.GetValue<string>() == "web:crash");
        var state = crashing.Child("status")!.Objects("containerStatuses").Single();
        Assert.Equal("CrashLoopBackOff", state.Child("state")!.Child("waiting")!.Text("reason"));
        Assert.True(state.Int("restartCount") >= 2);
        await harness.SendAsync("PATCH", Deployments + "/web", JsonNode.Parse("""[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"web:1"}]"""), "application/json-patch+json");
        harness.Pass(TimeSpan.FromSeconds(30));
        var sets = (await harness.GetAsync("/apis/apps/v1/namespaces/default/replicasets")).Objects("items").ToList();
        Assert.Equal(2, sets.Count);
        var back = sets.Single(set => set.Child("spec")!.Int("replicas") == 2);
        Assert.Equal("3", back["metadata"]!["annotations"]!["deployment.kubernetes.io/revision"]!.GetValue<string>());
        Assert.Equal("NewReplicaSetAvailable", (await harness.GetAsync(Deployments + "/web")).Child("status")!.Objects("conditions").Single(item => item.Text("type") == "Progressing").Text("reason"));
    }

    [Fact]
    public async Task Pods_without_room_wait_and_say_so()
    {
        await using var harness = await ClusterHarness.StartAsync(nodes: 1, instanceType: "t3.medium");
        var large = ClusterHarness.Deployment("web", "web:1", 2);
        large["spec"]!["template"]!["spec"]!["containers"]![0]!["resources"] = JsonNode.Parse("""{"requests":{"cpu":"1","memory":"2Gi"}}""");
        await harness.SendAsync("POST", Deployments, large);
        harness.Pass(TimeSpan.FromSeconds(30));
        var pods = (await harness.GetAsync(Pods)).Objects("items").ToList();
        Assert.Single(pods, pod => Conditions.IsTrue(pod.Child("status"), "Ready"));
        var waiting = pods.Single(pod => !pod.Child("spec")!.Has("nodeName"));
        Assert.Equal("0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.", waiting.Child("status")!.Objects("conditions").Single().Text("message"));
        Assert.Contains((await harness.GetAsync("/api/v1/namespaces/default/events")).Objects("items"), item => item.Text("reason") == "FailedScheduling");
    }

    [Fact]
    public async Task A_service_stands_before_ready_pods_of_its_selector_only()
    {
        await using var harness = await ClusterHarness.StartAsync();
        await harness.SendAsync("POST", Deployments, ClusterHarness.Deployment("blue", "web:1", 2));
        await harness.SendAsync("POST", Deployments, ClusterHarness.Deployment("green", "web:unhealthy", 2));
        await harness.SendAsync("POST", "/api/v1/namespaces/default/services", JsonNode.Parse("""{"metadata":{"name":"web"},"spec":{"selector":{"app":"blue"},"ports":[{"port":80}]}}"""));
        harness.Pass(TimeSpan.FromSeconds(30));
        async Task<List<bool>> Endpoints() => (await harness.GetAsync("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices")).Objects("items").Single().Objects("endpoints").Select(item => item.Child("conditions")!.Is("ready")).ToList();
        Assert.Equal([true, true], await Endpoints());
        await harness.SendAsync("PATCH", "/api/v1/namespaces/default/services/web", JsonNode.Parse("""{"spec":{"selector":{"app":"green"}}}"""), "application/merge-patch+json");
        harness.Pass(TimeSpan.FromSeconds(2));
        Assert.Equal([false, false], await Endpoints());
    }

    [Fact]
    public async Task A_watch_tells_what_happens_and_an_old_version_has_expired()
    {
        await using var harness = await ClusterHarness.StartAsync();
        var from = (await harness.GetAsync("/api/v1/namespaces/default/configmaps"))["metadata"]!["resourceVersion"]!.GetValue<string>();
        await using var stream = await harness.StreamAsync($"/api/v1/namespaces/default/configmaps?watch=true&resourceVersion={from}&labelSelector=tier%3Dweb");
        using var reader = new StreamReader(stream);
        async Task<(string Type, string Name)> NextAsync()
        {
            var line = (JsonObject)JsonNode.Parse((await reader.ReadLineAsync(TestContext.Current.CancellationToken))!)!;
            return (line.Required("type"), line.Child("object")!.Child("metadata")!.Required("name"));
        }

        const string Maps = "/api/v1/namespaces/default/configmaps";
        await harness.SendAsync("POST", Maps, JsonNode.Parse("""{"metadata":{"name":"other"}}"""));
        await harness.SendAsync("POST", Maps, JsonNode.Parse("""{"metadata":{"name":"a","labels":{"tier":"web"}}}"""));
        Assert.Equal(("ADDED", "a"), await NextAsync());
        await harness.SendAsync("PATCH", Maps + "/a", JsonNode.Parse("""{"data":{"k":"v"}}"""), "application/merge-patch+json");
        Assert.Equal(("MODIFIED", "a"), await NextAsync());
        // What leaves the selection is gone for those who follow it.
        await harness.SendAsync("PATCH", Maps + "/a", JsonNode.Parse("""{"metadata":{"labels":{"tier":null}}}"""), "application/merge-patch+json");
        Assert.Equal(("DELETED", "a"), await NextAsync());
        for (var i = 0; i < 4200; i++)
        {
            lock (harness.Objects.Gate)
            {
                harness.Objects.Change(KubernetesKind.ConfigMaps, harness.Objects.Find(KubernetesKind.ConfigMaps, "default", "a")!, document => document.ChildOrNew("data")["n"] = $"{i}");
            }
        }
        var (status, body) = await harness.SendAsync("GET", $"{Maps}?watch=true&resourceVersion={from}");
        Assert.Equal((HttpStatusCode.Gone, "Expired"), (status, body.Text("reason")));
    }

    [Fact]
    public async Task Long_lists_come_in_pages()
    {
        await using var harness = await ClusterHarness.StartAsync();
        for (var i = 0; i < 7; i++)
        {
            await harness.SendAsync("POST", "/api/v1/namespaces/default/configmaps", new JsonObject { ["metadata"] = new JsonObject { ["name"] = $"map-{i}" } });
        }
        var names = new List<string>();
        var next = "";
        do
        {
            var page = await harness.GetAsync($"/api/v1/namespaces/default/configmaps?limit=3&continue={Uri.EscapeDataString(next)}");
            Assert.True(page.Objects("items").Count() <= 3);
            names.AddRange(page.Objects("items").Select(item => item.Child("metadata")!.Required("name")));
            next = page.Child("metadata")!.Text("continue") ?? "";
        }
        while (next.Length > 0);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"map-{i}"), names);
    }
}
