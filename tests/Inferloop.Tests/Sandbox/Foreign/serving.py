"""Networks, balancers, containers and what scales them."""
from common import *

vpc, subnets, group = network()

# elbv2
elb = client('elbv2')
balancer = elb.create_load_balancer(Name=name, Subnets=subnets, SecurityGroups=[group], Type='application')['LoadBalancers'][0]['LoadBalancerArn']
wait('elbv2', 'load_balancer_available', LoadBalancerArns=[balancer])
target = elb.create_target_group(Name=name, Protocol='HTTP', Port=80, VpcId=vpc, TargetType='ip', HealthCheckPath='/health')['TargetGroups'][0]['TargetGroupArn']
listener = elb.create_listener(LoadBalancerArn=balancer, Protocol='HTTP', Port=80, DefaultActions=[{'Type': 'forward', 'TargetGroupArn': target}])['Listeners'][0]['ListenerArn']
rule = elb.create_rule(ListenerArn=listener, Priority=10, Conditions=[{'Field': 'path-pattern', 'Values': ['/api/*']}], Actions=[{'Type': 'fixed-response', 'FixedResponseConfig': {'StatusCode': '503'}}])['Rules'][0]['RuleArn']
fails('PriorityInUse', elb.create_rule, ListenerArn=listener, Priority=10, Conditions=[{'Field': 'path-pattern', 'Values': ['/x']}], Actions=[{'Type': 'forward', 'TargetGroupArn': target}])
assert [r['Priority'] for r in elb.describe_rules(ListenerArn=listener)['Rules']] == ['10', 'default']
elb.modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=[{'Key': 'zonal_shift.config.enabled', 'Value': 'true'}])
elb.modify_target_group_attributes(TargetGroupArn=target, Attributes=[{'Key': 'deregistration_delay.timeout_seconds', 'Value': '30'}])
assert {a['Key']: a['Value'] for a in elb.describe_target_group_attributes(TargetGroupArn=target)['Attributes']}['deregistration_delay.timeout_seconds'] == '30'
elb.register_targets(TargetGroupArn=target, Targets=[{'Id': '10.7.0.10', 'Port': 80}])
assert elb.describe_target_health(TargetGroupArn=target)['TargetHealthDescriptions'][0]['Target']['Id'] == '10.7.0.10'
elb.deregister_targets(TargetGroupArn=target, Targets=[{'Id': '10.7.0.10', 'Port': 80}])
assert [b['LoadBalancerArn'] for b in pages('elbv2', 'describe_load_balancers', 'LoadBalancers', PaginationConfig={'PageSize': 1})] == [balancer]
fails('ResourceInUse', elb.delete_target_group, TargetGroupArn=target)
fails('LoadBalancerNotFound', elb.describe_load_balancers, Names=['nothing'])

# ecs
ecs = client('ecs')
ecs.create_cluster(clusterName=name, capacityProviders=['FARGATE', 'FARGATE_SPOT'])
container = {'name': 'web', 'image': 'public.ecr.aws/nginx:1', 'portMappings': [{'containerPort': 80}]}
task = ecs.register_task_definition(family=name, networkMode='awsvpc', requiresCompatibilities=['FARGATE'], cpu='256', memory='512', executionRoleArn=role('ecs-tasks.amazonaws.com'), containerDefinitions=[container])['taskDefinition']['taskDefinitionArn']
fails('ClientException', ecs.register_task_definition, family=name, networkMode='awsvpc', requiresCompatibilities=['FARGATE'], cpu='256', memory='8192', containerDefinitions=[container])
wiring = {'awsvpcConfiguration': {'subnets': subnets, 'securityGroups': [group]}}
ecs.create_service(cluster=name, serviceName='web', taskDefinition=task, desiredCount=2, launchType='FARGATE', networkConfiguration=wiring, loadBalancers=[{'targetGroupArn': target, 'containerName': 'web', 'containerPort': 80}])
wait('ecs', 'services_stable', cluster=name, services=['web'])
tasks = pages('ecs', 'list_tasks', 'taskArns', cluster=name, serviceName='web', PaginationConfig={'PageSize': 1})
assert len(tasks) == 2, tasks
assert {t['lastStatus'] for t in ecs.describe_tasks(cluster=name, tasks=tasks)['tasks']} == {'RUNNING'}
until(lambda: elb.describe_target_health(TargetGroupArn=target)['TargetHealthDescriptions'], lambda h: [t['TargetHealth']['State'] for t in h] == ['healthy', 'healthy'])
ecs.stop_task(cluster=name, task=tasks[0], reason='suite')
wait('ecs', 'tasks_stopped', cluster=name, tasks=[tasks[0]])
wait('ecs', 'services_stable', cluster=name, services=['web'])
fails('ServiceNotFoundException', ecs.update_service, cluster=name, service='none', desiredCount=1)
fails('ClusterNotFoundException', ecs.list_tasks, cluster='none')

