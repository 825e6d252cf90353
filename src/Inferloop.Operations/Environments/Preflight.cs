using Amazon.Runtime;
using Inferloop.Operations.Specs;
using Inferloop.Operations.TemplateChecks;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <summary>
/// Looks, before anything is made, at what would let a create fail after half an hour: quotas beside use, names that are taken,
/// what zone and region offer, the caller's permissions, the certificate, the image, and the traps of the templates.
/// </summary>
internal sealed partial class Preflight(EnvironmentAws aws, EnvironmentPlan plan, IReadOnlySet<string> existing)
{
    private readonly List<InferloopPreflightFinding> findings = [];

    /// <summary>Resources that are to be made: those of the plan that do not exist yet.</summary>
    private IReadOnlyList<EvaluatedResource> Made { get; } = plan.Evaluated.AllResources().Where(r => !existing.Contains(r.Path)).ToList();

    /// <param name="aws">Where it is to be.</param>
    /// <param name="plan">What is to be made.</param>
    /// <param name="existing">Paths of resources that are there already.</param>
    /// <param name="thorough">Also the check that asks many questions: permissions.</param>
    /// <param name="cancellation">Stops the checks.</param>
    public static async Task<IReadOnlyList<InferloopPreflightFinding>> RunAsync(EnvironmentAws aws, EnvironmentPlan plan, IReadOnlySet<string> existing, bool thorough, CancellationToken cancellation)
    {
        var flight = new Preflight(aws, plan, existing);
        flight.Spec();
        flight.Templates();
        flight.Certificate();
        await flight.GuardedAsync(PreflightCheck.Region, aws.Region, () => flight.RegionAsync(cancellation)).ConfigureAwait(false);
        await flight.QuotasAsync(cancellation).ConfigureAwait(false);
        await flight.NamesAsync(cancellation).ConfigureAwait(false);
        await flight.GuardedAsync(PreflightCheck.Image, plan.Spec.Application.ContainerImage, () => flight.ImageAsync(cancellation)).ConfigureAwait(false);
        await flight.FunctionsAsync(cancellation).ConfigureAwait(false);
        await flight.KubernetesAsync(cancellation).ConfigureAwait(false);
        await flight.GovernanceAsync(cancellation).ConfigureAwait(false);
        await flight.DeliveryAsync(cancellation).ConfigureAwait(false);
        await flight.InstanceTypesAsync(cancellation).ConfigureAwait(false);
        if (thorough)
        {
            await flight.GuardedAsync(PreflightCheck.Permission, "caller", () => flight.PermissionsAsync(cancellation)).ConfigureAwait(false);
        }

        return flight.findings.OrderByDescending(f => f.Severity).ThenBy(f => f.Check).ThenBy(f => f.Subject, StringComparer.Ordinal).ToList();
    }

    /// <summary>Only whether the region offers the instance types, database classes and versions of some resources.</summary>
    /// <param name="aws">Where they are to be.</param>
    /// <param name="plan">What is to be made.</param>
    /// <param name="paths">The resources.</param>
    /// <param name="cancellation">Stops the checks.</param>
    public static async Task<IReadOnlyList<InferloopPreflightFinding>> OffersAsync(EnvironmentAws aws, EnvironmentPlan plan, IReadOnlySet<string> paths, CancellationToken cancellation)
    {
        var flight = new Preflight(aws, plan, plan.Evaluated.AllResources().Select(r => r.Path).Where(p => !paths.Contains(p)).ToHashSet(StringComparer.Ordinal));
        await flight.InstanceTypesAsync(cancellation).ConfigureAwait(false);
        return flight.findings;
    }

    private void Add(PreflightSeverity severity, PreflightCheck check, string subject, string message, string remedy = "") =>
        findings.Add(new InferloopPreflightFinding { Severity = severity, Check = check, Subject = subject, Message = message, Remedy = remedy });

    /// <summary>A check that cannot be made is no reason to stop; that it was not made is said.</summary>
    private async Task GuardedAsync(PreflightCheck check, string subject, Func<Task> look)
    {
        try
        {
            await look().ConfigureAwait(false);
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException)
        {
            Add(PreflightSeverity.Information, check, subject, $"This could not be looked at: {e.Message}", "Give the caller the permission to read it, or look by hand.");
        }
    }

    private void Spec()
    {
        foreach (var finding in SpecValidator.Validate(plan.Spec))
        {
            Add(
                finding.Severity switch { SpecFindingSeverity.Error => PreflightSeverity.Error, SpecFindingSeverity.Warning => PreflightSeverity.Warning, _ => PreflightSeverity.Information },
                PreflightCheck.Spec, finding.Member.Length > 0 ? finding.Member : finding.Rule, finding.Message, finding.Recommendation);
        }
    }

