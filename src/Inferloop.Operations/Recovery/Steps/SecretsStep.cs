using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>Secrets: a copy can only be read; made to stand by itself it can be rotated. Its value and its ARN stay the same. No value is read here.</summary>
internal static class SecretsStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    public static IReadOnlyList<string> ArnsOf(FailoverContext context) => context.Standby.Outputs
        .Where(o => o.Key.EndsWith("SecretArn", StringComparison.Ordinal) && o.Value.Contains($":{context.Run.Current.ToRegion}:", StringComparison.Ordinal))
        .OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => o.Value).Distinct(StringComparer.Ordinal).ToArray();

    /// <summary>After a failback: the copies in the region that was left, which stood by themselves, become copies again.</summary>
    public static async Task<string> ReplicateAsync(FailoverContext context, CancellationToken cancellation)
    {
        var (run, again) = (context.Run.Current, 0);
        var here = context.Target.Aws.Client<IAmazonSecretsManager>();
        var there = context.Source.Aws.Client<IAmazonSecretsManager>();
        foreach (var arn in ArnsOf(context))
        {
            var secret = await here.DescribeSecretAsync(new DescribeSecretRequest { SecretId = arn }, cancellation).ConfigureAwait(false);
            if ((secret.ReplicationStatus ?? []).Any(r => r.Region == run.FromRegion))
            {
                continue;
            }

            DescribeSecretResponse copy;
            try
            {
                copy = await there.DescribeSecretAsync(new DescribeSecretRequest { SecretId = arn.Replace($":{run.ToRegion}:", $":{run.FromRegion}:", StringComparison.Ordinal) }, cancellation).ConfigureAwait(false);
            }
            catch (ResourceNotFoundException)
            {
                // One that is not replicated, such as a cache's.
                continue;
            }

            await here.ReplicateSecretToRegionsAsync(
                new ReplicateSecretToRegionsRequest { SecretId = arn, ForceOverwriteReplicaSecret = true, AddReplicaRegions = [new ReplicaRegionType { Region = run.FromRegion, KmsKeyId = copy.KmsKeyId }] },
                cancellation).ConfigureAwait(false);
            again++;
        }

        return again == 0 ? "" : $"; {again} secrets are replicated again";
    }

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        var secrets = context.Target.Aws.Client<IAmazonSecretsManager>();
        var stood = new List<string>();
        foreach (var arn in ArnsOf(context))
        {
            var secret = await secrets.DescribeSecretAsync(new DescribeSecretRequest { SecretId = arn }, cancellation).ConfigureAwait(false);
            if (!string.IsNullOrEmpty(secret.PrimaryRegion) && secret.PrimaryRegion != context.Run.Current.ToRegion)
            {
                await secrets.StopReplicationToReplicaAsync(new StopReplicationToReplicaRequest { SecretId = arn }, cancellation).ConfigureAwait(false);
                stood.Add(secret.Name);
            }
        }

        return stood.Count == 0 ? "all stand by themselves" : $"{string.Join(", ", stood)} now stand by themselves";
    }
}
