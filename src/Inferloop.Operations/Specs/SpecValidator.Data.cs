using System.Globalization;

namespace Inferloop.Operations.Specs;

/// <content>What database, cache, storage and VPN refuse, or only seem to offer.</content>
internal sealed partial class SpecValidator
{
    // Words that PostgreSQL or RDS keeps for itself.
    private static readonly string[] s_reservedUsers = ["admin", "postgres", "rdsadmin", "rds_superuser", "rdsrepladmin", "rds_replication", "user", "public", "none", "current_user", "session_user"];

    private void Database()
    {
        var database = spec.Database;
        if (database.DatabaseEnabled && spec.Connections.DatabaseHost.Length > 0)
        {
            Warning("UnusedDatabase", "database.databaseEnabled", $"The environment has a database of its own, but the application is told to use {spec.Connections.DatabaseHost}.", "Clear connections.databaseHost, or set databaseEnabled to false where no own database exists yet.");
        }

        if (!database.DatabaseEnabled)
        {
            return;
        }

        if (database.DatabaseMaximumStorage > 0 && database.DatabaseMaximumStorage * 10L < database.DatabaseStorageSize * 11L)
        {
            var least = ((database.DatabaseStorageSize * 11L) + 9) / 10;
            Error("DatabaseStorage", "database.databaseMaximumStorage", $"RDS enlarges storage only to a size at least a tenth above the first: {least} GiB or more for {database.DatabaseStorageSize} GiB, not {database.DatabaseMaximumStorage}.", $"Set at least {least}, or 0 for storage that does not grow.");
        }

        if (s_reservedUsers.Contains(database.DatabaseUsername, StringComparer.OrdinalIgnoreCase) || database.DatabaseUsername.StartsWith("pg_", StringComparison.OrdinalIgnoreCase))
        {
            Error("DatabaseUsername", "database.databaseUsername", $"'{database.DatabaseUsername}' is a name that PostgreSQL or RDS keeps for itself.", "Choose another name, such as inferloop.");
        }

        if (spec.Connections.DatabasePort < 1150)
        {
            Error("DatabasePort", "connections.databasePort", $"RDS listens on 1150 to 65535; {spec.Connections.DatabasePort} is below.", "Take 5432.");
        }

        Windows("database.databaseBackupWindow", database.DatabaseBackupWindow, "database.databaseMaintenanceWindow", database.DatabaseMaintenanceWindow, 30);

        if (spec.Stage == EnvironmentStage.Prod && !database.DatabaseMultiAz)
        {
            Warning("SingleDatabaseInProduction", "database.databaseMultiAz", "Without a standby, the failure of a zone or a maintenance takes the database away.", "Set true.");
        }

        if (spec.Stage == EnvironmentStage.Prod && database.DatabaseBackupDays < 7)
        {
            Warning("ShortBackups", "database.databaseBackupDays", $"Backups are kept for {database.DatabaseBackupDays} days; production means 7 or more.", "Set at least 7.");
        }
    }

    private void Batch()
    {
        var batch = spec.Batch;
        if (batch.BatchEnabled && batch.BatchMinimumVcpus > batch.BatchMaximumVcpus)
        {
            Error("BatchRange", "batch.batchMinimumVcpus", $"Batch keeps {batch.BatchMinimumVcpus} vCPUs and may have {batch.BatchMaximumVcpus}.", "Lower batch.batchMinimumVcpus, or raise batchMaximumVcpus.");
        }

        if (batch.BatchEnabled && batch.BatchJobVcpus > batch.BatchMaximumVcpus)
        {
            Error("BatchJobTooLarge", "batch.batchJobVcpus", $"A job of {batch.BatchJobVcpus} vCPUs never finds room in {batch.BatchMaximumVcpus}.", "Lower batch.batchJobVcpus, or raise batchMaximumVcpus.");
        }
    }

    private void Cache()
    {
        var cache = spec.Cache;
        if (cache.CacheEnabled && spec.Connections.CacheHost.Length > 0)
        {
            Warning("UnusedCache", "cache.cacheEnabled", $"The environment has a cache of its own, but the application is told to use {spec.Connections.CacheHost}.", "Clear connections.cacheHost, or set cacheEnabled to false where no own cache exists yet.");
        }

        if (!cache.CacheEnabled)
        {
            return;
        }

        if (cache.CacheMultiAz && cache.CacheNodes < 2)
        {
            Error("CacheMultiAz", "cache.cacheMultiAz", "One node cannot be held in two zones: cacheMultiAz needs cacheNodes of 2 or more.", "Raise cache.cacheNodes, or set cacheMultiAz to false.");
        }

        var valkey = cache.CacheEngine == CacheEngine.Valkey;
        if (decimal.TryParse(cache.CacheEngineVersion, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var version) && valkey != version >= 7.2m)
        {
            Error("CacheVersion", "cache.cacheEngineVersion", $"{cache.CacheEngine} has no version {cache.CacheEngineVersion} on ElastiCache; it has {(valkey ? "7.2, 8.0, 8.1 and 8.2" : "6.2, 7.0 and 7.1")}.", valkey ? "Take 8.0." : "Take 7.1.");
        }

        Windows("cache.cacheSnapshotWindow", cache.CacheSnapshotWindow, "cache.cacheMaintenanceWindow", cache.CacheMaintenanceWindow, 60);

        if (spec.Stage == EnvironmentStage.Prod && (cache.CacheNodes < 2 || !cache.CacheMultiAz))
        {
            Warning("SingleCacheInProduction", cache.CacheNodes < 2 ? "cache.cacheNodes" : "cache.cacheMultiAz", "The failure of a node or zone empties the cache and takes it away.", "Set at least 2 nodes, and cacheMultiAz true.");
        }
    }

