using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Traffic;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Zonal shift of a load balancer over two zones with two tasks behind it, under load.</summary>
public sealed class ZonalShiftTests : EcsServiceTestBase
{
    private async Task<string> Balancer() => (string)(await Call("elbv2", "DescribeLoadBalancers"))["LoadBalancers"]![0]!["LoadBalancerArn"]!;

    private async Task<string> Enabled()
    {
        await Start();
        var arn = await Balancer();
        await Call("elbv2", "ModifyLoadBalancerAttributes", $$"""{"LoadBalancerArn":"{{arn}}","Attributes":[{"Key":"zonal_shift.config.enabled","Value":"true"}]}""");
        return arn;
    }

    private Task<JsonObject> Shift(string arn, string away = "use1-az1", string expires = "1h") =>
        Call("arc-zonal-shift", "StartZonalShift", $$"""{"resourceIdentifier":"{{arn}}","awayFrom":"{{away}}","expiresIn":"{{expires}}","comment":"zone is ill"}""");

    private async Task<string?> Reason(string arn, string away, string expires) =>
        (await Fails("arc-zonal-shift", "StartZonalShift", $$"""{"resourceIdentifier":"{{arn}}","awayFrom":"{{away}}","expiresIn":"{{expires}}","comment":"c"}""")).Members?.Text("reason");

    private async Task<JsonObject> Resource(string arn) => await Call("arc-zonal-shift", "GetManagedResource", $$"""{"resourceIdentifier":"{{arn}}"}""");

    private async Task<Dictionary<string, double>> RequestsByZone(SandboxLoad load)
    {
        // What was sent in the minutes that the caller lets pass, by the zone of the task it went to.
        var tasks = (await Call("ecs", "DescribeTasks", $$"""{"cluster":"demo","tasks":{{(await Call("ecs", "ListTasks", """{"cluster":"demo"}"""))["taskArns"]!.ToJsonString()}}}"""))["tasks"]!.AsArray();
        var zones = tasks.ToDictionary(task => (string)task!["containers"]![0]!["networkInterfaces"]![0]!["privateIpv4Address"]!, task => (string)task!["availabilityZone"]!);
        double Sent(string zone) => (double) load.Targets.Where(item => item.Target is { } target && zones.GetValueOrDefault(target) == zone).Sum(item => item.Requests);
        var before = zones.Values.Distinct().ToDictionary(zone => zone, Sent);
        Pass(TimeSpan.FromMinutes(3));
        return before.ToDictionary(pair => pair.Key, pair => Sent(pair.Key) - pair.Value);
    }

    [Fact]
    public async Task The_zone_that_is_shifted_away_from_gets_no_traffic_until_the_shift_ends()
    {
        var arn = await Enabled();
        var load = Runtime.Loads.Set("123456789012", "us-east-1", "*", SandboxLoadProfile.Constant(20));
        Pass(TimeSpan.FromMinutes(2));
        var even = await RequestsByZone(load);
        Assert.Equal(even["us-east-1a"], even["us-east-1b"], 3);
        var shift = await Shift(arn);
        Assert.Equal(("ACTIVE", "use1-az1"), (shift.Text("status"), shift.Text("awayFrom")));
        var moved = await RequestsByZone(load);
        Assert.Equal(0, moved["us-east-1a"]);
        Assert.Equal(even["us-east-1a"] * 2, moved["us-east-1b"], 3);
        var resource = await Resource(arn);
        Assert.Equal((0.0, 1.0), (resource.Child("appliedWeights")!.Double("use1-az1"), resource.Child("appliedWeights")!.Double("use1-az2")));
        Assert.Equal("APPLIED", Assert.Single(resource.Objects("zonalShifts")).Text("appliedStatus"));
        var target = (await Call("elbv2", "DescribeTargetHealth", $$"""{"TargetGroupArn":"{{(await Call("elbv2", "DescribeTargetGroups"))["TargetGroups"]![0]!["TargetGroupArn"]}}"}""")).Objects("TargetHealthDescriptions");
        Assert.Equal(["no_override", "zonal_shift_active"], target.Select(item => item.Child("AdministrativeOverride")?.Text("State")).Order());

        await Call("arc-zonal-shift", "CancelZonalShift", $$"""{"zonalShiftId":"{{shift.Text("zonalShiftId")}}"}""");
        var back = await RequestsByZone(load);
        Assert.Equal(even["us-east-1a"], back["us-east-1a"], 3);
        Assert.Equal("ZonalShiftStatusNotActive", (await Fails("arc-zonal-shift", "CancelZonalShift", $$"""{"zonalShiftId":"{{shift.Text("zonalShiftId")}}"}""")).Members?.Text("reason"));
    }

