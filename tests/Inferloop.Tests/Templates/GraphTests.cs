using Inferloop.Templates;
using static Inferloop.Tests.Templates.TemplateTesting;

namespace Inferloop.Tests.Templates;

public class GraphTests
{
    [Fact]
    public async Task Resources_come_after_what_they_depend_on_and_otherwise_as_written()
    {
        var stack = await EvaluateAsync("""
            Resources:
              Subnet: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
              Topic: {Type: 'AWS::SNS::Topic'}
              Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
              Queue: {Type: 'AWS::SQS::Queue', DependsOn: [Subnet, Topic]}
            """);
        Assert.Equal(["Topic", "Vpc", "Subnet", "Queue"], stack.Resources.Select(r => r.LogicalId));
        Assert.Equal(["Subnet", "Topic"], stack.FindResource("Queue")!.DependsOn);
        Assert.Equal([new ResourceReference("Vpc", null, "Properties.VpcId")], stack.FindResource("Subnet")!.References);
    }

    [Fact]
    public async Task A_cycle_is_shown_with_the_properties_through_which_it_goes()
    {
        var error = Assert.Single(await ErrorsAsync("""
            Resources:
              Before: {Type: 'AWS::SNS::Topic'}
              A:
                Type: AWS::EC2::SecurityGroup
                Properties:
                  GroupDescription: a
                  SecurityGroupIngress: [{IpProtocol: tcp, SourceSecurityGroupId: !GetAtt B.GroupId}]
              B:
                Type: AWS::EC2::SecurityGroup
                DependsOn: C
                Properties: {GroupDescription: b}
              C: {Type: 'AWS::EC2::SecurityGroup', Properties: {GroupDescription: !Sub 'for ${A}'}}
            """));
        Assert.Equal(DiagnosticCodes.CircularDependency, error.Code);
        Assert.Equal("Circular dependency between resources: A (through Properties.SecurityGroupIngress[0].SourceSecurityGroupId) → B (through DependsOn) → C (through Properties.GroupDescription) → A.", error.Message);
        Assert.Equal(3, error.Location!.Line);
    }

    [Fact]
    public async Task Two_separate_cycles_are_both_reported()
    {
        var errors = await ErrorsAsync("""
            Resources:
              A: {Type: 'Custom::X', DependsOn: B}
              B: {Type: 'Custom::X', DependsOn: A}
              C: {Type: 'Custom::X', DependsOn: C}
              D: {Type: 'Custom::X', DependsOn: A}
            """);
        Assert.Equal(["A", "C"], errors.Select(e => e.Path));
    }

    [Fact]
    public async Task Conditions_choose_resources_dependencies_and_outputs()
    {
        const string Text = """
            Parameters: {Stage: {Type: String, Default: dev}}
            Conditions:
              Prod: !Equals [!Ref Stage, prod]
              NotProd: !Not [{Condition: Prod}]
              Either: !Or [!Condition Prod, !Condition NotProd]
              Both: !And [!Condition Prod, !Condition NotProd]
            Resources:
              Big: {Type: 'Custom::X', Condition: Prod}
              Small: {Type: 'Custom::X', Condition: NotProd}
              User: {Type: 'Custom::X', DependsOn: Big, Properties: {V: !If [Prod, !Ref Big, !Ref Small]}}
            Outputs:
              Big: {Condition: Prod, Value: !Ref Big}
              User: {Value: !Ref User, Export: {Name: !Sub '${AWS::StackName}-user'}}
            """;
        var dev = await EvaluateAsync(Text);
        Assert.Equal(["Small", "User"], dev.Resources.Select(r => r.LogicalId));
        Assert.Equal(["Small"], dev.FindResource("User")!.DependsOn);
        Assert.Equal(["User"], dev.Outputs.Keys);
        Assert.Equal("inferloop-demo-dev-user", dev.Outputs["User"].ExportName);
        Assert.Equal((true, false), (dev.Conditions["Either"], dev.Conditions["Both"]));
        Assert.Equal(["Big"], (await EvaluateAsync(Text, Context(("Stage", "prod")))).FindResource("User")!.DependsOn);
    }

    [Fact]
    public async Task A_reference_to_a_resource_that_is_not_created_says_which_condition()
    {
        var error = Assert.Single(await ErrorsAsync("""
            Conditions: {Never: !Equals [a, b]}
            Resources:
              A: {Type: 'Custom::X', Condition: Never}
              B: {Type: 'Custom::X', Properties: {V: !Ref A}}
            """));
        Assert.Equal("'A' is not created, because its condition Never does not hold; refer to it only where Never holds, with Fn::If or a Condition.", error.Message);
    }

