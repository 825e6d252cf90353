"""What watches an account: trails, rules, budgets, bills, quotas, parameters, messages and builds."""
import datetime
from common import *

# sns
sns, sqs = client('sns'), client('sqs')
url = sqs.create_queue(QueueName=name)['QueueUrl']
queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'sns.amazonaws.com'}, 'Action': 'sqs:SendMessage', 'Resource': queue}]})})
arn = sns.create_topic(Name=name)['TopicArn']
subscription = sns.subscribe(TopicArn=arn, Protocol='sqs', Endpoint=queue, ReturnSubscriptionArn=True)['SubscriptionArn']
sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName='FilterPolicy', AttributeValue=json.dumps({'kind': ['alarm']}))
sns.publish(TopicArn=arn, Message='not this', MessageAttributes={'kind': {'DataType': 'String', 'StringValue': 'other'}})
sns.publish(TopicArn=arn, Subject='s', Message='this', MessageAttributes={'kind': {'DataType': 'String', 'StringValue': 'alarm'}})
message = until(lambda: sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1), lambda a: a.get('Messages'))['Messages'][0]
assert json.loads(message['Body'])['Message'] == 'this', message
assert [s['SubscriptionArn'] for s in pages('sns', 'list_subscriptions_by_topic', 'Subscriptions', TopicArn=arn)] == [subscription]
fails('NotFound', sns.publish, TopicArn=arn + 'x', Message='m')
fails('InvalidParameter', sns.subscribe, TopicArn=arn, Protocol='email', Endpoint='nobody')

# ssm
ssm = client('ssm')
for i in range(12):
    ssm.put_parameter(Name=f'/{name}/p/{i:02}', Value=str(i), Type='String')
assert len(pages('ssm', 'get_parameters_by_path', 'Parameters', Path=f'/{name}', Recursive=True, PaginationConfig={'PageSize': 5})) == 12
assert ssm.put_parameter(Name=f'/{name}/p/00', Value='new', Type='String', Overwrite=True)['Version'] == 2
assert ssm.get_parameter(Name=f'/{name}/p/00:1')['Parameter']['Value'] == '0'
ssm.put_parameter(Name=f'/{name}/secret', Value='hidden', Type='SecureString')
assert ssm.get_parameter(Name=f'/{name}/secret')['Parameter']['Value'] != 'hidden'
assert ssm.get_parameters(Names=[f'/{name}/secret', '/none'], WithDecryption=True)['InvalidParameters'] == ['/none']
fails('ParameterAlreadyExists', ssm.put_parameter, Name=f'/{name}/secret', Value='x', Type='String')
fails('ParameterNotFound', ssm.get_parameter, Name='/none')

# cloudtrail
s3, trail = client('s3'), client('cloudtrail')
s3.create_bucket(Bucket=name + '-trail')
statements = [{'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'}, 'Action': 's3:GetBucketAcl', 'Resource': f'arn:aws:s3:::{name}-trail'},
              {'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'}, 'Action': 's3:PutObject', 'Resource': f'arn:aws:s3:::{name}-trail/AWSLogs/{account()}/*', 'Condition': {'StringEquals': {'s3:x-amz-acl': 'bucket-owner-full-control'}}}]
fails('InsufficientS3BucketPolicyException', trail.create_trail, Name=name, S3BucketName=name + '-trail')
s3.put_bucket_policy(Bucket=name + '-trail', Policy=json.dumps({'Version': '2012-10-17', 'Statement': statements}))
trail.create_trail(Name=name, S3BucketName=name + '-trail', IsMultiRegionTrail=True)
trail.start_logging(Name=name)
assert trail.get_trail_status(Name=name)['IsLogging']
events = until(lambda: pages('cloudtrail', 'lookup_events', 'Events', LookupAttributes=[{'AttributeKey': 'EventName', 'AttributeValue': 'CreateTopic'}]), lambda found: found)
assert json.loads(events[0]['CloudTrailEvent'])['eventSource'] == 'sns.amazonaws.com'
trail.stop_logging(Name=name)
trail.delete_trail(Name=name)
fails('TrailNotFoundException', trail.get_trail_status, Name=name)

# config
rules = client('config')
rules.put_configuration_recorder(ConfigurationRecorder={'name': 'default', 'roleARN': role('config.amazonaws.com'), 'recordingGroup': {'allSupported': True, 'includeGlobalResourceTypes': True}})
fails('NoAvailableDeliveryChannelException', rules.start_configuration_recorder, ConfigurationRecorderName='default')
s3.create_bucket(Bucket=name + '-config')
rules.put_delivery_channel(DeliveryChannel={'name': 'default', 's3BucketName': name + '-config'})
rules.start_configuration_recorder(ConfigurationRecorderName='default')
assert rules.describe_configuration_recorder_status()['ConfigurationRecordersStatus'][0]['recording']
rules.put_config_rule(ConfigRule={'ConfigRuleName': name, 'Source': {'Owner': 'AWS', 'SourceIdentifier': 'S3_BUCKET_VERSIONING_ENABLED'}, 'Scope': {'ComplianceResourceTypes': ['AWS::S3::Bucket']}})
until(lambda: rules.describe_config_rules(ConfigRuleNames=[name])['ConfigRules'][0]['ConfigRuleState'], lambda state: state == 'ACTIVE')
rules.start_config_rules_evaluation(ConfigRuleNames=[name])
until(lambda: rules.describe_compliance_by_config_rule(ConfigRuleNames=[name])['ComplianceByConfigRules'][0].get('Compliance', {}).get('ComplianceType'), lambda state: state == 'NON_COMPLIANT')
found = {r['EvaluationResultIdentifier']['EvaluationResultQualifier']['ResourceId'] for r in pages('config', 'get_compliance_details_by_config_rule', 'EvaluationResults', ConfigRuleName=name, ComplianceTypes=['NON_COMPLIANT'])}
assert name + '-config' in found, found
fails('NoSuchConfigRuleException', rules.describe_config_rules, ConfigRuleNames=['none'])

