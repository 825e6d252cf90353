using System.Globalization;
using Amazon.EKS;
using Amazon.EKS.Model;
using Amazon.IdentityManagement;
using Amazon.IdentityManagement.Model;

namespace Inferloop.Operations.Environments;

internal sealed partial class Preflight
{
    /// <summary>Whether EKS takes the version today: its own answer, which is newer than any table of ours.</summary>
    private async Task KubernetesAsync(CancellationToken cancellation)
    {
        foreach (var version in plan.Evaluated.AllResources().Where(r => r.Type == "AWS::EKS::Cluster").Select(r => r.Properties["Version"]?.AsString()).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            var subject = "Kubernetes " + version;
            await GuardedAsync(PreflightCheck.Spec, subject, async () =>
            {
                var all = new List<ClusterVersionInformation>();
                await foreach (var page in aws.Client<IAmazonEKS>().Paginators.DescribeClusterVersions(new DescribeClusterVersionsRequest()).Responses.WithCancellation(cancellation).ConfigureAwait(false))
                {
                    all.AddRange(page.ClusterVersions ?? []);
                }

                KubernetesVersion(subject, all.Find(v => v.ClusterVersion == version), all);
            }).ConfigureAwait(false);
        }

        foreach (var arn in Made.Where(r => r.Type == "AWS::EKS::AccessEntry").Select(r => r.Properties["PrincipalArn"]?.AsString()).OfType<string>().Distinct(StringComparer.Ordinal))
        {
            await GuardedAsync(PreflightCheck.Permission, arn, () => AdministratorAsync(arn, cancellation)).ConfigureAwait(false);
        }
    }

    /// <summary>An access entry for a principal that does not exist fails, when the cluster has been up for a quarter of an hour.</summary>
    private async Task AdministratorAsync(string arn, CancellationToken cancellation)
    {
        if (arn.Split(':') is not [_, _, _, _, var account, var resource] || account != await aws.AccountId(cancellation).ConfigureAwait(false))
        {
            return; // another account's principals can be asked for only with its credentials
        }

        var name = resource[(resource.LastIndexOf('/') + 1)..];
        var iam = aws.Client<IAmazonIdentityManagementService>();
        try
        {
            var found = resource.StartsWith("role/", StringComparison.Ordinal)
                ? (await iam.GetRoleAsync(new GetRoleRequest { RoleName = name }, cancellation).ConfigureAwait(false)).Role.Arn
                : (await iam.GetUserAsync(new GetUserRequest { UserName = name }, cancellation).ConfigureAwait(false)).User.Arn;
            if (found == arn)
            {
                Add(PreflightSeverity.Passed, PreflightCheck.Permission, arn, "It exists, and will administer the cluster.");
            }
            else
            {
                Add(PreflightSeverity.Error, PreflightCheck.Permission, arn, $"IAM knows it as {found}: EKS compares the whole ARN.", $"Give -EksAdminRoleArn {found}.");
            }
        }
        catch (NoSuchEntityException)
        {
            Add(PreflightSeverity.Error, PreflightCheck.Permission, arn, "There is no such principal: the cluster could not let it in.", "Make it first, or correct -EksAdminRoleArn.");
        }
    }

    private void KubernetesVersion(string subject, ClusterVersionInformation? found, List<ClusterVersionInformation> all)
    {
        string Day(DateTime? day) => day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "an unknown day";
        var status = found?.VersionStatus?.Value ?? found?.Status?.Value.ToUpperInvariant().Replace('-', '_');
        switch (status)
        {
            case "STANDARD_SUPPORT":
                Add(PreflightSeverity.Passed, PreflightCheck.Spec, subject, $"EKS offers it, in standard support until {Day(found!.EndOfStandardSupportDate)}.");
                break;
            case "EXTENDED_SUPPORT":
                Add(PreflightSeverity.Warning, PreflightCheck.Spec, subject, $"EKS offers it in extended support only, for a surcharge, until {Day(found!.EndOfExtendedSupportDate)}.", "Choose a newer version with -EksVersion.");
                break;
            default:
                var offered = all.Where(v => (v.VersionStatus?.Value ?? "") != "UNSUPPORTED").Select(v => v.ClusterVersion).Order(StringComparer.Ordinal);
                Add(PreflightSeverity.Error, PreflightCheck.Spec, subject, $"EKS makes no cluster of it; it offers {string.Join(", ", offered)}.", "Choose one of these with -EksVersion.");
                break;
        }
    }
}
