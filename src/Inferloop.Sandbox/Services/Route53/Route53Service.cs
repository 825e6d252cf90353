using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.Route53;

/// <summary>Route 53: hosted zones, their records, health checks that look at what they check, and answers by policy and health.</summary>
internal sealed partial class Route53Service : SandboxService
{
    public Route53Service(SandboxRuntime runtime)
        : base(runtime, "route53")
    {
        AddZones();
        AddNetworks();
        AddRecords();
        AddHealthChecks();
        AddAnswers();
        On("GetChange", (context, input) => new JsonObject
        {
            ["ChangeInfo"] = Shown(Global(context, "changes").Get(Bare(input.Required("Id"))) ?? throw new ServiceFault("NoSuchChange", $"Could not find resource with ID: {Bare(input.Required("Id"))}", 404)),
        });
        On("ChangeTagsForResource", ChangeTags);
        On("ListTagsForResource", (context, input) => new JsonObject { ["ResourceTagSet"] = TagSet(context, input.Required("ResourceType"), input.Required("ResourceId")) });
        On("ListTagsForResources", (context, input) => new JsonObject
        {
            ["ResourceTagSets"] = input.Texts("ResourceIds").Select(id => TagSet(context, input.Required("ResourceType"), id)).ToJsonList(),
        });
    }

    /// <summary>Route 53 has no regions.</summary>
    private Collection Global(RequestContext context, string name) => Runtime.Collection(ModelName, name, context.AccountId, "");

    private Collection Zones(RequestContext context) => Global(context, "zones");

    private Collection Checks(RequestContext context) => Global(context, "health-checks");

    private Collection Records(RequestContext context, string zone) => Global(context, "records/" + zone);

    /// <summary>Ids travel with their kind before them, and are taken with or without it.</summary>
    private static string Bare(string id) => id[(id.LastIndexOf('/') + 1)..];

    private static ServiceFault Invalid(string message) => new("InvalidInput", message);

    private static ServiceFault NoZone(string id) => new("NoSuchHostedZone", $"No hosted zone found with ID: {id}", 404);

    private JsonObject Zone(RequestContext context, string id) => Zones(context).Get(Bare(id)) ?? throw NoZone(Bare(id));

    private JsonObject Check(RequestContext context, string id) => Checks(context).Get(id) ?? throw new ServiceFault("NoSuchHealthCheck", $"A health check with id {id} does not exist.", 404);

    /// <summary>A zone's name as its creator wrote it, which a template's is compared with.</summary>
    public string NameAsGiven(RequestContext context, string id) => Zone(context, id).Required("_Given");

    private static JsonObject Shown(JsonObject document) => document.Copy();

    private JsonObject View(RequestContext context, JsonObject zone) => new JsonObject
    {
        ["Id"] = "/hostedzone/" + zone.Text("Id"),
        ["ResourceRecordSetCount"] = Records(context, zone.Required("Id")).Count,
    }.Take(zone, "Name", "CallerReference", "Config");

    /// <summary>Everything a change does is there at once; that all name servers have it, takes a while.</summary>
    private JsonObject Submit(RequestContext context, string? comment = null)
    {
        var id = "C" + Runtime.Ids.Upper(20);
        Global(context, "changes").Put(id, new JsonObject { ["Id"] = "/change/" + id, ["Status"] = "PENDING", ["SubmittedAt"] = Documents.Time(context.Now) }.With("Comment", comment));
        var later = context.Detached();
        Runtime.After(Durations.DnsPropagation, () => Global(later, "changes").Update(id, document => document["Status"] = "INSYNC"));
        return Global(context, "changes").Get(id)!;
    }

