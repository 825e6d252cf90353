using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.SecretsManager;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>The life of instances: made, restarted, stopped, removed.</summary>
internal sealed partial class RdsService
{
    private const int InstanceQuota = 40;

    /// <summary>Route 53's hosted zones of RDS endpoints, as DescribeDBInstances gives them.</summary>
    private static readonly Dictionary<string, string> EndpointZones = new(StringComparer.Ordinal)
    {
        ["us-east-1"] = "Z2R2ITUGPM61AM",
        ["us-west-2"] = "Z1PVIF0B656C1W",
        ["eu-west-1"] = "Z29XKXDKYMONMX",
    };

    private void AddInstances()
    {
        On("CreateDBInstance", CreateInstanceAsync);
        On("DescribeDBInstances", (context, input) =>
        {
            var all = input.Text("DBInstanceIdentifier") is { } id ? [Instance(context, id)] : Instances(context).All();
            foreach (var filter in input.Objects("Filters"))
            {
                var values = filter.Texts("Values");
                all = all.Where(item => values.Contains(filter.Text("Name") switch
                {
                    "db-instance-id" => values.FirstOrDefault(value => value == item.Text("DBInstanceIdentifier") || value == item.Text("DBInstanceArn")) ?? "",
                    "dbi-resource-id" => item.Required("DbiResourceId"),
                    "engine" => item.Required("Engine"),
                    "db-cluster-id" or "domain" => "",
                    _ => throw Invalid($"Unrecognized filter name: {filter.Text("Name")}"),
                })).ToList();
            }
            return Paged(input, all.Select(item => View(context, item)).ToList(), "DBInstances");
        });
        On("RebootDBInstance", RebootInstance);
        On("StopDBInstance", StopInstance);
        On("StartDBInstance", StartInstance);
        On("DeleteDBInstance", DeleteInstance);
    }

    /// <summary>An instance as it is now: the restorable time moves with the clock.</summary>
    private static JsonObject View(RequestContext context, JsonObject instance)
    {
        if (instance.TimeOf("_RestorableSince") is { } since && (instance.Int("BackupRetentionPeriod") ?? 0) > 0)
        {
            var latest = context.Now.AddMinutes(-5);
            instance["LatestRestorableTime"] = Documents.Time(instance.TimeOf("_StoppedAt") ?? (latest > since ? latest : since));
        }
        return instance;
    }

    private async Task<JsonObject> CreateInstanceAsync(RequestContext context, JsonObject input)
    {
        var engine = input.Required("Engine");
        if (engine != "postgres")
        {
            throw engine is "mysql" or "mariadb" || engine.StartsWith("aurora", StringComparison.Ordinal) || engine.StartsWith("oracle", StringComparison.Ordinal)
                || engine.StartsWith("sqlserver", StringComparison.Ordinal) || engine.StartsWith("db2", StringComparison.Ordinal)
                ? new ServiceFault("NotImplemented", $"The sandbox has no RDS engine {engine}, only postgres. Nothing was changed.", 501)
                : Invalid($"Invalid DB engine: {engine}");
        }
        CheckCredentials(input);
        if (!input.Has("AllocatedStorage"))
        {
            throw Invalid("Invalid storage size for engine name postgres and storage type " + (input.Text("StorageType") ?? "gp2") + ": null");
        }
        if (input.Has("KmsKeyId") && !input.Is("StorageEncrypted"))
        {
            throw Conflict("KmsKeyId parameter can only be specified when StorageEncrypted is set to true.");
        }
        var settings = new JsonObject { ["AllocatedStorage"] = input["AllocatedStorage"].Copy(), ["_Password"] = input.Text("MasterUserPassword") }.Take(input, "MasterUsername", "DBName", "StorageEncrypted");
        if (input.Is("StorageEncrypted"))
        {
            settings["KmsKeyId"] = CheckKey(context, input.Text("KmsKeyId"));
        }
        var instance = await BuildAsync(context, input, settings).ConfigureAwait(false);
        return Launch(context, input, instance, Durations.RdsCreate, "DB instance created");
    }

