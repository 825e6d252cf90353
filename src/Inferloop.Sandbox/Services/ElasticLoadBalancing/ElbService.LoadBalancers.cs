using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

internal sealed partial class ElbService
{
    private const string ApplicationAttributes = "access_logs.s3.enabled=false access_logs.s3.bucket= access_logs.s3.prefix= idle_timeout.timeout_seconds=60 deletion_protection.enabled=false "
        + "routing.http2.enabled=true routing.http.drop_invalid_header_fields.enabled=false routing.http.xff_client_port.enabled=false routing.http.preserve_host_header.enabled=false "
        + "routing.http.xff_header_processing.mode=append routing.http.desync_mitigation_mode=defensive waf.fail_open.enabled=false load_balancing.cross_zone.enabled=true "
        + "routing.http.x_amzn_tls_version_and_cipher_suite.enabled=false connection_logs.s3.enabled=false connection_logs.s3.bucket= connection_logs.s3.prefix= client_keep_alive.seconds=3600 zonal_shift.config.enabled=false";

    private const string NetworkAttributes = "access_logs.s3.enabled=false access_logs.s3.bucket= access_logs.s3.prefix= deletion_protection.enabled=false load_balancing.cross_zone.enabled=false dns_record.client_routing_policy=any_availability_zone zonal_shift.config.enabled=false";

    private static readonly Dictionary<string, string> HostedZones = new(StringComparer.Ordinal)
    {
        ["us-east-1"] = "Z35SXDOTRQ7X7K",
        ["us-east-2"] = "Z3AADJGX6KTTL2",
        ["us-west-1"] = "Z368ELLRRE2KJ0",
        ["us-west-2"] = "Z1H1FL5HABSF5",
        ["eu-west-1"] = "Z32O12XQLNTSW2",
        ["eu-central-1"] = "Z215JYRZR1TBD5",
        ["eu-west-2"] = "ZHURV8PSTC4K8",
        ["ap-southeast-1"] = "Z1LMS91P8CMLE5",
        ["ap-southeast-2"] = "Z1GM3OXH4ZPM65",
        ["ap-northeast-1"] = "Z14GRHDCWA56QT",
    };

    private void AddLoadBalancers()
    {
        On("CreateLoadBalancer", CreateLoadBalancer);
        On("DeleteLoadBalancer", DeleteLoadBalancer);
        On("DescribeLoadBalancers", DescribeLoadBalancers);
        On("DescribeLoadBalancerAttributes", (context, input) => new JsonObject { ["Attributes"] = Balancer(context, input.Required("LoadBalancerArn"))["_Attributes"].Copy() });
        On("ModifyLoadBalancerAttributes", (context, input) =>
        {
            var arn = input.Required("LoadBalancerArn");
            var merged = Merge(Balancer(context, arn).Objects("_Attributes"), input.Objects("Attributes"),
                key => new ServiceFault("InvalidConfigurationRequest", $"Load balancer attribute key '{key}' is not recognized"));
            Balancers(context).Update(arn, document => document["_Attributes"] = merged.ToJsonList());
            return new JsonObject { ["Attributes"] = merged.Select(item => item.Copy()).ToJsonList() };
        });
        On("SetSecurityGroups", (context, input) =>
        {
            var balancer = Balancer(context, input.Required("LoadBalancerArn"));
            CheckGroups(context, input.Texts("SecurityGroups"), balancer.Required("VpcId"));
            Balancers(context).Update(balancer.Required("LoadBalancerArn"), document => document["SecurityGroups"] = input["SecurityGroups"].Copy());
            return new JsonObject { ["SecurityGroupIds"] = input["SecurityGroups"].Copy() };
        });
        On("SetSubnets", (context, input) =>
        {
            var balancer = Balancer(context, input.Required("LoadBalancerArn"));
            var (zones, _) = ZonesOf(context, input, balancer.Required("Type"));
            Balancers(context).Update(balancer.Required("LoadBalancerArn"), document => document["AvailabilityZones"] = zones.Copy());
            return new JsonObject { ["AvailabilityZones"] = zones };
        });
        On("SetIpAddressType", (context, input) =>
        {
            _ = Balancer(context, input.Required("LoadBalancerArn"));
            Balancers(context).Update(input.Required("LoadBalancerArn"), document => document["IpAddressType"] = input.Text("IpAddressType"));
            return new JsonObject { ["IpAddressType"] = input.Text("IpAddressType") };
        });
    }

