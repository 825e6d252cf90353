namespace Inferloop.Tests.Sandbox.Services;

/// <summary>EBS volumes with boto3 and in a stack.</summary>
public sealed class VolumeTests(SandboxFixture sandbox)
{
    [Fact]
    public Task Volumes_are_attached_grown_copied_and_restored() => Boto.RunAsync(sandbox.Host, """
        import boto3, botocore.exceptions, json, time
        e, w, c = boto3.client('ec2', region_name='eu-west-1'), boto3.client('ec2', region_name='eu-west-2'), boto3.client('cloudformation', region_name='eu-west-1')
        fast = {'Delay': 1, 'MaxAttempts': 60}
        def fails(code, call, **kw):
            try: call(**kw)
            except botocore.exceptions.ClientError as x: assert x.response['Error']['Code'] == code, x.response
            else: raise AssertionError(code)
        zone = e.describe_availability_zones()['AvailabilityZones'][0]['ZoneName']
        fails('InvalidParameterValue', e.create_volume, AvailabilityZone=zone, Size=10, VolumeType='st1')
        fails('MissingParameter', e.create_volume, AvailabilityZone=zone, Size=10, VolumeType='io2')
        fails('InvalidZone.NotFound', e.create_volume, AvailabilityZone='eu-west-1z', Size=10)
        fails('InvalidVolume.NotFound', e.delete_volume, VolumeId='vol-0123456789abcdef0')
        vpc = e.create_vpc(CidrBlock='10.77.0.0/16')['Vpc']['VpcId']
        subnet = e.create_subnet(VpcId=vpc, CidrBlock='10.77.1.0/24', AvailabilityZone=zone)['Subnet']['SubnetId']
        image = next(i['ImageId'] for i in e.describe_images(Owners=['amazon'])['Images'] if i['Architecture'] == 'x86_64')
        instance = e.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType='t3.micro', SubnetId=subnet)['Instances'][0]['InstanceId']
        e.get_waiter('instance_running').wait(InstanceIds=[instance], WaiterConfig=fast)
        template = {'Resources': {'V': {'Type': 'AWS::EC2::Volume', 'Properties': {'AvailabilityZone': zone, 'Size': 10, 'VolumeType': 'gp3', 'Tags': [{'Key': 'a', 'Value': 'b'}]}},
            'A': {'Type': 'AWS::EC2::VolumeAttachment', 'Properties': {'VolumeId': {'Ref': 'V'}, 'InstanceId': instance, 'Device': '/dev/sdf'}}}, 'Outputs': {'V': {'Value': {'Ref': 'V'}}}}
        c.create_stack(StackName='ebs', TemplateBody=json.dumps(template))
        c.get_waiter('stack_create_complete').wait(StackName='ebs', WaiterConfig=fast)
        volume = c.describe_stacks(StackName='ebs')['Stacks'][0]['Outputs'][0]['OutputValue']
        v = e.describe_volumes(Filters=[{'Name': 'attachment.instance-id', 'Values': [instance]}, {'Name': 'tag:a', 'Values': ['b']}])['Volumes'][0]
        assert (v['VolumeId'], v['State'], v['Iops'], v['Throughput']) == (volume, 'in-use', 3000, 125), v
        fails('VolumeInUse', e.delete_volume, VolumeId=volume)
        template['Resources']['V']['Properties']['Size'] = 25
        c.update_stack(StackName='ebs', TemplateBody=json.dumps(template))
        c.get_waiter('stack_update_complete').wait(StackName='ebs', WaiterConfig=fast)
        assert e.describe_volumes(VolumeIds=[volume])['Volumes'][0]['Size'] == 25
        fails('VolumeModificationRateExceeded', e.modify_volume, VolumeId=volume, Size=30)
        snapshot = e.create_snapshot(VolumeId=volume, Description='d')['SnapshotId']
        e.get_waiter('snapshot_completed').wait(SnapshotIds=[snapshot], WaiterConfig=fast)
        copy = w.copy_snapshot(SourceRegion='eu-west-1', SourceSnapshotId=snapshot, Encrypted=True)['SnapshotId']
        w.get_waiter('snapshot_completed').wait(SnapshotIds=[copy], WaiterConfig=fast)
        s = w.describe_snapshots(SnapshotIds=[copy])['Snapshots'][0]
        assert s['Encrypted'] and s['VolumeSize'] == 25 and 'Copied' in s['Description'], s
        fails('InvalidParameterValue', w.create_volume, AvailabilityZone='eu-west-2a', SnapshotId=copy, Size=20)
        c.delete_stack(StackName='ebs')
        c.get_waiter('stack_delete_complete').wait(StackName='ebs', WaiterConfig=fast)
        assert not e.describe_volumes(Filters=[{'Name': 'volume-id', 'Values': [volume]}])['Volumes']
        print('done')
        """);
}