    /// <summary>The document of a new instance, from what is asked and what a snapshot or source settles.</summary>
    private async Task<JsonObject> BuildAsync(RequestContext context, JsonObject input, JsonObject settled)
    {
        var id = CheckIdentifier(input.Text("DBInstanceIdentifier") ?? input.Required("TargetDBInstanceIdentifier"));
        var version = CheckVersion(settled.Text("EngineVersion") ?? input.Text("EngineVersion"));
        var name = input.Text("DBInstanceClass") ?? settled.Text("DBInstanceClass") ?? throw Invalid("The parameter DBInstanceClass must be provided and must not be blank.");
        CheckClass(name, version);
        Tags.Check(input.Objects("Tags"), "InvalidParameterValue");
        var group = (input.Text("DBSubnetGroupName") ?? settled.Text("_SubnetGroup")) is { } groupName ? SubnetGroup(context, groupName) : await DefaultSubnetGroupAsync(context).ConfigureAwait(false);
        var vpc = group.Required("VpcId");
        var multi = input.Is("MultiAZ");
        if (multi && input.Has("AvailabilityZone"))
        {
            throw Conflict("Requesting a specific availability zone is not valid for Multi-AZ instances.");
        }
        var zones = group.Objects("Subnets").Select(subnet => subnet.Child("SubnetAvailabilityZone")!.Required("Name")).Distinct().ToList();
        if (input.Text("AvailabilityZone") is { } wanted && !zones.Contains(wanted))
        {
            throw new ServiceFault("InvalidVPCNetworkStateFault", $"The DB subnet group {group.Text("DBSubnetGroupName")} doesn't cover the availability zone {wanted}.");
        }
        zones.RemoveAll(Runtime.Faults.IsZoneLost);
        if (zones.Count < (multi ? 2 : 1) || Runtime.Faults.IsZoneLost(input.Text("AvailabilityZone") ?? ""))
        {
            throw new ServiceFault("InsufficientDBInstanceCapacity", "Insufficient DB instance capacity in the availability zones of the DB subnet group.");
        }
        var zone = input.Text("AvailabilityZone") ?? zones[Runtime.Ids.Next(zones.Count)];
        var instance = new JsonObject
        {
            ["DBInstanceIdentifier"] = id,
            ["DBInstanceClass"] = name,
            ["Engine"] = "postgres",
            ["EngineVersion"] = version.Text,
            ["_AskedVersion"] = input.Text("EngineVersion"),
            ["DBInstanceStatus"] = "creating",
            ["StorageType"] = input.Text("StorageType") ?? settled.Text("StorageType") ?? (input.Has("Iops") ? "io1" : "gp2"),
            ["_AskedIops"] = input["Iops"].Copy(),
            ["_AskedThroughput"] = input["StorageThroughput"].Copy(),
            ["BackupRetentionPeriod"] = input.Int("BackupRetentionPeriod") ?? settled.Int("BackupRetentionPeriod") ?? 1,
            ["PreferredBackupWindow"] = input.Text("PreferredBackupWindow") ?? settled.Text("PreferredBackupWindow"),
            ["PreferredMaintenanceWindow"] = input.Text("PreferredMaintenanceWindow"),
            ["DBSecurityGroups"] = new JsonArray(),
            ["DBParameterGroups"] = new JsonArray(new JsonObject { ["DBParameterGroupName"] = CheckParameterGroup(context, input.Text("DBParameterGroupName"), version), ["ParameterApplyStatus"] = "in-sync" }),
            ["OptionGroupMemberships"] = new JsonArray(new JsonObject { ["OptionGroupName"] = $"default:postgres-{version.Major}", ["Status"] = "in-sync" }),
            ["AvailabilityZone"] = zone,
            ["DBSubnetGroup"] = group.Pick("DBSubnetGroupName", "DBSubnetGroupDescription", "VpcId", "SubnetGroupStatus", "Subnets"),
            ["PendingModifiedValues"] = new JsonObject(),
            ["MultiAZ"] = multi,
            ["AutoMinorVersionUpgrade"] = input.Flag("AutoMinorVersionUpgrade") ?? true,
            ["ReadReplicaDBInstanceIdentifiers"] = new JsonArray(),
            ["LicenseModel"] = "postgresql-license",
            ["PubliclyAccessible"] = input.Flag("PubliclyAccessible") ?? group.Text("DBSubnetGroupName") == "default",
            ["DbInstancePort"] = input.Int("Port") ?? settled.Int("DbInstancePort") ?? 5432,
            ["StorageEncrypted"] = settled.Is("StorageEncrypted"),
            ["DbiResourceId"] = "db-" + Runtime.Ids.Base32Upper(26),
            ["CACertificateIdentifier"] = input.Text("CACertificateIdentifier") ?? "rds-ca-rsa2048-g1",
            ["CopyTagsToSnapshot"] = input.Is("CopyTagsToSnapshot"),
            ["MonitoringInterval"] = input.Int("MonitoringInterval") ?? 0,
            ["DBInstanceArn"] = context.Arn("rds", "db:" + id),
            ["IAMDatabaseAuthenticationEnabled"] = input.Is("EnableIAMDatabaseAuthentication"),
            ["DatabaseInsightsMode"] = input.Text("DatabaseInsightsMode") ?? "standard",
            ["PerformanceInsightsEnabled"] = input.Is("EnablePerformanceInsights"),
            ["DeletionProtection"] = input.Is("DeletionProtection"),
            ["AssociatedRoles"] = new JsonArray(),
            ["TagList"] = input["Tags"].Copy() ?? settled["TagList"].Copy() ?? new JsonArray(),
            ["CustomerOwnedIpEnabled"] = false,
            ["ActivityStreamStatus"] = "stopped",
            ["BackupTarget"] = "region",
            ["NetworkType"] = "IPV4",
            ["DedicatedLogVolume"] = input.Is("DedicatedLogVolume"),
            ["IsStorageConfigUpgradeAvailable"] = false,
            ["EngineLifecycleSupport"] = input.Text("EngineLifecycleSupport") ?? "open-source-rds-extended-support",
            ["_Password"] = settled["_Password"].Copy(),
        }.Take(settled, "MasterUsername", "DBName", "AllocatedStorage", "KmsKeyId").Take(input, "AllocatedStorage", "MaxAllocatedStorage", "MonitoringRoleArn");
        instance["VpcSecurityGroups"] = CheckSecurityGroups(context, input.Texts("VpcSecurityGroupIds") is { Count: > 0 } groups ? groups : [await DefaultGroupAsync(context, vpc).ConfigureAwait(false)], vpc);
        instance.With("EnabledCloudwatchLogsExports", input["EnableCloudwatchLogsExports"].Copy());
        if (input.Is("EnablePerformanceInsights"))
        {
            instance["PerformanceInsightsRetentionPeriod"] = input.Int("PerformanceInsightsRetentionPeriod") ?? 7;
            instance["PerformanceInsightsKMSKeyId"] = CheckKey(context, input.Text("PerformanceInsightsKMSKeyId"));
        }
        else if (input.Has("PerformanceInsightsRetentionPeriod") || input.Has("PerformanceInsightsKMSKeyId"))
        {
            instance["_AskedInsights"] = true;
        }
        CheckStorage(instance);
        ChooseWindows(instance);
        CheckWindows(instance);
        CheckFeatures(context, instance);
        CheckPassword(input);
        return instance;
    }

