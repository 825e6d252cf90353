using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>What RDS checks before it makes or changes an instance.</summary>
internal sealed partial class RdsService
{
    private static readonly string[] Reserved = ["admin", "postgres", "rdsadmin", "rds_superuser", "rdsrepladmin", "rds_replication", "rdstopmgr", "user", "public", "none", "current_user", "session_user"];
    private static readonly string[] Certificates = ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"];
    private static readonly string[] LogTypes = ["postgresql", "upgrade", "iam-db-auth-error"];
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    [GeneratedRegex(@"^[a-zA-Z](-?[a-zA-Z0-9])*\z")]
    private static partial Regex IdentifierPattern();

    [GeneratedRegex(@"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\z")]
    private static partial Regex BackupWindowPattern();

    [GeneratedRegex(@"^(sun|mon|tue|wed|thu|fri|sat):([01]\d|2[0-3]):([0-5]\d)-(sun|mon|tue|wed|thu|fri|sat):([01]\d|2[0-3]):([0-5]\d)\z", RegexOptions.IgnoreCase)]
    private static partial Regex MaintenanceWindowPattern();

    private static string CheckIdentifier(string id, string parameter = "DBInstanceIdentifier", int maximum = 63) => id.Length <= maximum && IdentifierPattern().IsMatch(id)
        ? id.ToLowerInvariant()
        : throw Invalid($"The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.");

    private static PostgresVersion CheckVersion(string? text) => text is null ? PostgresVersions.Default
        : PostgresVersions.Find(text) ?? throw Conflict($"Cannot find version {text} for postgres");

    private static void CheckClass(string name, PostgresVersion version)
    {
        var found = InstanceClasses.Find(name) ?? throw Invalid($"Invalid DB Instance class: {name}");
        if (!InstanceClasses.Runs(found, version.Major))
        {
            throw Conflict($"RDS does not support creating a DB instance with the following combination: DBInstanceClass={name}, Engine=postgres, EngineVersion={version.Text}, LicenseModel=postgresql-license. For supported combinations of instance class and database engine version, see the documentation.");
        }
    }

    /// <summary>Sets size, kind and speed of the storage.</summary>
    private static void CheckStorage(JsonObject instance)
    {
        var (type, size) = (instance.Text("StorageType") ?? "gp2", instance.Int("AllocatedStorage") ?? 0);
        var (low, high) = type switch
        {
            "gp2" or "gp3" => (20, 65_536),
            "io1" or "io2" => (100, 65_536),
            "standard" => (5, 3_072),
            _ => throw Invalid($"Invalid storage type: {type}"),
        };
        if (size < low || size > high)
        {
            throw Invalid($"Invalid storage size for engine name postgres and storage type {type}: {size}");
        }
        var iops = instance.Int("_AskedIops");
        var throughput = instance.Int("_AskedThroughput");
        switch (type)
        {
            case "gp3" when size < 400:
                if ((iops is not null and not 3000) || (throughput is not null and not 125))
                {
                    throw Conflict("You can't specify IOPS or storage throughput for engine postgres and a storage size less than 400.");
                }
                (instance["Iops"], instance["StorageThroughput"]) = (3000, 125);
                break;
            case "gp3":
                if (iops is < 12_000 or > 64_000 || throughput is < 500 or > 4_000)
                {
                    throw Conflict($"Invalid IOPS or storage throughput for engine postgres and storage type gp3: {iops}, {throughput}");
                }
                (instance["Iops"], instance["StorageThroughput"]) = (iops ?? 12_000, throughput ?? 500);
                break;
            case "io1" or "io2":
                var wanted = iops ?? throw Conflict($"You must specify a value for Iops with storage type {type}.");
                var most = type == "io1" ? 50L * size : 1000L * size;
                if (wanted < 1000 || wanted > Math.Min(256_000, most))
                {
                    throw Conflict($"Iops to storage (GB) ratio of {((double)wanted / size).ToString("0.00", CultureInfo.InvariantCulture)} is not valid for engine postgres and storage type {type}.");
                }
                instance["Iops"] = wanted;
                instance.Remove("StorageThroughput");
                break;
            default:
                if (iops is not null)
                {
                    throw Conflict($"You can't specify IOPS with storage type {type}.");
                }
                instance.Remove("Iops");
                instance.Remove("StorageThroughput");
                break;
        }
        if (instance.Int("MaxAllocatedStorage") is { } maximum)
        {
            if (maximum < size)
            {
                throw Conflict("Max storage size must be greater than storage size");
            }
            if (maximum == size)
            {
                // The way to switch autoscaling off.
                instance.Remove("MaxAllocatedStorage");
            }
            else if (maximum * 10L < size * 11L)
            {
                throw Conflict($"Max storage size must be at least 10% greater than the allocated storage: {maximum}");
            }
        }
    }

