using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>The resource types of monitoring, governance, cost and delivery, driven by CloudFormation.</summary>
public sealed class GovernanceTypesTests(SandboxFixture sandbox) : StackTypesBase(sandbox)
{
    protected override string Region => "eu-north-1";

    private const string Template = """
        Resources:
          Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: alerts } }
          TopicPolicy:
            Type: AWS::SNS::TopicPolicy
            Properties:
              Topics: [!Ref Topic]
              PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: [cloudwatch.amazonaws.com, budgets.amazonaws.com] }, Action: 'sns:Publish', Resource: !Ref Topic }] }
          Mail: { Type: AWS::SNS::Subscription, Properties: { TopicArn: !Ref Topic, Protocol: email, Endpoint: ops@example.com } }
          Alarm:
            Type: AWS::CloudWatch::Alarm
            Properties: { MetricName: Errors, Namespace: App, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: %NUMBER%, ComparisonOperator: GreaterThanThreshold, TreatMissingData: notBreaching, AlarmActions: [!Ref Topic] }
          Page: { Type: AWS::CloudWatch::CompositeAlarm, Properties: { AlarmName: !Sub '${AWS::StackName}-page', AlarmRule: !Sub 'ALARM("${Alarm}")', AlarmActions: [!Ref Topic] } }
          Detector: { Type: AWS::CloudWatch::AnomalyDetector, Properties: { Namespace: App, MetricName: Latency, Stat: Average } }
          Board: { Type: AWS::CloudWatch::Dashboard, Properties: { DashboardName: !Sub '${AWS::StackName}', DashboardBody: '{"widgets":[{"type":"text","properties":{"markdown":"%TEXT%"}}]}' } }
          Group: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: !Sub 'aws-waf-logs-${AWS::StackName}', RetentionInDays: 30 } }
          Errors: { Type: AWS::Logs::MetricFilter, Properties: { LogGroupName: !Ref Group, FilterPattern: %TEXT%, MetricTransformations: [{ MetricName: Errors, MetricNamespace: App, MetricValue: '1' }] } }
          Query: { Type: AWS::Logs::QueryDefinition, Properties: { Name: !Sub '${AWS::StackName}/errors', QueryString: 'fields @message | limit %NUMBER%', LogGroupNames: [!Ref Group] } }
          LogPolicy:
            Type: AWS::Logs::ResourcePolicy
            Properties: { PolicyName: !Sub '${AWS::StackName}', PolicyDocument: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"route53.amazonaws.com"},"Action":"logs:PutLogEvents","Resource":"*"}]}' }
          Bucket: { Type: AWS::S3::Bucket }
          BucketPolicy:
            Type: AWS::S3::BucketPolicy
            Properties:
              Bucket: !Ref Bucket
              PolicyDocument:
                Version: '2012-10-17'
                Statement:
                  - { Effect: Allow, Principal: { Service: cloudtrail.amazonaws.com }, Action: 's3:GetBucketAcl', Resource: !GetAtt Bucket.Arn }
                  - { Effect: Allow, Principal: { Service: cloudtrail.amazonaws.com }, Action: 's3:PutObject', Resource: !Sub '${Bucket.Arn}/*' }
          Trail: { Type: AWS::CloudTrail::Trail, DependsOn: BucketPolicy, Properties: { S3BucketName: !Ref Bucket, IsLogging: true, EnableLogFileValidation: true, IncludeGlobalServiceEvents: %FLAG% } }
          Role:
            Type: AWS::IAM::Role
            Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: [config.amazonaws.com, codebuild.amazonaws.com, codepipeline.amazonaws.com] }, Action: 'sts:AssumeRole' }] } }
          Recorder: { Type: AWS::Config::ConfigurationRecorder, Properties: { RoleARN: !GetAtt Role.Arn, RecordingGroup: { AllSupported: true } } }
          Channel: { Type: AWS::Config::DeliveryChannel, Properties: { S3BucketName: !Ref Bucket, ConfigSnapshotDeliveryProperties: { DeliveryFrequency: One_Hour } } }
          Rule: { Type: AWS::Config::ConfigRule, DependsOn: Recorder, Properties: { Description: %TEXT%, Source: { Owner: AWS, SourceIdentifier: S3_BUCKET_VERSIONING_ENABLED } } }
          Budget:
            Type: AWS::Budgets::Budget
            Properties:
              Budget: { BudgetName: !Sub '${AWS::StackName}', BudgetType: COST, TimeUnit: MONTHLY, BudgetLimit: { Amount: %NUMBER%, Unit: USD } }
              NotificationsWithSubscribers: [{ Notification: { NotificationType: ACTUAL, ComparisonOperator: GREATER_THAN, Threshold: 80 }, Subscribers: [{ SubscriptionType: SNS, Address: !Ref Topic }] }]
          Monitor: { Type: AWS::CE::AnomalyMonitor, Properties: { MonitorName: !Sub '${AWS::StackName}-%TEXT%', MonitorType: CUSTOM, MonitorSpecification: '{"Tags":{"Key":"env","Values":["demo"]}}' } }
          Anomalies: { Type: AWS::CE::AnomalySubscription, Properties: { SubscriptionName: !Sub '${AWS::StackName}', Frequency: DAILY, MonitorArnList: [!Ref Monitor], Threshold: %NUMBER%, Subscribers: [{ Type: EMAIL, Address: ops@example.com }] } }
          Build:
            Type: AWS::CodeBuild::Project
            Properties: { Description: %TEXT%, ServiceRole: !GetAtt Role.Arn, Source: { Type: CODEPIPELINE, BuildSpec: buildspec.yml }, Artifacts: { Type: CODEPIPELINE }, Environment: { Type: LINUX_CONTAINER, ComputeType: BUILD_GENERAL1_SMALL, Image: 'aws/codebuild/amazonlinux-x86_64-standard:5.0', PrivilegedMode: true } }
          Connection: { Type: AWS::CodeConnections::Connection, Properties: { ConnectionName: demo, ProviderType: GitHub } }
          Pipeline:
            Type: AWS::CodePipeline::Pipeline
            Properties:
              RoleArn: !GetAtt Role.Arn
              ArtifactStore: { Type: S3, Location: !Ref Bucket }
              Stages:
                - Name: Source
                  Actions: [{ Name: Source, ActionTypeId: { Category: Source, Owner: AWS, Provider: CodeStarSourceConnection, Version: '1' }, Configuration: { ConnectionArn: !Ref Connection, FullRepositoryId: a/b, BranchName: %TEXT% }, OutputArtifacts: [{ Name: source }] }]
                - Name: Build
                  Actions: [{ Name: Build, ActionTypeId: { Category: Build, Owner: AWS, Provider: CodeBuild, Version: '1' }, Configuration: { ProjectName: !Ref Build }, InputArtifacts: [{ Name: source }], OutputArtifacts: [{ Name: built }] }]
          Guard: { Type: AWS::Organizations::Policy, Properties: { Name: !Sub '${AWS::StackName}', Type: SERVICE_CONTROL_POLICY, Description: %TEXT%, Content: { Version: '2012-10-17', Statement: [{ Effect: Deny, Action: 'cloudtrail:StopLogging', Resource: '*' }] } } }
          Acl:
            Type: AWS::WAFv2::WebACL
            Properties:
              Scope: REGIONAL
              Description: %TEXT%
              DefaultAction: { Allow: {} }
              VisibilityConfig: { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: acl }
              Rules:
                - { Name: common, Priority: 0, OverrideAction: { None: {} }, Statement: { ManagedRuleGroupStatement: { VendorName: AWS, Name: AWSManagedRulesCommonRuleSet } }, VisibilityConfig: { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: common } }
                - { Name: rate, Priority: 1, Action: { Block: {} }, Statement: { RateBasedStatement: { Limit: 2000, AggregateKeyType: IP } }, VisibilityConfig: { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: rate } }
          AclLogs: { Type: AWS::WAFv2::LoggingConfiguration, Properties: { ResourceArn: !GetAtt Acl.Arn, LogDestinationConfigs: [!Select [0, !Split [':*', !GetAtt Group.Arn]]] } }
        Outputs:
          Alarm: { Value: !Ref Alarm }
          PageArn: { Value: !GetAtt Page.Arn }
          Trail: { Value: !Ref Trail }
          TrailArn: { Value: !GetAtt Trail.Arn }
          Rule: { Value: !Ref Rule }
          RuleId: { Value: !GetAtt Rule.ConfigRuleId }
          Budget: { Value: !Ref Budget }
          Monitor: { Value: !GetAtt Monitor.MonitorArn }
          Project: { Value: !GetAtt Build.Arn }
          Pipeline: { Value: !Ref Pipeline }
          Version: { Value: !GetAtt Pipeline.Version }
          Connection: { Value: !GetAtt Connection.ConnectionStatus }
          Guard: { Value: !GetAtt Guard.Arn }
          Capacity: { Value: !GetAtt Acl.Capacity }
        """;

