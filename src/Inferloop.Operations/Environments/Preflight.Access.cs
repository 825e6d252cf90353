using Amazon.EC2.Model;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

internal sealed partial class Preflight
{
    // The permission without which a type cannot be created; what else each needs follows from it in every policy of use.
    private static readonly Dictionary<string, string> Creating = new(StringComparer.Ordinal)
    {
        ["AWS::AutoScaling::AutoScalingGroup"] = "autoscaling:CreateAutoScalingGroup", ["AWS::CloudWatch::Alarm"] = "cloudwatch:PutMetricAlarm", ["AWS::DynamoDB::Table"] = "dynamodb:CreateTable",
        ["AWS::EC2::EIP"] = "ec2:AllocateAddress", ["AWS::EC2::NatGateway"] = "ec2:CreateNatGateway", ["AWS::EC2::SecurityGroup"] = "ec2:CreateSecurityGroup", ["AWS::EC2::Subnet"] = "ec2:CreateSubnet",
        ["AWS::EC2::VPC"] = "ec2:CreateVpc", ["AWS::ECS::Cluster"] = "ecs:CreateCluster", ["AWS::ECS::Service"] = "ecs:CreateService", ["AWS::ECS::TaskDefinition"] = "ecs:RegisterTaskDefinition",
        ["AWS::EKS::Cluster"] = "eks:CreateCluster", ["AWS::ElastiCache::ReplicationGroup"] = "elasticache:CreateReplicationGroup", ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = "elasticloadbalancing:CreateLoadBalancer",
        ["AWS::IAM::Role"] = "iam:CreateRole", ["AWS::KMS::Key"] = "kms:CreateKey", ["AWS::Lambda::Function"] = "lambda:CreateFunction", ["AWS::Logs::LogGroup"] = "logs:CreateLogGroup",
        ["AWS::RDS::DBInstance"] = "rds:CreateDBInstance", ["AWS::S3::Bucket"] = "s3:CreateBucket", ["AWS::SecretsManager::Secret"] = "secretsmanager:CreateSecret", ["AWS::SNS::Topic"] = "sns:CreateTopic", ["AWS::SQS::Queue"] = "sqs:CreateQueue",
    };

    private async Task InstanceTypesAsync(CancellationToken cancellation)
    {
        foreach (var type in Made.Where(r => r.Type is "AWS::EC2::LaunchTemplate" or "AWS::EC2::Instance" or "AWS::EKS::Nodegroup" or "AWS::AutoScaling::AutoScalingGroup")
            .SelectMany(r => InstanceTypes(r.Properties)).Distinct(StringComparer.Ordinal))
        {
            await GuardedAsync(PreflightCheck.InstanceType, type, () => OfferedAsync(type, cancellation)).ConfigureAwait(false);
        }

        foreach (var database in Made.Where(r => r.Type == "AWS::RDS::DBInstance"))
        {
            if (database.Properties["DBInstanceClass"]?.AsString() is { } size && database.Properties["Engine"]?.AsString() is { } engine)
            {
                await GuardedAsync(PreflightCheck.InstanceType, size, () => OrderableAsync(engine, database.Properties["EngineVersion"]?.AsString(), size, cancellation)).ConfigureAwait(false);
            }
        }
    }

    private static IEnumerable<string> InstanceTypes(Value value) => value switch
    {
        MapValue map => map.Entries.SelectMany(e => e.Key is "InstanceType" or "InstanceTypes" ? (e.Value is ListValue ? e.Value.Items : [e.Value]).Select(v => v.AsString()).OfType<string>() : InstanceTypes(e.Value)),
        ListValue list => list.Items.SelectMany(InstanceTypes),
        _ => [],
    };

