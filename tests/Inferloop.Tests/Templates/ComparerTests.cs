using Inferloop.Templates;
using static Inferloop.Tests.Templates.TemplateTesting;

namespace Inferloop.Tests.Templates;

public class ComparerTests
{
    private static async Task<StackDifference> CompareAsync(string before, string after, IResourceValues? known = null)
    {
        var context = Context() with { Resources = known };
        return StackComparer.Compare(await EvaluateAsync(before, context), await EvaluateAsync(after, context));
    }

    private static string Resource(string type, string properties, string attributes = "") => $"Resources:\n  R:\n    Type: {type}\n{attributes}    Properties: {properties}\n";

    private static string Describe(PropertyChange change) =>
        $"{change.Path}: {change.Before?.ToString() ?? "-"} -> {change.After?.ToString() ?? "-"} {change.RequiresRecreation}{(change.KnownAfterApply ? " later" : "")}{(change.IsDynamic ? " dynamic" : "")}";

    [Fact]
    public async Task Nothing_changed_is_no_change() =>
        Assert.True((await CompareAsync(Resource("AWS::SNS::Topic", "{DisplayName: a}"), Resource("AWS::SNS::Topic", "{DisplayName: 'a'}"))).IsEmpty);

    [Theory]
    [InlineData("AWS::ECS::Service", "{Cluster: a, DesiredCount: 1}", "{Cluster: a, DesiredCount: '2'}", "DesiredCount: 1 -> 2 Never", Replacement.Never)]
    [InlineData("AWS::ECS::Service", "{Cluster: a, DesiredCount: 1}", "{Cluster: a, DesiredCount: '1'}", null, Replacement.Never)]
    [InlineData("AWS::ECS::Service", "{LaunchType: EC2}", "{LaunchType: FARGATE}", "LaunchType: EC2 -> FARGATE Always", Replacement.Always)]
    [InlineData("AWS::EC2::Subnet", "{VpcId: v, CidrBlock: 10.0.0.0/24}", "{VpcId: v, CidrBlock: 10.0.1.0/24}", "CidrBlock: 10.0.0.0/24 -> 10.0.1.0/24 Always", Replacement.Always)]
    [InlineData("AWS::RDS::DBInstance", "{MultiAZ: false}", "{MultiAZ: true}", "MultiAZ: false -> true Conditional", Replacement.Conditional)]
    [InlineData("AWS::SNS::Topic", "{Tags: [{Key: a, Value: 1}, {Key: b, Value: 2}]}", "{Tags: [{Key: b, Value: 2}, {Key: a, Value: 1}]}", null, Replacement.Never)]
    [InlineData("AWS::SNS::Topic", "{Tags: [{Key: a, Value: 1}, {Key: b, Value: 2}]}", "{Tags: [{Key: c, Value: 3}, {Key: b, Value: 9}]}",
        "Tags[Key=c]: - -> {\"Key\": \"c\", \"Value\": \"3\"} Never|Tags[Key=b].Value: 2 -> 9 Never|Tags[Key=a]: {\"Key\": \"a\", \"Value\": \"1\"} -> - Never", Replacement.Never)]
    [InlineData("AWS::ECS::TaskDefinition", "{ContainerDefinitions: [{Name: app, Image: 'x:1', Environment: [{Name: A, Value: 1}]}]}", "{ContainerDefinitions: [{Name: app, Image: 'x:2', Environment: [{Name: A, Value: 2}]}]}",
        "ContainerDefinitions[Name=app].Image: x:1 -> x:2 Always|ContainerDefinitions[Name=app].Environment[Name=A].Value: 1 -> 2 Always", Replacement.Always)]
    [InlineData("AWS::EC2::SecurityGroup", "{GroupDescription: d, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 80}, {IpProtocol: tcp, FromPort: 443}]}",
        "{GroupDescription: d, SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 443}, {IpProtocol: tcp, FromPort: 22}]}",
        "SecurityGroupIngress[1]: - -> {\"IpProtocol\": \"tcp\", \"FromPort\": 22} Never|SecurityGroupIngress[0]: {\"IpProtocol\": \"tcp\", \"FromPort\": 80} -> - Never", Replacement.Never)]
    [InlineData("AWS::SQS::Queue", "{}", "{VisibilityTimeout: 30}", "VisibilityTimeout: - -> 30 Never", Replacement.Never)]
    [InlineData("AWS::SQS::Queue", "{VisibilityTimeout: 30}", "{}", "VisibilityTimeout: 30 -> - Never", Replacement.Never)]
    [InlineData("Custom::Thing", "{A: {B: [1, 2]}}", "{A: {B: [1, 3]}}", "A.B[1]: 2 -> 3 Never", Replacement.Never)]
    public async Task Changed_properties_and_what_they_do(string type, string before, string after, string? changes, Replacement replacement)
    {
        var difference = await CompareAsync(Resource(type, before), Resource(type, after));
        if (changes is null)
        {
            Assert.True(difference.IsEmpty);
            return;
        }

        var change = Assert.Single(difference.Changes);
        Assert.Equal((ChangeAction.Modify, replacement), (change.Action, change.Replacement));
        Assert.Equal(changes.Split('|'), change.Properties.Select(Describe));
    }

