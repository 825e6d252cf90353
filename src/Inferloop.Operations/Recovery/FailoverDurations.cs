namespace Inferloop.Operations.Recovery;

/// <summary>
/// How long steps usually take; the forecast of an RTO stands on them. Where AWS publishes a figure it is named; the others are what the sandbox's
/// tables of durations say, on which rehearsals stand. Real ones come with the first rehearsal in an account.
/// </summary>
internal static class FailoverDurations
{
    public static readonly TimeSpan Assess = TimeSpan.FromSeconds(10);

    /// <summary>ECS stops a task after its target was drained (deregistration delay, 300 s by default) and at most 30 s for its containers.</summary>
    public static readonly TimeSpan Fence = TimeSpan.FromMinutes(5.5);

    /// <summary>Global tables replicate "usually within a second", S3 Replication Time Control 99.99 % "within 15 minutes", most objects in seconds; RDS in seconds to minutes.</summary>
    public static readonly TimeSpan Drain = TimeSpan.FromMinutes(2);

    public static readonly TimeSpan CatchUp = TimeSpan.FromMinutes(5);

    /// <summary>"The process of promoting takes a few minutes"; with backups enabled a reboot and a first backup come with it.</summary>
    public static readonly TimeSpan Promote = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan Choose = TimeSpan.FromSeconds(10);

    /// <summary>"Promoting a secondary usually takes less than a minute."</summary>
    public static readonly TimeSpan Cache = TimeSpan.FromMinutes(1);

    /// <summary>Independent of a table's size for most; AWS says restores of 95 % of tables complete in under an hour.</summary>
    public static readonly TimeSpan RestoreTable = TimeSpan.FromMinutes(60);

    public static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan Secrets = TimeSpan.FromSeconds(20);

    /// <summary>The grace period of the load balancer's health checks on new tasks is 300 s.</summary>
    public static readonly TimeSpan Verify = TimeSpan.FromMinutes(5);

    /// <summary>One period of the switch's alarm, three of the health check, and a time to live of 60 s.</summary>
    public static readonly TimeSpan Dns = TimeSpan.FromMinutes(3);

    public static readonly TimeSpan Source = TimeSpan.FromMinutes(10);

    /// <summary>The other region's database is made anew as a replica: a deletion with a final snapshot, and a copy of all data.</summary>
    public static TimeSpan Reseed(bool withDatabase) => withDatabase ? TimeSpan.FromMinutes(50) : TimeSpan.FromMinutes(10);
}
