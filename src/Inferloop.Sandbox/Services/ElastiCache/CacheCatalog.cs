namespace Inferloop.Sandbox.Services.ElastiCache;

/// <summary>
/// Engines, versions and node types of ElastiCache. Sources: the ElastiCache guide's list of supported engines, and the node types that cfn-lint 1.51
/// lists for us-east-1, without past generations.
/// </summary>
internal static class CacheCatalog
{
    /// <summary>Version asked for, version run, parameter group family; in the order of upgrades.</summary>
    public static readonly IReadOnlyList<(string Engine, string Asked, string Runs, string Family)> Versions =
    [
        ("redis", "5.0.6", "5.0.6", "redis5.0"), ("redis", "6.0", "6.0.5", "redis6.x"), ("redis", "6.2", "6.2.6", "redis6.x"), ("redis", "7.0", "7.0.7", "redis7"), ("redis", "7.1", "7.1.0", "redis7"),
        ("valkey", "7.2", "7.2.6", "valkey7"), ("valkey", "8.0", "8.0.1", "valkey8"), ("valkey", "8.1", "8.1.0", "valkey8"), ("valkey", "8.2", "8.2.0", "valkey8"),
    ];

    public static readonly IReadOnlySet<string> NodeTypes = Nodes().ToHashSet(StringComparer.Ordinal);

    /// <summary>Parameters that operators set: name, allowed values, default, and whether they can be changed.</summary>
    public static readonly IReadOnlyList<(string Name, string Allowed, string Default, bool IsModifiable)> Parameters =
    [
        ("activedefrag", "yes,no", "no", true), ("active-expire-effort", "1-10", "1", true), ("appendonly", "yes,no", "no", false), ("close-on-replica-write", "yes,no", "yes", true),
        ("client-output-buffer-limit-pubsub-hard-limit", "0-4294967295", "33554432", true), ("cluster-enabled", "yes,no", "no", true), ("databases", "1-1200000", "16", true),
        ("hash-max-listpack-entries", "0-4294967295", "512", true), ("lazyfree-lazy-eviction", "yes,no", "no", true), ("lazyfree-lazy-expire", "yes,no", "no", true), ("lfu-decay-time", "0-4294967295", "1", true),
        ("lfu-log-factor", "0-4294967295", "10", true), ("maxmemory-policy", "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction", "volatile-lru", true),
        ("maxmemory-samples", "1-4294967295", "3", true), ("maxmemory", "", "", false), ("min-replicas-max-lag", "0-4294967295", "10", true), ("min-replicas-to-write", "0-4294967295", "0", true),
        ("notify-keyspace-events", "", "", true), ("repl-backlog-size", "16384-4294967295", "1048576", true), ("reserved-memory-percent", "0-100", "25", true), ("slowlog-log-slower-than", "-1-2147483647", "10000", true),
        ("slowlog-max-len", "0-2147483647", "128", true), ("tcp-keepalive", "0-2147483647", "300", true), ("timeout", "0,20-2147483647", "0", true), ("tracking-table-max-keys", "1-100000000", "1000000", true),
    ];

    public static (string Engine, string Asked, string Runs, string Family)? Find(string engine, string? version) => Versions
        .Where(item => item.Engine == engine && (version is null || item.Asked == version || item.Runs == version || (version == "6.x" && item.Asked == "6.2")))
        .Select(item => ((string, string, string, string)?)item).LastOrDefault();

    private static IEnumerable<string> Nodes()
    {
        foreach (var family in (string[])["t2", "t3", "t4g"])
        {
            foreach (var size in (string[])["micro", "small", "medium"])
            {
                yield return $"cache.{family}.{size}";
            }
        }
        foreach (var (families, sizes) in ((string, string)[])[("m5 r5 m4 r4", "large xlarge 2xlarge 4xlarge 12xlarge 24xlarge"), ("m6g r6g m7g r7g c7gn", "large xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge"), ("r6gd", "xlarge 2xlarge 4xlarge 8xlarge 12xlarge 16xlarge")])
        {
            foreach (var name in from family in families.Split(' ') from size in sizes.Split(' ') select $"cache.{family}.{size}")
            {
                yield return name;
            }
        }
    }
}
