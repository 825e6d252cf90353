using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.SecretsManager;

/// <summary>Secrets in several regions: replicas that follow their primary, until they are removed or stand alone.</summary>
internal sealed partial class SecretsManagerService
{
    private const string DefaultKey = "alias/aws/secretsmanager";

    private void AddReplicas()
    {
        On("ReplicateSecretToRegions", (context, input) =>
        {
            var secret = Primary(context, input);
            CheckRegions(context, secret, input);
            return Status(Replicate(context, secret, input));
        });
        On("RemoveRegionsFromReplication", (context, input) =>
        {
            var secret = Primary(context, input);
            var gone = input.Texts("RemoveReplicaRegions");
            if (gone.FirstOrDefault(region => secret.Objects("ReplicationStatus").All(status => status.Text("Region") != region)) is { } unknown)
            {
                throw Invalid($"The secret {secret.Text("Name")} is not replicated to the region {unknown}.");
            }
            foreach (var region in gone)
            {
                var (there, arn) = (context.InRegion(region).Detached(), ArnIn(secret, region));
                Runtime.Links.Send(ModelName, secret.Required("Name"), context.Region, region, Durations.SecretReplication, () =>
                {
                    if (Secrets(there).Get(secret.Required("Name")) is { } replica && replica.Text("ARN") == arn && IsReplica(replica, region))
                    {
                        Secrets(there).Remove(secret.Required("Name"));
                    }
                });
            }
            return Status(Forget(context, secret.Required("Name"), gone)!);
        });
        On("StopReplicationToReplica", (context, input) =>
        {
            var replica = Secret(context, input);
            if (!IsReplica(replica, context.Region))
            {
                throw Forbidden("Operation not permitted on a primary secret. Call must be made in the replica secret's region.");
            }
            var (name, primary) = (replica.Required("Name"), context.InRegion(replica.Required("PrimaryRegion")).Detached());
            Secrets(context).Update(name, static document => document.Remove("PrimaryRegion"));
            // The primary learns of it when it can be reached.
            var region = context.Region;
            Runtime.Links.Send(ModelName, name, region, primary.Region, Durations.SecretReplication, () => Forget(primary, name, [region]));
            return replica.Pick("ARN");
        });
    }

    private static ServiceFault Forbidden(string message) => new("InvalidRequestException", message);

    private static bool IsReplica(JsonObject secret, string region) => secret.Text("PrimaryRegion") is { } primary && primary != region;

    private static JsonObject Status(JsonObject secret) => secret.Pick("ARN").With("ReplicationStatus", secret["ReplicationStatus"].Copy() ?? new JsonArray());

    private static string ArnIn(JsonObject secret, string region)
    {
        var parts = secret.Required("ARN").Split(':');
        parts[3] = region;
        return string.Join(':', parts);
    }

    /// <summary>An operation that changes a secret: not a replica's, and its replicas hear of it.</summary>
    private void Changing(string operation, Func<RequestContext, JsonObject, JsonObject> handler) => On(operation, (context, input) =>
    {
        var name = FindSecret(context, input.Required("SecretId")) is { } secret ? RequirePrimary(context, secret).Required("Name") : null;
        var answer = handler(context, input);
        if (name is not null)
        {
            Propagate(context, name);
        }
        return answer;
    });

    private JsonObject Primary(RequestContext context, JsonObject input) => RequirePrimary(context, Secret(context, input));

    private static JsonObject RequirePrimary(RequestContext context, JsonObject secret) => IsReplica(secret, context.Region)
        ? throw Forbidden("Operation not permitted on a replica secret. Call must be made in primary secret's region.")
        : secret;

    private static void RequireAlone(JsonObject secret)
    {
        if (secret.Objects("ReplicationStatus").Select(status => status.Required("Region")).ToList() is { Count: > 0 } regions)
        {
            throw Forbidden($"You can't delete secret {secret.Text("Name")} that still has replica regions [{string.Join(", ", regions)}]");
        }
    }

    private void CheckRegions(RequestContext context, JsonObject? secret, JsonObject input)
    {
        var regions = input.Objects("AddReplicaRegions").Select(item => item.Required("Region")).ToList();
        if (regions.Find(region => !Runtime.EnabledRegions.Contains(region)) is { } unknown)
        {
            throw Invalid($"The region {unknown} is not a valid region of Secrets Manager.");
        }
        if (regions.Contains(context.Region))
        {
            throw Invalid($"Invalid replica region: {context.Region} is the region of the primary secret.");
        }
        if (regions.Distinct().Count() != regions.Count)
        {
            throw Invalid("You can't specify the same replica region more than once.");
        }
        // One whose replication failed can be tried again.
        if (regions.Find(region => secret?.Objects("ReplicationStatus").Any(status => status.Text("Region") == region && status.Text("Status") != "Failed") == true) is { } present)
        {
            throw Invalid($"The secret is replicated to the region {present} already.");
        }
    }

