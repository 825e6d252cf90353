using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>The AWS::RDS resource types.</summary>
internal static class RdsResources
{
    /// <summary>Template words for what the API calls otherwise.</summary>
    private static readonly (string Property, string Member)[] Renames = [("VPCSecurityGroups", "VpcSecurityGroupIds")];

    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<RdsService>();
        return [Instance(service), SubnetGroup(service), ParameterGroup(service)];
    }

    private static JsonObject Id(string id) => new() { ["DBInstanceIdentifier"] = id };

    private static async Task<JsonObject> FindAsync(RdsService service, ProvisionContext context, string id) =>
        (await service.CallAsync(context, "DescribeDBInstances", Id(id)).ConfigureAwait(false)).Objects("DBInstances").First();

    private static async Task RetagAsync(RdsService service, ProvisionContext context, string arn, JsonObject before, JsonObject after)
    {
        var (put, removed) = ProviderExtensions.TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await service.CallAsync(context, "RemoveTagsFromResource", new JsonObject { ["ResourceName"] = arn, ["TagKeys"] = removed }).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await service.CallAsync(context, "AddTagsToResource", new JsonObject { ["ResourceName"] = arn, ["Tags"] = put }).ConfigureAwait(false);
        }
    }

    private static Task AvailableAsync(RdsService service, ProvisionContext context, string id) => context.WaitUntilAsync(async () =>
    {
        var instance = await FindAsync(service, context, id).ConfigureAwait(false);
        return instance.Text("DBInstanceStatus") switch
        {
            "available" or "storage-optimization" or "stopped" => true,
            "failed" or "incompatible-network" or "incompatible-restore" or "incompatible-parameters" =>
                throw new ServiceFault("NotStabilized", $"DB instance {id} is in state {instance.Text("DBInstanceStatus")}"),
            _ => false,
        };
    }, TimeSpan.FromSeconds(30));

    private static Provider Instance(RdsService service) => new("AWS::RDS::DBInstance")
    {
        Service = "Rds",
        Gone = ["DBInstanceNotFound"],
        Busy = ["InvalidDBInstanceState"],
        Replaces = static (property, before, after) => property switch
        {
            "DBSnapshotIdentifier" or "RestoreTime" or "UseLatestRestorableTime" or "SourceDbiResourceId" or "SourceDBInstanceAutomatedBackupsArn" => true,
            "Engine" => before.Text("Engine") is { } was && after.Text("Engine") is { } now && was != now,
            "AvailabilityZone" => !after.Is("MultiAZ") && after.Has("AvailabilityZone"),
            // Taken away, it promotes the replica; another source is another replica.
            "SourceDBInstanceIdentifier" => after.Has("SourceDBInstanceIdentifier"),
            "PerformanceInsightsKMSKeyId" => before.Is("EnablePerformanceInsights") && before.Has("PerformanceInsightsKMSKeyId"),
            _ => false,
        },
        Create = async (context, properties) =>
        {
            var id = context.NameOf(properties, "DBInstanceIdentifier", 63, lowerCase: true).ToLowerInvariant();
            var input = properties.Tagged(context);
            input["DBInstanceIdentifier"] = id;
            var operation = properties.Has("DBSnapshotIdentifier") ? "RestoreDBInstanceFromDBSnapshot"
                : properties.Has("RestoreTime") || properties.Is("UseLatestRestorableTime") ? "RestoreDBInstanceToPointInTime"
                : properties.Has("SourceDBInstanceIdentifier") ? "CreateDBInstanceReadReplica" : "CreateDBInstance";
            if (operation == "RestoreDBInstanceToPointInTime")
            {
                input["TargetDBInstanceIdentifier"] = id;
            }
            if (properties.Child("MasterUserSecret")?.Text("KmsKeyId") is { } key)
            {
                input["MasterUserSecretKmsKeyId"] = key;
            }
            await service.CallMappedAsync(context, operation, input, Renames).ConfigureAwait(false);
            context.Initiated(id);
            await AvailableAsync(service, context, id).ConfigureAwait(false);
            if (operation != "CreateDBInstance")
            {
                // What a restore or a replica cannot be told at its birth.
                await ModifyAsync(service, context, id, [], properties, ["AllowMajorVersionUpgrade", "EngineVersion", "MultiAZ", "Port"]).ConfigureAwait(false);
            }
            return id;
        },
        Update = async (context, id, before, after) =>
        {
            if (before.Has("SourceDBInstanceIdentifier") && !after.Has("SourceDBInstanceIdentifier"))
            {
                await service.CallMappedAsync(context, "PromoteReadReplica", after.Pick("BackupRetentionPeriod", "PreferredBackupWindow").With("DBInstanceIdentifier", id)).ConfigureAwait(false);
                await AvailableAsync(service, context, id).ConfigureAwait(false);
            }
            await ModifyAsync(service, context, id, before, after, []).ConfigureAwait(false);
            var arn = (await FindAsync(service, context, id).ConfigureAwait(false)).Required("DBInstanceArn");
            await RetagAsync(service, context, arn, before, after).ConfigureAwait(false);
        },
        Delete = async (context, id, properties) =>
        {
            var instance = await FindAsync(service, context, id).ConfigureAwait(false);
            if (instance.Text("DBInstanceStatus") != "deleting")
            {
                var snapshot = context.TakeSnapshot && !instance.Has("ReadReplicaSourceDBInstanceIdentifier") && instance.Has("Endpoint");
                var input = Id(id).With("SkipFinalSnapshot", !snapshot).With("DeleteAutomatedBackups", properties["DeleteAutomatedBackups"].Copy());
                if (snapshot)
                {
                    input["FinalDBSnapshotIdentifier"] = $"{context.StackName}-snapshot-{context.LogicalId}-{context.Runtime.Ids.Lower(12)}".ToLowerInvariant();
                }
                await service.CallMappedAsync(context, "DeleteDBInstance", input).ConfigureAwait(false);
            }
            // Until it is gone, which FindAsync says with a fault that counts as deleted.
            await context.WaitUntilAsync(async () => await FindAsync(service, context, id).ConfigureAwait(false) is null, TimeSpan.FromSeconds(15)).ConfigureAwait(false);
        },
        Read = async (context, id) =>
        {
            var instance = await FindAsync(service, context, id).ConfigureAwait(false);
            return instance.Text("DBInstanceStatus") == "deleting" ? null : Properties(instance);
        },
        Attributes = async (context, id) =>
        {
            var instance = await FindAsync(service, context, id).ConfigureAwait(false);
            var (endpoint, secret, certificate) = (instance.Child("Endpoint"), instance.Child("MasterUserSecret"), instance.Child("CertificateDetails"));
            return ProviderExtensions.Attributes(("Endpoint.Address", endpoint?["Address"]), ("Endpoint.Port", endpoint?.Text("Port")), ("Endpoint.HostedZoneId", endpoint?["HostedZoneId"]),
                ("DBInstanceArn", instance["DBInstanceArn"]), ("DbiResourceId", instance["DbiResourceId"]), ("MasterUserSecret.SecretArn", secret?["SecretArn"]),
                ("CertificateDetails.CAIdentifier", certificate?["CAIdentifier"]), ("CertificateDetails.ValidTill", certificate?["ValidTill"]),
                ("DBInstanceStatus", instance["DBInstanceStatus"]), ("InstanceCreateTime", instance["InstanceCreateTime"]), ("SecondaryAvailabilityZone", instance["SecondaryAvailabilityZone"]));
        },
    };

    private static async Task ModifyAsync(RdsService service, ProvisionContext context, string id, JsonObject before, JsonObject after, string[] except)
    {
        var changed = new JsonObject();
        foreach (var (name, value) in after)
        {
            if (name is not ("Tags" or "MasterUsername" or "KmsKeyId" or "DBSubnetGroupName") && !except.Contains(name) && after.Changed(before, name))
            {
                changed[name] = value.Copy();
            }
        }
        foreach (var name in (string[])["EnablePerformanceInsights", "DeletionProtection", "CopyTagsToSnapshot", "EnableIAMDatabaseAuthentication", "MultiAZ"])
        {
            if (before.Is(name) && !after.Has(name))
            {
                changed[name] = false;
            }
        }
        if (before.Has("MaxAllocatedStorage") && !after.Has("MaxAllocatedStorage"))
        {
            // The same as the allocated storage: autoscaling is off.
            changed["MaxAllocatedStorage"] = after["AllocatedStorage"].Copy();
        }
        if (changed.Has("MonitoringRoleArn") || changed.Has("MonitoringInterval"))
        {
            changed["MonitoringInterval"] = after["MonitoringInterval"].Copy() ?? 0;
        }
        if (after.Changed(before, "EnableCloudwatchLogsExports") && (after.Has("EnableCloudwatchLogsExports") || before.Has("EnableCloudwatchLogsExports")))
        {
            changed["CloudwatchLogsExportConfiguration"] = new JsonObject
            {
                ["EnableLogTypes"] = after["EnableCloudwatchLogsExports"].Copy() ?? new JsonArray(),
                ["DisableLogTypes"] = before.Texts("EnableCloudwatchLogsExports").Except(after.Texts("EnableCloudwatchLogsExports")).ToTextList(),
            };
        }
        if (changed.Has("EngineVersion"))
        {
            changed.Take(after, "AllowMajorVersionUpgrade", "DBParameterGroupName");
        }
        if (changed.Has("PerformanceInsightsRetentionPeriod") || changed.Has("DatabaseInsightsMode"))
        {
            changed.Take(after, "EnablePerformanceInsights", "PerformanceInsightsRetentionPeriod", "DatabaseInsightsMode");
        }
        if (after.Child("MasterUserSecret")?.Text("KmsKeyId") is { } key && changed.Has("ManageMasterUserPassword"))
        {
            changed["MasterUserSecretKmsKeyId"] = key;
        }
        var input = PropertyMapper.ToInput(service, "ModifyDBInstance", changed, [.. Renames, ("Port", "DBPortNumber")]);
        input.Remove("AllowMajorVersionUpgrade");
        if (input.Count == 0)
        {
            return;
        }
        input.With("AllowMajorVersionUpgrade", after["AllowMajorVersionUpgrade"].Copy());
        input["DBInstanceIdentifier"] = id;
        input["ApplyImmediately"] = after.Flag("ApplyImmediately") ?? true;
        await service.CallMappedAsync(context, "ModifyDBInstance", input).ConfigureAwait(false);
        await AvailableAsync(service, context, id).ConfigureAwait(false);
    }

    private static JsonObject Properties(JsonObject instance)
    {
        var properties = instance.Pick("DBInstanceIdentifier", "DBInstanceClass", "Engine", "MasterUsername", "DBName", "AllocatedStorage", "MaxAllocatedStorage", "StorageType", "StorageEncrypted", "KmsKeyId",
            "BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow", "MultiAZ", "AutoMinorVersionUpgrade", "PubliclyAccessible", "CACertificateIdentifier", "CopyTagsToSnapshot",
            "MonitoringInterval", "MonitoringRoleArn", "DatabaseInsightsMode", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod", "DeletionProtection", "LicenseModel", "NetworkType");
        var (actual, asked) = (instance.Required("EngineVersion"), instance.Text("_AskedVersion"));
        // A template that says 17 is satisfied by every minor version of it.
        properties["EngineVersion"] = asked is not null && actual.StartsWith(asked + ".", StringComparison.Ordinal) ? asked : actual;
        properties["Port"] = instance.Child("Endpoint")?.Text("Port");
        properties["DBSubnetGroupName"] = instance.Child("DBSubnetGroup")?.Text("DBSubnetGroupName");
        properties["DBParameterGroupName"] = instance.Objects("DBParameterGroups").First().Text("DBParameterGroupName");
        properties["VPCSecurityGroups"] = instance.Objects("VpcSecurityGroups").Select(group => group.Required("VpcSecurityGroupId")).ToTextList();
        properties["EnableCloudwatchLogsExports"] = instance["EnabledCloudwatchLogsExports"].Copy() ?? new JsonArray();
        properties["EnableIAMDatabaseAuthentication"] = instance.Is("IAMDatabaseAuthenticationEnabled");
        properties["EnablePerformanceInsights"] = instance.Is("PerformanceInsightsEnabled");
        properties["ManageMasterUserPassword"] = instance.Has("MasterUserSecret");
        if (instance.Has("_AskedIops") || instance.Text("StorageType") is "io1" or "io2")
        {
            properties.Take(instance, "Iops");
        }
        if (instance.Has("_AskedThroughput"))
        {
            properties.Take(instance, "StorageThroughput");
        }
        if (instance.Text("MasterUserSecret") is null && instance.Child("MasterUserSecret") is { } secret)
        {
            properties["MasterUserSecret"] = secret.Pick("KmsKeyId", "SecretArn");
        }
        properties["Tags"] = Tags.OfTemplate(instance.Objects("TagList"));
        return properties;
    }

    private static Provider SubnetGroup(RdsService service)
    {
        async Task<JsonObject> Group(ProvisionContext context, string name) =>
            (await service.CallAsync(context, "DescribeDBSubnetGroups", new JsonObject { ["DBSubnetGroupName"] = name }).ConfigureAwait(false)).Objects("DBSubnetGroups").First();
        return new Provider("AWS::RDS::DBSubnetGroup")
        {
            Service = "Rds",
            Gone = ["DBSubnetGroupNotFoundFault"],
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateDBSubnetGroup", properties.Tagged(context));
                input["DBSubnetGroupName"] = context.NameOf(properties, "DBSubnetGroupName", lowerCase: true);
                return (await service.CallAsync(context, "CreateDBSubnetGroup", input).ConfigureAwait(false)).Child("DBSubnetGroup")!.Required("DBSubnetGroupName");
            },
            Update = async (context, name, before, after) =>
            {
                if (after.Changed(before, "SubnetIds", "DBSubnetGroupDescription"))
                {
                    await service.CallMappedAsync(context, "ModifyDBSubnetGroup", after.Pick("SubnetIds", "DBSubnetGroupDescription").With("DBSubnetGroupName", name)).ConfigureAwait(false);
                }
                await RetagAsync(service, context, (await Group(context, name).ConfigureAwait(false)).Required("DBSubnetGroupArn"), before, after).ConfigureAwait(false);
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeleteDBSubnetGroup", new JsonObject { ["DBSubnetGroupName"] = name }),
            Read = async (context, name) =>
            {
                var group = await Group(context, name).ConfigureAwait(false);
                return group.Pick("DBSubnetGroupName", "DBSubnetGroupDescription").With("SubnetIds", group.Objects("Subnets").Select(subnet => subnet.Required("SubnetIdentifier")).ToTextList())
                    .With("Tags", Tags.OfTemplate(group.Objects("TagList")));
            },
        };
    }

    private static Provider ParameterGroup(RdsService service)
    {
        JsonObject Name(string name) => new() { ["DBParameterGroupName"] = name };
        async Task<JsonObject> Group(ProvisionContext context, string name) =>
            (await service.CallAsync(context, "DescribeDBParameterGroups", Name(name)).ConfigureAwait(false)).Objects("DBParameterGroups").First();
        async Task Set(ProvisionContext context, string name, JsonObject before, JsonObject after)
        {
            var family = (await Group(context, name).ConfigureAwait(false)).Required("DBParameterGroupFamily");
            var (was, now) = (before.Map("Parameters"), after.Map("Parameters"));
            JsonObject Item(string parameter, string? value) => new JsonObject
            {
                ["ParameterName"] = parameter,
                ["ApplyMethod"] = PostgresParameters.Require(family, parameter).IsStatic ? "pending-reboot" : "immediate",
            }.With("ParameterValue", value);
            foreach (var page in now.Where(pair => was.GetValueOrDefault(pair.Key) != pair.Value).Select(pair => Item(pair.Key, pair.Value)).Chunk(20))
            {
                await service.CallAsync(context, "ModifyDBParameterGroup", Name(name).With("Parameters", page.ToJsonList())).ConfigureAwait(false);
            }
            foreach (var page in was.Keys.Except(now.Keys).Select(parameter => Item(parameter, null)).Chunk(20))
            {
                await service.CallAsync(context, "ResetDBParameterGroup", Name(name).With("Parameters", page.ToJsonList())).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::RDS::DBParameterGroup")
        {
            Service = "Rds",
            Gone = ["DBParameterGroupNotFound"],
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "DBParameterGroupName", lowerCase: true);
                await service.CallMappedAsync(context, "CreateDBParameterGroup", properties.Tagged(context).With("DBParameterGroupName", name).With("DBParameterGroupFamily", properties.Text("Family"))).ConfigureAwait(false);
                context.Initiated(name);
                await Set(context, name, [], properties).ConfigureAwait(false);
                return name;
            },
            Update = async (context, name, before, after) =>
            {
                await Set(context, name, before, after).ConfigureAwait(false);
                await RetagAsync(service, context, (await Group(context, name).ConfigureAwait(false)).Required("DBParameterGroupArn"), before, after).ConfigureAwait(false);
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeleteDBParameterGroup", Name(name)),
            Read = async (context, name) =>
            {
                var group = await Group(context, name).ConfigureAwait(false);
                var own = await service.CallAsync(context, "DescribeDBParameters", Name(name).With("Source", "user")).ConfigureAwait(false);
                return group.Pick("DBParameterGroupName", "Description").With("Family", group.Text("DBParameterGroupFamily"))
                    .With("Parameters", own.Objects("Parameters").ToDictionary(item => item.Required("ParameterName"), item => item.Required("ParameterValue")).ToMap())
                    .With("Tags", Tags.OfTemplate(group.Objects("TagList")));
            },
            Attributes = (_, name) => Task.FromResult(ProviderExtensions.Attributes(("DBParameterGroupName", name))),
        };
    }
}