    private JsonObject CreateLoadBalancer(RequestContext context, JsonObject input)
    {
        var name = input.Required("Name");
        CheckName("Load balancer", name, 32);
        if (name.StartsWith("internal-", StringComparison.Ordinal))
        {
            throw Invalid($"Load balancer name '{name}' cannot begin with 'internal-'");
        }
        var type = input.Text("Type") ?? "application";
        if (type is not ("application" or "network"))
        {
            throw new ServiceFault("NotImplemented", $"The sandbox has no load balancers of type {type}. Nothing was changed.", 501);
        }
        Tags.Check(input.Objects("Tags"), "TooManyTags");
        var (zones, vpc) = ZonesOf(context, input, type);
        CheckGroups(context, input.Texts("SecurityGroups"), vpc);
        var scheme = input.Text("Scheme") ?? "internet-facing";
        var ec2 = Runtime.Service<Ec2Service>();
        var shortType = type == "application" ? "app" : "net";
        return Balancers(context).Lock(() =>
        {
            if (Balancers(context).Find(item => item.Text("LoadBalancerName") == name) is { } present)
            {
                var same = present.Text("Type") == type && present.Text("Scheme") == scheme
                    && present.Objects("AvailabilityZones").Select(zone => zone.Text("SubnetId")).ToHashSet().SetEquals(zones.OfType<JsonObject>().Select(zone => zone.Text("SubnetId")));
                return same ? new JsonObject { ["LoadBalancers"] = new JsonArray(present) }
                    : throw new ServiceFault("DuplicateLoadBalancerName", $"A load balancer with the same name '{name}' exists, but with different settings");
            }
            var id = Runtime.Ids.Hex(16);
            var arn = context.Arn("elasticloadbalancing", $"loadbalancer/{shortType}/{name}/{id}");
            var interfaces = zones.OfType<JsonObject>().Select(zone => ec2.AllocateInterface(context, zone.Required("SubnetId"), input.Texts("SecurityGroups"),
                $"ELB {shortType}/{name}/{id}", "interface", "amazon-elb").Required("NetworkInterfaceId")).ToList();
            var balancer = new JsonObject
            {
                ["LoadBalancerArn"] = arn,
                ["LoadBalancerName"] = name,
                ["DNSName"] = $"{(scheme == "internal" ? "internal-" : "")}{name}-{Runtime.Ids.Digits(10)}.{context.Region}.elb.{context.DnsSuffix}",
                ["CanonicalHostedZoneId"] = HostedZones.GetValueOrDefault(context.Region, "Z0" + Ec2Service.StableHex(context.Region, 12).ToUpperInvariant()),
                ["CreatedTime"] = Documents.Time(context.Now),
                ["Scheme"] = scheme,
                ["VpcId"] = vpc,
                ["State"] = new JsonObject { ["Code"] = "provisioning" },
                ["Type"] = type,
                ["AvailabilityZones"] = zones,
                ["IpAddressType"] = input.Text("IpAddressType") ?? "ipv4",
                ["SecurityGroups"] = input["SecurityGroups"].Copy() ?? new JsonArray(),
                ["_Attributes"] = Defaults(type == "application" ? ApplicationAttributes : NetworkAttributes).ToJsonList(),
                ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
                ["_Interfaces"] = interfaces.ToTextList(),
            };
            Balancers(context).Put(arn, balancer);
            Runtime.After(Durations.LoadBalancerCreate, () => Balancers(context).Update(arn, document => document["State"] = new JsonObject { ["Code"] = "active" }));
            return new JsonObject { ["LoadBalancers"] = new JsonArray(balancer.Copy()) };
        });
    }

