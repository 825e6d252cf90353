namespace Inferloop.Operations.Specs;

/// <summary>The environment's own PostgreSQL database. Its port and the database's name are those of the connections.</summary>
public sealed record DatabaseSpec
{
    /// <summary>Whether the environment has a database of its own. Default true, unless DatabaseHost names one made elsewhere.</summary>
    [SpecMember(Summary = "a database of the environment's own")]
    public bool DatabaseEnabled { get; init; } = true;

    /// <summary>PostgreSQL version, such as 17 or 17.5; a major version takes RDS's default minor version. Default 17.</summary>
    [SpecMember(Pattern = @"^1[0-9](\.[0-9]{1,2})?$", PatternMeaning = "a PostgreSQL version such as 17 or 17.5", Summary = "PostgreSQL; a major version takes RDS's default minor version")]
    public string DatabaseEngineVersion { get; init; } = "17";

    /// <summary>Whether another major version may be applied to an existing database; it cannot be undone. Default false.</summary>
    [SpecMember(Summary = "permit another major version; it cannot be undone")]
    public bool DatabaseAllowMajorUpgrade { get; init; }

    /// <summary>Class of the instance and its replicas. Default db.t4g.micro for dev, db.t4g.small for staging, db.m6g.large for prod.</summary>
    [SpecMember(Pattern = @"^db\.[a-z0-9]+\.[a-z0-9]+$", PatternMeaning = "an RDS instance class such as db.t4g.micro")]
    public string DatabaseInstanceClass { get; init; } = "db.t4g.micro";

    /// <summary>Master user; its password is made and rotated by RDS. Default inferloop.</summary>
    [SpecMember(Pattern = "^[A-Za-z][A-Za-z0-9_]{0,62}$", PatternMeaning = "1 to 63 letters, digits and underscores, beginning with a letter", Summary = "master user; RDS makes and rotates its password")]
    public string DatabaseUsername { get; init; } = "inferloop";

    /// <summary>Snapshot to restore a new database from; empty for an empty one. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = "^[A-Za-z0-9:_-]{1,512}$", PatternMeaning = "the name or ARN of a DB snapshot", Summary = "snapshot to restore from; empty for a new database")]
    public string DatabaseSnapshotIdentifier { get; init; } = "";

    /// <summary>Storage (gp3) in GiB, 20 to 65536; it can grow, never shrink. Default 20; 100 for prod.</summary>
    [SpecMember(Minimum = 20, Maximum = 65536, Unit = "GiB", Summary = "it can grow, never shrink")]
    public int DatabaseStorageSize { get; init; } = 20;

    /// <summary>Size in GiB up to which RDS enlarges full storage, a tenth above DatabaseStorageSize or more; 0 for never. Default 100; 500 for prod.</summary>
    [SpecMember(Minimum = 0, Maximum = 65536, Unit = "GiB", Summary = "up to which RDS enlarges full storage; 0 for never")]
    public int DatabaseMaximumStorage { get; init; } = 100;

    /// <summary>A standby in the other zone takes over by itself. It has nothing to do with encryption, which is always on. Default false; true for prod.</summary>
    [SpecMember(Summary = "a standby in the other zone")]
    public bool DatabaseMultiAz { get; init; }

    /// <summary>Read replicas, 0 to 5. Default 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 5, Unit = "replicas")]
    public int DatabaseReplicas { get; init; }

    /// <summary>Days that automated backups are kept, 1 to 35. Default 7.</summary>
    [SpecMember(Minimum = 1, Maximum = 35, Unit = "days")]
    public int DatabaseBackupDays { get; init; } = 7;

    /// <summary>Daily window of the backup, UTC, half an hour or more. Default 03:00-04:00.</summary>
    [SpecMember(Pattern = MaintenanceWindow.DailyPattern, PatternMeaning = MaintenanceWindow.DailyMeaning, Summary = "daily, UTC, half an hour or more")]
    public string DatabaseBackupWindow { get; init; } = "03:00-04:00";

    /// <summary>Weekly window of maintenance, UTC, half an hour or more. Default sun:04:30-sun:05:30.</summary>
    [SpecMember(Pattern = MaintenanceWindow.WeeklyPattern, PatternMeaning = MaintenanceWindow.WeeklyMeaning, Summary = "weekly, UTC, half an hour or more")]
    public string DatabaseMaintenanceWindow { get; init; } = "sun:04:30-sun:05:30";

    /// <summary>Authority of the server's certificate: rds-ca-rsa2048-g1, rds-ca-rsa4096-g1 or rds-ca-ecc384-g1. Default rds-ca-rsa2048-g1.</summary>
    [SpecMember(Pattern = "^rds-ca-(rsa2048|rsa4096|ecc384)-g1$", PatternMeaning = "rds-ca-rsa2048-g1, rds-ca-rsa4096-g1 or rds-ca-ecc384-g1")]
    public string DatabaseCaCertificate { get; init; } = "rds-ca-rsa2048-g1";

    /// <summary>Whether IAM identities may log in with a token. Default false.</summary>
    [SpecMember(Summary = "IAM identities may log in with a token")]
    public bool DatabaseIamAuthentication { get; init; }

    /// <summary>Days between rotations of the master password, 1 to 1000; 0 leaves RDS's own 7. Default 30.</summary>
    [SpecMember(Minimum = 0, Maximum = 1000, Unit = "days", Summary = "between rotations of the password; 0 leaves RDS's own 7")]
    public int DatabaseSecretRotationDays { get; init; } = 30;

    /// <summary>Database Insights: Standard (a week) or Advanced (fifteen months). Default Standard.</summary>
    [SpecMember(Summary = "Standard or Advanced")]
    public DatabaseInsightsMode DatabaseInsightsMode { get; init; }

    /// <summary>Seconds between points of enhanced monitoring: 0 (none), 1, 5, 10, 15, 30 or 60. Default 60.</summary>
    [SpecMember(Values = [0, 1, 5, 10, 15, 30, 60], Unit = "seconds", Summary = "enhanced monitoring; 0 for none")]
    public int DatabaseMonitoringInterval { get; init; } = 60;
}

/// <summary>How much Database Insights keeps.</summary>
public enum DatabaseInsightsMode
{
    /// <summary>A week of Performance Insights, without charge.</summary>
    Standard,

    /// <summary>Fifteen months, with locks, plans and fleet views, priced by vCPU.</summary>
    Advanced,
}
