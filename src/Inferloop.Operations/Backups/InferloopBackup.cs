using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Backups;

/// <summary>The parts of an environment that are backed up.</summary>
public enum BackupComponent
{
    /// <summary>The database.</summary>
    Database,

    /// <summary>The jobs table.</summary>
    Table,

    /// <summary>The data bucket.</summary>
    Bucket,

    /// <summary>The volumes of the environment's instances.</summary>
    Volume,
}

/// <summary>One backup in an environment's vault: a recovery point, in AWS Backup's words.</summary>
public sealed record InferloopBackup
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>Its stage.</summary>
    public required EnvironmentStage Stage { get; init; }

    /// <summary>The region that the backup is in.</summary>
    public required string Region { get; init; }

    /// <summary>What it is a backup of.</summary>
    public required BackupComponent Component { get; init; }

    /// <summary>The name of the database, table or bucket, or the volume's id.</summary>
    public required string Resource { get; init; }

    /// <summary>The ARN of what was backed up.</summary>
    public required string ResourceArn { get; init; }

    /// <summary>The ARN of the backup.</summary>
    public required string RecoveryPointArn { get; init; }

    /// <summary>The vault that it is in.</summary>
    public required string Vault { get; init; }

    /// <summary>AWS Backup's state: CREATING, COMPLETED, PARTIAL, EXPIRED, DELETING.</summary>
    public required string Status { get; init; }

    /// <summary>The moment whose state it holds.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it was complete; null before.</summary>
    public DateTimeOffset? Completed { get; init; }

    /// <summary>When AWS deletes it; null for never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Its size in bytes.</summary>
    public long Size { get; init; }

    /// <summary>Whether the vault's lock keeps it from being deleted before it expires.</summary>
    public bool IsLocked { get; init; }

    /// <summary>The region that it was copied from; empty where it was made here.</summary>
    public string CopiedFrom { get; init; } = "";

    /// <summary>Where its copy goes that was begun with it; empty for none.</summary>
    public string CopyingTo { get; init; } = "";

    /// <summary>The environment, for what follows in a pipeline.</summary>
    internal InferloopEnvironment? Origin { get; init; }

    /// <summary>Part, name and time in one line.</summary>
    public override string ToString() => $"{Component} {Resource} of {Created.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, {Status}";
}

/// <summary>What came of a restore: something new, beside what is there.</summary>
public sealed record InferloopRestore
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>The region.</summary>
    public required string Region { get; init; }

    /// <summary>What it is.</summary>
    public required BackupComponent Component { get; init; }

    /// <summary>What it is called.</summary>
    public required string Resource { get; init; }

    /// <summary>Its ARN.</summary>
    public required string ResourceArn { get; init; }

    /// <summary>The moment whose state it holds.</summary>
    public required DateTimeOffset StateOf { get; init; }

    /// <summary>Where it answers, for a database; otherwise empty.</summary>
    public string Address { get; init; } = "";

    /// <summary>How long the restore took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>How it takes the place of what is there: the command, and what it does.</summary>
    public required string NextStep { get; init; }

    /// <summary>Part, name and time in one line.</summary>
    public override string ToString() => $"{Component} {Resource}, as of {StateOf.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC";
}

/// <summary>One thing that a test of a backup looked at.</summary>
/// <param name="Name">What.</param>
/// <param name="Passed">Whether it is as it should be.</param>
/// <param name="Detail">What was found.</param>
public sealed record InferloopBackupCheck(string Name, bool Passed, string Detail)
{
    /// <summary>The check in one line.</summary>
    public override string ToString() => $"{(Passed ? "ok" : "FAILED")} {Name}: {Detail}";
}

/// <summary>What a backup was worth when it was restored.</summary>
public sealed record InferloopBackupTest
{
    /// <summary>The backup.</summary>
    public required InferloopBackup Backup { get; init; }

    /// <summary>What was looked at.</summary>
    public required IReadOnlyList<InferloopBackupCheck> Checks { get; init => field = value.Indexable(); }

    /// <summary>Whether all is as it should be.</summary>
    public bool Passed => Checks.Count > 0 && Checks.All(c => c.Passed);

    /// <summary>How old the state is that a recovery from it would bring back.</summary>
    public required TimeSpan Age { get; init; }

    /// <summary>How long the restore took.</summary>
    public required TimeSpan RestoreDuration { get; init; }

    /// <summary>How long the checks took.</summary>
    public required TimeSpan CheckDuration { get; init; }

    /// <summary>How long it took to remove what had been restored.</summary>
    public required TimeSpan RemoveDuration { get; init; }

    /// <summary>When the test was made.</summary>
    public required DateTimeOffset Tested { get; init; }

    /// <summary>Backup and verdict in one line.</summary>
    public override string ToString() => $"{Backup}: {(Passed ? "restored and sound" : string.Join("; ", Checks.Where(c => !c.Passed)))}";
}
