using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>The VPN: off unless asked for; then both tunnels logged, routes spread by BGP, traffic let through where it is meant to go.</summary>
public sealed class VpnStackTests
{
    private static Task<EvaluatedStack> EvaluateAsync(params (string, string)[] parameters) => StackFixture.EvaluateAsync(parameters: parameters);

    [Fact]
    public async Task Is_not_there_unless_asked_for() =>
        Assert.DoesNotContain((await EvaluateAsync()).AllResources(), r => r.Type.Contains("VPN", StringComparison.Ordinal) || r.Type == "AWS::EC2::CustomerGateway");

    [Fact]
    public async Task Needs_the_address_of_the_other_side() =>
        await Assert.ThrowsAsync<TemplateException>(() => EvaluateAsync(("VpnEnabled", "true")));

    [Fact]
    public async Task Joins_the_other_side_to_the_private_subnets()
    {
        var stack = await EvaluateAsync(("VpnEnabled", "true"), ("CustomerGatewayIp", "203.0.113.7"), ("BgpAsn", "65010"), ("VpnRemoteCidr", "172.20.0.0/16"));
        Assert.Equal("203.0.113.7", stack.Find("Network/CustomerGateway").Text("IpAddress"));
        Assert.Equal("65010", stack.Find("Network/CustomerGateway").Text("BgpAsn"));
        var routes = stack.Find("Network/VpnRoutes");
        Assert.Equal(["Network/PrivateRouteTable1", "Network/PrivateRouteTable2"], routes.At("RouteTableIds")!.Items.SelectMany(t => t.Sources).Select(s => s.Split('.')[0]));
        Assert.Contains("VpnGatewayAttachment", routes.DependsOn);

        var tunnels = stack.Find("Network/VpnConnection").At("VpnTunnelOptionsSpecifications")!.Items;
        Assert.Equal(2, tunnels.Count);
        for (var n = 0; n < 2; n++)
        {
            var log = tunnels[n]["LogOptions"]!["CloudwatchLogOptions"]!;
            Assert.Equal("true", log["LogEnabled"]!.AsString());
            Assert.True(log["LogGroupArn"]!.ComesFrom($"Network/VpnLogGroup{n + 1}"));
            Assert.Equal(["ikev2"], tunnels[n]["IKEVersions"]!.Items.Select(v => v["Value"]!.AsString()));
            foreach (var phase in new[] { "Phase1", "Phase2" })
            {
                Assert.DoesNotContain(tunnels[n][phase + "EncryptionAlgorithms"]!.Items, v => !v["Value"]!.AsString()!.StartsWith("AES256", StringComparison.Ordinal));
                Assert.DoesNotContain(tunnels[n][phase + "IntegrityAlgorithms"]!.Items, v => v["Value"]!.AsString() == "SHA1");
            }
        }

        // Stateless and stateful filters both let the other side reach the tasks' port, and nothing but the tasks.
        Assert.Equal(
            ["false", "true"],
            stack.OfType("AWS::EC2::NetworkAclEntry").Where(e => e.Text("CidrBlock") == "172.20.0.0/16").Select(e => e.Text("Egress") ?? "false").Order());
        var rule = stack.Find("Network/TaskSecurityGroup").At("SecurityGroupIngress")!.Items.Single(r => r["CidrIp"] is not null);
        Assert.Equal(("172.20.0.0/16", "8000", "8000"), (rule["CidrIp"]!.AsString(), rule["FromPort"]!.AsString(), rule["ToPort"]!.AsString()));
        Assert.All(stack.Find("Network/DataSecurityGroup").At("SecurityGroupIngress")!.Items, r => Assert.Null(r["CidrIp"]));
    }
}
