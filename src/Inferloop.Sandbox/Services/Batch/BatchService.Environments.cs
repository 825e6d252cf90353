using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Sandbox.Services.Iam;

namespace Inferloop.Sandbox.Services.Batch;

/// <summary>Compute environments and the queues that are mapped to them.</summary>
internal sealed partial class BatchService
{
    private void AddEnvironments()
    {
        On("CreateComputeEnvironment", CreateEnvironment);
        On("DescribeComputeEnvironments", (context, input) => Listed(input, Environments(context).Where(item => input.Texts("computeEnvironments") is { Count: 0 } || input.Texts("computeEnvironments").Select(NameOf).Contains(item.Required("computeEnvironmentName")))
            .Select(item => Current(context, item)), "computeEnvironments"));
        On("UpdateComputeEnvironment", UpdateEnvironment);
        On("DeleteComputeEnvironment", (context, input) =>
        {
            var name = NameOf(input.Required("computeEnvironment"));
            if (Environments(context).Get(name) is not { } found)
            {
                // One that is not there counts as deleted.
                return [];
            }
            if (found.Text("state") != "DISABLED")
            {
                throw Client("Cannot delete, state must be DISABLED");
            }
            if (found.Text("status") is "CREATING" or "UPDATING")
            {
                throw Client("Cannot delete, resource is being modified.");
            }
            if (Queues(context).Any(queue => queue.Objects("computeEnvironmentOrder").Any(item => NameOf(item.Required("computeEnvironment")) == name)))
            {
                throw Client("Cannot delete, found existing JobQueue relationship");
            }
            Environments(context).Update(name, document => document["status"] = "DELETING");
            Runtime.After(Durations.BatchEnvironmentDelete, () => Environments(context).Remove(name));
            return [];
        });
    }

    private static bool IsFargate(JsonObject environment) => environment.Child("computeResources")?.Text("type")?.StartsWith("FARGATE", StringComparison.Ordinal) == true;

    private JsonObject Environment(RequestContext context, string nameOrArn) =>
        Environments(context).Get(NameOf(nameOrArn)) ?? throw Client($"{nameOrArn} does not exist");

    /// <summary>The present desired capacity is what running jobs need, within the bounds.</summary>
    private JsonObject Current(RequestContext context, JsonObject environment)
    {
        if (environment.Child("computeResources") is { } resources && !IsFargate(environment))
        {
            resources["desiredvCpus"] = Math.Max(resources.Int("minvCpus") ?? 0, Math.Max(resources.Int("desiredvCpus") ?? 0, (int)Math.Ceiling(Used(context, environment.Required("computeEnvironmentArn")))));
        }
        return environment;
    }

