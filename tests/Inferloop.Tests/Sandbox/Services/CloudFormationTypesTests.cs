using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>The resource types driven by CloudFormation itself: created, read for drift, changed and removed as a stack.</summary>
public sealed class CloudFormationTypesTests(SandboxFixture sandbox) : StackTypesBase(sandbox)
{
    private const string Template = """
        Resources:
          Key:
            Type: AWS::KMS::Key
            Properties:
              Description: data
              EnableKeyRotation: true
              KeyPolicy:
                Version: '2012-10-17'
                Statement:
                  - { Effect: Allow, Principal: { AWS: !Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root' }, Action: 'kms:*', Resource: '*' }
          KeyAlias: { Type: AWS::KMS::Alias, Properties: { AliasName: !Sub 'alias/${AWS::StackName}', TargetKeyId: !Ref Key } }
          Secret:
            Type: AWS::SecretsManager::Secret
            Properties: { KmsKeyId: !GetAtt Key.Arn, GenerateSecretString: { SecretStringTemplate: '{"username":"app"}', GenerateStringKey: password, ExcludePunctuation: true } }
          Parameter: { Type: AWS::SSM::Parameter, Properties: { Type: String, Value: %VALUE% } }
          Logs: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 30, KmsKeyId: !GetAtt Key.Arn } }
          Errors:
            Type: AWS::Logs::MetricFilter
            Properties: { LogGroupName: !Ref Logs, FilterPattern: ERROR, MetricTransformations: [{ MetricName: Errors, MetricNamespace: App, MetricValue: '1' }] }
          Table:
            Type: AWS::DynamoDB::Table
            Properties:
              BillingMode: PAY_PER_REQUEST
              AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
              KeySchema: [{ AttributeName: id, KeyType: HASH }]
              SSESpecification: { SSEEnabled: true, SSEType: KMS, KMSMasterKeyId: !GetAtt Key.Arn }
          Role:
            Type: AWS::IAM::Role
            Properties:
              AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: 'sts:AssumeRole' }] }
              ManagedPolicyArns: [!Sub 'arn:${AWS::Partition}:iam::aws:policy/CloudWatchAgentServerPolicy']
          Access:
            Type: AWS::IAM::RolePolicy
            Properties:
              RoleName: !Ref Role
              PolicyName: table
              PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Table.Arn }] }
          Profile: { Type: AWS::IAM::InstanceProfile, Properties: { Roles: [!Ref Role] } }
          Dead: { Type: AWS::SQS::Queue }
          Queue:
            Type: AWS::SQS::Queue
            Properties: { VisibilityTimeout: 120, RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3 } }
          Topic: { Type: AWS::SNS::Topic, Properties: { Subscription: [{ Protocol: sqs, Endpoint: !GetAtt Queue.Arn }] } }
          Alarm:
            Type: AWS::CloudWatch::Alarm
            Properties: { MetricName: Errors, Namespace: App, Statistic: Sum, Period: 60, EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: GreaterThanThreshold, AlarmActions: [!Ref Topic] }
          Repository: { Type: AWS::ECR::Repository, Properties: { ImageTagMutability: IMMUTABLE } }
        Outputs:
          Secret: { Value: !Ref Secret }
          Queue: { Value: !Ref Queue }
          Group: { Value: !Ref Logs }
        """;

    [Fact]
    public async Task Data_security_and_messaging_come_change_drift_and_go_as_a_stack()
    {
        var name = "types-" + Guid.NewGuid().ToString("N")[..8];
        await Call("cloudformation", "CreateStack", new JsonObject { ["StackName"] = name, ["TemplateBody"] = Template.Replace("%VALUE%", "one", StringComparison.Ordinal), ["Capabilities"] = new JsonArray("CAPABILITY_IAM") });
        Assert.True(await Wait(name) == "CREATE_COMPLETE", await Reasons(name));
        var outputs = (await Call("cloudformation", "DescribeStacks", new JsonObject { ["StackName"] = name }))["Stacks"]![0]!["Outputs"]!.AsArray()
            .ToDictionary(output => (string)output!["OutputKey"]!, output => (string)output!["OutputValue"]!);
        Assert.Contains("\"username\":\"app\"", (string)(await Call("secretsmanager", "GetSecretValue", new JsonObject { ["SecretId"] = outputs["Secret"] }))["SecretString"]!, StringComparison.Ordinal);

        await Call("cloudformation", "UpdateStack", new JsonObject { ["StackName"] = name, ["TemplateBody"] = Template.Replace("%VALUE%", "two", StringComparison.Ordinal).Replace("RetentionInDays: 30", "RetentionInDays: 90", StringComparison.Ordinal), ["Capabilities"] = new JsonArray("CAPABILITY_IAM") });
        Assert.True(await Wait(name) == "UPDATE_COMPLETE", await Reasons(name));
        Assert.Equal("90", (await Call("logs", "DescribeLogGroups", new JsonObject { ["logGroupNamePrefix"] = outputs["Group"] }))["logGroups"]![0]!["retentionInDays"]!.ToJsonString());

        // Nothing has drifted; then someone changes the retention by hand.
        Assert.Empty(await Drifted(name));
        await Call("logs", "PutRetentionPolicy", new JsonObject { ["logGroupName"] = outputs["Group"], ["retentionInDays"] = 7 });
        Assert.StartsWith("Logs ", Assert.Single(await Drifted(name)), StringComparison.Ordinal);

        await Call("cloudformation", "DeleteStack", new JsonObject { ["StackName"] = name });
        var id = (string)(await Call("cloudformation", "ListStacks", []))["StackSummaries"]!.AsArray().First(stack => (string?)stack!["StackName"] == name)!["StackId"]!;
        Assert.True(await Wait(id) == "DELETE_COMPLETE", await Reasons(id));
        Assert.Empty((await Call("logs", "DescribeLogGroups", new JsonObject { ["logGroupNamePrefix"] = outputs["Group"] }))["logGroups"]!.AsArray());
    }
}
