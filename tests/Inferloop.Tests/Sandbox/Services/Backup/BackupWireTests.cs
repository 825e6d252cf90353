using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox.Services.Backup;

/// <summary>AWS Backup with boto3: plans by stack and by hand, jobs of databases, tables and buckets, copies across regions, restorations.</summary>
public sealed class BackupWireTests : IAsyncLifetime
{
    // Recovery points expire after a day at the earliest: six seconds here.
    private readonly SandboxFixture sandbox = new(new SandboxOptions { ClockRate = 14_400, Seed = 5 });

    public async ValueTask InitializeAsync() => await sandbox.InitializeAsync();

    public async ValueTask DisposeAsync() => await sandbox.DisposeAsync();

    [Fact]
    public Task Backups_are_taken_copied_restored_and_expire() => Boto.RunAsync(sandbox.Host, """
        import boto3, botocore.exceptions, json, time
        b, west, iam, s3, ddb, ddbw, rds, ec2 = boto3.client('backup'), boto3.client('backup', region_name='us-west-2'), boto3.client('iam'), boto3.client('s3'), boto3.client('dynamodb'), boto3.client('dynamodb', region_name='us-west-2'), boto3.client('rds'), boto3.client('ec2')
        def fails(code, call, **kw):
            try: call(**kw)
            except botocore.exceptions.ClientError as e:
                assert e.response['Error']['Code'] == code, e.response
                return e.response['Error']['Message']
            raise AssertionError('no error')
        def until(call, done, what, seconds=60):
            end = time.time() + seconds
            while not done(found := call()):
                assert time.time() < end, (what, found)
                time.sleep(0.1)
            return found
        trust = lambda service: json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': service}, 'Action': 'sts:AssumeRole'}]})
        role = iam.create_role(RoleName='bk-role', AssumeRolePolicyDocument=trust('backup.amazonaws.com'))['Role']['Arn']
        other = iam.create_role(RoleName='bk-other', AssumeRolePolicyDocument=trust('ec2.amazonaws.com'))['Role']['Arn']
        tags = [{'Key': 'backup', 'Value': 'daily'}]
        table = ddb.create_table(TableName='bk-jobs', AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}], BillingMode='PAY_PER_REQUEST', Tags=tags)['TableDescription']['TableArn']
        ddb.get_waiter('table_exists').wait(TableName='bk-jobs', WaiterConfig={'Delay': 1})
        for i in range(20): ddb.put_item(TableName='bk-jobs', Item={'id': {'S': str(i)}})
        s3.create_bucket(Bucket='bk-data'); s3.put_object(Bucket='bk-data', Key='a/1', Body=b'one')
        vpc = ec2.create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']
        subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.9.{i}.0/24', AvailabilityZone='us-east-1' + z)['Subnet']['SubnetId'] for i, z in enumerate('ab')]
        rds.create_db_subnet_group(DBSubnetGroupName='bk-net', DBSubnetGroupDescription='d', SubnetIds=subnets)
        rds.create_db_instance(DBInstanceIdentifier='bk-db', Engine='postgres', DBInstanceClass='db.t4g.micro', AllocatedStorage=20, MasterUsername='app', MasterUserPassword='secret-1234', DBSubnetGroupName='bk-net', BackupRetentionPeriod=0, Tags=tags, StorageEncrypted=True)
        database = until(lambda: rds.describe_db_instances(DBInstanceIdentifier='bk-db')['DBInstances'][0], lambda d: d['DBInstanceStatus'] == 'available', 'db')['DBInstanceArn']

        b.create_backup_vault(BackupVaultName='bk-vault', BackupVaultTags={'a': '1'})
        fails('AlreadyExistsException', b.create_backup_vault, BackupVaultName='bk-vault')
        far = west.create_backup_vault(BackupVaultName='bk-far')['BackupVaultArn']
        assert 'cannot be assumed' in fails('InvalidParameterValueException', b.start_backup_job, BackupVaultName='bk-vault', ResourceArn=table, IamRoleArn=other)
        fails('ResourceNotFoundException', b.start_backup_job, BackupVaultName='bk-none', ResourceArn=table, IamRoleArn=role)
        fails('ResourceNotFoundException', b.start_backup_job, BackupVaultName='bk-vault', ResourceArn=table + 'x', IamRoleArn=role)
        fails('ResourceNotFoundException', b.start_backup_job, BackupVaultName='bk-vault', ResourceArn='arn:aws:ec2:us-east-1:123456789012:volume/vol-1', IamRoleArn=role)
        fails('InvalidParameterValueException', b.start_backup_job, BackupVaultName='bk-vault', ResourceArn='arn:aws:elasticfilesystem:us-east-1:123456789012:file-system/fs-1', IamRoleArn=role)
        volume = ec2.create_volume(AvailabilityZone='us-east-1a', Size=20, VolumeType='gp3', Encrypted=True)['VolumeId']
        ec2.get_waiter('volume_available').wait(VolumeIds=[volume], WaiterConfig={'Delay': 1})
        job = lambda id: b.describe_backup_job(BackupJobId=id)
        run = lambda arn, **kw: until(lambda i=b.start_backup_job(BackupVaultName='bk-vault', ResourceArn=arn, IamRoleArn=role, **kw)['BackupJobId']: job(i), lambda j: j['State'] in ('COMPLETED', 'FAILED'), arn)
        assert 'Versioning is not enabled' in run('arn:aws:s3:::bk-data')['StatusMessage']
        s3.put_bucket_versioning(Bucket='bk-data', VersioningConfiguration={'Status': 'Enabled'})
        of_table, of_bucket, of_db = run(table, RecoveryPointTags={'k': 'v'}), run('arn:aws:s3:::bk-data'), run(database, Lifecycle={'DeleteAfterDays': 1})
        assert [j['State'] for j in (of_table, of_bucket, of_db)] == ['COMPLETED'] * 3, (of_table, of_bucket, of_db)
        assert ':snapshot:awsbackup:job-' in of_db['RecoveryPointArn'] and ':recovery-point:bk-data-' in of_bucket['RecoveryPointArn']
        assert rds.describe_db_snapshots(SnapshotType='awsbackup')['DBSnapshots'][0]['DBSnapshotArn'] == of_db['RecoveryPointArn']
        assert b.list_tags(ResourceArn=of_table['RecoveryPointArn'])['Tags'] == {'k': 'v'}
        assert {r['ResourceType'] for r in b.list_protected_resources()['Results']} >= {'DynamoDB', 'S3', 'RDS'}
        assert b.describe_backup_vault(BackupVaultName='bk-vault')['NumberOfRecoveryPoints'] >= 2
        fails('InvalidRequestException', b.delete_backup_vault, BackupVaultName='bk-vault')

        of_volume = run(f'arn:aws:ec2:us-east-1:123456789012:volume/{volume}')
        assert of_volume['State'] == 'COMPLETED' and ':snapshot/snap-' in of_volume['RecoveryPointArn'], of_volume
        assert ec2.describe_snapshots(OwnerIds=['self'])['Snapshots'][0]['VolumeId'] == volume

        # To another region, and a table and a database out of the copies there.
        ddb.delete_item(TableName='bk-jobs', Key={'id': {'S': '3'}})
        copy = lambda point: until(lambda i=b.start_copy_job(RecoveryPointArn=point, SourceBackupVaultName='bk-vault', DestinationBackupVaultArn=far, IamRoleArn=role)['CopyJobId']: b.describe_copy_job(CopyJobId=i)['CopyJob'], lambda j: j['State'] in ('COMPLETED', 'FAILED'), point)
        copied = copy(of_table['RecoveryPointArn'])
        assert copied['State'] == 'COMPLETED' and ':us-west-2:' in copied['DestinationRecoveryPointArn'], copied
        point = west.describe_recovery_point(BackupVaultName='bk-far', RecoveryPointArn=copied['DestinationRecoveryPointArn'])
        assert point['Status'] == 'COMPLETED' and point['SourceBackupVaultArn'].endswith(':bk-vault') and point['ResourceArn'] == table, point
        def restore(client, point, **metadata):
            id = client.start_restore_job(RecoveryPointArn=point, IamRoleArn=role, Metadata=metadata)['RestoreJobId']
            return until(lambda: client.describe_restore_job(RestoreJobId=id), lambda j: j['Status'] in ('COMPLETED', 'FAILED'), point)
        done = restore(west, copied['DestinationRecoveryPointArn'], targetTableName='bk-restored', encryptionType='Default')
        assert done['Status'] == 'COMPLETED' and done['CreatedResourceArn'].startswith('arn:aws:dynamodb:us-west-2:'), done
        assert ddbw.scan(TableName='bk-restored')['Count'] == 20
        assert restore(west, copied['DestinationRecoveryPointArn'], targetTableName='bk-restored')['Status'] == 'FAILED'
        there = copy(of_volume['RecoveryPointArn'])
        assert there['State'] == 'COMPLETED' and there['DestinationRecoveryPointArn'].startswith('arn:aws:ec2:us-west-2::snapshot/'), there
        done = restore(west, there['DestinationRecoveryPointArn'], availabilityZone='us-west-2b', volumeSize='30')
        made = boto3.client('ec2', region_name='us-west-2').describe_volumes(VolumeIds=[done['CreatedResourceArn'].split('/')[-1]])['Volumes'][0]
        assert (made['Size'], made['AvailabilityZone'], made['Encrypted'], made['State']) == (30, 'us-west-2b', True, 'available'), made
        s3.delete_object(Bucket='bk-data', Key='a/1')
        assert restore(b, of_bucket['RecoveryPointArn'], DestinationBucketName='bk-data', NewBucket='false')['Status'] == 'COMPLETED'
        assert s3.get_object(Bucket='bk-data', Key='a/1')['Body'].read() == b'one'
        of_db = run(database)
        metadata = b.get_recovery_point_restore_metadata(BackupVaultName='bk-vault', RecoveryPointArn=of_db['RecoveryPointArn'])['RestoreMetadata']
        metadata['DBInstanceIdentifier'] = 'bk-db2'
        done = restore(b, of_db['RecoveryPointArn'], **metadata)
        assert done['Status'] == 'COMPLETED' and done['CreatedResourceArn'].endswith(':db:bk-db2'), done
        assert rds.describe_db_instances(DBInstanceIdentifier='bk-db2')['DBInstances'][0]['DBInstanceStatus'] in ('available', 'backing-up')
        assert copy(of_db['RecoveryPointArn'])['State'] == 'COMPLETED'

        # A plan by stack: what its selection takes is backed up when its schedule says so, and copied.
        template = {'Resources': {
            'Vault': {'Type': 'AWS::Backup::BackupVault', 'Properties': {'BackupVaultName': 'bk-stack', 'BackupVaultTags': {'x': 'y'}, 'LockConfiguration': {'MinRetentionDays': 1, 'MaxRetentionDays': 30}}},
            'Plan': {'Type': 'AWS::Backup::BackupPlan', 'Properties': {'BackupPlan': {'BackupPlanName': 'bk-daily', 'BackupPlanRule': [{'RuleName': 'hourly', 'TargetBackupVault': {'Ref': 'Vault'}, 'ScheduleExpression': 'cron(0 * * * ? *)',
                'StartWindowMinutes': 60, 'CompletionWindowMinutes': 240, 'Lifecycle': {'DeleteAfterDays': 1}, 'CopyActions': [{'DestinationBackupVaultArn': far, 'Lifecycle': {'DeleteAfterDays': 2}}]}]}}},
            'Selection': {'Type': 'AWS::Backup::BackupSelection', 'Properties': {'BackupPlanId': {'Ref': 'Plan'}, 'BackupSelection': {'SelectionName': 'tagged', 'IamRoleArn': role, 'ListOfTags': [{'ConditionType': 'STRINGEQUALS', 'ConditionKey': 'backup', 'ConditionValue': 'daily'}]}}}},
            'Outputs': {'Plan': {'Value': {'Ref': 'Plan'}}, 'Vault': {'Value': {'Fn::GetAtt': ['Vault', 'BackupVaultArn']}}}}
        c = boto3.client('cloudformation')
        fast = {'Delay': 1, 'MaxAttempts': 60}
        c.create_stack(StackName='bk', TemplateBody=json.dumps(template))
        c.get_waiter('stack_create_complete').wait(StackName='bk', WaiterConfig=fast)
        drift = c.detect_stack_drift(StackName='bk')['StackDriftDetectionId']
        until(lambda: c.describe_stack_drift_detection_status(StackDriftDetectionId=drift), lambda d: d.get('StackDriftStatus') == 'IN_SYNC', 'drift')
        points = lambda client, vault: client.list_recovery_points_by_backup_vault(BackupVaultName=vault)['RecoveryPoints']
        found = until(lambda: points(b, 'bk-stack'), lambda p: {i['ResourceType'] for i in p if i['Status'] == 'COMPLETED'} == {'DynamoDB', 'RDS'}, 'scheduled')
        assert all(p['CreatedBy']['BackupPlanArn'].endswith(p['CreatedBy']['BackupPlanId']) and p['CalculatedLifecycle']['DeleteAt'] for p in found), found
        assert 'WORM' in fails('InvalidRequestException', b.delete_recovery_point, BackupVaultName='bk-stack', RecoveryPointArn=found[0]['RecoveryPointArn'])
        # On an unlocked vault a retention of its own is as good; in this one forever is too long.
        j = b.start_backup_job(BackupVaultName='bk-stack', ResourceArn=table, IamRoleArn=role)['BackupJobId']
        assert 'maximum retention' in until(lambda: job(j), lambda d: d['State'] == 'FAILED', 'retention')['StatusMessage']
        until(lambda: [p for p in points(west, 'bk-far') if p.get('Lifecycle', {}).get('DeleteAfterDays') == 2 and p['Status'] == 'COMPLETED'], lambda p: p, 'plan copies')
        template['Resources'].pop('Selection')
        template['Outputs'].pop('Plan'); template['Resources'].pop('Plan')
        c.update_stack(StackName='bk', TemplateBody=json.dumps(template))
        c.get_waiter('stack_update_complete').wait(StackName='bk', WaiterConfig=fast)
        # A day later they are gone, and with them the vault can be.
        until(lambda: points(b, 'bk-stack'), lambda p: not p, 'expiry')
        c.delete_stack(StackName='bk')
        c.get_waiter('stack_delete_complete').wait(StackName='bk', WaiterConfig=fast)
        assert [v['BackupVaultName'] for v in b.list_backup_vaults()['BackupVaultList'] if v['BackupVaultName'].startswith('bk-')] == ['bk-vault']

        b.put_backup_vault_access_policy(BackupVaultName='bk-vault', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Deny', 'Principal': '*', 'Action': 'backup:DeleteRecoveryPoint', 'Resource': '*'}]}))
        fails('AccessDeniedException', b.delete_recovery_point, BackupVaultName='bk-vault', RecoveryPointArn=of_table['RecoveryPointArn'])
        b.delete_backup_vault_access_policy(BackupVaultName='bk-vault')
        b.delete_recovery_point(BackupVaultName='bk-vault', RecoveryPointArn=of_table['RecoveryPointArn'])
        fails('ResourceNotFoundException', b.describe_recovery_point, BackupVaultName='bk-vault', RecoveryPointArn=of_table['RecoveryPointArn'])
        print('done')
        """);
}