    private JsonObject CreateEnvironment(RequestContext context, JsonObject input)
    {
        var name = input.Required("computeEnvironmentName");
        if (Environments(context).Contains(name))
        {
            throw Client("Object already exists");
        }
        if (input.Has("eksConfiguration"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox has no compute environments on EKS. Nothing was changed.", 501);
        }
        var resources = input.Child("computeResources").Copy();
        if (input.Text("type") == "MANAGED")
        {
            resources = CheckResources(context, resources ?? throw Client("Error executing request, Exception : computeResources must be provided for a MANAGED compute environment"));
        }
        else if (resources is not null)
        {
            throw Client("Error executing request, Exception : computeResources must not be provided for an UNMANAGED compute environment");
        }
        CheckServiceRole(context, input.Text("serviceRole"));
        var arn = context.Arn("batch", "compute-environment/" + name);
        var environment = new JsonObject
        {
            ["computeEnvironmentName"] = name,
            ["computeEnvironmentArn"] = arn,
            ["ecsClusterArn"] = context.Arn("ecs", $"cluster/AWSBatch-{name}-{Runtime.Ids.Uuid()}"),
            ["type"] = input.Text("type"),
            ["state"] = input.Text("state") ?? "ENABLED",
            ["status"] = "CREATING",
            ["statusReason"] = "",
            ["serviceRole"] = input.Text("serviceRole") ?? context.GlobalArn("iam", "role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"),
            ["tags"] = input["tags"].Copy() ?? new JsonObject(),
            ["containerOrchestrationType"] = "ECS",
            ["uuid"] = Runtime.Ids.Uuid(),
        }.With("computeResources", resources).Take(input, "unmanagedvCpus", "context");
        Environments(context).Put(name, environment);
        if (!input.Has("serviceRole"))
        {
            Runtime.Service<IamService>().EnsureServiceLinkedRole(context, "batch.amazonaws.com", "AWSServiceRoleForBatch");
        }
        Settle(context, name);
        return environment.Pick("computeEnvironmentName", "computeEnvironmentArn");
    }

    /// <summary>What Batch finds out after it has taken an environment makes that environment invalid, not the call.</summary>
    private void Settle(RequestContext context, string name) => Runtime.After(Durations.BatchEnvironment, () =>
    {
        var problem = Environments(context).Get(name)?.Child("computeResources") is { } resources ? RoleProblem(context, resources) : null;
        Environments(context).Update(name, document =>
        {
            if (document.Text("status") is "CREATING" or "UPDATING")
            {
                document["status"] = problem is null ? "VALID" : "INVALID";
                document["statusReason"] = problem ?? "ComputeEnvironment Healthy";
            }
        });
    });

    private string? RoleProblem(RequestContext context, JsonObject resources)
    {
        var profile = resources.Text("instanceRole");
        return profile is null || Runtime.Service<IamService>().HasInstanceProfile(context, profile) ? null
            : $"CLIENT_ERROR - Instance profile {profile} not found";
    }

    private void CheckServiceRole(RequestContext context, string? role)
    {
        if (role is not null && !role.Contains("/aws-service-role/", StringComparison.Ordinal) && role.StartsWith("arn:", StringComparison.Ordinal) && Runtime.Service<IamService>().FindRole(context, role) is null)
        {
            throw Client($"Error executing request, Exception : Role {role} does not exist or Batch cannot assume it");
        }
    }

    private JsonObject CheckResources(RequestContext context, JsonObject resources)
    {
        static ServiceFault Bad(string message) => Client("Error executing request, Exception : " + message);
        var type = resources.Required("type");
        var fargate = type.StartsWith("FARGATE", StringComparison.Ordinal);
        if (resources.Texts("subnets").Count == 0)
        {
            throw Bad("subnets must be provided");
        }
        if (fargate)
        {
            if (new[] { "instanceTypes", "instanceRole", "minvCpus", "desiredvCpus", "allocationStrategy", "launchTemplate", "imageId", "ec2KeyPair", "bidPercentage", "spotIamFleetRole", "tags", "placementGroup", "ec2Configuration" }.FirstOrDefault(resources.Has) is { } stranger)
            {
                throw Bad($"{stranger} must not be provided for Fargate compute environments");
            }
            if (resources.Texts("securityGroupIds").Count == 0)
            {
                throw Bad("securityGroupIds must be provided for Fargate compute environments");
            }
        }
        else
        {
            if (!resources.Has("instanceRole"))
            {
                throw Bad("instanceRole must be provided");
            }
            if (resources.Texts("instanceTypes").Count == 0)
            {
                throw Bad("instanceTypes must be provided");
            }
            foreach (var instance in resources.Texts("instanceTypes"))
            {
                if (instance is not ("optimal" or "default_x86_64" or "default_arm64") && !InstanceTypes.All.ContainsKey(instance) && !InstanceTypes.All.Keys.Any(known => known.StartsWith(instance + ".", StringComparison.Ordinal)))
                {
                    throw Bad($"Instance type {instance} is not supported");
                }
            }
            resources["minvCpus"] ??= 0;
            resources["desiredvCpus"] ??= resources.Int("minvCpus");
            resources["allocationStrategy"] ??= "BEST_FIT";
            var strategy = resources.Required("allocationStrategy");
            if (strategy.StartsWith("SPOT_", StringComparison.Ordinal) && type != "SPOT")
            {
                throw Bad($"allocationStrategy {strategy} is only for SPOT compute environments");
            }
            if (strategy == "BEST_FIT" && type == "SPOT" && !resources.Has("spotIamFleetRole"))
            {
                throw Bad("spotIamFleetRole must be provided for SPOT compute environments with allocationStrategy BEST_FIT");
            }
            if (resources.Int("minvCpus") > resources.Int("maxvCpus") || resources.Int("desiredvCpus") > resources.Int("maxvCpus") || resources.Int("desiredvCpus") < resources.Int("minvCpus"))
            {
                throw Bad("minvCpus <= desiredvCpus <= maxvCpus must hold");
            }
        }
        var ec2 = Runtime.Service<Ec2Service>();
        try
        {
            var vpcs = resources.Texts("subnets").Select(id => ec2.Subnet(context, id)).Concat(resources.Texts("securityGroupIds").Select(id => ec2.SecurityGroup(context, id))).Select(item => item.Text("VpcId")).Distinct(StringComparer.Ordinal).Count();
            if (vpcs > 1)
            {
                throw Bad("subnets and security groups must belong to one VPC");
            }
            if (resources.Child("launchTemplate") is { } template)
            {
                _ = ec2.LaunchData(context, new JsonObject().With("LaunchTemplateId", template.Text("launchTemplateId")).With("LaunchTemplateName", template.Text("launchTemplateName")).With("Version", template.Text("version") is { Length: > 0 } version ? version : "$Default"));
            }
        }
        catch (ServiceFault fault) when (fault.Code.StartsWith("Invalid", StringComparison.Ordinal))
        {
            throw Bad(fault.Message);
        }
        return resources;
    }

    private JsonObject UpdateEnvironment(RequestContext context, JsonObject input)
    {
        var environment = Environment(context, input.Required("computeEnvironment"));
        var name = environment.Required("computeEnvironmentName");
        if (environment.Text("status") is "CREATING" or "UPDATING" or "DELETING")
        {
            throw Client("Cannot update, resource is being modified.");
        }
        CheckServiceRole(context, input.Text("serviceRole"));
        if (input.Child("computeResources") is { } change)
        {
            var merged = environment.Child("computeResources")!.Copy();
            foreach (var (key, value) in change)
            {
                merged[key] = value.Copy();
            }
            merged.Remove("updateToLatestImageVersion");
            string[] scaling = ["minvCpus", "maxvCpus", "desiredvCpus", "securityGroupIds", "subnets"];
            // An infrastructure update replaces instances: only strategies that can progress allow it.
            if (!IsFargate(environment) && change.Any(pair => !scaling.Contains(pair.Key)) && environment.Child("computeResources")!.Text("allocationStrategy") == "BEST_FIT")
            {
                throw Client("Error executing request, Exception : infrastructure updates need an allocationStrategy of BEST_FIT_PROGRESSIVE, SPOT_CAPACITY_OPTIMIZED or SPOT_PRICE_CAPACITY_OPTIMIZED");
            }
            environment["computeResources"] = CheckResources(context, merged);
        }
        environment.Take(input, "state", "unmanagedvCpus", "serviceRole", "updatePolicy", "context");
        environment["status"] = "UPDATING";
        Environments(context).Put(name, environment);
        Settle(context, name);
        return environment.Pick("computeEnvironmentName", "computeEnvironmentArn");
    }

    private void AddQueues()
    {
        On("CreateJobQueue", (context, input) =>
        {
            var name = input.Required("jobQueueName");
            var arn = context.Arn("batch", "job-queue/" + name);
            CheckOrder(context, input);
            var queue = new JsonObject
            {
                ["jobQueueName"] = name,
                ["jobQueueArn"] = arn,
                ["state"] = input.Text("state") ?? "ENABLED",
                ["status"] = "CREATING",
                ["statusReason"] = "",
                ["priority"] = input.Int("priority"),
                ["computeEnvironmentOrder"] = Order(context, input),
                ["jobQueueType"] = IsFargate(Environment(context, input.Objects("computeEnvironmentOrder").First().Required("computeEnvironment"))) ? "ECS_FARGATE" : "ECS",
                ["tags"] = input["tags"].Copy() ?? new JsonObject(),
            }.Take(input, "schedulingPolicyArn", "jobStateTimeLimitActions");
            if (!Queues(context).TryAdd(name, queue))
            {
                throw Client("Object already exists");
            }
            Runtime.After(Durations.BatchQueue, () => Queues(context).Update(name, Valid));
            return queue.Pick("jobQueueName", "jobQueueArn");
        });
        On("DescribeJobQueues", (context, input) => Listed(input, Queues(context).Where(queue => input.Texts("jobQueues") is { Count: 0 } || input.Texts("jobQueues").Select(NameOf).Contains(queue.Required("jobQueueName"))), "jobQueues"));
        On("UpdateJobQueue", (context, input) =>
        {
            var queue = Queue(context, input.Required("jobQueue"));
            if (queue.Text("status") is "CREATING" or "UPDATING" or "DELETING")
            {
                throw Client("Cannot update, resource is being modified.");
            }
            if (input.Has("computeEnvironmentOrder"))
            {
                CheckOrder(context, input);
                queue["computeEnvironmentOrder"] = Order(context, input);
            }
            if (input.Has("schedulingPolicyArn") != queue.Has("schedulingPolicyArn") && input.Has("schedulingPolicyArn"))
            {
                throw Client("Error executing request, Exception : a queue that was made without a scheduling policy cannot get one");
            }
            queue.Take(input, "state", "priority", "schedulingPolicyArn", "jobStateTimeLimitActions");
            queue["status"] = "UPDATING";
            Queues(context).Put(queue.Required("jobQueueName"), queue);
            Runtime.After(Durations.BatchQueue, () => Queues(context).Update(queue.Required("jobQueueName"), Valid));
            return queue.Pick("jobQueueName", "jobQueueArn");
        });
        On("DeleteJobQueue", (context, input) =>
        {
            var name = NameOf(input.Required("jobQueue"));
            if (Queues(context).Get(name) is not { } queue)
            {
                return [];
            }
            if (queue.Text("state") != "DISABLED")
            {
                throw Client("Cannot delete, state must be DISABLED");
            }
            if (queue.Text("status") is "CREATING" or "UPDATING")
            {
                throw Client("Cannot delete, resource is being modified.");
            }
            Queues(context).Update(name, document => document["status"] = "DELETING");
            foreach (var job in Jobs(context).Where(job => job.Text("jobQueue") == queue.Text("jobQueueArn") && !IsOver(job)))
            {
                End(context, job.Required("jobId"), "FAILED", "The job queue was deleted");
            }
            Runtime.After(Durations.BatchQueueDelete, () => Queues(context).Remove(name));
            return [];
        });
    }

    private static void Valid(JsonObject queue)
    {
        if (queue.Text("status") is "CREATING" or "UPDATING")
        {
            queue["status"] = "VALID";
            queue["statusReason"] = "JobQueue Healthy";
        }
    }

    private JsonObject Queue(RequestContext context, string nameOrArn) => Queues(context).Get(NameOf(nameOrArn)) ?? throw Client($"Job queue {nameOrArn} does not exist");

    private JsonArray Order(RequestContext context, JsonObject input) => input.Objects("computeEnvironmentOrder").OrderBy(item => item.Int("order"))
        .Select(item => new JsonObject { ["order"] = item.Int("order"), ["computeEnvironment"] = Environment(context, item.Required("computeEnvironment")).Text("computeEnvironmentArn") }).ToJsonList();

    private void CheckOrder(RequestContext context, JsonObject input)
    {
        var order = input.Objects("computeEnvironmentOrder").Select(item => Environment(context, item.Required("computeEnvironment"))).ToList();
        if (order.Count is 0 or > 3)
        {
            throw Client("Error executing request, Exception : computeEnvironmentOrder must have one to three compute environments");
        }
        if (order.Exists(item => item.Text("status") is not ("VALID" or "UPDATING") && item.Text("status") != "CREATING"))
        {
            throw Client($"Compute environment {order.First(item => item.Text("status") is not "VALID").Text("computeEnvironmentArn")} is not valid: {order.First(item => item.Text("status") is not "VALID").Text("statusReason")}");
        }
        if (order.Select(IsFargate).Distinct().Count() > 1)
        {
            throw Client("Error executing request, Exception : Fargate and EC2 compute environments cannot be mixed in one queue");
        }
        if (input.Text("schedulingPolicyArn") is { } policy && !Policies(context).Contains(policy))
        {
            throw Client($"Scheduling policy {policy} does not exist");
        }
    }
}