    [Fact]
    public async Task Added_and_removed_resources_come_in_the_order_of_work()
    {
        var difference = await CompareAsync(
            "Resources: {Keep: {Type: 'Custom::X'}, Old: {Type: 'Custom::X', DeletionPolicy: RetainExceptOnCreate}, User: {Type: 'Custom::X', DependsOn: Old}}",
            "Resources: {Keep: {Type: 'Custom::X'}, New2: {Type: 'Custom::X', DependsOn: New1}, New1: {Type: 'Custom::X'}}");
        Assert.Equal(["Add New1", "Add New2", "Remove User", "Remove Old"], difference.Changes.Select(c => $"{c.Action} {c.LogicalId}"));
        Assert.Equal(["Delete", "Retain"], difference.Changes.Skip(2).Select(c => c.PolicyAction));
    }

    private const string Chain = """
        Resources:
          Subnet: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: vpc-0, CidrBlock: CIDR}}
          Nat: {Type: 'AWS::EC2::NatGateway', Properties: {SubnetId: !Ref Subnet, ConnectivityType: private}}
          Route: {Type: 'AWS::EC2::Route', Properties: {RouteTableId: rtb-1, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat}}
          Other: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: same}}
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_replacement_reaches_what_refers_to_it_also_when_ids_are_known(bool known)
    {
        var values = known ? new KnownValues(("Subnet", "subnet-1"), ("Nat", "nat-1")) : null;
        var difference = await CompareAsync(Chain.Replace("CIDR", "10.0.0.0/24", StringComparison.Ordinal), Chain.Replace("CIDR", "10.0.9.0/24", StringComparison.Ordinal), values);
        Assert.Equal(["Subnet", "Nat", "Route"], difference.Changes.Select(c => c.LogicalId));
        Assert.Equal(Replacement.Always, difference.Find("Subnet")!.Replacement);
        var nat = difference.Find("Nat")!;
        Assert.Equal(Replacement.Conditional, nat.Replacement);
        var change = Assert.Single(nat.Properties);
        Assert.Equal((true, true, Replacement.Always), (change.KnownAfterApply, change.IsDynamic, change.RequiresRecreation));
        Assert.Equal(["Subnet"], change.Causes);
        Assert.Equal(known ? "subnet-1" : "(known after apply: Subnet)", change.Before!.ToString());
        Assert.Equal(["Nat"], Assert.Single(difference.Find("Route")!.Properties).Causes);
        Assert.Equal("ReplaceAndDelete", difference.Find("Subnet")!.PolicyAction);
    }

    [Fact]
    public async Task A_change_in_place_does_not_reach_what_refers_to_it()
    {
        const string Text = "Resources: {T: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: NAME}}, S: {Type: 'AWS::SNS::Subscription', Properties: {TopicArn: !Ref T, Protocol: sqs}}}";
        var difference = await CompareAsync(Text.Replace("NAME", "a", StringComparison.Ordinal), Text.Replace("NAME", "b", StringComparison.Ordinal));
        Assert.Equal("T", Assert.Single(difference.Changes).LogicalId);
    }

    [Fact]
    public async Task A_reference_to_a_new_resource_is_a_real_change_known_later()
    {
        var difference = await CompareAsync(
            "Resources: {S: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: vpc-1, CidrBlock: 10.0.0.0/24}}}",
            "Resources: {Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}, S: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}}");
        var subnet = difference.Find("S")!;
        Assert.Equal(Replacement.Always, subnet.Replacement);
        Assert.Equal("VpcId: vpc-1 -> (known after apply: Vpc) Always later", Describe(Assert.Single(subnet.Properties)));
    }

    [Fact]
    public async Task Secrets_are_compared_but_not_shown()
    {
        const string Text = "Parameters: {P: {Type: String, NoEcho: true}}\nResources: {R: {Type: 'Custom::X', Properties: {Password: !Ref P}}}";
        var difference = StackComparer.Compare(await EvaluateAsync(Text, Context(("P", "hunter2"))), await EvaluateAsync(Text, Context(("P", "hunter3"))));
        Assert.Equal("Password: **** -> **** Never", Describe(Assert.Single(difference.Changes[0].Properties)));
    }

    [Fact]
    public async Task Attributes_changes_are_apart_from_properties()
    {
        var difference = await CompareAsync(Resource("AWS::SNS::Topic", "{}"), Resource("AWS::SNS::Topic", "{}", "    DeletionPolicy: Retain\n    Metadata: {a: 1}\n"));
        var change = Assert.Single(difference.Changes);
        Assert.Equal((Replacement.Never, 0), (change.Replacement, change.Properties.Count));
        Assert.Equal(["Metadata", "DeletionPolicy"], change.Attributes.Select(a => a.Path));
    }

    [Fact]
    public async Task Nested_stacks_are_compared_inside_and_unchanged_ones_are_left_out()
    {
        const string Root = """
            Resources:
              Network: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: network.yaml}}
              App: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: app.yaml, Parameters: {Subnet: !GetAtt Network.Outputs.Subnet}}}
              Calm: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: calm.yaml}}
            """;
        const string Network = "Resources: {Subnet: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: v, CidrBlock: 10.0.0.0/24}}}\nOutputs: {Subnet: {Value: !Ref Subnet}}";
        const string App = "Parameters: {Subnet: {Type: String}}\nResources: {Nat: {Type: 'AWS::EC2::NatGateway', Properties: {SubnetId: !Ref Subnet}}}";
        const string Calm = "Resources: {T: {Type: 'AWS::SNS::Topic'}}";
        var before = await EvaluateAsync(Root, Context() with { NestedTemplates = new MemoryTemplateSource(("network.yaml", Network), ("app.yaml", App), ("calm.yaml", Calm)) });
        var after = await EvaluateAsync(Root, Context() with
        {
            NestedTemplates = new MemoryTemplateSource(("network.yaml", Network.Replace("10.0.0", "10.0.7", StringComparison.Ordinal)), ("app.yaml", App), ("calm.yaml", Calm)),
        });
        var difference = StackComparer.Compare(before, after);
        Assert.Equal(["Network", "Network/Subnet", "App", "App/Nat"], difference.Changes.Select(c => c.Path));
        Assert.Empty(difference.Find("Network")!.Properties);
        Assert.Equal("Parameters.Subnet", Assert.Single(difference.Find("App")!.Properties).Path);
        Assert.Equal(["Network/Subnet"], Assert.Single(difference.Find("App/Nat")!.Properties).Causes);
        Assert.Equal(["Add"], StackComparer.Compare(null, after).Changes.Select(c => c.Action.ToString()).Distinct());
        Assert.Equal(["Calm/T", "Calm", "App/Nat", "App", "Network/Subnet", "Network"], StackComparer.Compare(after, null).Changes.Select(c => c.Path));
    }
}
