using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Faults;

namespace Inferloop.Tests.Sandbox.Services.Route53;

/// <summary>Route 53 with boto3, and its resource types in a stack.</summary>
public sealed class Route53WireTests(SandboxFixture sandbox)
{
    [Fact]
    public Task Zones_records_checks_and_stacks_with_boto3() => Boto.RunAsync(sandbox.Host, """
        import boto3, botocore.exceptions, json
        r = boto3.client('route53')
        def fails(code, call, **kw):
            try: call(**kw)
            except botocore.exceptions.ClientError as e:
                assert e.response['Error']['Code'] == code, e.response
                return e.response['Error']['Message']
            raise AssertionError('no error')
        made = r.create_hosted_zone(Name='wire.example.org', CallerReference='wire-1', HostedZoneConfig={'Comment': 'c & d'})
        zone = made['HostedZone']['Id']
        assert zone.startswith('/hostedzone/Z') and len(made['DelegationSet']['NameServers']) == 4 and made['HostedZone']['ResourceRecordSetCount'] == 2
        fails('HostedZoneAlreadyExists', r.create_hosted_zone, Name='wire.example.org', CallerReference='wire-1')
        r.get_waiter('resource_record_sets_changed').wait(Id=made['ChangeInfo']['Id'], WaiterConfig={'Delay': 1, 'MaxAttempts': 20})
        r.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={'Comment': 'many', 'Changes': [
            {'Action': 'UPSERT', 'ResourceRecordSet': {'Name': f'h{i:03}.wire.example.org', 'Type': 'A', 'TTL': 30, 'ResourceRecords': [{'Value': f'192.0.2.{i}'}]}} for i in range(1, 151)]})
        pages = list(r.get_paginator('list_resource_record_sets').paginate(HostedZoneId=zone, PaginationConfig={'PageSize': 40}))
        names = [s['Name'] for p in pages for s in p['ResourceRecordSets']]
        assert len(pages) == 4 and len(names) == 152 and names[0] == 'wire.example.org.' and names[-1] == 'h150.wire.example.org.', (len(pages), len(names))
        message = fails('InvalidChangeBatch', r.change_resource_record_sets, HostedZoneId=zone, ChangeBatch={'Changes': [
            {'Action': 'CREATE', 'ResourceRecordSet': {'Name': 'h001.wire.example.org', 'Type': 'A', 'TTL': 30, 'ResourceRecords': [{'Value': '192.0.2.1'}]}}]})
        assert "already exists" in message, message
        assert r.test_dns_answer(HostedZoneId=zone, RecordName='h007.wire.example.org', RecordType='A')['RecordData'] == ['192.0.2.7']
        fails('NoSuchHostedZone', r.get_hosted_zone, Id='Z0NOTTHERE')
        check = r.create_health_check(CallerReference='wire-hc', HealthCheckConfig={'Type': 'HTTPS', 'FullyQualifiedDomainName': 'nowhere.wire.example.org', 'RequestInterval': 10})['HealthCheck']
        assert check['HealthCheckConfig']['Port'] == 443 and check['HealthCheckVersion'] == 1
        assert r.create_health_check(CallerReference='wire-hc', HealthCheckConfig={'Type': 'HTTPS', 'FullyQualifiedDomainName': 'nowhere.wire.example.org', 'RequestInterval': 10})['HealthCheck']['Id'] == check['Id']
        fails('HealthCheckAlreadyExists', r.create_health_check, CallerReference='wire-hc', HealthCheckConfig={'Type': 'HTTP', 'FullyQualifiedDomainName': 'n.example.org'})
        r.change_tags_for_resource(ResourceType='healthcheck', ResourceId=check['Id'], AddTags=[{'Key': 'a', 'Value': '1'}])
        assert r.list_tags_for_resource(ResourceType='healthcheck', ResourceId=check['Id'])['ResourceTagSet']['Tags'] == [{'Key': 'a', 'Value': '1'}]
        assert check['Id'] in [c['Id'] for p in r.get_paginator('list_health_checks').paginate() for c in p['HealthChecks']]
        template = {'Resources': {
            'Zone': {'Type': 'AWS::Route53::HostedZone', 'Properties': {'Name': 'stack.example.net', 'HostedZoneTags': [{'Key': 'k', 'Value': 'v'}]}},
            'Check': {'Type': 'AWS::Route53::HealthCheck', 'Properties': {'HealthCheckConfig': {'Type': 'TCP', 'IPAddress': '192.0.2.1', 'Port': 443}}},
            'One': {'Type': 'AWS::Route53::RecordSet', 'Properties': {'HostedZoneId': {'Ref': 'Zone'}, 'Name': 'one.stack.example.net', 'Type': 'A', 'TTL': '60', 'SetIdentifier': 'p', 'Failover': 'PRIMARY', 'HealthCheckId': {'Ref': 'Check'}, 'ResourceRecords': ['192.0.2.1']}},
            'Group': {'Type': 'AWS::Route53::RecordSetGroup', 'Properties': {'HostedZoneName': 'stack.example.net.', 'RecordSets': [
                {'Name': 'one.stack.example.net', 'Type': 'A', 'TTL': '60', 'SetIdentifier': 's', 'Failover': 'SECONDARY', 'ResourceRecords': ['192.0.2.2']},
                {'Name': 'two.stack.example.net', 'Type': 'TXT', 'TTL': '60', 'ResourceRecords': ['"x"']}]}, 'DependsOn': 'Zone'}},
            'Outputs': {'One': {'Value': {'Ref': 'One'}}, 'Zone': {'Value': {'Ref': 'Zone'}}, 'Servers': {'Value': {'Fn::Join': [',', {'Fn::GetAtt': ['Zone', 'NameServers']}]}}}}
        c = boto3.client('cloudformation')
        fast = {'Delay': 1, 'MaxAttempts': 60}
        c.create_stack(StackName='dns', TemplateBody=json.dumps(template))
        c.get_waiter('stack_create_complete').wait(StackName='dns', WaiterConfig=fast)
        outputs = {o['OutputKey']: o['OutputValue'] for o in c.describe_stacks(StackName='dns')['Stacks'][0]['Outputs']}
        assert outputs['One'] == 'one.stack.example.net' and outputs['Servers'].count(',') == 3, outputs
        assert len(r.list_resource_record_sets(HostedZoneId=outputs['Zone'])['ResourceRecordSets']) == 5
        template['Resources']['Group']['Properties']['RecordSets'].pop()
        template['Resources']['One']['Properties']['TTL'] = '30'
        c.update_stack(StackName='dns', TemplateBody=json.dumps(template))
        c.get_waiter('stack_update_complete').wait(StackName='dns', WaiterConfig=fast)
        sets = r.list_resource_record_sets(HostedZoneId=outputs['Zone'])['ResourceRecordSets']
        assert len(sets) == 4 and [s['TTL'] for s in sets if s.get('Failover') == 'PRIMARY'] == [30], sets
        drift = c.detect_stack_drift(StackName='dns')['StackDriftDetectionId']
        import time
        while (d := c.describe_stack_drift_detection_status(StackDriftDetectionId=drift))['DetectionStatus'] == 'DETECTION_IN_PROGRESS': time.sleep(0.2)
        assert d['StackDriftStatus'] == 'IN_SYNC', c.describe_stack_resource_drifts(StackName='dns')
        c.delete_stack(StackName='dns')
        c.get_waiter('stack_delete_complete').wait(StackName='dns', WaiterConfig=fast)
        assert [z['Name'] for z in r.list_hosted_zones_by_name(DNSName='stack.example.net')['HostedZones']][:1] != ['stack.example.net.']
        print('done')
        """);

    [Fact]
    public async Task Answers_go_on_when_the_region_is_lost_in_which_changes_are_made()
    {
        var own = new SandboxFixture(new SandboxOptions { ClockRate = 3600, Seed = 9 });
        await own.InitializeAsync();
        await using var _ = own;
        var client = new SandboxClient(own.Host);
        var zone = (string)(await own.Host.Runtime.Service("route53")!.InvokeAsync(own.Host.Runtime.SystemContext(own.Host.AccountId, "us-east-1"), "CreateHostedZone", new JsonObject { ["Name"] = "example.com", ["CallerReference"] = "x" }))["HostedZone"]!["Id"]!;
        own.Host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = "us-east-1", Service = "*" });
        var answer = await client.SendAsync("route53", HttpMethod.Get, $"/2013-04-01/testdnsanswer?hostedzoneid={zone["/hostedzone/".Length..]}&recordname=example.com&recordtype=NS");
        Assert.Equal(200, answer.Status);
        Assert.Contains("awsdns", answer.Text, StringComparison.Ordinal);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.SendAsync("route53", HttpMethod.Get, "/2013-04-01/hostedzone"));
    }
}
