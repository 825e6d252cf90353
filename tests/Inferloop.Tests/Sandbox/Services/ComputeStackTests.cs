using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>EKS, Lambda and EventBridge as stacks: created, found without drift, changed, drifted by hand, removed.</summary>
public sealed class ComputeStackTests(SandboxFixture sandbox)
{
    private const string Region = "eu-west-1";

    private RequestContext Context => sandbox.Host.Runtime.SystemContext(sandbox.Host.AccountId, Region);

    private async Task<JsonObject> Call(string service, string operation, JsonObject input) =>
        await sandbox.Host.Runtime.Service(service)!.InvokeAsync(Context, operation, input);

    private async Task<string> Wait(string stack)
    {
        while (true)
        {
            var status = (string)(await Call("cloudformation", "DescribeStacks", new JsonObject { ["StackName"] = stack }))["Stacks"]![0]!["StackStatus"]!;
            if (!status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal))
            {
                return status;
            }
            await sandbox.Host.Clock.DelayAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
    }

    private async Task<string> Reasons(string stack) => string.Join("\n", (await Call("cloudformation", "DescribeStackEvents", new JsonObject { ["StackName"] = stack }))["StackEvents"]!.AsArray()
        .Where(item => ((string?)item!["ResourceStatus"])!.Contains("FAILED", StringComparison.Ordinal)).Select(item => $"{item!["LogicalResourceId"]}: {item["ResourceStatusReason"]}"));

    private async Task<List<string>> Drifted(string stack)
    {
        var detection = (string)(await Call("cloudformation", "DetectStackDrift", new JsonObject { ["StackName"] = stack }))["StackDriftDetectionId"]!;
        while ((string?)(await Call("cloudformation", "DescribeStackDriftDetectionStatus", new JsonObject { ["StackDriftDetectionId"] = detection }))["DetectionStatus"] == "DETECTION_IN_PROGRESS")
        {
            await sandbox.Host.Clock.DelayAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        }
        return (await Call("cloudformation", "DescribeStackResourceDrifts", new JsonObject { ["StackName"] = stack }))["StackResourceDrifts"]!.AsArray()
            .Where(drift => (string?)drift!["StackResourceDriftStatus"] is "MODIFIED" or "DELETED")
            .SelectMany(drift => drift!["PropertyDifferences"]!.AsArray().Select(difference => $"{drift["LogicalResourceId"]}{difference!["PropertyPath"]}")).ToList();
    }

    private const string Network = """
          Vpc: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }
          SubnetA: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: !Select [0, !GetAZs ''] } }
          SubnetB: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.2.0/24, AvailabilityZone: !Select [1, !GetAZs ''] } }
        """;

    private const string Kubernetes = "Resources:\n" + Network + "\n" + """
          ClusterRole: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: eks.amazonaws.com }, Action: 'sts:AssumeRole' }] } } }
          NodeRole: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: 'sts:AssumeRole' }] } } }
          PodRole: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: pods.eks.amazonaws.com }, Action: ['sts:AssumeRole', 'sts:TagSession'] }] } } }
          Key: { Type: AWS::KMS::Key, Properties: { KeyPolicy: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { AWS: !Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:root' }, Action: 'kms:*', Resource: '*' }] } } }
          Cluster:
            Type: AWS::EKS::Cluster
            Properties:
              Name: !Ref AWS::StackName
              Version: '1.34'
              RoleArn: !GetAtt ClusterRole.Arn
              ResourcesVpcConfig: { SubnetIds: [!Ref SubnetA, !Ref SubnetB], EndpointPrivateAccess: true, EndpointPublicAccess: true }
              AccessConfig: { AuthenticationMode: API }
              Logging: { ClusterLogging: { EnabledTypes: [%LOGS%] } }
              EncryptionConfig: [{ Provider: { KeyArn: !GetAtt Key.Arn }, Resources: [secrets] }]
              Tags: [{ Key: 'inferloop:stage', Value: test }]
          Nodes:
            Type: AWS::EKS::Nodegroup
            Properties:
              ClusterName: !Ref Cluster
              NodeRole: !GetAtt NodeRole.Arn
              Subnets: [!Ref SubnetA, !Ref SubnetB]
              InstanceTypes: [m6i.large]
              CapacityType: SPOT
              ScalingConfig: { MinSize: 1, MaxSize: 4, DesiredSize: %NODES% }
              Labels: { pool: main }
              Tags: { 'inferloop:stage': test }
          Dns: { Type: AWS::EKS::Addon, DependsOn: Nodes, Properties: { ClusterName: !Ref Cluster, AddonName: coredns } }
          Identity: { Type: AWS::EKS::Addon, Properties: { ClusterName: !Ref Cluster, AddonName: eks-pod-identity-agent } }
          Admin:
            Type: AWS::EKS::AccessEntry
            Properties:
              ClusterName: !Ref Cluster
              PrincipalArn: !GetAtt PodRole.Arn
              AccessPolicies: [{ PolicyArn: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy', AccessScope: { Type: namespace, Namespaces: [app] } }]
          Pods: { Type: AWS::EKS::PodIdentityAssociation, Properties: { ClusterName: !Ref Cluster, Namespace: app, ServiceAccount: app, RoleArn: !GetAtt PodRole.Arn } }
          Provider: { Type: AWS::IAM::OIDCProvider, Properties: { Url: !GetAtt Cluster.OpenIdConnectIssuerUrl, ClientIdList: [sts.amazonaws.com] } }
        Outputs:
          Endpoint: { Value: !GetAtt Cluster.Endpoint }
        """;

