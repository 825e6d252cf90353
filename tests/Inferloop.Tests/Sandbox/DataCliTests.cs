namespace Inferloop.Tests.Sandbox;

/// <summary>boto3, a client nobody here wrote, on what the data services do beside storing: streams, backups, replicas.</summary>
public sealed class DataCliTests(SandboxFixture sandbox) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-data-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task RunAsync(string script)
    {
        var path = Path.Combine(folder, "script.py");
        await File.WriteAllTextAsync(path, Start + script, TestContext.Current.CancellationToken);
        var answer = await ExternalTool.RunAsync(ExternalTool.Require("python3"), [path, "d" + Guid.NewGuid().ToString("N")[..8]], new Dictionary<string, string?>
        {
            ["AWS_ACCESS_KEY_ID"] = sandbox.Host.AccessKeyId,
            ["AWS_SECRET_ACCESS_KEY"] = sandbox.Host.SecretAccessKey,
            ["AWS_SESSION_TOKEN"] = null,
            ["AWS_DEFAULT_REGION"] = "us-west-2",
            ["AWS_ENDPOINT_URL"] = sandbox.Host.Endpoint.ToString(),
            ["AWS_EC2_METADATA_DISABLED"] = "true",
            ["AWS_CONFIG_FILE"] = Path.Combine(folder, "none"),
            ["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(folder, "none"),
        }, TestContext.Current.CancellationToken);
        if (answer.Error.Contains("No module named 'boto3'", StringComparison.Ordinal))
        {
            Assert.Skip("boto3 is not installed");
        }
        Assert.Equal("done", answer.EnsureSuccess().Output.Trim());
    }

    [Fact]
    public Task Tables_with_streams_backups_and_replicas_by_boto3() => RunAsync(Tables);

    [Fact]
    public Task Keys_secrets_and_images_in_two_regions_by_boto3() => RunAsync(Regions);

    private const string Regions = """
        east = {'region_name': 'us-east-1'}
        kms, kms_east = boto3.client('kms'), boto3.client('kms', **east)
        key = kms.create_key(MultiRegion=True)['KeyMetadata']['KeyId']
        sealed = kms.encrypt(KeyId=key, Plaintext=b'hello')['CiphertextBlob']
        assert kms.replicate_key(KeyId=key, ReplicaRegion='us-east-1')['ReplicaKeyMetadata']['MultiRegionConfiguration']['MultiRegionKeyType'] == 'REPLICA'
        until(lambda: kms_east.describe_key(KeyId=key)['KeyMetadata'], lambda k: k['KeyState'] == 'Enabled')
        assert kms_east.decrypt(CiphertextBlob=sealed)['Plaintext'] == b'hello'
        fails('UnsupportedOperationException', kms_east.update_primary_region, KeyId=key, PrimaryRegion='us-east-1')
        kms.update_primary_region(KeyId=key, PrimaryRegion='us-east-1')
        until(lambda: kms_east.describe_key(KeyId=key)['KeyMetadata'], lambda k: k['KeyState'] == 'Enabled' and k['MultiRegionConfiguration']['MultiRegionKeyType'] == 'PRIMARY')
        secrets, secrets_east = boto3.client('secretsmanager'), boto3.client('secretsmanager', **east)
        secrets.create_secret(Name=name, SecretString='one')
        assert secrets.replicate_secret_to_regions(SecretId=name, AddReplicaRegions=[{'Region': 'us-east-1', 'KmsKeyId': key}])['ReplicationStatus'][0]['Region'] == 'us-east-1'
        until(lambda: secrets.describe_secret(SecretId=name)['ReplicationStatus'][0], lambda s: s['Status'] == 'InSync')
        secrets.put_secret_value(SecretId=name, SecretString='two')
        until(lambda: secrets_east.get_secret_value(SecretId=name)['SecretString'], lambda v: v == 'two')
        fails('InvalidRequestException', secrets_east.put_secret_value, SecretId=name, SecretString='no')
        secrets_east.stop_replication_to_replica(SecretId=name)
        secrets_east.put_secret_value(SecretId=name, SecretString='mine')
        until(lambda: secrets.describe_secret(SecretId=name), lambda s: 'ReplicationStatus' not in s)
        ecr, ecr_east = boto3.client('ecr'), boto3.client('ecr', **east)
        ecr.create_repository(repositoryName=name)
        registry = ecr.describe_registry()['registryId']
        ecr.put_replication_configuration(replicationConfiguration={'rules': [{'destinations': [{'region': 'us-east-1', 'registryId': registry}], 'repositoryFilters': [{'filter': name, 'filterType': 'PREFIX_MATCH'}]}]})
        ecr.put_image(repositoryName=name, imageTag='v1', imageManifest=json.dumps({'schemaVersion': 2}))
        until(lambda: ecr.describe_image_replication_status(repositoryName=name, imageId={'imageTag': 'v1'})['replicationStatuses'], lambda s: [i['status'] for i in s] == ['COMPLETE'])
        assert ecr_east.list_images(repositoryName=name)['imageIds'][0]['imageTag'] == 'v1'
        ecr.put_replication_configuration(replicationConfiguration={'rules': []})
        print('done')
        """;

    private const string Start = """
        import boto3, json, sys, time, datetime
        from botocore.exceptions import ClientError
        name = sys.argv[1]
        def until(ask, done):
            for _ in range(1200):
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

        """;

    private const string Tables = """
        db, streams = boto3.client('dynamodb'), boto3.client('dynamodbstreams')
        active = lambda client, table: until(lambda: client.describe_table(TableName=table)['Table'], lambda t: t['TableStatus'] == 'ACTIVE')
        db.create_table(TableName=name, AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
                        BillingMode='PAY_PER_REQUEST', StreamSpecification={'StreamEnabled': True, 'StreamViewType': 'NEW_AND_OLD_IMAGES'})
        arn = active(db, name)['LatestStreamArn']
        db.put_item(TableName=name, Item={'id': {'S': 'a'}, 'n': {'N': '1'}})
        db.update_item(TableName=name, Key={'id': {'S': 'a'}}, UpdateExpression='ADD n :one', ExpressionAttributeValues={':one': {'N': '1'}})
        db.delete_item(TableName=name, Key={'id': {'S': 'a'}})
        assert streams.list_streams(TableName=name)['Streams'] == [{'StreamArn': arn, 'TableName': name, 'StreamLabel': arn.split('/')[-1]}]
        shards = [s for page in [streams.describe_stream(StreamArn=arn)] for s in page['StreamDescription']['Shards']]
        records = [r for s in shards for r in streams.get_records(ShardIterator=streams.get_shard_iterator(StreamArn=arn, ShardId=s['ShardId'], ShardIteratorType='TRIM_HORIZON')['ShardIterator'])['Records']]
        assert [r['eventName'] for r in records] == ['INSERT', 'MODIFY', 'REMOVE'], records
        assert records[1]['dynamodb']['OldImage']['n'] == {'N': '1'} and records[1]['dynamodb']['NewImage']['n'] == {'N': '2'}
        assert isinstance(records[0]['dynamodb']['ApproximateCreationDateTime'], datetime.datetime)
        fails('ResourceNotFoundException', streams.describe_stream, StreamArn=arn[:-1] + 'x')
        # A backup and what is restored from it.
        db.put_item(TableName=name, Item={'id': {'S': 'kept'}})
        backup = db.create_backup(TableName=name, BackupName='one')['BackupDetails']['BackupArn']
        until(lambda: db.describe_backup(BackupArn=backup)['BackupDescription']['BackupDetails']['BackupStatus'], lambda s: s == 'AVAILABLE')
        assert [b['BackupName'] for page in db.get_paginator('list_backups').paginate(TableName=name) for b in page['BackupSummaries']] == ['one']
        db.restore_table_from_backup(TargetTableName=name + '-b', BackupArn=backup)
        active(db, name + '-b')
        assert db.scan(TableName=name + '-b')['Items'] == [{'id': {'S': 'kept'}}]
        # A point in time.
        db.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={'PointInTimeRecoveryEnabled': True})
        latest = lambda: db.describe_continuous_backups(TableName=name)['ContinuousBackupsDescription']['PointInTimeRecoveryDescription']
        first = latest()['EarliestRestorableDateTime']
        until(latest, lambda d: d['LatestRestorableDateTime'] > first)
        db.delete_item(TableName=name, Key={'id': {'S': 'kept'}})
        db.restore_table_to_point_in_time(SourceTableName=name, TargetTableName=name + '-p', RestoreDateTime=first)
        fails('InvalidRestoreTimeException', db.restore_table_to_point_in_time, SourceTableName=name, TargetTableName=name + '-q', RestoreDateTime=first - datetime.timedelta(hours=1))
        active(db, name + '-p')
        assert db.scan(TableName=name + '-p')['Items'] == [{'id': {'S': 'kept'}}]
        # A replica.
        east = boto3.client('dynamodb', region_name='us-east-1')
        db.put_item(TableName=name, Item={'id': {'S': 'global'}})
        db.update_table(TableName=name, ReplicaUpdates=[{'Create': {'RegionName': 'us-east-1'}}])
        until(lambda: db.describe_table(TableName=name)['Table'], lambda t: t['TableStatus'] == 'ACTIVE' and t['Replicas'][0]['ReplicaStatus'] == 'ACTIVE')
        assert east.get_item(TableName=name, Key={'id': {'S': 'global'}})['Item']
        east.put_item(TableName=name, Item={'id': {'S': 'east'}})
        until(lambda: db.get_item(TableName=name, Key={'id': {'S': 'east'}}), lambda a: 'Item' in a)
        # Capacity that is used up; the client is told not to try again by itself.
        db.create_table(TableName=name + '-c', AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
                        ProvisionedThroughput={'ReadCapacityUnits': 1, 'WriteCapacityUnits': 1})
        active(db, name + '-c')
        once = boto3.client('dynamodb', config=__import__('botocore').config.Config(retries={'max_attempts': 0}))
        large = {'id': {'S': 'large'}, 'data': {'S': 'x' * 399000}}
        once.put_item(TableName=name + '-c', Item=large)
        try:
            # 390 units of a reserve of 300: the clock may give some back in between, not as many as three more items take.
            for _ in range(60):
                once.put_item(TableName=name + '-c', Item=large)
            raise AssertionError('never throttled')
        except once.exceptions.ProvisionedThroughputExceededException as e:
            assert e.response['ThrottlingReasons'][0]['reason'] == 'TableWriteProvisionedThroughputExceeded', e.response
        print('done')
        """;
}
