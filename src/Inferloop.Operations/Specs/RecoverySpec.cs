namespace Inferloop.Operations.Specs;

/// <summary>
/// What stands by in the recovery region, and which part this region has. An environment and its standby have the same spec but for this
/// section and what it replicates to; the template reduces a standby by its role, so that nothing is lost with the primary region.
/// </summary>
public sealed record RecoverySpec
{
    /// <summary>What stands by in the recovery region. Default None in dev and without a RecoveryRegion; BackupOnly in staging and PilotLight in prod with one.</summary>
    [SpecMember(Summary = "what stands by in the recovery region")]
    public StandbyMode StandbyMode { get; init; }

    /// <summary>Whether this region carries the environment or stands by. Default Primary. A failover sets it.</summary>
    [SpecMember(Summary = "Primary carries the environment, Standby waits")]
    public RegionRole RegionRole { get; init; }

    /// <summary>Region of the standby, once there is one; New-InferloopStandby sets it. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = "^[a-z]{2}(-[a-z]+)+-\\d$", PatternMeaning = "a region such as us-west-2", Summary = "region of the standby, once there is one")]
    public string ReplicaRegion { get; init; } = "";

    /// <summary>Whether the environment's key can have replicas in other regions; decided when it is made. Default true where a standby is planned, else false.</summary>
    [SpecMember(Summary = "a multi-region key; decided when it is made")]
    public bool MultiRegionKey { get; init; }

    /// <summary>What makes this the stack in the recovery region, whatever its role: replicas of the first region's secrets, and its multi-region key. New-InferloopStandby sets it. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = "^arn:aws[a-z-]*:secretsmanager:[^,]+,arn:aws[a-z-]*:secretsmanager:[^,]+,(arn:aws[a-z-]*:kms:[a-z0-9-]+:\\d{12}:key/mrk-[^,]+)?,(arn:aws[a-z-]*:secretsmanager:[^,]+)?$", PatternMeaning = "the ARNs of two secrets, of a multi-region key or nothing, and of a third secret or nothing, with commas between", Summary = "what the stack in the recovery region takes of the first one")]
    public string PeerArns { get; init; } = "";

    /// <summary>Whether this is the environment's second stack, in its recovery region; it does not follow the role.</summary>
    public bool RecoverySite => PeerArns.Length > 0;

    /// <summary>Instance of another region whose replica the database begins as. It counts while the region stands by, and stays after the promotion. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = "^arn:aws[a-z-]*:rds:[a-z0-9-]+:\\d{12}:db:[a-z][a-z0-9-]{0,62}$", PatternMeaning = "the ARN of a DB instance", Summary = "instance that the database replicates while it stands by")]
    public string DatabaseSource { get; init; } = "";

    /// <summary>Table that something else made here: the replica of the other region's global table, or a restored one; with its stream's label behind a bar where LambdaTableTrigger needs it. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = "^[A-Za-z0-9_.-]{3,255}(\\|[0-9T:.-]+)?$", PatternMeaning = "a table name, or one with a bar and the label of its stream behind it", Summary = "table made by replication or a restore")]
    public string ReplicaTableName { get; init; } = "";

    /// <summary>Zone and name that answers with the region that carries the environment, such as Z0123456789ABC/app.example.com; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = "^[A-Z0-9]{1,32}/([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,63}$", PatternMeaning = "a zone and a name such as Z0123456789ABC/app.example.com", Summary = "name that answers with the region that carries the environment")]
    public string DomainName { get; init; } = "";
}

/// <summary>Backups by AWS Backup, beside the stores' own.</summary>
public sealed record BackupSpec
{
    /// <summary>Days that daily backups of database, table, bucket and volumes are kept, 1 to 3650; 0 for no plan. Default 7 (the design document's), in dev 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 3650, Unit = "days", Summary = "that AWS Backup keeps daily backups; 0 for no plan")]
    public int BackupRetentionDays { get; init; }

    /// <summary>Whether backups can be deleted before their time. Default None.</summary>
    [SpecMember(Summary = "None, Governance, or Compliance, which nobody can lift after three days")]
    public BackupVaultLock BackupVaultLock { get; init; }
}

/// <summary>What stands by in the recovery region.</summary>
public enum StandbyMode
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Copied backups and a replicated bucket; database, table and compute are made by the failover.</summary>
    BackupOnly,

    /// <summary>Replicas of database, table, bucket and secrets; compute at zero, no NAT gateway and no cache until the failover.</summary>
    PilotLight,

    /// <summary>The same with the fewest tasks running, NAT gateways and a cache.</summary>
    Warm,
}

/// <summary>The part of a region.</summary>
public enum RegionRole
{
    /// <summary>It carries the environment.</summary>
    Primary,

    /// <summary>It waits for the region that does.</summary>
    Standby,
}

/// <summary>Who may delete backups before their time.</summary>
public enum BackupVaultLock
{
    /// <summary>Whoever has the right to.</summary>
    None,

    /// <summary>Nobody, until someone who may change the vault lifts the lock.</summary>
    Governance,

    /// <summary>Nobody at all, from the third day after the lock was set.</summary>
    Compliance,
}
