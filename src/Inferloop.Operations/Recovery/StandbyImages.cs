using Amazon.ECR;
using Amazon.ECR.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery;

/// <summary>
/// Replication of the environment's images. A registry has one configuration for all that is in it, so a stack of one environment cannot own
/// it: this adds the environment's rule to what is there, and takes only that away again.
/// </summary>
internal sealed class StandbyImages(EnvironmentOperations primary, EnvironmentOperations recovery)
{
    /// <summary>The repositories of this region's own registry that the environment takes images from.</summary>
    internal static IReadOnlyList<string> RepositoriesOf(InferloopEnvironmentSpec spec, string account)
    {
        var registry = $"{account}.dkr.ecr.{spec.Region}.";
        return new[] { spec.Application.ContainerImage, spec.Lambda.LambdaImage }
            .Where(image => image.StartsWith(registry, StringComparison.Ordinal) && image.Contains('/', StringComparison.Ordinal))
            .Select(image => image[(image.IndexOf('/', StringComparison.Ordinal) + 1)..].Split('@', ':')[0])
            .Distinct(StringComparer.Ordinal).ToList();
    }

    /// <summary>Lets the registry replicate the environment's repositories to the recovery region.</summary>
    public async Task ReplicateAsync(InferloopEnvironmentSpec spec, CancellationToken cancellation)
    {
        var account = await primary.Aws.AccountId(cancellation).ConfigureAwait(false);
        var missing = RepositoriesOf(spec, account).ToList();
        if (missing.Count == 0)
        {
            return;
        }

        var client = primary.Aws.Client<IAmazonECR>();
        var rules = await RulesAsync(client, cancellation).ConfigureAwait(false);
        missing.RemoveAll(name => rules.Exists(rule => Reaches(rule, account) && ((rule.RepositoryFilters ?? []).Count == 0 || rule.RepositoryFilters!.Exists(f => name.StartsWith(f.Filter, StringComparison.Ordinal)))));
        if (missing.Count == 0)
        {
            return;
        }

        rules.Add(new ReplicationRule
        {
            Destinations = [new ReplicationDestination { Region = recovery.Aws.Region, RegistryId = account }],
            RepositoryFilters = missing.Select(name => new RepositoryFilter { Filter = name, FilterType = RepositoryFilterType.PREFIX_MATCH }).ToList(),
        });
        await client.PutReplicationConfigurationAsync(new PutReplicationConfigurationRequest { ReplicationConfiguration = new ReplicationConfiguration { Rules = rules } }, cancellation).ConfigureAwait(false);
        primary.Reporter.Warning($"{string.Join(", ", missing)}: ECR replicates what is pushed from now on. Push the image that runs again, so that {recovery.Aws.Region} has it.");
    }

    /// <summary>Takes the environment's rule away.</summary>
    public async Task EndAsync(InferloopEnvironmentSpec spec, CancellationToken cancellation)
    {
        var account = await primary.Aws.AccountId(cancellation).ConfigureAwait(false);
        var names = RepositoriesOf(spec, account);
        if (names.Count == 0)
        {
            return;
        }

        var client = primary.Aws.Client<IAmazonECR>();
        var rules = await RulesAsync(client, cancellation).ConfigureAwait(false);
        if (rules.RemoveAll(rule => Reaches(rule, account) && rule.RepositoryFilters is { Count: > 0 } filters && filters.TrueForAll(f => names.Contains(f.Filter))) > 0)
        {
            await client.PutReplicationConfigurationAsync(new PutReplicationConfigurationRequest { ReplicationConfiguration = new ReplicationConfiguration { Rules = rules } }, cancellation).ConfigureAwait(false);
        }
    }

    private bool Reaches(ReplicationRule rule, string account) => (rule.Destinations ?? []).Exists(d => d.Region == recovery.Aws.Region && d.RegistryId == account);

    private static async Task<List<ReplicationRule>> RulesAsync(IAmazonECR client, CancellationToken cancellation) =>
        (await client.DescribeRegistryAsync(new DescribeRegistryRequest(), cancellation).ConfigureAwait(false)).ReplicationConfiguration?.Rules ?? [];
}