# budgets
budgets = client('budgets')
limit = {'BudgetName': name, 'BudgetLimit': {'Amount': '100', 'Unit': 'USD'}, 'TimeUnit': 'MONTHLY', 'BudgetType': 'COST'}
budgets.create_budget(AccountId=account(), Budget=limit, NotificationsWithSubscribers=[{'Notification': {'NotificationType': 'ACTUAL', 'ComparisonOperator': 'GREATER_THAN', 'Threshold': 80.0}, 'Subscribers': [{'SubscriptionType': 'EMAIL', 'Address': 'ops@example.com'}]}])
fails('DuplicateRecordException', budgets.create_budget, AccountId=account(), Budget=limit)
assert [b['BudgetName'] for b in pages('budgets', 'describe_budgets', 'Budgets', AccountId=account())] == [name]
assert budgets.describe_notifications_for_budget(AccountId=account(), BudgetName=name)['Notifications'][0]['Threshold'] == 80.0
budgets.delete_budget(AccountId=account(), BudgetName=name)
fails('NotFoundException', budgets.describe_budget, AccountId=account(), BudgetName=name)

# ce
costs = client('ce')
today = datetime.date.today()
cost = costs.get_cost_and_usage(TimePeriod={'Start': str(today - datetime.timedelta(days=2)), 'End': str(today)}, Granularity='DAILY', Metrics=['UnblendedCost'])
assert len(cost['ResultsByTime']) == 2 and cost['ResultsByTime'][0]['Total']['UnblendedCost']['Unit'] == 'USD', cost
monitor = costs.create_anomaly_monitor(AnomalyMonitor={'MonitorName': name, 'MonitorType': 'DIMENSIONAL', 'MonitorDimension': 'SERVICE'})['MonitorArn']
assert [m['MonitorName'] for m in costs.get_anomaly_monitors(MonitorArnList=[monitor])['AnomalyMonitors']] == [name]
costs.delete_anomaly_monitor(MonitorArn=monitor)
fails('ValidationException', costs.get_cost_and_usage, TimePeriod={'Start': str(today), 'End': str(today - datetime.timedelta(days=2))}, Granularity='DAILY', Metrics=['UnblendedCost'])

# service-quotas
quotas = client('service-quotas')
vpcs = next(q for q in pages('service-quotas', 'list_service_quotas', 'Quotas', ServiceCode='vpc') if q['QuotaName'].startswith('VPCs per Region'))
assert quotas.get_service_quota(ServiceCode='vpc', QuotaCode=vpcs['QuotaCode'])['Quota']['Value'] == vpcs['Value']
request = quotas.request_service_quota_increase(ServiceCode='vpc', QuotaCode=vpcs['QuotaCode'], DesiredValue=vpcs['Value'] + 5)['RequestedQuota']
assert request['Status'] in ('PENDING', 'CASE_OPENED', 'APPROVED'), request
fails('NoSuchResourceException', quotas.get_service_quota, ServiceCode='vpc', QuotaCode='L-00000000')

# codebuild
build = client('codebuild')
build.create_project(name=name, source={'type': 'NO_SOURCE', 'buildspec': 'version: 0.2\nphases:\n  build:\n    commands: [ "true" ]\n'}, artifacts={'type': 'NO_ARTIFACTS'}, serviceRole=role('codebuild.amazonaws.com'),
                     environment={'type': 'LINUX_CONTAINER', 'image': 'aws/codebuild/amazonlinux-x86_64-standard:5.0', 'computeType': 'BUILD_GENERAL1_SMALL'})
fails('ResourceAlreadyExistsException', build.create_project, name=name, source={'type': 'NO_SOURCE', 'buildspec': 'version: 0.2'}, artifacts={'type': 'NO_ARTIFACTS'}, serviceRole=role('codebuild.amazonaws.com'), environment={'type': 'LINUX_CONTAINER', 'image': 'x', 'computeType': 'BUILD_GENERAL1_SMALL'})
id = build.start_build(projectName=name)['build']['id']
until(lambda: build.batch_get_builds(ids=[id])['builds'][0]['buildStatus'], lambda status: status == 'SUCCEEDED')
assert pages('codebuild', 'list_builds_for_project', 'ids', projectName=name) == [id]
assert build.batch_get_projects(names=[name, 'none'])['projectsNotFound'] == ['none']
fails('ResourceNotFoundException', build.start_build, projectName='none')

# codeconnections
connections = client('codeconnections')
connection = connections.create_connection(ConnectionName=name, ProviderType='GitHub')['ConnectionArn']
assert connections.get_connection(ConnectionArn=connection)['Connection']['ConnectionStatus'] == 'PENDING'
assert [c['ConnectionName'] for c in connections.list_connections(ProviderTypeFilter='GitHub')['Connections']] == [name]
connections.delete_connection(ConnectionArn=connection)
fails('ResourceNotFoundException', connections.get_connection, ConnectionArn=connection)

# organizations
org = client('organizations')
assert org.describe_organization()['Organization']['MasterAccountId'] == account()
fails('AlreadyInOrganizationException', org.create_organization, FeatureSet='ALL')
root = org.list_roots()['Roots'][0]['Id']
unit = org.create_organizational_unit(ParentId=root, Name=name)['OrganizationalUnit']['Id']
assert unit in [u['Id'] for u in pages('organizations', 'list_organizational_units_for_parent', 'OrganizationalUnits', ParentId=root)]
assert account() in [a['Id'] for a in pages('organizations', 'list_accounts', 'Accounts')]
print('done')
