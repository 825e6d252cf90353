using System.Globalization;
using System.Net;
using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>The network as packets see it: rules are walked as the VPC walks them, answers included.</summary>
public sealed class NetworkStackTests
{
    private const string Client = "203.0.113.7";
    private const string LoadBalancer = "10.0.1.20";
    private const string NatGateway = "10.0.2.30";
    private const string Task = "10.0.3.40";
    private const string OtherTask = "10.0.4.41";
    private const string Aws = "52.216.0.1";

    [Fact]
    public async Task Is_the_document_s_address_plan_over_two_zones()
    {
        var stack = await StackFixture.EvaluateAsync();
        Assert.Equal("10.0.0.0/16", stack.Find("Network/Vpc").Text("CidrBlock"));
        var subnets = stack.OfType("AWS::EC2::Subnet").ToDictionary(s => s.LogicalId, s => (s.Text("CidrBlock"), s.Text("AvailabilityZone")));
        Assert.Equal(("10.0.1.0/24", "us-east-1a"), subnets["PublicSubnet1"]);
        Assert.Equal(("10.0.2.0/24", "us-east-1b"), subnets["PublicSubnet2"]);
        Assert.Equal(("10.0.3.0/24", "us-east-1a"), subnets["PrivateSubnet1"]);
        Assert.Equal(("10.0.4.0/24", "us-east-1b"), subnets["PrivateSubnet2"]);
        Assert.Equal(2, stack.OfType("AWS::EC2::VPCEndpoint").Count(e => e.Text("VpcEndpointType") == "Gateway"));
    }

