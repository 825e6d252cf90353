using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Route53;

/// <content>Record sets: a batch of changes is done whole or not at all, and every problem in it is told.</content>
internal sealed partial class Route53Service
{
    private static readonly string[] Policies = ["Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer", "GeoProximityLocation", "CidrRoutingConfig"];

    private void AddRecords()
    {
        On("ChangeResourceRecordSets", ChangeRecords);
        On("ListResourceRecordSets", (context, input) =>
        {
            var zone = Zone(context, input.Required("HostedZoneId"));
            if (input.Has("StartRecordType") && !input.Has("StartRecordName"))
            {
                throw Invalid("The input is not valid: a record type cannot be specified without a record name.");
            }
            var from = input.Text("StartRecordName") is { } name ? RecordKey(Names.Normal(name), input.Text("StartRecordType") ?? "", input.Text("StartRecordIdentifier") ?? "") : "";
            var records = Records(context, zone.Required("Id"));
            var all = records.Keys().Where(key => string.CompareOrdinal(key, from) >= 0).ToList();
            var size = Size(input, 300);
            var answer = new JsonObject { ["ResourceRecordSets"] = all.Take(size).Select(key => records.Get(key)).OfType<JsonObject>().ToJsonList(), ["IsTruncated"] = all.Count > size, ["MaxItems"] = $"{size}" };
            return all.Count > size && records.Get(all[size]) is { } next
                ? answer.With("NextRecordName", next.Text("Name")).With("NextRecordType", next.Text("Type")).With("NextRecordIdentifier", next.Text("SetIdentifier"))
                : answer;
        });
    }

    private static string RecordKey(string name, string type, string identifier) => $"{Names.Key(name)}\u0000{type}\u0000{identifier}";

    private static string KeyOf(JsonObject record) => RecordKey(record.Required("Name"), record.Required("Type"), record.Text("SetIdentifier") ?? "");

    private void Keep(RequestContext context, string zone, JsonObject record) => Records(context, zone).Put(KeyOf(record), record);

    /// <summary>The two record sets that come with a zone and stay until it goes.</summary>
    private static bool IsOfZone(JsonObject zone, JsonObject record) => record.Text("Type") is "NS" or "SOA" && record.Text("Name") == zone.Text("Name");

    private JsonObject ChangeRecords(RequestContext context, JsonObject input)
    {
        var zone = Zone(context, input.Required("HostedZoneId"));
        var batch = input.Child("ChangeBatch")!;
        var changes = batch.Objects("Changes").ToList();
        if (changes.Count == 0)
        {
            throw new ServiceFault("MalformedInput", "Unexpected complex element termination");
        }
        if (changes.Sum(change => change.Child("ResourceRecordSet")!.Objects("ResourceRecords").Count()) > 1000 || changes.Count > 1000)
        {
            throw new ServiceFault("InvalidChangeBatch", "[Number of records limit of 1000 exceeded.]");
        }
        foreach (var change in changes)
        {
            CheckForm(change);
        }
        var records = Records(context, zone.Required("Id"));
        return records.Lock(() =>
        {
            // The changes are made on a copy, in their order; the copy takes the place of what was when none of them has a problem.
            var after = records.All().ToDictionary(KeyOf, StringComparer.Ordinal);
            var problems = new List<string>();
            foreach (var change in changes)
            {
                if (Apply(context, zone, after, change.Required("Action"), Normal(change.Child("ResourceRecordSet")!)) is { } problem)
                {
                    problems.Add(problem);
                }
            }
            if (problems.Count > 0)
            {
                throw new ServiceFault("InvalidChangeBatch", $"[{string.Join(", ", problems)}]");
            }
            foreach (var gone in records.Keys().Where(key => !after.ContainsKey(key)).ToList())
            {
                records.Remove(gone);
            }
            foreach (var (key, record) in after)
            {
                records.Put(key, record);
            }
            return new JsonObject { ["ChangeInfo"] = Submit(context, batch.Text("Comment")) };
        });
    }

    private static JsonObject Normal(JsonObject record)
    {
        var copy = record.Copy();
        copy["Name"] = Names.Normal(record.Required("Name"));
        if (copy.Child("AliasTarget") is { } alias)
        {
            alias["DNSName"] = Names.Normal(alias.Required("DNSName"));
            alias["HostedZoneId"] = Bare(alias.Required("HostedZoneId"));
        }
        return copy;
    }

