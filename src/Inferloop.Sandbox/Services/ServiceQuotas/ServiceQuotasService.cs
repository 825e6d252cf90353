using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ServiceQuotas;

/// <summary>Service Quotas: defaults, what has been granted beyond them, and requests that are granted on the clock.</summary>
internal sealed class ServiceQuotasService : SandboxService
{
    public ServiceQuotasService(SandboxRuntime runtime)
        : base(runtime, "service-quotas")
    {
        On("ListServices", (_, input) => Page(input, QuotaCatalog.Services.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => new JsonObject { ["ServiceCode"] = pair.Key, ["ServiceName"] = pair.Value }).ToList(), "Services"));
        On("GetAWSDefaultServiceQuota", (context, input) => new JsonObject { ["Quota"] = Describe(context, Quota(input), applied: false) });
        On("GetServiceQuota", (context, input) => new JsonObject { ["Quota"] = Describe(context, Quota(input), applied: true) });
        On("ListAWSDefaultServiceQuotas", (context, input) => Page(input, Quotas(input).Select(quota => Describe(context, quota, applied: false)).ToList(), "Quotas"));
        On("ListServiceQuotas", (context, input) => Page(input, Quotas(input).Where(quota => input.Text("QuotaCode") is not { } code || quota.Code == code).Select(quota => Describe(context, quota, applied: true)).ToList(), "Quotas"));
        On("RequestServiceQuotaIncrease", RequestIncrease);
        On("GetRequestedServiceQuotaChange", (context, input) => new JsonObject
        {
            ["RequestedQuota"] = Requests(context).Get(input.Required("RequestId")) ?? throw new ServiceFault("NoSuchResourceException", "The requested change does not exist."),
        });
        On("ListRequestedServiceQuotaChangeHistory", (context, input) => History(context, input));
        On("ListRequestedServiceQuotaChangeHistoryByQuota", (context, input) =>
        {
            _ = Quota(input);
            return History(context, input);
        });
    }

    private Collection Requests(RequestContext context) => Collection(context, "requests");

    private Collection Granted(RequestContext context, Quota quota) => Runtime.Collection(ModelName, "granted", context.AccountId, quota.Global ? "" : context.Region);

    /// <summary>What an account may use of a quota; null for one that the catalog does not have.</summary>
    public double? ValueOf(RequestContext context, string service, string code) => QuotaCatalog.Find(service, code) is { } quota ? Value(context, quota) : null;

    private double Value(RequestContext context, Quota quota) => Granted(context, quota).Get($"{quota.Service}/{quota.Code}")?.Double("Value") ?? quota.Value;

    private static JsonObject Page(JsonObject input, IReadOnlyList<JsonObject> all, string member) => Pages.Answer(input, all, member, defaultSize: 100, tokenErrorCode: "InvalidPaginationTokenException");

    private static Quota Quota(JsonObject input)
    {
        CheckService(input);
        return QuotaCatalog.Find(input.Required("ServiceCode"), input.Required("QuotaCode")) ?? throw new ServiceFault("NoSuchResourceException", "The request failed because the specified quota does not exist.");
    }

    private static IEnumerable<Quota> Quotas(JsonObject input)
    {
        CheckService(input);
        return QuotaCatalog.All.Where(quota => quota.Service == input.Text("ServiceCode"));
    }

    private static void CheckService(JsonObject input)
    {
        if (!QuotaCatalog.Services.ContainsKey(input.Required("ServiceCode")))
        {
            throw new ServiceFault("NoSuchResourceException", $"The request failed because the specified service does not exist: {input.Text("ServiceCode")}");
        }
    }

    private static string Arn(RequestContext context, Quota quota, bool applied) => quota.Global
        ? $"arn:{context.Partition}:servicequotas::{(applied ? context.AccountId : "")}:{quota.Service}/{quota.Code}"
        : $"arn:{context.Partition}:servicequotas:{context.Region}:{(applied ? context.AccountId : "")}:{quota.Service}/{quota.Code}";

    private JsonObject Describe(RequestContext context, Quota quota, bool applied) => new()
    {
        ["ServiceCode"] = quota.Service,
        ["ServiceName"] = QuotaCatalog.Services[quota.Service],
        ["QuotaArn"] = Arn(context, quota, applied),
        ["QuotaCode"] = quota.Code,
        ["QuotaName"] = quota.Name,
        ["Value"] = applied ? Value(context, quota) : quota.Value,
        ["Unit"] = quota.Unit,
        ["Adjustable"] = quota.Adjustable,
        ["GlobalQuota"] = quota.Global,
        ["QuotaAppliedAtLevel"] = "ACCOUNT",
    };

    private JsonObject RequestIncrease(RequestContext context, JsonObject input)
    {
        var quota = Quota(input);
        var wanted = input.Double("DesiredValue") ?? 0;
        if (!quota.Adjustable)
        {
            throw new ServiceFault("IllegalArgumentException", "The quota is not adjustable.");
        }
        if (wanted <= Value(context, quota))
        {
            throw new ServiceFault("IllegalArgumentException", $"Provided Service Quota value of {wanted} is not greater than the current value of {Value(context, quota)}");
        }
        if (Requests(context).Any(item => item.Text("ServiceCode") == quota.Service && item.Text("QuotaCode") == quota.Code && item.Text("Status") is "PENDING" or "CASE_OPENED"))
        {
            throw new ServiceFault("ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per quota.");
        }
        var id = Runtime.Ids.Lower(40);
        var request = new JsonObject
        {
            ["Id"] = id,
            ["ServiceCode"] = quota.Service,
            ["ServiceName"] = QuotaCatalog.Services[quota.Service],
            ["QuotaCode"] = quota.Code,
            ["QuotaName"] = quota.Name,
            ["DesiredValue"] = wanted,
            ["Status"] = "PENDING",
            ["Created"] = Documents.Time(context.Now),
            ["LastUpdated"] = Documents.Time(context.Now),
            ["Requester"] = $"{{\"accountId\":\"{context.AccountId}\",\"callerArn\":\"{context.PrincipalArn}\"}}",
            ["QuotaArn"] = Arn(context, quota, applied: true),
            ["GlobalQuota"] = quota.Global,
            ["Unit"] = quota.Unit,
            ["QuotaRequestedAtLevel"] = "ACCOUNT",
        };
        Requests(context).Put(id, request);
        var detached = context.Detached();
        void Move(string status) => Requests(detached).Update(id, document =>
        {
            document["Status"] = status;
            document["LastUpdated"] = Documents.Time(Runtime.Clock.Now);
        });
        Runtime.After(Durations.QuotaCaseOpened, () => Move("CASE_OPENED"));
        Runtime.After(Durations.QuotaGranted, () =>
        {
            Granted(detached, quota).Put($"{quota.Service}/{quota.Code}", new JsonObject { ["Value"] = wanted });
            Move("APPROVED");
        });
        return new JsonObject { ["RequestedQuota"] = request };
    }

    private JsonObject History(RequestContext context, JsonObject input) => Page(input, Requests(context).Where(item =>
        (input.Text("ServiceCode") is not { } service || item.Text("ServiceCode") == service) && (input.Text("QuotaCode") is not { } code || item.Text("QuotaCode") == code)
        && (input.Text("Status") is not { } status || item.Text("Status") == status)).OrderByDescending(item => item.TimeOf("Created")).ToList(), "RequestedQuotas");
}
