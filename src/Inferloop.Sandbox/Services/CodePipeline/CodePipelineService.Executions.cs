using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CodeBuild;
using Inferloop.Sandbox.Services.Events;

namespace Inferloop.Sandbox.Services.CodePipeline;

/// <summary>Executions: stage after stage, in each stage the actions by their run order.</summary>
internal sealed partial class CodePipelineService
{
    private Collection Executions(RequestContext context) => Collection(context, "executions");

    private void AddExecutions()
    {
        On("StartPipelineExecution", (context, input) => new JsonObject { ["pipelineExecutionId"] = Start(context, Pipeline(context, input.Required("name")).Child("_Pipeline")!.Required("name"), "StartPipelineExecution", context.PrincipalArn, input) });
        On("GetPipelineExecution", (context, input) => new JsonObject
        {
            ["pipelineExecution"] = Execution(context, input).Pick("pipelineName", "pipelineVersion", "pipelineExecutionId", "status", "statusSummary", "artifactRevisions", "variables", "trigger", "executionMode", "executionType"),
        });
        On("ListPipelineExecutions", (context, input) => Pages.Answer(input, OfPipeline(context, input.Required("pipelineName")).Select(item =>
            item.Pick("pipelineExecutionId", "status", "statusSummary", "startTime", "lastUpdateTime", "sourceRevisions", "trigger", "executionMode", "executionType")).ToList(), "pipelineExecutionSummaries", "maxResults", "nextToken", 100, "InvalidNextTokenException"));
        On("ListActionExecutions", (context, input) => Pages.Answer(input, OfPipeline(context, input.Required("pipelineName")).Where(item => input.Child("filter")?.Text("pipelineExecutionId") is not { } id || item.Text("pipelineExecutionId") == id)
            .SelectMany(item => item.Objects("_Actions").Reverse()).Select(item => item.Copy()).ToList(), "actionExecutionDetails", "maxResults", "nextToken", 100, "InvalidNextTokenException"));
        On("GetPipelineState", GetPipelineState);
        On("StopPipelineExecution", (context, input) =>
        {
            var execution = Execution(context, input);
            if (execution.Text("status") != "InProgress")
            {
                throw new ServiceFault("PipelineExecutionNotStoppableException", $"Cannot stop execution {input.Text("pipelineExecutionId")} because it is not in progress");
            }
            End(context, execution.Required("pipelineExecutionId"), "Stopped", input.Text("reason"));
            return new JsonObject { ["pipelineExecutionId"] = execution.Text("pipelineExecutionId") };
        });
        On("PutApprovalResult", (context, input) =>
        {
            var found = Executions(context).Find(item => item.Text("pipelineName") == input.Text("pipelineName") && item.Text("status") == "InProgress"
                && item.Objects("_Actions").Any(action => action.Text("stageName") == input.Text("stageName") && action.Text("actionName") == input.Text("actionName") && action.Text("status") == "InProgress" && action.Text("_Token") == input.Text("token")))
                ?? throw new ServiceFault("InvalidApprovalTokenException", "The approval token is invalid or has expired.");
            var result = input.Child("result")!;
            var approved = result.Text("status") == "Approved";
            Executions(context).Update(found.Required("pipelineExecutionId"), document => Finish(context, document, document.Objects("_Actions").First(action => action.Text("_Token") == input.Text("token")), approved ? "Succeeded" : "Failed", result.Text("summary")));
            Look(context.Detached(), found.Required("pipelineExecutionId"), TimeSpan.Zero);
            return new JsonObject { ["approvedAt"] = Documents.Time(context.Now) };
        });
        On("RetryStageExecution", (context, input) =>
        {
            var execution = Execution(context, input);
            var stage = input.Required("stageName");
            if (execution.Text("status") != "Failed" || execution.Text("_Stage") != stage)
            {
                throw new ServiceFault("StageNotRetryableException", $"Stage {stage} of execution {input.Text("pipelineExecutionId")} cannot be retried.");
            }
            Executions(context).Update(execution.Required("pipelineExecutionId"), document =>
            {
                document["status"] = "InProgress";
                document.Remove("statusSummary");
                foreach (var action in document.Objects("_Actions").Where(action => action.Text("stageName") == stage && (input.Text("retryMode") == "ALL_ACTIONS" || action.Text("status") != "Succeeded")).ToList())
                {
                    document.ListOrNew("_Actions").Remove(action);
                }
            });
            Look(context.Detached(), execution.Required("pipelineExecutionId"), TimeSpan.Zero);
            return new JsonObject { ["pipelineExecutionId"] = execution.Text("pipelineExecutionId") };
        });
    }

