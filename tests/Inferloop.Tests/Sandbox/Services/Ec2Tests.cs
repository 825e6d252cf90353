using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>EC2 networks: what is refused, what takes time, what CloudFormation makes of it.</summary>
public sealed class Ec2Tests : ServiceTestBase
{
    private async Task<string> Vpc(string cidr = "10.0.0.0/16") =>
        (string)(await Call("ec2", "CreateVpc", $$"""{"CidrBlock":"{{cidr}}"}"""))["Vpc"]!["VpcId"]!;

    private async Task<string> Subnet(string vpc, string cidr, string zone = "us-east-1a") =>
        (string)(await Call("ec2", "CreateSubnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"{{cidr}}","AvailabilityZone":"{{zone}}"}"""))["Subnet"]!["SubnetId"]!;

    [Theory]
    [InlineData("10.0.0.0/8", "InvalidVpc.Range", "The CIDR '10.0.0.0/8' is invalid.")]
    [InlineData("10.0.0.0/29", "InvalidVpc.Range", "The CIDR '10.0.0.0/29' is invalid.")]
    [InlineData("ten", "InvalidParameterValue", "Value (ten) for parameter cidrBlock is invalid. This is not a valid CIDR block.")]
    public async Task A_VPC_needs_a_block_of_the_right_size(string cidr, string code, string message)
    {
        var fault = await Fails("ec2", "CreateVpc", $$"""{"CidrBlock":"{{cidr}}"}""");
        Assert.Equal((code, message), (fault.Code, fault.Message));
    }

    [Fact]
    public async Task Five_VPCs_are_the_limit_of_a_region()
    {
        for (var i = 0; i < 5; i++)
        {
            await Vpc();
        }
        Assert.Equal("VpcLimitExceeded", (await Fails("ec2", "CreateVpc", """{"CidrBlock":"10.0.0.0/16"}""")).Code);
    }

    [Fact]
    public async Task Subnets_lie_within_their_VPC_and_apart_from_each_other()
    {
        var vpc = await Vpc();
        await Subnet(vpc, "10.0.1.0/24");
        Assert.Equal("InvalidSubnet.Conflict", (await Fails("ec2", "CreateSubnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"10.0.1.128/25"}""")).Code);
        Assert.Equal("InvalidSubnet.Range", (await Fails("ec2", "CreateSubnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"10.1.0.0/24"}""")).Code);
        Assert.Equal("InvalidParameterValue", (await Fails("ec2", "CreateSubnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"10.0.2.0/24","AvailabilityZone":"us-east-1z"}""")).Code);
        var fault = await Fails("ec2", "DescribeSubnets", """{"SubnetIds":["subnet-0123456789abcdef0"]}""");
        Assert.Equal(("InvalidSubnetID.NotFound", "The subnet ID 'subnet-0123456789abcdef0' does not exist"), (fault.Code, fault.Message));
    }

    [Fact]
    public async Task A_VPC_comes_with_its_defaults_and_goes_only_when_empty()
    {
        var vpc = await Vpc();
        var subnet = await Subnet(vpc, "10.0.1.0/24");
        var filter = $$"""{"Filters":[{"Name":"vpc-id","Values":["{{vpc}}"]}]}""";
        Assert.Single((await Call("ec2", "DescribeSecurityGroups", filter))["SecurityGroups"]!.AsArray());
        Assert.Single((await Call("ec2", "DescribeRouteTables", filter))["RouteTables"]!.AsArray());
        Assert.Equal(subnet, (string?)(await Call("ec2", "DescribeNetworkAcls", filter))["NetworkAcls"]![0]!["Associations"]![0]!["SubnetId"]);
        var fault = await Fails("ec2", "DeleteVpc", $$"""{"VpcId":"{{vpc}}"}""");
        Assert.Equal(("DependencyViolation", $"The vpc '{vpc}' has dependencies and cannot be deleted."), (fault.Code, fault.Message));
        await Call("ec2", "DeleteSubnet", $$"""{"SubnetId":"{{subnet}}"}""");
        await Call("ec2", "DeleteVpc", $$"""{"VpcId":"{{vpc}}"}""");
        Assert.Empty((await Call("ec2", "DescribeSecurityGroups", filter))["SecurityGroups"]!.AsArray());
    }

