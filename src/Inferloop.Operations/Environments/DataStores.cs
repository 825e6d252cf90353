namespace Inferloop.Operations.Environments;

/// <summary>The resource types that hold what users stored, or the only way to read it.</summary>
internal static class DataStores
{
    // What is lost with a resource of the type, in the words of a warning.
    private static readonly Dictionary<string, string> Held = new(StringComparer.Ordinal)
    {
        ["AWS::Backup::BackupVault"] = "its recovery points",
        ["AWS::DynamoDB::GlobalTable"] = "the table's items, in every region",
        ["AWS::DynamoDB::Table"] = "the table's items",
        ["AWS::EC2::Volume"] = "the volume's content",
        ["AWS::ECR::Repository"] = "the images in it",
        ["AWS::EFS::FileSystem"] = "the files in it",
        ["AWS::EKS::Cluster"] = "everything applied to the cluster",
        ["AWS::ElastiCache::CacheCluster"] = "the cached data",
        ["AWS::ElastiCache::ReplicationGroup"] = "the cached data",
        ["AWS::ElastiCache::ServerlessCache"] = "the cached data",
        ["AWS::KMS::Key"] = "everything that was encrypted with it",
        ["AWS::Kinesis::Stream"] = "the records in it",
        ["AWS::Logs::LogGroup"] = "the logs in it",
        ["AWS::RDS::DBCluster"] = "the databases in it",
        ["AWS::RDS::DBInstance"] = "the databases in it",
        ["AWS::S3::Bucket"] = "the objects in it",
        ["AWS::SecretsManager::Secret"] = "the secret's value",
        ["AWS::SQS::Queue"] = "the messages that wait in it",
    };

    /// <summary>All of them, in the order of their names.</summary>
    public static IReadOnlyList<string> Types { get; } = [.. Held.Keys.Order(StringComparer.Ordinal)];

    public static bool Contains(string type) => Held.ContainsKey(type);

    /// <summary>What is lost with a resource of that type; null for a type that holds nothing.</summary>
    public static string? Holds(string type) => Held.GetValueOrDefault(type);
}
