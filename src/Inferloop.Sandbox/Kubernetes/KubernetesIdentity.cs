using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>Who asks a cluster, and what its access entry lets it do.</summary>
/// <param name="User">The user's name.</param>
/// <param name="Policies">The access policies of its entry, with their scopes.</param>
internal sealed record KubernetesIdentity(string User, IReadOnlyList<JsonObject> Policies)
{
    private const string Prefix = "k8s-aws-v1.";

    /// <summary>How long a token is good for, whatever lifetime its address has.</summary>
    /// <remarks>https://github.com/kubernetes-sigs/aws-iam-authenticator (pkg/token): 15 minutes.</remarks>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(15);

    /// <summary>The caller of a request by its bearer token: a presigned GetCallerIdentity that names the cluster.</summary>
    public static KubernetesIdentity Of(SandboxRuntime runtime, string cluster, Func<string, (string User, IReadOnlyList<JsonObject> Policies)?> entryOf, ServiceRequest request)
    {
        if (request.Header("authorization") is not { } header || !header.StartsWith("Bearer " + Prefix, StringComparison.Ordinal))
        {
            throw KubernetesFault.Unauthorized();
        }
        var principal = Principal(runtime, cluster, header["Bearer ".Length..][Prefix.Length..]) ?? throw KubernetesFault.Unauthorized();
        return entryOf(principal) is var (user, policies) ? new KubernetesIdentity(user, policies) : throw KubernetesFault.Unauthorized();
    }

    /// <summary>Whether it may do this.</summary>
    /// <remarks>What the policies contain: https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html</remarks>
    public bool May(string verb, KubernetesKind kind, string? space)
    {
        var reads = verb is "get" or "list" or "watch";
        return Policies.Any(policy => Covers(policy.Child("accessScope"), space) && policy.Required("policyArn").Split('/')[^1] switch
        {
            "AmazonEKSClusterAdminPolicy" => true,
            "AmazonEKSAdminPolicy" => kind.IsNamespaced && (reads || kind.Kind is not "Event" and not "EndpointSlice"),
            "AmazonEKSEditPolicy" => kind.IsNamespaced && kind.Group != "rbac.authorization.k8s.io" && (reads || kind.Kind is not "Event" and not "EndpointSlice"),
            "AmazonEKSAdminViewPolicy" => reads,
            "AmazonEKSViewPolicy" => reads && kind.IsNamespaced && kind.Kind is not "Secret" && kind.Group != "rbac.authorization.k8s.io",
            _ => false,
        });
    }

    private static bool Covers(JsonObject? scope, string? space) =>
        scope?.Text("type") == "cluster" || (space is not null && scope?.Texts("namespaces").Contains(space) == true);

    private static string? Principal(SandboxRuntime runtime, string cluster, string encoded)
    {
        try
        {
            var padded = encoded.Replace('-', '+').Replace('_', '/');
            var address = new Uri(Encoding.UTF8.GetString(Convert.FromBase64String(padded.PadRight((padded.Length + 3) / 4 * 4, '='))));
            var sent = new ServiceRequest
            {
                Method = "GET",
                RawPath = address.AbsolutePath,
                RawQuery = address.Query.TrimStart('?'),
                Headers = new Dictionary<string, string> { ["host"] = address.IsDefaultPort ? address.Host : address.Authority, ["x-k8s-aws-id"] = cluster },
            };
            var now = WallClock.UtcNow;
            // A token that does not sign the cluster's name would be good for any cluster.
            if (sent.QueryValue("Action") != "GetCallerIdentity" || Signature.Read(sent) is not { Service: "sts" } signature || !signature.SignedHeaders.Contains("x-k8s-aws-id")
                || now > signature.Time + Lifetime || runtime.AccessKeys.Find(signature.AccessKeyId) is not { } key)
            {
                return null;
            }
            // The lifetime of the address is not looked at: aws eks get-token signs for a minute and says fourteen.
            signature.Verify(sent, key, signature.Time > now ? now : signature.Time);
            return key.Expiration <= now ? null : key.PrincipalArn;
        }
        catch (Exception e) when (e is FormatException or SignatureException)
        {
            return null;
        }
    }
}