    [Fact]
    public async Task A_NAT_gateway_takes_minutes_holds_its_address_and_leaves_a_black_hole()
    {
        var vpc = await Vpc();
        var subnet = await Subnet(vpc, "10.0.1.0/24");
        var gateway = (string)(await Call("ec2", "CreateInternetGateway"))["InternetGateway"]!["InternetGatewayId"]!;
        await Call("ec2", "AttachInternetGateway", $$"""{"VpcId":"{{vpc}}","InternetGatewayId":"{{gateway}}"}""");
        var allocation = (string)(await Call("ec2", "AllocateAddress", """{"Domain":"vpc"}"""))["AllocationId"]!;
        var nat = (string)(await Call("ec2", "CreateNatGateway", $$"""{"SubnetId":"{{subnet}}","AllocationId":"{{allocation}}"}"""))["NatGateway"]!["NatGatewayId"]!;
        async Task<string?> State() => (string?)(await Call("ec2", "DescribeNatGateways", $$"""{"NatGatewayIds":["{{nat}}"]}"""))["NatGateways"]![0]!["State"];
        Assert.Equal("pending", await State());
        Pass(TimeSpan.FromMinutes(3));
        Assert.Equal("available", await State());
        Assert.Equal("InvalidIPAddress.InUse", (await Fails("ec2", "ReleaseAddress", $$"""{"AllocationId":"{{allocation}}"}""")).Code);
        Assert.Equal("DependencyViolation", (await Fails("ec2", "DetachInternetGateway", $$"""{"VpcId":"{{vpc}}","InternetGatewayId":"{{gateway}}"}""")).Code);
        var table = (string)(await Call("ec2", "CreateRouteTable", $$"""{"VpcId":"{{vpc}}"}"""))["RouteTable"]!["RouteTableId"]!;
        await Call("ec2", "CreateRoute", $$"""{"RouteTableId":"{{table}}","DestinationCidrBlock":"0.0.0.0/0","NatGatewayId":"{{nat}}"}""");
        await Call("ec2", "DeleteNatGateway", $$"""{"NatGatewayId":"{{nat}}"}""");
        var routes = (await Call("ec2", "DescribeRouteTables", $$"""{"RouteTableIds":["{{table}}"]}"""))["RouteTables"]![0]!["Routes"]!.AsArray();
        Assert.Equal("blackhole", (string?)routes[1]!["State"]);
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal("deleted", await State());
        await Call("ec2", "ReleaseAddress", $$"""{"AllocationId":"{{allocation}}"}""");
    }

