using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>Changes of instances: some at once, some in the maintenance window unless they are to be applied immediately.</summary>
internal sealed partial class RdsService
{
    /// <summary>What waits for the window, by its name in the request and in the instance.</summary>
    private static readonly (string Asked, string Held)[] Deferred =
    [
        ("DBInstanceClass", "DBInstanceClass"), ("AllocatedStorage", "AllocatedStorage"), ("MultiAZ", "MultiAZ"), ("EngineVersion", "EngineVersion"), ("Iops", "Iops"),
        ("StorageThroughput", "StorageThroughput"), ("StorageType", "StorageType"), ("DBPortNumber", "Port"), ("CACertificateIdentifier", "CACertificateIdentifier"), ("NewDBInstanceIdentifier", "DBInstanceIdentifier"),
    ];

    private void AddModification()
    {
        On("ModifyDBInstance", ModifyInstance);
        On("DescribePendingMaintenanceActions", (context, input) => Paged(input, [], "PendingMaintenanceActions"));
    }

    private JsonObject ModifyInstance(RequestContext context, JsonObject input)
    {
        var instance = Instance(context, input.Required("DBInstanceIdentifier"));
        RequireAvailable(instance, "stopped", "storage-full");
        CheckPassword(input);
        var next = instance.Copy();
        var immediate = input.Is("ApplyImmediately");
        var version = CheckUpgrade(instance, input);
        foreach (var (asked, member) in ((string, string)[])[("PreferredBackupWindow", "PreferredBackupWindow"), ("PreferredMaintenanceWindow", "PreferredMaintenanceWindow"), ("BackupRetentionPeriod", "BackupRetentionPeriod"),
            ("AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade"), ("CopyTagsToSnapshot", "CopyTagsToSnapshot"), ("MonitoringInterval", "MonitoringInterval"), ("MonitoringRoleArn", "MonitoringRoleArn"),
            ("PubliclyAccessible", "PubliclyAccessible"), ("EnableIAMDatabaseAuthentication", "IAMDatabaseAuthenticationEnabled"), ("DatabaseInsightsMode", "DatabaseInsightsMode"), ("DeletionProtection", "DeletionProtection"),
            ("EnablePerformanceInsights", "PerformanceInsightsEnabled"), ("PerformanceInsightsRetentionPeriod", "PerformanceInsightsRetentionPeriod"), ("MaxAllocatedStorage", "MaxAllocatedStorage")])
        {
            next.With(member, input[asked].Copy());
        }
        if (input.Int("MonitoringInterval") == 0)
        {
            next.Remove("MonitoringRoleArn");
        }
        SetInsights(context, next, input);
        SetLogExports(context, next, input);
        if (input.Texts("VpcSecurityGroupIds") is { Count: > 0 } groups)
        {
            next["VpcSecurityGroups"] = CheckSecurityGroups(context, groups, next.Child("DBSubnetGroup")!.Required("VpcId"));
        }
        // What is to change of the machine is checked on a copy that has it already.
        var target = next.Copy();
        foreach (var (asked, member) in Deferred)
        {
            if (input.Has(asked) && asked is not ("EngineVersion" or "NewDBInstanceIdentifier" or "DBPortNumber"))
            {
                target[member] = input[asked].Copy();
            }
        }
        CheckChanges(context, instance, target, input, version);
        var pending = new JsonObject();
        foreach (var (asked, member) in Deferred)
        {
            var value = asked == "EngineVersion" ? (version is null ? null : JsonValue.Create(version.Text)) : input[asked].Copy();
            var present = asked == "DBPortNumber" ? instance.Child("Endpoint")?["Port"] : instance[member];
            if (value is not null && Documents.AsText(value) != Documents.AsText(present))
            {
                pending[member] = value;
            }
        }
        if (version is not null)
        {
            next["_AskedVersion"] = input.Text("EngineVersion");
        }
        ChangeGroup(context, next, input, version);
        ChangeSecret(context, next, input);
        (next["_AskedIops"], next["_AskedThroughput"]) = (input["Iops"].Copy() ?? instance["_AskedIops"].Copy(), input["StorageThroughput"].Copy() ?? instance["_AskedThroughput"].Copy());
        var all = next.ChildOrNew("PendingModifiedValues");
        foreach (var (name, value) in pending)
        {
            all[name] = value.Copy();
        }
        Instances(context).Put(Key(instance.Required("DBInstanceIdentifier")), next);
        if (input.Is("RotateMasterUserPassword"))
        {
            Runtime.Service<SecretsManager.SecretsManagerService>().RotateNow(context, next.Child("MasterUserSecret")!.Required("SecretArn"));
        }
        if (next.Int("BackupRetentionPeriod") > 0 && instance.Int("BackupRetentionPeriod") == 0)
        {
            AfterCreation(context.Detached(), Shift(context, next, "backing-up"));
        }
        var restarts = !Documents.Same(instance["DBParameterGroups"], next["DBParameterGroups"]);
        if (restarts)
        {
            Later(context, Durations.RdsParametersApply, next, document => SetStatus(document, "applying", "pending-reboot"));
        }
        if (all.Count > 0 && immediate)
        {
            ApplyPending(context, next);
        }
        else if (all.Count > 0)
        {
            var resource = next.Text("DbiResourceId");
            var detached = context.Detached();
            Runtime.Clock.Schedule(NextWindow(next.Required("PreferredMaintenanceWindow"), context.Now), () =>
            {
                if (Instances(detached).Find(item => item.Text("DbiResourceId") == resource) is { } due && due.Child("PendingModifiedValues") is { Count: > 0 } && due.Text("DBInstanceStatus") == "available")
                {
                    ApplyPending(detached, due);
                }
            });
        }
        else if (!Documents.Same(next, instance) && next.Text("DBInstanceStatus") == "available")
        {
            Shift(context, next, "modifying");
            Later(context, Durations.RdsModifySettings, next, static document => document["DBInstanceStatus"] = "available");
        }
        return new JsonObject { ["DBInstance"] = View(context, Instance(context, input.Required("DBInstanceIdentifier"))) };
    }

