using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ecs;
using Inferloop.Sandbox.Services.Events;

namespace Inferloop.Sandbox.Services.Batch;

/// <summary>Jobs on their way: dependencies, capacity, attempts, ends.</summary>
internal sealed partial class BatchService
{
    private const string DurationVariable = "SANDBOX_JOB_SECONDS";

    private readonly object scheduling = new();

    private void Become(RequestContext context, string id, string status, Action<JsonObject>? change = null)
    {
        var job = Jobs(context).Update(id, document =>
        {
            document["status"] = status;
            change?.Invoke(document);
        });
        if (job is not null)
        {
            var detail = (JsonObject)PropertyMapper.ToShape(Model.Shape("JobDetail"), job)!;
            Runtime.Service<EventsService>().Emit(context, "aws.batch", "Batch Job State Change", detail, job.Required("jobArn"));
        }
    }

    /// <summary>Moves on whatever can move: called when something was submitted, has ended or got capacity.</summary>
    private void Advance(RequestContext context)
    {
        lock (scheduling)
        {
            foreach (var job in Jobs(context).Where(job => job.Text("status") is "SUBMITTED" or "PENDING" && !(job.Child("arrayProperties")?.Has("size") ?? false)))
            {
                Depend(context, job);
            }
            var queues = Queues(context).Where(queue => queue.Text("status") is "VALID" or "UPDATING").OrderByDescending(queue => queue.Int("priority")).ToList();
            foreach (var queue in queues)
            {
                var runnable = Jobs(context).Where(job => job.Text("jobQueue") == queue.Text("jobQueueArn") && job.Text("status") == "RUNNABLE").OrderByDescending(job => queue.Has("schedulingPolicyArn") ? job.Int("_Priority") : 0).ThenBy(job => job.Long("_Order")).ToList();
                foreach (var job in runnable)
                {
                    Place(context, queue, job);
                }
            }
        }
    }

    private void Depend(RequestContext context, JsonObject job)
    {
        var id = job.Required("jobId");
        var index = job.Child("arrayProperties")?.Int("index");
        var waiting = false;
        foreach (var dependency in job.Objects("dependsOn"))
        {
            var type = dependency.Text("type");
            var other = type == "SEQUENTIAL" && !dependency.Has("jobId") ? index is null or 0 ? null : $"{job.Text("_Parent")}:{index - 1}"
                : type == "N_TO_N" && index is not null ? $"{dependency.Text("jobId")}:{index}" : dependency.Text("jobId");
            var status = other is null ? "SUCCEEDED" : Jobs(context).Get(other)?.Text("status");
            if (status == "FAILED")
            {
                End(context, id, "FAILED", "Dependent Job failed");
                return;
            }
            waiting |= status != "SUCCEEDED";
        }
        if (waiting)
        {
            if (job.Text("status") == "SUBMITTED")
            {
                Become(context, id, "PENDING");
            }
            return;
        }
        Become(context, id, "RUNNABLE");
        foreach (var limit in Queues(context).Get(NameOf(job.Required("jobQueue")))?.Objects("jobStateTimeLimitActions") ?? [])
        {
            Runtime.After(TimeSpan.FromSeconds(limit.Int("maxTimeSeconds") ?? 600), () =>
            {
                if (Jobs(context).Get(id)?.Text("status") == "RUNNABLE")
                {
                    End(context, id, "FAILED", limit.Required("reason"));
                }
            });
        }
    }

    private static double Cpus(JsonObject job) => Size(job.Child("container")!, "VCPU", "vcpus") ?? 1;

    /// <summary>The vCPUs that an environment's jobs hold.</summary>
    private double Used(RequestContext context, string environment) => Jobs(context).Where(job => job.Text("_Environment") == environment && job.Text("status") is "STARTING" or "RUNNING").Sum(Cpus);

    private void Place(RequestContext context, JsonObject queue, JsonObject job)
    {
        foreach (var arn in queue.Objects("computeEnvironmentOrder").OrderBy(item => item.Int("order")).Select(item => item.Required("computeEnvironment")))
        {
            var environment = Environments(context).Get(NameOf(arn));
            if (environment?.Child("computeResources") is not { } resources || environment.Text("state") != "ENABLED" || environment.Text("status") is not ("VALID" or "UPDATING"))
            {
                continue;
            }
            var used = Used(context, arn);
            if (used + Cpus(job) > resources.Int("maxvCpus"))
            {
                continue;
            }
            var isWarm = !IsFargate(environment) && used + Cpus(job) <= Math.Max(resources.Int("minvCpus") ?? 0, resources.Int("desiredvCpus") ?? 0);
            var id = job.Required("jobId");
            Become(context, id, "STARTING", document => document["_Environment"] = arn);
            Runtime.After(IsFargate(environment) ? Durations.BatchFargateStart : isWarm ? Durations.BatchWarmStart : Durations.BatchInstanceStart, () => Begin(context, id));
            return;
        }
    }