    private void Templates()
    {
        foreach (var trap in TemplateTest.Traps(plan.Evaluated))
        {
            Add(
                trap.Severity switch { TemplateFindingSeverity.Error => PreflightSeverity.Error, TemplateFindingSeverity.Warning => PreflightSeverity.Warning, _ => PreflightSeverity.Information },
                PreflightCheck.Template, $"{trap.Rule} {trap.Path}", trap.Message, trap.Remedy);
        }
    }

    private void Certificate()
    {
        foreach (var arn in plan.Evaluated.AllResources().Where(r => r.Type == "AWS::ElasticLoadBalancingV2::Listener")
            .SelectMany(l => l.Properties["Certificates"]?.Items ?? []).Select(c => c["CertificateArn"]?.AsString()).OfType<string>().Distinct())
        {
            var region = arn.Split(':') is [_, _, _, var part, ..] ? part : "";
            if (region == aws.Region)
            {
                Add(PreflightSeverity.Passed, PreflightCheck.Certificate, arn, "It is of this region.");
            }
            else
            {
                Add(PreflightSeverity.Error, PreflightCheck.Certificate, arn, $"It is of '{region}'; a load balancer in {aws.Region} takes only certificates of {aws.Region}.", $"Request or import the certificate in {aws.Region}, and give its ARN with -CertificateArn.");
            }
        }
    }

    private async Task RegionAsync(CancellationToken cancellation)
    {
        var zones = (await aws.EC2.DescribeAvailabilityZonesAsync(new Amazon.EC2.Model.DescribeAvailabilityZonesRequest(), cancellation).ConfigureAwait(false)).AvailabilityZones ?? [];
        var open = zones.Where(z => z.State?.Value is "available" && z.ZoneType is null or "availability-zone").ToList();
        if (open.Count < 2)
        {
            Add(PreflightSeverity.Error, PreflightCheck.Region, aws.Region, $"{open.Count} zone{(open.Count == 1 ? " is" : "s are")} open to this account; an environment stands in two.", "Choose another region with -Region.");
        }
        else
        {
            Add(PreflightSeverity.Passed, PreflightCheck.Region, aws.Region, $"{open.Count} zones are open.");
        }
    }

    private Task ImageAsync(CancellationToken cancellation) =>
        plan.Evaluated.AllResources().Any(r => r.Type == "AWS::ECS::TaskDefinition")
            ? ImageAsync(plan.Spec.Application.ContainerImage, "the tasks would never start", "-ContainerImage", cancellation)
            : Task.CompletedTask;

    private async Task ImageAsync(string image, string otherwise, string parameter, CancellationToken cancellation)
    {
        if (EcrImage().Match(image) is not { Success: true } parts)
        {
            return; // another registry's images can be asked for only with its credentials
        }

        var ecr = aws.Client<Amazon.ECR.IAmazonECR>(parts.Groups["region"].Value);
        var id = parts.Groups["digest"].Success
            ? new Amazon.ECR.Model.ImageIdentifier { ImageDigest = parts.Groups["digest"].Value }
            : new Amazon.ECR.Model.ImageIdentifier { ImageTag = parts.Groups["tag"].Success ? parts.Groups["tag"].Value : "latest" };
        try
        {
            await ecr.DescribeImagesAsync(
                new Amazon.ECR.Model.DescribeImagesRequest { RegistryId = parts.Groups["account"].Value, RepositoryName = parts.Groups["name"].Value, ImageIds = [id] }, cancellation).ConfigureAwait(false);
            Add(PreflightSeverity.Passed, PreflightCheck.Image, image, "It exists.");
        }
        catch (AmazonServiceException e) when (e.ErrorCode is "ImageNotFoundException" or "RepositoryNotFoundException")
        {
            Add(PreflightSeverity.Error, PreflightCheck.Image, image, $"{(e.ErrorCode == "ImageNotFoundException" ? "The repository has no such image" : "There is no such repository")}: {otherwise}.", $"Push the image first, or correct {parameter}.");
        }
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"^(?<account>\d{12})\.dkr\.ecr(-fips)?\.(?<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?<name>[^:@]+)(:(?<tag>[^@]+))?(@(?<digest>sha256:[0-9a-f]+))?$")]
    private static partial System.Text.RegularExpressions.Regex EcrImage();
}