    private static PostgresVersion? CheckUpgrade(JsonObject instance, JsonObject input)
    {
        var present = PostgresVersions.Find(instance.Required("EngineVersion"))!;
        if (input.Text("EngineVersion") is not { } text || text == present.Text || text == $"{present.Major}")
        {
            return null;
        }
        var wanted = CheckVersion(text);
        if (!PostgresVersions.Targets(present).Contains(wanted))
        {
            throw Conflict($"Cannot upgrade postgres from {present.Text} to {wanted.Text}");
        }
        if (wanted.Major == present.Major)
        {
            return wanted;
        }
        if (!input.Is("AllowMajorVersionUpgrade"))
        {
            throw Conflict("The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.");
        }
        var group = instance.Objects("DBParameterGroups").First().Required("DBParameterGroupName");
        if (!input.Has("DBParameterGroupName") && !group.StartsWith("default.", StringComparison.Ordinal))
        {
            throw Conflict($"The current DB instance parameter group {group} is custom. You must explicitly specify a new DB parameter group name, either default or custom, for the engine version upgrade.");
        }
        return instance.Has("ReadReplicaSourceDBInstanceIdentifier")
            ? throw BadState("You can't perform a major version upgrade on a read replica. Upgrade its source, which upgrades the replicas, or promote it first.")
            : wanted;
    }

    private void CheckChanges(RequestContext context, JsonObject instance, JsonObject target, JsonObject input, PostgresVersion? version)
    {
        var engine = version ?? PostgresVersions.Find(instance.Required("EngineVersion"))!;
        CheckClass(target.Required("DBInstanceClass"), engine);
        var (was, now) = (instance.Int("AllocatedStorage"), target.Int("AllocatedStorage"));
        if (now < was)
        {
            throw Conflict($"Requested allocated storage {now} is less than the current allocated storage {was}. Storage can't be reduced.");
        }
        if (now > was && now * 10L < was * 11L)
        {
            throw Conflict($"The allocated storage must be increased by at least 10 percent: {was} to {now}.");
        }
        if (instance.Text("DBInstanceStatus") == "storage-optimization" && (now != was || target.Text("StorageType") != instance.Text("StorageType")))
        {
            throw Conflict("You can't currently modify the storage of this DB instance because the previous storage change is being optimized.");
        }
        (target["_AskedIops"], target["_AskedThroughput"]) = (input["Iops"].Copy() ?? instance["_AskedIops"].Copy(), input["StorageThroughput"].Copy() ?? instance["_AskedThroughput"].Copy());
        CheckStorage(target);
        CheckWindows(target);
        if (input.Int("DBPortNumber") is { } port)
        {
            target["DbInstancePort"] = port;
        }
        else
        {
            target.Remove("DbInstancePort");
        }
        CheckFeatures(context, target);
        if (input.Text("NewDBInstanceIdentifier") is { } name && CheckIdentifier(name, "NewDBInstanceIdentifier") is var key && key != instance.Text("DBInstanceIdentifier"))
        {
            Reserve(context, key);
        }
    }

