using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Batch;

/// <summary>The AWS::Batch resource types.</summary>
internal static class BatchResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<BatchService>();
        return [Environment(service), Queue(service), Definition(service), Policy(service)];
    }

    private static JsonObject TagMap(JsonObject found) => found.Map("tags").Where(tag => !tag.Key.StartsWith("aws:", StringComparison.Ordinal)).ToMap();

    private static JsonObject Properties(BatchService service, string shape, JsonObject found, params ReadOnlySpan<string> names) =>
        ((JsonObject)PropertyMapper.ToProperties(service.Model.Shape(shape), found)!).Pick(names).With("Tags", TagMap(found));

    /// <summary>Waits until an environment or a queue is valid; one that is invalid is a failure.</summary>
    private static Task Valid(ProvisionContext context, Func<Task<JsonObject?>> find) => context.WaitUntilAsync(async () =>
    {
        var found = await find().ConfigureAwait(false);
        return found?.Text("status") == "INVALID" ? throw new ServiceFault("NotStabilized", $"Operation failed, resource went into an INVALID state: {found.Text("statusReason")}") : found?.Text("status") == "VALID";
    });

    private static Provider Environment(BatchService service)
    {
        async Task<JsonObject?> Find(ProvisionContext context, string arn) =>
            (await service.CallAsync(context, "DescribeComputeEnvironments", new JsonObject { ["computeEnvironments"] = new JsonArray(arn) }).ConfigureAwait(false)).Objects("computeEnvironments").FirstOrDefault();
        return new Provider("AWS::Batch::ComputeEnvironment")
        {
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateComputeEnvironment", properties.Tagged(context));
                input["computeEnvironmentName"] = context.NameOf(properties, "ComputeEnvironmentName", 128);
                var arn = (await service.CallAsync(context, "CreateComputeEnvironment", input).ConfigureAwait(false)).Required("computeEnvironmentArn");
                context.Initiated(arn);
                await Valid(context, () => Find(context, arn)).ConfigureAwait(false);
                return arn;
            },
            Update = async (context, arn, before, after) =>
            {
                var input = PropertyMapper.ToInput(service, "UpdateComputeEnvironment", after.Pick("State", "ServiceRole", "UnmanagedvCpus", "UpdatePolicy"));
                input["computeEnvironment"] = arn;
                if (after.Changed(before, "ComputeResources"))
                {
                    // Only what differs: members that stay would make it another kind of update.
                    var (now, old) = (after.Child("ComputeResources") ?? [], before.Child("ComputeResources") ?? []);
                    var changed = new JsonObject(now.Where(pair => now.Changed(old, pair.Key)).Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Copy())));
                    input["computeResources"] = PropertyMapper.ToInput(service, "UpdateComputeEnvironment", new JsonObject { ["ComputeResources"] = changed })["computeResources"].Copy();
                }
                await service.CallAsync(context, "UpdateComputeEnvironment", input).ConfigureAwait(false);
                await Valid(context, () => Find(context, arn)).ConfigureAwait(false);
                await service.RetagAsync(context, before, after, arn).ConfigureAwait(false);
            },
            Delete = async (context, arn, _) =>
            {
                if (await Find(context, arn).ConfigureAwait(false) is not { } found)
                {
                    return;
                }
                if (found.Text("state") != "DISABLED")
                {
                    await service.CallAsync(context, "UpdateComputeEnvironment", new JsonObject { ["computeEnvironment"] = arn, ["state"] = "DISABLED" }).ConfigureAwait(false);
                    await context.WaitUntilAsync(async () => (await Find(context, arn).ConfigureAwait(false))?.Text("status") is "VALID" or "INVALID").ConfigureAwait(false);
                }
                await service.CallAsync(context, "DeleteComputeEnvironment", new JsonObject { ["computeEnvironment"] = arn }).ConfigureAwait(false);
                await context.WaitUntilAsync(async () => await Find(context, arn).ConfigureAwait(false) is null).ConfigureAwait(false);
            },
            Read = async (context, arn) =>
            {
                if (await Find(context, arn).ConfigureAwait(false) is not { } found)
                {
                    return null;
                }
                var properties = Properties(service, "ComputeEnvironmentDetail", found, "ComputeEnvironmentName", "Type", "State", "ServiceRole", "UnmanagedvCpus", "ComputeResources", "UpdatePolicy");
                // Batch itself moves the desired capacity.
                properties.Child("ComputeResources")?.Remove("DesiredvCpus");
                return properties;
            },
            Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("ComputeEnvironmentArn", arn))),
            Replaces = (property, before, after) => property == "ComputeResources" && before.Child("ComputeResources")?.Text("Type")?.StartsWith("FARGATE", StringComparison.Ordinal) != after.Child("ComputeResources")?.Text("Type")?.StartsWith("FARGATE", StringComparison.Ordinal),
        };
    }

    private static Provider Queue(BatchService service)
    {
        async Task<JsonObject?> Find(ProvisionContext context, string arn) =>
            (await service.CallAsync(context, "DescribeJobQueues", new JsonObject { ["jobQueues"] = new JsonArray(arn) }).ConfigureAwait(false)).Objects("jobQueues").FirstOrDefault();
        return new Provider("AWS::Batch::JobQueue")
        {
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateJobQueue", properties.Tagged(context));
                input["jobQueueName"] = context.NameOf(properties, "JobQueueName", 128);
                var arn = (await service.CallAsync(context, "CreateJobQueue", input).ConfigureAwait(false)).Required("jobQueueArn");
                context.Initiated(arn);
                await Valid(context, () => Find(context, arn)).ConfigureAwait(false);
                return arn;
            },
            Update = async (context, arn, before, after) =>
            {
                var input = PropertyMapper.ToInput(service, "UpdateJobQueue", after.Pick("State", "Priority", "ComputeEnvironmentOrder", "SchedulingPolicyArn", "JobStateTimeLimitActions"));
                input["jobQueue"] = arn;
                await service.CallAsync(context, "UpdateJobQueue", input).ConfigureAwait(false);
                await Valid(context, () => Find(context, arn)).ConfigureAwait(false);
                await service.RetagAsync(context, before, after, arn).ConfigureAwait(false);
            },
            Delete = async (context, arn, _) =>
            {
                if (await Find(context, arn).ConfigureAwait(false) is not { } found)
                {
                    return;
                }
                if (found.Text("state") != "DISABLED")
                {
                    await service.CallAsync(context, "UpdateJobQueue", new JsonObject { ["jobQueue"] = arn, ["state"] = "DISABLED" }).ConfigureAwait(false);
                    await Valid(context, () => Find(context, arn)).ConfigureAwait(false);
                }
                await service.CallAsync(context, "DeleteJobQueue", new JsonObject { ["jobQueue"] = arn }).ConfigureAwait(false);
                await context.WaitUntilAsync(async () => await Find(context, arn).ConfigureAwait(false) is null).ConfigureAwait(false);
            },
            Read = async (context, arn) => await Find(context, arn).ConfigureAwait(false) is { } found
                ? Properties(service, "JobQueueDetail", found, "JobQueueName", "State", "Priority", "ComputeEnvironmentOrder", "SchedulingPolicyArn", "JobStateTimeLimitActions") : null,
            Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("JobQueueArn", arn))),
        };
    }

    private static Provider Definition(BatchService service)
    {
        // Each change registers a revision and takes the one before away; a reference is to the revision that there is.
        async Task<JsonObject?> Find(ProvisionContext context, string arn) => (await service.CallAsync(context, "DescribeJobDefinitions", new JsonObject { ["jobDefinitionName"] = arn.Split('/')[^1].Split(':')[0], ["status"] = "ACTIVE" }).ConfigureAwait(false)).Objects("jobDefinitions").FirstOrDefault();
        async Task<string> Register(ProvisionContext context, JsonObject properties, string name)
        {
            var input = PropertyMapper.ToInput(service, "RegisterJobDefinition", properties.Tagged(context));
            input["jobDefinitionName"] = name;
            return (await service.CallAsync(context, "RegisterJobDefinition", input).ConfigureAwait(false)).Required("jobDefinitionArn");
        }
        return new Provider("AWS::Batch::JobDefinition")
        {
            Create = (context, properties) => Register(context, properties, context.NameOf(properties, "JobDefinitionName", 128)),
            Reference = service.LatestRevision,
            Update = async (context, arn, _, after) =>
            {
                var old = await Find(context, arn).ConfigureAwait(false);
                await Register(context, after, arn.Split('/')[^1].Split(':')[0]).ConfigureAwait(false);
                if (old is not null)
                {
                    await service.CallAsync(context, "DeregisterJobDefinition", new JsonObject { ["jobDefinition"] = old.Text("jobDefinitionArn") }).ConfigureAwait(false);
                }
            },
            Delete = async (context, arn, _) =>
            {
                if (await Find(context, arn).ConfigureAwait(false) is { } found)
                {
                    await service.CallAsync(context, "DeregisterJobDefinition", new JsonObject { ["jobDefinition"] = found.Text("jobDefinitionArn") }).ConfigureAwait(false);
                }
            },
            Read = async (context, arn) => await Find(context, arn).ConfigureAwait(false) is { } found
                ? Properties(service, "JobDefinition", found, "JobDefinitionName", "Type", "Parameters", "SchedulingPriority", "ContainerProperties", "RetryStrategy", "PropagateTags", "Timeout", "PlatformCapabilities", "EcsProperties") : null,
            Attributes = async (context, arn) => ProviderExtensions.Attributes(("JobDefinitionArn", (await Find(context, arn).ConfigureAwait(false))?["jobDefinitionArn"])),
        };
    }

    private static Provider Policy(BatchService service)
    {
        async Task<JsonObject?> Find(ProvisionContext context, string arn) => (await service.CallAsync(context, "DescribeSchedulingPolicies", new JsonObject { ["arns"] = new JsonArray(arn) }).ConfigureAwait(false)).Objects("schedulingPolicies").FirstOrDefault();
        return new Provider("AWS::Batch::SchedulingPolicy")
        {
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateSchedulingPolicy", properties.Tagged(context));
                input["name"] = context.NameOf(properties, "Name", 128);
                return (await service.CallAsync(context, "CreateSchedulingPolicy", input).ConfigureAwait(false)).Required("arn");
            },
            Update = async (context, arn, before, after) =>
            {
                await service.CallMappedAsync(context, "UpdateSchedulingPolicy", after.Pick("FairsharePolicy", "QuotaSharePolicy").With("arn", arn)).ConfigureAwait(false);
                await service.RetagAsync(context, before, after, arn).ConfigureAwait(false);
            },
            Delete = async (context, arn, _) =>
            {
                if (await Find(context, arn).ConfigureAwait(false) is not null)
                {
                    await service.CallAsync(context, "DeleteSchedulingPolicy", new JsonObject { ["arn"] = arn }).ConfigureAwait(false);
                }
            },
            Read = async (context, arn) => await Find(context, arn).ConfigureAwait(false) is { } found ? Properties(service, "SchedulingPolicyDetail", found, "Name", "FairsharePolicy") : null,
            Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("Arn", arn))),
        };
    }
}