    [Fact]
    public async Task A_NAT_gateway_without_a_way_out_fails_and_says_why()
    {
        var subnet = await Subnet(await Vpc(), "10.0.1.0/24");
        var allocation = (string)(await Call("ec2", "AllocateAddress"))["AllocationId"]!;
        var fault = await Assert.ThrowsAsync<Inferloop.Sandbox.Runtime.ServiceFault>(() =>
            Provision("AWS::EC2::NatGateway", $$"""{"SubnetId":"{{subnet}}","AllocationId":"{{allocation}}"}"""));
        Assert.Contains("has no Internet gateway attached", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_of_security_groups_are_unique_and_protect_the_groups_they_name()
    {
        var vpc = await Vpc();
        var one = (await Provision("AWS::EC2::SecurityGroup", $$"""{"GroupDescription":"load balancer","VpcId":"{{vpc}}","SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":"443","ToPort":"443","CidrIp":"0.0.0.0/0"}]}""")).PhysicalId;
        var other = (await Provision("AWS::EC2::SecurityGroup", $$"""{"GroupDescription":"tasks","VpcId":"{{vpc}}"}""", "Tasks")).PhysicalId;
        var rule = await Provision("AWS::EC2::SecurityGroupIngress", $$"""{"GroupId":"{{other}}","IpProtocol":"tcp","FromPort":"8000","ToPort":"8000","SourceSecurityGroupId":"{{one}}"}""");
        Assert.StartsWith("sgr-", rule.PhysicalId, StringComparison.Ordinal);
        var duplicate = await Fails("ec2", "AuthorizeSecurityGroupIngress", $$"""{"GroupId":"{{one}}","IpPermissions":[{"IpProtocol":"6","FromPort":443,"ToPort":443,"IpRanges":[{"CidrIp":"0.0.0.0/0"}]}]}""");
        Assert.Equal(("InvalidPermission.Duplicate", "the specified rule \"peer: 0.0.0.0/0, TCP, from port: 443, to port: 443, ALLOW\" already exists"), (duplicate.Code, duplicate.Message));
        Assert.Equal("DependencyViolation", (await Fails("ec2", "DeleteSecurityGroup", $$"""{"GroupId":"{{one}}"}""")).Code);
        var described = await Call("ec2", "DescribeSecurityGroups", $$"""{"GroupIds":["{{other}}"]}""");
        Assert.Equal(one, (string?)described["SecurityGroups"]![0]!["IpPermissions"]![0]!["UserIdGroupPairs"]![0]!["GroupId"]);
    }

    [Fact]
    public async Task Filters_take_wildcards_and_refuse_unknown_names()
    {
        var vpc = await Vpc();
        await Call("ec2", "CreateTags", $$"""{"Resources":["{{vpc}}"],"Tags":[{"Key":"Name","Value":"demo-prod"}]}""");
        Assert.Single((await Call("ec2", "DescribeVpcs", """{"Filters":[{"Name":"tag:Name","Values":["demo-*"]}]}"""))["Vpcs"]!.AsArray());
        Assert.Empty((await Call("ec2", "DescribeVpcs", """{"Filters":[{"Name":"tag:Name","Values":["other-*"]}]}"""))["Vpcs"]!.AsArray());
        Assert.Equal("The filter 'colour' is invalid", (await Fails("ec2", "DescribeVpcs", """{"Filters":[{"Name":"colour","Values":["x"]}]}""")).Message);
    }

    [Fact]
    public async Task CloudFormation_types_of_a_network_come_and_go()
    {
        var vpc = await Provision("AWS::EC2::VPC", """{"CidrBlock":"10.0.0.0/16","EnableDnsHostnames":"true","Tags":[{"Key":"Name","Value":"x"}]}""");
        Assert.StartsWith("sg-", (string?)vpc.Attributes["DefaultSecurityGroup"], StringComparison.Ordinal);
        var subnet = await Provision("AWS::EC2::Subnet", $$"""{"VpcId":"{{vpc.PhysicalId}}","CidrBlock":"10.0.1.0/24","AvailabilityZone":"us-east-1a","MapPublicIpOnLaunch":true}""");
        var acl = await Provision("AWS::EC2::NetworkAcl", $$"""{"VpcId":"{{vpc.PhysicalId}}"}""");
        var entry = await Provision("AWS::EC2::NetworkAclEntry", $$"""{"NetworkAclId":"{{acl.PhysicalId}}","RuleNumber":"100","Protocol":"6","RuleAction":"allow","CidrBlock":"0.0.0.0/0","PortRange":{"From":"443","To":"443"} }""");
        var association = await Provision("AWS::EC2::SubnetNetworkAclAssociation", $$"""{"SubnetId":"{{subnet.PhysicalId}}","NetworkAclId":"{{acl.PhysicalId}}"}""");
        var table = await Provision("AWS::EC2::RouteTable", $$"""{"VpcId":"{{vpc.PhysicalId}}"}""");
        var routing = await Provision("AWS::EC2::SubnetRouteTableAssociation", $$"""{"SubnetId":"{{subnet.PhysicalId}}","RouteTableId":"{{table.PhysicalId}}"}""");
        var endpoint = await Provision("AWS::EC2::VPCEndpoint", $$"""{"VpcId":"{{vpc.PhysicalId}}","ServiceName":"com.amazonaws.us-east-1.s3","RouteTableIds":["{{table.PhysicalId}}"]}""");
        foreach (var (type, resource, properties) in new[]
        {
            ("AWS::EC2::VPCEndpoint", endpoint, "{}"), ("AWS::EC2::SubnetRouteTableAssociation", routing, "{}"), ("AWS::EC2::RouteTable", table, "{}"),
            ("AWS::EC2::SubnetNetworkAclAssociation", association, "{}"), ("AWS::EC2::NetworkAclEntry", entry, $$"""{"NetworkAclId":"{{acl.PhysicalId}}","RuleNumber":100}"""),
            ("AWS::EC2::NetworkAcl", acl, "{}"), ("AWS::EC2::Subnet", subnet, "{}"), ("AWS::EC2::VPC", vpc, "{}"),
        })
        {
            Assert.NotNull(await Provider(type).ReadAsync(Provisioning(), resource.PhysicalId));
            await Complete(Provider(type).DeleteAsync(Provisioning(), resource.PhysicalId, (JsonObject)JsonNode.Parse(properties)!));
            Assert.Null(await Provider(type).ReadAsync(Provisioning(), resource.PhysicalId));
        }
    }
}