    [Fact]
    public async Task A_shift_expires_in_its_time_which_can_be_put_off()
    {
        var arn = await Enabled();
        var id = (await Shift(arn, expires: "30m")).Required("zonalShiftId");
        Pass(TimeSpan.FromMinutes(20));
        await Call("arc-zonal-shift", "UpdateZonalShift", $$"""{"zonalShiftId":"{{id}}","expiresIn":"1h","comment":"still ill"}""");
        Pass(TimeSpan.FromMinutes(30));
        async Task<JsonObject> Listed() => Assert.Single((await Call("arc-zonal-shift", "ListZonalShifts", $$"""{"resourceIdentifier":"{{arn}}"}""")).Objects("items"));
        Assert.Equal(("ACTIVE", "still ill"), ((await Listed()).Text("status"), (await Listed()).Text("comment")));
        Pass(TimeSpan.FromMinutes(31));
        Assert.Equal("EXPIRED", (await Listed()).Text("status"));
        Assert.Equal(1.0, (await Resource(arn)).Child("appliedWeights")!.Double("use1-az1"));
        Assert.Empty((await Call("arc-zonal-shift", "ListZonalShifts", """{"status":"ACTIVE"}""")).Objects("items"));
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_its_reason()
    {
        await Start();
        var arn = await Balancer();
        Assert.Equal("ResourceNotFoundException", (await Fails("arc-zonal-shift", "StartZonalShift", $$"""{"resourceIdentifier":"{{arn}}","awayFrom":"use1-az1","expiresIn":"1h","comment":"c"}""")).Code);
        Assert.Empty((await Call("arc-zonal-shift", "ListManagedResources")).Objects("items"));
        await Call("elbv2", "ModifyLoadBalancerAttributes", $$"""{"LoadBalancerArn":"{{arn}}","Attributes":[{"Key":"zonal_shift.config.enabled","Value":"true"}]}""");
        Assert.Equal(["use1-az1", "use1-az2"], Assert.Single((await Call("arc-zonal-shift", "ListManagedResources")).Objects("items")).Texts("availabilityZones"));
        Assert.Equal("InvalidAz", await Reason(arn, "use1-az4", "1h"));
        Assert.Equal("InvalidExpiresIn", await Reason(arn, "use1-az1", "73h"));
        var first = (await Shift(arn)).Text("zonalShiftId");
        var second = await Fails("arc-zonal-shift", "StartZonalShift", $$"""{"resourceIdentifier":"{{arn}}","awayFrom":"use1-az2","expiresIn":"1h","comment":"c"}""");
        Assert.Equal(("ZonalShiftAlreadyExists", first), (second.Members!.Text("reason"), second.Members!.Text("zonalShiftId")));
    }

    private async Task Alarm(string state)
    {
        await Call("cloudwatch", "PutMetricAlarm", """{"AlarmName":"errors","Namespace":"N","MetricName":"M","Statistic":"Sum","Period":60,"EvaluationPeriods":1,"Threshold":1,"ComparisonOperator":"GreaterThanThreshold","TreatMissingData":"ignore"}""");
        await Call("cloudwatch", "SetAlarmState", $$"""{"AlarmName":"errors","StateValue":"{{state}}","StateReason":"test"}""");
    }

    private const string AlarmArn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors";

    [Fact]
    public async Task A_practice_run_ends_by_itself_and_at_once_when_its_alarm_goes_off()
    {
        var arn = await Enabled();
        await Alarm("OK");
        var practice = $$"""{"resourceIdentifier":"{{arn}}","outcomeAlarms":[{"type":"CLOUDWATCH","alarmIdentifier":"{{AlarmArn}}"}]}""";
        Assert.Equal("PracticeConfigurationDoesNotExist", (await Fails("arc-zonal-shift", "UpdateZonalAutoshiftConfiguration", $$"""{"resourceIdentifier":"{{arn}}","zonalAutoshiftStatus":"ENABLED"}""")).Members?.Text("reason"));
        await Call("arc-zonal-shift", "CreatePracticeRunConfiguration", practice);
        var run = $$"""{"resourceIdentifier":"{{arn}}","awayFrom":"use1-az2","comment":"practice"}""";
        async Task<(string?, string?)> Last()
        {
            var item = (await Call("arc-zonal-shift", "ListZonalShifts")).Objects("items").First();
            return (item.Text("status"), item.Text("practiceRunOutcome"));
        }
        await Call("arc-zonal-shift", "StartPracticeRun", run);
        Assert.Equal(("ACTIVE", "PENDING"), await Last());
        Pass(TimeSpan.FromMinutes(31));
        Assert.Equal(("EXPIRED", "SUCCEEDED"), await Last());
        await Call("arc-zonal-shift", "StartPracticeRun", run);
        await Alarm("ALARM");
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal(("CANCELED", "FAILED"), await Last());
        Assert.Equal("PracticeOutcomeAlarmsRed", (await Fails("arc-zonal-shift", "StartPracticeRun", run)).Members?.Text("reason"));
    }

    [Fact]
    public async Task With_autoshift_traffic_leaves_a_lost_zone_by_itself_and_comes_back()
    {
        var arn = await Enabled();
        await Alarm("OK");
        await Provision("AWS::ARCZonalShift::ZonalAutoshiftConfiguration", $$"""{"ResourceIdentifier":"{{arn}}","ZonalAutoshiftStatus":"ENABLED","PracticeRunConfiguration":{"OutcomeAlarms":[{"Type":"CLOUDWATCH","AlarmIdentifier":"{{AlarmArn}}"}]} }""");
        var read = (await Provider("AWS::ARCZonalShift::ZonalAutoshiftConfiguration").ReadAsync(Provisioning(), arn))!;
        Assert.Equal(("ENABLED", AlarmArn), (read.Text("ZonalAutoshiftStatus"), read.Child("PracticeRunConfiguration")!.Objects("OutcomeAlarms").Single().Text("AlarmIdentifier")));
        var loss = Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ZoneLoss, Zone = "us-east-1b" });
        Pass(TimeSpan.FromMinutes(10));
        var resource = await Resource(arn);
        Assert.Equal(("use1-az2", "APPLIED"), (Assert.Single(resource.Objects("autoshifts")).Text("awayFrom"), resource.Objects("autoshifts").Single().Text("appliedStatus")));
        Assert.Equal(0.0, resource.Child("appliedWeights")!.Double("use1-az2"));
        Runtime.Faults.Remove(loss.Id);
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal("COMPLETED", Assert.Single((await Call("arc-zonal-shift", "ListAutoshifts")).Objects("items")).Text("status"));
        Assert.Equal(1.0, (await Resource(arn)).Child("appliedWeights")!.Double("use1-az2"));
        Assert.Equal("AutoShiftEnabled", (await Fails("arc-zonal-shift", "DeletePracticeRunConfiguration", $$"""{"resourceIdentifier":"{{arn}}"}""")).Members?.Text("reason"));
        await Complete(Provider("AWS::ARCZonalShift::ZonalAutoshiftConfiguration").DeleteAsync(Provisioning(), arn, read));
        Assert.Null(await Provider("AWS::ARCZonalShift::ZonalAutoshiftConfiguration").ReadAsync(Provisioning(), arn));
    }

    [Fact]
    public async Task An_alias_leads_to_the_zones_that_are_left()
    {
        var arn = await Enabled();
        async Task<int> Addresses()
        {
            var zones = (await Call("route53", "ListHostedZones")).Objects("HostedZones").ToList();
            var zone = zones.Count > 0 ? zones[0].Required("Id") : (await Call("route53", "CreateHostedZone", """{"Name":"example.com","CallerReference":"1"}""")).Child("HostedZone")!.Required("Id");
            var balancer = (await Call("elbv2", "DescribeLoadBalancers"))["LoadBalancers"]![0]!;
            await Call("route53", "ChangeResourceRecordSets", $$"""{"HostedZoneId":"{{zone}}","ChangeBatch":{"Changes":[{"Action":"UPSERT","ResourceRecordSet":{"Name":"www.example.com","Type":"A","AliasTarget":{"HostedZoneId":"{{balancer["CanonicalHostedZoneId"]}}","DNSName":"{{balancer["DNSName"]}}","EvaluateTargetHealth":false} } }]} }""");
            return (await Call("route53", "TestDNSAnswer", $$"""{"HostedZoneId":"{{zone}}","RecordName":"www.example.com","RecordType":"A"}""")).Texts("RecordData").Count;
        }
        Assert.Equal(2, await Addresses());
        await Shift(arn);
        Assert.Equal(1, await Addresses());
    }
}
