using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

/// <summary>Elastic Load Balancing v2: application (and network) load balancers, listeners, rules, target groups and the health of their targets.</summary>
internal sealed partial class ElbService : SandboxService
{
    public ElbService(SandboxRuntime runtime)
        : base(runtime, "elbv2")
    {
        AddLoadBalancers();
        AddListeners();
        AddRules();
        AddTargetGroups();
        AddTargets();
        On("AddTags", (context, input) =>
        {
            Tags.Check(input.Objects("Tags"), "TooManyTags");
            return Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("Tags")));
        });
        On("RemoveTags", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("DescribeTags", (context, input) => new JsonObject
        {
            ["TagDescriptions"] = input.Texts("ResourceArns").Select(arn => new JsonObject { ["ResourceArn"] = arn, ["Tags"] = Resource(context, arn).Found["_Tags"].Copy() ?? new JsonArray() }).ToJsonList(),
        });
        On("DescribeAccountLimits", (_, _) => new JsonObject
        {
            ["Limits"] = new JsonArray(
                new JsonObject { ["Name"] = "application-load-balancers", ["Max"] = "50" },
                new JsonObject { ["Name"] = "target-groups", ["Max"] = "3000" },
                new JsonObject { ["Name"] = "listeners-per-application-load-balancer", ["Max"] = "50" },
                new JsonObject { ["Name"] = "rules-per-application-load-balancer", ["Max"] = "100" },
                new JsonObject { ["Name"] = "targets-per-application-load-balancer", ["Max"] = "1000" }),
        });
    }

    private Collection Balancers(RequestContext context) => Collection(context, "load-balancers");

    private Collection Listeners(RequestContext context) => Collection(context, "listeners");

    private Collection Rules(RequestContext context) => Collection(context, "rules");

    private Collection Groups(RequestContext context) => Collection(context, "target-groups");

    private static ServiceFault Invalid(string message) => new("ValidationError", message);

    private JsonObject Balancer(RequestContext context, string arn) =>
        Balancers(context).Get(arn) ?? throw new ServiceFault("LoadBalancerNotFound", $"Load balancer '{arn}' not found");

    private JsonObject Listener(RequestContext context, string arn) =>
        Listeners(context).Get(arn) ?? throw new ServiceFault("ListenerNotFound", $"Listener '{arn}' not found");

    private JsonObject Group(RequestContext context, string arn) =>
        Groups(context).Get(arn) ?? throw new ServiceFault("TargetGroupNotFound", $"One or more target groups not found");

    private (Collection Kind, JsonObject Found) Resource(RequestContext context, string arn)
    {
        var type = arn.Split(':', 6) is [.., var resource] ? resource.Split('/')[0] : "";
        return type switch
        {
            "loadbalancer" => (Balancers(context), Balancer(context, arn)),
            "targetgroup" => (Groups(context), Group(context, arn)),
            "listener" => (Listeners(context), Listener(context, arn)),
            "listener-rule" => (Rules(context), Rule(context, arn)),
            _ => throw Invalid($"'{arn}' is not a valid resource ARN"),
        };
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        foreach (var arn in input.Texts("ResourceArns"))
        {
            Resource(context, arn).Kind.Update(arn, change);
        }
        return [];
    }

    private static void CheckName(string what, string name, int longest)
    {
        if (name.Length > longest)
        {
            throw Invalid($"{what} name '{name}' cannot be longer than '{longest}' characters");
        }
        if (name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '-') || name[0] == '-' || name[^1] == '-')
        {
            throw Invalid($"{what} name '{name}' can only contain characters that are alphanumeric characters and hyphens(-), and must not begin or end with a hyphen");
        }
    }

    private static List<JsonObject> Merge(IEnumerable<JsonObject> present, IEnumerable<JsonObject> changes, Func<string, ServiceFault> unknown)
    {
        var merged = present.ToDictionary(item => item.Required("Key"), item => item.Required("Value"), StringComparer.Ordinal);
        foreach (var change in changes)
        {
            if (!merged.ContainsKey(change.Required("Key")))
            {
                throw unknown(change.Required("Key"));
            }
            merged[change.Required("Key")] = change.Text("Value") ?? "";
        }
        return merged.Select(pair => new JsonObject { ["Key"] = pair.Key, ["Value"] = pair.Value }).ToList();
    }

    private static List<JsonObject> Defaults(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(item => item.Split('='))
        .Select(parts => new JsonObject { ["Key"] = parts[0], ["Value"] = parts[1] }).ToList();
}
