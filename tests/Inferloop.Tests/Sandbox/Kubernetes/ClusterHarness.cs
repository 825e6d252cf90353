using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Kubernetes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Kubernetes;

/// <summary>A cluster with nodes of its own on a stepped clock, asked over TLS with tokens as aws eks get-token makes them.</summary>
internal sealed class ClusterHarness : IAsyncDisposable
{
    public const string Name = "shop";

    private readonly List<JsonObject> instances = [];
    private readonly HttpClient client;

    private ClusterHarness(SandboxHost host, string policy)
    {
        Host = host;
        Context = host.Runtime.SystemContext(host.AccountId, "us-east-1");
        var scope = new JsonObject { ["policyArn"] = "arn:aws:eks::aws:cluster-access-policy/" + policy, ["accessScope"] = new JsonObject { ["type"] = "cluster" } };
        Cluster = new KubernetesCluster(host.Runtime, Context, Name, () => "1.35", () => [new JsonObject { ["AutoScalingGroupName"] = "nodes", ["Instances"] = instances.ToJsonList() }],
            principal => principal == host.Runtime.AccessKeys.Root.PrincipalArn ? ("ada", [scope]) : null);
        host.Runtime.Service<Inferloop.Sandbox.Services.Eks.EksService>().Adopt(Context, Name, Cluster);
        client = new HttpClient(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = Trusts } }) { BaseAddress = Cluster.Endpoint };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token());
    }

    public SandboxHost Host { get; }

    public RequestContext Context { get; }

    public KubernetesCluster Cluster { get; }

    public ClusterObjects Objects => Cluster.Objects;

    public static async Task<ClusterHarness> StartAsync(int nodes = 3, string policy = "AmazonEKSClusterAdminPolicy", string instanceType = "m5.large")
    {
        var harness = new ClusterHarness(await SandboxHost.StartAsync(new SandboxOptions { ClockRate = 0 }, TestContext.Current.CancellationToken), policy);
        for (var i = 0; i < nodes; i++)
        {
            harness.instances.Add(new JsonObject { ["InstanceId"] = $"i-{i:x17}", ["InstanceType"] = instanceType, ["AvailabilityZone"] = "us-east-1" + (char)('a' + (i % 2)), ["LifecycleState"] = "InService" });
        }
        return harness;
    }

    /// <summary>A token for a cluster: the address of a GetCallerIdentity, signed with the cluster's name among the headers.</summary>
    public string Token(string cluster = Name, DateTimeOffset? at = null) => Token(Host, cluster, at);

    /// <inheritdoc cref="Token(string, DateTimeOffset?)"/>
    public static string Token(SandboxHost host, string cluster, DateTimeOffset? at = null)
    {
        var key = host.Runtime.AccessKeys.Root;
        var time = (at ?? DateTimeOffset.UtcNow).UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var query = $"Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={Uri.EscapeDataString($"{key.Id}/{time[..8]}/us-east-1/sts/aws4_request")}&X-Amz-Date={time}&X-Amz-Expires=60&X-Amz-SignedHeaders={Uri.EscapeDataString("host;x-k8s-aws-id")}";
        var request = new ServiceRequest { Method = "GET", RawPath = "/", RawQuery = query, Headers = new Dictionary<string, string> { ["host"] = "sts.us-east-1.amazonaws.com", ["x-k8s-aws-id"] = cluster } };
        var signature = Signature.Over(key, time, "us-east-1", "sts", "host;x-k8s-aws-id", request);
        return "k8s-aws-v1." + Convert.ToBase64String(Encoding.UTF8.GetBytes($"https://sts.us-east-1.amazonaws.com/?{query}&X-Amz-Signature={signature}")).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    public async Task<(HttpStatusCode Status, JsonObject Body)> SendAsync(string method, string path, JsonNode? body = null, string type = "application/json", string? token = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        }
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (response.StatusCode, (JsonObject)JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
    }

    public Task<Stream> StreamAsync(string path) => client.GetStreamAsync(path, TestContext.Current.CancellationToken);

    public async Task<JsonObject> GetAsync(string path)
    {
        var (status, body) = await SendAsync("GET", path);
        Assert.True(status == HttpStatusCode.OK, body.ToJsonString());
        return body;
    }

    public static JsonObject Deployment(string name, string image, int replicas, JsonObject? strategy = null, int? deadline = null)
    {
        var document = (JsonObject)JsonNode.Parse($$"""
            {
              "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "{{name}}" },
              "spec": {
                "replicas": {{replicas}}, "selector": { "matchLabels": { "app": "{{name}}" } },
                "template": { "metadata": { "labels": { "app": "{{name}}" } }, "spec": { "containers": [ { "name": "{{name}}", "image": "{{image}}", "readinessProbe": { "httpGet": { "path": "/ready", "port": 80 } } } ] } }
              }
            }
            """)!;
        if (strategy is not null)
        {
            document["spec"]!["strategy"] = strategy;
        }
        if (deadline is not null)
        {
            document["spec"]!["progressDeadlineSeconds"] = deadline;
        }
        return document;
    }

    /// <summary>Moves the clock in steps that let everything due happen in order.</summary>
    public void Pass(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += TimeSpan.FromSeconds(1))
        {
            // What is due now may run on the clock's own thread: time goes on when the controllers have nothing more to do.
            Assert.True(SpinWait.SpinUntil(() => !Cluster.IsAwake, TimeSpan.FromSeconds(30)));
            Host.Clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await Cluster.DisposeAsync();
        Assert.Empty(Host.Statistics.InternalErrors);
        await Host.DisposeAsync();
    }

    private bool Trusts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        using var authority = X509Certificate2.CreateFromPem(Cluster.Authority);
        using var own = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
        own.ChainPolicy.CustomTrustStore.Add(authority);
        return (errors & SslPolicyErrors.RemoteCertificateNameMismatch) == 0 && own.Build(new X509Certificate2(certificate!));
    }
}