    private const string Serverless = "Resources:\n" + Network + "\n" + """
          Group: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: lambda, VpcId: !Ref Vpc } }
          Dead: { Type: AWS::SQS::Queue }
          Queue: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 360, RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2 } } }
          Role:
            Type: AWS::IAM::Role
            Properties:
              AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: 'sts:AssumeRole' }] }
              ManagedPolicyArns: [!Sub 'arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole', !Sub 'arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole']
          Function:
            Type: AWS::Lambda::Function
            Properties:
              FunctionName: !Ref AWS::StackName
              Runtime: python3.13
              Handler: index.handler
              Role: !GetAtt Role.Arn
              Timeout: 60
              MemorySize: %MEMORY%
              ReservedConcurrentExecutions: 5
              EphemeralStorage: { Size: 1024 }
              Environment: { Variables: { TABLE: one } }
              VpcConfig: { SubnetIds: [!Ref SubnetA, !Ref SubnetB], SecurityGroupIds: [!Ref Group] }
              TracingConfig: { Mode: Active }
              Code: { ZipFile: 'def handler(event, context): return 1' }
              Tags: [{ Key: 'inferloop:stage', Value: test }]
          Version: { Type: AWS::Lambda::Version, Properties: { FunctionName: !Ref Function } }
          Live: { Type: AWS::Lambda::Alias, Properties: { FunctionName: !Ref Function, FunctionVersion: !GetAtt Version.Version, Name: live } }
          Retries: { Type: AWS::Lambda::EventInvokeConfig, Properties: { FunctionName: !Ref Function, Qualifier: $LATEST, MaximumRetryAttempts: 1 } }
          Source: { Type: AWS::Lambda::EventSourceMapping, Properties: { FunctionName: !Ref Live, EventSourceArn: !GetAtt Queue.Arn, BatchSize: 5, FunctionResponseTypes: [ReportBatchItemFailures] } }
          Address: { Type: AWS::Lambda::Url, Properties: { TargetFunctionArn: !Ref Function, AuthType: AWS_IAM } }
          Bus: { Type: AWS::Events::EventBus, Properties: { Name: !Ref AWS::StackName } }
          Rule:
            Type: AWS::Events::Rule
            Properties: { EventBusName: !Ref Bus, EventPattern: { source: [app], detail: { size: [{ numeric: ['>', 5] }] } }, Targets: [{ Id: fn, Arn: !Ref Live }] }
          Nightly: { Type: AWS::Events::Rule, Properties: { ScheduleExpression: 'rate(1 hour)', Targets: [{ Id: fn, Arn: !Ref Live, Input: '{"tick":true}' }] } }
          Allow: { Type: AWS::Lambda::Permission, Properties: { FunctionName: !Ref Live, Action: 'lambda:InvokeFunction', Principal: events.amazonaws.com, SourceArn: !GetAtt Rule.Arn } }
          AllowNightly: { Type: AWS::Lambda::Permission, Properties: { FunctionName: !Ref Live, Action: 'lambda:InvokeFunction', Principal: events.amazonaws.com, SourceArn: !GetAtt Nightly.Arn } }
        Outputs:
          Queue: { Value: !Ref Queue }
          Alias: { Value: !Ref Live }
        """;

    private async Task<string> Create(string prefix, string template)
    {
        var name = prefix + "-" + Guid.NewGuid().ToString("N")[..8];
        await Call("cloudformation", "CreateStack", new JsonObject { ["StackName"] = name, ["TemplateBody"] = template, ["Capabilities"] = new JsonArray("CAPABILITY_NAMED_IAM") });
        Assert.True(await Wait(name) == "CREATE_COMPLETE", await Reasons(name));
        return name;
    }