# application-autoscaling
scaling = client('application-autoscaling')
where = {'ServiceNamespace': 'ecs', 'ResourceId': f'service/{name}/web', 'ScalableDimension': 'ecs:service:DesiredCount'}
scaling.register_scalable_target(MinCapacity=3, MaxCapacity=6, **where)
scaling.put_scaling_policy(PolicyName='cpu', PolicyType='TargetTrackingScaling', TargetTrackingScalingPolicyConfiguration={'TargetValue': 60.0, 'PredefinedMetricSpecification': {'PredefinedMetricType': 'ECSServiceAverageCPUUtilization'}}, **where)
scaling.put_scheduled_action(ScheduledActionName='night', Schedule='cron(0 22 * * ? *)', ScalableTargetAction={'MinCapacity': 3, 'MaxCapacity': 3}, **where)
assert [p['PolicyName'] for p in pages('application-autoscaling', 'describe_scaling_policies', 'ScalingPolicies', ServiceNamespace='ecs')] == ['cpu']
assert scaling.describe_scheduled_actions(ServiceNamespace='ecs')['ScheduledActions'][0]['Schedule'] == 'cron(0 22 * * ? *)'
until(lambda: ecs.describe_services(cluster=name, services=['web'])['services'][0]['desiredCount'], lambda count: count >= 3)
fails('ObjectNotFoundException', scaling.delete_scaling_policy, PolicyName='none', **where)
scaling.delete_scheduled_action(ScheduledActionName='night', **where)
scaling.deregister_scalable_target(**where)
assert not scaling.describe_scalable_targets(ServiceNamespace='ecs')['ScalableTargets']

# autoscaling
groups, ec2 = client('autoscaling'), client('ec2')
image = ec2.describe_images(Owners=['amazon'])['Images'][0]['ImageId'] if ec2.describe_images(Owners=['amazon'])['Images'] else 'ami-0123456789abcdef0'
template = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={'ImageId': image, 'InstanceType': 't3.medium'})['LaunchTemplate']['LaunchTemplateId']
groups.create_auto_scaling_group(AutoScalingGroupName=name, MinSize=1, MaxSize=3, DesiredCapacity=1, VPCZoneIdentifier=','.join(subnets), LaunchTemplate={'LaunchTemplateId': template, 'Version': '$Latest'})
fails('AlreadyExists', groups.create_auto_scaling_group, AutoScalingGroupName=name, MinSize=1, MaxSize=3, VPCZoneIdentifier=subnets[0], LaunchTemplate={'LaunchTemplateId': template, 'Version': '$Latest'})
until(lambda: groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])['AutoScalingGroups'][0]['Instances'], lambda instances: [i['LifecycleState'] for i in instances] == ['InService'])
groups.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=2)
until(lambda: groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])['AutoScalingGroups'][0]['Instances'], lambda instances: [i['LifecycleState'] for i in instances] == ['InService'] * 2)
assert len(pages('autoscaling', 'describe_auto_scaling_instances', 'AutoScalingInstances', PaginationConfig={'PageSize': 1})) == 2
fails('ValidationError', groups.set_desired_capacity, AutoScalingGroupName=name, DesiredCapacity=9)
groups.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
until(lambda: groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])['AutoScalingGroups'], lambda found: not found)