    private void AddZones()
    {
        On("CreateHostedZone", CreateZone);
        On("GetHostedZone", (context, input) =>
        {
            var zone = Zone(context, input.Required("Id"));
            return new JsonObject { ["HostedZone"] = View(context, zone) }
                .With("DelegationSet", zone.Has("_NameServers") ? new JsonObject { ["NameServers"] = zone["_NameServers"].Copy() } : null)
                .With("VPCs", zone.Objects("_Vpcs").Any() ? zone["_Vpcs"].Copy() : null);
        });
        On("DeleteHostedZone", (context, input) =>
        {
            var zone = Zone(context, input.Required("Id"));
            var id = zone.Required("Id");
            if (Records(context, id).Any(record => !IsOfZone(zone, record)))
            {
                throw new ServiceFault("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.");
            }
            Zones(context).Remove(id);
            Records(context, id).Clear();
            return new JsonObject { ["ChangeInfo"] = Submit(context) };
        });
        On("UpdateHostedZoneComment", (context, input) =>
        {
            var zone = Zones(context).Update(Zone(context, input.Required("Id")).Required("Id"), document =>
            {
                document.ChildOrNew("Config").Remove("Comment");
                document.ChildOrNew("Config").With("Comment", input["Comment"].Copy());
            });
            return new JsonObject { ["HostedZone"] = View(context, zone!) };
        });
        On("GetHostedZoneCount", (context, _) => new JsonObject { ["HostedZoneCount"] = Zones(context).Count });
        On("ListHostedZones", (context, input) => Listed(input, "HostedZones", Zones(context).Where(zone =>
            (input.Text("HostedZoneType") != "PrivateHostedZone" || zone.Child("Config")?.Is("PrivateZone") == true)).Select(zone => View(context, zone)).ToList(), zone => Bare(zone.Required("Id"))));
        On("ListHostedZonesByName", (context, input) =>
        {
            var from = input.Text("DNSName") is { } name ? Names.Key(Names.Normal(name)) : "";
            var ordered = Zones(context).All().Select(zone => (Key: Names.Key(zone.Required("Name")), Zone: zone)).OrderBy(item => item.Key, StringComparer.Ordinal).ThenBy(item => item.Zone.Text("Id"), StringComparer.Ordinal)
                .Where(item => string.CompareOrdinal(item.Key, from) > 0 || (item.Key == from && (input.Text("HostedZoneId") is not { } id || string.CompareOrdinal(item.Zone.Text("Id"), Bare(id)) >= 0))).Select(item => item.Zone).ToList();
            var size = Size(input);
            var answer = new JsonObject { ["HostedZones"] = ordered.Take(size).Select(zone => View(context, zone)).ToJsonList(), ["IsTruncated"] = ordered.Count > size, ["MaxItems"] = $"{size}" }
                .Take(input, "DNSName", "HostedZoneId");
            return ordered.Count <= size ? answer : answer.With("NextDNSName", ordered[size].Text("Name")).With("NextHostedZoneId", ordered[size].Text("Id"));
        });
    }

    private static int Size(JsonObject input, int most = 100) => !input.Has("MaxItems") ? most
        : input.Int("MaxItems") is { } size and >= 1 ? Math.Min(size, most)
        : throw Invalid("The specified maximum items value is invalid.");

    /// <summary>A page of a list that goes on from the id that the last page named.</summary>
    private static JsonObject Listed(JsonObject input, string member, IReadOnlyList<JsonObject> all, Func<JsonObject, string> idOf)
    {
        var marker = input.Text("Marker");
        var rest = marker is null ? all : all.SkipWhile(item => idOf(item) != marker).ToList();
        if (marker is not null && rest.Count == 0)
        {
            throw Invalid($"The specified marker is invalid: {marker}");
        }
        var size = Size(input);
        var answer = new JsonObject { [member] = rest.Take(size).ToJsonList(), ["Marker"] = marker ?? "", ["IsTruncated"] = rest.Count > size, ["MaxItems"] = $"{size}" };
        return rest.Count > size ? answer.With("NextMarker", idOf(rest[size])) : answer;
    }

