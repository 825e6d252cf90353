namespace Inferloop.Operations.Specs;

/// <summary>Recovery region and backups.</summary>
internal sealed partial class SpecValidator
{
    private void Recovery()
    {
        var recovery = spec.Recovery;
        var mode = recovery.StandbyMode;
        if (mode != StandbyMode.None && spec.RecoveryRegion.Length == 0)
        {
            Error("StandbyWithoutRegion", "recovery.standbyMode", $"{mode} says what stands by, and nothing says where.", "Give recoveryRegion (-RecoveryRegion us-west-2), or set recovery.standbyMode to None.");
        }

        if (mode is StandbyMode.PilotLight or StandbyMode.Warm && !recovery.RecoverySite && !spec.Storage.GlobalTable)
        {
            Error("StandbyNeedsGlobalTable", "storage.globalTable", $"With {mode} the jobs table has a replica in the recovery region, which only a global table can.", "Set storage.globalTable to true when the environment is made, or recovery.standbyMode to BackupOnly.");
        }

        if (mode == StandbyMode.BackupOnly && spec.Backup.BackupRetentionDays == 0)
        {
            Error("StandbyNeedsBackups", "backup.backupRetentionDays", "With BackupOnly a failover restores copied backups, and no plan makes any.", "Give backup.backupRetentionDays (-BackupRetentionDays 7).");
        }

        // A failover must find the same in both: what the peer's replica follows has to be in the peer.
        if (recovery.DatabaseSource.Split(':') is [_, _, _, var source, ..] && source == spec.Region)
        {
            Error("DatabaseSourceHere", "recovery.databaseSource", $"The instance is in {source}, as this environment is; losing the region would lose both.", "Give an instance of the other region.");
        }

        if (recovery.RegionRole == RegionRole.Standby && mode is StandbyMode.PilotLight or StandbyMode.Warm && recovery.RecoverySite && recovery.ReplicaTableName.Length == 0)
        {
            Error("StandbyTable", "recovery.replicaTableName", $"A standby of mode {mode} uses the replica of the primary's table, which is not named.", "Make it with New-InferloopStandby, which names it.");
        }

        if (spec.Stage == EnvironmentStage.Prod && spec.Backup.BackupRetentionDays == 0)
        {
            Warning("NoBackups", "backup.backupRetentionDays", "No plan makes backups; what the stores keep by themselves ends with them.", "Give backup.backupRetentionDays (-BackupRetentionDays 7).");
        }

        if (spec.Backup.BackupVaultLock != BackupVaultLock.None && spec.Backup.BackupRetentionDays == 0)
        {
            Error("LockWithoutBackups", "backup.backupVaultLock", "There is no vault to lock.", "Give backup.backupRetentionDays, or set backup.backupVaultLock to None.");
        }
        else if (spec.Backup.BackupVaultLock == BackupVaultLock.Compliance)
        {
            Warning("ComplianceLock", "backup.backupVaultLock", $"From the third day on nobody can delete a backup before its {spec.Backup.BackupRetentionDays} days are over, shorten them, or lift the lock, AWS included.", "Take Governance where that is not what a law asks for.");
        }
    }
}
