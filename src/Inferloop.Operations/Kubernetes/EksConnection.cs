using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Amazon.EKS;
using Amazon.EKS.Model;
using Amazon.SecurityToken;
using Inferloop.Aws;
using Inferloop.Operations.Environments;
using k8s;
using k8s.Authentication;

namespace Inferloop.Operations.Kubernetes;

/// <summary>The way to the Kubernetes API of an environment's cluster.</summary>
internal static class EksConnection
{
    /// <summary>A client of the cluster. Only those whom an access entry names get in, so the role of the entry is spoken as where it is another than the caller's.</summary>
    /// <param name="aws">The account and region of the cluster.</param>
    /// <param name="cluster">The cluster's name.</param>
    /// <param name="adminRole">The role that administers it; empty where the environment names none.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="OperationException">The cluster is not active, or the role cannot be assumed.</exception>
    public static async Task<IKubernetes> OpenAsync(EnvironmentAws aws, string cluster, string adminRole, CancellationToken cancellation)
    {
        var session = aws.Session ?? throw new InvalidOperationException("There is no session to sign tokens with.");
        var found = (await aws.Client<IAmazonEKS>().DescribeClusterAsync(new DescribeClusterRequest { Name = cluster }, cancellation).ConfigureAwait(false)).Cluster;
        if (found.Endpoint is not { Length: > 0 } endpoint || found.CertificateAuthority?.Data is not { Length: > 0 } authority)
        {
            throw new OperationException("ClusterNotReady", OperationErrorKind.InvalidState, $"The cluster '{cluster}' is {found.Status}; its Kubernetes API does not answer yet.", $"Get-InferloopEnvironmentComponent tells when it is ACTIVE.", cluster);
        }

        var caller = (await session.GetCallerIdentityAsync(cancellation).ConfigureAwait(false)).Arn;
        var tokens = new Tokens(session, cluster, adminRole.Length == 0 || IsSessionOf(caller, adminRole) ? null : adminRole);
        try
        {
            // Now, so that a role that may not be assumed is told as that and not as an answer of Kubernetes.
            await tokens.GetAuthenticationHeaderAsync(cancellation).ConfigureAwait(false);
        }
        catch (AmazonSecurityTokenServiceException e) when (e.ErrorCode is "AccessDenied" or "AccessDeniedException")
        {
            throw new OperationException(
                "ClusterAccessDenied", OperationErrorKind.PermissionDenied, $"{caller} may not assume {adminRole}, the role that administers the cluster '{cluster}'.",
                $"Let the role's trust policy name you, or sign in as a role that has an access entry of the cluster: aws eks create-access-entry --cluster-name {cluster} --principal-arn ARN.", cluster, e);
        }

        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(authority)));
        return new k8s.Kubernetes(new KubernetesClientConfiguration { Host = endpoint, SslCaCerts = certificates, TokenProvider = tokens }, new PatientHandler(TimeProvider.System));
    }

    /// <summary>Whether a caller's ARN is a session of a role; a session's ARN names the role without its path.</summary>
    internal static bool IsSessionOf(string caller, string role)
    {
        var (own, wanted) = (caller.Split(':', 6), role.Split(':', 6));
        return own.Length == 6 && wanted.Length == 6 && own[4] == wanted[4] && own[5].Split('/') is ["assumed-role", var name, ..] && name == wanted[5].Split('/')[^1];
    }

    /// <summary>Makes a new token before the old one ends: 15 minutes, of which the last ones are left unused.</summary>
    private sealed class Tokens(AwsSession session, string cluster, string? role) : ITokenProvider
    {
        private static readonly TimeSpan s_use = TimeSpan.FromMinutes(10);

        private string token = "";
        private DateTimeOffset made;

        public async Task<AuthenticationHeaderValue> GetAuthenticationHeaderAsync(CancellationToken cancellationToken)
        {
            if (token.Length == 0 || DateTimeOffset.UtcNow - made > s_use)
            {
                token = await session.GetEksTokenAsync(cluster, role, cancellationToken).ConfigureAwait(false);
                made = DateTimeOffset.UtcNow;
            }

            return new AuthenticationHeaderValue("Bearer", token);
        }
    }
}
