namespace Inferloop.Operations.Costs.Pricing;

/// <summary>What lies between networks: other load balancers, VPNs, transit gateways, firewalls, accelerators and CloudFront.</summary>
internal static class EdgePricers
{
    /// <summary>Network and gateway load balancers: a unit (NLCU, GLCU) holds 800 or 600 new flows a second, 100,000 or 60,000 open ones, or 1 GB an hour.</summary>
    public static void NetworkLoadBalancer(CostedResource balancer, CostSheet sheet, string type)
    {
        var balancers = sheet.Scope.OfType(balancer.Type).Count;
        var (service, name, news, open) = type == "gateway" ? ("gwlb", "Gateway load balancer", 600m, 60_000m) : ("nlb", "Network load balancer", 800m, 100_000m);
        var flows = CostSheet.Share(sheet.Usage.LoadBalancerConnections, balancers) / Month.Seconds;
        var gb = CostSheet.Share(sheet.Usage.LoadBalancerGb, balancers) / Month.Hours;
        var units = Math.Max(Math.Max(flows / news, flows * sheet.Usage.LoadBalancerConnectionSeconds / open), gb);
        sheet.Add(balancer, name, service, "load_balancer_hour", Month.Hours, "running all month");
        sheet.Add(
            balancer, "Load balancer capacity units", service, "lcu_hour", units * Month.Hours,
            $"{flows:0.##} new flows a second, {gb:0.###} GB an hour; evenly over the month");
        if (type == "network")
        {
            sheet.Add(
                balancer, "Load balancer to internet", "data_transfer", "internet_out_gb", CostSheet.Share(sheet.Usage.InternetOutGb, balancers), "AWS's free 100 GB a month not deducted");
        }
    }

    public static void ClassicLoadBalancer(CostedResource balancer, CostSheet sheet)
    {
        var balancers = sheet.Scope.OfType(balancer.Type).Count;
        sheet.Add(balancer, "Classic load balancer", "clb", "load_balancer_hour", Month.Hours, "running all month");
        sheet.Add(balancer, "Load balancer traffic", "clb", "processed_gb", CostSheet.Share(sheet.Usage.LoadBalancerGb, balancers), NetworkPricers.Sharing(balancers, "load balancer"));
    }

    public static void Vpn(CostedResource connection, CostSheet sheet)
    {
        var connections = sheet.Scope.OfType(connection.Type).Count;
        sheet.Add(connection, "VPN connection", "vpn", "connection_hour", Month.Hours, "two tunnels, up all month");
        sheet.Add(
            connection, "VPN to the other side", "data_transfer", "internet_out_gb", CostSheet.Share(sheet.Usage.VpnOutGb, connections), NetworkPricers.Sharing(connections, "VPN connection"));
        if (connection.Get("TransitGatewayId") is not null)
        {
            Attachment(connection, sheet);
        }
    }

    public static void Attachment(CostedResource attachment, CostSheet sheet)
    {
        var attachments = sheet.Scope.Once("attachments", s => s.All.Count(IsAttached));
        sheet.Add(attachment, "Transit gateway attachment", "transit_gateway", "attachment_hour", Month.Hours, "attached all month");
        sheet.Add(
            attachment, "Transit gateway traffic", "transit_gateway", "processed_gb", CostSheet.Share(sheet.Usage.TransitGb, attachments), NetworkPricers.Sharing(attachments, "attachment"));
    }

    public static void Firewall(CostedResource firewall, CostSheet sheet)
    {
        var firewalls = sheet.Scope.OfType(firewall.Type).Count;
        var endpoints = Math.Max(1, firewall.Items("SubnetMappings").Count);
        sheet.Add(firewall, "Firewall endpoints", "network_firewall", "endpoint_hour", endpoints * Month.Hours, $"{endpoints} all month");
        sheet.Add(firewall, "Firewall traffic", "network_firewall", "processed_gb", CostSheet.Share(sheet.Usage.FirewallGb, firewalls), NetworkPricers.Sharing(firewalls, "firewall"));
    }

    public static void Distribution(CostedResource distribution, CostSheet sheet)
    {
        var distributions = sheet.Scope.OfType(distribution.Type).Count;
        var sharing = NetworkPricers.Sharing(distributions, "distribution") + "; all of it at the rate of North America";
        sheet.Add(distribution, "CloudFront to clients", "cloudfront", "us_out_gb", CostSheet.Share(sheet.Usage.CdnGb, distributions), sharing);
        sheet.Add(distribution, "CloudFront requests", "cloudfront", "us_https_10000_requests", CostSheet.Share(sheet.Usage.CdnRequests, distributions) / 10_000, sharing);
    }

    public static void ResolverEndpoint(CostedResource endpoint, CostSheet sheet)
    {
        var addresses = Math.Max(2, endpoint.Items("IpAddresses").Count);
        sheet.Add(endpoint, "Resolver endpoint", "route53", "resolver_endpoint_eni_hour", addresses * Month.Hours, $"{addresses} addresses all month");
    }

    public static void ClientVpnEndpoint(CostedResource endpoint, CostSheet sheet) =>
        sheet.AddUnpriced(endpoint, "Client connections", null, "hour", "How long clients are connected is in no usage profile; the association with a subnet is priced by itself.");

    private static bool IsAttached(CostedResource resource) =>
        resource.Type is "AWS::EC2::TransitGatewayAttachment" or "AWS::EC2::TransitGatewayVpcAttachment" or "AWS::EC2::TransitGatewayPeeringAttachment"
        || (resource.Type == "AWS::EC2::VPNConnection" && resource.Get("TransitGatewayId") is not null);
}
