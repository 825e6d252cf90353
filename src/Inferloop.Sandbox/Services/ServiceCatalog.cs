using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services;

/// <summary>The services behind the resources of the templates, and what CloudFormation creates them with.</summary>
internal static class ServiceCatalog
{
    public static IEnumerable<SandboxService> Services(SandboxRuntime runtime) =>
    [
        new Iam.IamService(runtime),
        new Kms.KmsService(runtime),
        new Ec2.Ec2Service(runtime),
        new DynamoDb.DynamoDbService(runtime),
        new DynamoDb.DynamoDbStreamsService(runtime),
        new SecretsManager.SecretsManagerService(runtime),
        new Ssm.SsmService(runtime),
        new Logs.LogsService(runtime),
        new CloudWatch.CloudWatchService(runtime),
        new Sns.SnsService(runtime),
        new Sqs.SqsService(runtime),
        new Ecr.EcrService(runtime),
        new ElasticLoadBalancing.ElbService(runtime),
        new AutoScaling.AutoScalingService(runtime),
        new ServiceDiscovery.ServiceDiscoveryService(runtime),
        new Rds.RdsService(runtime),
        new ElastiCache.ElastiCacheService(runtime),
        new Ecs.EcsService(runtime),
        new Eks.EksService(runtime),
        new Lambda.LambdaService(runtime),
        new Events.EventsService(runtime),
        new Scheduler.SchedulerService(runtime),
        new ApiGatewayV2.ApiGatewayService(runtime),
        new Batch.BatchService(runtime),
        new ApplicationAutoScaling.ApplicationAutoScalingService(runtime),
        new ServiceQuotas.ServiceQuotasService(runtime),
        new CloudTrail.CloudTrailService(runtime),
        new Config.ConfigService(runtime),
        new Budgets.BudgetsService(runtime),
        new CostExplorer.CostExplorerService(runtime),
        new CodeBuild.CodeBuildService(runtime),
        new CodePipeline.CodePipelineService(runtime),
        new CodePipeline.CodeConnectionsService(runtime),
        new Organizations.OrganizationsService(runtime),
        new Waf.WafService(runtime),
        new Route53.Route53Service(runtime),
    ];

    public static IEnumerable<ResourceProvider> Providers(SandboxRuntime runtime) =>
    [
        .. Iam.IamResources.All(runtime),
        .. Kms.KmsResources.All(runtime),
        .. Ec2.Ec2Resources.All(runtime),
        .. DynamoDb.DynamoDbResources.All(runtime),
        .. SecretsManager.SecretsManagerResources.All(runtime),
        .. Ssm.SsmResources.All(runtime),
        .. Logs.LogsResources.All(runtime),
        .. CloudWatch.CloudWatchResources.All(runtime),
        .. Sns.MessagingResources.All(runtime),
        .. Ecr.EcrResources.All(runtime),
        .. ElasticLoadBalancing.ElbResources.All(runtime),
        .. AutoScaling.AutoScalingResources.All(runtime),
        .. ServiceDiscovery.ServiceDiscoveryResources.All(runtime),
        .. Rds.RdsResources.All(runtime),
        .. ElastiCache.ElastiCacheResources.All(runtime),
        .. Ecs.EcsResources.All(runtime),
        .. Eks.EksResources.All(runtime),
        .. Lambda.LambdaResources.All(runtime),
        .. Events.EventsResources.All(runtime),
        .. Scheduler.SchedulerResources.All(runtime),
        .. ApiGatewayV2.ApiGatewayResources.All(runtime),
        .. Batch.BatchResources.All(runtime),
        .. ApplicationAutoScaling.ApplicationAutoScalingResources.All(runtime),
        .. CloudTrail.CloudTrailResources.All(runtime),
        .. Config.ConfigResources.All(runtime),
        .. Budgets.BudgetsResources.All(runtime),
        .. CostExplorer.CostExplorerResources.All(runtime),
        .. CodeBuild.CodeBuildResources.All(runtime),
        .. CodePipeline.CodePipelineResources.All(runtime),
        .. Organizations.OrganizationsResources.All(runtime),
        .. Waf.WafResources.All(runtime),
        .. Route53.Route53Resources.All(runtime),
    ];
}
