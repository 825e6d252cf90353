using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Several accounts in one sandbox, as boto3 meets them: made by Organizations, entered by AssumeRole, apart from each other but for what policies let through.</summary>
public sealed class AccountTests : IAsyncLifetime
{
    private readonly SandboxFixture sandbox = new(new SandboxOptions { ClockRate = 3600, Seed = 5 });

    public async ValueTask InitializeAsync() => await sandbox.InitializeAsync();

    public async ValueTask DisposeAsync() => await sandbox.DisposeAsync();

    /// <summary>A second account, and a session in it by the role that its making left.</summary>
    private const string Second = """
        import boto3, json, time
        from botocore.exceptions import ClientError

        def fails(code, call, **args):
            try:
                call(**args)
            except ClientError as e:
                assert e.response['Error']['Code'] == code, e.response['Error']
                return e
            raise AssertionError('should have failed with ' + code)

        me = boto3.client('sts').get_caller_identity()
        organizations = boto3.client('organizations')
        made = organizations.create_account(AccountName='workload', Email='workload@example.com')['CreateAccountStatus']
        assert made['State'] == 'IN_PROGRESS'
        while made['State'] == 'IN_PROGRESS':
            time.sleep(0.02)
            made = organizations.describe_create_account_status(CreateAccountRequestId=made['Id'])['CreateAccountStatus']
        assert made['State'] == 'SUCCEEDED', made
        other = made['AccountId']

        def session(role='OrganizationAccountAccessRole', account=None, sts=None, **more):
            keys = (sts or boto3.client('sts')).assume_role(RoleArn=f'arn:aws:iam::{account or other}:role/{role}', RoleSessionName='test', **more)['Credentials']
            return boto3.Session(keys['AccessKeyId'], keys['SecretAccessKey'], keys['SessionToken'], region_name='us-east-1')

        second = session()
        assert second.client('sts').get_caller_identity()['Account'] == other

        """;

    [Fact]
    public async Task An_organization_makes_accounts_which_are_apart() => await Boto.RunAsync(sandbox.Host, Second + """
        assert {a['Id']: a['JoinedMethod'] for a in organizations.list_accounts()['Accounts']} == {me['Account']: 'INVITED', other: 'CREATED'}
        root = organizations.list_roots()['Roots'][0]['Id']
        unit = organizations.create_organizational_unit(ParentId=root, Name='workloads')['OrganizationalUnit']['Id']
        organizations.move_account(AccountId=other, SourceParentId=root, DestinationParentId=unit)
        assert [a['Name'] for a in organizations.list_accounts_for_parent(ParentId=unit)['Accounts']] == ['workload']
        assert organizations.list_parents(ChildId=other)['Parents'][0]['Id'] == unit
        assert second.client('organizations').describe_organization()['Organization']['MasterAccountId'] == me['Account']
        fails('AccessDeniedException', second.client('organizations').list_accounts)
        again = organizations.create_account(AccountName='again', Email='workload@example.com')['CreateAccountStatus']
        while again['State'] == 'IN_PROGRESS':
            time.sleep(0.02)
            again = organizations.describe_create_account_status(CreateAccountRequestId=again['Id'])['CreateAccountStatus']
        assert (again['State'], again['FailureReason']) == ('FAILED', 'EMAIL_ALREADY_EXISTS')

        # What one account has, the other does not see; only names of buckets are everybody's.
        for s in (boto3.Session(region_name='us-east-1'), second):
            s.client('dynamodb').create_table(TableName='jobs', AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}], BillingMode='PAY_PER_REQUEST')
        second.client('dynamodb').get_waiter('table_exists').wait(TableName='jobs', WaiterConfig={'Delay': 1})
        boto3.client('dynamodb').get_waiter('table_exists').wait(TableName='jobs', WaiterConfig={'Delay': 1})
        boto3.client('dynamodb').put_item(TableName='jobs', Item={'id': {'S': 'a'}})
        assert second.client('dynamodb').scan(TableName='jobs')['Count'] == 0
        boto3.client('s3').create_bucket(Bucket='only-one')
        fails('BucketAlreadyExists', second.client('s3').create_bucket, Bucket='only-one')
        template = json.dumps({'Resources': {'Topic': {'Type': 'AWS::SNS::Topic', 'Properties': {'TopicName': 'made'}}}})
        second.client('cloudformation').create_stack(StackName='s', TemplateBody=template)
        second.client('cloudformation').get_waiter('stack_create_complete').wait(StackName='s', WaiterConfig={'Delay': 1})
        assert second.client('sns').list_topics()['Topics'][0]['TopicArn'] == f'arn:aws:sns:us-east-1:{other}:made'
        assert boto3.client('sns').list_topics()['Topics'] == []
        fails('ValidationError', boto3.client('cloudformation').describe_stacks, StackName='s')
        print('done')
        """);

