using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>VPC endpoints, AWS's prefix lists, flow logs.</summary>
internal sealed partial class Ec2Service
{
    private static readonly string[] GatewayServices = ["s3", "dynamodb"];

    private static readonly string[] InterfaceServices =
    [
        "autoscaling", "application-autoscaling", "batch", "cloudformation", "monitoring", "logs", "codebuild", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent",
        "ecs-telemetry", "eks", "elasticache", "elasticloadbalancing", "events", "kms", "lambda", "rds", "s3", "secretsmanager", "servicediscovery", "sns", "sqs", "ssm",
        "ssmmessages", "sts", "xray", "backup", "config", "cloudtrail",
    ];

    private void AddEndpoints()
    {
        On("CreateVpcEndpoint", CreateVpcEndpoint);
        On("ModifyVpcEndpoint", ModifyVpcEndpoint);
        On("DeleteVpcEndpoints", DeleteVpcEndpoints);
        On("DescribeVpcEndpoints", (context, input) => Describe(context, input, "vpce", "VpcEndpointIds", "VpcEndpoints",
            "vpc-endpoint-id vpc-id service-name vpc-endpoint-type vpc-endpoint-state=State ip-address-type"));
        On("DescribeVpcEndpointServices", DescribeVpcEndpointServices);
        On("DescribePrefixLists", (context, input) =>
        {
            var ids = input.Texts("PrefixListIds");
            return Pages.Answer(input, Ec2Filters.Apply(PrefixLists(context).Where(list => ids.Count == 0 || ids.Contains(list.Text("PrefixListId")!)), input.Objects("Filters"),
                "prefix-list-id prefix-list-name"), "PrefixLists");
        });
        On("DescribeManagedPrefixLists", (context, input) =>
        {
            var all = PrefixLists(context).Select(list => new JsonObject
            {
                ["PrefixListId"] = list.Text("PrefixListId"),
                ["PrefixListName"] = list.Text("PrefixListName"),
                ["PrefixListArn"] = $"arn:{context.Partition}:ec2:{context.Region}:aws:prefix-list/{list.Text("PrefixListId")}",
                ["AddressFamily"] = "IPv4",
                ["State"] = "create-complete",
                ["OwnerId"] = "AWS",
                ["Tags"] = new JsonArray(),
            });
            return Pages.Answer(input, Ec2Filters.Apply(all, input.Objects("Filters"), "owner-id prefix-list-id prefix-list-name"), "PrefixLists");
        });
    }

    /// <summary>The lists AWS keeps itself, with ids that stay the same in a region.</summary>
    private static List<JsonObject> PrefixLists(RequestContext context) => new[] { "s3", "dynamodb", "global.cloudfront.origin-facing" }.Select((service, index) => new JsonObject
    {
        ["PrefixListId"] = $"pl-{(uint)(0x63a5400a + index * 0x01110000 + context.Region.Sum(c => c)):x8}",
        ["PrefixListName"] = service.StartsWith("global", StringComparison.Ordinal) ? $"com.amazonaws.{service}" : $"com.amazonaws.{context.Region}.{service}",
        ["Cidrs"] = new JsonArray("198.18.0.0/24"),
    }).ToList();

    private static JsonObject ServiceOf(RequestContext context, string name, string type)
    {
        var prefix = $"com.amazonaws.{context.Region}.";
        var known = name.StartsWith(prefix, StringComparison.Ordinal) && (type == "Gateway" ? GatewayServices : InterfaceServices).Contains(name[prefix.Length..]);
        return known ? new JsonObject { ["Short"] = name[prefix.Length..] } : throw Invalid("InvalidServiceName", $"The Vpc Endpoint Service '{name}' does not exist");
    }

