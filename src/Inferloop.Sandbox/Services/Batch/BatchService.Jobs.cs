using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Batch;

/// <summary>Submission of jobs, and what callers see and change of them.</summary>
internal sealed partial class BatchService
{
    private void AddJobs()
    {
        On("SubmitJob", SubmitJob);
        On("DescribeJobs", (context, input) => new JsonObject { ["jobs"] = input.Texts("jobs").Select(id => Jobs(context).Get(NameOf(id))).OfType<JsonObject>().Select(job => Summed(context, job)).ToJsonList() });
        On("ListJobs", ListJobs);
        On("CancelJob", (context, input) => Stop(context, input, running: false));
        On("TerminateJob", (context, input) => Stop(context, input, running: true));
        On("GetJobQueueSnapshot", (context, input) =>
        {
            var queue = Queue(context, input.Required("jobQueue"));
            return new JsonObject
            {
                ["frontOfQueue"] = new JsonObject
                {
                    ["jobs"] = Jobs(context).Where(job => job.Text("jobQueue") == queue.Text("jobQueueArn") && job.Text("status") == "RUNNABLE").OrderBy(job => job.Long("_Order")).Take(100)
                        .Select(job => new JsonObject { ["jobArn"] = job.Text("jobArn"), ["earliestTimeAtPosition"] = job["createdAt"].Copy() }).ToJsonList(),
                    ["lastUpdatedAt"] = context.Now.ToUnixTimeMilliseconds(),
                },
            };
        });
    }

    private static bool IsOver(JsonObject job) => job.Text("status") is "SUCCEEDED" or "FAILED";

    private long order;

    private JsonObject SubmitJob(RequestContext context, JsonObject input)
    {
        var queue = Queue(context, input.Required("jobQueue"));
        if (queue.Text("state") != "ENABLED" || queue.Text("status") != "VALID")
        {
            throw Client($"The job queue {queue.Text("jobQueueName")} is not in a valid state to accept jobs: {queue.Text("state")}, {queue.Text("status")}");
        }
        var definition = Definition(context, input.Required("jobDefinition"));
        CheckTimeout(input);
        var size = input.Child("arrayProperties")?.Int("size");
        if (size is < 2 or > 10_000)
        {
            throw Client("Error executing request, Exception : arrayProperties size must be between 2 and 10,000");
        }
        if (queue.Has("schedulingPolicyArn") && !input.Has("shareIdentifier"))
        {
            throw Client("Error executing request, Exception : shareIdentifier must be provided for a queue with a scheduling policy");
        }
        var fargate = queue.Text("jobQueueType") == "ECS_FARGATE";
        if (definition.Texts("platformCapabilities").Contains("FARGATE") != fargate)
        {
            throw Client($"Error executing request, Exception : The job definition's platform capabilities do not fit the job queue");
        }
        foreach (var dependency in input.Objects("dependsOn").Select(item => item.Text("jobId")).OfType<string>())
        {
            if (!Jobs(context).Contains(dependency))
            {
                throw Client($"Error executing request, Exception : The job {dependency} that this job depends on does not exist");
            }
        }
        var container = Overridden(definition.Child("containerProperties") ?? [], input.Child("containerOverrides"));
        var id = Runtime.Ids.Uuid();
        var job = NewJob(context, id, input, queue, definition, container);
        if (size is { } count)
        {
            job["arrayProperties"] = new JsonObject { ["size"] = count };
            job["status"] = "PENDING";
            Jobs(context).Put(id, job);
            for (var index = 0; index < count; index++)
            {
                var child = NewJob(context, $"{id}:{index}", input, queue, definition, container);
                child["arrayProperties"] = new JsonObject { ["index"] = index };
                child["_Parent"] = id;
                Jobs(context).Put($"{id}:{index}", child);
            }
        }
        else
        {
            Jobs(context).Put(id, job);
        }
        var background = context.Detached();
        Runtime.After(Durations.BatchScheduling, () => Advance(background));
        return new JsonObject { ["jobArn"] = job.Text("jobArn"), ["jobName"] = job.Text("jobName"), ["jobId"] = id };
    }

    private JsonObject NewJob(RequestContext context, string id, JsonObject input, JsonObject queue, JsonObject definition, JsonObject container) => new JsonObject
    {
        ["jobArn"] = context.Arn("batch", "job/" + id),
        ["jobName"] = input.Text("jobName"),
        ["jobId"] = id,
        ["jobQueue"] = queue.Text("jobQueueArn"),
        ["status"] = "SUBMITTED",
        ["attempts"] = new JsonArray(),
        ["createdAt"] = context.Now.ToUnixTimeMilliseconds(),
        ["retryStrategy"] = input["retryStrategy"].Copy() ?? definition["retryStrategy"].Copy() ?? new JsonObject { ["attempts"] = 1 },
        ["dependsOn"] = input["dependsOn"].Copy() ?? new JsonArray(),
        ["jobDefinition"] = definition.Text("jobDefinitionArn"),
        ["parameters"] = input["parameters"].Copy() ?? definition["parameters"].Copy(),
        ["container"] = container.Copy(),
        ["tags"] = input["tags"].Copy() ?? new JsonObject(),
        ["platformCapabilities"] = definition["platformCapabilities"].Copy(),
        ["_Order"] = Interlocked.Increment(ref order),
        ["_Priority"] = input.Int("schedulingPriorityOverride") ?? definition.Int("schedulingPriority") ?? 0,
    }.With("timeout", input["timeout"].Copy() ?? definition["timeout"].Copy()).Take(input, "shareIdentifier");

