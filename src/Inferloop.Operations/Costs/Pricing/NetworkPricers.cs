namespace Inferloop.Operations.Costs.Pricing;

/// <summary>VPC, NAT gateways, addresses, endpoints and load balancers.</summary>
internal static class NetworkPricers
{
    public static void Vpc(CostedResource vpc, CostSheet sheet)
    {
        var share = CostSheet.Share(sheet.Usage.InterAzGb, sheet.Scope.OfType(vpc.Type).Count);
        sheet.Add(vpc, "Traffic between zones", "data_transfer", "inter_az_gb_each_direction", share * 2, $"{share:0.##} GB, charged where it leaves and where it arrives");
    }

    public static void NatGateway(CostedResource nat, CostSheet sheet)
    {
        var gateways = sheet.Scope.OfType(nat.Type).Count;
        var processed = CostSheet.Share(sheet.Usage.NatProcessedGb, gateways);
        sheet.Add(nat, "NAT gateway", "nat_gateway", "gateway_hour", Month.Hours, "running all month");
        sheet.Add(nat, "NAT gateway traffic", "nat_gateway", "processed_gb", processed, Sharing(gateways, "NAT gateway"));
        sheet.Add(
            nat, "NAT gateway to internet", "data_transfer", "internet_out_gb", CostSheet.Share(sheet.Usage.NatInternetOutGb, gateways),
            "AWS's free 100 GB a month not deducted");

        // One gateway for several zones: what comes from the others crosses a zone's border first.
        var zones = nat.UsedBy("AWS::EC2::Route").SelectMany(r => r.Uses("AWS::EC2::RouteTable")).Distinct().Count();
        if (zones > 1)
        {
            var crossing = processed * (zones - 1) / zones;
            sheet.Add(
                nat, "Traffic between zones to the NAT gateway", "data_transfer", "inter_az_gb_each_direction", crossing * 2,
                $"{zones} zones use it, so {crossing:0.##} GB come from another one, charged on both sides");
        }
    }

    public static void ElasticIp(CostedResource address, CostSheet sheet)
    {
        var inUse = address.Users.Count > 0 || address.Get("InstanceId") is not null;
        sheet.Add(
            address, inUse ? "Public IPv4 address" : "Idle public IPv4 address", "public_ipv4", inUse ? "in_use_address_hour" : "idle_address_hour", Month.Hours,
            inUse ? "in use all month" : "nothing in the template uses it");
    }

    public static void Endpoint(CostedResource endpoint, CostSheet sheet)
    {
        var type = endpoint.Text("VpcEndpointType") ?? "Gateway";
        switch (type)
        {
            case "Gateway":
                sheet.AddFree(endpoint);
                break;
            case "Interface" or "GatewayLoadBalancer":
                var zones = Math.Max(1, endpoint.Items("SubnetIds").Count);
                var endpoints = sheet.Scope.Once("interface endpoints", scope => scope.OfType(endpoint.Type).Count(e => e.Text("VpcEndpointType") == "Interface"));
                sheet.Add(endpoint, "Interface endpoint", "vpc_endpoint", "interface_endpoint_hour", Month.Hours * zones, $"in {zones} zones all month");
                sheet.Add(
                    endpoint, "Interface endpoint traffic", "vpc_endpoint", "interface_processed_gb", CostSheet.Share(sheet.Usage.EndpointGb, endpoints),
                    Sharing(endpoints, "interface endpoint"));
                break;
            default:
                sheet.AddUnpriced(endpoint, $"{type} endpoint", Month.Hours, "hour", $"The catalog has no price of {type} endpoints.");
                break;
        }
    }

    public static void LoadBalancer(CostedResource balancer, CostSheet sheet)
    {
        if ((balancer.Text("Type") ?? "application") is var type && type != "application")
        {
            EdgePricers.NetworkLoadBalancer(balancer, sheet, type);
            return;
        }

        var usage = sheet.Usage;
        var balancers = sheet.Scope.OfType(balancer.Type).Count;
        sheet.Add(balancer, "Load balancer", "alb", "load_balancer_hour", Month.Hours, "running all month");

        // A capacity unit (LCU) holds 25 new connections a second, 3,000 open ones, or 1 GB an hour; the greatest of the three is charged.
        // The fourth, rule evaluations, begins at ten rules.
        var opened = CostSheet.Share(usage.LoadBalancerConnections, balancers) / Month.Seconds;
        var units = Math.Max(
            Math.Max(opened / 25m, opened * usage.LoadBalancerConnectionSeconds / 3000m),
            CostSheet.Share(usage.LoadBalancerGb, balancers) / Month.Hours);
        sheet.Add(
            balancer, "Load balancer capacity units", "alb", "lcu_hour", units * Month.Hours,
            $"{opened:0.##} new connections a second, {opened * usage.LoadBalancerConnectionSeconds:0.##} open, {CostSheet.Share(usage.LoadBalancerGb, balancers) / Month.Hours:0.###} GB an hour; evenly over the month");
        sheet.Add(
            balancer, "Load balancer to internet", "data_transfer", "internet_out_gb", CostSheet.Share(usage.InternetOutGb, balancers),
            "AWS's free 100 GB a month not deducted");

        if ((balancer.Text("Scheme") ?? "internet-facing") == "internet-facing")
        {
            var subnets = Subnets(balancer);
            sheet.Add(
                balancer, "Public IPv4 addresses of the load balancer", "public_ipv4", "in_use_address_hour", Month.Hours * (subnets ?? 2),
                subnets is null ? "two, one in each of two subnets; their number is not known yet" : $"{subnets}, one in each subnet; more under heavy load");
        }
    }

    private static int? Subnets(CostedResource balancer)
    {
        var value = balancer.Get("Subnets") ?? balancer.Get("SubnetMappings");
        var known = value?.Items.Count ?? 0;
        var made = balancer.Sources(value).Where(r => r.Type == "AWS::EC2::Subnet").Distinct().Count();
        return Math.Max(known, made) is var count and > 0 ? count : null;
    }

    internal static string Sharing(int resources, string what) =>
        resources > 1 ? $"from the usage profile, shared equally by {resources} {what}s" : "from the usage profile";
}
