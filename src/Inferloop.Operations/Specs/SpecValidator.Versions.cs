using System.Globalization;
using Inferloop.Templates.Versions;

namespace Inferloop.Operations.Specs;

/// <content>Versions whose support has ended or ends soon: accepted, as an older environment may have to be made again, and warned about.</content>
internal sealed partial class SpecValidator
{
    // Half a year is what planning an upgrade of a database or a cluster takes.
    private const int NoticeDays = 180;
    private const string AmazonLinux2 = "/amazon-linux-2/";

    private void Versions()
    {
        var database = spec.Database;
        if (database.DatabaseEnabled && SupportWindows.Rds("postgres", database.DatabaseEngineVersion) is { } postgres)
        {
            Supported("PostgreSQL", postgres, "database.databaseEngineVersion", "RDS charges Extended Support for every vCPU hour", "Take 17.");
        }

        var cache = spec.Cache;
        if (cache.CacheEnabled && cache.CacheEngine == CacheEngine.Redis && SupportWindows.Redis(cache.CacheEngineVersion) is { } redis)
        {
            Supported("Redis OSS", redis, "cache.cacheEngineVersion", "ElastiCache charges Extended Support for every node hour", "Take 7.1 of Redis, or Valkey.");
        }

        if (spec.Ecs.EcsEnabled && spec.Ecs.CapacityMode is CapacityMode.Ec2 or CapacityMode.Mixed && spec.Ecs.Ec2ImageParameter.Contains(AmazonLinux2, StringComparison.Ordinal)
            && SupportWindows.AmazonLinux("2") is { } linux)
        {
            Supported("Amazon Linux", linux, "ecs.ec2ImageParameter", "it receives no security updates", "Leave the member out, for Amazon Linux 2023.");
        }
    }

    private void Supported(string what, SupportWindow window, string path, string then, string recommendation, int notice = NoticeDays)
    {
        string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        if (window.IsOver(today))
        {
            Warning("VersionUnsupported", path, $"Support of {what} {window.Version} ended on {Day(window.ExtendedEnd)}: AWS creates no more of it.", recommendation);
        }
        else if (window.IsExtended(today))
        {
            Warning("VersionExtended", path, $"Standard support of {what} {window.Version} ended on {Day(window.StandardEnd)}; until {Day(window.ExtendedEnd)} {then}.", recommendation);
        }
        else if (window.IsExtended(today.AddDays(notice)))
        {
            Warning("VersionEnding", path, $"Standard support of {what} {window.Version} ends on {Day(window.StandardEnd)}; after it {then}.", recommendation);
        }
    }
}