    private async Task<string> DefaultGroupAsync(RequestContext context, string vpc)
    {
        JsonObject Filter(string name, string value) => new() { ["Name"] = name, ["Values"] = new JsonArray(value) };
        var found = await Ec2.InvokeAsync(context.Detached(), "DescribeSecurityGroups", new JsonObject { ["Filters"] = new JsonArray(Filter("vpc-id", vpc), Filter("group-name", "default")) }).ConfigureAwait(false);
        return found.Objects("SecurityGroups").First().Required("GroupId");
    }

    /// <summary>Stores a checked instance and lets it come to be.</summary>
    private JsonObject Launch(RequestContext context, JsonObject input, JsonObject instance, TimeSpan duration, string message)
    {
        var id = instance.Required("DBInstanceIdentifier");
        if (input.Is("ManageMasterUserPassword"))
        {
            var key = input.Text("MasterUserSecretKmsKeyId") is { } given ? CheckKey(context, given) : null;
            Reserve(context, id);
            AddMasterSecret(context, instance, key);
            instance["MasterUserSecret"]!["SecretStatus"] = "creating";
        }
        if (!Instances(context).TryAdd(id, instance))
        {
            RemoveMasterSecret(context, instance);
            throw new ServiceFault("DBInstanceAlreadyExists", "DB instance already exists");
        }
        if (Instances(context).Count > InstanceQuota)
        {
            Instances(context).Remove(id);
            RemoveMasterSecret(context, instance);
            throw new ServiceFault("InstanceQuotaExceeded", "DB Instance quota exceeded");
        }
        foreach (var type in instance.Texts("EnabledCloudwatchLogsExports"))
        {
            Runtime.Service<Logs.LogsService>().EnsureGroup(context, $"/aws/rds/instance/{id}/{type}", create: true);
        }
        var detached = context.Detached();
        var time = instance.Is("MultiAZ") ? duration + Durations.RdsStandby : duration;
        Later(context, time, instance, document => Started(detached, document), () =>
        {
            Record(detached, instance, message, "creation");
            if (Instances(detached).Get(id) is { } made)
            {
                AfterCreation(detached, made);
            }
        });
        return new JsonObject { ["DBInstance"] = instance };
    }