    private static JsonObject Overridden(JsonObject container, JsonObject? overrides)
    {
        var result = container.Copy();
        result.Take(overrides ?? [], "command", "instanceType");
        foreach (var (member, key) in new[] { ("environment", "name"), ("resourceRequirements", "type") })
        {
            var changed = overrides?.Objects(member).ToDictionary(item => item.Required(key), item => item, StringComparer.Ordinal) ?? [];
            result[member] = result.Objects(member).Where(item => !changed.ContainsKey(item.Required(key))).Concat(changed.Values).ToJsonList().Copy();
        }
        return result;
    }

    private JsonObject Summed(RequestContext context, JsonObject job)
    {
        if (job.Child("arrayProperties") is { } array && array.Has("size"))
        {
            var summary = new JsonObject { ["SUBMITTED"] = 0, ["PENDING"] = 0, ["RUNNABLE"] = 0, ["STARTING"] = 0, ["RUNNING"] = 0, ["SUCCEEDED"] = 0, ["FAILED"] = 0 };
            foreach (var child in Jobs(context).Where(item => item.Text("_Parent") == job.Text("jobId")))
            {
                var status = child.Required("status");
                summary[status] = summary.Int(status) + 1;
            }
            array["statusSummary"] = summary;
        }
        return job;
    }

    private JsonObject ListJobs(RequestContext context, JsonObject input)
    {
        var parent = input.Text("arrayJobId");
        if (parent is null && !input.Has("jobQueue"))
        {
            throw Client("Error executing request, Exception : one of jobQueue, arrayJobId and multiNodeJobId must be provided");
        }
        var queue = parent is null ? Queue(context, input.Required("jobQueue")).Text("jobQueueArn") : null;
        var filters = input.Objects("filters").ToList();
        // With filters the status does not count; without a status only running jobs are listed.
        var status = filters.Count > 0 ? null : input.Text("jobStatus") ?? (parent is null ? "RUNNING" : null);
        bool Fits(JsonObject job) => filters.TrueForAll(filter => filter.Text("name") switch
        {
            "JOB_NAME" => filter.Texts("values").Any(value => PolicyEvaluator.Wildcard(value, job.Required("jobName"), ignoreCase: true)),
            "JOB_DEFINITION" => filter.Texts("values").Any(value => PolicyEvaluator.Wildcard(value, NameOf(job.Required("jobDefinition")), ignoreCase: true) || NameOf(job.Required("jobDefinition")).StartsWith(value + ":", StringComparison.Ordinal)),
            "SHARE_IDENTIFIER" => filter.Texts("values").Contains(job.Text("shareIdentifier") ?? ""),
            "BEFORE_CREATED_AT" => job.Long("createdAt") < filter.Texts("values").Select(long.Parse).First(),
            "AFTER_CREATED_AT" => job.Long("createdAt") > filter.Texts("values").Select(long.Parse).First(),
            _ => false,
        });
        var all = Jobs(context).Where(job => (parent is null ? job.Text("jobQueue") == queue && !job.Has("_Parent") : job.Text("_Parent") == parent) && (status is null || job.Text("status") == status) && Fits(job))
            .OrderByDescending(job => job.Long("_Order")).Select(job =>
            {
                var summary = job.Pick("jobArn", "jobId", "jobName", "createdAt", "status", "statusReason", "startedAt", "stoppedAt", "jobDefinition", "shareIdentifier", "arrayProperties");
                return job.Child("container")!.Has("exitCode") ? summary.With("container", job.Child("container")!.Pick("exitCode", "reason")) : summary;
            });
        return Listed(input, all, "jobSummaryList");
    }

    private JsonObject Stop(RequestContext context, JsonObject input, bool running)
    {
        var id = NameOf(input.Required("jobId"));
        if (Jobs(context).Get(id) is not { } job)
        {
            // Jobs that are not there, as those that are over, are left as they are.
            return [];
        }
        foreach (var one in Jobs(context).Where(item => item.Text("_Parent") == id).Prepend(job))
        {
            var active = one.Text("status") is "STARTING" or "RUNNING";
            if (!IsOver(one) && (running || !active))
            {
                Jobs(context).Update(one.Required("jobId"), document => document[running ? "isTerminated" : "isCancelled"] = true);
                End(context, one.Required("jobId"), "FAILED", input.Required("reason"));
            }
        }
        return [];
    }
}