    private JsonObject CreateZone(RequestContext context, JsonObject input)
    {
        var name = Names.Normal(input.Required("Name"));
        if (!Names.IsValid(name) || name.Count(character => character == '.') < 2)
        {
            throw new ServiceFault("InvalidDomainName", $"{input.Text("Name")} is not a valid domain name");
        }
        if (Zones(context).Any(zone => zone.Text("CallerReference") == input.Text("CallerReference")))
        {
            throw new ServiceFault("HostedZoneAlreadyExists", $"A hosted zone has already been created with the specified caller reference: {input.Text("CallerReference")}", 409);
        }
        var network = input.Child("VPC");
        var isPrivate = network is not null;
        if (!isPrivate && input.Child("HostedZoneConfig")?.Is("PrivateZone") == true)
        {
            throw Invalid("When you're creating a private hosted zone (when you specify true for PrivateZone), you must also specify values for VPCId and VPCRegion.");
        }
        if (network is not null)
        {
            CheckNetwork(context, network);
            CheckConflict(context, name, network);
        }
        if (input.Has("DelegationSetId"))
        {
            throw new ServiceFault("NoSuchDelegationSet", $"The specified delegation set does not exist: {input.Text("DelegationSetId")}");
        }
        var id = "Z0" + Runtime.Ids.Upper(18);
        var hash = Ec2Service.StableHex(id, 8);
        string[] ends = ["com", "net", "org", "co.uk"];
        string[] servers = isPrivate
            ? ["ns-1536.awsdns-00.co.uk", "ns-0.awsdns-00.com", "ns-1024.awsdns-00.org", "ns-512.awsdns-00.net"]
            : [.. ends.Select((end, i) => $"ns-{(i * 512) + (Convert.ToInt32(hash[(i * 2)..((i * 2) + 2)], 16) * 2)}.awsdns-{Convert.ToInt32(hash[(i * 2)..((i * 2) + 2)], 16) % 64:00}.{end}")];
        var zone = new JsonObject
        {
            ["Id"] = id,
            ["Name"] = name,
            ["CallerReference"] = input.Text("CallerReference"),
            ["Config"] = new JsonObject { ["PrivateZone"] = isPrivate }.With("Comment", input.Child("HostedZoneConfig")?["Comment"].Copy()),
            ["_Given"] = input.Text("Name"),
            ["_Tags"] = new JsonArray(),
        };
        if (isPrivate)
        {
            zone["_Vpcs"] = new JsonArray(network.Copy());
        }
        else
        {
            zone["_NameServers"] = servers.ToTextList();
        }
        Zones(context).Put(id, zone);
        Keep(context, id, new JsonObject { ["Name"] = name, ["Type"] = "NS", ["TTL"] = 172_800, ["ResourceRecords"] = servers.Select(server => new JsonObject { ["Value"] = server + "." }).ToJsonList() });
        Keep(context, id, new JsonObject { ["Name"] = name, ["Type"] = "SOA", ["TTL"] = 900, ["ResourceRecords"] = new JsonArray(new JsonObject { ["Value"] = $"{servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400" }) });
        var answer = new JsonObject { ["HostedZone"] = View(context, zone), ["ChangeInfo"] = Submit(context), ["Location"] = $"https://route53.amazonaws.com/2013-04-01/hostedzone/{id}" };
        return isPrivate ? answer.With("VPC", network.Copy()) : answer.With("DelegationSet", new JsonObject { ["NameServers"] = servers.ToTextList() });
    }

    private void CheckNetwork(RequestContext context, JsonObject network)
    {
        try
        {
            _ = Runtime.Service<Ec2Service>().Vpc(context.InRegion(network.Required("VPCRegion")), network.Required("VPCId"));
        }
        catch (ServiceFault fault) when (fault.Code == "InvalidVpcID.NotFound")
        {
            throw new ServiceFault("InvalidVPCId", "The VPC ID is invalid.");
        }
    }