    /// <summary>Begins to replicate to the regions asked for.</summary>
    private JsonObject Replicate(RequestContext context, JsonObject secret, JsonObject input)
    {
        var added = input.Objects("AddReplicaRegions").ToList();
        var name = secret.Required("Name");
        var changed = Secrets(context).Update(name, document =>
        {
            document["PrimaryRegion"] = context.Region;
            var kept = document.Objects("ReplicationStatus").Where(status => added.TrueForAll(item => item.Text("Region") != status.Text("Region"))).Select(status => status.Copy());
            document["ReplicationStatus"] = kept.Concat(added.Select(item => new JsonObject { ["Region"] = item.Text("Region"), ["KmsKeyId"] = item.Text("KmsKeyId") ?? DefaultKey, ["Status"] = "InProgress" })).ToJsonList();
        })!;
        foreach (var item in added)
        {
            Send(context, changed, item.Required("Region"), input.Is("ForceOverwriteReplicaSecret"));
        }
        return changed;
    }

    /// <summary>Sends what a secret has become to its replicas.</summary>
    private void Propagate(RequestContext context, string name)
    {
        if (Secrets(context).Get(name) is not { } secret || IsReplica(secret, context.Region))
        {
            return;
        }
        foreach (var region in secret.Objects("ReplicationStatus").Where(static status => status.Text("Status") != "Failed").Select(status => status.Required("Region")).ToList())
        {
            SetStatus(context, name, region, "InProgress", null);
            Send(context, secret, region, overwrite: false);
        }
    }

    private void Send(RequestContext context, JsonObject secret, string region, bool overwrite)
    {
        var (here, there, name) = (context.Detached(), context.InRegion(region).Detached(), secret.Required("Name"));
        var key = secret.Objects("ReplicationStatus").First(status => status.Text("Region") == region).Required("KmsKeyId");
        Runtime.Links.Send(ModelName, name, context.Region, region, Durations.SecretReplication, () =>
        {
            if (Secrets(here).Get(name) is not { } present || present.Text("ARN") != secret.Text("ARN") || present.Objects("ReplicationStatus").All(status => status.Text("Region") != region))
            {
                return;
            }
            var problem = Arrive(there, secret, key, overwrite);
            SetStatus(here, name, region, problem is null ? "InSync" : "Failed", problem);
        });
    }

    /// <summary>Writes a replica; gives what went wrong, null when nothing did.</summary>
    private string? Arrive(RequestContext there, JsonObject secret, string key, bool overwrite)
    {
        var (name, arn) = (secret.Required("Name"), ArnIn(secret, there.Region));
        try
        {
            RequireKey(there, key);
        }
        catch (ServiceFault fault)
        {
            return $"Replication failed: {fault.Message}";
        }
        var replica = secret.Copy();
        replica["ARN"] = arn;
        foreach (var own in (string[])["ReplicationStatus", "KmsKeyId", "LastAccessedDate", "_RotationRound", "_RotationFailure"])
        {
            replica.Remove(own);
        }
        if (key != DefaultKey)
        {
            replica["KmsKeyId"] = key;
        }
        return Secrets(there).Lock(() =>
        {
            if (Secrets(there).Get(name) is { } present && !overwrite && !(present.Text("ARN") == arn && IsReplica(present, there.Region)))
            {
                return $"Replication failed: Secret name {name} already exists in region {there.Region}.";
            }
            Secrets(there).Put(name, replica);
            return null;
        });
    }

    private void SetStatus(RequestContext context, string name, string region, string status, string? message) => Secrets(context).Update(name, document =>
    {
        foreach (var item in document.Objects("ReplicationStatus").Where(item => item.Text("Region") == region))
        {
            item["Status"] = status;
            item.Remove("StatusMessage");
            item.With("StatusMessage", message ?? (status == "InSync" ? "Replication succeeded" : null));
        }
    });

    private JsonObject? Forget(RequestContext context, string name, IReadOnlyList<string> regions) => Secrets(context).Update(name, document =>
    {
        document["ReplicationStatus"] = document.Objects("ReplicationStatus").Where(status => !regions.Contains(status.Required("Region"))).Select(status => status.Copy()).ToJsonList();
        if (!document.Objects("ReplicationStatus").Any())
        {
            document.Remove("ReplicationStatus");
            document.Remove("PrimaryRegion");
        }
    });
}