    private JsonObject Execution(RequestContext context, JsonObject input)
    {
        _ = Pipeline(context, input.Required("pipelineName"));
        return Executions(context).Get(input.Required("pipelineExecutionId")) is { } found && found.Text("pipelineName") == input.Text("pipelineName") ? found
            : throw new ServiceFault("PipelineExecutionNotFoundException", $"Pipeline execution {input.Text("pipelineExecutionId")} of pipeline {input.Text("pipelineName")} was not found.");
    }

    private List<JsonObject> OfPipeline(RequestContext context, string name)
    {
        _ = Pipeline(context, name);
        return Executions(context).Where(item => item.Text("pipelineName") == name).OrderByDescending(item => item.Long("_Order")).ToList();
    }

    private long order;

    private string Start(RequestContext context, string name, string trigger, string by, JsonObject? input)
    {
        var pipeline = Pipeline(context, name).Child("_Pipeline")!;
        var id = Runtime.Ids.Uuid();
        // The newer execution takes the place of one that waits or runs, as the mode SUPERSEDED has it.
        if (pipeline.Text("executionMode") == "SUPERSEDED")
        {
            foreach (var older in OfPipeline(context, name).Where(item => item.Text("status") == "InProgress" && !item.Objects("_Actions").Any(action => action.Text("status") == "InProgress")))
            {
                End(context, older.Required("pipelineExecutionId"), "Superseded", null);
            }
        }
        var revision = input?.Objects("sourceRevisions").FirstOrDefault()?.Text("revisionValue") ?? Runtime.Ids.Hex(40);
        Executions(context).Put(id, new JsonObject
        {
            ["pipelineExecutionId"] = id,
            ["pipelineName"] = name,
            ["pipelineVersion"] = pipeline.Int("version"),
            ["status"] = "InProgress",
            ["startTime"] = Documents.Time(context.Now),
            ["lastUpdateTime"] = Documents.Time(context.Now),
            ["executionMode"] = pipeline.Text("executionMode"),
            ["executionType"] = "STANDARD",
            ["trigger"] = new JsonObject { ["triggerType"] = trigger, ["triggerDetail"] = by },
            ["variables"] = (input?.Objects("variables") ?? []).Select(variable => new JsonObject { ["name"] = variable.Text("name"), ["resolvedValue"] = variable.Text("value") }).ToJsonList(),
            ["artifactRevisions"] = new JsonArray(),
            ["sourceRevisions"] = new JsonArray(),
            ["_Revision"] = revision,
            ["_Stage"] = pipeline.Objects("stages").First().Text("name"),
            ["_Actions"] = new JsonArray(),
            ["_Order"] = Interlocked.Increment(ref order),
        });
        Tell(context, Executions(context).Get(id)!, "Started");
        Look(context.Detached(), id, TimeSpan.FromSeconds(2));
        return id;
    }

