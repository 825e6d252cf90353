namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Logs with boto3: a query to its end, and a subscription that reaches a function.</summary>
public sealed class LogsWireTests(SandboxFixture sandbox)
{
    [Fact]
    public Task Queries_and_subscriptions_with_boto3() => Boto.RunAsync(sandbox.Host, """
        import boto3, botocore.exceptions, io, json, time, zipfile
        logs, lam, iam, cw = boto3.client('logs'), boto3.client('lambda'), boto3.client('iam'), boto3.client('cloudwatch')
        def fails(code, call, **kw):
            try: call(**kw)
            except botocore.exceptions.ClientError as e:
                assert e.response['Error']['Code'] == code, e.response
                return e.response
            raise AssertionError('no error')
        logs.create_log_group(logGroupName='/wire/app'); logs.create_log_stream(logGroupName='/wire/app', logStreamName='s')
        role = iam.create_role(RoleName='wire-fn', AssumeRolePolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'lambda.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}))['Role']['Arn']
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w') as z: z.writestr('index.py', 'def handler(e, c): return 1')
        arn = lam.create_function(FunctionName='wire-fn', Runtime='python3.12', Role=role, Handler='index.handler', Code={'ZipFile': packed.getvalue()})['FunctionArn']
        lam.get_waiter('function_active_v2').wait(FunctionName='wire-fn', WaiterConfig={'Delay': 1})
        put = dict(logGroupName='/wire/app', filterName='f', filterPattern='ERROR', destinationArn=arn)
        assert 'given CloudWatch Logs permission' in fails('InvalidParameterException', logs.put_subscription_filter, **put)['Error']['Message']
        lam.add_permission(FunctionName='wire-fn', StatementId='logs', Action='lambda:InvokeFunction', Principal='logs.amazonaws.com')
        logs.put_subscription_filter(**put)
        created = logs.describe_log_groups(logGroupNamePrefix='/wire/app')['logGroups'][0]['creationTime']
        logs.put_log_events(logGroupName='/wire/app', logStreamName='s', logEvents=[{'timestamp': created + i, 'message': m} for i, m in enumerate(['INFO a=1', 'ERROR a=2', 'ERROR a=3'])])
        end = time.time() + 30
        q = logs.start_query(logGroupName='/wire/app', startTime=created // 1000 - 60, endTime=created // 1000 + 3600, queryString='parse @message "* a=*" as level, a | stats sum(a) as total by level | sort total desc')['queryId']
        while (r := logs.get_query_results(queryId=q))['status'] != 'Complete': assert time.time() < end; time.sleep(0.05)
        assert [{f['field']: f['value'] for f in row} for row in r['results']] == [{'level': 'ERROR', 'total': '5'}, {'level': 'INFO', 'total': '1'}], r
        assert r['statistics']['recordsScanned'] == 3.0 and r['statistics']['recordsMatched'] == 3.0
        bad = fails('MalformedQueryException', logs.start_query, logGroupName='/wire/app', startTime=0, endTime=created // 1000 + 3600, queryString='fields @message | whatever')
        assert bad['queryCompileError']['location']['startCharOffset'] == 18, bad
        # The two errors came in one delivery, as one invocation.
        while not any('START RequestId' in e['message'] for g in logs.describe_log_groups(logGroupNamePrefix='/aws/lambda/wire-fn')['logGroups'] for e in logs.filter_log_events(logGroupName=g['logGroupName'])['events']):
            assert time.time() < end; time.sleep(0.1)
        print('done')
        """);
}
