using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.SecretsManager;

/// <summary>The AWS::SecretsManager resource types.</summary>
internal static class SecretsManagerResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<SecretsManagerService>();
        return [Secret(service), Policy(service), Schedule(service), Attachment(service, runtime)];
    }

    private static string? Value(JsonObject properties) => properties.Text("SecretString")
        ?? (properties.Child("GenerateSecretString") is { } generate ? SecretsManagerService.Generated(generate) : null);

    private static JsonObject Id(string arn) => new() { ["SecretId"] = arn };

    private static Provider Secret(SecretsManagerService service) => new("AWS::SecretsManager::Secret")
    {
        Create = async (context, properties) =>
        {
            if (properties.Has("SecretString") && properties.Has("GenerateSecretString"))
            {
                throw new ServiceFault("InvalidRequest", "You can't specify both SecretString and GenerateSecretString.");
            }
            var input = PropertyMapper.ToInput(service, "CreateSecret", properties.Tagged(context), ("ReplicaRegions", "AddReplicaRegions"));
            input["Name"] = context.NameOf(properties, "Name", 512);
            input.Remove("SecretString");
            // A secret of a template always has a value: without one given, a generated password.
            input["SecretString"] = Value(properties) ?? SecretsManagerService.RandomPassword([]);
            return (await service.CallAsync(context, "CreateSecret", input).ConfigureAwait(false)).Required("ARN");
        },
        Update = async (context, arn, before, after) =>
        {
            var input = Id(arn).With("Description", after.Text("Description") ?? "").With("KmsKeyId", after.Text("KmsKeyId"));
            if (after.Changed(before, "SecretString", "GenerateSecretString") && Value(after) is { } value)
            {
                input["SecretString"] = value;
            }
            await service.CallAsync(context, "UpdateSecret", input).ConfigureAwait(false);
            await ReplicasAsync(service, context, arn, before, after).ConfigureAwait(false);
            var (put, removed) = ProviderExtensions.TagChange(context, before, after);
            if (removed.Count > 0)
            {
                await service.CallAsync(context, "UntagResource", Id(arn).With("TagKeys", removed)).ConfigureAwait(false);
            }
            if (put.Count > 0)
            {
                await service.CallAsync(context, "TagResource", Id(arn).With("Tags", put)).ConfigureAwait(false);
            }
        },
        Delete = async (context, arn, properties) =>
        {
            await ReplicasAsync(service, context, arn, properties, []).ConfigureAwait(false);
            await service.CallAsync(context, "DeleteSecret", Id(arn).With("ForceDeleteWithoutRecovery", true)).ConfigureAwait(false);
        },
        Read = async (context, arn) =>
        {
            var secret = await service.CallAsync(context, "DescribeSecret", Id(arn)).ConfigureAwait(false);
            return secret.Has("DeletedDate") ? null : secret.Pick("Name", "Description", "KmsKeyId").With("Tags", Tags.OfTemplate(secret.Objects("Tags")))
                .With("ReplicaRegions", secret.Has("ReplicationStatus") ? secret.Objects("ReplicationStatus").Select(status => status.Text("KmsKeyId") == "alias/aws/secretsmanager" ? status.Pick("Region") : status.Pick("Region", "KmsKeyId")).ToJsonList() : null);
        },
        Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("Id", arn))),
    };

    /// <summary>Takes replicas away that the template has no more, and adds those it has now; one with another key is made anew.</summary>
    private static async Task ReplicasAsync(SecretsManagerService service, ProvisionContext context, string arn, JsonObject before, JsonObject after)
    {
        static string Of(JsonObject replica) => $"{replica.Text("Region")} {replica.Text("KmsKeyId")}";
        var secret = await service.CallAsync(context, "DescribeSecret", Id(arn)).ConfigureAwait(false);
        var present = secret.Objects("ReplicationStatus").Select(status => status.Text("Region")).ToHashSet();
        var (was, now) = (before.Objects("ReplicaRegions").ToList(), after.Objects("ReplicaRegions").ToList());
        // A replica that was made to stand alone meanwhile is no longer this secret's.
        var gone = was.Where(old => now.TrueForAll(item => Of(item) != Of(old)) && present.Contains(old.Text("Region"))).Select(old => old.Required("Region")).ToList();
        var added = now.Where(item => was.TrueForAll(old => Of(old) != Of(item))).ToList();
        if (gone.Count > 0)
        {
            await service.CallAsync(context, "RemoveRegionsFromReplication", Id(arn).With("RemoveReplicaRegions", gone.ToTextList())).ConfigureAwait(false);
        }
        if (added.Count > 0)
        {
            await service.CallAsync(context, "ReplicateSecretToRegions", Id(arn).With("AddReplicaRegions", added.Select(item => item.Copy()).ToJsonList())).ConfigureAwait(false);
        }
    }

    private static Provider Policy(SecretsManagerService service) => new("AWS::SecretsManager::ResourcePolicy")
    {
        Create = async (context, properties) => (await service.CallMappedAsync(context, "PutResourcePolicy", properties).ConfigureAwait(false)).Required("ARN"),
        Update = (context, _, _, after) => service.CallMappedAsync(context, "PutResourcePolicy", after),
        Delete = (context, arn, _) => service.CallAsync(context, "DeleteResourcePolicy", Id(arn)),
        Read = async (context, arn) => (await service.CallAsync(context, "GetResourcePolicy", Id(arn)).ConfigureAwait(false)).Text("ResourcePolicy") is { } policy
            ? new JsonObject { ["SecretId"] = arn, ["ResourcePolicy"] = PolicyDocument.AsObject(policy) }
            : null,
        Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("Id", arn))),
    };

    private static Provider Schedule(SecretsManagerService service)
    {
        Task Put(ProvisionContext context, JsonObject properties)
        {
            var input = PropertyMapper.ToInput(service, "RotateSecret", properties);
            // CloudFormation rotates at once unless it is told not to.
            input["RotateImmediately"] = properties.Flag("RotateImmediatelyOnUpdate") ?? true;
            return service.CallAsync(context, "RotateSecret", input);
        }
        return new Provider("AWS::SecretsManager::RotationSchedule")
        {
            Create = async (context, properties) =>
            {
                await Put(context, properties).ConfigureAwait(false);
                return (await service.CallAsync(context, "DescribeSecret", Id(properties.Required("SecretId"))).ConfigureAwait(false)).Required("ARN");
            },
            Update = (context, _, _, after) => Put(context, after),
            Delete = async (context, arn, _) =>
            {
                var secret = await service.CallAsync(context, "DescribeSecret", Id(arn)).ConfigureAwait(false);
                if (!secret.Has("OwningService"))
                {
                    await service.CallAsync(context, "CancelRotateSecret", Id(arn)).ConfigureAwait(false);
                }
            },
            Read = async (context, arn) =>
            {
                var secret = await service.CallAsync(context, "DescribeSecret", Id(arn)).ConfigureAwait(false);
                return secret.Is("RotationEnabled") ? secret.Pick("RotationLambdaARN", "RotationRules").With("SecretId", arn) : null;
            },
            Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("Id", arn))),
        };
    }

    /// <summary>Writes where the database is into the secret that a rotation function and its clients read.</summary>
    private static Provider Attachment(SecretsManagerService service, SandboxRuntime runtime)
    {
        async Task Put(ProvisionContext context, string arn, JsonObject properties)
        {
            if (properties.Required("TargetType") != "AWS::RDS::DBInstance")
            {
                throw new ServiceFault("InvalidRequest", $"The sandbox attaches secrets to AWS::RDS::DBInstance only, not to {properties.Text("TargetType")}");
            }
            var found = await runtime.Service<Rds.RdsService>().CallAsync(context, "DescribeDBInstances", new JsonObject { ["DBInstanceIdentifier"] = properties.Text("TargetId") }).ConfigureAwait(false);
            var instance = found.Objects("DBInstances").First();
            var value = (await service.CallAsync(context, "GetSecretValue", Id(arn)).ConfigureAwait(false)).Text("SecretString");
            if (PolicyDocument.AsObject(value) is not JsonObject fields)
            {
                throw new ServiceFault("InvalidRequest", "The secret's value must be a JSON object for it to be attached to a target.");
            }
            fields.With("engine", instance.Text("Engine")).With("host", instance.Child("Endpoint")?["Address"]).With("port", instance.Child("Endpoint")?["Port"])
                .With("dbname", instance.Text("DBName")).With("dbInstanceIdentifier", instance.Text("DBInstanceIdentifier"));
            await service.CallAsync(context, "PutSecretValue", Id(arn).With("SecretString", fields.ToJsonString())).ConfigureAwait(false);
        }
        return new Provider("AWS::SecretsManager::SecretTargetAttachment")
        {
            Create = async (context, properties) =>
            {
                var arn = (await service.CallAsync(context, "DescribeSecret", Id(properties.Required("SecretId"))).ConfigureAwait(false)).Required("ARN");
                await Put(context, arn, properties).ConfigureAwait(false);
                return arn;
            },
            Update = (context, arn, _, after) => Put(context, arn, after),
            Delete = async (context, arn, _) =>
            {
                var value = (await service.CallAsync(context, "GetSecretValue", Id(arn)).ConfigureAwait(false)).Text("SecretString");
                if (PolicyDocument.AsObject(value) is JsonObject fields)
                {
                    foreach (var name in (string[])["engine", "host", "port", "dbname", "dbInstanceIdentifier"])
                    {
                        fields.Remove(name);
                    }
                    await service.CallAsync(context, "PutSecretValue", Id(arn).With("SecretString", fields.ToJsonString())).ConfigureAwait(false);
                }
            },
            Read = async (context, arn) =>
            {
                var value = (await service.CallAsync(context, "GetSecretValue", Id(arn)).ConfigureAwait(false)).Text("SecretString");
                return PolicyDocument.AsObject(value) is JsonObject fields && fields.Text("dbInstanceIdentifier") is { } target
                    ? new JsonObject { ["SecretId"] = arn, ["TargetId"] = target, ["TargetType"] = "AWS::RDS::DBInstance" }
                    : null;
            },
            Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("Id", arn))),
        };
    }
}