    private async Task Change(string name, string template)
    {
        await Call("cloudformation", "UpdateStack", new JsonObject { ["StackName"] = name, ["TemplateBody"] = template, ["Capabilities"] = new JsonArray("CAPABILITY_NAMED_IAM") });
        Assert.True(await Wait(name) == "UPDATE_COMPLETE", await Reasons(name));
    }

    private async Task Delete(string name)
    {
        var id = (string)(await Call("cloudformation", "DescribeStacks", new JsonObject { ["StackName"] = name }))["Stacks"]![0]!["StackId"]!;
        await Call("cloudformation", "DeleteStack", new JsonObject { ["StackName"] = name });
        Assert.True(await Wait(id) == "DELETE_COMPLETE", await Reasons(id));
    }

    [Fact]
    public async Task A_cluster_with_all_that_belongs_to_it()
    {
        static string Of(string logs, int nodes) => Kubernetes.Replace("%LOGS%", logs, StringComparison.Ordinal).Replace("%NODES%", $"{nodes}", StringComparison.Ordinal);
        var name = await Create("eks", Of("{ Type: api }", 2));
        Assert.Empty(await Drifted(name));
        var cluster = (await Call("eks", "DescribeCluster", new JsonObject { ["name"] = name }))["cluster"]!;
        Assert.Equal("ACTIVE", (string?)cluster["status"]);
        Assert.Equal(2, (await Call("eks", "ListAddons", new JsonObject { ["clusterName"] = name }))["addons"]!.AsArray().Count);

        await Change(name, Of("{ Type: api }, { Type: audit }", 3));
        var nodes = (string)(await Call("eks", "ListNodegroups", new JsonObject { ["clusterName"] = name }))["nodegroups"]![0]!;
        var group = (await Call("eks", "DescribeNodegroup", new JsonObject { ["clusterName"] = name, ["nodegroupName"] = nodes }))["nodegroup"]!;
        Assert.Equal("3", group["scalingConfig"]!["desiredSize"]!.ToJsonString());
        var scaling = (await Call("autoscaling", "DescribeAutoScalingGroups", new JsonObject { ["AutoScalingGroupNames"] = new JsonArray((string?)group["resources"]!["autoScalingGroups"]![0]!["name"]) }))["AutoScalingGroups"]![0]!;
        Assert.Equal("3", scaling["DesiredCapacity"]!.ToJsonString());
        Assert.Empty(await Drifted(name));

        await Call("eks", "UpdateNodegroupConfig", new JsonObject { ["clusterName"] = name, ["nodegroupName"] = nodes, ["scalingConfig"] = new JsonObject { ["maxSize"] = 9 } });
        await sandbox.Host.Clock.DelayAsync(TimeSpan.FromMinutes(3), TestContext.Current.CancellationToken);
        Assert.Equal(["Nodes/ScalingConfig/MaxSize"], await Drifted(name));
        var refused = await Assert.ThrowsAsync<ServiceFault>(() => Call("eks", "DeleteCluster", new JsonObject { ["name"] = name }));
        Assert.Equal("ResourceInUseException", refused.Code);
        await Delete(name);
        Assert.DoesNotContain(name, (await Call("eks", "ListClusters", []))["clusters"]!.AsArray().Select(item => (string?)item));
    }