    /// <summary>The state of an execution, or of one of its actions, as an event: rules tell people of approvals and failures by it.</summary>
    private void Tell(RequestContext context, JsonObject execution, string state, JsonObject? action = null)
    {
        var name = execution.Required("pipelineName");
        var detail = new JsonObject { ["pipeline"] = name, ["execution-id"] = execution.Text("pipelineExecutionId"), ["version"] = execution.Int("pipelineVersion"), ["state"] = state.ToUpperInvariant() };
        if (action is not null)
        {
            var type = action.Child("input")!.Child("actionTypeId")!;
            detail["stage"] = action.Text("stageName");
            detail["action"] = action.Text("actionName");
            detail["region"] = context.Region;
            detail["type"] = type.Pick("owner", "category", "provider", "version");
        }
        Runtime.Service<EventsService>().Emit(context, "aws.codepipeline", action is null ? "CodePipeline Pipeline Execution State Change" : "CodePipeline Action Execution State Change", detail, context.Arn("codepipeline", name));
    }

    private void Look(RequestContext context, string id, TimeSpan after) => Runtime.After(after, () => Step(context, id));

    private void End(RequestContext context, string id, string status, string? summary)
    {
        var ended = Executions(context).Update(id, document =>
        {
            document["status"] = status;
            document.With("statusSummary", summary);
            document["lastUpdateTime"] = Documents.Time(Runtime.Clock.Now);
            foreach (var action in document.Objects("_Actions").Where(action => action.Text("status") == "InProgress"))
            {
                Finish(context, document, action, "Abandoned", summary);
            }
        });
        if (ended is not null)
        {
            Tell(context, ended, status);
        }
    }

    private void Finish(RequestContext context, JsonObject execution, JsonObject action, string status, string? summary)
    {
        Tell(context, execution, status, action);
        action["status"] = status;
        action["lastUpdateTime"] = Documents.Time(Runtime.Clock.Now);
        var output = action.ChildOrNew("output").ChildOrNew("executionResult");
        output.With("externalExecutionSummary", summary);
        if (status == "Failed")
        {
            output["errorDetails"] = new JsonObject { ["code"] = "JobFailed", ["message"] = summary };
        }
    }

    /// <summary>Looks at an execution: finished actions make way for the next, finished stages for the next.</summary>
    private void Step(RequestContext context, string id)
    {
        if (Executions(context).Get(id) is not { } execution || execution.Text("status") != "InProgress" || Pipelines(context).Get(execution.Required("pipelineName")) is not { } stored)
        {
            return;
        }
        var pipeline = stored.Child("_Pipeline")!;
        var stages = pipeline.Objects("stages").ToList();
        var at = stages.FindIndex(stage => stage.Text("name") == execution.Text("_Stage"));
        if (at < 0)
        {
            End(context, id, "Failed", "The stage no longer exists.");
            return;
        }
        var stage = stages[at];
        if (at > 0 && !execution.Objects("_Actions").Any(action => action.Text("stageName") == stage.Text("name")) && stored.Child("_Closed")?.Has(stage.Required("name")) == true)
        {
            Look(context, id, Durations.PipelinePoll);
            return;
        }
        Refresh(context, id);
        execution = Executions(context).Get(id)!;
        foreach (var group in stage.Objects("actions").GroupBy(action => action.Int("runOrder") ?? 1).OrderBy(group => group.Key))
        {
            var states = group.Select(action => (Action: action, State: execution.Objects("_Actions").FirstOrDefault(item => item.Text("stageName") == stage.Text("name") && item.Text("actionName") == action.Text("name")))).ToList();
            if (states.Find(item => item.State?.Text("status") == "Failed").State is { } failed)
            {
                End(context, id, "Failed", $"Action {failed.Text("actionName")} in stage {stage.Text("name")} failed: {failed.Child("output")?.Child("executionResult")?.Text("externalExecutionSummary")}");
                return;
            }
            foreach (var (action, state) in states.Where(item => item.State is null))
            {
                Begin(context, id, pipeline, stage, action);
            }
            if (states.Exists(item => item.State?.Text("status") != "Succeeded"))
            {
                Look(context, id, Durations.PipelinePoll);
                return;
            }
        }
        if (at + 1 == stages.Count)
        {
            End(context, id, "Succeeded", null);
            return;
        }
        Executions(context).Update(id, document => document["_Stage"] = stages[at + 1].Text("name"));
        Look(context, id, TimeSpan.FromSeconds(1));
    }