    private void CheckConflict(RequestContext context, string name, JsonObject network)
    {
        if (Zones(context).Find(zone => zone.Text("Name") == name && zone.Objects("_Vpcs").Any(item => item.Text("VPCId") == network.Text("VPCId"))) is { } taken)
        {
            throw new ServiceFault("ConflictingDomainExists", $"The VPC {network.Text("VPCId")} in region {network.Text("VPCRegion")} has already been associated with the hosted zone {taken.Text("Id")} with the same domain name.");
        }
    }

    private void AddNetworks()
    {
        On("AssociateVPCWithHostedZone", (context, input) =>
        {
            var (zone, network) = (Zone(context, input.Required("HostedZoneId")), input.Child("VPC")!);
            if (!zone.Has("_Vpcs"))
            {
                throw new ServiceFault("PublicZoneVPCAssociation", "You're trying to associate a VPC with a public hosted zone. Amazon Route 53 doesn't support associating a VPC with a public hosted zone.");
            }
            CheckNetwork(context, network);
            CheckConflict(context, zone.Required("Name"), network);
            Zones(context).Update(zone.Required("Id"), document => document.ListOrNew("_Vpcs").Add((JsonNode)network.Copy()));
            return new JsonObject { ["ChangeInfo"] = Submit(context, input.Text("Comment")) };
        });
        On("DisassociateVPCFromHostedZone", (context, input) =>
        {
            var (zone, id) = (Zone(context, input.Required("HostedZoneId")), input.Child("VPC")!.Text("VPCId"));
            if (!zone.Objects("_Vpcs").Any(item => item.Text("VPCId") == id))
            {
                throw new ServiceFault("VPCAssociationNotFound", "The specified VPC and hosted zone are not currently associated.", 404);
            }
            if (zone.Objects("_Vpcs").Count() == 1)
            {
                throw new ServiceFault("LastVPCAssociation", "The VPC that you're trying to disassociate from the private hosted zone is the last VPC that is associated with the hosted zone.");
            }
            Zones(context).Update(zone.Required("Id"), document => document["_Vpcs"] = document.Objects("_Vpcs").Where(item => item.Text("VPCId") != id).Select(item => item.Copy()).ToJsonList());
            return new JsonObject { ["ChangeInfo"] = Submit(context, input.Text("Comment")) };
        });
        On("ListHostedZonesByVPC", (context, input) => Pages.Answer(input, Zones(context)
            .Where(zone => zone.Objects("_Vpcs").Any(item => item.Text("VPCId") == input.Text("VPCId") && item.Text("VPCRegion") == input.Text("VPCRegion")))
            .Select(zone => new JsonObject { ["HostedZoneId"] = zone.Text("Id"), ["Name"] = zone.Text("Name"), ["Owner"] = new JsonObject { ["OwningAccount"] = context.AccountId } }).ToList(),
            "HostedZoneSummaries", "MaxItems", "NextToken", 100, "InvalidPaginationToken").With("MaxItems", input.Text("MaxItems") ?? "100"));
    }

    private (Collection Collection, JsonObject Document, string Key) Taggable(RequestContext context, string type, string id) => type == "hostedzone"
        ? (Zones(context), Zone(context, id), Bare(id))
        : (Checks(context), Check(context, id), id);

    private JsonObject ChangeTags(RequestContext context, JsonObject input)
    {
        var (collection, _, key) = Taggable(context, input.Required("ResourceType"), input.Required("ResourceId"));
        Tags.Check(input.Objects("AddTags"), "InvalidInput");
        collection.Update(key, document =>
        {
            Tags.Remove(document, "_Tags", input.Texts("RemoveTagKeys"));
            Tags.Put(document, "_Tags", input.Objects("AddTags"));
        });
        return [];
    }

    private JsonObject TagSet(RequestContext context, string type, string id)
    {
        var (_, document, key) = Taggable(context, type, id);
        return new JsonObject { ["ResourceType"] = type, ["ResourceId"] = key, ["Tags"] = document["_Tags"].Copy() ?? new JsonArray() };
    }
}
