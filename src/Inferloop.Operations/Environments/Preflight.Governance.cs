using Amazon.CloudTrail;
using Amazon.CloudTrail.Model;
using Amazon.ConfigService;
using Amazon.ConfigService.Model;
using Amazon.IdentityManagement;
using Amazon.IdentityManagement.Model;

namespace Inferloop.Operations.Environments;

internal sealed partial class Preflight
{
    private const string GitHubIssuer = "token.actions.githubusercontent.com";

    /// <summary>
    /// What an account has once: AWS Config's recorder and its delivery channel (one a region), and trails (five a region, the first copy of events free).
    /// Quotas: docs.aws.amazon.com/config/latest/developerguide/configlimits.html, docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html.
    /// </summary>
    private async Task GovernanceAsync(CancellationToken cancellation)
    {
        if (Made.Any(r => r.Type == "AWS::Config::ConfigurationRecorder"))
        {
            await GuardedAsync(PreflightCheck.Quota, "AWS Config", () => RecorderAsync(cancellation)).ConfigureAwait(false);
        }

        if (Made.FirstOrDefault(r => r.Type == "AWS::CloudTrail::Trail") is { } trail)
        {
            var name = trail.Properties["TrailName"]?.AsString() ?? "";
            await GuardedAsync(PreflightCheck.Quota, "CloudTrail", () => TrailAsync(name, cancellation)).ConfigureAwait(false);
        }
    }

    /// <summary>An account has one OIDC provider for an issuer; a second one is refused.</summary>
    private async Task DeliveryAsync(CancellationToken cancellation)
    {
        if (!Made.Any(r => r.Type == "AWS::IAM::OIDCProvider" && r.Properties["Url"]?.AsString() == "https://" + GitHubIssuer))
        {
            return;
        }

        await GuardedAsync(PreflightCheck.Name, GitHubIssuer, async () =>
        {
            var providers = (await aws.Client<IAmazonIdentityManagementService>().ListOpenIDConnectProvidersAsync(new ListOpenIDConnectProvidersRequest(), cancellation).ConfigureAwait(false)).OpenIDConnectProviderList ?? [];
            if (providers.Find(p => p.Arn.EndsWith(":oidc-provider/" + GitHubIssuer, StringComparison.Ordinal)) is { } found)
            {
                Add(PreflightSeverity.Error, PreflightCheck.Name, GitHubIssuer, "The account knows GitHub as an identity provider already, and may know it once.", $"Give -GitHubProviderArn {found.Arn}.");
            }
            else
            {
                Add(PreflightSeverity.Passed, PreflightCheck.Name, GitHubIssuer, "The account does not know GitHub as an identity provider yet.");
            }
        }).ConfigureAwait(false);
    }

    private async Task RecorderAsync(CancellationToken cancellation)
    {
        var config = aws.Client<IAmazonConfigService>();
        var recorder = (await config.DescribeConfigurationRecordersAsync(new DescribeConfigurationRecordersRequest(), cancellation).ConfigureAwait(false)).ConfigurationRecorders?
            .Find(r => string.IsNullOrEmpty(r.ServicePrincipal)); // AWS services have recorders of their own beside the account's
        var channel = (await config.DescribeDeliveryChannelsAsync(new DescribeDeliveryChannelsRequest(), cancellation).ConfigureAwait(false)).DeliveryChannels?.FirstOrDefault();
        var found = recorder is not null ? $"recorder '{recorder.Name}'" : channel is not null ? $"delivery channel '{channel.Name}'" : null;
        if (found is not null)
        {
            Add(
                PreflightSeverity.Error, PreflightCheck.Quota, "AWS Config", $"The account has the {found} in {aws.Region} already, and may have one: the environment's could not be created.",
                "Let that one serve the environment too: give -ConfigEnabled $false.");
        }
        else
        {
            Add(PreflightSeverity.Passed, PreflightCheck.Quota, "AWS Config", "The account has no recorder in this region yet.");
        }
    }

    private async Task TrailAsync(string name, CancellationToken cancellation)
    {
        const int TrailsPerRegion = 5;
        var trails = (await aws.Client<IAmazonCloudTrail>().DescribeTrailsAsync(new DescribeTrailsRequest { IncludeShadowTrails = true }, cancellation).ConfigureAwait(false)).TrailList ?? [];
        var ours = trails.Find(t => t.Name == name && t.HomeRegion == aws.Region);
        if (ours is not null)
        {
            Add(PreflightSeverity.Error, PreflightCheck.Name, name, "A trail of this name exists already.", "Delete it if it is not needed, or give -CloudTrailEnabled $false.");
        }
        else if (trails.Count >= TrailsPerRegion)
        {
            Add(
                PreflightSeverity.Error, PreflightCheck.Quota, "CloudTrail", $"{trails.Count} trails are in force in {aws.Region}, of {TrailsPerRegion} that a region may have: {string.Join(", ", trails.Select(t => t.Name))}.",
                "Give -CloudTrailEnabled $false, or delete a trail that is not needed.");
        }
        else if (trails.Find(t => t.IsMultiRegionTrail == true) is { } other)
        {
            Add(
                PreflightSeverity.Warning, PreflightCheck.Quota, "CloudTrail", $"The trail '{other.Name}' records this account already; a further copy of the same events costs 2 USD for every 100,000.",
                "Let that one serve the environment too: give -CloudTrailEnabled $false.");
        }
        else
        {
            Add(PreflightSeverity.Passed, PreflightCheck.Quota, "CloudTrail", "No other trail records the account.");
        }
    }
}