    [Fact]
    public async Task A_role_is_assumed_by_those_whom_it_trusts() => await Boto.RunAsync(sandbox.Host, Second + """
        iam = second.client('iam')
        def role(name, principal, condition=None):
            statement = {'Effect': 'Allow', 'Principal': principal, 'Action': 'sts:AssumeRole'}
            if condition:
                statement['Condition'] = condition
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [statement]}))
        role('deployer', {'AWS': f"arn:aws:iam::{me['Account']}:root"})
        role('external', {'AWS': me['Account']}, {'StringEquals': {'sts:ExternalId': 'secret'}})
        role('service', {'Service': 'lambda.amazonaws.com'})
        role('chained', {'AWS': f'arn:aws:iam::{other}:role/deployer'})
        assert session('deployer').client('sts').get_caller_identity()['Arn'] == f'arn:aws:sts::{other}:assumed-role/deployer/test'
        fails('AccessDenied', session, role='service')
        fails('AccessDenied', session, role='absent')
        fails('AccessDenied', session, role='external')
        session('external', ExternalId='secret')
        fails('AccessDenied', session, role='chained')
        assert session('chained', sts=session('deployer').client('sts')).client('sts').get_caller_identity()['Account'] == other

        # Users of the account, with keys of their own that can be switched off.
        user = iam.create_user(UserName='robot')['User']
        key = iam.create_access_key(UserName='robot')['AccessKey']
        robot = boto3.Session(key['AccessKeyId'], key['SecretAccessKey'], region_name='us-east-1')
        assert robot.client('sts').get_caller_identity()['Arn'] == user['Arn'] == f'arn:aws:iam::{other}:user/robot'
        assert robot.client('iam').get_user()['User']['UserId'] == user['UserId']
        iam.create_access_key(UserName='robot')
        fails('LimitExceeded', iam.create_access_key, UserName='robot')
        iam.update_access_key(UserName='robot', AccessKeyId=key['AccessKeyId'], Status='Inactive')
        fails('InvalidClientTokenId', robot.client('sts').get_caller_identity)
        iam.update_access_key(UserName='robot', AccessKeyId=key['AccessKeyId'], Status='Active')
        robot.client('sts').get_caller_identity()
        iam.attach_user_policy(UserName='robot', PolicyArn='arn:aws:iam::aws:policy/ReadOnlyAccess')
        assert iam.simulate_principal_policy(PolicySourceArn=user['Arn'], ActionNames=['s3:DeleteBucket'])['EvaluationResults'][0]['EvalDecision'] == 'implicitDeny'
        fails('DeleteConflict', iam.delete_user, UserName='robot')
        for k in iam.list_access_keys(UserName='robot')['AccessKeyMetadata']:
            iam.delete_access_key(UserName='robot', AccessKeyId=k['AccessKeyId'])
        fails('InvalidClientTokenId', robot.client('sts').get_caller_identity)
        iam.detach_user_policy(UserName='robot', PolicyArn='arn:aws:iam::aws:policy/ReadOnlyAccess')
        iam.delete_user(UserName='robot')
        fails('NoSuchEntity', iam.get_user, UserName='robot')
        print('done')
        """);