    private async Task OfferedAsync(string type, CancellationToken cancellation)
    {
        var answer = await aws.EC2.DescribeInstanceTypeOfferingsAsync(
            new DescribeInstanceTypeOfferingsRequest { LocationType = "availability-zone", Filters = [new Filter { Name = "instance-type", Values = [type] }] }, cancellation).ConfigureAwait(false);
        var zones = (answer.InstanceTypeOfferings ?? []).Select(o => o.Location).Distinct().Count();
        switch (zones)
        {
            case 0:
                Add(PreflightSeverity.Error, PreflightCheck.InstanceType, type, $"It is not offered in {aws.Region}.", "Choose another instance type or region.");
                break;
            case 1:
                Add(PreflightSeverity.Warning, PreflightCheck.InstanceType, type, $"It is offered in one zone of {aws.Region} only; instances in the other zone could not start.", "Choose another instance type.");
                break;
            default:
                Add(PreflightSeverity.Passed, PreflightCheck.InstanceType, type, $"It is offered in {zones} zones.");
                break;
        }
    }

    private async Task OrderableAsync(string engine, string? version, string size, CancellationToken cancellation)
    {
        // A major version stands for whichever minor one RDS takes by itself, and the options name minor ones only: the version is matched here.
        var subject = $"{size} with {engine} {version}".TrimEnd();
        var options = aws.Client<Amazon.RDS.IAmazonRDS>().Paginators.DescribeOrderableDBInstanceOptions(
            new Amazon.RDS.Model.DescribeOrderableDBInstanceOptionsRequest { Engine = engine, DBInstanceClass = size, Vpc = true });
        await foreach (var page in options.Responses.WithCancellation(cancellation).ConfigureAwait(false))
        {
            if ((page.OrderableDBInstanceOptions ?? []).Any(o => version is null || o.EngineVersion == version || o.EngineVersion.StartsWith(version + ".", StringComparison.Ordinal)))
            {
                Add(PreflightSeverity.Passed, PreflightCheck.InstanceType, subject, "It can be ordered.");
                return;
            }
        }

        Add(PreflightSeverity.Error, PreflightCheck.InstanceType, subject, $"RDS does not offer this in {aws.Region}.", "Choose another class or version.");
    }

    private async Task PermissionsAsync(CancellationToken cancellation)
    {
        if (aws.CallerArn is null || Principal(await aws.CallerArn(cancellation).ConfigureAwait(false)) is not { } principal)
        {
            Add(PreflightSeverity.Information, PreflightCheck.Permission, "caller", "The account's root user, or a federated one, may do whatever its own rules say; that cannot be simulated.");
            return;
        }

        var actions = new[] { "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "cloudformation:DescribeStacks", "cloudformation:SetStackPolicy", "iam:PassRole" }
            .Concat(Made.Select(r => Creating.GetValueOrDefault(r.Type)).OfType<string>()).Distinct(StringComparer.Ordinal).ToList();
        var answer = await aws.Client<Amazon.IdentityManagement.IAmazonIdentityManagementService>().SimulatePrincipalPolicyAsync(
            new Amazon.IdentityManagement.Model.SimulatePrincipalPolicyRequest { PolicySourceArn = principal, ActionNames = actions, MaxItems = 1000 }, cancellation).ConfigureAwait(false);
        var denied = (answer.EvaluationResults ?? []).Where(r => r.EvalDecision?.Value != "allowed").Select(r => r.EvalActionName).ToList();
        foreach (var action in denied)
        {
            Add(PreflightSeverity.Error, PreflightCheck.Permission, action, $"{principal} may not do this.", $"Let someone allow {action}, or use other credentials (-ProfileName).");
        }

        if (denied.Count == 0)
        {
            Add(PreflightSeverity.Passed, PreflightCheck.Permission, principal, $"It may do all of {actions.Count} actions that were asked about.");
        }
    }

    /// <summary>The user or role whose policies speak for a caller: arn:aws:sts::1:assumed-role/Name/session is arn:aws:iam::1:role/Name.</summary>
    internal static string? Principal(string caller)
    {
        var parts = caller.Split(':', 6);
        return parts.Length < 6 || parts[5] == "root" || parts[5].StartsWith("federated-user/", StringComparison.Ordinal) ? null
            : parts[5].Split('/') is ["assumed-role", var role, ..] ? $"{parts[0]}:{parts[1]}:iam::{parts[4]}:role/{role}"
            : caller;
    }
}
