namespace Inferloop.Operations.Environments;

internal sealed partial class Preflight
{
    // Type, service, quota, its name, and the value that accounts begin with, from the service's own quota page.
    private static readonly (string Type, string Service, string Code, string Name, int Default)[] Limits =
    [
        ("AWS::EC2::VPC", "vpc", "L-F678F1CE", "VPCs", 5),
        ("AWS::EC2::InternetGateway", "vpc", "L-A4707A72", "internet gateways", 5),
        ("AWS::EC2::EIP", "ec2", "L-0263D0A3", "elastic IP addresses", 5),
        ("AWS::EC2::NatGateway", "vpc", "L-FE5A380F", "NAT gateways in a zone", 5),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "elasticloadbalancing", "L-53DA6B97", "application load balancers", 50),
        ("AWS::RDS::DBInstance", "rds", "L-7B6409FD", "database instances", 40),
        ("AWS::EKS::Cluster", "eks", "L-1194D53C", "clusters", 100),
        ("AWS::DynamoDB::Table", "dynamodb", "L-F98FE922", "tables", 2500),
    ];

    private async Task QuotasAsync(CancellationToken cancellation)
    {
        foreach (var limit in Limits)
        {
            var needed = Made.Count(r => r.Type == limit.Type);
            if (needed > 0)
            {
                await GuardedAsync(PreflightCheck.Quota, limit.Name, () => QuotaAsync(limit, needed, cancellation)).ConfigureAwait(false);
            }
        }

        await GuardedAsync(PreflightCheck.Quota, "Fargate vCPU", () => FargateAsync(cancellation)).ConfigureAwait(false);
    }

    private async Task QuotaAsync((string Type, string Service, string Code, string Name, int Default) limit, int needed, CancellationToken cancellation)
    {
        var used = await UsedAsync(limit.Type, cancellation).ConfigureAwait(false);
        if (limit.Type == "AWS::EC2::NatGateway")
        {
            // The quota is of one zone; an environment puts one gateway into each.
            (used, needed) = ((used + 1) / 2, 1);
        }

        Judge(limit.Name, await ValueAsync(limit.Service, limit.Code, cancellation).ConfigureAwait(false), limit.Default, used, needed, limit.Service, limit.Code);
    }

    private async Task FargateAsync(CancellationToken cancellation)
    {
        if (Made.FirstOrDefault(r => r.Type == "AWS::ECS::TaskDefinition" && r.Properties["Cpu"] is not null) is not { } task || !task.Properties["Cpu"]!.TryGetNumber(out var cpu))
        {
            return;
        }

        // Fargate and Fargate Spot have a quota each; Mixed begins on the first and halves what comes on top.
        var ecs = plan.Spec.Ecs;
        if (ecs.CapacityMode == Specs.CapacityMode.Ec2)
        {
            return;
        }

        var (code, name) = ecs.CapacityMode == Specs.CapacityMode.FargateSpot ? ("L-36FBB829", "Fargate Spot vCPU") : ("L-3032A538", "Fargate vCPU");
        var value = await ValueAsync("fargate", code, cancellation).ConfigureAwait(false);
        int Needed(int tasks) => (int)Math.Ceiling(tasks * cpu / 1024);
        Judge(name, value, 6, 0, Needed(ecs.DesiredTasks), "fargate", code);

        // The environment comes up without these; scaling would stop short of its maximum.
        if (Needed(ecs.MaximumTasks) > (value ?? 6) && Needed(ecs.DesiredTasks) <= (value ?? 6))
        {
            Judge($"{name} at the greatest number of tasks", value, 6, 0, Needed(ecs.MaximumTasks), "fargate", code, PreflightSeverity.Warning);
        }
    }

    private void Judge(string name, double? value, int initial, int used, int needed, string service, string code, PreflightSeverity severity = PreflightSeverity.Error)
    {
        var limit = value ?? initial;
        var known = value is null ? $"at most {limit:0} in an account that never asked for more" : $"at most {limit:0}";
        if (used + needed > limit)
        {
            // Without the account's own number this is a guess, and a guess stops nobody.
            Add(
                value is null ? PreflightSeverity.Warning : severity, PreflightCheck.Quota, name, $"{used} are used, {needed} more are needed; {known} in {aws.Region}.",
                $"Ask for more: aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} --desired-value {used + needed} --region {aws.Region}; or remove what is not needed.");
        }
        else
        {
            Add(PreflightSeverity.Passed, PreflightCheck.Quota, name, $"{used} are used, {needed} more are needed; {known}.");
        }
    }

    private Task<double?> ValueAsync(string service, string code, CancellationToken cancellation) => AccountQuotas.ValueAsync(aws, service, code, cancellation);

    private async Task<int> UsedAsync(string type, CancellationToken cancellation)
    {
        switch (type)
        {
            case "AWS::EC2::VPC":
                return ((await aws.EC2.DescribeVpcsAsync(new Amazon.EC2.Model.DescribeVpcsRequest { MaxResults = 1000 }, cancellation).ConfigureAwait(false)).Vpcs ?? []).Count;
            case "AWS::EC2::InternetGateway":
                return ((await aws.EC2.DescribeInternetGatewaysAsync(new Amazon.EC2.Model.DescribeInternetGatewaysRequest(), cancellation).ConfigureAwait(false)).InternetGateways ?? []).Count;
            case "AWS::EC2::EIP":
                return ((await aws.EC2.DescribeAddressesAsync(new Amazon.EC2.Model.DescribeAddressesRequest(), cancellation).ConfigureAwait(false)).Addresses ?? []).Count;
            case "AWS::EC2::NatGateway":
                return ((await aws.EC2.DescribeNatGatewaysAsync(new Amazon.EC2.Model.DescribeNatGatewaysRequest(), cancellation).ConfigureAwait(false)).NatGateways ?? [])
                    .Count(n => n.State?.Value is "available" or "pending");
            case "AWS::ElasticLoadBalancingV2::LoadBalancer":
                return ((await aws.LoadBalancing.DescribeLoadBalancersAsync(new Amazon.ElasticLoadBalancingV2.Model.DescribeLoadBalancersRequest(), cancellation).ConfigureAwait(false)).LoadBalancers ?? [])
                    .Count(l => l.Type?.Value is "application");
            case "AWS::RDS::DBInstance":
                return ((await aws.Client<Amazon.RDS.IAmazonRDS>().DescribeDBInstancesAsync(new Amazon.RDS.Model.DescribeDBInstancesRequest(), cancellation).ConfigureAwait(false)).DBInstances ?? []).Count;
            case "AWS::EKS::Cluster":
                return ((await aws.Client<Amazon.EKS.IAmazonEKS>().ListClustersAsync(new Amazon.EKS.Model.ListClustersRequest(), cancellation).ConfigureAwait(false)).Clusters ?? []).Count;
            default:
                return ((await aws.DynamoDB.ListTablesAsync(new Amazon.DynamoDBv2.Model.ListTablesRequest { Limit = 100 }, cancellation).ConfigureAwait(false)).TableNames ?? []).Count;
        }
    }
}
