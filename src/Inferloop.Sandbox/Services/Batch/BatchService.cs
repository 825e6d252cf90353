using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Batch;

/// <summary>
/// AWS Batch: compute environments, queues, definitions and jobs that run on the clock as far as there is capacity. No container is run: how
/// a job ends is read from its image's tag as for ECS (<see cref="Ecs.ContainerImages"/>), and how long it runs from its environment variable
/// <c>SANDBOX_JOB_SECONDS</c> (60 without it).
/// </summary>
internal sealed partial class BatchService : SandboxService
{
    public BatchService(SandboxRuntime runtime)
        : base(runtime, "batch")
    {
        AddEnvironments();
        AddQueues();
        AddDefinitions();
        AddPolicies();
        AddJobs();
        On("TagResource", (context, input) => Retag(context, input, tags =>
        {
            foreach (var (key, value) in input.Child("tags") ?? [])
            {
                tags[key] = value.Copy();
            }
        }));
        On("UntagResource", (context, input) => Retag(context, input, tags =>
        {
            foreach (var key in input.Texts("tagKeys"))
            {
                tags.Remove(key);
            }
        }));
        On("ListTagsForResource", (context, input) => new JsonObject { ["tags"] = Tagged(context, input.Required("resourceArn")).Document["tags"].Copy() ?? new JsonObject() });
    }

    private Collection Environments(RequestContext context) => Collection(context, "compute-environments");

    private Collection Queues(RequestContext context) => Collection(context, "job-queues");

    private Collection Definitions(RequestContext context) => Collection(context, "job-definitions");

    private Collection Policies(RequestContext context) => Collection(context, "scheduling-policies");

    private Collection Jobs(RequestContext context) => Collection(context, "jobs");

    private static ServiceFault Client(string message) => new("ClientException", message);

    /// <summary>Batch's resources are named by name or ARN.</summary>
    private static string NameOf(string nameOrArn) => nameOrArn.Split('/')[^1];

    private static JsonObject Listed(JsonObject input, IEnumerable<JsonObject> all, string member) => Pages.Answer(input, all.ToList(), member, "maxResults", "nextToken", 100, "ClientException");

    private (Collection Kind, string Key, JsonObject Document) Tagged(RequestContext context, string arn)
    {
        foreach (var (kind, member) in new[] { (Environments(context), "computeEnvironmentArn"), (Queues(context), "jobQueueArn"), (Definitions(context), "jobDefinitionArn"), (Policies(context), "arn"), (Jobs(context), "jobArn") })
        {
            foreach (var key in kind.Keys())
            {
                if (kind.Get(key) is { } found && found.Text(member) == arn)
                {
                    return (kind, key, found);
                }
            }
        }
        throw Client($"Resource {arn} not found");
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var (kind, key, _) = Tagged(context, input.Required("resourceArn"));
        kind.Update(key, document =>
        {
            var tags = document.ChildOrNew("tags").Copy();
            change(tags);
            Tags.Check(Tags.FromMap(tags), "ClientException");
            document["tags"] = tags;
        });
        return [];
    }

    private void AddPolicies()
    {
        JsonObject Policy(RequestContext context, string arn) => Policies(context).Get(arn) ?? throw Client($"Scheduling policy {arn} does not exist");
        On("CreateSchedulingPolicy", (context, input) =>
        {
            var arn = context.Arn("batch", "scheduling-policy/" + input.Text("name"));
            var policy = new JsonObject { ["name"] = input.Text("name"), ["arn"] = arn, ["tags"] = input["tags"].Copy() ?? new JsonObject() }.Take(input, "fairsharePolicy", "quotaSharePolicy");
            return Policies(context).TryAdd(arn, policy) ? policy.Pick("name", "arn") : throw Client("Object already exists");
        });
        On("UpdateSchedulingPolicy", (context, input) =>
        {
            _ = Policy(context, input.Required("arn"));
            Policies(context).Update(input.Required("arn"), policy => policy.Take(input, "fairsharePolicy", "quotaSharePolicy"));
            return [];
        });
        On("DeleteSchedulingPolicy", (context, input) =>
        {
            var arn = Policy(context, input.Required("arn")).Required("arn");
            if (Queues(context).Any(queue => queue.Text("schedulingPolicyArn") == arn))
            {
                throw Client("Cannot delete, found existing JobQueue relationship");
            }
            Policies(context).Remove(arn);
            return [];
        });
        On("DescribeSchedulingPolicies", (context, input) => new JsonObject { ["schedulingPolicies"] = input.Texts("arns").Select(arn => Policies(context).Get(arn)).OfType<JsonObject>().ToJsonList() });
        On("ListSchedulingPolicies", (context, input) => Listed(input, Policies(context).All().Select(policy => policy.Pick("arn")), "schedulingPolicies"));
    }
}