    /// <summary>The zones of the given subnets: an application load balancer needs two, one subnet in each.</summary>
    private (JsonArray Zones, string Vpc) ZonesOf(RequestContext context, JsonObject input, string type)
    {
        var ids = input.Texts("Subnets").Concat(input.Objects("SubnetMappings").Select(mapping => mapping.Required("SubnetId"))).ToList();
        var subnets = ids.ConvertAll(id =>
        {
            try
            {
                return Runtime.Service<Ec2Service>().Subnet(context, id);
            }
            catch (ServiceFault fault) when (fault.Code == "InvalidSubnetID.NotFound")
            {
                throw new ServiceFault("SubnetNotFound", $"The subnet ID '{id}' does not exist");
            }
        });
        if (subnets.Count == 0)
        {
            throw Invalid("At least one subnet must be specified");
        }
        if (subnets.DistinctBy(subnet => subnet.Text("AvailabilityZone")).Count() != subnets.Count)
        {
            throw new ServiceFault("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone");
        }
        if (type == "application" && subnets.Count < 2)
        {
            throw Invalid("At least two subnets in two different Availability Zones must be specified");
        }
        if (subnets.DistinctBy(subnet => subnet.Text("VpcId")).Count() > 1)
        {
            throw new ServiceFault("InvalidConfigurationRequest", "All subnets must belong to the same VPC");
        }
        var zones = subnets.Select(subnet => new JsonObject
        {
            ["ZoneName"] = subnet.Text("AvailabilityZone"),
            ["SubnetId"] = subnet.Text("SubnetId"),
            ["LoadBalancerAddresses"] = new JsonArray(),
        }).ToJsonList();
        return (zones, subnets[0].Required("VpcId"));
    }

    private void CheckGroups(RequestContext context, IReadOnlyList<string> groups, string vpc)
    {
        foreach (var id in groups)
        {
            JsonObject group;
            try
            {
                group = Runtime.Service<Ec2Service>().SecurityGroup(context, id);
            }
            catch (ServiceFault fault) when (fault.Code == "InvalidGroup.NotFound")
            {
                throw new ServiceFault("InvalidSecurityGroup", $"One or more security groups are invalid: {id}");
            }
            if (group.Text("VpcId") != vpc)
            {
                throw new ServiceFault("InvalidConfigurationRequest", $"One or more security groups are invalid: {id} is not in VPC {vpc}");
            }
        }
    }

    private JsonObject DescribeLoadBalancers(RequestContext context, JsonObject input)
    {
        var (arns, names) = (input.Texts("LoadBalancerArns"), input.Texts("Names"));
        var all = Balancers(context).All().ToList();
        foreach (var arn in arns.Where(arn => !all.Exists(item => item.Text("LoadBalancerArn") == arn)))
        {
            throw new ServiceFault("LoadBalancerNotFound", $"Load balancers '[{arn}]' not found");
        }
        foreach (var name in names.Where(name => !all.Exists(item => item.Text("LoadBalancerName") == name)))
        {
            throw new ServiceFault("LoadBalancerNotFound", $"Load balancers '[{name}]' not found");
        }
        var chosen = all.Where(item => (arns.Count == 0 || arns.Contains(item.Text("LoadBalancerArn")!)) && (names.Count == 0 || names.Contains(item.Text("LoadBalancerName")!))).ToList();
        return Pages.Answer(input, chosen, "LoadBalancers", "PageSize", "Marker", 400, "ValidationError", "NextMarker");
    }

    private JsonObject DeleteLoadBalancer(RequestContext context, JsonObject input)
    {
        var arn = input.Required("LoadBalancerArn");
        if (Balancers(context).Get(arn) is not { } balancer)
        {
            // Deleting what is not there succeeds at AWS.
            return [];
        }
        if (balancer.Objects("_Attributes").Any(item => item.Text("Key") == "deletion_protection.enabled" && item.Text("Value") == "true"))
        {
            throw new ServiceFault("OperationNotPermitted", $"Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
        }
        foreach (var listener in Listeners(context).Where(item => item.Text("LoadBalancerArn") == arn))
        {
            RemoveListener(context, listener.Required("ListenerArn"));
        }
        Balancers(context).Remove(arn);
        // The network interfaces go a little later, and keep subnets and groups in use until then.
        Runtime.After(Durations.InstanceStop, () =>
        {
            foreach (var item in balancer.Texts("_Interfaces"))
            {
                Runtime.Service<Ec2Service>().ReleaseInterface(context, item);
            }
        });
        return [];
    }
}
