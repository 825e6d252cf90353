using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecs;

internal sealed partial class EcsService
{
    [GeneratedRegex(@"^[a-zA-Z0-9_-]{1,255}\z")]
    private static partial Regex FamilyPattern();

    private void AddTaskDefinitions()
    {
        On("RegisterTaskDefinition", RegisterTaskDefinition);
        On("DeregisterTaskDefinition", (context, input) =>
        {
            var definition = Definition(context, input.Required("taskDefinition"));
            var updated = Definitions(context).Update(Key(definition), document =>
            {
                document["status"] = "INACTIVE";
                document["deregisteredAt"] = Documents.Time(context.Now);
            })!;
            return new JsonObject { ["taskDefinition"] = Untagged(updated) };
        });
        On("DeleteTaskDefinitions", (context, input) =>
        {
            var deleted = new List<JsonObject>();
            var failures = new List<JsonObject>();
            foreach (var name in input.Texts("taskDefinitions"))
            {
                if (Definitions(context).Get(NameOf(name)) is not { } definition)
                {
                    failures.Add(Failure(name));
                }
                else if (definition.Text("status") == "ACTIVE")
                {
                    failures.Add(Failure(name, "The specified task definition is still in ACTIVE status. Please deregister the target and try again."));
                }
                else
                {
                    Definitions(context).Remove(Key(definition));
                    definition["status"] = "DELETE_IN_PROGRESS";
                    deleted.Add(Untagged(definition));
                }
            }
            return new JsonObject { ["taskDefinitions"] = deleted.ToJsonList(), ["failures"] = failures.ToJsonList() };
        });
        On("DescribeTaskDefinition", (context, input) =>
        {
            var definition = Definition(context, input.Required("taskDefinition"));
            var tags = definition["tags"].Copy();
            var answer = new JsonObject { ["taskDefinition"] = Untagged(definition) };
            return input.Texts("include").Contains("TAGS") ? answer.With("tags", tags) : answer;
        });
        On("ListTaskDefinitions", (context, input) =>
        {
            var status = input.Text("status") ?? "ACTIVE";
            var all = Definitions(context).Where(definition => definition.Text("status") == status && (input.Text("familyPrefix") is not { } family || definition.Text("family") == family))
                .OrderBy(definition => definition.Text("family"), StringComparer.Ordinal).ThenBy(definition => definition.Int("revision")).Select(definition => definition.Required("taskDefinitionArn")).ToList();
            if (input.Text("sort") == "DESC")
            {
                all.Reverse();
            }
            return Pages.AnswerTexts(input, all, "taskDefinitionArns", "maxResults", "nextToken");
        });
        On("ListTaskDefinitionFamilies", (context, input) =>
        {
            var status = input.Text("status") ?? "ACTIVE";
            var all = Definitions(context).All().GroupBy(definition => definition.Required("family"))
                .Where(group => group.Key.StartsWith(input.Text("familyPrefix") ?? "", StringComparison.Ordinal) && (status == "ALL" || group.Any(item => item.Text("status") == "ACTIVE") == (status == "ACTIVE")))
                .Select(group => group.Key).Order(StringComparer.Ordinal).ToList();
            return Pages.AnswerTexts(input, all, "families", "maxResults", "nextToken");
        });
    }

    private static string Key(JsonObject definition) => $"{definition.Text("family")}:{definition.Text("revision")}";

    private static JsonObject Untagged(JsonObject definition)
    {
        definition.Remove("tags");
        return definition;
    }

    /// <summary>A task definition by ARN, by family and revision, or by family (its latest active revision).</summary>
    private JsonObject Definition(RequestContext context, string name)
    {
        var key = NameOf(name);
        var found = key.Contains(':', StringComparison.Ordinal)
            ? Definitions(context).Get(key)
            : Definitions(context).Where(definition => definition.Text("family") == key && definition.Text("status") == "ACTIVE").MaxBy(definition => definition.Int("revision"));
        return found ?? throw Client("Unable to describe task definition.");
    }

