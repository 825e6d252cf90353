using Amazon.ElastiCache;
using Amazon.ElastiCache.Model;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>The cache: its group becomes the first of its global datastore. A cache that is in none begins empty and fills by use.</summary>
internal static class CacheStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (context.Output("CacheReplicationGroupId") is not { } id)
        {
            return null;
        }

        var caches = context.Target.Aws.Caches;
        var group = (await caches.DescribeReplicationGroupsAsync(new DescribeReplicationGroupsRequest { ReplicationGroupId = id }, cancellation).ConfigureAwait(false)).ReplicationGroups[0];
        if (group.GlobalReplicationGroupInfo?.GlobalReplicationGroupId is not { Length: > 0 } global)
        {
            return $"{id} is in no global datastore: it begins with what it holds";
        }

        if (group.GlobalReplicationGroupInfo.GlobalReplicationGroupMemberRole != "PRIMARY")
        {
            await caches.FailoverGlobalReplicationGroupAsync(
                new FailoverGlobalReplicationGroupRequest { GlobalReplicationGroupId = global, PrimaryRegion = context.Run.Current.ToRegion, PrimaryReplicationGroupId = id }, cancellation).ConfigureAwait(false);
        }

        await context.UntilAsync(
            TimeSpan.FromMinutes(30),
            async ct =>
            {
                var now = (await caches.DescribeReplicationGroupsAsync(new DescribeReplicationGroupsRequest { ReplicationGroupId = id }, ct).ConfigureAwait(false)).ReplicationGroups[0];
                return now.Status == "available" && now.GlobalReplicationGroupInfo?.GlobalReplicationGroupMemberRole is null or "PRIMARY" ? null : $"it is {now.Status}, {now.GlobalReplicationGroupInfo?.GlobalReplicationGroupMemberRole}";
            },
            $"'{id}' is to become the first group of {global}", cancellation).ConfigureAwait(false);
        return $"{id} is the first group of {global}";
    }
}