    private void SetInsights(RequestContext context, JsonObject next, JsonObject input)
    {
        if (!next.Is("PerformanceInsightsEnabled"))
        {
            next.Remove("PerformanceInsightsRetentionPeriod");
            next.Remove("PerformanceInsightsKMSKeyId");
            return;
        }
        next["PerformanceInsightsRetentionPeriod"] ??= 7;
        var key = input.Text("PerformanceInsightsKMSKeyId");
        if (next.Text("PerformanceInsightsKMSKeyId") is { } present && key is not null && CheckKey(context, key) != present)
        {
            throw Conflict("You can't change the Performance Insights KMS key of a DB instance that has one.");
        }
        next["PerformanceInsightsKMSKeyId"] ??= CheckKey(context, key);
    }

    private void SetLogExports(RequestContext context, JsonObject next, JsonObject input)
    {
        if (input.Child("CloudwatchLogsExportConfiguration") is not { } change)
        {
            return;
        }
        var types = next.Texts("EnabledCloudwatchLogsExports").Except(change.Texts("DisableLogTypes")).Union(change.Texts("EnableLogTypes")).ToList();
        foreach (var type in types.Where(LogTypes.Contains))
        {
            Runtime.Service<Logs.LogsService>().EnsureGroup(context, $"/aws/rds/instance/{next.Text("DBInstanceIdentifier")}/{type}", create: true);
        }
        next["EnabledCloudwatchLogsExports"] = types.ToTextList();
    }

    private void ChangeGroup(RequestContext context, JsonObject next, JsonObject input, PostgresVersion? version)
    {
        var engine = version ?? PostgresVersions.Find(next.Required("EngineVersion"))!;
        var present = next.Objects("DBParameterGroups").First().Required("DBParameterGroupName");
        var wanted = input.Has("DBParameterGroupName") ? CheckParameterGroup(context, input.Text("DBParameterGroupName"), engine)
            : version is not null && present.StartsWith("default.", StringComparison.Ordinal) ? "default." + engine.Family : present;
        if (wanted != present)
        {
            next["DBParameterGroups"] = new JsonArray(new JsonObject { ["DBParameterGroupName"] = wanted, ["ParameterApplyStatus"] = "applying" });
        }
    }

    private void ChangeSecret(RequestContext context, JsonObject next, JsonObject input)
    {
        if (input.Is("ManageMasterUserPassword") && !next.Has("MasterUserSecret"))
        {
            AddMasterSecret(context, next, input.Text("MasterUserSecretKmsKeyId") is { } key ? CheckKey(context, key) : null);
        }
        else if (input.Flag("ManageMasterUserPassword") == false && next.Has("MasterUserSecret"))
        {
            next["_Password"] = input.Text("MasterUserPassword") ?? throw Conflict("You must specify MasterUserPassword when you disable ManageMasterUserPassword.");
            RemoveMasterSecret(context, next);
            next.Remove("MasterUserSecret");
        }
        else if (input.Has("MasterUserPassword"))
        {
            if (next.Has("MasterUserSecret"))
            {
                throw Conflict("You can't specify MasterUserPassword for an instance with ManageMasterUserPassword enabled.");
            }
            next["_Password"] = input.Text("MasterUserPassword");
        }
        if (input.Is("RotateMasterUserPassword") && !next.Has("MasterUserSecret"))
        {
            throw Conflict("RotateMasterUserPassword needs ManageMasterUserPassword.");
        }
    }

