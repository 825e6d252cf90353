"""What the suites share: clients of boto3 for the sandbox that the environment names."""
import functools, io, json, time, uuid, zipfile
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

name = 'f' + uuid.uuid4().hex[:8]


@functools.lru_cache(None)
def client(service, region='us-east-1'):
    return boto3.client(service, region_name=region, config=Config(inject_host_prefix=False, retries={'max_attempts': 8, 'mode': 'standard'}))


def until(ask, done, seconds=60):
    end = time.monotonic() + seconds
    while True:
        value = ask()
        if done(value):
            return value
        assert time.monotonic() < end, f'never: {value}'
        time.sleep(0.02)


def fails(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as e:
        assert e.response['Error']['Code'] == code, e
        return e.response
    raise AssertionError(f'{code} expected')


def pages(service, operation, key, region='us-east-1', **arguments):
    return [item for page in client(service, region).get_paginator(operation).paginate(**arguments) for item in page.get(key, [])]


def wait(service, waiter, **arguments):
    client(service).get_waiter(waiter).wait(WaiterConfig={'Delay': 0.02, 'MaxAttempts': 3000}, **arguments)


@functools.lru_cache(None)
def account():
    return client('sts').get_caller_identity()['Account']


@functools.lru_cache(None)
def role(service):
    trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': service}, 'Action': 'sts:AssumeRole'}]}
    return client('iam').create_role(RoleName=f'{name}-{service.split(".")[0]}', AssumeRolePolicyDocument=json.dumps(trust))['Role']['Arn']


@functools.lru_cache(None)
def network():
    ec2 = client('ec2')
    vpc = ec2.create_vpc(CidrBlock='10.7.0.0/16')['Vpc']['VpcId']
    gateway = ec2.create_internet_gateway()['InternetGateway']['InternetGatewayId']
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.7.{i}.0/24', AvailabilityZone=f'us-east-1{zone}')['Subnet']['SubnetId'] for i, zone in enumerate('abc')]
    group = ec2.create_security_group(GroupName=name, Description='suite', VpcId=vpc)['GroupId']
    return vpc, subnets, group


@functools.lru_cache(None)
def topic():
    return client('sns').create_topic(Name=name + '-shared')['TopicArn']
