using Amazon.Runtime;
using Amazon.ServiceQuotas.Model;

namespace Inferloop.Operations.Environments;

/// <summary>What an account may have of something.</summary>
internal static class AccountQuotas
{
    /// <summary>The account's own limit, or the one of every account; null where neither can be read.</summary>
    public static async Task<double?> ValueAsync(EnvironmentAws aws, string service, string code, CancellationToken cancellation)
    {
        var quotas = aws.Client<Amazon.ServiceQuotas.IAmazonServiceQuotas>();
        try
        {
            return (await quotas.GetServiceQuotaAsync(new GetServiceQuotaRequest { ServiceCode = service, QuotaCode = code }, cancellation).ConfigureAwait(false)).Quota?.Value;
        }
        catch (AmazonServiceException e) when (e.ErrorCode == "NoSuchResourceException")
        {
            return (await quotas.GetAWSDefaultServiceQuotaAsync(new GetAWSDefaultServiceQuotaRequest { ServiceCode = service, QuotaCode = code }, cancellation).ConfigureAwait(false)).Quota?.Value;
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException)
        {
            return null;
        }
    }
}
