using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Sandbox.Services.ElasticLoadBalancing;

namespace Inferloop.Sandbox.Services.Route53;

/// <content>Answers to DNS questions: by the records' policy, and by the health of what they lead to.</content>
internal sealed partial class Route53Service
{
    private const int MostAliases = 16;

    private void AddAnswers() => On("TestDNSAnswer", (context, input) =>
    {
        var zone = Zone(context, input.Required("HostedZoneId"));
        if (zone.Child("Config")?.Is("PrivateZone") == true)
        {
            throw Invalid("This operation does not support private hosted zones.");
        }
        var (name, type) = (Names.Normal(input.Required("RecordName")), input.Required("RecordType"));
        if (!Names.IsIn(name, zone.Required("Name")))
        {
            throw Invalid($"The record name {name} is not in the hosted zone {zone.Text("Name")}.");
        }
        var records = Records(context, zone.Required("Id"));
        var (found, exists) = Sets(records, name, type);
        return new JsonObject
        {
            ["Nameserver"] = zone.Texts("_NameServers")[0],
            ["RecordName"] = name.TrimEnd('.'),
            ["RecordType"] = type,
            ["RecordData"] = (found.Count == 0 ? [] : Values(context, zone, found, 0)).ToTextList(),
            ["ResponseCode"] = exists ? "NOERROR" : "NXDOMAIN",
            ["Protocol"] = "UDP",
        };
    });

    /// <summary>What a name of the account's public zones leads to; nothing when no zone has it.</summary>
    public IReadOnlyList<string> Resolve(RequestContext context, string name, string type, int depth)
    {
        var zone = Zones(context).Where(item => Names.IsIn(name, item.Required("Name")) && item.Child("Config")?.Is("PrivateZone") != true).MaxBy(item => item.Required("Name").Length);
        if (zone is null || depth > MostAliases)
        {
            return [];
        }
        var (found, _) = Sets(Records(context, zone.Required("Id")), name, type);
        if (found.Count == 0)
        {
            return [];
        }
        var values = Values(context, zone, found, depth);
        return found[0].Text("Type") == "CNAME" && type != "CNAME" && values is [var next, ..]
            ? Runtime.Service<ElbService>().FindByName(context, next) is { } balancer ? Runtime.Service<ElbService>().AnswersOf(balancer.Context, balancer.Balancer) : Resolve(context, Names.Normal(next), type, depth + 1)
            : values;
    }

    /// <summary>The record sets that answer for a name and type: its own, its CNAME, or those of a wildcard above it.</summary>
    private static (List<JsonObject> Sets, bool NameExists) Sets(Collection records, string name, string type)
    {
        var wildcard = name;
        while (true)
        {
            var own = records.Where(item => item.Text("Name") == wildcard).ToList();
            if (own.Count > 0)
            {
                return (own.FindAll(item => item.Text("Type") == type) is { Count: > 0 } exact ? exact : own.FindAll(item => item.Text("Type") == "CNAME"), true);
            }
            // Something below a name makes it exist, without records: a wildcard above does not answer for it.
            if (!wildcard.StartsWith("\\052.", StringComparison.Ordinal) && records.Any(item => item.Required("Name").EndsWith("." + name, StringComparison.Ordinal)))
            {
                return ([], true);
            }
            var rest = wildcard.StartsWith("\\052.", StringComparison.Ordinal) ? wildcard["\\052.".Length..] : wildcard;
            var dot = rest.IndexOf('.', StringComparison.Ordinal);
            if (dot < 0 || dot == rest.Length - 1)
            {
                return ([], false);
            }
            wildcard = "\\052." + rest[(dot + 1)..];
        }
    }

    private List<string> Values(RequestContext context, JsonObject zone, List<JsonObject> sets, int depth)
    {
        if (depth > MostAliases)
        {
            return [];
        }
        return [.. Chosen(context, zone, sets, depth).SelectMany(record => ValuesOf(context, zone, record, depth))];
    }