    private void Begin(RequestContext context, string id)
    {
        if (Jobs(context).Get(id) is not { } job || job.Text("status") != "STARTING")
        {
            return;
        }
        var image = job.Child("container")!.Required("image");
        if (ContainerImages.PullProblem(context, image) is { } problem)
        {
            Attempted(context, id, null, $"CannotPullContainerError: {problem}");
            return;
        }
        var started = context.Now.ToUnixTimeMilliseconds();
        Become(context, id, "RUNNING", document =>
        {
            document["startedAt"] = started;
            document.ChildOrNew("container")["logStreamName"] = $"{NameOf(document.Required("jobDefinition")).Split(':')[0]}/default/{Runtime.Ids.Hex(32)}";
        });
        var given = job.Child("container")!.Objects("environment").FirstOrDefault(item => item.Text("name") == DurationVariable)?.Text("value");
        var duration = double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds >= 0 ? TimeSpan.FromSeconds(seconds) : Durations.BatchJob;
        var limit = job.Child("timeout")?.Int("attemptDurationSeconds") is { } allowed ? TimeSpan.FromSeconds(allowed) : (TimeSpan?)null;
        Runtime.After(limit < duration ? limit.Value : duration, () =>
        {
            if (Jobs(context).Get(id) is { } now && now.Text("status") == "RUNNING" && now.Long("startedAt") == started)
            {
                if (limit < duration)
                {
                    End(context, id, "FAILED", "Job attempt duration exceeded timeout");
                    return;
                }
                Attempted(context, id, ContainerImages.BehaviourOf(context, image) == ImageBehaviour.Exits ? 1 : 0, null);
            }
        });
    }

    /// <summary>An attempt has ended: the job with it, unless it failed and may be tried again.</summary>
    private void Attempted(RequestContext context, string id, int? exitCode, string? reason)
    {
        const string Exited = "Essential container in task exited";
        var job = Jobs(context).Update(id, document =>
        {
            var container = document.ChildOrNew("container");
            container.With("exitCode", exitCode).With("reason", reason);
            document.ListOrNew("attempts").Add((JsonNode)new JsonObject
            {
                ["container"] = new JsonObject { ["networkInterfaces"] = new JsonArray() }.With("exitCode", exitCode).With("reason", reason).With("logStreamName", container.Text("logStreamName")),
                ["stoppedAt"] = context.Now.ToUnixTimeMilliseconds(),
                ["statusReason"] = Exited,
            }.With("startedAt", document["startedAt"].Copy()));
        });
        if (job is null)
        {
            return;
        }
        var strategy = job.Child("retryStrategy");
        var again = exitCode != 0 && job.Objects("attempts").Count() < (strategy?.Int("attempts") ?? 1) && Retries(strategy, exitCode, reason, Exited);
        if (again)
        {
            Become(context, id, "RUNNABLE", document => document.Remove("_Environment"));
            Runtime.After(Durations.BatchScheduling, () => Advance(context));
            return;
        }
        End(context, id, exitCode == 0 ? "SUCCEEDED" : "FAILED", exitCode is null ? "Task failed to start" : Exited);
    }

    /// <summary>The first rule whose every condition fits decides; without one that fits the job is tried again.</summary>
    private static bool Retries(JsonObject? strategy, int? exitCode, string? reason, string statusReason)
    {
        bool Fits(string? pattern, string? text) => pattern is null || (text is not null && PolicyEvaluator.Wildcard(pattern, text, ignoreCase: true));
        foreach (var rule in strategy?.Objects("evaluateOnExit") ?? [])
        {
            if (Fits(rule.Text("onExitCode"), exitCode?.ToString(CultureInfo.InvariantCulture)) && Fits(rule.Text("onReason"), reason) && Fits(rule.Text("onStatusReason"), statusReason))
            {
                return string.Equals(rule.Text("action"), "RETRY", StringComparison.OrdinalIgnoreCase);
            }
        }
        return true;
    }

    private void End(RequestContext context, string id, string status, string reason)
    {
        Become(context, id, status, document =>
        {
            document["statusReason"] = reason;
            document["stoppedAt"] = context.Now.ToUnixTimeMilliseconds();
        });
        if (Jobs(context).Get(id)?.Text("_Parent") is { } parent)
        {
            var children = Jobs(context).Where(job => job.Text("_Parent") == parent);
            if (children.All(IsOver) && Jobs(context).Get(parent) is { } array && !IsOver(array))
            {
                var failed = children.Any(job => job.Text("status") == "FAILED");
                End(context, parent, failed ? "FAILED" : "SUCCEEDED", failed ? "Array Child Job failed" : "");
            }
        }
        var background = context.Detached();
        Runtime.After(Durations.BatchScheduling, () => Advance(background));
    }
}
