using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Config;

/// <summary>Rules evaluated, and what they found.</summary>
internal sealed partial class ConfigService
{
    /// <summary>Changes of resources are seen within so much time; periodic rules have their own frequency beside it.</summary>
    private static readonly TimeSpan Sweep = TimeSpan.FromMinutes(15);
    private const int CapOfRule = 25;
    private const int CapOfSummary = 100;

    /// <summary>The results of a rule by its name: a document with one list.</summary>
    private Collection Results(RequestContext context) => Collection(context, "results");

    private void EvaluateSoon(RequestContext context, string rule) => Runtime.After(Durations.ConfigEvaluation, () => Runtime.Run(_ => EvaluateAsync(context, rule)));

    private void EvaluateAgain(RequestContext context, string rule, string version) => Runtime.After(Sweep, () =>
    {
        if (Rules(context).Get(rule)?.Text("_Version") != version)
        {
            return;
        }
        Runtime.Run(async _ =>
        {
            await EvaluateAsync(context, rule).ConfigureAwait(false);
            EvaluateAgain(context, rule, version);
        });
    });

    private async Task EvaluateAsync(RequestContext context, string name)
    {
        if (Rules(context).Get(name) is not { } rule || !Recorders(context).Any(recorder => recorder.Child("_Status")!.Is("recording")))
        {
            return;
        }
        var source = rule.Child("Source")!;
        var now = Documents.Time(Runtime.Clock.Now);
        var verdicts = source.Text("Owner") == "AWS"
            ? await ManagedRules.EvaluateAsync(new ConfigInventory(Runtime, context), source.Required("SourceIdentifier"), rule).ConfigureAwait(false)
            : [];
        Results(context).Put(name, new JsonObject
        {
            ["Results"] = verdicts.Select(verdict => new JsonObject
            {
                ["EvaluationResultIdentifier"] = new JsonObject
                {
                    ["EvaluationResultQualifier"] = new JsonObject { ["ConfigRuleName"] = name, ["ResourceType"] = verdict.Resource.Type, ["ResourceId"] = verdict.Resource.Id, ["EvaluationMode"] = "DETECTIVE" },
                    ["OrderingTimestamp"] = now.Copy(),
                },
                ["ComplianceType"] = verdict.Compliant ? "COMPLIANT" : "NON_COMPLIANT",
                ["ResultRecordedTime"] = now.Copy(),
                ["ConfigRuleInvokedTime"] = now.Copy(),
            }.With("Annotation", verdict.Note)).ToJsonList(),
        });
        Rules(context).Update(name, document => document["_Evaluated"] = now.Copy());
    }

    private IEnumerable<JsonObject> ResultsOf(RequestContext context, string rule) => Results(context).Get(rule)?.Objects("Results") ?? [];

    private static JsonObject Counted(string member, int count, int cap) => new() { [member] = new JsonObject { ["CappedCount"] = Math.Min(count, cap), ["CapExceeded"] = count > cap } };

    private static JsonObject Compliance(List<JsonObject> results, bool evaluated)
    {
        var failed = results.Count(result => result.Text("ComplianceType") == "NON_COMPLIANT");
        return failed > 0
            ? new JsonObject { ["ComplianceType"] = "NON_COMPLIANT" }.Take(Counted("ComplianceContributorCount", failed, CapOfRule), "ComplianceContributorCount")
            : new JsonObject { ["ComplianceType"] = results.Count > 0 ? "COMPLIANT" : evaluated ? "NOT_APPLICABLE" : "INSUFFICIENT_DATA" };
    }

