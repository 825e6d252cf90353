using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;

namespace Inferloop.Tests.Sandbox.Services.Route53;

/// <summary>Answers by policy, and health checks that look at the load balancer of a service of two tasks.</summary>
public sealed class Route53Tests : EcsServiceTestBase
{
    private async Task<string> Zone(string name = "example.com") =>
        ((string)(await Call("route53", "CreateHostedZone", $$"""{"Name":"{{name}}","CallerReference":"{{name}}"}"""))["HostedZone"]!["Id"]!)["/hostedzone/".Length..];

    private Task<JsonObject> Change(string zone, string changes) => Call("route53", "ChangeResourceRecordSets", $$"""{"HostedZoneId":"{{zone}}","ChangeBatch":{"Changes":[{{changes}}]} }""");

    private async Task<string> Problem(string zone, string changes) => (await Fails("route53", "ChangeResourceRecordSets", $$"""{"HostedZoneId":"{{zone}}","ChangeBatch":{"Changes":[{{changes}}]} }""")).Message;

    private static string Set(string record, string action = "CREATE") => $$"""{"Action":"{{action}}","ResourceRecordSet":{{record}}}""";

    private static string Plain(string name, string value, string more = "", string type = "A") => Set($$"""{"Name":"{{name}}","Type":"{{type}}","TTL":60,"ResourceRecords":[{"Value":"{{value}}"}]{{more}}}""");

    private async Task<string> Ask(string zone, string name, string type = "A")
    {
        var answer = await Call("route53", "TestDNSAnswer", $$"""{"HostedZoneId":"{{zone}}","RecordName":"{{name}}","RecordType":"{{type}}"}""");
        return (string)answer["ResponseCode"]! == "NOERROR" ? string.Join(',', answer["RecordData"]!.AsArray().Select(item => (string)item!)) : (string)answer["ResponseCode"]!;
    }

    private async Task<string> Check(string config) =>
        (string)(await Call("route53", "CreateHealthCheck", $$"""{"CallerReference":"{{Guid.NewGuid()}}","HealthCheckConfig":{{config}}}"""))["HealthCheck"]!["Id"]!;

