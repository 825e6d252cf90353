using Amazon.ECR;
using Amazon.ECR.Model;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Releases;

/// <summary>How bad a weakness is, in ECR's words, from bad to worse.</summary>
public enum ImageSeverity
{
    /// <summary>Low.</summary>
    Low,

    /// <summary>Medium.</summary>
    Medium,

    /// <summary>High.</summary>
    High,

    /// <summary>Critical.</summary>
    Critical,
}

/// <summary>An image that was found, by its digest.</summary>
internal sealed record ResolvedImage(string Image, string Digest, string Version);

/// <summary>What an image has to pass before it is released: it exists, and its scan found nothing as bad as the gate.</summary>
internal sealed class ImageGate(EnvironmentAws aws, EnvironmentOptions options, IOperationReporter reporter)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <exception cref="OperationException">ImageNotFound.</exception>
    public async Task<ResolvedImage> ResolveAsync(string name, InferloopEnvironment environment, CancellationToken cancellation)
    {
        var reference = ImageReference.Parse(name, environment, aws.DnsSuffix);
        reporter.Progress(new OperationProgress($"Releasing {environment.Name}", $"Looking for {name}"));
        try
        {
            var answer = await aws.Client<IAmazonECR>(reference.Region).DescribeImagesAsync(
                new DescribeImagesRequest { RegistryId = reference.Account, RepositoryName = reference.Repository, ImageIds = [Id(reference)] }, cancellation).ConfigureAwait(false);
            var found = answer.ImageDetails[0];
            return new ResolvedImage(
                $"{reference.RepositoryUri}@{found.ImageDigest}", found.ImageDigest,
                reference.Tag ?? (found.ImageTags ?? []).Order(StringComparer.Ordinal).FirstOrDefault() ?? found.ImageDigest["sha256:".Length..][..12]);
        }
        catch (Amazon.Runtime.AmazonServiceException e) when (e.ErrorCode is "ImageNotFoundException" or "RepositoryNotFoundException")
        {
            throw new OperationException(
                "ImageNotFound", OperationErrorKind.NotFound,
                e.ErrorCode == "RepositoryNotFoundException" ? $"There is no repository '{reference.Repository}' in the registry {reference.Account} of {reference.Region}. Nothing was changed." : $"There is no image '{name}' in '{reference.Repository}' of {reference.Region}. Nothing was changed.",
                e.ErrorCode == "RepositoryNotFoundException"
                    ? $"Look at what is there: aws ecr describe-repositories --region {reference.Region}. A tag alone, :v1, is one of the environment's own repository."
                    : $"Push it first, or look at what is there: aws ecr describe-images --repository-name {reference.Repository} --region {reference.Region}", name, e);
        }
    }

    /// <summary>Waits for the scan of an image, begins one where there was none, and says no to what it found.</summary>
    /// <exception cref="OperationException">ImageVulnerable, ImageScanFailed, ImageScanTimeout.</exception>
    public async Task CheckAsync(ResolvedImage image, InferloopEnvironment environment, ImageSeverity gate, CancellationToken cancellation)
    {
        var reference = ImageReference.Parse(image.Image, environment, aws.DnsSuffix);
        var ecr = aws.Client<IAmazonECR>(reference.Region);
        var began = options.Time.GetTimestamp();
        var waits = options.PollMinimum;
        while (true)
        {
            var scan = await ScanAsync(ecr, reference, cancellation).ConfigureAwait(false);
            switch (scan?.ImageScanStatus?.Status?.Value)
            {
                case "COMPLETE" or "ACTIVE":
                    Judge(image, reference, scan.ImageScanFindings?.FindingSeverityCounts ?? [], gate);
                    return;
                case "FAILED" or "UNSUPPORTED_IMAGE" or "SCAN_ELIGIBILITY_EXPIRED" or "FINDINGS_UNAVAILABLE" or "LIMIT_EXCEEDED" or "IMAGE_ARCHIVED":
                    throw new OperationException(
                        "ImageScanFailed", OperationErrorKind.InvalidState,
                        $"The scan of {image.Version} came to no result: {scan.ImageScanStatus.Description ?? scan.ImageScanStatus.Status.Value} Nothing was changed.",
                        "Build the image on a base that ECR can scan; or, knowing what is in it, release it with -AllowUnscanned.", image.Image);
            }

            if (options.Time.GetElapsedTime(began) > Patience)
            {
                throw new OperationException(
                    "ImageScanTimeout", OperationErrorKind.Timeout, $"The scan of {image.Version} has not ended within {Patience.TotalMinutes:0} minutes. Nothing was changed.",
                    "Repeat the command; or, knowing what is in the image, release it with -AllowUnscanned.", image.Image);
            }

            reporter.Progress(new OperationProgress($"Releasing {environment.Name}", $"Waiting for the scan of {image.Version}"));
            await Task.Delay(waits, options.Time, cancellation).ConfigureAwait(false);
            waits = waits * 1.5 < options.PollMaximum ? waits * 1.5 : options.PollMaximum;
        }
    }

    private static ImageIdentifier Id(ImageReference reference) => new() { ImageDigest = reference.Digest, ImageTag = reference.Digest is null ? reference.Tag : null };

    private static async Task<DescribeImageScanFindingsResponse?> ScanAsync(IAmazonECR ecr, ImageReference reference, CancellationToken cancellation)
    {
        try
        {
            return await ecr.DescribeImageScanFindingsAsync(
                new DescribeImageScanFindingsRequest { RegistryId = reference.Account, RepositoryName = reference.Repository, ImageId = Id(reference), MaxResults = 1 }, cancellation).ConfigureAwait(false);
        }
        catch (Amazon.Runtime.AmazonServiceException e) when (e.ErrorCode == "ScanNotFoundException")
        {
            await ecr.StartImageScanAsync(new StartImageScanRequest { RegistryId = reference.Account, RepositoryName = reference.Repository, ImageId = Id(reference) }, cancellation).ConfigureAwait(false);
            return null;
        }
    }

    private static void Judge(ResolvedImage image, ImageReference reference, Dictionary<string, int> counts, ImageSeverity gate)
    {
        var bad = Enum.GetValues<ImageSeverity>().Where(s => s >= gate).OrderDescending().Select(s => (Severity: s, Count: counts.GetValueOrDefault(s.ToString().ToUpperInvariant()))).Where(s => s.Count > 0).ToList();
        if (bad.Count > 0)
        {
            throw new OperationException(
                "ImageVulnerable", OperationErrorKind.InvalidState,
                $"The scan of {image.Version} found {string.Join(" and ", bad.Select(b => $"{b.Count} {b.Severity.ToString().ToLowerInvariant()}"))} weakness{(bad.Sum(b => b.Count) == 1 ? "" : "es")}. Nothing was changed.",
                $"Look at them: aws ecr describe-image-scan-findings --repository-name {reference.Repository} --image-id imageDigest={image.Digest} --region {reference.Region}. Rebuild the image with what mends them; or raise the gate with -BlockSeverity.", image.Image);
        }
    }
}