    /// <summary>What cannot be said at all, whatever the zone holds.</summary>
    private static void CheckForm(JsonObject change)
    {
        var record = change.Child("ResourceRecordSet")!;
        var where = $"in Change with [Action={change.Text("Action")}, Name={record.Text("Name")}, Type={record.Text("Type")}, SetIdentifier={record.Text("SetIdentifier") ?? "null"}]";
        var isPlain = record.Has("TTL") && record.Objects("ResourceRecords").Any();
        if (!record.Has("AliasTarget") && !isPlain)
        {
            throw Invalid($"Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none {where}");
        }
        if (record.Has("AliasTarget") && (record.Has("TTL") || record.Objects("ResourceRecords").Any()))
        {
            throw Invalid($"Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found more than one {where}");
        }
        var policies = Policies.Where(record.Has).ToList();
        if (policies.Count > 1)
        {
            throw Invalid($"Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer], but found more than one {where}");
        }
        if (record.Has("SetIdentifier") && policies.Count == 0)
        {
            throw Invalid($"Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer], but found none {where}");
        }
        if (!record.Has("SetIdentifier") && policies.Count > 0)
        {
            throw Invalid($"Invalid request: Missing field 'SetIdentifier' {where}");
        }
        if (policies is ["GeoProximityLocation" or "CidrRoutingConfig"])
        {
            throw new ServiceFault("NotImplemented", $"The sandbox has no records by {policies[0]}. Nothing was changed.", 501);
        }
        if (record.Has("TrafficPolicyInstanceId"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox has no traffic policies. Nothing was changed.", 501);
        }
        if (policies is ["MultiValueAnswer"] && record.Has("AliasTarget"))
        {
            throw Invalid($"Invalid request: Multivalue answer alias records are not supported {where}");
        }
    }

    private string? Apply(RequestContext context, JsonObject zone, Dictionary<string, JsonObject> records, string action, JsonObject record)
    {
        var (name, type, zoneName) = (record.Required("Name"), record.Required("Type"), zone.Required("Name"));
        var shown = $"[name='{name}', type='{type}'{(record.Text("SetIdentifier") is { } identifier ? $", set-identifier='{identifier}'" : "")}]";
        if (!Names.IsValid(name))
        {
            return $"FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with '{name}'";
        }
        if (!Names.IsIn(name, zoneName))
        {
            return $"RRSet with DNS name {name} is not permitted in zone {zoneName}";
        }
        var present = records.GetValueOrDefault(KeyOf(record));
        if (action == "DELETE")
        {
            if (present is null)
            {
                return $"Tried to delete resource record set {shown} but it was not found";
            }
            if (!IsSame(present, record))
            {
                return $"Tried to delete resource record set {shown} but the values provided do not match the current values";
            }
            if (IsOfZone(zone, record))
            {
                return type == "SOA" ? "A HostedZone must contain exactly one SOA record." : "A HostedZone must contain at least one NS record for the zone itself.";
            }
            records.Remove(KeyOf(record));
            return null;
        }
        if (action == "CREATE" && present is not null)
        {
            return $"Tried to create resource record set {shown} but it already exists";
        }
        if (type == "SOA" && name != zoneName)
        {
            return $"RRSet of type SOA with DNS name {name} is not permitted: it is only allowed at the zone apex {zoneName}";
        }
        if (Conflict(zoneName, records, record) is { } conflict)
        {
            return conflict;
        }
        if (record.Text("HealthCheckId") is { } check && !Checks(context).Contains(check))
        {
            throw new ServiceFault("NoSuchHealthCheck", $"A health check with id {check} does not exist.", 404);
        }
        var problem = record.Child("AliasTarget") is { } alias
            ? AliasProblem(context, zone, records, record, alias)
            : record.Objects("ResourceRecords").Select(value => ValueProblem(type, value.Required("Value"))).FirstOrDefault(found => found is not null);
        if (problem is not null)
        {
            return problem;
        }
        records[KeyOf(record)] = record;
        return null;
    }

    /// <summary>The same record set: the values in any order.</summary>
    private static bool IsSame(JsonObject one, JsonObject other)
    {
        static JsonObject Ordered(JsonObject record)
        {
            var copy = record.Copy();
            if (copy.Has("TTL"))
            {
                copy["TTL"] = copy.Long("TTL");
            }
            if (copy.Has("Weight"))
            {
                copy["Weight"] = copy.Long("Weight");
            }
            if (copy.Child("AliasTarget") is { } alias)
            {
                alias["EvaluateTargetHealth"] = alias.Is("EvaluateTargetHealth");
            }
            copy["ResourceRecords"] = record.Objects("ResourceRecords").Select(item => item.Required("Value")).Order(StringComparer.Ordinal).ToTextList();
            return copy;
        }
        return Documents.Same(Sorted(Ordered(one)), Sorted(Ordered(other)));

        static JsonObject Sorted(JsonObject document) => new(document.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Copy())));
    }

    private static string? Conflict(string zoneName, Dictionary<string, JsonObject> records, JsonObject record)
    {
        var (name, type) = (record.Required("Name"), record.Required("Type"));
        var sameName = records.Values.Where(item => item.Text("Name") == name).ToList();
        if (type == "CNAME" && name == zoneName)
        {
            return $"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zoneName}";
        }
        if (type == "CNAME" && sameName.Exists(item => item.Text("Type") != "CNAME"))
        {
            return $"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records with the same DNS name in zone {zoneName}";
        }
        if (type != "CNAME" && sameName.Exists(item => item.Text("Type") == "CNAME"))
        {
            return $"RRSet of type {type} with DNS name {name} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone {zoneName}";
        }
        var others = sameName.Where(item => item.Text("Type") == type && KeyOf(item) != KeyOf(record)).ToList();
        var policy = Array.Find(Policies, record.Has);
        if (others.Find(item => Array.Find(Policies, item.Has) != policy) is { } other)
        {
            var kind = Array.Find(Policies, other.Has) switch { null => "simple", "Weight" => "weighted", "Region" => "latency", "GeoLocation" => "geolocation", "MultiValueAnswer" => "multivalue answer", _ => "failover" };
            return $"RRSet with DNS name {name}, type {type}, SetIdentifier {record.Text("SetIdentifier") ?? "null"} cannot be created because a {kind} rrset exists with the same name and type.";
        }
        if (policy is "Failover" or "Region" && others.Exists(item => item.Text(policy) == record.Text(policy)))
        {
            return $"RRSet with DNS name {name}, type {type} cannot be created as an rrset with {(policy == "Failover" ? "failover" : "region")} {record.Text(policy)} already exists with the same name and type";
        }
        if (policy == "GeoLocation" && others.Exists(item => Documents.Same(item["GeoLocation"], record["GeoLocation"])))
        {
            return $"RRSet with DNS name {name}, type {type} cannot be created as an rrset with the same geolocation already exists with the same name and type";
        }
        return type == "CNAME" && record.Objects("ResourceRecords").Count() > 1 ? $"RRSet with DNS name {name}, type CNAME cannot have more than one value" : null;
    }

    private string? AliasProblem(RequestContext context, JsonObject zone, Dictionary<string, JsonObject> records, JsonObject record, JsonObject alias)
    {
        var (target, type, targetZone) = (alias.Required("DNSName"), record.Required("Type"), alias.Required("HostedZoneId"));
        var tried = $"Tried to create an alias that targets {target}, type {type} in zone {targetZone}, but ";
        if (type is "NS" or "SOA")
        {
            return $"Alias resource record sets of type {type} are not permitted";
        }
        if (targetZone == zone.Text("Id"))
        {
            return !Names.IsIn(target, zone.Required("Name")) ? tried + "the alias target name does not lie within the target zone"
                : records.Values.Any(item => item.Text("Name") == target && item.Text("Type") == type) ? null
                : tried + "that target was not found";
        }
        if (Zones(context).Contains(targetZone))
        {
            return tried + "the alias target name does not lie within the target zone";
        }
        // The zones of AWS's own services hold names of AWS alone.
        return target.EndsWith(".amazonaws.com.", StringComparison.Ordinal) || target.EndsWith(".cloudfront.net.", StringComparison.Ordinal)
            || target.EndsWith(".amazonaws.com.cn.", StringComparison.Ordinal) || target.EndsWith(".awsglobalaccelerator.com.", StringComparison.Ordinal) || target.EndsWith(".elasticbeanstalk.com.", StringComparison.Ordinal)
            ? null : tried + "the alias target name does not lie within the target zone";
    }

    private static string? ValueProblem(string type, string value)
    {
        string Fatal(string code, string text) => $"Invalid Resource Record: 'FATAL problem: {code} ({text}) encountered with '{value}''";
        static bool IsName(string text) => Names.IsValid(Names.Normal(text));
        static bool IsNumber(string text) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);
        var fields = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return type switch
        {
            "A" => IPAddress.TryParse(value, out var four) && four.AddressFamily == AddressFamily.InterNetwork && value.Split('.').Length == 4 ? null : Fatal("ARRDATAIllegalIPv4Address", "Value is not a valid IPv4 address"),
            "AAAA" => IPAddress.TryParse(value, out var six) && six.AddressFamily == AddressFamily.InterNetworkV6 ? null : Fatal("AAAARRDATAIllegalIPv6Address", "Value is not a valid IPv6 address"),
            "CNAME" or "NS" or "PTR" => fields.Length != 1 ? Fatal("RRDATANotSingleField", "Value contains spaces") : IsName(value) ? null : Fatal("DomainLabelEmpty", "Domain label is empty"),
            "MX" => fields.Length != 2 ? Fatal("MXRRDATANotTwoFields", "MX record doesn't have 2 fields") : !IsNumber(fields[0]) ? Fatal("MXRRDATAPriorityNotANumber", "MX priority is not a number") : IsName(fields[1]) ? null : Fatal("DomainLabelEmpty", "Domain label is empty"),
            "SRV" => fields.Length != 4 ? Fatal("SRVRRDATANotFourFields", "SRV record doesn't have 4 fields") : Array.TrueForAll(fields[..3], IsNumber) && IsName(fields[3]) ? null : Fatal("SRVRRDATANotANumber", "SRV record has an invalid field"),
            "CAA" => fields.Length >= 3 && byte.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out _) ? null : Fatal("CAARRDATANotThreeFields", "CAA record doesn't have 3 fields"),
            "TXT" or "SPF" => value.Length >= 2 && value[0] == '"' && value[^1] == '"'
                ? value.Split('"', StringSplitOptions.RemoveEmptyEntries).Any(part => part.Length > 255) ? Fatal("CharacterStringTooLong", "Value is too long") : null
                : Fatal("InvalidCharacterString", "Value should be enclosed in quotation marks"),
            _ => null,
        };
    }
}
