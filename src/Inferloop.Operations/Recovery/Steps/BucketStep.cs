using System.Globalization;
using Amazon.S3;
using Amazon.S3.Model;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>The bucket: a note in it proves that it takes writes, and stays as evidence.</summary>
internal static class BucketStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (context.Output("BucketName") is not { } bucket)
        {
            return null;
        }

        var run = context.Run.Current;
        var key = $"inferloop/failovers/{run.Id}.txt";
        await context.Target.Aws.S3.PutObjectAsync(
            new PutObjectRequest
            {
                BucketName = bucket, Key = key, ContentType = "text/plain",
                ContentBody = string.Create(CultureInfo.InvariantCulture, $"{run.Direction} of {run.Environment} from {run.FromRegion} to {run.ToRegion}, begun {run.Started.UtcDateTime:O} by {run.Operator}\n"),
            },
            cancellation).ConfigureAwait(false);
        return $"{bucket} took {key}";
    }
}
