using Inferloop.Templates;
using static Inferloop.Tests.Templates.TemplateTesting;

namespace Inferloop.Tests.Templates;

public class NestedStackTests
{
    private const string Root = """
        Parameters: {Cidr: {Type: String, Default: 10.0.0.0/16}}
        Resources:
          App:
            Type: AWS::CloudFormation::Stack
            Properties:
              TemplateURL: app.yaml
              Parameters: {VpcId: !GetAtt Network.Outputs.VpcId, Cidr: !GetAtt Network.Outputs.Cidr}
          Network:
            Type: AWS::CloudFormation::Stack
            Properties: {TemplateURL: network.yaml, Parameters: {Cidr: !Ref Cidr}}
        Outputs:
          Group: {Value: !GetAtt App.Outputs.Group}
        """;

    private const string Network = """
        Parameters: {Cidr: {Type: String}}
        Resources: {Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: !Ref Cidr}}}
        Outputs: {VpcId: {Value: !Ref Vpc}, Cidr: {Value: !Ref Cidr}}
        """;

    private const string App = """
        Parameters: {VpcId: {Type: 'AWS::EC2::VPC::Id'}, Cidr: {Type: String}}
        Conditions: {HasVpc: !Not [!Equals [!Ref VpcId, '']]}
        Resources:
          Group: {Type: 'AWS::EC2::SecurityGroup', Condition: HasVpc, Properties: {GroupDescription: !Sub 'in ${Cidr} of ${AWS::StackName}', VpcId: !Ref VpcId}}
        Outputs: {Group: {Value: !Ref Group}}
        """;

    private static EvaluationContext Nested(params (string Name, string Text)[] templates) => Context() with { NestedTemplates = new MemoryTemplateSource(templates) };

    [Fact]
    public async Task Outputs_flow_through_the_nested_evaluations()
    {
        var stack = await EvaluateAsync(Root, Nested(("network.yaml", Network), ("app.yaml", App)));
        Assert.Equal(["Network", "Network/Vpc", "App", "App/Group"], stack.AllResources().Select(r => r.Path));
        var group = stack.NestedStacks["App"].FindResource("Group")!;
        Assert.Equal(["Network/Vpc"], group.Properties["VpcId"]!.Sources);
        Assert.Equal("(known after apply: in 10.0.0.0/16 of ${App/AWS::StackName})", group.Properties["GroupDescription"]!.ToString());
        Assert.Equal(["App/Group"], stack.Outputs["Group"].Value.Sources);
    }

    [Fact]
    public async Task Known_values_reach_nested_stacks_by_path()
    {
        var known = new KnownValues(("Network/Vpc", "vpc-1"), ("App", "arn:aws:cloudformation:us-east-1:123456789012:stack/demo-App-1A2B/guid"), ("App/Group", "sg-1"));
        var stack = await EvaluateAsync(Root, Nested(("network.yaml", Network), ("app.yaml", App)) with { Resources = known });
        var group = stack.NestedStacks["App"].FindResource("Group")!;
        Assert.Equal("vpc-1", group.Properties["VpcId"]!.AsString());
        Assert.Equal("in 10.0.0.0/16 of demo-App-1A2B", group.Properties["GroupDescription"]!.AsString());
        Assert.Equal("sg-1", stack.Outputs["Group"].Value.AsString());
    }

    [Fact]
    public async Task Errors_of_all_stacks_come_at_once_with_their_paths()
    {
        var errors = await ErrorsAsync(Root, Nested(("network.yaml", Network.Replace("!Ref Vpc", "!Ref Vcp", StringComparison.Ordinal)), ("app.yaml", App.Replace("Cidr: {Type: String}", "Cdir: {Type: String}", StringComparison.Ordinal))));
        Assert.Contains(errors, e => e.Path == "Network/Outputs.VpcId.Value" && e.Message.EndsWith("Did you mean 'Vpc'?", StringComparison.Ordinal));
        Assert.Contains(errors, e => e.Path == "App/Parameters.Cidr" && e.Message == "The template has no parameter 'Cidr'. Did you mean 'Cdir'?");
        Assert.Contains(errors, e => e.Path == "App/Parameters.Cdir");
    }

    [Fact]
    public async Task A_missing_output_is_named_with_the_nearest()
    {
        var error = Assert.Single(await ErrorsAsync("""
            Resources: {Network: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: network.yaml, Parameters: {Cidr: x}}}}
            Outputs: {V: {Value: !GetAtt Network.Outputs.VpcID}}
            """, Nested(("network.yaml", Network))));
        Assert.Equal("The nested stack 'Network' has no output 'VpcID'. Did you mean 'VpcId'?", error.Message);
    }

    [Fact]
    public async Task A_stack_that_contains_itself_is_refused()
    {
        const string Self = "Resources: {Inner: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: self.yaml}}}";
        var error = Assert.Single(await ErrorsAsync(Self, Nested(("self.yaml", Self))));
        Assert.StartsWith("A nested stack contains itself:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_cannot_be_passed_and_templates_must_exist()
    {
        var errors = await ErrorsAsync("""
            Resources:
              Network: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: network.yaml, Parameters: {Cidr: [a, b]}}}
              Other: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: other.yaml}}
            """, Nested(("network.yaml", Network)));
        Assert.Contains(errors, e => e.Message.Contains("a stack passes strings only", StringComparison.Ordinal));
        Assert.Contains(errors, e => e is { Code: DiagnosticCodes.NestedTemplate, Path: "Other" });
    }

    [Fact]
    public async Task Local_files_are_found_beside_their_parent()
    {
        var folder = Directory.CreateTempSubdirectory("inferloop-templates-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "main.yaml"), Root, TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "network.yaml"), Network, TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "app.yaml"), App, TestContext.Current.CancellationToken);
            var stack = await StackEvaluator.EvaluateAsync(Template.Load(Path.Combine(folder.FullName, "main.yaml")),
                Context() with { NestedTemplates = new LocalTemplateSource() }, TestContext.Current.CancellationToken);
            Assert.Equal(4, stack.AllResources().Count());
            File.Delete(Path.Combine(folder.FullName, "app.yaml"));
            var thrown = await Assert.ThrowsAsync<TemplateException>(async () => await StackEvaluator.EvaluateAsync(Template.Load(Path.Combine(folder.FullName, "main.yaml")),
                Context() with { NestedTemplates = new LocalTemplateSource() }, TestContext.Current.CancellationToken));
            Assert.StartsWith("The nested template 'app.yaml' cannot be read:", Assert.Single(thrown.Diagnostics).Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(true);
        }
    }
}
