using System.Globalization;
using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;
using Amazon.DynamoDBv2.Model;
using Inferloop.Operations.Recovery.Steps;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery;

/// <summary>How old the newest data is that arrived, store by store.</summary>
internal static class RecoveryMeter
{
    /// <summary>How far back a datum is looked for; older ones say nothing of now.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(30);

    /// <summary>Measures from the region that takes over, and, where <paramref name="withSource"/>, from the one that is left too: it alone has the figures of tables and buckets.</summary>
    public static async Task<IReadOnlyList<InferloopRecoveryStore>> MeasureAsync(FailoverContext context, bool withSource, CancellationToken cancellation)
    {
        var stores = new List<InferloopRecoveryStore>();
        if (await DatabaseAsync(context, cancellation).ConfigureAwait(false) is { } database)
        {
            stores.Add(database);
        }

        if (context.Run.Current is { StandbyMode: StandbyMode.BackupOnly, Direction: FailoverDirection.Failover })
        {
            var newest = await TableStep.NewestAsync(context, cancellation).ConfigureAwait(false);
            stores.Add(new InferloopRecoveryStore
            {
                Name = FailoverStepNames.Table, By = "copied backups", Identifier = newest?.RecoveryPointArn ?? "", Lag = newest is null ? null : context.Run.Now - newest.Created,
                Source = newest is null ? "there is no backup in the vault" : "the age of the newest backup",
            });
        }
        else if (context.Output("TableName") is { } table)
        {
            stores.Add(await TableAsync(context, table, withSource, cancellation).ConfigureAwait(false));
        }

        if (context.Output("BucketName") is { } bucket)
        {
            stores.Add(await BucketAsync(context, bucket, withSource, cancellation).ConfigureAwait(false));
        }

        return stores;
    }

    private static async Task<InferloopRecoveryStore?> DatabaseAsync(FailoverContext context, CancellationToken cancellation)
    {
        var instance = await DatabaseStep.FindAsync(context, cancellation).ConfigureAwait(false);
        if (instance is null)
        {
            if (!context.Standby.Spec.Database.DatabaseEnabled)
            {
                return null;
            }

            var snapshot = await DatabaseStep.NewestAsync(context, cancellation).ConfigureAwait(false);
            return new InferloopRecoveryStore
            {
                Name = FailoverStepNames.Database, By = "copied snapshots", Identifier = snapshot?.DBSnapshotIdentifier ?? "",
                Lag = snapshot is null ? null : context.Run.Now - new DateTimeOffset(DatabaseStep.Taken(snapshot)),
                Source = snapshot is null ? "there is no snapshot" : "the age of the newest snapshot",
            };
        }

        if (string.IsNullOrEmpty(instance.ReadReplicaSourceDBInstanceIdentifier))
        {
            return new InferloopRecoveryStore { Name = FailoverStepNames.Database, By = "its own writer", Identifier = instance.DBInstanceIdentifier, Lag = TimeSpan.Zero, Source = "it stands by itself" };
        }

        var lag = await ReplicaLagAsync(context, instance.DBInstanceIdentifier, cancellation).ConfigureAwait(false);
        return new InferloopRecoveryStore
        {
            Name = FailoverStepNames.Database, By = "cross-region replica", Identifier = instance.DBInstanceIdentifier,
            // What was measured grows older too: a replica that nothing reaches any more does not report a lag of now.
            Lag = lag is { } l ? TimeSpan.FromSeconds(l.Value) : null,
            Source = lag is { } at ? string.Create(CultureInfo.InvariantCulture, $"ReplicaLag at {at.Time:HH:mm} UTC") : "no datum of ReplicaLag in half an hour",
        };
    }

    /// <summary>The newest datum of a replica's lag, in seconds.</summary>
    public static Task<(DateTime Time, double Value)?> ReplicaLagAsync(FailoverContext context, string identifier, CancellationToken cancellation) =>
        NewestAsync(context.Target.Aws.Client<IAmazonCloudWatch>(), "AWS/RDS", "ReplicaLag", [new Dimension { Name = "DBInstanceIdentifier", Value = identifier }], context.Run.Now, cancellation);