    private static string With(string text, int number, bool flag) => Template.Replace("%TEXT%", text, StringComparison.Ordinal)
        .Replace("%NUMBER%", number.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal).Replace("%FLAG%", flag ? "true" : "false", StringComparison.Ordinal);

    [Fact]
    public async Task They_come_change_drift_and_go_as_a_stack()
    {
        var name = "gov-" + Guid.NewGuid().ToString("N")[..8];
        var outputs = await Create(name, With("one", 10, true));
        Assert.Equal("702", outputs["Capacity"]);
        Assert.Equal("PENDING", outputs["Connection"]);
        Assert.Equal("1", outputs["Version"]);
        Assert.Contains(":alarm:", outputs["PageArn"], StringComparison.Ordinal);
        Assert.StartsWith("config-rule-", outputs["RuleId"], StringComparison.Ordinal);
        Assert.EndsWith(outputs["Trail"], outputs["TrailArn"], StringComparison.Ordinal);
        Assert.True((bool)(await Call("cloudtrail", "GetTrailStatus", new JsonObject { ["Name"] = outputs["Trail"] }))["IsLogging"]!);
        Assert.True((bool)(await Call("config", "DescribeConfigurationRecorderStatus", []))["ConfigurationRecordersStatus"]![0]!["recording"]!);
        Assert.Empty(await Drifted(name));

        await Update(name, With("two", 20, false));
        Assert.Equal(20.0, (double)(await Call("cloudwatch", "DescribeAlarms", new JsonObject { ["AlarmNames"] = new JsonArray(outputs["Alarm"]) }))["MetricAlarms"]![0]!["Threshold"]!);
        Assert.Equal("20", (string?)(await Call("budgets", "DescribeBudget", new JsonObject { ["AccountId"] = "123456789012", ["BudgetName"] = outputs["Budget"] }))["Budget"]!["BudgetLimit"]!["Amount"]);
        Assert.Equal("2", (await Outputs(name))["Version"]);
        Assert.Empty(await Drifted(name));

        await Call("cloudtrail", "StopLogging", new JsonObject { ["Name"] = outputs["Trail"] });
        await Call("config", "DeleteConfigRule", new JsonObject { ["ConfigRuleName"] = outputs["Rule"] });
        await Call("codebuild", "UpdateProject", new JsonObject { ["name"] = outputs["Project"].Split('/')[^1], ["description"] = "by hand" });
        Assert.Equal(["Build MODIFIED", "Rule DELETED", "Trail MODIFIED"], (await Drifted(name)).Select(drift => string.Join(' ', drift.Split(' ')[..2])).Order(StringComparer.Ordinal));

        await Delete(name);
        Assert.Empty((await Call("cloudtrail", "DescribeTrails", []))["trailList"]!.AsArray());
        Assert.Empty((await Call("config", "DescribeDeliveryChannels", []))["DeliveryChannels"]!.AsArray());
        Assert.Empty((await Call("codepipeline", "ListPipelines", []))["pipelines"]!.AsArray());
        Assert.Empty((await Call("wafv2", "ListWebACLs", new JsonObject { ["Scope"] = "REGIONAL" }))["WebACLs"]!.AsArray());
    }
}
