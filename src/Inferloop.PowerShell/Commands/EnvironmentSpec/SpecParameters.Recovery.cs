using System.Management.Automation;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <content>The other region, and backups.</content>
public sealed partial class SpecParameters
{
    /// <summary>What stands by in the recovery region. Default None in dev and without a RecoveryRegion; BackupOnly in staging and PilotLight in prod with one.</summary>
    [Parameter]
    public StandbyMode? StandbyMode { get; set; }

    /// <summary>Whether this region carries the environment or stands by. Default Primary. A failover sets it.</summary>
    [Parameter]
    public RegionRole? RegionRole { get; set; }

    /// <summary>Region of the standby, once there is one; New-InferloopStandby sets it. Default empty.</summary>
    [Parameter]
    public string? ReplicaRegion { get; set; }

    /// <summary>Whether the environment's key can have replicas in other regions; decided when it is made. Default true where a standby is planned, else false.</summary>
    [Parameter]
    public bool? MultiRegionKey { get; set; }

    /// <summary>What makes this the stack in the recovery region, whatever its role: replicas of the first region's secrets, and its multi-region key. New-InferloopStandby sets it. Default empty.</summary>
    [Parameter]
    public string? PeerArns { get; set; }

    /// <summary>Instance of another region whose replica the database begins as. It counts while the region stands by, and stays after the promotion. Default empty.</summary>
    [Parameter]
    public string? DatabaseSource { get; set; }

    /// <summary>Table that something else made here: the replica of the other region's global table, or a restored one; with its stream's label behind a bar where LambdaTableTrigger needs it. Default empty.</summary>
    [Parameter]
    public string? ReplicaTableName { get; set; }

    /// <summary>Zone and name that answers with the region that carries the environment, such as Z0123456789ABC/app.example.com; empty for none. Default empty.</summary>
    [Parameter]
    public string? DomainName { get; set; }

    /// <summary>Days that daily backups of database, table, bucket and volumes are kept, 1 to 3650; 0 for no plan. Default 7 (the design document's), in dev 0.</summary>
    [Parameter]
    public int? BackupRetentionDays { get; set; }

    /// <summary>Whether backups can be deleted before their time. Default None.</summary>
    [Parameter]
    public BackupVaultLock? BackupVaultLock { get; set; }
}
