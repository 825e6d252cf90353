using System.Globalization;

namespace Inferloop.Operations.Specs;

/// <content>What database and cache refuse, or only seem to offer.</content>
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