    private static async Task<InferloopRecoveryStore> TableAsync(FailoverContext context, string name, bool withSource, CancellationToken cancellation)
    {
        var store = new InferloopRecoveryStore { Name = FailoverStepNames.Table, By = "global table", Identifier = name, Source = $"its ReplicationLatency is known in {context.Run.Current.FromRegion} alone" };
        var table = (await context.Target.Aws.DynamoDB.DescribeTableAsync(new DescribeTableRequest { TableName = name }, cancellation).ConfigureAwait(false)).Table;
        if ((table.Replicas ?? []).Count == 0)
        {
            return store with { By = context.Run.Current.StandbyMode == StandbyMode.BackupOnly ? "backups" : "nothing", Source = "the table has no replica in another region" };
        }

        var lag = withSource
            ? await NewestAsync(
                context.Source.Aws.Client<IAmazonCloudWatch>(), "AWS/DynamoDB", "ReplicationLatency",
                [new Dimension { Name = "TableName", Value = name }, new Dimension { Name = "ReceivingRegion", Value = context.Run.Current.ToRegion }], context.Run.Now, cancellation).ConfigureAwait(false)
            : null;
        return lag is { } l ? store with { Lag = TimeSpan.FromMilliseconds(l.Value), Source = string.Create(CultureInfo.InvariantCulture, $"ReplicationLatency at {l.Time:HH:mm} UTC") }
            : withSource ? store with { Source = "nothing was replicated in half an hour" } : store;
    }

    private static async Task<InferloopRecoveryStore> BucketAsync(FailoverContext context, string bucket, bool withSource, CancellationToken cancellation)
    {
        var store = new InferloopRecoveryStore { Name = FailoverStepNames.Bucket, By = "S3 replication", Identifier = bucket, Source = $"its ReplicationLatency is known in {context.Run.Current.FromRegion} alone" };
        if (!withSource)
        {
            return store;
        }

        var source = await context.Source.RefreshAsync(context.Standby.StackName, withHealth: false, cancellation).ConfigureAwait(false);
        if (source is null || !source.Outputs.TryGetValue("BucketName", out var from))
        {
            return store;
        }

        var watch = context.Source.Aws.Client<IAmazonCloudWatch>();
        var rules = (await watch.ListMetricsAsync(
            new ListMetricsRequest
            {
                Namespace = "AWS/S3", MetricName = "ReplicationLatency",
                Dimensions = [new DimensionFilter { Name = "SourceBucket", Value = from }, new DimensionFilter { Name = "DestinationBucket", Value = bucket }],
            },
            cancellation).ConfigureAwait(false)).Metrics ?? [];
        TimeSpan? worst = null;
        foreach (var rule in rules)
        {
            if (await NewestAsync(watch, "AWS/S3", "ReplicationLatency", rule.Dimensions, context.Run.Now, cancellation).ConfigureAwait(false) is { } lag && (worst is null || TimeSpan.FromSeconds(lag.Value) > worst))
            {
                worst = TimeSpan.FromSeconds(lag.Value);
            }
        }

        return worst is { } w ? store with { Lag = w, Source = "ReplicationLatency" } : store with { Source = "nothing was replicated in half an hour" };
    }

    private static async Task<(DateTime Time, double Value)?> NewestAsync(
        IAmazonCloudWatch watch, string space, string metric, List<Dimension> dimensions, DateTimeOffset now, CancellationToken cancellation)
    {
        var answer = await watch.GetMetricStatisticsAsync(
            new GetMetricStatisticsRequest
            {
                Namespace = space, MetricName = metric, Dimensions = dimensions, StartTime = (now - Window).UtcDateTime, EndTime = now.AddMinutes(1).UtcDateTime, Period = 60, Statistics = [Statistic.Maximum.Value],
            },
            cancellation).ConfigureAwait(false);
        return (answer.Datapoints ?? []).OrderByDescending(d => d.Timestamp).Select(d => ((DateTime, double)?)(d.Timestamp!.Value.ToUniversalTime(), d.Maximum ?? 0)).FirstOrDefault();
    }
}
