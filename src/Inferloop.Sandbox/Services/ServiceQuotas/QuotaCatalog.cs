namespace Inferloop.Sandbox.Services.ServiceQuotas;

/// <summary>A quota as AWS has it for a new account.</summary>
internal sealed record Quota(string Service, string Code, string Name, double Value, bool Adjustable = true, bool Global = false, string Unit = "None");

/// <summary>
/// The default quotas of the services that the platform stands on, by the codes and values of the Service Quotas console. Quotas whose code
/// is not certain are left out rather than invented.
/// </summary>
internal static class QuotaCatalog
{
    public static readonly IReadOnlyDictionary<string, string> Services = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["autoscaling"] = "Amazon EC2 Auto Scaling",
        ["cloudformation"] = "AWS CloudFormation",
        ["dynamodb"] = "Amazon DynamoDB",
        ["ec2"] = "Amazon Elastic Compute Cloud (Amazon EC2)",
        ["ecs"] = "Amazon Elastic Container Service (Amazon ECS)",
        ["eks"] = "Amazon Elastic Kubernetes Service (Amazon EKS)",
        ["elasticache"] = "Amazon ElastiCache",
        ["elasticloadbalancing"] = "Elastic Load Balancing (ELB)",
        ["fargate"] = "AWS Fargate",
        ["iam"] = "AWS Identity and Access Management (IAM)",
        ["kms"] = "AWS Key Management Service (AWS KMS)",
        ["lambda"] = "AWS Lambda",
        ["rds"] = "Amazon Relational Database Service (Amazon RDS)",
        ["route53"] = "Amazon Route 53",
        ["s3"] = "Amazon Simple Storage Service (Amazon S3)",
        ["sns"] = "Amazon Simple Notification Service (Amazon SNS)",
        ["vpc"] = "Amazon Virtual Private Cloud (Amazon VPC)",
    };

    public static readonly IReadOnlyList<Quota> All =
    [
        new("autoscaling", "L-6B80B8FA", "Launch configurations per region", 200),
        new("autoscaling", "L-CDE20ADC", "Auto Scaling groups per region", 500),
        new("cloudformation", "L-0485CB21", "Stack count", 2000),
        new("dynamodb", "L-34F6A552", "Account-level read throughput limit (Provisioned mode)", 80_000),
        new("dynamodb", "L-34F8CCC8", "Account-level write throughput limit (Provisioned mode)", 80_000),
        new("dynamodb", "L-AB614373", "Table-level write throughput limit", 40_000),
        new("dynamodb", "L-CF0CBE56", "Table-level read throughput limit", 40_000),
        new("dynamodb", "L-F98FE922", "Maximum number of tables", 2500),
        new("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5),
        new("ec2", "L-1216C47A", "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5),
        new("ec2", "L-34B43A08", "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 5),
        new("ec2", "L-3E6EC3A3", "VPN connections per region", 50),
        new("ec2", "L-4FB7FF5D", "Customer gateways per region", 50),
        new("ec2", "L-7029FAB6", "Virtual private gateways per region", 5),
        new("ec2", "L-B91E5754", "VPN connections per VGW", 10),
        new("ecs", "L-21C621EB", "Clusters per account", 10_000),
        new("ecs", "L-9EF96962", "Services per cluster", 5000),
        new("eks", "L-1194D53C", "Clusters", 100),
        new("eks", "L-23414FF3", "Fargate profiles per cluster", 10),
        new("eks", "L-6D54EA21", "Managed node groups per cluster", 30),
        new("eks", "L-BD136A63", "Nodes per managed node group", 450),
        new("elasticache", "L-DFE45DF3", "Nodes per Region", 300),
        new("elasticache", "L-AF354865", "Nodes per cluster per instance type (Redis cluster mode enabled)", 90),
        new("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers per Region", 50),
        new("elasticloadbalancing", "L-69A177A2", "Network Load Balancers per Region", 50),
        new("elasticloadbalancing", "L-7E6692B2", "Targets per Application Load Balancer", 1000),
        new("elasticloadbalancing", "L-B22855CB", "Target Groups per Region", 3000),
        new("elasticloadbalancing", "L-B6DF7632", "Listeners per Application Load Balancer", 50),
        new("fargate", "L-3032A538", "Fargate On-Demand vCPU resource count", 6),
        new("fargate", "L-36FBB829", "Fargate Spot vCPU resource count", 6),
        new("iam", "L-0DA4ABF3", "Managed policies attached to an IAM role", 10, Global: true),
        new("iam", "L-6E65F664", "Instance profiles per account", 1000, Global: true),
        new("iam", "L-E95E4862", "Customer managed policies per account", 1500, Global: true),
        new("iam", "L-FE177D64", "Roles per account", 1000, Global: true),
        new("kms", "L-C2F1777E", "Customer Master Keys (CMKs)", 100_000),
        new("lambda", "L-2ACBD22F", "Function and layer storage", 75, Unit: "Gigabytes"),
        new("lambda", "L-9FEE3D26", "Elastic network interfaces per VPC", 500),
        new("lambda", "L-B99A9384", "Concurrent executions", 1000),
        new("rds", "L-272F1212", "Manual DB instance snapshots", 100),
        new("rds", "L-48C6BF61", "DB subnet groups", 50),
        new("rds", "L-5BC124EF", "Read replicas per primary", 15),
        new("rds", "L-7ADDB58A", "Total storage for all DB instances", 100_000, Unit: "Gigabytes"),
        new("rds", "L-7B6409FD", "DB instances", 40),
        new("rds", "L-952B80B8", "DB clusters", 40),
        new("rds", "L-DE55804A", "Parameter groups", 50),
        new("route53", "L-4EA4796A", "Hosted zones", 500, Global: true),
        new("route53", "L-ACB674F3", "Health checks", 200, Global: true),
        new("route53", "L-E209CC9F", "Records per hosted zone", 10_000, Global: true),
        new("s3", "L-DC2B2D3D", "General purpose buckets", 10_000, Global: true),
        new("sns", "L-61103206", "Topics per Account", 100_000),
        new("vpc", "L-0EA8095F", "Inbound or outbound rules per security group", 60),
        new("vpc", "L-1B52E74A", "Gateway VPC endpoints per Region", 20),
        new("vpc", "L-29B6F2EB", "Interface VPC endpoints per VPC", 50),
        new("vpc", "L-2AEEBF1A", "Rules per network ACL", 20),
        new("vpc", "L-2AFB9258", "Security groups per network interface", 5),
        new("vpc", "L-407747CB", "Subnets per VPC", 200),
        new("vpc", "L-589F43AA", "Route tables per VPC", 200),
        new("vpc", "L-83CA0A9D", "IPv4 CIDR blocks per VPC", 5),
        new("vpc", "L-93826ACB", "Routes per route table", 50),
        new("vpc", "L-A4707A72", "Internet gateways per Region", 5),
        new("vpc", "L-B4A6D682", "Network ACLs per VPC", 200),
        new("vpc", "L-DF5E4CA3", "Network interfaces per Region", 5000),
        new("vpc", "L-E79EC296", "VPC security groups per Region", 2500),
        new("vpc", "L-F678F1CE", "VPCs per Region", 5),
        new("vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5),
    ];

    public static Quota? Find(string service, string code) => All.FirstOrDefault(quota => quota.Service == service && quota.Code == code);
}
