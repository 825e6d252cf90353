namespace Inferloop.Operations.Specs;

/// <summary>The environment's own cache. Its port is that of the connections.</summary>
public sealed record CacheSpec
{
    /// <summary>Whether the environment has a cache of its own. Default true, unless CacheHost names one made elsewhere.</summary>
    [SpecMember(Summary = "a cache of the environment's own")]
    public bool CacheEnabled { get; init; } = true;

    /// <summary>Redis (Redis OSS, the design document's) or Valkey. Default Redis.</summary>
    [SpecMember(Summary = "Redis or Valkey")]
    public CacheEngine CacheEngine { get; init; }

    /// <summary>Version of the engine: 6.2, 7.0 or 7.1 of Redis, 7.2, 8.0, 8.1 or 8.2 of Valkey. Default 7.1.</summary>
    [SpecMember(Pattern = @"^(6\.2|7\.[0-2]|8\.[0-2])$", PatternMeaning = "6.2, 7.0 or 7.1 of Redis, or 7.2, 8.0, 8.1 or 8.2 of Valkey")]
    public string CacheEngineVersion { get; init; } = "7.1";

    /// <summary>Type of the nodes. Default cache.t3.micro; cache.t4g.medium for prod.</summary>
    [SpecMember(Pattern = @"^cache\.[a-z0-9]+\.[a-z0-9]+$", PatternMeaning = "an ElastiCache node type such as cache.t3.micro")]
    public string CacheNodeType { get; init; } = "cache.t3.micro";

    /// <summary>Nodes, 1 to 6: a primary and its replicas. With two or more a failed primary is replaced by itself. Default 2; 1 for dev.</summary>
    [SpecMember(Minimum = 1, Maximum = 6, Unit = "nodes", Summary = "a primary and its replicas")]
    public int CacheNodes { get; init; } = 2;

    /// <summary>Nodes are held in different zones. It has nothing to do with encryption, which is always on. Default false; true for prod.</summary>
    [SpecMember(Summary = "nodes in different zones; needs two")]
    public bool CacheMultiAz { get; init; }

    /// <summary>Days that daily snapshots are kept, 0 (none) to 35. Default 7; 1 for dev.</summary>
    [SpecMember(Minimum = 0, Maximum = 35, Unit = "days", Summary = "daily snapshots; 0 for none")]
    public int CacheSnapshotDays { get; init; } = 7;

    /// <summary>Daily window of the snapshot, UTC, an hour or more. Default 02:00-03:00.</summary>
    [SpecMember(Pattern = MaintenanceWindow.DailyPattern, PatternMeaning = MaintenanceWindow.DailyMeaning, Summary = "daily, UTC, an hour or more")]
    public string CacheSnapshotWindow { get; init; } = "02:00-03:00";

    /// <summary>Weekly window of maintenance, UTC, an hour or more. Default sun:05:30-sun:06:30.</summary>
    [SpecMember(Pattern = MaintenanceWindow.WeeklyPattern, PatternMeaning = MaintenanceWindow.WeeklyMeaning, Summary = "weekly, UTC, an hour or more")]
    public string CacheMaintenanceWindow { get; init; } = "sun:05:30-sun:06:30";

    /// <summary>How clients log in with the password: Token, or Users (a user group without rights of administration). Default Token.</summary>
    [SpecMember(Summary = "Token or Users")]
    public CacheAuthentication CacheAuthentication { get; init; }
}

/// <summary>Engine of the cache.</summary>
public enum CacheEngine
{
    /// <summary>Redis OSS.</summary>
    Redis,

    /// <summary>Valkey, its successor under an open licence.</summary>
    Valkey,
}

/// <summary>How clients of the cache log in. There is no value for "not at all".</summary>
public enum CacheAuthentication
{
    /// <summary>By the replication group's token.</summary>
    Token,

    /// <summary>As the user "default" of a user group.</summary>
    Users,
}