    private JsonObject CreateVpcEndpoint(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var vpc = Find(context, "vpc", input.Text("VpcId"));
        var type = input.Text("VpcEndpointType") ?? "Gateway";
        var name = input.Text("ServiceName") ?? throw Invalid("MissingParameter", "The request must contain the parameter ServiceName");
        if (type is not ("Gateway" or "Interface"))
        {
            throw new ServiceFault("NotImplemented", $"The sandbox has no VPC endpoints of type {type}. Nothing was changed.", 501);
        }
        var service = ServiceOf(context, name, type).Required("Short");
        if (input.Text("PolicyDocument") is { } policy && PolicyDocument.Problem(policy, isResourcePolicy: true, needsResource: true) is { } problem)
        {
            throw Invalid("InvalidPolicyDocument", problem);
        }
        var id = Runtime.Ids.Resource("vpce");
        var endpoint = new JsonObject
        {
            ["VpcEndpointId"] = id,
            ["VpcEndpointType"] = type,
            ["VpcId"] = vpc.Text("VpcId"),
            ["ServiceName"] = name,
            ["State"] = type == "Gateway" ? "available" : "pending",
            ["PolicyDocument"] = input.Text("PolicyDocument") ?? """{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}""",
            ["RouteTableIds"] = new JsonArray(),
            ["SubnetIds"] = new JsonArray(),
            ["Groups"] = new JsonArray(),
            ["NetworkInterfaceIds"] = new JsonArray(),
            ["DnsEntries"] = new JsonArray(),
            ["PrivateDnsEnabled"] = type == "Interface" && (input.Flag("PrivateDnsEnabled") ?? true),
            ["RequesterManaged"] = false,
            ["IpAddressType"] = input.Text("IpAddressType") ?? "ipv4",
            ["CreationTimestamp"] = Documents.Time(context.Now),
            ["OwnerId"] = context.AccountId,
        };
        if (type == "Interface" && endpoint.Is("PrivateDnsEnabled") && Kind(context, "vpce").Any(other => other.Text("VpcId") == vpc.Text("VpcId")
            && other.Text("ServiceName") == name && other.Is("PrivateDnsEnabled")))
        {
            throw Invalid("InvalidParameter", $"private-dns-enabled cannot be set because there is already a conflicting DNS domain for {service}.{context.Region}.{context.DnsSuffix} in the VPC {vpc.Text("VpcId")}");
        }
        Add(context, "vpce", id, endpoint, input);
        try
        {
            foreach (var table in input.Texts("RouteTableIds"))
            {
                AddEndpointRoute(context, id, service, vpc.Required("VpcId"), table);
            }
            var groups = input.Texts("SecurityGroupIds");
            foreach (var subnet in input.Texts("SubnetIds"))
            {
                AddEndpointInterface(context, id, subnet, groups);
            }
        }
        catch (ServiceFault)
        {
            RemoveEndpoint(context, id);
            throw;
        }
        if (type == "Interface")
        {
            var dns = $"{id}-{Runtime.Ids.Lower(8)}.{service}.{context.Region}.vpce.{context.DnsSuffix}";
            Change(context, "vpce", id, document => document["DnsEntries"] = new JsonArray(new JsonObject { ["DnsName"] = dns, ["HostedZoneId"] = "Z7HUB22UULQXV" }));
            Runtime.After(Durations.InterfaceEndpointCreate, () => Change(context, "vpce", id, document => document["State"] = "available"));
        }
        return new JsonObject { ["VpcEndpoint"] = Find(context, "vpce", id) };
    }

    private void AddEndpointRoute(RequestContext context, string endpoint, string service, string vpc, string tableId)
    {
        var table = Find(context, "rtb", tableId);
        if (table.Text("VpcId") != vpc)
        {
            throw Invalid("InvalidParameter", $"Route table {tableId} does not belong to VPC {vpc}");
        }
        var list = PrefixLists(context).First(item => item.Text("PrefixListName") == $"com.amazonaws.{context.Region}.{service}").Required("PrefixListId");
        Change(context, "rtb", tableId, document =>
        {
            if (document.Objects("Routes").Any(route => route.Text("DestinationPrefixListId") == list))
            {
                throw Invalid("RouteAlreadyExists", $"route table {tableId} already has a route with destination-prefix-list-id {list}");
            }
            document.ListOrNew("Routes").Add((JsonNode)new JsonObject { ["DestinationPrefixListId"] = list, ["GatewayId"] = endpoint, ["Origin"] = "CreateRoute", ["State"] = "active" });
        });
        Change(context, "vpce", endpoint, document => document.ListOrNew("RouteTableIds").Add(tableId));
    }

    private void RemoveEndpointRoute(RequestContext context, string endpoint, string tableId)
    {
        Change(context, "rtb", tableId, document =>
        {
            foreach (var route in document.Objects("Routes").Where(route => route.Text("GatewayId") == endpoint).ToList())
            {
                document.ListOrNew("Routes").Remove(route);
            }
        });
        Change(context, "vpce", endpoint, document => document["RouteTableIds"] = document.Texts("RouteTableIds").Where(item => item != tableId).ToTextList());
    }

    private void AddEndpointInterface(RequestContext context, string endpoint, string subnet, IReadOnlyList<string> groups)
    {
        var network = AllocateInterface(context, subnet, groups, $"VPC Endpoint Interface {endpoint}", "vpc_endpoint", "amazon-vpce");
        Change(context, "vpce", endpoint, document =>
        {
            document.ListOrNew("SubnetIds").Add(subnet);
            document.ListOrNew("NetworkInterfaceIds").Add(network.Text("NetworkInterfaceId"));
            document["Groups"] = network["Groups"].Copy();
        });
    }