    /// <summary>One that new tasks may use.</summary>
    private JsonObject ActiveDefinition(RequestContext context, string name)
    {
        JsonObject definition;
        try
        {
            definition = Definition(context, name);
        }
        catch (ServiceFault)
        {
            throw Client("TaskDefinition not found.");
        }
        return definition.Text("status") == "ACTIVE" ? definition : throw Client("TaskDefinition is inactive");
    }

    private JsonObject RegisterTaskDefinition(RequestContext context, JsonObject input)
    {
        var family = input.Required("family");
        if (!FamilyPattern().IsMatch(family))
        {
            throw Client("Family should not be null or empty, and may contain only letters, numbers, hyphens and underscores, up to 255 characters.");
        }
        Tags.Check(input.Objects("tags"), "InvalidParameterException", "key", "value");
        var definition = input.Pick("family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes", "placementConstraints", "requiresCompatibilities", "cpu", "memory",
            "pidMode", "ipcMode", "proxyConfiguration", "runtimePlatform", "ephemeralStorage", "enableFaultInjection");
        foreach (var (member, unit) in new[] { ("cpu", "vcpu"), ("memory", "gb") })
        {
            if (definition.Text(member) is { } text)
            {
                definition[member] = Units(text, unit, member).ToString(CultureInfo.InvariantCulture);
            }
        }
        var containers = definition.Objects("containerDefinitions").ToList();
        CheckContainers(containers, definition);
        if (input.Texts("requiresCompatibilities").Contains("FARGATE"))
        {
            CheckFargate(definition, containers);
        }
        foreach (var container in containers)
        {
            container["essential"] ??= true;
            container["cpu"] ??= 0;
            foreach (var list in (string[])["environment", "mountPoints", "volumesFrom", "portMappings"])
            {
                container[list] ??= new JsonArray();
            }
            foreach (var port in container.Objects("portMappings"))
            {
                port["protocol"] ??= "tcp";
                if (definition.Text("networkMode") == "awsvpc")
                {
                    port["hostPort"] ??= port["containerPort"].Copy();
                }
            }
            if (container.Child("healthCheck") is { } check)
            {
                check["interval"] ??= 30;
                check["timeout"] ??= 5;
                check["retries"] ??= 3;
            }
        }
        return Definitions(context).Lock(() =>
        {
            var counter = Collection(context, "families");
            var revision = (counter.Get(family)?.Int("revision") ?? 0) + 1;
            counter.Put(family, new JsonObject { ["revision"] = revision });
            definition["revision"] = revision;
            definition["taskDefinitionArn"] = context.Arn("ecs", $"task-definition/{family}:{revision}");
            definition["status"] = "ACTIVE";
            definition["volumes"] ??= new JsonArray();
            definition["placementConstraints"] ??= new JsonArray();
            definition["compatibilities"] = definition.Text("networkMode") == "awsvpc" ? new JsonArray("EC2", "FARGATE") : new JsonArray("EC2");
            definition["registeredAt"] = Documents.Time(context.Now);
            definition["registeredBy"] = context.PrincipalArn;
            definition["tags"] = input["tags"].Copy() ?? new JsonArray();
            Definitions(context).Put(Key(definition), definition);
            return new JsonObject { ["taskDefinition"] = Untagged(definition.Copy()), ["tags"] = definition["tags"].Copy() };
        });
    }

