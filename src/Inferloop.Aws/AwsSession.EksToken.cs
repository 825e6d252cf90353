using System.Text;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Amazon.Runtime.Internal.Util;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace Inferloop.Aws;

/// <summary>Tokens for the Kubernetes API of EKS clusters.</summary>
public sealed partial class AwsSession
{
    /// <summary>
    /// A bearer token for a cluster's Kubernetes API: the address of a signed GetCallerIdentity that names the cluster, as
    /// <c>aws eks get-token</c> makes it. Good for 15 minutes; it is a secret while it is.
    /// </summary>
    /// <remarks>https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster</remarks>
    /// <param name="cluster">The cluster's name.</param>
    /// <param name="roleArn">The role to speak as; null to speak as the session itself.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The token.</returns>
    public async Task<string> GetEksTokenAsync(string cluster, string? roleArn, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(cluster);
        var client = Client<IAmazonSecurityTokenService>();
        ImmutableCredentials keys;
        if (roleArn is null)
        {
            keys = await credentials.GetCredentialsAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        else
        {
            var assumed = await client.AssumeRoleAsync(new AssumeRoleRequest { RoleArn = roleArn, RoleSessionName = cluster.Length > 64 ? cluster[..64] : cluster, DurationSeconds = 900 }, cancellationToken).ConfigureAwait(false);
            keys = new ImmutableCredentials(assumed.Credentials.AccessKeyId, assumed.Credentials.SecretAccessKey, assumed.Credentials.SessionToken);
        }

        var request = new DefaultRequest(new GetCallerIdentityRequest(), "AWSSecurityTokenService")
        {
            HttpMethod = "GET",
            ResourcePath = "/",
            UseQueryString = true,
            Endpoint = new Uri(string.IsNullOrEmpty(client.Config.ServiceURL) ? $"https://sts.{Region}.{RegionEndpoint.GetBySystemName(Region).PartitionDnsSuffix}" : client.Config.ServiceURL),
        };
        request.Headers["x-k8s-aws-id"] = cluster;
        request.Parameters["Action"] = "GetCallerIdentity";
        request.Parameters["Version"] = "2011-06-15";
        request.Parameters["X-Amz-Expires"] = "60";
        if (!string.IsNullOrEmpty(keys.Token))
        {
            request.Parameters["X-Amz-Security-Token"] = keys.Token;
        }

        AWS4SigningResult signed = AWS4PreSignedUrlSigner.SignRequest(request, client.Config, new RequestMetrics(), keys.AccessKey, keys.SecretKey, "sts", Region);
        string address = AmazonServiceClient.ComposeUrl(request).AbsoluteUri + "&" + signed.ForQueryParameters;
        return "k8s-aws-v1." + Convert.ToBase64String(Encoding.UTF8.GetBytes(address)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }
}