    private void AddCompliance()
    {
        On("DescribeComplianceByConfigRule", (context, input) =>
        {
            var types = input.Texts("ComplianceTypes");
            var all = Chosen(input.Texts("ConfigRuleNames"), name => Rule(context, name), Rules(context)).Select(rule => new JsonObject
            {
                ["ConfigRuleName"] = rule.Text("ConfigRuleName"),
                ["Compliance"] = Compliance(ResultsOf(context, rule.Required("ConfigRuleName")).ToList(), rule.Has("_Evaluated")),
            }).Where(item => types.Count == 0 || types.Contains(item.Child("Compliance")!.Text("ComplianceType")!)).ToList();
            return Pages.Answer(input, all, "ComplianceByConfigRules", defaultSize: 25, tokenErrorCode: "InvalidNextTokenException");
        });
        On("GetComplianceDetailsByConfigRule", (context, input) =>
        {
            var rule = Rule(context, input.Required("ConfigRuleName")).Required("ConfigRuleName");
            var types = input.Texts("ComplianceTypes");
            return Pages.Answer(input, ResultsOf(context, rule).Where(result => types.Count == 0 || types.Contains(result.Text("ComplianceType")!)).Select(result => result.Copy()).ToList(), "EvaluationResults", "Limit", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException");
        });
        On("GetComplianceDetailsByResource", (context, input) =>
        {
            var types = input.Texts("ComplianceTypes");
            return Pages.Answer(input, All(context).Where(result => Qualifier(result) is var qualifier && qualifier.Text("ResourceType") == input.Text("ResourceType") && qualifier.Text("ResourceId") == input.Text("ResourceId")
                && (types.Count == 0 || types.Contains(result.Text("ComplianceType")!))).Select(result => result.Copy()).ToList(), "EvaluationResults", defaultSize: 100);
        });
        On("DescribeComplianceByResource", (context, input) =>
        {
            var types = input.Texts("ComplianceTypes");
            var all = All(context).GroupBy(result => (Type: Qualifier(result).Text("ResourceType"), Id: Qualifier(result).Text("ResourceId")))
                .Where(group => (input.Text("ResourceType") is not { } type || group.Key.Type == type) && (input.Text("ResourceId") is not { } id || group.Key.Id == id))
                .Select(group => new JsonObject { ["ResourceType"] = group.Key.Type, ["ResourceId"] = group.Key.Id, ["Compliance"] = Compliance(group.ToList(), true) })
                .Where(item => types.Count == 0 || types.Contains(item.Child("Compliance")!.Text("ComplianceType")!)).ToList();
            return Pages.Answer(input, all, "ComplianceByResources", "Limit", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException");
        });
        On("GetComplianceSummaryByConfigRule", (context, _) =>
        {
            var judged = Rules(context).All().Select(rule => Compliance(ResultsOf(context, rule.Required("ConfigRuleName")).ToList(), rule.Has("_Evaluated")).Text("ComplianceType")).ToList();
            return new JsonObject
            {
                ["ComplianceSummary"] = new JsonObject { ["ComplianceSummaryTimestamp"] = Documents.Time(context.Now) }
                    .Take(Counted("CompliantResourceCount", judged.Count(type => type == "COMPLIANT"), CapOfSummary), "CompliantResourceCount")
                    .Take(Counted("NonCompliantResourceCount", judged.Count(type => type == "NON_COMPLIANT"), CapOfSummary), "NonCompliantResourceCount"),
            };
        });
        On("ListDiscoveredResources", async (context, input) =>
        {
            RequireRecorder(context);
            var ids = input.Texts("resourceIds");
            var found = await new ConfigInventory(Runtime, context).OfAsync(input.Required("resourceType")).ConfigureAwait(false);
            return Pages.Answer(input, found.Where(item => (ids.Count == 0 || ids.Contains(item.Id)) && (input.Text("resourceName") is not { } name || item.Name == name))
                .Select(item => new JsonObject { ["resourceType"] = item.Type, ["resourceId"] = item.Id, ["resourceName"] = item.Name }).ToList(), "resourceIdentifiers", "limit", "nextToken", 100, "InvalidNextTokenException");
        });
        On("GetResourceConfigHistory", async (context, input) =>
        {
            RequireRecorder(context);
            var item = await FindAsync(context, input.Required("resourceType"), input.Required("resourceId")).ConfigureAwait(false)
                ?? throw new ServiceFault("ResourceNotDiscoveredException", $"Resource {input.Text("resourceId")} of resourceType:{input.Text("resourceType")} is unknown or has not been discovered");
            return new JsonObject { ["configurationItems"] = new JsonArray(Item(context, item, full: true)) };
        });
        On("BatchGetResourceConfig", async (context, input) =>
        {
            RequireRecorder(context);
            var (found, missing) = (new JsonArray(), new JsonArray());
            foreach (var key in input.Objects("resourceKeys"))
            {
                if (await FindAsync(context, key.Required("resourceType"), key.Required("resourceId")).ConfigureAwait(false) is { } item)
                {
                    found.Add((JsonNode)Item(context, item, full: false));
                }
                else
                {
                    missing.Add(key.DeepClone());
                }
            }
            return new JsonObject { ["baseConfigurationItems"] = found, ["unprocessedResourceKeys"] = missing };
        });
    }

    private void RequireRecorder(RequestContext context)
    {
        if (Recorders(context).Count == 0)
        {
            throw new ServiceFault("NoAvailableConfigurationRecorderException", "Configuration recorder is not available.");
        }
    }

    private IEnumerable<JsonObject> All(RequestContext context) => Rules(context).Keys().SelectMany(rule => ResultsOf(context, rule));

    private static JsonObject Qualifier(JsonObject result) => result.Child("EvaluationResultIdentifier")!.Child("EvaluationResultQualifier")!;

    private async Task<ConfigResource?> FindAsync(RequestContext context, string type, string id) =>
        (await new ConfigInventory(Runtime, context).OfAsync(type).ConfigureAwait(false)).FirstOrDefault(item => item.Id == id);

    private static JsonObject Item(RequestContext context, ConfigResource item, bool full)
    {
        var document = new JsonObject
        {
            ["version"] = "1.3",
            ["accountId"] = context.AccountId,
            ["configurationItemCaptureTime"] = Documents.Time(context.Now),
            ["configurationItemStatus"] = "OK",
            ["configurationStateId"] = context.Now.ToUnixTimeMilliseconds().ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["resourceType"] = item.Type,
            ["resourceId"] = item.Id,
            ["resourceName"] = item.Name,
            ["awsRegion"] = context.Region,
            ["configuration"] = item.State.ToJsonString(),
        }.With("arn", item.Arn);
        return full ? document.With("tags", item.Tags.ToMap()) : document;
    }
}