    /// <summary>Carries out what is pending: as long as the slowest of the changes takes.</summary>
    private void ApplyPending(RequestContext context, JsonObject instance)
    {
        var pending = instance.Child("PendingModifiedValues")!.Copy();
        var old = PostgresVersions.Find(instance.Required("EngineVersion"))!;
        var version = pending.Text("EngineVersion") is { } text ? PostgresVersions.Find(text) : null;
        var major = version is not null && version.Major != old.Major;
        var status = version is not null ? "upgrading" : pending.Has("DBInstanceIdentifier") ? "renaming" : pending.Has("Port") ? "rebooting" : "modifying";
        var duration = new[]
        {
            version is null ? TimeSpan.Zero : major ? Durations.RdsMajorUpgrade : Durations.RdsMinorUpgrade,
            pending.Has("DBInstanceClass") ? Durations.RdsModifyClass : TimeSpan.Zero,
            pending.Is("MultiAZ") ? Durations.RdsStandby : TimeSpan.Zero,
            pending.Has("AllocatedStorage") || pending.Has("StorageType") || pending.Has("Iops") ? Durations.RdsModifyStorage : TimeSpan.Zero,
            Durations.RdsModifySettings,
        }.Max();
        var detached = context.Detached();
        var resized = pending.Has("AllocatedStorage") || pending.Has("StorageType") || pending.Has("Iops") || pending.Has("StorageThroughput");
        if (major && instance.Int("BackupRetentionPeriod") > 0)
        {
            NewSnapshot(context, instance, $"rds:preupgrade-{instance.Text("DBInstanceIdentifier")}-{old.Text.Replace('.', '-')}-to-{version!.Text.Replace('.', '-')}-{Stamp(context.Now)}", "automated", new JsonArray());
        }
        Shift(context, instance, status);
        Later(context, duration, instance, document =>
        {
            foreach (var (name, value) in pending)
            {
                switch (name)
                {
                    case "Port":
                        document["Endpoint"]!["Port"] = value.Copy();
                        break;
                    case "CACertificateIdentifier":
                        document[name] = value.Copy();
                        document["CertificateDetails"]!["CAIdentifier"] = value.Copy();
                        break;
                    case "DBInstanceIdentifier":
                        break;
                    default:
                        document[name] = value.Copy();
                        break;
                }
            }
            document["PendingModifiedValues"] = new JsonObject();
            CheckStorage(document);
            if (major)
            {
                document["OptionGroupMemberships"] = new JsonArray(new JsonObject { ["OptionGroupName"] = $"default:postgres-{version!.Major}", ["Status"] = "in-sync" });
            }
            if (version is not null || pending.Has("DBInstanceClass") || pending.Has("Port"))
            {
                SetStatus(document, "pending-reboot", "in-sync");
                SetStatus(document, "applying", "in-sync");
            }
            if (pending.Has("MultiAZ"))
            {
                Place(detached, document);
            }
            document["DBInstanceStatus"] = resized ? "storage-optimization" : "available";
        }, () =>
        {
            Record(detached, instance, version is null ? "Finished applying modification to DB instance" : $"The database engine version has been upgraded to {version.Text}", version is null ? "configuration change" : "maintenance");
            if (pending.Text("DBInstanceIdentifier") is { } name)
            {
                Rename(detached, instance.Required("DBInstanceIdentifier"), Key(name));
            }
            else if (resized && Instances(detached).Get(Key(instance.Required("DBInstanceIdentifier"))) is { } grown)
            {
                Later(detached, Durations.RdsStorageOptimization, grown, static document =>
                {
                    if (document.Text("DBInstanceStatus") == "storage-optimization")
                    {
                        document["DBInstanceStatus"] = "available";
                    }
                });
            }
            if (major)
            {
                UpgradeReplicas(detached, instance, version!);
            }
        });
    }

    private void Rename(RequestContext context, string from, string to)
    {
        var instance = Instances(context).Get(from)!;
        instance["DBInstanceIdentifier"] = to;
        instance["DBInstanceArn"] = context.Arn("rds", "db:" + to);
        instance["Endpoint"]!["Address"] = to + instance.Child("Endpoint")!.Required("Address")[from.Length..];
        Instances(context).Remove(from);
        Instances(context).Put(to, instance);
        Record(context, instance, $"Renamed instance from {from} to {to}", "configuration change");
    }
}
