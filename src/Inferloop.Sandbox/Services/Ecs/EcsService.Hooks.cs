using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecs;

/// <content>Lifecycle hooks of deployments: pauses that wait for an answer, and functions that are asked.</content>
internal sealed partial class EcsService
{
    private const int DefaultHookMinutes = 1440;

    private static readonly TimeSpan HookRepetition = TimeSpan.FromSeconds(30);

    /// <summary>Starts the hooks of a stage as it begins, and tells what they come to: go on, WAIT or ROLLBACK.</summary>
    private string Hooks(RequestContext context, JsonObject service, JsonObject deployment, string stage)
    {
        var configured = deployment.Child("deploymentConfiguration")!.Objects("lifecycleHooks").Where(hook => hook.Texts("lifecycleStages").Contains(stage)
            || (stage == "PRODUCTION_TRAFFIC_SHIFT" && hook.Texts("lifecycleStages").Contains("PRE_PRODUCTION_TRAFFIC_SHIFT"))).ToList();
        if (configured.Count == 0)
        {
            return "";
        }
        var now = Runtime.Clock.Now;
        if (!deployment.Is("_Hooked"))
        {
            deployment["_Hooked"] = true;
            deployment["lifecycleHookDetails"] = configured.Select(hook =>
            {
                var pauses = hook.Text("targetType") == "PAUSE";
                var timeout = hook.Child("timeoutConfiguration");
                return new JsonObject
                {
                    ["hookId"] = (pauses ? "ecs-pause-" : "ecs-lambda-") + Runtime.Ids.UrlSafe(43),
                    ["targetType"] = pauses ? "PAUSE" : "AWS_LAMBDA",
                    ["status"] = pauses ? "AWAITING_ACTION" : "IN_PROGRESS",
                    ["expiresAt"] = Documents.Time(now.AddMinutes(timeout?.Int("timeoutInMinutes") ?? DefaultHookMinutes)),
                    ["timeoutAction"] = timeout?.Text("action") ?? "ROLLBACK",
                }.With("targetArn", hook.Text("hookTargetArn")).With("_Details", hook["hookDetails"].Copy());
            }).ToJsonList();
            if (configured.Exists(hook => hook.Text("targetType") == "PAUSE"))
            {
                Event(service, $"(deployment {deployment.Text("_Target")}) deployment paused at {stage}.");
            }
        }
        foreach (var hook in deployment.Objects("lifecycleHookDetails"))
        {
            if (hook.Text("status") is "AWAITING_ACTION" or "IN_PROGRESS" && hook.TimeOf("expiresAt") <= now)
            {
                hook["status"] = "TIMED_OUT";
            }
            if (hook.Text("status") == "IN_PROGRESS" && (hook.TimeOf("_Asked") is not { } asked || asked + HookRepetition <= now))
            {
                hook["_Asked"] = Documents.Time(now);
                Ask(context, deployment, hook, stage);
            }
        }
        var details = deployment.Objects("lifecycleHookDetails").ToList();
        return details.Exists(hook => hook.Text("status") == "FAILED" || (hook.Text("status") == "TIMED_OUT" && hook.Text("timeoutAction") == "ROLLBACK")) ? "ROLLBACK"
            : details.Exists(hook => hook.Text("status") is "AWAITING_ACTION" or "IN_PROGRESS") ? "WAIT" : "";
    }

    /// <summary>Asks a function; its answer arrives beside the scheduler, which sees it at its next look.</summary>
    private void Ask(RequestContext context, JsonObject deployment, JsonObject hook, string stage)
    {
        var (arn, id) = (deployment.Required("serviceDeploymentArn"), hook.Required("hookId"));
        var payload = new JsonObject
        {
            ["executionDetails"] = new JsonObject { ["serviceArn"] = deployment.Text("serviceArn"), ["targetServiceRevisionArn"] = deployment.Text("_Revision") },
            ["executionId"] = id,
            ["lifecycleStage"] = stage,
            ["resourceArn"] = arn,
        }.With("hookDetails", hook["_Details"].Copy());
        var function = hook.Required("targetArn");
        var input = new JsonObject { ["FunctionName"] = function, ["InvocationType"] = "RequestResponse", ["Payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(payload.ToJsonString())) };
        Runtime.Run(async _ =>
        {
            string status;
            try
            {
                var answer = await Runtime.Service<Lambda.LambdaService>().InvokeAsync(context.Detached(), "Invoke", input).ConfigureAwait(false);
                var body = Encoding.UTF8.GetString(Convert.FromBase64String(answer.Text("Payload") ?? ""));
                var given = answer.Has("FunctionError") ? null : (JsonNode.Parse(body) as JsonObject)?.Text("hookStatus");
                status = given is "SUCCEEDED" or "IN_PROGRESS" ? given : "FAILED";
            }
            catch (ServiceFault)
            {
                // A function that cannot be invoked is a hook that failed.
                status = "FAILED";
            }
            Locked(context, arn, (_, found) =>
            {
                foreach (var asked in found.Objects("lifecycleHookDetails").Where(item => item.Text("hookId") == id && item.Text("status") == "IN_PROGRESS"))
                {
                    asked["status"] = status;
                }
                return [];
            });
        });
    }
}