    [Fact]
    public async Task A_batch_is_done_whole_or_not_at_all_and_every_problem_is_told()
    {
        var zone = await Zone();
        var change = await Change(zone, Plain("www.example.com", "192.0.2.1"));
        var id = (string)change["ChangeInfo"]!["Id"]!;
        Assert.Equal("PENDING", (string)(await Call("route53", "GetChange", $$"""{"Id":"{{id}}"}"""))["ChangeInfo"]!["Status"]!);
        Pass(TimeSpan.FromMinutes(1));
        Assert.Equal("INSYNC", (string)(await Call("route53", "GetChange", $$"""{"Id":"{{id}}"}"""))["ChangeInfo"]!["Status"]!);

        var problem = await Problem(zone, string.Join(',', Plain("new.example.com", "192.0.2.9"), Plain("www.example.com", "192.0.2.2"), Plain("www.other.com", "192.0.2.3"), Plain("bad.example.com", "192.0.2"),
            Plain("example.com", "a.example.com", type: "CNAME"), Plain("www.example.com", "a.example.com", type: "CNAME"), Plain("t.example.com", "text", type: "TXT")));
        Assert.Equal("[Tried to create resource record set [name='www.example.com.', type='A'] but it already exists, RRSet with DNS name www.other.com. is not permitted in zone example.com., "
            + "Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '192.0.2'', RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone example.com., "
            + "RRSet of type CNAME with DNS name www.example.com. is not permitted as it conflicts with other records with the same DNS name in zone example.com., "
            + "Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with 'text'']", problem);
        Assert.Equal("NXDOMAIN", await Ask(zone, "new.example.com"));

        Assert.Contains("but the values provided do not match the current values", await Problem(zone, Plain("www.example.com", "192.0.2.7").Replace("CREATE", "DELETE", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("but it was not found", await Problem(zone, Plain("no.example.com", "192.0.2.7").Replace("CREATE", "DELETE", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("Missing field 'SetIdentifier'", await Problem(zone, Plain("w.example.com", "192.0.2.7", ",\"Weight\":1")), StringComparison.Ordinal);
        Assert.Contains("Expected exactly one of [AliasTarget", await Problem(zone, Set("""{"Name":"n.example.com","Type":"A","TTL":3}""")), StringComparison.Ordinal);
        Assert.Contains("that target was not found", await Problem(zone, Set($$"""{"Name":"al.example.com","Type":"A","AliasTarget":{"HostedZoneId":"{{zone}}","DNSName":"nope.example.com","EvaluateTargetHealth":false} }""")), StringComparison.Ordinal);
        Assert.Equal("HostedZoneNotEmpty", (await Fails("route53", "DeleteHostedZone", $$"""{"Id":"{{zone}}"}""")).Code);
        // The old one goes and a CNAME takes its place in one batch.
        await Change(zone, Plain("www.example.com", "192.0.2.1").Replace("CREATE", "DELETE", StringComparison.Ordinal) + "," + Plain("www.example.com", "elsewhere.example.org", type: "CNAME"));
        Assert.Equal("elsewhere.example.org", await Ask(zone, "www.example.com"));
        await Change(zone, Plain("www.example.com", "elsewhere.example.org", type: "CNAME").Replace("CREATE", "DELETE", StringComparison.Ordinal));
        await Call("route53", "DeleteHostedZone", $$"""{"Id":"{{zone}}"}""");
        Assert.Equal("NoSuchHostedZone", (await Fails("route53", "GetHostedZone", $$"""{"Id":"{{zone}}"}""")).Code);
    }

    [Fact]
    public async Task Weights_latency_wildcards_and_several_values_answer_as_they_say()
    {
        var zone = await Zone();
        await Change(zone, string.Join(',',
            Plain("w.example.com", "192.0.2.1", ",\"SetIdentifier\":\"blue\",\"Weight\":90"), Plain("w.example.com", "192.0.2.2", ",\"SetIdentifier\":\"green\",\"Weight\":10"), Plain("w.example.com", "192.0.2.3", ",\"SetIdentifier\":\"off\",\"Weight\":0"),
            Plain("l.example.com", "192.0.2.4", ",\"SetIdentifier\":\"east\",\"Region\":\"us-east-2\""), Plain("l.example.com", "192.0.2.5", ",\"SetIdentifier\":\"west\",\"Region\":\"us-west-2\""), Plain("l.example.com", "192.0.2.6", ",\"SetIdentifier\":\"ireland\",\"Region\":\"eu-west-1\""),
            Plain("*.apps.example.com", "192.0.2.7"), Plain("one.apps.example.com", "192.0.2.8"), Plain("example.com", "10 mail.example.com", type: "MX"),
            Set("""{"Name":"v.example.com","Type":"A","TTL":60,"SetIdentifier":"a","MultiValueAnswer":true,"ResourceRecords":[{"Value":"192.0.2.10"}]}"""), Set("""{"Name":"v.example.com","Type":"A","TTL":60,"SetIdentifier":"b","MultiValueAnswer":true,"ResourceRecords":[{"Value":"192.0.2.11"}]}""")));
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < 1000; i++)
        {
            var answer = await Ask(zone, "w.example.com");
            counts[answer] = counts.GetValueOrDefault(answer) + 1;
        }
        Assert.Equal(["192.0.2.1", "192.0.2.2"], counts.Keys.Order(StringComparer.Ordinal));
        Assert.InRange(counts["192.0.2.2"], 60, 140);
        // The sandbox's region is us-east-1.
        Assert.Equal(("192.0.2.4", "192.0.2.7", "192.0.2.8", "NXDOMAIN", "10 mail.example.com", ""), (await Ask(zone, "l.example.com"), await Ask(zone, "two.apps.example.com"), await Ask(zone, "one.apps.example.com"), await Ask(zone, "two.example.com"), await Ask(zone, "example.com", "MX"), await Ask(zone, "apps.example.com")));
        Assert.Equal("192.0.2.10,192.0.2.11", await Ask(zone, "v.example.com"));
        Assert.Contains("because a weighted rrset exists", await Problem(zone, Plain("w.example.com", "192.0.2.9")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failover_record_follows_the_health_of_the_balancer_there_and_back()
    {
        await Start();
        var zone = await Zone();
        var balancer = (await Call("elbv2", "DescribeLoadBalancers"))["LoadBalancers"]![0]!;
        var (name, balancerZone) = ((string)balancer["DNSName"]!, (string)balancer["CanonicalHostedZoneId"]!);
        var check = await Check($$"""{"Type":"HTTP","FullyQualifiedDomainName":"{{name}}","Port":80,"ResourcePath":"/health","RequestInterval":10,"FailureThreshold":3}""");
        string Alias(string id, string failover, string more) => Set($$"""{"Name":"app.example.com","Type":"A","SetIdentifier":"{{id}}","Failover":"{{failover}}"{{more}}}""");
        await Change(zone, Alias("east", "PRIMARY", $$""","HealthCheckId":"{{check}}","AliasTarget":{"HostedZoneId":"{{balancerZone}}","DNSName":"dualstack.{{name}}","EvaluateTargetHealth":true}""")
            + "," + Alias("west", "SECONDARY", ",\"TTL\":60,\"ResourceRecords\":[{\"Value\":\"192.0.2.99\"}]"));
        var calculated = await Check($$"""{"Type":"CALCULATED","ChildHealthChecks":["{{check}}"],"HealthThreshold":1}""");
        await Change(zone, Plain("c.example.com", "192.0.2.1", $",\"SetIdentifier\":\"p\",\"Failover\":\"PRIMARY\",\"HealthCheckId\":\"{calculated}\"") + "," + Plain("c.example.com", "192.0.2.2", ",\"SetIdentifier\":\"s\",\"Failover\":\"SECONDARY\""));
        Pass(TimeSpan.FromMinutes(1));
        var primary = await Ask(zone, "app.example.com");
        Assert.StartsWith("52.", primary, StringComparison.Ordinal);
        Assert.StartsWith("Success: HTTP Status Code 200", await Report(check), StringComparison.Ordinal);

        var loss = Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = "us-east-1", Service = "*" });
        // The check needs three looks in a row; what is asked is Route 53 itself, whose answers need no region.
        Pass(TimeSpan.FromSeconds(15));
        Assert.Equal("192.0.2.1", await Ask(zone, "c.example.com"));
        Pass(TimeSpan.FromSeconds(25));
        Assert.Equal(("192.0.2.99", "192.0.2.2"), (await Ask(zone, "app.example.com"), await Ask(zone, "c.example.com")));
        Assert.StartsWith("Failure: Connection timed out", await Report(check), StringComparison.Ordinal);

        Runtime.Faults.Remove(loss.Id);
        Pass(TimeSpan.FromMinutes(10));
        Assert.Equal((primary, "192.0.2.1"), (await Ask(zone, "app.example.com"), await Ask(zone, "c.example.com")));
        Assert.StartsWith("Failure: Connection timed out", (string)(await Call("route53", "GetHealthCheckLastFailureReason", $$"""{"HealthCheckId":"{{check}}"}"""))["HealthCheckObservations"]![0]!["StatusReport"]!["Status"]!, StringComparison.Ordinal);
        Assert.Equal("HealthCheckInUse", (await Fails("route53", "DeleteHealthCheck", $$"""{"HealthCheckId":"{{check}}"}""")).Code);
        Assert.Equal("InvalidInput", (await Fails("route53", "GetHealthCheckStatus", $$"""{"HealthCheckId":"{{calculated}}"}""")).Code);

        // Without tasks there is nothing healthy behind the balancer.
        await Call("ecs", "UpdateService", """{"cluster":"demo","service":"synthdata","desiredCount":0}""");
        Pass(TimeSpan.FromMinutes(8));
        Assert.Equal("192.0.2.99", await Ask(zone, "app.example.com"));
        Assert.StartsWith("Failure: HTTP Status Code 503", await Report(check), StringComparison.Ordinal);
    }

    private async Task<string> Report(string check) => (string)(await Call("route53", "GetHealthCheckStatus", $$"""{"HealthCheckId":"{{check}}"}"""))["HealthCheckObservations"]![0]!["StatusReport"]!["Status"]!;

    [Fact]
    public async Task A_check_of_an_alarm_follows_it_and_inverted_or_disabled_ones_answer_as_AWS_has_it()
    {
        var zone = await Zone();
        await Call("cloudwatch", "PutMetricAlarm", """{"AlarmName":"lag","Namespace":"App","MetricName":"Lag","Statistic":"Maximum","Period":60,"EvaluationPeriods":1,"Threshold":10,"ComparisonOperator":"GreaterThanThreshold","TreatMissingData":"ignore"}""");
        Assert.Equal("InvalidInput", (await Fails("route53", "CreateHealthCheck", """{"CallerReference":"x","HealthCheckConfig":{"Type":"CLOUDWATCH_METRIC","AlarmIdentifier":{"Region":"us-east-1","Name":"none"} } }""")).Code);
        var check = await Check("""{"Type":"CLOUDWATCH_METRIC","AlarmIdentifier":{"Region":"us-east-1","Name":"lag"},"InsufficientDataHealthStatus":"Healthy"}""");
        await Change(zone, Plain("a.example.com", "192.0.2.1", $",\"SetIdentifier\":\"p\",\"Failover\":\"PRIMARY\",\"HealthCheckId\":\"{check}\"") + "," + Plain("a.example.com", "192.0.2.2", ",\"SetIdentifier\":\"s\",\"Failover\":\"SECONDARY\""));
        Pass(TimeSpan.FromMinutes(1));
        Assert.Equal("192.0.2.1", await Ask(zone, "a.example.com"));
        await Call("cloudwatch", "SetAlarmState", """{"AlarmName":"lag","StateValue":"ALARM","StateReason":"test"}""");
        Pass(TimeSpan.FromSeconds(11));
        Assert.Equal("192.0.2.2", await Ask(zone, "a.example.com"));
        var version = await Call("route53", "UpdateHealthCheck", $$"""{"HealthCheckId":"{{check}}","HealthCheckVersion":1,"Inverted":true}""");
        Assert.Equal((2L, "192.0.2.1"), ((long)version["HealthCheck"]!["HealthCheckVersion"]!, await Ask(zone, "a.example.com")));
        await Call("route53", "UpdateHealthCheck", $$"""{"HealthCheckId":"{{check}}","Disabled":true}""");
        Assert.Equal("192.0.2.2", await Ask(zone, "a.example.com"));
        Assert.Equal("HealthCheckVersionMismatch", (await Fails("route53", "UpdateHealthCheck", $$"""{"HealthCheckId":"{{check}}","HealthCheckVersion":1}""")).Code);
    }
}
