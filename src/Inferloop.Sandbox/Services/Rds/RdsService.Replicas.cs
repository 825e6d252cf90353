using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>Read replicas, in the source's region and others, their lag, and their promotion.</summary>
internal sealed partial class RdsService
{
    private const int ReplicaQuota = 15;

    private void AddReplicas()
    {
        On("CreateDBInstanceReadReplica", CreateReplicaAsync);
        On("PromoteReadReplica", PromoteReplica);
    }

    /// <summary>
    /// Seconds a replica is behind: what the metric ReplicaLag tells. One in another region is behind by a lag that is injected too, and while nothing
    /// gets from one region to the other by all the time since then.
    /// </summary>
    public double LagOf(RequestContext context, JsonObject replica)
    {
        var usual = Runtime.Ids.Next(50) / 100.0;
        var source = replica.Required("ReadReplicaSourceDBInstanceIdentifier");
        if (!source.StartsWith("arn:", StringComparison.Ordinal))
        {
            return usual;
        }
        var from = source.Split(':')[3];
        return Runtime.Links.Behind(ModelName, replica.Required("DBInstanceIdentifier"), from, context.Region, TimeSpan.FromSeconds(usual + 0.5)).TotalSeconds;
    }

    private async Task<JsonObject> CreateReplicaAsync(RequestContext context, JsonObject input)
    {
        var source = Instance(context, input.Text("SourceDBInstanceIdentifier") ?? throw Invalid("The parameter SourceDBInstanceIdentifier must be provided and must not be blank."));
        var region = source.Required("DBInstanceArn").Split(':')[3];
        var crosses = region != context.Region;
        RequireAvailable(source);
        if (source.Int("BackupRetentionPeriod") is not > 0 && !source.Has("ReadReplicaSourceDBInstanceIdentifier"))
        {
            throw BadState("Automated backups are not enabled for this database instance. To enable automated backups, use ModifyDBInstance to set the backup retention period to a non-zero value.");
        }
        if (source.Texts("ReadReplicaDBInstanceIdentifiers").Count >= ReplicaQuota)
        {
            throw new ServiceFault("InstanceQuotaExceeded", $"The source {source.Text("DBInstanceIdentifier")} has {ReplicaQuota} read replicas already.");
        }
        if (crosses && source.Is("StorageEncrypted") && !input.Has("KmsKeyId"))
        {
            throw Conflict("Cannot create a cross region unencrypted read replica from an encrypted source DB instance. Specify KmsKeyId of a key in this region.");
        }
        if (input.Has("KmsKeyId") && !source.Is("StorageEncrypted"))
        {
            throw Conflict("You cannot create an encrypted Read Replica from an unencrypted DB instance.");
        }
        var settings = source.Pick("DBInstanceClass", "DBName", "MasterUsername", "_Password", "StorageEncrypted", "KmsKeyId", "AllocatedStorage", "StorageType", "EngineVersion")
            .With("DbInstancePort", source.Child("Endpoint")?["Port"].Copy()).With("BackupRetentionPeriod", 0);
        if (!crosses)
        {
            settings.With("_SubnetGroup", source.Child("DBSubnetGroup")?.Text("DBSubnetGroupName"));
        }
        if (input.Text("KmsKeyId") is { } key)
        {
            settings["KmsKeyId"] = CheckKey(context, key);
        }
        var asked = input.Copy();
        if (!crosses && !asked.Has("VpcSecurityGroupIds"))
        {
            asked["VpcSecurityGroupIds"] = source.Objects("VpcSecurityGroups").Select(group => group.Required("VpcSecurityGroupId")).ToTextList();
        }
        if (!crosses && !asked.Has("DBParameterGroupName"))
        {
            asked["DBParameterGroupName"] = source.Objects("DBParameterGroups").First().Text("DBParameterGroupName");
        }
        var replica = await BuildAsync(context, asked, settings).ConfigureAwait(false);
        var id = replica.Required("DBInstanceIdentifier");
        Reserve(context, id);
        replica["ReadReplicaSourceDBInstanceIdentifier"] = crosses ? source.Text("DBInstanceArn") : source.Text("DBInstanceIdentifier");
        replica["StatusInfos"] = new JsonArray(new JsonObject { ["StatusType"] = "read replication", ["Normal"] = true, ["Status"] = "replicating" });
        Instances(context.With(context.AccountId, region)).Update(Key(source.Required("DBInstanceIdentifier")),
            document => document.ListOrNew("ReadReplicaDBInstanceIdentifiers").Add(crosses ? replica.Text("DBInstanceArn") : id));
        ReplicaLag.Follow(context.AccountId, context.Region);
        return Launch(context, new JsonObject(), replica, crosses ? Durations.RdsReplicaAcross : Durations.RdsReplica, "Replication for the Read Replica started");
    }