    /// <summary>CPU and memory may be given as units ("1024") or as words ("1 vCPU", "2 GB").</summary>
    private static int Units(string text, string unit, string member)
    {
        var words = text.Trim().ToLowerInvariant();
        var scaled = words.EndsWith(unit, StringComparison.Ordinal);
        if (!double.TryParse(scaled ? words[..^unit.Length].Trim() : words, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
        {
            throw Client($"Invalid '{member}' setting for task.");
        }
        return (int)(scaled ? value * 1024 : value);
    }

    private static void CheckContainers(List<JsonObject> containers, JsonObject definition)
    {
        if (containers.Count == 0)
        {
            throw Client("Container list cannot be empty.");
        }
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var container in containers)
        {
            var name = container.Text("name") is { Length: > 0 } given ? given : throw Client("Container.name should not be null or empty.");
            if (!names.Add(name))
            {
                throw Client($"Container definitions should have unique names: {name}");
            }
            if (!container.Has("image"))
            {
                throw Client($"Container.image should not be null or empty.");
            }
            if (!definition.Has("memory") && !container.Has("memory") && !container.Has("memoryReservation"))
            {
                throw Client($"Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified.");
            }
            if (container.Child("healthCheck") is { } check)
            {
                if (check.Texts("command").Count == 0)
                {
                    throw Client($"Invalid setting for container '{name}'. The health check command cannot be empty.");
                }
                Range(name, check, "interval", 5, 300);
                Range(name, check, "timeout", 2, 60);
                Range(name, check, "retries", 1, 10);
                Range(name, check, "startPeriod", 0, 300);
            }
            foreach (var dependency in container.Objects("dependsOn"))
            {
                if (!containers.Exists(other => other.Text("name") == dependency.Text("containerName")))
                {
                    throw Client($"Invalid setting for container '{name}'. Dependency on unknown container '{dependency.Text("containerName")}'.");
                }
            }
            foreach (var port in container.Objects("portMappings"))
            {
                if (definition.Text("networkMode") == "awsvpc" && port.Int("hostPort") is { } host and not 0 && host != port.Int("containerPort"))
                {
                    throw Client("When networkMode=awsvpc, the host ports and container ports in port mappings must match.");
                }
            }
        }
        if (containers.TrueForAll(container => container.Flag("essential") == false))
        {
            throw Client("At least one container in a task must be essential.");
        }
    }

    private static void Range(string container, JsonObject check, string member, int low, int high)
    {
        if (check.Int(member) is { } value && (value < low || value > high))
        {
            throw Client($"Invalid setting for container '{container}'. The health check {member} must be between {low} and {high}.");
        }
    }

    /// <summary>The sizes of tasks that Fargate has.</summary>
    private static void CheckFargate(JsonObject definition, List<JsonObject> containers)
    {
        if (definition.Text("networkMode") != "awsvpc")
        {
            throw Client("Fargate only supports network mode ‘awsvpc’.");
        }
        if (!definition.Has("cpu"))
        {
            throw Client("Fargate requires that 'cpu' be defined at the task level.");
        }
        if (!definition.Has("memory"))
        {
            throw Client("Fargate requires that 'memory' be defined at the task level.");
        }
        var (cpu, memory) = (definition.Int("cpu") ?? 0, definition.Int("memory") ?? 0);
        bool Steps(int from, int to, int step) => memory >= from * 1024 && memory <= to * 1024 && memory % (step * 1024) == 0;
        var exists = cpu switch
        {
            256 => memory is 512 or 1024 or 2048,
            512 => Steps(1, 4, 1),
            1024 => Steps(2, 8, 1),
            2048 => Steps(4, 16, 1),
            4096 => Steps(8, 30, 1),
            8192 => Steps(16, 60, 4),
            16384 => Steps(32, 120, 8),
            _ => false,
        };
        if (!exists)
        {
            throw Client($"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the AWS documentation for a list of allowed values.");
        }
        if (!definition.Has("executionRoleArn"))
        {
            if (containers.Exists(container => container.Child("logConfiguration")?.Text("logDriver") == "awslogs"))
            {
                throw Client("Fargate requires task definition to have execution role ARN to support log driver awslogs.");
            }
            if (containers.Exists(container => container.Objects("secrets").Any()))
            {
                throw Client("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.");
            }
        }
        if (containers.Exists(container => container.Is("privileged")))
        {
            throw Client("Fargate does not support privileged containers.");
        }
    }
}
