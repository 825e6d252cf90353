using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Operations.TemplateChecks;
using Inferloop.Templates;

namespace Inferloop.Tests.Operations.TemplateChecks;

/// <summary>Each mistake that broke the first infrastructure is found where it is made, and not where it is not.</summary>
public sealed class TrapTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-traps-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Rule, the text that is wrong, the text that is right; both stand in for @ in the template.</summary>
    public static TheoryData<string, string, string, string> Cases() => new()
    {
        { "NameTooLong", "platform-production-synthetic-data-api", "platform-api", "Resources: { Alb: { Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: { Name: @, Subnets: [a, b] } } }" },
        { "ListenerPortTaken", "443", "8443", """
            Resources:
              Alb: { Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: { Subnets: [a, b] } }
              One: { Type: AWS::ElasticLoadBalancingV2::Listener, Properties: { LoadBalancerArn: !Ref Alb, Port: 443, DefaultActions: [ { Type: fixed-response } ] } }
              Two: { Type: AWS::ElasticLoadBalancingV2::Listener, Properties: { LoadBalancerArn: !Ref Alb, Port: @, DefaultActions: [ { Type: fixed-response } ] } }
            """ },
        { "TargetTypeOfTasks", "instance", "ip", Service("SourceSecurityGroupId: !Ref AlbGroup, FromPort: 8000, ToPort: 8000", "@") },
        { "LoadBalancerBlocked", "FromPort: 80, ToPort: 80", "FromPort: 8000, ToPort: 8000", Service("SourceSecurityGroupId: !Ref AlbGroup, @", "ip") },
        { "LoadBalancerBlocked", "Other", "AlbGroup", Service("SourceSecurityGroupId: !Ref @, FromPort: 8000, ToPort: 8000", "ip") },
        { "GroupHealthCheck", "8000", "80", """
            Resources:
              Guard: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: g, SecurityGroupIngress: [ { IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/8 } ] } }
              Template: { Type: AWS::EC2::LaunchTemplate, Properties: { LaunchTemplateData: { SecurityGroupIds: [!Ref Guard] } } }
              Targets: { Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: { Port: @, Protocol: HTTP, VpcId: vpc-1 } }
              Group: { Type: AWS::AutoScaling::AutoScalingGroup, Properties: { MinSize: '1', MaxSize: '1', HealthCheckType: ELB, TargetGroupARNs: [!Ref Targets], LaunchTemplate: { LaunchTemplateId: !Ref Template, Version: '1' } } }
            """ },
        { "AlarmDimension", "LoadBalancerName", "LoadBalancerFullName", Alarm("Namespace: AWS/ApplicationELB, MetricName: HTTPCode_Target_5XX_Count, Dimensions: [ { Name: LoadBalancer, Value: !GetAtt Alb.@ } ]") },
        { "AlarmDimension", "my-alb", "app/my-alb/50dc6c495c0c9188", Alarm("Namespace: AWS/ApplicationELB, MetricName: HTTPCode_Target_5XX_Count, Dimensions: [ { Name: LoadBalancer, Value: @ } ]") },
        { "AlarmWithoutAction", "[]", "[!Ref Topic]", Alarm("Namespace: AWS/ECS, MetricName: CPUUtilization", "@") },
        { "MetricNobodySends", "AWS/EC2", "AWS/ECS", Alarm("Namespace: @, MetricName: MemoryUtilization") },
        { "MetricNobodySends", "CWAgent", "AWS/ECS", Alarm("Namespace: @, MetricName: MemoryUtilization") },
        { "MissingDataIsFine", "notBreaching", "breaching", Alarm("Namespace: AWS/ApplicationELB, MetricName: HealthyHostCount, TreatMissingData: @") },
        { "SecretNotReadable", "s3:GetObject", "secretsmanager:GetSecretValue", Task("@", "DATABASE_HOST") },
        { "VariableNotRead", "DB_HOST", "DATABASE_HOST", Task("secretsmanager:GetSecretValue", "@") },
        { "StoreNotReachable", "s3:GetObject", "dynamodb:*", """
            Resources:
              Table: { Type: AWS::DynamoDB::Table, Properties: { KeySchema: [ { AttributeName: id, KeyType: HASH } ], AttributeDefinitions: [ { AttributeName: id, AttributeType: S } ] } }
              TaskRole:
                Type: AWS::IAM::Role
                Properties:
                  AssumeRolePolicyDocument: { Statement: [] }
                  Policies: [ { PolicyName: p, PolicyDocument: { Statement: [ { Effect: Allow, Action: '@', Resource: !GetAtt Table.Arn } ] } } ]
              Task:
                Type: AWS::ECS::TaskDefinition
                Properties: { TaskRoleArn: !GetAtt TaskRole.Arn, ContainerDefinitions: [ { Name: app, Image: nginx, Environment: [ { Name: DYNAMODB_TABLE, Value: !Ref Table } ] } ] }
            """ },
        { "ImportOfOwnStack", "${AWS::StackName}-VpcId", "network-VpcId", """
            Resources: { Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: !ImportValue { 'Fn::Sub': '@' } } } }
            Outputs: { V: { Value: x, Export: { Name: network-VpcId } } }
            """ },
        { "ExportNeverMade", "network-VpcID", "network-VpcId", """
            Resources: { Topic: { Type: AWS::SNS::Topic, Properties: { DisplayName: !ImportValue @ } } }
            Outputs: { V: { Value: x, Export: { Name: network-VpcId } } }
            """ },
        { "RelativeTemplateUrl", "other.yaml", "https://b.s3.us-east-1.amazonaws.com/other.yaml", "Resources: { Child: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: '@' } } }" },
        { "StoreUnencrypted", "false", "true", "Resources: { Db: { Type: AWS::RDS::DBInstance, Properties: { DBInstanceClass: db.t4g.micro, Engine: postgres, StorageEncrypted: @ } } }" },
        { "EncryptionSharesSwitch", "!Ref Big", "true", """
            Parameters: { Big: { Type: String, Default: 'true' } }
            Resources: { Db: { Type: AWS::RDS::DBInstance, Properties: { DBInstanceClass: db.t4g.micro, Engine: postgres, StorageEncrypted: @, MultiAZ: !Ref Big } } }
            """ },
        { "SizeIgnoresStage", "db.t4g.micro", "!Ref Size", """
            Parameters: { Stage: { Type: String, Default: dev, AllowedValues: [dev, prod] }, Size: { Type: String, Default: db.t4g.micro } }
            Resources: { Db: { Type: AWS::RDS::DBInstance, Properties: { DBInstanceClass: @, DBName: !Ref Stage, Engine: postgres, StorageEncrypted: true } } }
            """ },
        { "RotationForgetsDatabase", "AWS::SecretsManager::ResourcePolicy, Properties: { SecretId: !Ref Secret, ResourcePolicy: {} }", "AWS::SecretsManager::SecretTargetAttachment, Properties: { SecretId: !Ref Secret, TargetId: db, TargetType: AWS::RDS::DBInstance }", """
            Resources:
              Secret: { Type: AWS::SecretsManager::Secret, Properties: { GenerateSecretString: { SecretStringTemplate: '{"username":"app"}', GenerateStringKey: password } } }
              Other: { Type: @ }
              Schedule: { Type: AWS::SecretsManager::RotationSchedule, Properties: { SecretId: !Ref Secret, RotationRules: { AutomaticallyAfterDays: 30 }, HostedRotationLambda: { RotationType: PostgreSQLSingleUser } } }
            """ },
        { "CircularDependency", "!GetAtt B.TopicName", "b", """
            Resources:
              A: { Type: AWS::SNS::Topic, Properties: { DisplayName: @ } }
              B: { Type: AWS::SNS::Topic, Properties: { DisplayName: !GetAtt A.TopicName } }
            """ },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_trap_is_found_with_its_place_and_remedy_and_gone_when_mended(string rule, string wrong, string right, string template)
    {
        var found = Assert.Single(await CheckAsync(template.Replace("@", wrong, StringComparison.Ordinal)), f => f.Rule == rule);
        Assert.True(found.Line > 0 && found.Column > 0, found.ToString());
        Assert.NotEmpty(found.Remedy);
        Assert.DoesNotContain(await CheckAsync(template.Replace("@", right, StringComparison.Ordinal)), f => f.Rule == rule);
    }

    [Fact]
    public void Every_rule_has_a_case_here()
    {
        var tested = Cases().Select(c => c.Data.Item1).Append("ReferenceCycle").ToHashSet();
        Assert.DoesNotContain(TrapChecker.Rules, r => !tested.Contains(r.Id));
        Assert.Equal(TrapChecker.Rules.Single(r => r.Id == "ReferenceCycle").Remedy, TrapChecker.RemedyOf("CircularDependency"));
    }

    [Fact]
    public async Task A_name_that_fits_now_and_not_with_the_longest_stage_is_a_warning()
    {
        var found = Assert.Single(await CheckAsync("""
            Parameters: { Stage: { Type: String, Default: dev, AllowedValues: [dev, production] }, Name: { Type: String, Default: demo, AllowedPattern: '^[a-z]{1,16}$' } }
            Resources: { Alb: { Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: { Name: !Sub '${Name}-${Stage}-alb-x', Subnets: [a, b] } } }
            """), f => f.Rule == "NameTooLong");
        Assert.Equal(TemplateFindingSeverity.Warning, found.Severity);
        Assert.Contains("aaaa-production-alb", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_of_a_template_given_together_satisfies_an_import()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "a.yaml"), "Parameters: { E: { Type: String } }\nResources: { T: { Type: AWS::SNS::Topic } }\nOutputs: { V: { Value: !Ref T, Export: { Name: !Sub '${E}-vpc' } } }", Stop);
        await File.WriteAllTextAsync(Path.Combine(folder, "b.yaml"), "Parameters: { Env: { Type: String } }\nResources: { T: { Type: AWS::SNS::Topic, Properties: { DisplayName: !ImportValue { 'Fn::Sub': '${Env}-vpc' }, TopicName: !ImportValue { 'Fn::Sub': '${Env}-vcp' } } } }", Stop);
        var findings = await TemplateTest.CheckAsync([Path.Combine(folder, "a.yaml"), Path.Combine(folder, "b.yaml")], new Dictionary<string, string>(), "us-east-1", Stop);
        var missing = Assert.Single(findings, f => f.Rule == "ExportNeverMade");
        Assert.Contains("-vcp", missing.Message, StringComparison.Ordinal);
        Assert.Equal("b.yaml", Path.GetFileName(missing.File));
    }

    [Fact]
    public async Task A_template_that_cannot_be_read_is_findings_with_places_not_an_exception()
    {
        var findings = await CheckAsync("Resources:\n  A: { Type: AWS::SNS::Topic\n");
        Assert.Contains(findings, f => f is { Severity: TemplateFindingSeverity.Error, Line: > 0 });
        Assert.All(findings, f => Assert.NotEmpty(f.Remedy));
    }

    [Theory]
    [InlineData(EnvironmentStage.Dev)]
    [InlineData(EnvironmentStage.Staging)]
    [InlineData(EnvironmentStage.Prod)]
    public async Task The_shipped_templates_fall_into_no_trap(EnvironmentStage stage)
    {
        var spec = SpecPresets.Create("demo-environment", stage, "us-east-1");
        var main = Path.Combine(Repository.Root, "src/Inferloop.Templates/Stacks/main.yaml");
        var findings = await TemplateTest.CheckAsync([main], SpecMembers.ToTemplateParameters(spec), "us-east-1", Stop);
        Assert.Empty(findings.Where(f => f.Severity != TemplateFindingSeverity.Information).Select(f => f.ToString()));
    }

    private async Task<IReadOnlyList<InferloopTemplateFinding>> CheckAsync(string text)
    {
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.yaml");
        await File.WriteAllTextAsync(path, text, Stop);
        await File.WriteAllTextAsync(Path.Combine(folder, "other.yaml"), "Resources: { T: { Type: AWS::SNS::Topic } }", Stop);
        return await TemplateTest.CheckAsync([path], new Dictionary<string, string>(), "us-east-1", Stop);
    }

    private static string Service(string rule, string targetType) => $$"""
        Resources:
          AlbGroup: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: g } }
          Other: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: g } }
          TaskGroup: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: g, SecurityGroupIngress: [ { IpProtocol: tcp, {{rule}} } ] } }
          Alb: { Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: { Subnets: [a, b], SecurityGroups: [!Ref AlbGroup] } }
          Targets: { Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: { Port: 8000, Protocol: HTTP, VpcId: vpc-1, TargetType: {{targetType}} } }
          Listener: { Type: AWS::ElasticLoadBalancingV2::Listener, Properties: { LoadBalancerArn: !Ref Alb, Port: 80, DefaultActions: [ { Type: forward, TargetGroupArn: !Ref Targets } ] } }
          Task: { Type: AWS::ECS::TaskDefinition, Properties: { NetworkMode: awsvpc, ContainerDefinitions: [ { Name: app, Image: nginx } ] } }
          Service:
            Type: AWS::ECS::Service
            Properties:
              TaskDefinition: !Ref Task
              NetworkConfiguration: { AwsvpcConfiguration: { Subnets: [a], SecurityGroups: [!Ref TaskGroup] } }
              LoadBalancers: [ { ContainerName: app, ContainerPort: 8000, TargetGroupArn: !Ref Targets } ]
        """;

    private static string Alarm(string metric, string actions = "[!Ref Topic]") => $$"""
        Resources:
          Topic: { Type: AWS::SNS::Topic }
          Alb: { Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: { Subnets: [a, b] } }
          Alarm: { Type: AWS::CloudWatch::Alarm, Properties: { ComparisonOperator: LessThanThreshold, EvaluationPeriods: 1, Threshold: 1, AlarmActions: {{actions}}, {{metric}} } }
        """;

    private static string Task(string action, string variable) => $$"""
        Resources:
          Secret: { Type: AWS::SecretsManager::Secret }
          Role:
            Type: AWS::IAM::Role
            Properties: { AssumeRolePolicyDocument: { Statement: [] } }
          Policy:
            Type: AWS::IAM::RolePolicy
            Properties: { RoleName: !Ref Role, PolicyName: p, PolicyDocument: { Statement: [ { Effect: Allow, Action: ['{{action}}'], Resource: [!Ref Secret] } ] } }
          Task:
            Type: AWS::ECS::TaskDefinition
            Properties:
              ExecutionRoleArn: !GetAtt Role.Arn
              ContainerDefinitions:
                - Name: app
                  Image: inferloop/synthdata:1
                  Environment: [ { Name: '{{variable}}', Value: db } ]
                  Secrets: [ { Name: DATABASE_PASSWORD, ValueFrom: !Sub '${Secret}:password::' } ]
        """;
}