    [Fact]
    public async Task Policies_of_resources_let_another_account_do_what_they_say() => await Boto.RunAsync(sandbox.Host, Second + """
        root = {'AWS': f'arn:aws:iam::{other}:root'}
        def policy(actions, resource):
            return json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': root, 'Action': actions, 'Resource': resource}]})
        s3, theirs = boto3.client('s3'), second.client('s3')
        s3.create_bucket(Bucket='shared')
        s3.put_object(Bucket='shared', Key='open/a', Body=b'a')
        s3.put_object(Bucket='shared', Key='closed/b', Body=b'b')
        fails('AccessDenied', theirs.get_object, Bucket='shared', Key='open/a')
        s3.put_bucket_policy(Bucket='shared', Policy=policy(['s3:GetObject'], 'arn:aws:s3:::shared/open/*'))
        assert theirs.get_object(Bucket='shared', Key='open/a')['Body'].read() == b'a'
        fails('AccessDenied', theirs.get_object, Bucket='shared', Key='closed/b')
        fails('AccessDenied', theirs.put_object, Bucket='shared', Key='open/c', Body=b'c')
        fails('AccessDenied', theirs.list_objects_v2, Bucket='shared')

        sqs = boto3.client('sqs')
        url = sqs.create_queue(QueueName='work')['QueueUrl']
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
        fails('AccessDenied', second.client('sqs').send_message, QueueUrl=url, MessageBody='m')
        sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': policy(['sqs:SendMessage'], arn)})
        second.client('sqs').send_message(QueueUrl=url, MessageBody='m')
        second.client('sqs').send_message_batch(QueueUrl=url, Entries=[{'Id': '1', 'MessageBody': 'n'}])
        fails('AccessDenied', second.client('sqs').receive_message, QueueUrl=url)
        assert sqs.receive_message(QueueUrl=url)['Messages'][0]['Body'] == 'm'

        topic = boto3.client('sns').create_topic(Name='alerts')['TopicArn']
        fails('AuthorizationError', second.client('sns').publish, TopicArn=topic, Message='m')
        boto3.client('sns').add_permission(TopicArn=topic, Label='p', AWSAccountId=[other], ActionName=['Publish'])
        second.client('sns').publish(TopicArn=topic, Message='m')
        fails('AuthorizationError', second.client('sns').delete_topic, TopicArn=topic)

        kms = boto3.client('kms')
        key = kms.create_key()['KeyMetadata']
        fails('AccessDeniedException', second.client('kms').encrypt, KeyId=key['Arn'], Plaintext=b'p')
        own = json.loads(kms.get_key_policy(KeyId=key['KeyId'], PolicyName='default')['Policy'])
        own['Statement'].append({'Effect': 'Allow', 'Principal': root, 'Action': ['kms:Encrypt'], 'Resource': '*'})
        kms.put_key_policy(KeyId=key['KeyId'], PolicyName='default', Policy=json.dumps(own))
        sealed = second.client('kms').encrypt(KeyId=key['Arn'], Plaintext=b'p')['CiphertextBlob']
        fails('AccessDeniedException', second.client('kms').decrypt, KeyId=key['Arn'], CiphertextBlob=sealed)
        assert kms.decrypt(CiphertextBlob=sealed)['Plaintext'] == b'p'

        ecr = boto3.client('ecr')
        ecr.create_repository(repositoryName='app')
        manifest = json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.docker.distribution.manifest.v2+json', 'config': {'digest': 'sha256:' + 'a' * 64, 'size': 1}, 'layers': []})
        ecr.put_image(repositoryName='app', imageTag='v1', imageManifest=manifest)
        wanted = dict(registryId=me['Account'], repositoryName='app', imageIds=[{'imageTag': 'v1'}])
        fails('AccessDeniedException', second.client('ecr').batch_get_image, **wanted)
        ecr.set_repository_policy(repositoryName='app', policyText=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': root, 'Action': ['ecr:BatchGetImage']}]}))
        assert second.client('ecr').batch_get_image(**wanted)['images'][0]['imageId']['imageTag'] == 'v1'
        fails('AccessDeniedException', second.client('ecr').describe_images, **wanted)

        # Images are replicated into another account's registry when that lets them.
        ecr.put_replication_configuration(replicationConfiguration={'rules': [{'destinations': [{'region': 'us-west-2', 'registryId': other}]}]})
        def push(tag):
            image = ecr.put_image(repositoryName='app', imageTag=tag, imageManifest=manifest.replace('a' * 64, tag * 64))['image']['imageId']
            while True:
                status = ecr.describe_image_replication_status(repositoryName='app', imageId={'imageDigest': image['imageDigest']})['replicationStatuses'][0]
                if status['status'] != 'IN_PROGRESS':
                    return status['status'], status.get('failureCode')
                time.sleep(0.02)
        assert push('b') == ('FAILED', 'AccessDeniedException')
        there = second.client('ecr', region_name='us-west-2')
        there.put_registry_policy(policyText=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'AWS': f"arn:aws:iam::{me['Account']}:root"},
            'Action': ['ecr:ReplicateImage', 'ecr:CreateRepository'], 'Resource': f'arn:aws:ecr:us-west-2:{other}:repository/*'}]}))
        assert push('c') == ('COMPLETE', None)
        assert [i['imageTag'] for i in there.list_images(repositoryName='app')['imageIds']] == ['c']
        print('done')
        """);
}