    private IEnumerable<string> ValuesOf(RequestContext context, JsonObject zone, JsonObject record, int depth)
    {
        if (record.Child("AliasTarget") is not { } alias)
        {
            return record.Objects("ResourceRecords").Select(item => item.Required("Value"));
        }
        var (target, type) = (alias.Required("DNSName"), record.Required("Type"));
        if (alias.Text("HostedZoneId") == zone.Text("Id"))
        {
            return Values(context, zone, Sets(Records(context, zone.Required("Id")), target, type).Sets, depth + 1);
        }
        if (type is "A" && Runtime.Service<ElbService>().FindByName(context, target) is { } found)
        {
            return Runtime.Service<ElbService>().AnswersOf(found.Context, found.Balancer);
        }
        // Names of services that are not load balancers: AWS answers with addresses of its own, the same for the same name.
        return type == "A" && !target.Contains(".elb.", StringComparison.Ordinal) ? ["13." + string.Join('.', Convert.FromHexString(Ec2Service.StableHex(target, 6)).Select(part => part))] : [];
    }

    private bool IsRecordHealthy(RequestContext context, JsonObject zone, JsonObject record, int depth)
    {
        if (record.Text("HealthCheckId") is { } check && !IsHealthy(context, check))
        {
            return false;
        }
        if (record.Child("AliasTarget") is not { } alias || !alias.Is("EvaluateTargetHealth") || depth > MostAliases)
        {
            return true;
        }
        var target = alias.Required("DNSName");
        if (alias.Text("HostedZoneId") == zone.Text("Id"))
        {
            // A branch of the tree is healthy as long as one leaf of it is.
            return Sets(Records(context, zone.Required("Id")), target, record.Required("Type")).Sets.Exists(leaf => IsRecordHealthy(context, zone, leaf, depth + 1));
        }
        if (!target.Contains(".elb.", StringComparison.Ordinal))
        {
            return true;
        }
        return Runtime.Service<ElbService>().FindByName(context, target) is { } found && Runtime.Service<ElbService>().IsHealthy(found.Context, found.Balancer);
    }

    /// <summary>Of the records of one name and type those that answer. Where all are unhealthy, all count as healthy: an answer is better than none.</summary>
    private List<JsonObject> Chosen(RequestContext context, JsonObject zone, List<JsonObject> sets, int depth)
    {
        var healthy = sets.FindAll(record => IsRecordHealthy(context, zone, record, depth));
        var first = sets.FirstOrDefault();
        if (first is null || !first.Has("SetIdentifier"))
        {
            return sets;
        }
        if (first.Has("Failover"))
        {
            return [healthy.Find(record => record.Text("Failover") == "PRIMARY") ?? healthy.Find(record => record.Text("Failover") == "SECONDARY") ?? sets.Find(record => record.Text("Failover") == "PRIMARY") ?? first];
        }
        var possible = healthy.Count > 0 ? healthy : sets;
        if (first.Has("Weight"))
        {
            return [Weighted(possible)];
        }
        if (first.Has("Region"))
        {
            return [possible.MinBy(record => RegionDistances.Between(Runtime.Options.DefaultRegion, record.Required("Region")))!];
        }
        if (first.Has("GeoLocation"))
        {
            // Where the one who asks lives is not known here, so that the default record answers, if there is one.
            return possible.FindAll(record => record.Child("GeoLocation")?.Text("CountryCode") == "*");
        }
        return possible.Count <= 8 ? possible : possible.GetRange(0, 8);
    }

    private JsonObject Weighted(List<JsonObject> possible)
    {
        static int Weight(JsonObject record) => record.Int("Weight") ?? 0;
        // Records of weight 0 answer only when no other can: then all alike.
        var weighted = possible.FindAll(record => Weight(record) > 0);
        if (weighted.Count == 0)
        {
            return possible[Runtime.Ids.Next(possible.Count)];
        }
        var at = Runtime.Ids.Next(weighted.Sum(Weight));
        foreach (var record in weighted)
        {
            at -= Weight(record);
            if (at < 0)
            {
                return record;
            }
        }
        return weighted[^1];
    }
}