    private void Reserve(RequestContext context, string id)
    {
        if (Instances(context).Contains(id))
        {
            throw new ServiceFault("DBInstanceAlreadyExists", "DB instance already exists");
        }
    }

    /// <summary>The machine is there: address, network interfaces, the time of its birth.</summary>
    private void Started(RequestContext context, JsonObject instance)
    {
        var id = instance.Required("DBInstanceIdentifier");
        instance["InstanceCreateTime"] = Documents.Time(context.Now);
        instance["Endpoint"] = new JsonObject
        {
            ["Address"] = $"{id}.{EndpointLabel(context)}.{context.Region}.rds.{context.DnsSuffix}",
            ["Port"] = instance["DbInstancePort"].Copy(),
        }.With("HostedZoneId", EndpointZones.GetValueOrDefault(context.Region));
        instance["DbInstancePort"] = 0;
        instance["CertificateDetails"] = new JsonObject { ["CAIdentifier"] = instance.Text("CACertificateIdentifier"), ["ValidTill"] = Documents.Time(context.Now.AddYears(1)) };
        if (instance.Int("MonitoringInterval") > 0)
        {
            instance["EnhancedMonitoringResourceArn"] = context.Arn("logs", $"log-group:RDSOSMetrics:log-stream:{instance.Text("DbiResourceId")}");
        }
        if (instance.Child("MasterUserSecret") is { } secret)
        {
            secret["SecretStatus"] = "active";
        }
        Place(context, instance);
        instance["DBInstanceStatus"] = (instance.Int("BackupRetentionPeriod") ?? 0) > 0 ? "backing-up" : "available";
    }

    /// <summary>Gives the instance, and its standby, a place in the network.</summary>
    private void Place(RequestContext context, JsonObject instance)
    {
        foreach (var old in instance.Texts("_Interfaces"))
        {
            Ec2.ReleaseInterface(context, old);
        }
        var subnets = instance.Child("DBSubnetGroup")!.Objects("Subnets").ToList();
        string Zone(JsonObject subnet) => subnet.Child("SubnetAvailabilityZone")!.Required("Name");
        var primary = subnets.First(subnet => Zone(subnet) == instance.Text("AvailabilityZone"));
        var standby = instance.Is("MultiAZ") ? subnets.FirstOrDefault(subnet => Zone(subnet) == instance.Text("SecondaryAvailabilityZone")) ?? subnets.First(subnet => Zone(subnet) != Zone(primary)) : null;
        var groups = instance.Objects("VpcSecurityGroups").Select(group => group.Required("VpcSecurityGroupId")).ToList();
        var interfaces = new JsonArray();
        var used = new JsonArray();
        foreach (var subnet in new[] { primary, standby }.OfType<JsonObject>())
        {
            interfaces.Add(Ec2.AllocateInterface(context, subnet.Required("SubnetIdentifier"), groups, "RDSNetworkInterface", "interface", "amazon-rds").Required("NetworkInterfaceId"));
            used.Add(subnet.Required("SubnetIdentifier"));
        }
        (instance["_Interfaces"], instance["_Subnets"]) = (interfaces, used);
        if (standby is null)
        {
            instance.Remove("SecondaryAvailabilityZone");
        }
        else
        {
            instance["SecondaryAvailabilityZone"] = Zone(standby);
        }
    }

    /// <summary>The first backup, then the round of daily ones.</summary>
    private void AfterCreation(RequestContext context, JsonObject instance)
    {
        if (instance.Text("DBInstanceStatus") != "backing-up")
        {
            return;
        }
        Record(context, instance, "Backing up DB instance", "backup");
        Later(context, Durations.RdsFirstBackup, instance, document =>
        {
            document["DBInstanceStatus"] = "available";
            document["_RestorableSince"] = Documents.Time(context.Now);
        }, () =>
        {
            Record(context, instance, "Finished DB Instance backup", "backup");
            AddAutomated(context, instance.Required("DBInstanceIdentifier"));
            ScheduleBackup(context, instance);
        });
    }

    private static void RequireAvailable(JsonObject instance, params ReadOnlySpan<string> also)
    {
        var status = instance.Required("DBInstanceStatus");
        if (status is not ("available" or "storage-optimization") && !also.Contains(status))
        {
            throw BadState($"Database instance is not in available state.");
        }
    }

