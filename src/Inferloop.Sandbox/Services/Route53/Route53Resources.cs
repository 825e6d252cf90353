using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Route53;

/// <summary>The AWS::Route53 resource types.</summary>
internal static class Route53Resources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<Route53Service>();
        return [HostedZone(service), RecordSet(service), RecordSetGroup(service), HealthCheck(service)];
    }

    /// <summary>Waits until all name servers have a change.</summary>
    private static async Task InSync(Route53Service service, ProvisionContext context, JsonObject answer)
    {
        var id = answer.Child("ChangeInfo")!.Required("Id");
        while ((await service.CallAsync(context, "GetChange", new JsonObject { ["Id"] = id }).ConfigureAwait(false)).Child("ChangeInfo")!.Text("Status") != "INSYNC")
        {
            await context.DelayAsync(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        }
    }

    private static Task Retag(Route53Service service, ProvisionContext context, string type, string id, JsonObject before, JsonObject after, string member)
    {
        var (put, removed) = ProviderExtensions.TagChange(context, new JsonObject { ["Tags"] = before[member].Copy() }, new JsonObject { ["Tags"] = after[member].Copy() });
        var input = new JsonObject { ["ResourceType"] = type, ["ResourceId"] = id }.With("AddTags", put.Count > 0 ? put : null).With("RemoveTagKeys", removed.Count > 0 ? removed : null);
        return put.Count + removed.Count > 0 ? service.CallAsync(context, "ChangeTagsForResource", input) : Task.CompletedTask;
    }

    private static async Task<JsonArray> TagsOf(Route53Service service, ProvisionContext context, string type, string id) =>
        Tags.OfTemplate((await service.CallAsync(context, "ListTagsForResource", new JsonObject { ["ResourceType"] = type, ["ResourceId"] = id }).ConfigureAwait(false)).Child("ResourceTagSet")!.Objects("Tags"));

    private static Provider HostedZone(Route53Service service)
    {
        static JsonObject Network(JsonObject vpc) => vpc.Pick("VPCId", "VPCRegion");
        static JsonObject Id(string id) => new() { ["Id"] = id };
        return new Provider("AWS::Route53::HostedZone")
        {
            Gone = ["NoSuchHostedZone"],
            Create = async (context, properties) =>
            {
                var networks = properties.Objects("VPCs").ToList();
                var answer = await service.CallAsync(context, "CreateHostedZone", new JsonObject { ["Name"] = properties.Text("Name"), ["CallerReference"] = context.ClientToken + context.LogicalId + context.Runtime.Ids.Hex(8) }
                    .With("HostedZoneConfig", properties.Child("HostedZoneConfig")?.Pick("Comment")).With("VPC", networks.Count > 0 ? Network(networks[0]) : null)).ConfigureAwait(false);
                var id = answer.Child("HostedZone")!.Required("Id")["/hostedzone/".Length..];
                foreach (var network in networks.Skip(1))
                {
                    await service.CallAsync(context, "AssociateVPCWithHostedZone", new JsonObject { ["HostedZoneId"] = id, ["VPC"] = Network(network) }).ConfigureAwait(false);
                }
                await Retag(service, context, "hostedzone", id, [], properties, "HostedZoneTags").ConfigureAwait(false);
                await InSync(service, context, answer).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                await service.CallAsync(context, "UpdateHostedZoneComment", Id(id).With("Comment", after.Child("HostedZoneConfig")?["Comment"].Copy() ?? "")).ConfigureAwait(false);
                var (old, now) = (before.Objects("VPCs").ToDictionary(vpc => vpc.Required("VPCId")), after.Objects("VPCs").ToDictionary(vpc => vpc.Required("VPCId")));
                foreach (var (_, vpc) in now.Where(pair => !old.ContainsKey(pair.Key)))
                {
                    await service.CallAsync(context, "AssociateVPCWithHostedZone", new JsonObject { ["HostedZoneId"] = id, ["VPC"] = Network(vpc) }).ConfigureAwait(false);
                }
                foreach (var (_, vpc) in old.Where(pair => !now.ContainsKey(pair.Key)))
                {
                    await service.CallAsync(context, "DisassociateVPCFromHostedZone", new JsonObject { ["HostedZoneId"] = id, ["VPC"] = Network(vpc) }).ConfigureAwait(false);
                }
                await Retag(service, context, "hostedzone", id, before, after, "HostedZoneTags").ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteHostedZone", Id(id)),
            Read = async (context, id) =>
            {
                var found = await service.CallAsync(context, "GetHostedZone", Id(id)).ConfigureAwait(false);
                var tags = await TagsOf(service, context, "hostedzone", id).ConfigureAwait(false);
                return new JsonObject { ["Name"] = service.NameAsGiven(context.Request, id) }.With("HostedZoneConfig", found.Child("HostedZone")!.Child("Config")?["Comment"] is { } comment ? new JsonObject { ["Comment"] = comment.Copy() } : null)
                    .With("VPCs", found["VPCs"].Copy()).With("HostedZoneTags", tags.Count > 0 ? tags : null);
            },
            Attributes = async (context, id) => ProviderExtensions.Attributes(("Id", id), ("NameServers", (await service.CallAsync(context, "GetHostedZone", Id(id)).ConfigureAwait(false)).Child("DelegationSet")?["NameServers"] ?? new JsonArray())),
        };
    }

    /// <summary>The zone that properties name by id or by name.</summary>
    private static async Task<string> ZoneOf(Route53Service service, ProvisionContext context, JsonObject properties)
    {
        if (properties.Text("HostedZoneId") is { } id)
        {
            return id;
        }
        var name = properties.Text("HostedZoneName") ?? throw new ServiceFault("InvalidInput", "One of HostedZoneId and HostedZoneName must be specified.");
        var zones = (await service.CallAsync(context, "ListHostedZones", []).ConfigureAwait(false)).Objects("HostedZones").Where(zone => zone.Text("Name") == Names.Normal(name)).ToList();
        return zones.Count switch
        {
            1 => zones[0].Required("Id")["/hostedzone/".Length..],
            0 => throw new ServiceFault("InvalidInput", $"No hosted zones named {name} found"),
            _ => throw new ServiceFault("InvalidInput", $"Found multiple hosted zones with the name {name}"),
        };
    }

    private static JsonObject Record(Route53Service service, JsonObject properties)
    {
        var shape = service.Model.Shape("ResourceRecordSet");
        var given = properties.Copy();
        given["ResourceRecords"] = properties.Texts("ResourceRecords") is { Count: > 0 } values ? values.Select(value => new JsonObject { ["Value"] = value }).ToJsonList() : null;
        if (given.Child("AliasTarget") is { } alias)
        {
            alias["EvaluateTargetHealth"] ??= false;
        }
        foreach (var none in given.Where(pair => pair.Value is null).Select(pair => pair.Key).ToList())
        {
            given.Remove(none);
        }
        return (JsonObject)PropertyMapper.ToShape(shape, given)!;
    }

    private static async Task Change(Route53Service service, ProvisionContext context, string zone, IEnumerable<(string Action, JsonObject Record)> changes, string? comment = null)
    {
        var list = changes.Select(change => new JsonObject { ["Action"] = change.Action, ["ResourceRecordSet"] = change.Record.Copy() }).ToJsonList();
        if (list.Count > 0)
        {
            var batch = new JsonObject { ["Changes"] = list }.With("Comment", comment);
            await InSync(service, context, await service.CallAsync(context, "ChangeResourceRecordSets", new JsonObject { ["HostedZoneId"] = zone, ["ChangeBatch"] = batch }).ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    private static async Task<JsonObject?> Find(Route53Service service, ProvisionContext context, string zone, JsonObject properties)
    {
        var (name, type, identifier) = (Names.Normal(properties.Required("Name")), properties.Required("Type"), properties.Text("SetIdentifier"));
        var answer = await service.CallAsync(context, "ListResourceRecordSets", new JsonObject { ["HostedZoneId"] = zone, ["StartRecordName"] = name, ["StartRecordType"] = type }.With("StartRecordIdentifier", identifier)).ConfigureAwait(false);
        return answer.Objects("ResourceRecordSets").FirstOrDefault(record => record.Text("Name") == name && record.Text("Type") == type && record.Text("SetIdentifier") == identifier);
    }

    /// <summary>A record set as it is in the service now; what somebody deleted by hand counts as deleted.</summary>
    private static async Task<List<(string, JsonObject)>> Removals(Route53Service service, ProvisionContext context, string zone, IEnumerable<JsonObject> records)
    {
        var list = new List<(string, JsonObject)>();
        foreach (var record in records)
        {
            if (await Find(service, context, zone, record).ConfigureAwait(false) is { } present)
            {
                list.Add(("DELETE", present));
            }
        }
        return list;
    }

    private static Provider RecordSet(Route53Service service)
    {
        // zone|name|type|set; Ref gives the name.
        static JsonObject Named(string id) => new JsonObject { ["Name"] = id.Split('|')[1], ["Type"] = id.Split('|')[2] }.With("SetIdentifier", id.Split('|')[3] is { Length: > 0 } set ? set : null);
        return new Provider("AWS::Route53::RecordSet")
        {
            Gone = ["NoSuchHostedZone"],
            Create = async (context, properties) =>
            {
                var zone = await ZoneOf(service, context, properties).ConfigureAwait(false);
                await Change(service, context, zone, [("CREATE", Record(service, properties))], properties.Text("Comment")).ConfigureAwait(false);
                return $"{zone}|{properties.Text("Name")}|{properties.Text("Type")}|{properties.Text("SetIdentifier")}";
            },
            Reference = id => id.Split('|')[1],
            Update = async (context, id, before, after) =>
            {
                var zone = id.Split('|')[0];
                var removed = after.Changed(before, "Type", "SetIdentifier") ? await Removals(service, context, zone, [Named(id)]).ConfigureAwait(false) : [];
                await Change(service, context, zone, [.. removed, ("UPSERT", Record(service, after))], after.Text("Comment")).ConfigureAwait(false);
            },
            Delete = async (context, id, _) => await Change(service, context, id.Split('|')[0], await Removals(service, context, id.Split('|')[0], [Named(id)]).ConfigureAwait(false)).ConfigureAwait(false),
            Read = async (context, id) => await Find(service, context, id.Split('|')[0], Named(id)).ConfigureAwait(false) is { } found ? OfTemplate(found).With("Name", id.Split('|')[1]) : null,
        };
    }

    private static JsonObject OfTemplate(JsonObject record)
    {
        var properties = record.Copy();
        if (record.Objects("ResourceRecords").ToList() is { Count: > 0 } values)
        {
            properties["ResourceRecords"] = values.Select(value => value.Required("Value")).ToTextList();
        }
        if (properties.Child("AliasTarget") is { } alias)
        {
            // As GetAtt of what it leads to gives it: without the dot of the root.
            alias["DNSName"] = alias.Required("DNSName").TrimEnd('.');
        }
        return properties.With("TTL", record.Text("TTL"));
    }

    private static Provider RecordSetGroup(Route53Service service)
    {
        static string Key(JsonObject record) => $"{Names.Normal(record.Required("Name"))}|{record.Text("Type")}|{record.Text("SetIdentifier")}";
        return new Provider("AWS::Route53::RecordSetGroup")
        {
            Gone = ["NoSuchHostedZone"],
            Create = async (context, properties) =>
            {
                var zone = await ZoneOf(service, context, properties).ConfigureAwait(false);
                await Change(service, context, zone, properties.Objects("RecordSets").Select(record => ("CREATE", Record(service, record))), properties.Text("Comment")).ConfigureAwait(false);
                return $"{zone}|{context.GenerateName(64)}";
            },
            Reference = id => id.Split('|')[1],
            Update = async (context, id, before, after) =>
            {
                var kept = after.Objects("RecordSets").Select(Key).ToHashSet(StringComparer.Ordinal);
                var removed = await Removals(service, context, id.Split('|')[0], before.Objects("RecordSets").Where(record => !kept.Contains(Key(record)))).ConfigureAwait(false);
                await Change(service, context, id.Split('|')[0], [.. removed, .. after.Objects("RecordSets").Select(record => ("UPSERT", Record(service, record)))], after.Text("Comment")).ConfigureAwait(false);
            },
            Delete = async (context, id, properties) => await Change(service, context, id.Split('|')[0], await Removals(service, context, id.Split('|')[0], properties.Objects("RecordSets")).ConfigureAwait(false)).ConfigureAwait(false),
            Read = async (context, id) => await service.CallAsync(context, "GetHostedZone", new JsonObject { ["Id"] = id.Split('|')[0] }).ConfigureAwait(false) is not null ? [] : null,
        };
    }

    private static Provider HealthCheck(Route53Service service)
    {
        static JsonObject Id(string id) => new() { ["HealthCheckId"] = id };
        return new Provider("AWS::Route53::HealthCheck")
        {
            Gone = ["NoSuchHealthCheck"],
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateHealthCheck", properties);
                input["CallerReference"] = (context.ClientToken + context.LogicalId + context.Runtime.Ids.Hex(8))[^Math.Min(64, (context.ClientToken + context.LogicalId).Length + 8)..];
                var id = (await service.CallAsync(context, "CreateHealthCheck", input).ConfigureAwait(false)).Child("HealthCheck")!.Required("Id");
                await Retag(service, context, "healthcheck", id, [], properties, "HealthCheckTags").ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                var input = PropertyMapper.ToInput(service, "UpdateHealthCheck", after.Child("HealthCheckConfig")!);
                await service.CallAsync(context, "UpdateHealthCheck", input.With("HealthCheckId", id)).ConfigureAwait(false);
                await Retag(service, context, "healthcheck", id, before, after, "HealthCheckTags").ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteHealthCheck", Id(id)),
            Read = async (context, id) =>
            {
                var tags = await TagsOf(service, context, "healthcheck", id).ConfigureAwait(false);
                return (await service.CallAsync(context, "GetHealthCheck", Id(id)).ConfigureAwait(false)).Child("HealthCheck")!.Pick("HealthCheckConfig").With("HealthCheckTags", tags.Count > 0 ? tags : null);
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("HealthCheckId", id))),
        };
    }
}