    [Theory]
    [InlineData("!Equals [!Ref R, x]", "'R' is a resource; only parameters and mappings can be used here, because this is decided before any resource exists.")]
    [InlineData("!Condition C", "Circular dependency between conditions: C → C.")]
    [InlineData("!Equals [a]", "Fn::Equals takes a list of two values.")]
    [InlineData("!And [!Equals [a, a]]", "Fn::And takes a list of 2 to 10 conditions.")]
    [InlineData("!Not [!Condition Nope]", "The template has no condition 'Nope'.")]
    [InlineData("true", "A condition is made with Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition, not a boolean.")]
    public async Task Bad_conditions_say_why(string condition, string message)
    {
        var error = Assert.Single(await ErrorsAsync($"Conditions:\n  C: {condition}\nResources:\n  R: {{Type: 'Custom::X', Condition: C}}\n"));
        Assert.Equal(message, error.Message);
        Assert.Equal("Conditions.C", error.Path);
    }

    [Fact]
    public async Task Policies_have_their_defaults_and_are_checked()
    {
        var stack = await EvaluateAsync("""
            Resources:
              A: {Type: 'AWS::SNS::Topic'}
              B: {Type: 'AWS::S3::Bucket', DeletionPolicy: RetainExceptOnCreate, UpdateReplacePolicy: Retain, Metadata: {Of: !Ref A}}
              C: {Type: 'AWS::RDS::DBInstance', Properties: {DBInstanceClass: db.t3.micro}}
            """);
        Assert.Equal(("Delete", "Delete"), (stack.FindResource("A")!.DeletionPolicy, stack.FindResource("A")!.UpdateReplacePolicy));
        Assert.Equal(("RetainExceptOnCreate", "Retain"), (stack.FindResource("B")!.DeletionPolicy, stack.FindResource("B")!.UpdateReplacePolicy));
        Assert.Equal("Snapshot", stack.FindResource("C")!.DeletionPolicy);
        Assert.Equal(["A"], stack.FindResource("B")!.DependsOn);
        var error = Assert.Single(await ErrorsAsync("Resources: {A: {Type: 'AWS::SNS::Topic', DeletionPolicy: Retian}}"));
        Assert.Equal("'Retian' is not a DeletionPolicy; it is one of Delete, Retain, Snapshot, RetainExceptOnCreate. Did you mean 'Retain'?", error.Message);
    }

    [Fact]
    public async Task Properties_get_the_types_of_the_specification()
    {
        var stack = await EvaluateAsync("""
            Parameters: {Port: {Type: Number, Default: 8000}, Flag: {Type: String, Default: 'true'}}
            Resources:
              T:
                Type: AWS::ECS::TaskDefinition
                Properties: {Cpu: 1024, ContainerDefinitions: [{Name: app, Image: x, Essential: !Ref Flag, PortMappings: [{ContainerPort: !Ref Port}], Environment: [{Name: PORT, Value: 8000}]}]}
            """);
        Assert.Equal("""{"Cpu":"1024","ContainerDefinitions":[{"Name":"app","Image":"x","Essential":true,"PortMappings":[{"ContainerPort":8000}],"Environment":[{"Name":"PORT","Value":"8000"}]}]}""",
            stack.Resources[0].Properties.ToJson()!.ToJsonString());
    }

    [Fact]
    public async Task A_provisioner_evaluates_again_as_resources_come_into_being()
    {
        var stack = await EvaluateAsync("""
            Resources:
              Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
              Subnet: {Type: 'AWS::EC2::Subnet', Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
            Outputs: {Zone: {Value: !GetAtt Subnet.AvailabilityZone}}
            """);
        Assert.Equal("vpc-1", stack.EvaluateProperties("Subnet", new KnownValues(("Vpc", "vpc-1")))["VpcId"]!.AsString());
        Assert.Equal("us-east-1c", stack.EvaluateOutputs(new KnownValues(("Subnet.AvailabilityZone", "us-east-1c")))["Zone"].Value.AsString());
        Assert.Equal("""{"Fn::Unknown":"Vpc"}""", stack.FindResource("Subnet")!.Properties["VpcId"]!.ToJson()!.ToJsonString());
    }
}
