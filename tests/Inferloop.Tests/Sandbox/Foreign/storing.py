"""Databases and caches through what an operator does with them."""
from common import *

vpc, subnets, group = network()

# rds
rds = client('rds')
rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription='suite', SubnetIds=subnets)
version = rds.describe_db_engine_versions(Engine='postgres', DefaultOnly=True)['DBEngineVersions'][0]['EngineVersion']
database = {'DBInstanceIdentifier': name, 'Engine': 'postgres', 'EngineVersion': version, 'DBInstanceClass': 'db.t3.medium', 'AllocatedStorage': 20, 'MasterUsername': 'admin1', 'MasterUserPassword': 'not-a-secret-1', 'DBSubnetGroupName': name, 'VpcSecurityGroupIds': [group], 'BackupRetentionPeriod': 7}
fails('InvalidParameterValue', rds.create_db_instance, **{**database, 'MasterUserPassword': 'short'})
assert rds.create_db_instance(**database)['DBInstance']['DBInstanceStatus'] == 'creating'
fails('DBInstanceAlreadyExists', rds.create_db_instance, **database)
wait('rds', 'db_instance_available', DBInstanceIdentifier=name)
rds.create_db_snapshot(DBInstanceIdentifier=name, DBSnapshotIdentifier=name + '-s')
wait('rds', 'db_snapshot_available', DBSnapshotIdentifier=name + '-s')
wait('rds', 'db_instance_available', DBInstanceIdentifier=name)
rds.create_db_instance_read_replica(DBInstanceIdentifier=name + '-r', SourceDBInstanceIdentifier=name)
wait('rds', 'db_instance_available', DBInstanceIdentifier=name + '-r')
assert rds.describe_db_instances(DBInstanceIdentifier=name)['DBInstances'][0]['ReadReplicaDBInstanceIdentifiers'] == [name + '-r']
rds.promote_read_replica(DBInstanceIdentifier=name + '-r')
until(lambda: rds.describe_db_instances(DBInstanceIdentifier=name + '-r')['DBInstances'][0], lambda d: d['DBInstanceStatus'] == 'available' and 'ReadReplicaSourceDBInstanceIdentifier' not in d)
rds.restore_db_instance_from_db_snapshot(DBInstanceIdentifier=name + '-b', DBSnapshotIdentifier=name + '-s', DBSubnetGroupName=name)
wait('rds', 'db_instance_available', DBInstanceIdentifier=name + '-b')
assert sorted(d['DBInstanceIdentifier'] for d in pages('rds', 'describe_db_instances', 'DBInstances', PaginationConfig={'PageSize': 20})) == sorted([name, name + '-b', name + '-r'])
assert [e['Message'] for e in pages('rds', 'describe_events', 'Events', SourceType='db-instance', SourceIdentifier=name, Duration=14 * 24 * 60)]
for which in (name, name + '-b', name + '-r'):
    rds.delete_db_instance(DBInstanceIdentifier=which, SkipFinalSnapshot=True)
wait('rds', 'db_instance_deleted', DBInstanceIdentifier=name)
fails('DBInstanceNotFound', rds.describe_db_instances, DBInstanceIdentifier=name)

# elasticache
caches = client('elasticache')
caches.create_cache_subnet_group(CacheSubnetGroupName=name, CacheSubnetGroupDescription='suite', SubnetIds=subnets)
cluster = {'ReplicationGroupId': name, 'ReplicationGroupDescription': 'suite', 'Engine': 'redis', 'CacheNodeType': 'cache.t3.micro', 'NumCacheClusters': 2, 'AutomaticFailoverEnabled': True, 'MultiAZEnabled': True, 'CacheSubnetGroupName': name, 'SecurityGroupIds': [group]}
assert caches.create_replication_group(**cluster)['ReplicationGroup']['Status'] == 'creating'
fails('ReplicationGroupAlreadyExists', caches.create_replication_group, **cluster)
wait('elasticache', 'replication_group_available', ReplicationGroupId=name)
nodes = lambda: {m['CurrentRole']: m['CacheClusterId'] for m in caches.describe_replication_groups(ReplicationGroupId=name)['ReplicationGroups'][0]['NodeGroups'][0]['NodeGroupMembers']}
before = nodes()
caches.test_failover(ReplicationGroupId=name, NodeGroupId='0001')
until(nodes, lambda after: after['primary'] == before['replica'])
wait('elasticache', 'replication_group_available', ReplicationGroupId=name)
caches.increase_replica_count(ReplicationGroupId=name, NewReplicaCount=2, ApplyImmediately=True)
wait('elasticache', 'replication_group_available', ReplicationGroupId=name)
assert len(pages('elasticache', 'describe_cache_clusters', 'CacheClusters')) == 3
caches.create_snapshot(ReplicationGroupId=name, SnapshotName=name)
until(lambda: caches.describe_snapshots(SnapshotName=name)['Snapshots'][0]['SnapshotStatus'], lambda status: status == 'available')
wait('elasticache', 'replication_group_available', ReplicationGroupId=name)
caches.delete_replication_group(ReplicationGroupId=name)
wait('elasticache', 'replication_group_deleted', ReplicationGroupId=name)
fails('ReplicationGroupNotFoundFault', caches.describe_replication_groups, ReplicationGroupId=name)
print('done')
