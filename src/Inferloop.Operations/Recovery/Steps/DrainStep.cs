using System.Globalization;
using Amazon.DynamoDBv2.Model;
using Amazon.S3;
using Amazon.S3.Model;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>
/// After the writers stopped: a mark is written into each store of the region that is left, and waited for in the other. Stores keep their order, so
/// what was written before the mark is there when the mark is. Of the database the replica's lag tells.
/// </summary>
internal static class DrainStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        var source = await context.Source.RefreshAsync(context.Standby.StackName, withHealth: false, cancellation).ConfigureAwait(false)
            ?? throw EnvironmentOperations.NotFound(context.Standby.Name, context.Run.Current.FromRegion);
        var waits = new List<Task<string?>> { DatabaseAsync(context, cancellation), TableAsync(context, cancellation), BucketAsync(context, source, cancellation) };
        var arrived = (await Task.WhenAll(waits).ConfigureAwait(false)).OfType<string>().ToList();
        await context.Run.UpdateAsync(f => f with { Rpo = TimeSpan.Zero }, cancellation).ConfigureAwait(false);
        return arrived.Count == 0 ? "there is nothing to wait for" : string.Join("; ", arrived);
    }

    private static async Task<string?> DatabaseAsync(FailoverContext context, CancellationToken cancellation)
    {
        var instance = await DatabaseStep.FindAsync(context, cancellation).ConfigureAwait(false);
        if (string.IsNullOrEmpty(instance?.ReadReplicaSourceDBInstanceIdentifier))
        {
            return null;
        }

        var begun = context.Run.Now;
        await context.UntilAsync(
            TimeSpan.FromHours(1),
            async ct => await RecoveryMeter.ReplicaLagAsync(context, instance.DBInstanceIdentifier, ct).ConfigureAwait(false) is not { } lag ? "there is no datum of its lag yet"
                : lag.Time < begun.UtcDateTime.AddMinutes(-1) ? "there is no newer datum of its lag" : lag.Value < 1 ? null : string.Create(CultureInfo.InvariantCulture, $"it is {lag.Value:0} s behind"),
            $"The replica {instance.DBInstanceIdentifier} is waited for to have everything", cancellation).ConfigureAwait(false);
        return $"{instance.DBInstanceIdentifier} has everything";
    }

    private static async Task<string?> TableAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (context.Output("TableName") is not { } table)
        {
            return null;
        }

        var described = (await context.Target.Aws.DynamoDB.DescribeTableAsync(new DescribeTableRequest { TableName = table }, cancellation).ConfigureAwait(false)).Table;
        if ((described.Replicas ?? []).Count == 0)
        {
            return null;
        }

        // Of the types that the key has; an hour's time to live is not relied on: it is deleted once it arrived.
        var key = described.KeySchema.ToDictionary(
            k => k.AttributeName,
            k => described.AttributeDefinitions.First(a => a.AttributeName == k.AttributeName).AttributeType == Amazon.DynamoDBv2.ScalarAttributeType.N
                ? new AttributeValue { N = context.Run.Current.Started.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) }
                : new AttributeValue { S = $"inferloop-failover-{context.Run.Current.Id}" },
            StringComparer.Ordinal);
        await context.Source.Aws.DynamoDB.PutItemAsync(new PutItemRequest { TableName = table, Item = key }, cancellation).ConfigureAwait(false);
        await context.UntilAsync(
            TimeSpan.FromMinutes(30),
            async ct => (await context.Target.Aws.DynamoDB.GetItemAsync(new GetItemRequest { TableName = table, Key = key, ConsistentRead = true }, ct).ConfigureAwait(false)).Item is { Count: > 0 } ? null : "it has not arrived",
            $"The last item of {table} is waited for", cancellation).ConfigureAwait(false);
        await context.Target.Aws.DynamoDB.DeleteItemAsync(new DeleteItemRequest { TableName = table, Key = key }, cancellation).ConfigureAwait(false);
        return $"{table} has everything";
    }

    private static async Task<string?> BucketAsync(FailoverContext context, InferloopEnvironment source, CancellationToken cancellation)
    {
        if (context.Output("BucketName") is not { } bucket || !source.Outputs.TryGetValue("BucketName", out var from) || source.Spec.Storage.ReplicaBucketArn.Length == 0)
        {
            return null;
        }

        var key = $"inferloop/failovers/{context.Run.Current.Id}-last.txt";
        var s3 = context.Source.Aws.S3;
        await s3.PutObjectAsync(new PutObjectRequest { BucketName = from, Key = key, ContentBody = "The last object before the failover.\n", ContentType = "text/plain" }, cancellation).ConfigureAwait(false);
        await context.UntilAsync(
            TimeSpan.FromHours(1),
            async ct =>
            {
                try
                {
                    await context.Target.Aws.S3.GetObjectMetadataAsync(bucket, key, ct).ConfigureAwait(false);
                    return null;
                }
                catch (AmazonS3Exception e) when (e.StatusCode == System.Net.HttpStatusCode.NotFound)
                {
                    return "it has not arrived";
                }
            },
            $"The last object of {from} is waited for in {bucket}", cancellation).ConfigureAwait(false);
        return $"{bucket} has everything";
    }
}
