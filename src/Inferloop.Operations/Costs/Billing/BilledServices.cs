namespace Inferloop.Operations.Costs.Billing;

/// <summary>What bills call the services of the price catalog.</summary>
internal static class BilledServices
{
    /// <summary>The name on a bill.</summary>
    /// <param name="dimension">What is charged, as in the catalog: <c>service/dimension</c>.</param>
    public static string NameOf(string dimension)
    {
        var service = dimension[..dimension.IndexOf('/', StringComparison.Ordinal)];
        return service switch
        {
            "ec2" => "Amazon Elastic Compute Cloud - Compute",
            "ebs" or "nat_gateway" or "data_transfer" => "EC2 - Other",
            "public_ipv4" or "vpc_endpoint" => "Amazon Virtual Private Cloud",
            "alb" => "Amazon Elastic Load Balancing",
            "fargate" => "Amazon Elastic Container Service",
            "eks" => "Amazon Elastic Container Service for Kubernetes",
            "ecr" => "Amazon EC2 Container Registry (ECR)",
            "rds" => "Amazon Relational Database Service",
            "elasticache" => "Amazon ElastiCache",
            "dynamodb" => "Amazon DynamoDB",
            "s3" => "Amazon Simple Storage Service",
            "kms" => "AWS Key Management Service",
            "secrets_manager" => "AWS Secrets Manager",
            "cloudwatch" => "AmazonCloudWatch",
            "cloudtrail" => "AWS CloudTrail",
            "config" => "AWS Config",
            "lambda" => "AWS Lambda",
            "api_gateway" => "Amazon API Gateway",
            "eventbridge" => "CloudWatch Events",
            "step_functions" => "AWS Step Functions",
            "sns" => "Amazon Simple Notification Service",
            "route53" => "Amazon Route 53",
            "backup" => "AWS Backup",
            "codebuild" => "CodeBuild",
            "xray" => "AWS X-Ray",
            _ => service,
        };
    }
}