    private static void CheckCredentials(JsonObject input)
    {
        var user = input.Text("MasterUsername") ?? throw Invalid("The parameter MasterUsername must be provided and must not be blank.");
        if (user.Length is 0 or > 63 || !char.IsAsciiLetter(user[0]) || !user.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            throw Invalid("The parameter MasterUsername is not valid. It must begin with a letter and contain only alphanumeric characters and underscores.");
        }
        if (Reserved.Contains(user, StringComparer.OrdinalIgnoreCase))
        {
            throw Invalid($"MasterUsername {user} cannot be used as it is a reserved word used by the engine");
        }
        if (input.Text("DBName") is { Length: > 0 } name && (name.Length > 63 || !(char.IsAsciiLetter(name[0]) || name[0] == '_') || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')))
        {
            throw Invalid("DBName must begin with a letter and contain only alphanumeric characters.");
        }
        CheckPassword(input);
        if (!input.Is("ManageMasterUserPassword") && !input.Has("MasterUserPassword"))
        {
            throw Invalid("The parameter MasterUserPassword must be provided and must not be blank.");
        }
    }

    private static void CheckPassword(JsonObject input)
    {
        if (input.Is("ManageMasterUserPassword"))
        {
            if (input.Has("MasterUserPassword"))
            {
                throw Conflict("You can't specify MasterUserPassword when ManageMasterUserPassword is enabled.");
            }
        }
        else if (input.Has("MasterUserSecretKmsKeyId") && input.Flag("ManageMasterUserPassword") == false)
        {
            throw Conflict("You can specify MasterUserSecretKmsKeyId only when ManageMasterUserPassword is enabled.");
        }
        if (input.Text("MasterUserPassword") is { } password)
        {
            if (password.Length is < 8 or > 128)
            {
                throw Invalid($"The parameter MasterUserPassword is not a valid password because it is {(password.Length < 8 ? "shorter than 8" : "longer than 128")} characters.");
            }
            if (password.Any(c => c is < '!' or > '~' or '/' or '@' or '"'))
            {
                throw Invalid("The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', '\"', ' ' may be used.");
            }
        }
    }

    private static void CheckWindows(JsonObject instance)
    {
        var backup = instance.Text("PreferredBackupWindow");
        var maintenance = instance.Text("PreferredMaintenanceWindow");
        if (instance.Int("BackupRetentionPeriod") is < 0 or > 35)
        {
            throw Invalid($"Invalid backup retention period: {instance.Int("BackupRetentionPeriod")}");
        }
        if (backup is null || BackupWindowPattern().Match(backup) is not { Success: true } daily)
        {
            throw Invalid($"Invalid backup window format: {backup}. Backup window must be in the format of hh24:mi-hh24:mi");
        }
        if (maintenance is null || MaintenanceWindowPattern().Match(maintenance) is not { Success: true } weekly)
        {
            throw Invalid($"Invalid maintenance window format: {maintenance}. The maintenance window must be in the format of ddd:hh24:mi-ddd:hh24:mi");
        }
        static int Part(Match match, int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
        const int Day = 24 * 60, Week = 7 * Day;
        var (from, length) = (Part(daily, 1) * 60 + Part(daily, 2), (Part(daily, 3) * 60 + Part(daily, 4) - Part(daily, 1) * 60 - Part(daily, 2) + Day) % Day);
        var start = Array.IndexOf(Days, weekly.Groups[1].Value.ToLowerInvariant()) * Day + Part(weekly, 2) * 60 + Part(weekly, 3);
        var end = Array.IndexOf(Days, weekly.Groups[4].Value.ToLowerInvariant()) * Day + Part(weekly, 5) * 60 + Part(weekly, 6);
        var weeklyLength = (end - start + Week) % Week;
        if (length < 30)
        {
            throw Invalid("The backup window must be at least 30 minutes.");
        }
        if (weeklyLength is < 30 or > Day)
        {
            throw Invalid("The maintenance window must be at least 30 minutes and less than 24 hours.");
        }
        for (var day = -1; day <= 7; day++)
        {
            var begin = day * Day + from;
            if (begin < start + weeklyLength && start < begin + length)
            {
                throw Invalid("The backup window and maintenance window must not overlap.");
            }
        }
        instance["PreferredMaintenanceWindow"] = maintenance.ToLowerInvariant();
    }

    /// <summary>Windows that were not asked for are chosen apart from the one that was, as RDS chooses them.</summary>
    private static void ChooseWindows(JsonObject instance)
    {
        if (!instance.Has("PreferredMaintenanceWindow"))
        {
            var start = instance.Text("PreferredBackupWindow") is { } daily && BackupWindowPattern().Match(daily) is { Success: true } match ? int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture) + 2 : 8;
            instance["PreferredMaintenanceWindow"] = $"sat:{start % 24:D2}:00-sat:{start % 24:D2}:30";
        }
        if (!instance.Has("PreferredBackupWindow"))
        {
            var hour = MaintenanceWindowPattern().Match(instance.Required("PreferredMaintenanceWindow")) is { Success: true } match ? int.Parse(match.Groups[5].Value, CultureInfo.InvariantCulture) + 2 : 5;
            instance["PreferredBackupWindow"] = $"{hour % 24:D2}:00-{hour % 24:D2}:30";
        }
    }

    /// <summary>The next beginning of a weekly window.</summary>
    private static DateTimeOffset NextWindow(string window, DateTimeOffset now)
    {
        var match = MaintenanceWindowPattern().Match(window);
        var at = now.UtcDateTime.Date.AddDays((Array.IndexOf(Days, match.Groups[1].Value.ToLowerInvariant()) - (int)now.UtcDateTime.DayOfWeek + 7) % 7)
            .AddHours(int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)).AddMinutes(int.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture));
        var next = new DateTimeOffset(at, TimeSpan.Zero);
        return next > now ? next : next.AddDays(7);
    }