    private JsonObject ModifyVpcEndpoint(RequestContext context, JsonObject input)
    {
        var endpoint = Find(context, "vpce", input.Text("VpcEndpointId"));
        var id = endpoint.Required("VpcEndpointId");
        if (input.Text("PolicyDocument") is { } policy && PolicyDocument.Problem(policy, isResourcePolicy: true, needsResource: true) is { } problem)
        {
            throw Invalid("InvalidPolicyDocument", problem);
        }
        foreach (var table in input.Texts("RemoveRouteTableIds"))
        {
            RemoveEndpointRoute(context, id, table);
        }
        foreach (var table in input.Texts("AddRouteTableIds"))
        {
            AddEndpointRoute(context, id, ServiceOf(context, endpoint.Required("ServiceName"), endpoint.Required("VpcEndpointType")).Required("Short"), endpoint.Required("VpcId"), table);
        }
        foreach (var subnet in input.Texts("RemoveSubnetIds"))
        {
            var network = Kind(context, "eni").Find(item => item.Text("SubnetId") == subnet && endpoint.Texts("NetworkInterfaceIds").Contains(item.Text("NetworkInterfaceId")!));
            ReleaseInterface(context, network?.Text("NetworkInterfaceId"));
            Change(context, "vpce", id, document =>
            {
                document["SubnetIds"] = document.Texts("SubnetIds").Where(item => item != subnet).ToTextList();
                document["NetworkInterfaceIds"] = document.Texts("NetworkInterfaceIds").Where(item => item != network?.Text("NetworkInterfaceId")).ToTextList();
            });
        }
        var groups = endpoint.Objects("Groups").Select(group => group.Required("GroupId")).Except(input.Texts("RemoveSecurityGroupIds")).Union(input.Texts("AddSecurityGroupIds")).ToList();
        foreach (var subnet in input.Texts("AddSubnetIds"))
        {
            AddEndpointInterface(context, id, subnet, groups);
        }
        var members = groups.Select(group => new JsonObject { ["GroupId"] = group, ["GroupName"] = Find(context, "sg", group).Text("GroupName") }).ToJsonList();
        Change(context, "vpce", id, document =>
        {
            document.Take(input, "PolicyDocument", "PrivateDnsEnabled");
            document["Groups"] = members.DeepClone();
        });
        foreach (var network in endpoint.Texts("NetworkInterfaceIds"))
        {
            Change(context, "eni", network, document => document["Groups"] = members.DeepClone());
        }
        return new JsonObject { ["Return"] = true };
    }

    private JsonObject DeleteVpcEndpoints(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var unsuccessful = new List<JsonObject>();
        foreach (var id in input.Texts("VpcEndpointIds"))
        {
            if (Kind(context, "vpce").Get(id) is not { } endpoint)
            {
                unsuccessful.Add(Unsuccessful(id, "InvalidVpcEndpointId.NotFound", $"The Vpc Endpoint Id '{id}' does not exist"));
            }
            else if (endpoint.Text("VpcEndpointType") == "Gateway")
            {
                RemoveEndpoint(context, id);
            }
            else
            {
                Change(context, "vpce", id, document => document["State"] = "deleting");
                Runtime.After(Durations.InterfaceEndpointDelete, () => RemoveEndpoint(context, id));
            }
        }
        return new JsonObject { ["Unsuccessful"] = unsuccessful.ToJsonList() };
    }

    private void RemoveEndpoint(RequestContext context, string id)
    {
        if (Kind(context, "vpce").Get(id) is not { } endpoint)
        {
            return;
        }
        foreach (var table in endpoint.Texts("RouteTableIds"))
        {
            RemoveEndpointRoute(context, id, table);
        }
        foreach (var network in endpoint.Texts("NetworkInterfaceIds"))
        {
            ReleaseInterface(context, network);
        }
        Kind(context, "vpce").Remove(id);
    }

    private static JsonObject Unsuccessful(string id, string code, string message) =>
        new() { ["ResourceId"] = id, ["Error"] = new JsonObject { ["Code"] = code, ["Message"] = message } };