    private void Begin(RequestContext context, string id, JsonObject pipeline, JsonObject stage, JsonObject action)
    {
        var now = Documents.Time(Runtime.Clock.Now);
        var state = new JsonObject
        {
            ["pipelineExecutionId"] = id,
            ["actionExecutionId"] = Runtime.Ids.Uuid(),
            ["pipelineVersion"] = pipeline.Int("version"),
            ["stageName"] = stage.Text("name"),
            ["actionName"] = action.Text("name"),
            ["startTime"] = now,
            ["lastUpdateTime"] = now.Copy(),
            ["status"] = "InProgress",
            ["input"] = new JsonObject { ["actionTypeId"] = action["actionTypeId"].Copy(), ["configuration"] = action["configuration"].Copy(), ["region"] = context.Region },
            ["_Until"] = Documents.Time(Runtime.Clock.Now + Durations.PipelineAction),
        };
        var provider = action.Child("actionTypeId")!.Required("provider");
        var configuration = action.Child("configuration") ?? [];
        Tell(context, Executions(context).Get(id)!, "Started", state);
        try
        {
            Launch(context, id, provider, configuration, state);
        }
        catch (ServiceFault fault)
        {
            Finish(context, Executions(context).Get(id)!, state, "Failed", fault.Message);
        }
        Executions(context).Update(id, document =>
        {
            document.ListOrNew("_Actions").Add((JsonNode)state);
            if (action.Child("actionTypeId")!.Text("category") == "Source" && state.Text("status") != "Failed")
            {
                document.ListOrNew("sourceRevisions").Add((JsonNode)new JsonObject { ["actionName"] = action.Text("name"), ["revisionId"] = document.Text("_Revision") });
                document.ListOrNew("artifactRevisions").Add((JsonNode)new JsonObject { ["name"] = action.Objects("outputArtifacts").FirstOrDefault()?.Text("name"), ["revisionId"] = document.Text("_Revision"), ["created"] = now.Copy() });
            }
        });
    }

    private void Launch(RequestContext context, string id, string provider, JsonObject configuration, JsonObject state)
    {
        switch (provider)
        {
            case "CodeStarSourceConnection":
                var connection = configuration.Required("ConnectionArn");
                if (Runtime.Service<CodeConnectionsService>().StatusOf(context, connection) is not "AVAILABLE" and var status)
                {
                    throw new ServiceFault("JobFailed", status is null ? $"Connection {connection} was not found." : $"Unable to use Connection: {connection}. The provided role does not have sufficient permissions, or the connection is {status}.");
                }
                break;
            case "CodeBuild":
                var build = Runtime.Service<CodeBuildService>().Start(context, new JsonObject
                {
                    ["projectName"] = configuration.Text("ProjectName"),
                    ["sourceVersion"] = Executions(context).Get(id)!.Text("_Revision"),
                    ["environmentVariablesOverride"] = PolicyDocument.AsObject(configuration.Text("EnvironmentVariables")) as JsonArray ?? [],
                }, null);
                state["_Build"] = build.Text("id");
                state.ChildOrNew("output").ChildOrNew("executionResult")["externalExecutionId"] = build.Text("id");
                break;
            case "Manual":
                state["_Token"] = Runtime.Ids.Uuid();
                if (configuration.Text("NotificationArn") is { } topic)
                {
                    Runtime.Service<Sns.SnsService>().PublishFor(context, "codepipeline.amazonaws.com", topic, "APPROVAL NEEDED: " + configuration.Text("CustomData"), new JsonObject { ["approval"] = new JsonObject { ["token"] = state.Text("_Token"), ["pipelineExecutionId"] = id } }.ToJsonString());
                }
                break;
            case "ECS":
                if (Runtime.Collection("ecs", "services", context).Get($"{configuration.Text("ClusterName")}/{configuration.Text("ServiceName")}") is null)
                {
                    throw new ServiceFault("JobFailed", $"The Amazon ECS service '{configuration.Text("ServiceName")}' does not exist.");
                }
                break;
        }
    }