    /// <summary>What the minute's lag of the replicas was.</summary>
    private MetricSource ReplicaLag => replicaLag ??= new MetricSource(Runtime,
        place => Instances(place).Any(static item => item.Has("ReadReplicaSourceDBInstanceIdentifier")),
        (monitoring, place, minute) =>
        {
            foreach (var replica in Instances(place).Where(static item => item.Has("ReadReplicaSourceDBInstanceIdentifier") && item.Text("DBInstanceStatus") is "available" or "modifying"))
            {
                monitoring.Publish(place, "AWS/RDS", "ReplicaLag", minute, [(LagOf(place, replica), 1)], "Seconds", ("DBInstanceIdentifier", replica.Required("DBInstanceIdentifier")));
            }
        });

    private MetricSource? replicaLag;

    private JsonObject PromoteReplica(RequestContext context, JsonObject input)
    {
        var replica = Instance(context, input.Required("DBInstanceIdentifier"));
        if (!replica.Has("ReadReplicaSourceDBInstanceIdentifier"))
        {
            throw BadState($"DB Instance {replica.Text("DBInstanceIdentifier")} is not a read replica.");
        }
        RequireAvailable(replica);
        var next = replica.Copy();
        next["BackupRetentionPeriod"] = input.Int("BackupRetentionPeriod") ?? 1;
        next.Take(input, "PreferredBackupWindow");
        CheckWindows(next);
        var detached = context.Detached();
        Shift(context, replica, "modifying");
        Later(context, Durations.RdsPromote, replica, document =>
        {
            document.Take(next, "BackupRetentionPeriod", "PreferredBackupWindow");
            document["DBInstanceStatus"] = document.Int("BackupRetentionPeriod") > 0 ? "backing-up" : "available";
            document.Remove("StatusInfos");
        }, () =>
        {
            LeaveReplication(detached, replica);
            Record(detached, replica, "Promoted Read Replica to a stand-alone database instance.", "read replica");
            AfterCreation(detached, Instances(detached).Get(Key(replica.Required("DBInstanceIdentifier")))!);
        });
        return new JsonObject { ["DBInstance"] = Instance(context, input.Required("DBInstanceIdentifier")) };
    }

    /// <summary>Cuts an instance from its source and its replicas, which then stand alone.</summary>
    private void LeaveReplication(RequestContext context, JsonObject instance)
    {
        var (id, arn) = (instance.Required("DBInstanceIdentifier"), instance.Required("DBInstanceArn"));
        if (instance.Text("ReadReplicaSourceDBInstanceIdentifier") is { } source)
        {
            var place = PlaceOf(context, source, "db", out var name);
            Reach(context, place, id, () => Instances(place).Update(Key(name), document => document["ReadReplicaDBInstanceIdentifiers"] = document.Texts("ReadReplicaDBInstanceIdentifiers").Where(item => item != id && item != arn).ToTextList()));
            Instances(context).Update(Key(id), static document => document.Remove("ReadReplicaSourceDBInstanceIdentifier"));
        }
        foreach (var replica in instance.Texts("ReadReplicaDBInstanceIdentifiers"))
        {
            var place = PlaceOf(context, replica, "db", out var name);
            Reach(context, place, name, () =>
            {
                var freed = Instances(place).Update(Key(name), static document =>
                {
                    document.Remove("ReadReplicaSourceDBInstanceIdentifier");
                    document.Remove("StatusInfos");
                });
                if (freed is not null)
                {
                    Record(place, freed, "Replication on the Read Replica was ended: its source was deleted.", "read replica");
                }
            });
        }
    }

    /// <summary>Tells the other end of a replication: at once in the same region, across regions when that can be reached.</summary>
    private void Reach(RequestContext context, RequestContext place, string instance, Action tell)
    {
        if (place.Region == context.Region)
        {
            tell();
        }
        else
        {
            Runtime.Links.Send(ModelName, instance, context.Region, place.Region, Durations.RdsAcross, tell);
        }
    }

    /// <summary>Replicas of a source that got a new major version get it too.</summary>
    private void UpgradeReplicas(RequestContext context, JsonObject source, PostgresVersion version)
    {
        foreach (var replica in source.Texts("ReadReplicaDBInstanceIdentifiers").Where(static item => !item.StartsWith("arn:", StringComparison.Ordinal)))
        {
            Instances(context).Update(Key(replica), document =>
            {
                document["EngineVersion"] = version.Text;
                document["DBParameterGroups"] = source["DBParameterGroups"].Copy();
            });
        }
    }
}