    private JsonObject Shift(RequestContext context, JsonObject instance, string status) =>
        Instances(context).Update(Key(instance.Required("DBInstanceIdentifier")), document => document["DBInstanceStatus"] = status)!;

    private JsonObject RebootInstance(RequestContext context, JsonObject input)
    {
        var instance = Instance(context, input.Required("DBInstanceIdentifier"));
        RequireAvailable(instance);
        var failover = input.Is("ForceFailover");
        if (failover && !instance.Is("MultiAZ"))
        {
            throw Conflict("ForceFailover cannot be specified since the instance is not configured for MultiAZ.");
        }
        var detached = context.Detached();
        if (failover)
        {
            Record(context, instance, "Multi-AZ instance failover started.", "failover");
        }
        Later(context, failover ? Durations.RdsFailover : Durations.RdsReboot, instance, document =>
        {
            document["DBInstanceStatus"] = "available";
            SetStatus(document, "pending-reboot", "in-sync");
            if (failover)
            {
                FailOver(document);
            }
        }, () =>
        {
            Record(detached, instance, "DB instance restarted", "availability");
            if (failover)
            {
                Record(detached, instance, "Multi-AZ instance failover completed", "failover");
            }
        });
        return new JsonObject { ["DBInstance"] = Shift(context, instance, "rebooting") };
    }

    /// <summary>The standby takes over: the address stays, the zones change places.</summary>
    private static void FailOver(JsonObject instance) =>
        (instance["AvailabilityZone"], instance["SecondaryAvailabilityZone"]) = (instance["SecondaryAvailabilityZone"].Copy(), instance["AvailabilityZone"].Copy());

    private JsonObject StopInstance(RequestContext context, JsonObject input)
    {
        var instance = Instance(context, input.Required("DBInstanceIdentifier"));
        if (instance.Has("ReadReplicaSourceDBInstanceIdentifier") || instance.Texts("ReadReplicaDBInstanceIdentifiers").Count > 0)
        {
            throw BadState("Stopping or starting a DB instance that is a read replica or has read replicas is not supported.");
        }
        RequireAvailable(instance);
        if (input.Text("DBSnapshotIdentifier") is { } snapshot)
        {
            NewSnapshot(context, instance, snapshot, "manual", new JsonArray());
        }
        var detached = context.Detached();
        Later(context, Durations.RdsStop, instance, document =>
        {
            document["DBInstanceStatus"] = "stopped";
            document["_StoppedAt"] = Documents.Time(detached.Now);
            document["AutomaticRestartTime"] = Documents.Time(detached.Now.AddDays(7));
        }, () => Record(detached, instance, "DB instance stopped", "notification"));
        var restart = Durations.RdsStop + TimeSpan.FromDays(7);
        var stopped = context.Now;
        Runtime.After(restart, () =>
        {
            // After seven days RDS starts what is stopped, so that it does not miss maintenance.
            if (Instances(detached).Get(Key(instance.Required("DBInstanceIdentifier"))) is { } still && still.Text("DbiResourceId") == instance.Text("DbiResourceId")
                && still.Text("DBInstanceStatus") == "stopped" && still.TimeOf("_StoppedAt") <= stopped + Durations.RdsStop)
            {
                Record(detached, still, "DB instance is being started due to it exceeding the maximum allowed time being stopped.", "notification");
                StartInstance(detached, new JsonObject { ["DBInstanceIdentifier"] = still.Text("DBInstanceIdentifier") });
            }
        });
        return new JsonObject { ["DBInstance"] = Shift(context, instance, "stopping") };
    }

    private JsonObject StartInstance(RequestContext context, JsonObject input)
    {
        var instance = Instance(context, input.Required("DBInstanceIdentifier"));
        if (instance.Text("DBInstanceStatus") != "stopped")
        {
            throw BadState($"Instance {instance.Text("DBInstanceIdentifier")} is not in stopped state.");
        }
        var detached = context.Detached();
        Later(context, Durations.RdsStart, instance, document =>
        {
            document["DBInstanceStatus"] = "available";
            document.Remove("_StoppedAt");
            document.Remove("AutomaticRestartTime");
        }, () => Record(detached, instance, "DB instance started", "notification"));
        return new JsonObject { ["DBInstance"] = Shift(context, instance, "starting") };
    }