    [Theory]
    [InlineData("Single", 1, "NatGateway1")]
    [InlineData("PerAz", 2, "NatGateway2")]
    public async Task Sends_private_traffic_through_one_or_two_nat_gateways(string mode, int gateways, string second)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("NatGatewayMode", mode)]);
        Assert.Equal(gateways, stack.OfType("AWS::EC2::NatGateway").Count());
        Assert.Equal(gateways, stack.OfType("AWS::EC2::EIP").Count());
        Assert.Contains("NatGateway1", stack.Find("Network/PrivateInternetRoute1").DependsOn);
        Assert.Contains(second, stack.Find("Network/PrivateInternetRoute2").DependsOn);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Logs_flows_to_the_audit_group_or_not_at_all(string flowLogs)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("FlowLogs", flowLogs)]);
        Assert.Equal(flowLogs == "true" ? 1 : 0, stack.OfType("AWS::EC2::FlowLog").Count());
        Assert.Equal("90", stack.Find("Logs/AuditLogGroup").Text("RetentionInDays"));
        Assert.Equal("30", stack.Find("Logs/ApplicationLogGroup").Text("RetentionInDays"));
    }

    [Fact]
    public async Task Network_acls_let_the_application_work_in_both_directions()
    {
        var acls = new Acls(await StackFixture.EvaluateAsync());
        Assert.True(acls.RoundTrip(Client, LoadBalancer, 443), "a client over HTTPS");
        Assert.True(acls.RoundTrip(Client, LoadBalancer, 80), "a client over HTTP");
        Assert.True(acls.RoundTrip(LoadBalancer, Task, 8000), "load balancer to a task in its zone");
        Assert.True(acls.RoundTrip(LoadBalancer, OtherTask, 8000), "load balancer to a task in the other zone");
        Assert.True(acls.RoundTrip(Task, OtherTask, 5432), "a task to the database");
        Assert.True(acls.RoundTrip(OtherTask, Task, 6379), "a task to the cache");
        Assert.True(acls.RoundTrip(Task, Aws, 443), "a task through a gateway endpoint, whose answers come from the far end's address");
        Assert.True(acls.RoundTrip(NatGateway, Aws, 443), "the NAT gateway to the internet");
    }

    [Fact]
    public async Task Network_acls_let_nothing_else_in()
    {
        var acls = new Acls(await StackFixture.EvaluateAsync());
        foreach (var port in new[] { 22, 23, 25, 135, 445 })
        {
            Assert.False(acls.RoundTrip(Client, LoadBalancer, port), $"port {port} of a public subnet");
            Assert.False(acls.RoundTrip(Client, Task, port), $"port {port} of a private subnet");
        }

        Assert.False(acls.RoundTrip(Client, Task, 443), "HTTPS of a private subnet");
        Assert.False(acls.RoundTrip(Task, Aws, 25), "mail from a private subnet");
    }

    [Fact]
    public async Task Security_groups_chain_clients_load_balancer_tasks_and_data()
    {
        var stack = await StackFixture.EvaluateAsync();
        var balancer = stack.Find("Network/LoadBalancerSecurityGroup");
        var tasks = stack.Find("Network/TaskSecurityGroup");
        var data = stack.Find("Network/DataSecurityGroup");

        Assert.Equal(["443", "80"], balancer.At("SecurityGroupIngress")!.Items.Select(r => r["FromPort"]!.AsString()!).Order());
        Assert.All(balancer.At("SecurityGroupEgress")!.Items, r => Assert.Equal("8000", r["ToPort"]!.AsString()));
        Assert.Equal(["10.0.3.0/24", "10.0.4.0/24"], balancer.At("SecurityGroupEgress")!.Items.Select(r => r["CidrIp"]!.AsString()!).Order());

        var toTasks = Assert.Single(tasks.At("SecurityGroupIngress")!.Items);
        Assert.Equal("8000", toTasks["FromPort"]!.AsString());
        Assert.Contains("LoadBalancerSecurityGroup", tasks.DependsOn);
        Assert.Equal(["443", "5432", "6379"], tasks.At("SecurityGroupEgress")!.Items.Select(r => r["FromPort"]!.AsString()!).Order());

        // From tasks and from instances, which carry the jobs of Batch.
        Assert.Equal(["5432", "5432", "6379", "6379"], data.At("SecurityGroupIngress")!.Items.Select(r => r["FromPort"]!.AsString()!).Order());
        Assert.All(["TaskSecurityGroup", "InstanceSecurityGroup"], group => Assert.Contains(group, data.DependsOn));
        Assert.Equal("127.0.0.1/32", data.Text("SecurityGroupEgress.0.CidrIp"));
        Assert.Null(stack.Find("Network/InstanceSecurityGroup").At("SecurityGroupIngress"));
        Assert.All(
            stack.OfType("AWS::EC2::SecurityGroup").Where(g => g.LogicalId != "LoadBalancerSecurityGroup"),
            g => Assert.DoesNotContain(g.At("SecurityGroupIngress")?.Items ?? [], r => r["CidrIp"]?.AsString() == "0.0.0.0/0"));
    }

    [Fact]
    public async Task One_security_group_guards_the_load_balancer_and_follows_the_container_port()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("ContainerPort", "9000")]);
        Assert.Single(stack.Find("Ecs/LoadBalancer").At("SecurityGroups")!.Items);
        Assert.All(stack.Find("Network/LoadBalancerSecurityGroup").At("SecurityGroupEgress")!.Items, r => Assert.Equal("9000", r["FromPort"]!.AsString()));
        Assert.Equal("9000", stack.Find("Network/TaskSecurityGroup").Text("SecurityGroupIngress.0.FromPort"));
        Assert.Equal("9000", stack.Find("Ecs/TargetGroup").Text("Port"));
        Assert.Equal("curl -f http://localhost:9000/health", stack.Find("Ecs/TaskDefinition").Text("ContainerDefinitions.0.HealthCheck.Command.1"));
    }

    /// <summary>Walks network ACL entries in the order of their numbers; the last word is no.</summary>
    private sealed class Acls(EvaluatedStack stack)
    {
        private const int Ephemeral = 45_000;

        private readonly List<EvaluatedResource> _entries = [.. stack.OfType("AWS::EC2::NetworkAclEntry").OrderBy(e => int.Parse(e.Text("RuleNumber")!, CultureInfo.InvariantCulture))];

        /// <summary>Whether a TCP connection can be opened and answered.</summary>
        public bool RoundTrip(string from, string to, int port) => Passes(from, to, port) && Passes(to, from, Ephemeral);

        private bool Passes(string from, string to, int port) => Allows(Acl(from), egress: true, to, port) && Allows(Acl(to), egress: false, from, port);

        private static string? Acl(string address) => address.StartsWith("10.0.1.", StringComparison.Ordinal) || address.StartsWith("10.0.2.", StringComparison.Ordinal) ? "PublicNetworkAcl"
            : address.StartsWith("10.0.", StringComparison.Ordinal) ? "PrivateNetworkAcl" : null;

        private bool Allows(string? acl, bool egress, string other, int port)
        {
            if (acl is null)
            {
                return true;
            }

            foreach (var entry in _entries.Where(e => e.DependsOn.Contains(acl) && (e.Text("Egress") == "true") == egress))
            {
                var protocol = entry.Text("Protocol");
                var ports = entry.At("PortRange");
                if (protocol is not ("-1" or "6") || !IPNetwork.Parse(entry.Text("CidrBlock")!).Contains(IPAddress.Parse(other)))
                {
                    continue;
                }

                if (protocol == "6" && (port < Number(ports!["From"]) || port > Number(ports["To"])))
                {
                    continue;
                }

                return entry.Text("RuleAction") == "allow";
            }

            return false;
        }

        private static int Number(Value? value) => int.Parse(value!.AsString()!, CultureInfo.InvariantCulture);
    }
}
