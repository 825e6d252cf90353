using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Sandbox.Services.ElasticLoadBalancing;

namespace Inferloop.Sandbox.Services.ZonalShift;

/// <summary>
/// ARC zonal shift: moves the traffic of load balancers away from an availability zone, by hand for a time, for practice, or, where that is switched on,
/// by itself when the zone is lost. The balancers ask here which of their zones get nothing.
/// </summary>
internal sealed partial class ZonalShiftService : SandboxService, IZonal
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3);

    public ZonalShiftService(SandboxRuntime runtime)
        : base(runtime, "arc-zonal-shift")
    {
        On("ListManagedResources", (context, input) => Pages.Answer(input, Managed(context).Select(balancer => Summary(context, balancer)).ToList(), "items", "maxResults", "nextToken", 100, "ValidationException"));
        On("GetManagedResource", (context, input) => Details(context, Resource(context, input.Required("resourceIdentifier"))));
        On("StartZonalShift", (context, input) => Start(context, input, "ZONAL_SHIFT", ExpiresIn(input.Required("expiresIn"))));
        On("UpdateZonalShift", (context, input) =>
        {
            var shift = Active(context, input.Required("zonalShiftId"), "ZONAL_SHIFT");
            var id = shift.Required("zonalShiftId");
            if (input.Text("expiresIn") is { } lasts)
            {
                var until = context.Now + ExpiresIn(lasts);
                Shifts(context).Update(id, document => document["expiryTime"] = Documents.Time(until));
                ScheduleEnd(context, id, until);
            }
            Shifts(context).Update(id, document => document.Take(input, "comment"));
            return Answer(Shifts(context).Get(id)!);
        });
        On("CancelZonalShift", (context, input) => Answer(End(context, Active(context, input.Required("zonalShiftId"), "ZONAL_SHIFT"), "CANCELED", null)));
        On("ListZonalShifts", (context, input) => Pages.Answer(input, Shifts(context).Where(shift => (input.Text("status") is not { } status || shift.Text("status") == status)
                && (input.Text("resourceIdentifier") is not { } resource || shift.Text("resourceIdentifier") == resource))
            .OrderByDescending(static shift => shift.TimeOf("startTime")).Select(static shift => Answer(shift).Take(shift, "shiftType", "practiceRunOutcome")).ToList(), "items", "maxResults", "nextToken", 100, "ValidationException"));
        AddPractice();
    }

    private Collection Shifts(RequestContext context) => Collection(context, "shifts");

    private static ServiceFault Invalid(string reason, string message) => new("ValidationException", message, 400, new JsonObject { ["reason"] = reason });

    private static ServiceFault Conflict(string reason, string message, string? shift = null) =>
        new("ConflictException", message, 409, new JsonObject { ["reason"] = reason }.With("zonalShiftId", shift));

    private static ServiceFault Missing(string message) => new("ResourceNotFoundException", message, 404);

    /// <summary>The load balancers whose traffic may be shifted: those that say so in their attributes.</summary>
    private List<JsonObject> Managed(RequestContext context) => Runtime.Service<ElbService>().ActiveBalancers(context).Where(IsManaged).ToList();

    private static bool IsManaged(JsonObject balancer) => balancer.Objects("_Attributes").Any(static item => item.Text("Key") == "zonal_shift.config.enabled" && item.Text("Value") == "true");

    private JsonObject Resource(RequestContext context, string identifier) => Managed(context).Find(balancer => balancer.Text("LoadBalancerArn") == identifier)
        ?? throw Missing($"No resource {identifier} is managed by zonal shift: a load balancer is with its attribute zonal_shift.config.enabled.");

    private static Dictionary<string, string> ZonesOf(JsonObject balancer) =>
        balancer.Objects("AvailabilityZones").Select(static zone => zone.Required("ZoneName")).Distinct().ToDictionary(Ec2Service.ZoneId, static zone => zone, StringComparer.Ordinal);

    private static TimeSpan ExpiresIn(string text)
    {
        var number = int.Parse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture);
        var lasts = text[^1] == 'h' ? TimeSpan.FromHours(number) : TimeSpan.FromMinutes(number);
        return lasts >= Shortest && lasts <= Longest ? lasts : throw Invalid("InvalidExpiresIn", $"A zonal shift lasts from 1 minute to 3 days (72h): {text} is outside.");
    }

    private JsonObject Start(RequestContext context, JsonObject input, string type, TimeSpan lasts)
    {
        var balancer = Resource(context, input.Required("resourceIdentifier"));
        var arn = balancer.Required("LoadBalancerArn");
        var away = input.Required("awayFrom");
        var zones = ZonesOf(balancer);
        if (!zones.ContainsKey(away))
        {
            throw Invalid("InvalidAz", $"{arn} is not in the availability zone {away}. Zones are given by their ids: {string.Join(", ", zones.Keys)}.");
        }
        var present = Of(context, arn);
        if (present.Find(static shift => shift.Text("shiftType") == "ZONAL_SHIFT") is { } running)
        {
            throw Conflict("ZonalShiftAlreadyExists", $"There is an active zonal shift for {arn}: {running.Text("zonalShiftId")}.", running.Text("zonalShiftId"));
        }
        if (present.Find(static shift => shift.Text("shiftType") == "PRACTICE_RUN") is { } practice)
        {
            if (type == "PRACTICE_RUN")
            {
                throw Conflict("SimultaneousZonalShiftsConflict", $"There is an active practice run for {arn}: {practice.Text("zonalShiftId")}.", practice.Text("zonalShiftId"));
            }
            // A shift that is needed ends one for practice.
            End(context, practice, "CANCELED", "INTERRUPTED");
        }
        var id = Runtime.Ids.Uuid();
        var shift = new JsonObject
        {
            ["zonalShiftId"] = id,
            ["resourceIdentifier"] = arn,
            ["awayFrom"] = away,
            ["startTime"] = Documents.Time(context.Now),
            ["expiryTime"] = Documents.Time(context.Now + lasts),
            ["status"] = "ACTIVE",
            ["comment"] = input.Text("comment"),
            ["shiftType"] = type,
        }.With("practiceRunOutcome", type == "PRACTICE_RUN" ? "PENDING" : null);
        Shifts(context).Put(id, shift);
        ScheduleEnd(context, id, context.Now + lasts);
        return Answer(shift);
    }

    private void ScheduleEnd(RequestContext context, string id, DateTimeOffset at)
    {
        var detached = context.Detached();
        Runtime.Clock.Schedule(at, () =>
        {
            // One whose end was put off ends at its new time.
            if (Shifts(detached).Get(id) is { } shift && shift.Text("status") == "ACTIVE" && shift.TimeOf("expiryTime") <= detached.Now)
            {
                End(detached, shift, "EXPIRED", shift.Has("practiceRunOutcome") ? "SUCCEEDED" : null);
            }
        });
    }

    private JsonObject End(RequestContext context, JsonObject shift, string status, string? outcome) => Shifts(context).Update(shift.Required("zonalShiftId"), document =>
    {
        document["status"] = status;
        document.With("practiceRunOutcome", outcome);
        if (status == "CANCELED")
        {
            document["expiryTime"] = Documents.Time(context.Now);
        }
    })!;

    private JsonObject Active(RequestContext context, string id, string type)
    {
        var shift = Shifts(context).Get(id) is { } found && found.Text("shiftType") == type ? found : throw Missing($"There is no zonal shift {id}.");
        return shift.Text("status") == "ACTIVE" ? shift : throw Conflict("ZonalShiftStatusNotActive", $"The zonal shift {id} is not active any more: it is {shift.Text("status")}.", id);
    }

    private static JsonObject Answer(JsonObject shift) => shift.Pick("zonalShiftId", "resourceIdentifier", "awayFrom", "expiryTime", "startTime", "status", "comment");

    private List<JsonObject> Of(RequestContext context, string resource) => [.. Shifts(context).Where(shift => shift.Text("status") == "ACTIVE" && shift.Text("resourceIdentifier") == resource)];

    /// <summary>The names of a balancer's zones that get no traffic at present.</summary>
    public IReadOnlySet<string> ShiftedZones(RequestContext context, JsonObject balancer)
    {
        if (!IsManaged(balancer))
        {
            return new HashSet<string>();
        }
        var zones = ZonesOf(balancer);
        return AppliedFrom(context, balancer).Where(zones.ContainsKey).Select(zone => zones[zone]).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The ids of the zones that traffic is moved away from: what an operator does comes before what AWS does by itself.</summary>
    private IEnumerable<string> AppliedFrom(RequestContext context, JsonObject balancer)
    {
        var shifts = Of(context, balancer.Required("LoadBalancerArn"));
        return shifts.Count > 0 ? shifts.Select(static shift => shift.Required("awayFrom")) : AutoshiftsOf(context, balancer).Select(static shift => shift.Required("awayFrom"));
    }

    private JsonObject Weights(RequestContext context, JsonObject balancer)
    {
        var away = AppliedFrom(context, balancer).ToHashSet(StringComparer.Ordinal);
        var weights = new JsonObject();
        foreach (var zone in ZonesOf(balancer).Keys)
        {
            weights[zone] = away.Contains(zone) ? 0.0 : 1.0;
        }
        return weights;
    }

    private JsonObject Details(RequestContext context, JsonObject balancer)
    {
        var arn = balancer.Required("LoadBalancerArn");
        var shifts = Of(context, arn);
        var practice = Practices(context).Get(arn);
        return new JsonObject
        {
            ["arn"] = arn,
            ["name"] = balancer.Text("LoadBalancerName"),
            ["appliedWeights"] = Weights(context, balancer),
            ["zonalShifts"] = shifts.Select(static shift => shift.Pick("zonalShiftId", "resourceIdentifier", "awayFrom", "expiryTime", "startTime", "comment", "shiftType", "practiceRunOutcome").With("appliedStatus", "APPLIED")).ToJsonList(),
            ["autoshifts"] = AutoshiftsOf(context, balancer).Select(shift => shift.Pick("awayFrom", "startTime").With("appliedStatus", shifts.Count > 0 ? "NOT_APPLIED" : "APPLIED")).ToJsonList(),
            ["zonalAutoshiftStatus"] = practice?.Text("zonalAutoshiftStatus") ?? "DISABLED",
        }.With("practiceRunConfiguration", practice?["practiceRunConfiguration"].Copy());
    }

    private JsonObject Summary(RequestContext context, JsonObject balancer)
    {
        var details = Details(context, balancer);
        var has = details.Has("practiceRunConfiguration");
        details.Remove("practiceRunConfiguration");
        return details.With("availabilityZones", ZonesOf(balancer).Keys.ToTextList()).With("practiceRunStatus", has ? "ENABLED" : "DISABLED");
    }
}