    private static JsonObject DescribeVpcEndpointServices(RequestContext context, JsonObject input)
    {
        var prefix = $"com.amazonaws.{context.Region}.";
        var details = GatewayServices.Select(name => (name, "Gateway")).Concat(InterfaceServices.Select(name => (name, "Interface"))).Select(service => new JsonObject
        {
            ["ServiceName"] = prefix + service.name,
            ["ServiceType"] = new JsonArray(new JsonObject { ["ServiceType"] = service.Item2 }),
            ["AvailabilityZones"] = Zones(context).ToTextList(),
            ["Owner"] = "amazon",
            ["VpcEndpointPolicySupported"] = true,
            ["AcceptanceRequired"] = false,
            ["Tags"] = new JsonArray(),
        });
        var names = input.Texts("ServiceNames");
        if (names.FirstOrDefault(name => !GatewayServices.Concat(InterfaceServices).Any(known => prefix + known == name)) is { } unknown)
        {
            throw Invalid("InvalidServiceName", $"The Vpc Endpoint Service '{unknown}' does not exist");
        }
        var chosen = Ec2Filters.Apply(details.Where(detail => names.Count == 0 || names.Contains(detail.Text("ServiceName")!)), input.Objects("Filters"), "service-name service-type=ServiceType.ServiceType owner");
        return new JsonObject { ["ServiceNames"] = chosen.Select(detail => detail.Required("ServiceName")).Distinct().ToTextList(), ["ServiceDetails"] = chosen.ToJsonList() };
    }

    private void AddFlowLogs()
    {
        On("CreateFlowLogs", CreateFlowLogs);
        On("DeleteFlowLogs", (context, input) =>
        {
            var unsuccessful = new List<JsonObject>();
            foreach (var id in input.Texts("FlowLogIds"))
            {
                if (!Kind(context, "fl").Remove(id))
                {
                    unsuccessful.Add(Unsuccessful(id, "InvalidFlowLogId.NotFound", $"These flow log ids in the input list are not found: [FlowLog {id}]"));
                }
            }
            return new JsonObject { ["Unsuccessful"] = unsuccessful.ToJsonList() };
        });
        On("DescribeFlowLogs", (context, input) =>
        {
            var renamed = input.Copy();
            if (renamed.Remove("Filter", out var filters))
            {
                renamed["Filters"] = filters;
            }
            return Describe(context, renamed, "fl", "FlowLogIds", "FlowLogs",
                "flow-log-id resource-id log-group-name traffic-type deliver-log-status=DeliverLogsStatus log-destination-type");
        });
    }

    private JsonObject CreateFlowLogs(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var destination = input.Text("LogDestinationType") ?? "cloud-watch-logs";
        if (destination == "cloud-watch-logs")
        {
            if (!input.Has("DeliverLogsPermissionArn"))
            {
                throw Invalid("InvalidParameter", "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.");
            }
            if (!input.Has("LogGroupName") && !input.Has("LogDestination"))
            {
                throw Invalid("InvalidParameter", "LogGroupName can't be empty if LogDestinationType is cloud-watch-logs.");
            }
        }
        else if (!input.Has("LogDestination"))
        {
            throw Invalid("InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided.");
        }
        if (input.Int("MaxAggregationInterval") is { } interval && interval is not (60 or 600))
        {
            throw Invalid("InvalidParameter", "Invalid Flow Log Max Aggregation Interval");
        }
        var made = new List<string>();
        var unsuccessful = new List<JsonObject>();
        foreach (var resource in input.Texts("ResourceIds"))
        {
            _ = Find(context, PrefixOf(resource), resource);
            if (Kind(context, "fl").Any(log => log.Text("ResourceId") == resource && log.Text("LogDestination") == input.Text("LogDestination")
                && log.Text("LogGroupName") == input.Text("LogGroupName")))
            {
                unsuccessful.Add(Unsuccessful(resource, "FlowLogAlreadyExists", $"Error. There is an existing Flow Log with the same configuration and log destination."));
                continue;
            }
            var id = Runtime.Ids.Resource("fl");
            var log = input.Pick("TrafficType", "LogGroupName", "LogDestination", "DeliverLogsPermissionArn", "DestinationOptions");
            log["FlowLogId"] = id;
            log["ResourceId"] = resource;
            log["LogDestinationType"] = destination;
            log["FlowLogStatus"] = "ACTIVE";
            log["DeliverLogsStatus"] = "SUCCESS";
            log["CreationTime"] = Documents.Time(context.Now);
            log["MaxAggregationInterval"] = input.Int("MaxAggregationInterval") ?? 600;
            log["LogFormat"] = input.Text("LogFormat")
                ?? "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";
            if (destination == "cloud-watch-logs" && !log.Has("LogGroupName") && log.Text("LogDestination") is { } arn)
            {
                log["LogGroupName"] = arn.Split(":log-group:")[^1].TrimEnd('*').TrimEnd(':');
            }
            Add(context, "fl", id, log, input);
            made.Add(id);
        }
        return new JsonObject { ["FlowLogIds"] = made.ToTextList(), ["Unsuccessful"] = unsuccessful.ToJsonList() };
    }
}