    [Fact]
    public async Task A_function_with_its_sources()
    {
        static string Of(int memory) => Serverless.Replace("%MEMORY%", $"{memory}", StringComparison.Ordinal);
        var name = await Create("fn", Of(256));
        Assert.Empty(await Drifted(name));
        var outputs = (await Call("cloudformation", "DescribeStacks", new JsonObject { ["StackName"] = name }))["Stacks"]![0]!["Outputs"]!.AsArray().ToDictionary(output => (string)output!["OutputKey"]!, output => (string)output!["OutputValue"]!);
        await Change(name, Of(512));
        Assert.Equal("512", (await Call("lambda", "GetFunctionConfiguration", new JsonObject { ["FunctionName"] = name }))["MemorySize"]!.ToJsonString());

        // What goes into the queue reaches the function and leaves the queue; an event on the bus reaches it by its rule; the schedule by the clock.
        await Call("sqs", "SendMessage", new JsonObject { ["QueueUrl"] = outputs["Queue"], ["MessageBody"] = "{\"job\":1}" });
        await Call("events", "PutEvents", new JsonObject { ["Entries"] = new JsonArray(new JsonObject { ["EventBusName"] = name, ["Source"] = "app", ["DetailType"] = "made", ["Detail"] = "{\"size\":7}" }, new JsonObject { ["EventBusName"] = name, ["Source"] = "app", ["DetailType"] = "made", ["Detail"] = "{\"size\":3}" }) });
        await sandbox.Host.Clock.DelayAsync(TimeSpan.FromMinutes(70), TestContext.Current.CancellationToken);
        var seen = sandbox.Host.Runtime.Service<Inferloop.Sandbox.Services.Lambda.LambdaService>().Invocations(Context, name).Select(item => (string)item["Payload"]!).ToList();
        Assert.Contains(seen, payload => payload.Contains("\\u0022job\\u0022:1", StringComparison.Ordinal) || payload.Contains("\\\"job\\\":1", StringComparison.Ordinal));
        Assert.Single(seen, payload => payload.Contains("\"detail-type\":\"made\"", StringComparison.Ordinal));
        Assert.Contains("{\"tick\":true}", seen);
        var left = await Call("sqs", "GetQueueAttributes", new JsonObject { ["QueueUrl"] = outputs["Queue"], ["AttributeNames"] = new JsonArray("All") });
        Assert.Equal(("0", "0"), ((string?)left["Attributes"]!["ApproximateNumberOfMessages"], (string?)left["Attributes"]!["ApproximateNumberOfMessagesNotVisible"]));

        await Call("lambda", "UpdateFunctionConfiguration", new JsonObject { ["FunctionName"] = name, ["Timeout"] = 30 });
        await sandbox.Host.Clock.DelayAsync(TimeSpan.FromMinutes(3), TestContext.Current.CancellationToken);
        Assert.Equal(["Function/Timeout"], await Drifted(name));
        await Delete(name);
    }

    private const string Jobs = "Resources:\n" + Network + "\n" + """
          Group: { Type: AWS::EC2::SecurityGroup, Properties: { GroupDescription: batch, VpcId: !Ref Vpc } }
          InstanceRole:
            Type: AWS::IAM::Role
            Properties:
              AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: [ec2.amazonaws.com, scheduler.amazonaws.com, lambda.amazonaws.com] }, Action: 'sts:AssumeRole' }] }
              Policies: [{ PolicyName: send, PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Action: 'sqs:SendMessage', Resource: '*' }] } }]
          Profile: { Type: AWS::IAM::InstanceProfile, Properties: { Roles: [!Ref InstanceRole] } }
          Share: { Type: AWS::Batch::SchedulingPolicy, Properties: { FairsharePolicy: { ShareDecaySeconds: 600, ShareDistribution: [{ ShareIdentifier: all, WeightFactor: 1 }] } } }
          Environment:
            Type: AWS::Batch::ComputeEnvironment
            Properties:
              Type: MANAGED
              State: ENABLED
              ComputeResources:
                Type: SPOT
                AllocationStrategy: SPOT_PRICE_CAPACITY_OPTIMIZED
                MinvCpus: 0
                MaxvCpus: %MAX%
                InstanceTypes: [optimal]
                InstanceRole: !GetAtt Profile.Arn
                Subnets: [!Ref SubnetA, !Ref SubnetB]
                SecurityGroupIds: [!Ref Group]
              Tags: { 'inferloop:stage': test }
          Queue: { Type: AWS::Batch::JobQueue, Properties: { JobQueueName: !Ref AWS::StackName, Priority: 10, SchedulingPolicyArn: !Ref Share, ComputeEnvironmentOrder: [{ Order: 1, ComputeEnvironment: !Ref Environment }] } }
          Definition:
            Type: AWS::Batch::JobDefinition
            Properties:
              Type: container
              ContainerProperties: { Image: 'public.ecr.aws/amazonlinux:%TAG%', ResourceRequirements: [{ Type: VCPU, Value: '2' }, { Type: MEMORY, Value: '1024' }] }
              RetryStrategy: { Attempts: 2 }
              Timeout: { AttemptDurationSeconds: 600 }
          Inbox: { Type: AWS::SQS::Queue }
          Tick: { Type: AWS::Scheduler::Schedule, Properties: { FlexibleTimeWindow: { Mode: 'OFF' }, ScheduleExpression: 'rate(30 minutes)', Target: { Arn: !GetAtt Inbox.Arn, RoleArn: !GetAtt InstanceRole.Arn, Input: tick } } }
          Function: { Type: AWS::Lambda::Function, Properties: { Runtime: nodejs22.x, Handler: index.handler, Role: !GetAtt InstanceRole.Arn, Code: { ZipFile: 'exports.handler = async () => 1' } } }
          Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: !Ref AWS::StackName, ProtocolType: HTTP, Tags: { 'inferloop:stage': test } } }
          Integration: { Type: AWS::ApiGatewayV2::Integration, Properties: { ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Function.Arn, PayloadFormatVersion: '2.0' } }
          Route: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: 'POST /jobs', Target: !Sub 'integrations/${Integration}' } }
          AccessLogs: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 7 } }
          Stage: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Api, StageName: $default, AutoDeploy: true, AccessLogSettings: { DestinationArn: !GetAtt AccessLogs.Arn, Format: '$context.requestId' }, Tags: { 'inferloop:stage': test } } }
        Outputs:
          Queue: { Value: !Ref Queue }
          Definition: { Value: !Ref Definition }
          Inbox: { Value: !Ref Inbox }
          Endpoint: { Value: !GetAtt Api.ApiEndpoint }
        """;