    private void Storage()
    {
        var storage = spec.Storage;
        foreach (var (kind, least, most) in new[]
        {
            ("Read", storage.TableMinimumReadCapacity, storage.TableMaximumReadCapacity),
            ("Write", storage.TableMinimumWriteCapacity, storage.TableMaximumWriteCapacity),
        })
        {
            if (least > most)
            {
                Error("TableCapacity", $"storage.tableMinimum{kind}Capacity", $"The least capacity ({least}) is above the greatest ({most}).", $"Lower storage.tableMinimum{kind}Capacity or raise storage.tableMaximum{kind}Capacity.");
            }
        }

        Schedule("TableSchedule", "storage.tableScalingSchedule", storage.TableScalingSchedule, 40000);
        if (Scaling.ScalingSchedule.Parse(storage.TableScalingSchedule).FirstOrDefault(a => a.Minimum < 1) is { } none)
        {
            Error("TableSchedule", "storage.tableScalingSchedule", $"The action '{none.Name}' leaves no units: a table has one or more.", "Give 1 or more as the fewest.");
        }

        if (storage.GlobalTable && (storage.TableScalingSchedule.Length > 0 || storage.TableScalingSuspended != ScalingSuspension.None))
        {
            Error("TableSchedule", "storage.tableScalingSchedule", "The scaling of a global table has bounds and a target, and neither a schedule nor a rest.", "Clear storage.tableScalingSchedule and set storage.tableScalingSuspended to None.");
        }

        if (storage.ReplicaBucketArn.Length > 0 && storage.BucketEncryption == BucketEncryption.KMS && storage.ReplicaKeyArn.Length == 0)
        {
            Error("ReplicaKey", "storage.replicaKeyArn", "Objects encrypted with the environment's key are replicated only where there is a key for them in the other region.", "Give the ARN of a KMS key in the replica bucket's region.");
        }

        OtherRegionsKey("storage.replicaKeyArn", storage.ReplicaKeyArn, null);

        var region = storage.TableReplicaRegion;
        if (region.Length == 0)
        {
            return;
        }

        var known = regions.Find(region);
        if (known is null)
        {
            Error("RegionUnknown", "storage.tableReplicaRegion", $"'{region}' is no AWS region.{Suggestion.For(region, regions.All.Select(r => r.Name))}", "Give a region such as us-west-2.");
        }
        else if (region == spec.Region || known.Partition != regions.Find(spec.Region)?.Partition)
        {
            Error("TableReplicaRegion", "storage.tableReplicaRegion", $"A table in {spec.Region} can have no replica in {region}.", "Choose another region of the same partition.");
        }

        if (!storage.GlobalTable)
        {
            Error("TableReplicaRegion", "storage.tableReplicaRegion", "Only a global table has replicas.", "Set storage.globalTable to true, when the environment is made.");
        }

        if (storage.TableReplicaKeyArn.Length == 0)
        {
            Error("ReplicaKey", "storage.tableReplicaKeyArn", "The table is encrypted with the environment's key, and its replica needs a key in its own region.", $"Give the ARN of a KMS key in {region}.");
        }
        else
        {
            OtherRegionsKey("storage.tableReplicaKeyArn", storage.TableReplicaKeyArn, region);
        }
    }

    /// <summary>A key of another region; of a certain one where it is known.</summary>
    private void OtherRegionsKey(string path, string arn, string? region)
    {
        var parts = arn.Split(':');
        if (parts.Length > 3 && (region is null ? parts[3] == spec.Region : parts[3] != region))
        {
            Error("ReplicaKey", path, $"The key is in {parts[3]}; the replica is {(region is null ? "not" : "in " + region)}.", $"Give the ARN of a key in {region ?? "the replica's region"}.");
        }
    }

    private void Vpn()
    {
        if (!Cidr.TryParse(spec.Network.VpnRemoteCidr, out var remote, out var problem))
        {
            Error("CidrInvalid", "network.vpnRemoteCidr", $"'{spec.Network.VpnRemoteCidr}' {problem}.", "Give an IPv4 range, such as 192.168.0.0/16.");
            return;
        }

        if (!spec.Network.VpnEnabled)
        {
            return;
        }

        if (spec.Network.CustomerGatewayIp.Length == 0)
        {
            Error("VpnWithoutGateway", "network.customerGatewayIp", "A VPN needs the public address of the device on its other side.", "Give network.customerGatewayIp, or set vpnEnabled to false.");
        }

        if (Cidr.TryParse(spec.Network.VpcCidr, out var vpc, out _) && vpc.Overlaps(remote))
        {
            Error("CidrOverlap", "network.vpnRemoteCidr", $"{remote} overlaps the VPC's {vpc}; addresses in both could not be told apart.", "Give the range behind the VPN device, or give the VPC another one.");
        }
    }

    /// <summary>Both windows long enough, and no minute in both.</summary>
    private void Windows(string backupPath, string backup, string maintenancePath, string maintenance, int least)
    {
        // What is no window at all has been said with the patterns.
        if (!MaintenanceWindow.TryParse(backup, out var first) || !MaintenanceWindow.TryParse(maintenance, out var second))
        {
            return;
        }

        foreach (var (path, text, window) in new[] { (backupPath, backup, first), (maintenancePath, maintenance, second) })
        {
            if (window.Minutes < least)
            {
                Error("WindowTooShort", path, $"The window {text} has {window.Minutes} minutes; it needs {least}.", $"Give it {least} minutes or more.");
            }
        }

        if (first.Overlaps(second))
        {
            Error("WindowsOverlap", maintenancePath, $"Maintenance ({maintenance}) and backup ({backup}) fall into the same time, which the service refuses.", "Move one of them.");
        }
    }
}
