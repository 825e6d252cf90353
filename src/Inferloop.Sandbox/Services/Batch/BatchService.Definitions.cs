using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Batch;

/// <summary>Job definitions and their revisions.</summary>
internal sealed partial class BatchService
{
    /// <summary>The memory, in MiB, that a Fargate task of so many vCPUs can have: lowest, highest.</summary>
    private static readonly Dictionary<double, (int Low, int High)> FargateSizes = new()
    {
        [0.25] = (512, 2048), [0.5] = (1024, 4096), [1] = (2048, 8192), [2] = (4096, 16_384), [4] = (8192, 30_720), [8] = (16_384, 61_440), [16] = (32_768, 122_880),
    };

    private void AddDefinitions()
    {
        On("RegisterJobDefinition", (context, input) =>
        {
            var name = input.Required("jobDefinitionName");
            CheckDefinition(input);
            return Definitions(context).Lock(() =>
            {
                // Revisions go on counting over deregistered ones.
                var revision = Definitions(context).Where(item => item.Text("jobDefinitionName") == name).Select(item => item.Int("revision") ?? 0).Append(0).Max() + 1;
                var definition = input.Pick("jobDefinitionName", "type", "parameters", "schedulingPriority", "containerProperties", "nodeProperties", "retryStrategy", "propagateTags", "timeout", "ecsProperties");
                definition["jobDefinitionArn"] = context.Arn("batch", $"job-definition/{name}:{revision}");
                definition["revision"] = revision;
                definition["status"] = "ACTIVE";
                definition["tags"] = input["tags"].Copy() ?? new JsonObject();
                definition["platformCapabilities"] = input["platformCapabilities"].Copy() ?? new JsonArray("EC2");
                definition["containerOrchestrationType"] = "ECS";
                if (!definition.Has("parameters"))
                {
                    definition["parameters"] = new JsonObject();
                }
                Definitions(context).Put(DefinitionKey(name, revision), definition);
                return definition.Pick("jobDefinitionName", "jobDefinitionArn", "revision");
            });
        });
        On("DeregisterJobDefinition", (context, input) =>
        {
            var definition = Definition(context, input.Required("jobDefinition"), active: false);
            Definitions(context).Update(DefinitionKey(definition.Required("jobDefinitionName"), definition.Int("revision")!.Value), document => document["status"] = "INACTIVE");
            return [];
        });
        On("DescribeJobDefinitions", (context, input) =>
        {
            var asked = input.Texts("jobDefinitions").Select(NameOf).ToList();
            return Listed(input, Definitions(context).Where(item => (asked.Count == 0 || asked.Contains(item.Required("jobDefinitionName")) || asked.Contains($"{item.Text("jobDefinitionName")}:{item.Text("revision")}"))
                && (input.Text("jobDefinitionName") is not { } name || item.Text("jobDefinitionName") == NameOf(name)) && (input.Text("status") is not { } status || item.Text("status") == status))
                .OrderBy(item => item.Text("jobDefinitionName"), StringComparer.Ordinal).ThenByDescending(item => item.Int("revision")), "jobDefinitions");
        });
    }

    /// <summary>The ARN of the active revision of the definition that an ARN is of.</summary>
    public string LatestRevision(string arn)
    {
        var parts = arn.Split(':');
        var name = NameOf(parts[5]);
        return Runtime.Collection(ModelName, "job-definitions", parts[4], parts[3]).Where(item => item.Text("jobDefinitionName") == name && item.Text("status") == "ACTIVE").MaxBy(item => item.Int("revision"))?.Text("jobDefinitionArn") ?? arn;
    }

    private static string DefinitionKey(string name, int revision) => $"{name}:{revision.ToString("D6", CultureInfo.InvariantCulture)}";

    private static void CheckDefinition(JsonObject input)
    {
        if (input.Text("type") != "container")
        {
            throw new ServiceFault("NotImplemented", "The sandbox has jobs of type container only. Nothing was changed.", 501);
        }
        if (input.Has("eksProperties") || input.Has("nodeProperties"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox has neither jobs on EKS nor jobs of many nodes. Nothing was changed.", 501);
        }
        if (input.Has("ecsProperties"))
        {
            return;
        }
        var container = input.Child("containerProperties") ?? throw Client("Error executing request, Exception : containerProperties must be provided");
        if (!container.Has("image"))
        {
            throw Client("Error executing request, Exception : Container image must be provided");
        }
        if (Size(container, "VCPU", "vcpus") is not { } cpu || Size(container, "MEMORY", "memory") is not { } memory)
        {
            throw Client("Error executing request, Exception : Container properties should specify VCPU and MEMORY requirements");
        }
        if (input.Texts("platformCapabilities").Contains("FARGATE"))
        {
            if (!container.Has("executionRoleArn"))
            {
                throw Client("Error executing request, Exception : EXECUTION_ROLE must be provided for Fargate jobs");
            }
            if (!FargateSizes.TryGetValue(cpu, out var range) || memory < range.Low || memory > range.High)
            {
                throw Client($"Error executing request, Exception : Fargate resource requirements ({cpu.ToString(CultureInfo.InvariantCulture)} vCPU, {memory.ToString(CultureInfo.InvariantCulture)} MiB) not valid.");
            }
        }
        if (input.Child("retryStrategy")?.Int("attempts") is < 1 or > 10)
        {
            throw Client("Error executing request, Exception : attempts must be between 1 and 10");
        }
        CheckTimeout(input);
    }

    private static void CheckTimeout(JsonObject input)
    {
        if (input.Child("timeout")?.Int("attemptDurationSeconds") is < 60)
        {
            throw Client("Error executing request, Exception : attemptDurationSeconds must be at least 60");
        }
    }

    /// <summary>A need of a container, from its requirements or the older member.</summary>
    private static double? Size(JsonObject container, string kind, string member) =>
        container.Objects("resourceRequirements").FirstOrDefault(item => item.Text("type") == kind)?.Double("value") ?? container.Double(member);

    private JsonObject Definition(RequestContext context, string nameOrArn, bool active = true)
    {
        var text = NameOf(nameOrArn);
        var found = text.Split(':') is [var name, var number] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var revision)
            ? Definitions(context).Get(DefinitionKey(name, revision))
            : Definitions(context).Where(item => item.Text("jobDefinitionName") == text && item.Text("status") == "ACTIVE").MaxBy(item => item.Int("revision"));
        return found is null || (active && found.Text("status") != "ACTIVE") ? throw Client($"Job definition {nameOrArn} does not exist or is not active") : found;
    }
}