    [Fact]
    public async Task Jobs_schedules_and_an_api()
    {
        static string Of(int maximum, string tag) => Jobs.Replace("%MAX%", $"{maximum}", StringComparison.Ordinal).Replace("%TAG%", tag, StringComparison.Ordinal);
        async Task<Dictionary<string, string>> Outputs(string stack) => (await Call("cloudformation", "DescribeStacks", new JsonObject { ["StackName"] = stack }))["Stacks"]![0]!["Outputs"]!.AsArray().ToDictionary(output => (string)output!["OutputKey"]!, output => (string)output!["OutputValue"]!);
        var name = await Create("batch", Of(4, "1"));
        Assert.Empty(await Drifted(name));
        var outputs = await Outputs(name);
        Assert.StartsWith("https://", outputs["Endpoint"], StringComparison.Ordinal);
        Assert.EndsWith(":1", outputs["Definition"], StringComparison.Ordinal);
        var job = (string)(await Call("batch", "SubmitJob", new JsonObject { ["jobName"] = "one", ["jobQueue"] = outputs["Queue"], ["jobDefinition"] = outputs["Definition"], ["shareIdentifier"] = "all", ["arrayProperties"] = new JsonObject { ["size"] = 4 } }))["jobId"]!;
        async Task<JsonNode> Job() => (await Call("batch", "DescribeJobs", new JsonObject { ["jobs"] = new JsonArray(job) }))["jobs"]![0]!;
        while ((string?)(await Job())["status"] is not ("SUCCEEDED" or "FAILED"))
        {
            // Two vCPUs each and room for four: never more than two at once.
            var summary = (await Job())["arrayProperties"]!["statusSummary"]!;
            Assert.InRange((int)summary["STARTING"]! + (int)summary["RUNNING"]!, 0, 2);
            await sandbox.Host.Clock.DelayAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        }
        Assert.Equal("SUCCEEDED", (string?)(await Job())["status"]);

        await Change(name, Of(8, "2-crash"));
        outputs = await Outputs(name);
        Assert.EndsWith(":2", outputs["Definition"], StringComparison.Ordinal);
        Assert.Empty(await Drifted(name));
        job = (string)(await Call("batch", "SubmitJob", new JsonObject { ["jobName"] = "two", ["jobQueue"] = outputs["Queue"], ["jobDefinition"] = outputs["Definition"], ["shareIdentifier"] = "all" }))["jobId"]!;
        while ((string?)(await Job())["status"] is not ("SUCCEEDED" or "FAILED"))
        {
            await sandbox.Host.Clock.DelayAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
        var failed = await Job();
        Assert.Equal(("FAILED", 2, "1"), ((string?)failed["status"], failed["attempts"]!.AsArray().Count, failed["container"]!["exitCode"]!.ToJsonString()));

        await sandbox.Host.Clock.DelayAsync(TimeSpan.FromMinutes(31), TestContext.Current.CancellationToken);
        Assert.Equal("tick", (string?)(await Call("sqs", "ReceiveMessage", new JsonObject { ["QueueUrl"] = outputs["Inbox"] }))["Messages"]?[0]?["Body"]);
        Assert.Equal("ClientException", (await Assert.ThrowsAsync<ServiceFault>(() => Call("batch", "DeleteJobQueue", new JsonObject { ["jobQueue"] = outputs["Queue"] }))).Code);
        await Delete(name);
        Assert.Empty((await Call("batch", "DescribeJobQueues", new JsonObject { ["jobQueues"] = new JsonArray(outputs["Queue"]) }))["jobQueues"]!.AsArray());
    }
}