    private JsonObject DeleteInstance(RequestContext context, JsonObject input)
    {
        var instance = Instance(context, input.Required("DBInstanceIdentifier"));
        var id = instance.Required("DBInstanceIdentifier");
        var (skip, final) = (input.Is("SkipFinalSnapshot"), input.Text("FinalDBSnapshotIdentifier"));
        if (instance.Text("DBInstanceStatus") == "deleting")
        {
            throw BadState($"Instance {id} is already being deleted.");
        }
        if (instance.Is("DeletionProtection"))
        {
            throw Conflict("Cannot delete protected DB Instance, please disable deletion protection and try again.");
        }
        if (skip && final is not null)
        {
            throw Conflict("FinalDBSnapshotIdentifier can not be specified when deleting with SkipFinalSnapshot.");
        }
        var isReplica = instance.Has("ReadReplicaSourceDBInstanceIdentifier");
        if (!skip && final is null && !isReplica)
        {
            throw Conflict("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.");
        }
        if (isReplica && final is not null)
        {
            throw BadState("A final snapshot can't be created when deleting a read replica.");
        }
        RequireAvailable(instance, "stopped", "failed", "storage-full", "incompatible-parameters", "incompatible-restore", "incompatible-network", "creating");
        if (final is not null)
        {
            if (instance.Text("DBInstanceStatus") is "creating" or "stopped")
            {
                throw BadState($"Cannot create a snapshot because the database instance {id} is not currently in the available state.");
            }
            NewSnapshot(context, instance, final, "manual", instance.Is("CopyTagsToSnapshot") ? instance["TagList"].Copy() : new JsonArray());
        }
        LeaveReplication(context, instance);
        var keep = input.Flag("DeleteAutomatedBackups") == false && (instance.Int("BackupRetentionPeriod") ?? 0) > 0 && !isReplica;
        var detached = context.Detached();
        var deleting = Shift(context, instance, "deleting");
        Later(context, final is null ? Durations.RdsDelete : Durations.RdsDelete + Durations.RdsSnapshot, instance, static _ => { }, () =>
        {
            foreach (var item in Instances(detached).Get(id)!.Texts("_Interfaces"))
            {
                Ec2.ReleaseInterface(detached, item);
            }
            Instances(detached).Remove(id);
            RemoveMasterSecret(detached, instance);
            EndAutomatedBackups(detached, instance, keep);
            Record(detached, instance, "DB instance deleted", "deletion");
        });
        return new JsonObject { ["DBInstance"] = deleting };
    }

    private void AddMasterSecret(RequestContext context, JsonObject instance, string? key)
    {
        var arn = Runtime.Service<SecretsManagerService>().CreateManaged(context, $"rds!db-{Runtime.Ids.Uuid()}", "rds",
            new JsonObject { ["username"] = instance.Text("MasterUsername"), ["password"] = NewPassword() }.ToJsonString(JsonText), key,
            $"The secret associated with the primary RDS DB instance: {instance.Text("DBInstanceArn")}", ("aws:rds:primaryDBInstanceArn", instance.Required("DBInstanceArn")), TimeSpan.FromDays(7));
        instance["MasterUserSecret"] = new JsonObject
        {
            ["SecretArn"] = arn,
            ["SecretStatus"] = "active",
            ["KmsKeyId"] = key ?? Runtime.Service<Kms.KmsService>().ServiceKeyArn(context, "secretsmanager"),
        };
        instance.Remove("_Password");
    }

    private void RemoveMasterSecret(RequestContext context, JsonObject instance)
    {
        if (instance.Child("MasterUserSecret")?.Text("SecretArn") is { } arn)
        {
            Runtime.Service<SecretsManagerService>().DeleteManaged(context, arn);
        }
    }

    private static readonly System.Text.Json.JsonSerializerOptions JsonText = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string NewPassword() => SecretsManagerService.RandomPassword(new JsonObject { ["PasswordLength"] = 28, ["ExcludeCharacters"] = "/@\"\\ '" });

    /// <summary>A new password for a managed secret, when it is rotated: the instance's status tells, and the login follows.</summary>
    public void MasterSecretRotates(RequestContext context, string secretArn, bool isDone)
    {
        if (Instances(context).Find(item => item.Child("MasterUserSecret")?.Text("SecretArn") == secretArn) is { } instance)
        {
            Instances(context).Update(Key(instance.Required("DBInstanceIdentifier")), document => document["MasterUserSecret"]!["SecretStatus"] = isDone ? "active" : "rotating");
            if (isDone)
            {
                Record(context, instance, "The master user password was reset", "configuration change");
            }
        }
    }

    private static string Stamp(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-dd-HH-mm", CultureInfo.InvariantCulture);
}
