using Amazon.Lambda;
using Amazon.Lambda.Model;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <content>Functions: what their code is made from, and the account's concurrency.</content>
internal sealed partial class Preflight
{
    /// <summary>What Lambda never lets an account reserve, so that its other functions can run.</summary>
    internal const int Unreserved = 100;

    private async Task FunctionsAsync(CancellationToken cancellation)
    {
        foreach (var function in plan.Evaluated.AllResources().Where(r => r.Type == "AWS::Lambda::Function"))
        {
            if (function.Properties["Code"] is { } code)
            {
                if (code["ImageUri"]?.AsString() is { } image)
                {
                    await GuardedAsync(PreflightCheck.Image, image, () => ImageAsync(image, "the function could not be made", "-LambdaImage", cancellation)).ConfigureAwait(false);
                }
                else if (code["S3Bucket"]?.AsString() is { } bucket && code["S3Key"]?.AsString() is { } key)
                {
                    await GuardedAsync(PreflightCheck.Image, $"s3://{bucket}/{key}", () => PackageAsync(bucket, key, cancellation)).ConfigureAwait(false);
                }
            }

            if (function.Properties["ReservedConcurrentExecutions"] is { } reserved && reserved.TryGetNumber(out var wanted))
            {
                await GuardedAsync(PreflightCheck.Quota, Concurrency, () => ConcurrencyAsync(function, (int)wanted, cancellation)).ConfigureAwait(false);
            }
        }
    }

    private const string Concurrency = "Lambda concurrency";

    private async Task PackageAsync(string bucket, string key, CancellationToken cancellation)
    {
        var subject = $"s3://{bucket}/{key}";
        try
        {
            await aws.S3.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = bucket, Key = key }, cancellation).ConfigureAwait(false);
            Add(PreflightSeverity.Passed, PreflightCheck.Image, subject, "It exists.");
        }
        catch (AmazonS3Exception e) when (e.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            Add(PreflightSeverity.Error, PreflightCheck.Image, subject, "There is no such object: the function could not be made.", "Upload the package first, or correct -LambdaCodeBucket and -LambdaCodeKey.");
        }
    }

    private async Task ConcurrencyAsync(EvaluatedResource function, int wanted, CancellationToken cancellation)
    {
        var lambda = aws.Client<IAmazonLambda>();
        var limit = (await lambda.GetAccountSettingsAsync(new GetAccountSettingsRequest(), cancellation).ConfigureAwait(false)).AccountLimit;

        // What the function has reserved already is given back when it asks for another number.
        var held = existing.Contains(function.Path) ? await HeldAsync(lambda, function, cancellation).ConfigureAwait(false) : 0;
        var free = (limit?.UnreservedConcurrentExecutions ?? 0) + held;
        if (free - wanted < Unreserved)
        {
            Add(
                PreflightSeverity.Error, PreflightCheck.Quota, Concurrency, $"{wanted} are to be reserved of {free} that no function has reserved; Lambda keeps {Unreserved} for the functions that reserve none.",
                $"Lower -LambdaReservedConcurrency to {Math.Max(0, free - Unreserved)}, or ask for more: aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value {(limit?.ConcurrentExecutions ?? 0) - free + wanted + Unreserved} --region {aws.Region}.");
        }
        else
        {
            Add(PreflightSeverity.Passed, PreflightCheck.Quota, Concurrency, $"{wanted} are to be reserved; {free - wanted} remain for other functions.");
        }
    }

    private static async Task<int> HeldAsync(IAmazonLambda lambda, EvaluatedResource function, CancellationToken cancellation)
    {
        if (function.Properties["FunctionName"]?.AsString() is not { } name)
        {
            return 0;
        }

        try
        {
            return (await lambda.GetFunctionConcurrencyAsync(new GetFunctionConcurrencyRequest { FunctionName = name }, cancellation).ConfigureAwait(false)).ReservedConcurrentExecutions ?? 0;
        }
        catch (AmazonServiceException e) when (e.ErrorCode == "ResourceNotFoundException")
        {
            // It has not been made yet: a change of its package makes another one.
            return 0;
        }
    }
}