    /// <summary>Actions whose time has come, and those whose builds have ended.</summary>
    private void Refresh(RequestContext context, string id)
    {
        var builds = Runtime.Collection("codebuild", "builds", context);
        Executions(context).Update(id, document =>
        {
            foreach (var action in document.Objects("_Actions").Where(action => action.Text("status") == "InProgress" && !action.Has("_Token")))
            {
                if (action.Text("_Build") is { } build)
                {
                    if (builds.Get(build) is { } found && found.Is("buildComplete"))
                    {
                        Finish(context, document, action, found.Text("buildStatus") == "SUCCEEDED" ? "Succeeded" : "Failed", $"Build {build} {found.Text("buildStatus")}");
                    }
                }
                else if (action.TimeOf("_Until") <= Runtime.Clock.Now)
                {
                    Finish(context, document, action, "Succeeded", null);
                }
            }
            document["lastUpdateTime"] = Documents.Time(Runtime.Clock.Now);
        });
    }

    private JsonObject GetPipelineState(RequestContext context, JsonObject input)
    {
        var stored = Pipeline(context, input.Required("name"));
        var pipeline = stored.Child("_Pipeline")!;
        var executions = OfPipeline(context, input.Required("name"));
        return new JsonObject
        {
            ["pipelineName"] = pipeline.Text("name"),
            ["pipelineVersion"] = pipeline.Int("version"),
            ["created"] = stored["_Created"].Copy(),
            ["updated"] = stored["_Updated"].Copy(),
            ["stageStates"] = pipeline.Objects("stages").Select(stage =>
            {
                var name = stage.Required("name");
                var latest = executions.Find(item => item.Objects("_Actions").Any(action => action.Text("stageName") == name));
                var closed = stored.Child("_Closed")?.Child(name);
                var state = new JsonObject
                {
                    ["stageName"] = name,
                    ["inboundTransitionState"] = new JsonObject { ["enabled"] = closed is null }.Take(closed ?? [], "disabledReason", "lastChangedBy", "lastChangedAt"),
                    ["actionStates"] = stage.Objects("actions").Select(action =>
                    {
                        var run = latest?.Objects("_Actions").FirstOrDefault(item => item.Text("stageName") == name && item.Text("actionName") == action.Text("name"));
                        return new JsonObject { ["actionName"] = action.Text("name") }.With("latestExecution", run is null ? null : new JsonObject
                        {
                            ["actionExecutionId"] = run.Text("actionExecutionId"),
                            ["status"] = run.Text("status"),
                            ["lastStatusChange"] = run["lastUpdateTime"].Copy(),
                        }.With("token", run.Text("_Token")).With("summary", run.Child("output")?.Child("executionResult")?.Text("externalExecutionSummary")).With("externalExecutionId", run.Child("output")?.Child("executionResult")?.Text("externalExecutionId")));
                    }).ToJsonList(),
                };
                if (latest is not null)
                {
                    var here = latest.Objects("_Actions").Where(action => action.Text("stageName") == name).Select(action => action.Text("status")).ToList();
                    state["latestExecution"] = new JsonObject
                    {
                        ["pipelineExecutionId"] = latest.Text("pipelineExecutionId"),
                        ["status"] = here.Contains("Failed") ? "Failed" : here.Contains("Abandoned") ? "Stopped" : here.TrueForAll(item => item == "Succeeded") && here.Count == stage.Objects("actions").Count() ? "Succeeded" : "InProgress",
                    };
                }
                return state;
            }).ToJsonList(),
        };
    }
}
