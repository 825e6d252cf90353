using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Hosting;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>
/// The Kubernetes of one EKS cluster: its objects, its controllers, and its API on a loopback port over TLS. What it serves is what releases
/// and the platform's manifests need; pods run nothing.
/// </summary>
internal sealed class KubernetesCluster : IAsyncDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(30);

    private readonly SandboxRuntime runtime;
    private readonly ClusterNodes nodes;
    private readonly WorkloadControllers workloads;
    private readonly ServiceController services;
    private readonly HttpServer server;
    private readonly X509Certificate2 certificate;
    private bool awake;
    private bool looking;
    private bool stopped;

    /// <param name="runtime">The sandbox.</param>
    /// <param name="context">The account and region of the cluster.</param>
    /// <param name="name">The name of the cluster, which tokens sign.</param>
    /// <param name="version">The version it has at the moment.</param>
    /// <param name="groups">The Auto Scaling groups whose instances are its nodes.</param>
    /// <param name="entryOf">The user and the access policies of a principal; null for one that has no entry.</param>
    public KubernetesCluster(SandboxRuntime runtime, RequestContext context, string name, Func<string> version, Func<IEnumerable<JsonObject>> groups, Func<string, (string User, IReadOnlyList<JsonObject> Policies)?> entryOf)
    {
        this.runtime = runtime;
        var own = context.Detached();
        Objects = new ClusterObjects(runtime.Clock, runtime.Ids);
        var kubelet = new Kubelet(runtime, own, Objects);
        nodes = new ClusterNodes(runtime, own, groups, Objects, kubelet);
        workloads = new WorkloadControllers(runtime, Objects, kubelet, Wake);
        services = new ServiceController(Objects);
        foreach (var space in new[] { "default", "kube-node-lease", "kube-public", "kube-system" })
        {
            var namespaced = new JsonObject { ["metadata"] = new JsonObject { ["name"] = space } };
            ObjectRules.Complete(KubernetesKind.Namespaces, namespaced);
            Objects.Add(KubernetesKind.Namespaces, namespaced);
            AddAccount(space);
        }
        Objects.Changed += change =>
        {
            if (change is { Type: "ADDED", Kind.Kind: "Namespace" })
            {
                AddAccount(change.Document.Child("metadata")!.Required("name"));
            }
            Wake();
        };
        (certificate, Authority) = Certify(name);
        Api = new KubernetesApi(runtime, this, name, version, kubelet, entryOf);
        server = HttpServer.Start(runtime.Options with { Port = 0 }, (request, ended) => runtime.Route(request.For(context.AccountId, context.Region, name), ended), runtime.Report, certificate);
        Wake();
    }

    public ClusterObjects Objects { get; }

    /// <summary>What answers for it.</summary>
    public KubernetesApi Api { get; }

    /// <summary>The certificate that clients trust, PEM.</summary>
    public string Authority { get; }

    /// <summary>Where the API answers.</summary>
    public Uri Endpoint => new($"https://127.0.0.1:{server.Port}");

    /// <summary>Whether the controllers have something to look at.</summary>
    public bool IsAwake
    {
        get
        {
            lock (Objects.Gate)
            {
                return awake;
            }
        }
    }

    /// <summary>Lets the controllers look at everything soon.</summary>
    public void Wake()
    {
        lock (Objects.Gate)
        {
            if (awake || stopped)
            {
                return;
            }
            awake = true;
        }
        runtime.After(TimeSpan.Zero, Reconcile);
    }

    /// <summary>Brings the nodes in line with their instances, for a caller that wants to see them.</summary>
    public void FollowNodes()
    {
        lock (Objects.Gate)
        {
            nodes.Follow();
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (Objects.Gate)
        {
            stopped = true;
            Objects.Complete();
        }
        await server.DisposeAsync().ConfigureAwait(false);
        certificate.Dispose();
    }

    private void Reconcile()
    {
        lock (Objects.Gate)
        {
            long before;
            // A change of one controller is work for the next; what they agree on does not change any more.
            do
            {
                before = Objects.Version;
                workloads.Collect();
                workloads.Autoscale();
                workloads.Deploy();
                nodes.Follow();
                nodes.Schedule();
                services.Connect();
            }
            while (before != Objects.Version && !stopped);
            awake = false;
            if (!looking && !stopped && Objects.List(KubernetesKind.Pods).Any())
            {
                // Instances come and go without a word to the cluster.
                looking = true;
                runtime.After(BetweenLooks, () =>
                {
                    lock (Objects.Gate)
                    {
                        looking = false;
                    }
                    Wake();
                });
            }
        }
    }

    private void AddAccount(string space) =>
        Objects.Add(KubernetesKind.ServiceAccounts, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default", ["namespace"] = space } });

    /// <summary>An authority of the cluster's own and a certificate of it for the loopback address.</summary>
    private static (X509Certificate2 Own, string Authority) Certify(string name)
    {
        var (from, until) = (DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddYears(10));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=kubernetes", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature, true));
        using var authority = authorityRequest.CreateSelfSigned(from, until);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        names.AddDnsName("kubernetes");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        using var signed = request.Create(authority, from, until.AddDays(-1), RandomNumberGenerator.GetBytes(16));
        using var whole = signed.CopyWithPrivateKey(key);
        // Schannel takes no key that lives in memory only; the detour gives it one everywhere.
        return (new X509Certificate2(whole.Export(X509ContentType.Pkcs12)), authority.ExportCertificatePem() + "\n");
    }
}
