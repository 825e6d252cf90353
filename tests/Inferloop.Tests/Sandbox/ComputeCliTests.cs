using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox;

/// <summary>The aws CLI and boto3, clients nobody here wrote, on EKS, Lambda, Batch, EventBridge, Scheduler, API Gateway and IAM's simulation.</summary>
public sealed class ComputeCliTests(SandboxFixture sandbox) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-compute-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private Dictionary<string, string?> Settings => new()
    {
        ["AWS_ACCESS_KEY_ID"] = sandbox.Host.AccessKeyId,
        ["AWS_SECRET_ACCESS_KEY"] = sandbox.Host.SecretAccessKey,
        ["AWS_SESSION_TOKEN"] = null,
        ["AWS_DEFAULT_REGION"] = "us-west-2",
        ["AWS_ENDPOINT_URL"] = sandbox.Host.Endpoint.ToString(),
        ["AWS_EC2_METADATA_DISABLED"] = "true",
        ["AWS_CONFIG_FILE"] = Path.Combine(folder, "none"),
        ["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(folder, "none"),
        ["AWS_PAGER"] = "",
    };

    private Task<ToolResult> AwsAsync(params string[] arguments) =>
        ExternalTool.RunAsync(ExternalTool.Require("aws"), [.. arguments, "--output", "json"], Settings, TestContext.Current.CancellationToken);

    private async Task<JsonNode> JsonAsync(params string[] arguments) => JsonNode.Parse((await AwsAsync(arguments)).EnsureSuccess().Output)!;

    private async Task<string> Role(string name, string service)
    {
        var trust = $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"{{service}}"},"Action":"sts:AssumeRole"}]}""";
        return (string)(await JsonAsync("iam", "create-role", "--role-name", name, "--assume-role-policy-document", trust))["Role"]!["Arn"]!;
    }

    private static string Unique(string prefix) => prefix + Guid.NewGuid().ToString("N")[..8];

    [Fact]
    public async Task A_cluster_by_the_cli()
    {
        var name = Unique("cli-");
        var role = await Role(name, "eks.amazonaws.com");
        var vpc = (string)(await JsonAsync("ec2", "create-vpc", "--cidr-block", "10.9.0.0/16"))["Vpc"]!["VpcId"]!;
        async Task<string> Subnet(string block, string zone) => (string)(await JsonAsync("ec2", "create-subnet", "--vpc-id", vpc, "--cidr-block", block, "--availability-zone", zone))["Subnet"]!["SubnetId"]!;
        var subnets = $"{await Subnet("10.9.1.0/24", "us-west-2a")},{await Subnet("10.9.2.0/24", "us-west-2b")}";
        var refused = await AwsAsync("eks", "create-cluster", "--name", name, "--role-arn", role, "--kubernetes-version", "1.20", "--resources-vpc-config", $"subnetIds={subnets}");
        Assert.Contains("(InvalidParameterException) when calling the CreateCluster operation: unsupported Kubernetes version", refused.Error, StringComparison.Ordinal);
        (await AwsAsync("eks", "create-cluster", "--name", name, "--role-arn", role, "--kubernetes-version", "1.34", "--resources-vpc-config", $"subnetIds={subnets}")).EnsureSuccess();
        var cluster = await CloudFormationCaller.UntilAsync(async () => (await JsonAsync("eks", "describe-cluster", "--name", name))["cluster"]!, found => (string?)found["status"] == "ACTIVE");
        Assert.StartsWith("https://127.0.0.1:", (string?)cluster["endpoint"], StringComparison.Ordinal);
        Assert.Contains("/id/", (string?)cluster["identity"]!["oidc"]!["issuer"], StringComparison.Ordinal);
        var update = (string)(await JsonAsync("eks", "update-cluster-version", "--name", name, "--kubernetes-version", "1.35"))["update"]!["id"]!;
        await CloudFormationCaller.UntilAsync(async () => (string?)(await JsonAsync("eks", "describe-update", "--name", name, "--update-id", update))["update"]!["status"], status => status == "Successful");
        Assert.Equal("1.35", (string?)(await JsonAsync("eks", "describe-cluster", "--name", name))["cluster"]!["version"]);
        Assert.Contains("1.36", (await JsonAsync("eks", "describe-cluster-versions"))["clusterVersions"]!.AsArray().Select(item => (string?)item!["clusterVersion"]));
        Assert.Contains("coredns", (await JsonAsync("eks", "describe-addon-versions", "--kubernetes-version", "1.35"))["addons"]!.AsArray().Select(item => (string?)item!["addonName"]));
        var missing = await AwsAsync("eks", "describe-nodegroup", "--cluster-name", name, "--nodegroup-name", "none");
        Assert.Contains("(ResourceNotFoundException)", missing.Error, StringComparison.Ordinal);
        (await AwsAsync("eks", "delete-cluster", "--name", name)).EnsureSuccess();
        await CloudFormationCaller.UntilAsync(async () => await AwsAsync("eks", "describe-cluster", "--name", name), answer => answer.Error.Contains("No cluster found for name", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_simulation_an_api_and_a_schedule_by_the_cli()
    {
        var name = Unique("cli-");
        var role = await Role(name, "scheduler.amazonaws.com");
        (await AwsAsync("iam", "put-role-policy", "--role-name", name, "--policy-name", "p", "--policy-document", """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-west-2"}}}]}""")).EnsureSuccess();
        var simulated = await JsonAsync("iam", "simulate-principal-policy", "--policy-source-arn", role, "--action-names", "ecs:CreateCluster", "iam:CreateRole");
        Assert.Equal(["allowed", "implicitDeny"], simulated["EvaluationResults"]!.AsArray().Select(item => (string)item!["EvalDecision"]!));
        var caller = (string)(await JsonAsync("sts", "get-caller-identity"))["Arn"]!;
        Assert.Equal("allowed", (string?)(await JsonAsync("iam", "simulate-principal-policy", "--policy-source-arn", caller, "--action-names", "rds:CreateDBInstance"))["EvaluationResults"]![0]!["EvalDecision"]);

        var api = (string)(await JsonAsync("apigatewayv2", "create-api", "--name", name, "--protocol-type", "HTTP"))["ApiId"]!;
        var integration = (string)(await JsonAsync("apigatewayv2", "create-integration", "--api-id", api, "--integration-type", "HTTP_PROXY", "--integration-uri", "https://example.com/", "--integration-method", "GET", "--payload-format-version", "1.0"))["IntegrationId"]!;
        (await AwsAsync("apigatewayv2", "create-route", "--api-id", api, "--route-key", "GET /x", "--target", "integrations/" + integration)).EnsureSuccess();
        Assert.Contains("(ConflictException)", (await AwsAsync("apigatewayv2", "delete-integration", "--api-id", api, "--integration-id", integration)).Error, StringComparison.Ordinal);
        (await AwsAsync("apigatewayv2", "create-stage", "--api-id", api, "--stage-name", "live", "--auto-deploy")).EnsureSuccess();
        Assert.Equal("GET /x", (string?)(await JsonAsync("apigatewayv2", "get-routes", "--api-id", api))["Items"]![0]!["RouteKey"]);
        (await AwsAsync("apigatewayv2", "delete-api", "--api-id", api)).EnsureSuccess();

        // The queue is made and read inside the process: older CLIs send SQS calls to the queue's public address.
        var context = sandbox.Host.Runtime.SystemContext(sandbox.Host.AccountId, "us-west-2");
        var sqs = sandbox.Host.Runtime.Service("sqs")!;
        var queue = (string)(await sqs.InvokeAsync(context, "CreateQueue", new JsonObject { ["QueueName"] = name }))["QueueUrl"]!;
        var arn = context.Arn("sqs", name);
        (await AwsAsync("scheduler", "create-schedule", "--name", name, "--schedule-expression", "rate(5 minutes)", "--flexible-time-window", "Mode=OFF", "--target", $"Arn={arn},RoleArn={role},Input=now")).EnsureSuccess();
        var message = await CloudFormationCaller.UntilAsync(() => sqs.InvokeAsync(context, "ReceiveMessage", new JsonObject { ["QueueUrl"] = queue }), answer => answer["Messages"] is JsonArray { Count: > 0 });
        Assert.Equal("now", (string?)message["Messages"]![0]!["Body"]);
        (await AwsAsync("scheduler", "delete-schedule", "--name", name)).EnsureSuccess();
        var refused = await AwsAsync("scheduler", "create-schedule", "--name", name, "--schedule-expression", "every day", "--flexible-time-window", "Mode=OFF", "--target", $"Arn={arn},RoleArn={role}");
        Assert.Contains("(ValidationException)", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Functions_events_and_jobs_by_boto3()
    {
        var script = Path.Combine(folder, "compute.py");
        await File.WriteAllTextAsync(script, Boto, TestContext.Current.CancellationToken);
        var answer = await ExternalTool.RunAsync(ExternalTool.Require("python3"), [script, Unique("b")], Settings, TestContext.Current.CancellationToken);
        if (answer.Error.Contains("No module named 'boto3'", StringComparison.Ordinal))
        {
            Assert.Skip("boto3 is not installed");
        }
        Assert.Equal("done", answer.EnsureSuccess().Output.Trim());
    }

    private const string Boto = """
        import base64, boto3, io, json, sys, time, zipfile
        from botocore.exceptions import ClientError
        name = sys.argv[1]
        iam, fn, ev, sqs, batch, ec2 = (boto3.client(s) for s in ('iam', 'lambda', 'events', 'sqs', 'batch', 'ec2'))
        def until(ask, done):
            for _ in range(600):
                value = ask()
                if done(value):
                    return value
                time.sleep(0.05)
            raise AssertionError(f'never: {value}')
        def fails(code, call, **arguments):
            try:
                call(**arguments)
            except ClientError as e:
                assert e.response['Error']['Code'] == code, e
                return e.response
            raise AssertionError(f'{code} expected')
        trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': ['lambda.amazonaws.com', 'ec2.amazonaws.com']}, 'Action': 'sts:AssumeRole'}]}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn']
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, 'w') as z:
            z.writestr('index.py', 'def handler(e, c): return 1')
        settings = dict(FunctionName=name, Runtime='python3.13', Handler='index.handler', Role=role)
        fails('InvalidParameterValueException', fn.create_function, **settings, Code={'ZipFile': b'no zip'})
        fails('InvalidParameterValueException', fn.create_function, **{**settings, 'Runtime': 'python3.6'}, Code={'ZipFile': buffer.getvalue()})
        fails('InvalidParameterValueException', fn.create_function, **settings, Code={'ZipFile': buffer.getvalue()}, Environment={'Variables': {'AB': 'x' * 5000}})
        made = fn.create_function(**settings, Code={'ZipFile': buffer.getvalue()})
        assert made['State'] == 'Pending'
        fn.get_waiter('function_active_v2').wait(FunctionName=name, WaiterConfig={'Delay': 1})
        answer = fn.invoke(FunctionName=name, Payload=b'{"a":1}', LogType='Tail')
        got = (answer['StatusCode'], answer['Payload'].read(), answer.get('ExecutedVersion'))
        assert got == (200, b'null', '$LATEST'), got
        assert b'REPORT RequestId' in base64.b64decode(answer['LogResult'])
        fails('InvalidRequestContentException', fn.invoke, FunctionName=name, Payload=b'{')
        one = fn.publish_version(FunctionName=name)['Version']
        assert fn.publish_version(FunctionName=name)['Version'] == one == '1'
        fn.update_function_configuration(FunctionName=name, Timeout=30)
        fn.get_waiter('function_updated_v2').wait(FunctionName=name, WaiterConfig={'Delay': 1})
        assert fn.publish_version(FunctionName=name)['Version'] == '2'
        for version in '1', '2':
            fn.get_waiter('published_version_active').wait(FunctionName=name, Qualifier=version, WaiterConfig={'Delay': 1})
        fn.create_alias(FunctionName=name, Name='live', FunctionVersion='1', RoutingConfig={'AdditionalVersionWeights': {'2': 0.5}})
        versions = {fn.invoke(FunctionName=name, Qualifier='live')['ExecutedVersion'] for _ in range(40)}
        assert versions == {'1', '2'}, versions
        fails('ResourceConflictException', fn.delete_function, FunctionName=name, Qualifier='2')
        fn.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        assert fails('TooManyRequestsException', boto3.client('lambda', config=__import__('botocore').config.Config(retries={'max_attempts': 0})).invoke, FunctionName=name)['Reason'] == 'ReservedFunctionConcurrentInvocationLimitExceeded'
        fn.delete_function_concurrency(FunctionName=name)
        fn.tag_resource(Resource=made['FunctionArn'], Tags={'inferloop:sandbox-behaviour': 'outcome=error error=Boom'})
        answer = fn.invoke(FunctionName=name)
        assert answer['FunctionError'] == 'Unhandled' and json.load(answer['Payload'])['errorType'] == 'Boom'
        fn.untag_resource(Resource=made['FunctionArn'], TagKeys=['inferloop:sandbox-behaviour'])
        # An event reaches a queue whose policy lets it; without the policy it does not.
        url = sqs.create_queue(QueueName=name)['QueueUrl']
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
        rule = ev.put_rule(Name=name, EventPattern=json.dumps({'source': [name]}))['RuleArn']
        assert ev.put_targets(Rule=name, Targets=[{'Id': 'q', 'Arn': arn, 'InputTransformer': {'InputPathsMap': {'n': '$.detail.n'}, 'InputTemplate': '{"number": <n>}'}}])['FailedEntryCount'] == 0
        policy = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'events.amazonaws.com'}, 'Action': 'sqs:SendMessage', 'Resource': arn, 'Condition': {'ArnEquals': {'aws:SourceArn': rule}}}]}
        send = lambda n: ev.put_events(Entries=[{'Source': name, 'DetailType': 't', 'Detail': json.dumps({'n': n})}])
        assert send(1)['FailedEntryCount'] == 0
        watch = boto3.client('cloudwatch')
        until(lambda: watch.list_metrics(Namespace='AWS/Events', MetricName='FailedInvocations', Dimensions=[{'Name': 'RuleName', 'Value': name}])['Metrics'], lambda m: m)
        assert not sqs.receive_message(QueueUrl=url).get('Messages')
        sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': json.dumps(policy)})
        send(2)
        message = until(lambda: sqs.receive_message(QueueUrl=url), lambda a: a.get('Messages'))['Messages'][0]
        assert json.loads(message['Body']) == {'number': 2}
        assert ev.put_events(Entries=[{'Source': 'aws.s3', 'DetailType': 't', 'Detail': '{}'}])['Entries'][0]['ErrorCode'] == 'NotAuthorizedForSourceException'
        fails('ValidationException', ev.delete_rule, Name=name)
        # Jobs on Fargate, one after the other.
        vpc = ec2.create_vpc(CidrBlock='10.8.0.0/16')['Vpc']['VpcId']
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='10.8.1.0/24')['Subnet']['SubnetId']
        group = ec2.create_security_group(GroupName=name, Description='b', VpcId=vpc)['GroupId']
        fails('ClientException', batch.create_compute_environment, computeEnvironmentName=name, type='MANAGED', computeResources={'type': 'FARGATE', 'maxvCpus': 4, 'subnets': [subnet], 'securityGroupIds': [group], 'instanceTypes': ['optimal']})
        batch.create_compute_environment(computeEnvironmentName=name, type='MANAGED', computeResources={'type': 'FARGATE', 'maxvCpus': 4, 'subnets': [subnet], 'securityGroupIds': [group]})
        until(lambda: batch.describe_compute_environments(computeEnvironments=[name])['computeEnvironments'][0]['status'], lambda s: s == 'VALID')
        batch.create_job_queue(jobQueueName=name, priority=1, computeEnvironmentOrder=[{'order': 1, 'computeEnvironment': name}])
        until(lambda: batch.describe_job_queues(jobQueues=[name])['jobQueues'][0]['status'], lambda s: s == 'VALID')
        container = {'image': 'public.ecr.aws/a:1', 'executionRoleArn': role, 'resourceRequirements': [{'type': 'VCPU', 'value': '1'}, {'type': 'MEMORY', 'value': '2048'}]}
        fails('ClientException', batch.register_job_definition, jobDefinitionName=name, type='container', platformCapabilities=['FARGATE'], containerProperties={**container, 'resourceRequirements': [{'type': 'VCPU', 'value': '1'}, {'type': 'MEMORY', 'value': '512'}]})
        assert batch.register_job_definition(jobDefinitionName=name, type='container', platformCapabilities=['FARGATE'], containerProperties=container)['revision'] == 1
        first = batch.submit_job(jobName='a', jobQueue=name, jobDefinition=name)['jobId']
        second = batch.submit_job(jobName='b', jobQueue=name, jobDefinition=name, dependsOn=[{'jobId': first}])['jobId']
        until(lambda: batch.describe_jobs(jobs=[second])['jobs'][0]['status'], lambda s: s == 'SUCCEEDED')
        jobs = {j['jobId']: j for j in batch.describe_jobs(jobs=[first, second])['jobs']}
        assert jobs[second]['startedAt'] >= jobs[first]['stoppedAt']
        assert len(batch.list_jobs(jobQueue=name, jobStatus='SUCCEEDED')['jobSummaryList']) == 2
        fails('ClientException', batch.delete_compute_environment, computeEnvironment=name)
        print('done')
        """;
}
