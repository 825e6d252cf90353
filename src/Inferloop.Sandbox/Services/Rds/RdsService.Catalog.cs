using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>What can be created: versions, classes, certificates, quotas.</summary>
internal sealed partial class RdsService
{
    private void AddCatalog()
    {
        On("DescribeDBEngineVersions", (context, input) => Paged(input, PostgresVersions.All.Where(version => (input.Text("Engine") ?? "postgres") == "postgres"
                && (input.Text("EngineVersion") is not { } text || version.Text == text || $"{version.Major}" == text)
                && (input.Text("DBParameterGroupFamily") is not { } family || version.Family == family)
                && (!input.Is("DefaultOnly") || version == (input.Text("EngineVersion") is { } major ? PostgresVersions.Find(major) : PostgresVersions.Default)))
            .Select(version => EngineVersion(context, version)).ToList(), "DBEngineVersions"));
        On("DescribeDBMajorEngineVersions", (_, input) => Paged(input, PostgresVersions.Majors.Where(_ => (input.Text("Engine") ?? "postgres") == "postgres").Select(major => new JsonObject
        {
            ["Engine"] = "postgres",
            ["MajorEngineVersion"] = $"{major}",
            ["SupportedEngineLifecycles"] = new JsonArray(),
        }).Where(item => input.Text("MajorEngineVersion") is not { } wanted || item.Text("MajorEngineVersion") == wanted).ToList(), "DBMajorEngineVersions"));
        On("DescribeOrderableDBInstanceOptions", (context, input) =>
        {
            if (input.Required("Engine") != "postgres")
            {
                throw Invalid($"Invalid DB engine: {input.Text("Engine")}");
            }
            var zones = AvailabilityZones.Of(context.Region).Select(zone => new JsonObject { ["Name"] = zone }).ToList();
            var all = from version in PostgresVersions.All.Where(version => input.Text("EngineVersion") is not { } text || version.Text == text)
                      from item in InstanceClasses.All.Where(item => (input.Text("DBInstanceClass") is not { } name || item.Name == name) && InstanceClasses.Runs(item, version.Major))
                      from storage in (string[])["gp2", "gp3", "io1", "io2"]
                      select Orderable(version, item, storage, zones);
            return Paged(input, all.ToList(), "OrderableDBInstanceOptions");
        });
        On("DescribeCertificates", (context, input) => Paged(input, Certificates.Where(name => input.Text("CertificateIdentifier") is not { } wanted || name == wanted).Select(name => new JsonObject
        {
            ["CertificateIdentifier"] = name,
            ["CertificateType"] = "CA",
            ["ValidTill"] = name == "rds-ca-rsa2048-g1" ? "2061-05-25T23:59:59Z" : "2121-05-25T23:59:59Z",
            ["CertificateArn"] = $"arn:{context.Partition}:rds:{context.Region}::cert:{name}",
            ["CustomerOverride"] = false,
        }).ToList(), "Certificates"));
        On("DescribeAccountAttributes", (context, _) => new JsonObject
        {
            ["AccountQuotas"] = new JsonArray(
                Quota("DBInstances", Instances(context).Count, InstanceQuota),
                Quota("ManualSnapshots", Snapshots(context).Where(item => item.Text("SnapshotType") == "manual").Count, ManualSnapshotQuota),
                Quota("DBSubnetGroups", SubnetGroups(context).Count, 50),
                Quota("DBParameterGroups", ParameterGroups(context).Count, 50),
                Quota("ReadReplicasPerMaster", Instances(context).All().Select(item => item.Texts("ReadReplicaDBInstanceIdentifiers").Count).DefaultIfEmpty().Max(), ReplicaQuota)),
        });
    }

    private static JsonObject Quota(string name, long used, long most) => new() { ["AccountQuotaName"] = name, ["Used"] = used, ["Max"] = most };

    private static JsonObject EngineVersion(RequestContext context, PostgresVersion version) => new()
    {
        ["Engine"] = "postgres",
        ["MajorEngineVersion"] = $"{version.Major}",
        ["EngineVersion"] = version.Text,
        ["DBParameterGroupFamily"] = version.Family,
        ["DBEngineDescription"] = "PostgreSQL",
        ["DBEngineVersionDescription"] = $"PostgreSQL {version.Text}-R1",
        ["DBEngineVersionArn"] = $"arn:{context.Partition}:rds:{context.Region}::engine-version:postgres/{version.Text}",
        ["ValidUpgradeTarget"] = PostgresVersions.Targets(version).Select(target => new JsonObject
        {
            ["Engine"] = "postgres",
            ["EngineVersion"] = target.Text,
            ["Description"] = $"PostgreSQL {target.Text}-R1",
            ["AutoUpgrade"] = target.Major == version.Major && target == PostgresVersions.Latest(version.Major),
            ["IsMajorVersionUpgrade"] = target.Major != version.Major,
        }).ToJsonList(),
        ["ExportableLogTypes"] = LogTypes.ToTextList(),
        ["SupportsLogExportsToCloudwatchLogs"] = true,
        ["SupportsReadReplica"] = true,
        ["SupportedFeatureNames"] = new JsonArray("Lambda", "s3Export", "s3Import"),
        ["Status"] = "available",
        ["SupportsParallelQuery"] = false,
        ["SupportsGlobalDatabases"] = false,
        ["SupportsBabelfish"] = false,
        ["SupportsCertificateRotationWithoutRestart"] = true,
        ["SupportedCACertificateIdentifiers"] = Certificates.ToTextList(),
    };

    private static JsonObject Orderable(PostgresVersion version, InstanceClass item, string storage, List<JsonObject> zones) => new()
    {
        ["Engine"] = "postgres",
        ["EngineVersion"] = version.Text,
        ["DBInstanceClass"] = item.Name,
        ["LicenseModel"] = "postgresql-license",
        ["AvailabilityZones"] = zones.ToJsonList().DeepClone(),
        ["MultiAZCapable"] = true,
        ["ReadReplicaCapable"] = true,
        ["Vpc"] = true,
        ["SupportsStorageEncryption"] = true,
        ["StorageType"] = storage,
        ["SupportsIops"] = storage != "gp2",
        ["SupportsStorageThroughput"] = storage == "gp3",
        ["SupportsEnhancedMonitoring"] = true,
        ["SupportsIAMDatabaseAuthentication"] = true,
        ["SupportsPerformanceInsights"] = true,
        ["MinStorageSize"] = storage is "io1" or "io2" ? 100 : 20,
        ["MaxStorageSize"] = 65_536,
        ["SupportsStorageAutoscaling"] = true,
        ["SupportsKerberosAuthentication"] = true,
        ["SupportedNetworkTypes"] = new JsonArray("IPV4"),
        ["SupportsClusters"] = false,
    };
}