    /// <summary>The next beginning of a daily window.</summary>
    private static DateTimeOffset NextDaily(string window, DateTimeOffset now)
    {
        var match = BackupWindowPattern().Match(window);
        var next = new DateTimeOffset(now.UtcDateTime.Date.AddHours(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)).AddMinutes(int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)), TimeSpan.Zero);
        return next > now ? next : next.AddDays(1);
    }

    /// <summary>Monitoring, insights, logs, certificate, port: checked on the document as it would be.</summary>
    private void CheckFeatures(RequestContext context, JsonObject instance)
    {
        if (instance.Int("DbInstancePort") is < 1150 or > 65_535)
        {
            throw Invalid($"Invalid port number: {instance.Int("DbInstancePort")}. The port must be between 1150 and 65535.");
        }
        if (!Certificates.Contains(instance.Text("CACertificateIdentifier")))
        {
            throw new ServiceFault("CertificateNotFound", $"CertificateIdentifier {instance.Text("CACertificateIdentifier")} not found.", 404);
        }
        var interval = instance.Int("MonitoringInterval") ?? 0;
        if (interval is not (0 or 1 or 5 or 10 or 15 or 30 or 60))
        {
            throw Invalid($"Invalid monitoring interval: {interval}. Valid values are 0, 1, 5, 10, 15, 30, 60.");
        }
        if (interval > 0 != instance.Has("MonitoringRoleArn"))
        {
            throw Conflict(interval > 0
                ? "A MonitoringRoleARN value is required if you specify a MonitoringInterval value other than 0."
                : "You must specify a MonitoringInterval value other than 0 when you specify a MonitoringRoleARN value.");
        }
        if (instance.Text("MonitoringRoleArn") is { } role
            && Runtime.Service<Iam.IamService>().FindRole(context, role)?.ToJsonString().Contains("monitoring.rds.amazonaws.com", StringComparison.Ordinal) != true)
        {
            throw Invalid("IAM role ARN value is invalid or does not include the required permissions for: ENHANCED_MONITORING");
        }
        var days = instance.Int("PerformanceInsightsRetentionPeriod");
        if (instance.Is("PerformanceInsightsEnabled") ? days is not (7 or 731) && !(days % 31 == 0 && days / 31 is >= 1 and <= 23) : instance.Has("_AskedInsights"))
        {
            throw instance.Is("PerformanceInsightsEnabled")
                ? Invalid("Invalid Performance Insights retention period. Valid values are: [7, 31, 62, 93, 124, 155, 186, 217, 248, 279, 310, 341, 372, 403, 434, 465, 496, 527, 558, 589, 620, 651, 682, 713, 731]")
                : Conflict("You must enable Performance Insights to specify its retention period or key.");
        }
        if (instance.Text("DatabaseInsightsMode") == "advanced" && !(instance.Is("PerformanceInsightsEnabled") && days >= 465))
        {
            throw Conflict("To enable the Advanced mode of Database Insights, modify your DB instance to enable Performance Insights and set the retention period to at least 465 days.");
        }
        foreach (var type in instance.Texts("EnabledCloudwatchLogsExports").Where(type => !LogTypes.Contains(type)))
        {
            throw Conflict($"You cannot use the log types '{type}' with engine version postgres {instance.Text("EngineVersion")}. For supported log types, see the documentation.");
        }
    }

    private JsonArray CheckSecurityGroups(RequestContext context, IReadOnlyList<string> ids, string vpc) => ids.Select(id =>
    {
        JsonObject group;
        try
        {
            group = Ec2.SecurityGroup(context, id);
        }
        catch (ServiceFault)
        {
            throw Invalid($"Invalid security group , groupId= {id}, groupName=.");
        }
        return group.Text("VpcId") == vpc
            ? new JsonObject { ["VpcSecurityGroupId"] = id, ["Status"] = "active" }
            : throw Conflict($"The DB instance and EC2 security group are in different VPCs. The DB instance is in {vpc} and the EC2 security group is in {group.Text("VpcId")}");
    }).ToJsonList();

    private string CheckKey(RequestContext context, string? key, string service = "rds")
    {
        try
        {
            var kms = Runtime.Service<Kms.KmsService>();
            return key is null ? kms.ServiceKeyArn(context, service) : kms.RequireEnabledKey(context, key, service);
        }
        catch (ServiceFault)
        {
            throw new ServiceFault("KMSKeyNotAccessibleFault", $"The specified KMS key [{key}] does not exist, is not enabled or you do not have permissions to access it. ");
        }
    }

    private string CheckParameterGroup(RequestContext context, string? name, PostgresVersion version)
    {
        if (name is null)
        {
            return "default." + version.Family;
        }
        var group = ParameterGroup(context, name);
        return group.Text("DBParameterGroupFamily") == version.Family
            ? group.Required("DBParameterGroupName")
            : throw Conflict($"The parameter group {name} with DBParameterGroupFamily {group.Text("DBParameterGroupFamily")} can't be used for this instance. Use a parameter group with DBParameterGroupFamily {version.Family}.");
    }
}