# servicediscovery
maps = client('servicediscovery')
done = lambda id: until(lambda: maps.get_operation(OperationId=id)['Operation'], lambda o: o['Status'] in ('SUCCESS', 'FAIL'))
made = done(maps.create_private_dns_namespace(Name=name + '.local', Vpc=vpc)['OperationId'])
assert made['Status'] == 'SUCCESS', made
namespace = made['Targets']['NAMESPACE']
service = maps.create_service(Name='api', NamespaceId=namespace, DnsConfig={'DnsRecords': [{'Type': 'A', 'TTL': 10}]})['Service']['Id']
assert done(maps.register_instance(ServiceId=service, InstanceId='one', Attributes={'AWS_INSTANCE_IPV4': '10.7.0.9'})['OperationId'])['Status'] == 'SUCCESS'
assert [i['InstanceId'] for i in maps.discover_instances(NamespaceName=name + '.local', ServiceName='api')['Instances']] == ['one']
fails('ResourceInUse', maps.delete_service, Id=service)
done(maps.deregister_instance(ServiceId=service, InstanceId='one')['OperationId'])
maps.delete_service(Id=service)
assert [n['Id'] for n in pages('servicediscovery', 'list_namespaces', 'Namespaces')] == [namespace]

# wafv2
waf = client('wafv2')
shown = {'SampledRequestsEnabled': True, 'CloudWatchMetricsEnabled': True, 'MetricName': 'suite'}
acl = waf.create_web_acl(Name=name, Scope='REGIONAL', DefaultAction={'Allow': {}}, VisibilityConfig=shown, Rules=[{'Name': 'rate', 'Priority': 1, 'Action': {'Block': {}}, 'VisibilityConfig': shown, 'Statement': {'RateBasedStatement': {'Limit': 2000, 'AggregateKeyType': 'IP'}}}])['Summary']
waf.associate_web_acl(WebACLArn=acl['ARN'], ResourceArn=balancer)
assert waf.get_web_acl_for_resource(ResourceArn=balancer)['WebACL']['Name'] == name
assert waf.list_resources_for_web_acl(WebACLArn=acl['ARN'], ResourceType='APPLICATION_LOAD_BALANCER')['ResourceArns'] == [balancer]
fails('WAFDuplicateItemException', waf.create_web_acl, Name=name, Scope='REGIONAL', DefaultAction={'Allow': {}}, VisibilityConfig=shown)
fails('WAFOptimisticLockException', waf.delete_web_acl, Name=name, Scope='REGIONAL', Id=acl['Id'], LockToken='00000000-0000-0000-0000-000000000000')
waf.disassociate_web_acl(ResourceArn=balancer)
waf.delete_web_acl(Name=name, Scope='REGIONAL', Id=acl['Id'], LockToken=acl['LockToken'])

# arc-zonal-shift
shifts = client('arc-zonal-shift')
until(lambda: pages('arc-zonal-shift', 'list_managed_resources', 'items'), lambda items: balancer in [i['arn'] for i in items])
away = next(z['ZoneId'] for z in client('ec2').describe_availability_zones()['AvailabilityZones'] if z['ZoneName'] == 'us-east-1a')
shift = shifts.start_zonal_shift(resourceIdentifier=balancer, awayFrom=away, expiresIn='2h', comment='suite')
assert shift['status'] == 'ACTIVE', shift
assert [s['zonalShiftId'] for s in pages('arc-zonal-shift', 'list_zonal_shifts', 'items', status='ACTIVE')] == [shift['zonalShiftId']]
fails('ConflictException', shifts.start_zonal_shift, resourceIdentifier=balancer, awayFrom=away, expiresIn='2h', comment='again')
assert shifts.cancel_zonal_shift(zonalShiftId=shift['zonalShiftId'])['status'] == 'CANCELED'

ecs.delete_service(cluster=name, service='web', force=True)
wait('ecs', 'services_inactive', cluster=name, services=['web'])
elb.delete_load_balancer(LoadBalancerArn=balancer)
wait('elbv2', 'load_balancers_deleted', LoadBalancerArns=[balancer])
print('done')
