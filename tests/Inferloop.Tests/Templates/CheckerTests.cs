using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

public class CheckerTests
{
    private static IReadOnlyList<Diagnostic> Check(string text) => TemplateChecker.Check(Template.Parse(text, "t.yaml"));

    [Theory]
    [InlineData("AWS::ECS::Servce", "{}", DiagnosticCodes.UnknownResourceType, "'AWS::ECS::Servce' is not a resource type of CloudFormation. Did you mean 'AWS::ECS::Service'?", 3)]
    [InlineData("AWS::EC2::VPC", "{CidrBlok: x}", DiagnosticCodes.UnknownProperty, "AWS::EC2::VPC has no property 'CidrBlok'. Did you mean 'CidrBlock'?", 4)]
    [InlineData("AWS::EC2::SecurityGroup", "{}", DiagnosticCodes.MissingProperty, "AWS::EC2::SecurityGroup needs the property 'GroupDescription'.", 4)]
    [InlineData("AWS::EC2::SecurityGroup", "{GroupDescription: !Ref 'AWS::NoValue'}", DiagnosticCodes.MissingProperty, "AWS::EC2::SecurityGroup needs the property 'GroupDescription'.", 4)]
    [InlineData("AWS::ECS::Service", "{DesiredCount: two}", DiagnosticCodes.InvalidPropertyValue, "This must be a whole number, not 'two'.", 4)]
    [InlineData("AWS::ECS::Service", "{EnableExecuteCommand: maybe}", DiagnosticCodes.InvalidPropertyValue, "This must be true or false, not 'maybe'.", 4)]
    [InlineData("AWS::ECS::Service", "{LoadBalancers: {ContainerPort: 80}}", DiagnosticCodes.InvalidPropertyValue, "This must be a list, not a mapping.", 4)]
    [InlineData("AWS::ECS::Service", "{LoadBalancers: [{ContainerPrt: 80}]}", DiagnosticCodes.UnknownProperty, "LoadBalancer has no property 'ContainerPrt'. Did you mean 'ContainerPort'?", 4)]
    [InlineData("AWS::ECS::Service", "{NetworkConfiguration: x}", DiagnosticCodes.InvalidPropertyValue, "This must be a mapping (NetworkConfiguration), not a string.", 4)]
    [InlineData("AWS::ECS::Service", "{LaunchType: FARGAT}", DiagnosticCodes.InvalidPropertyValue, "'FARGAT' is not one of the values known for LaunchType. Did you mean 'FARGATE'? They are EC2, FARGATE, EXTERNAL.", 4)]
    [InlineData("AWS::SNS::Topic", "{Tags: [{Key: a}]}", DiagnosticCodes.MissingProperty, "A tag needs a Value.", 4)]
    [InlineData("AWS::SNS::Topic", "{DisplayName: !GetAZs ''}", DiagnosticCodes.InvalidPropertyValue, "This must be a single value; Fn::GetAZs gives a list.", 4)]
    [InlineData("AWS::Lambda::Function", "{Code: {ZipFile: x}, Role: r, VpcConfig: {SubnetIds: !Sub 'a,b'}}", DiagnosticCodes.InvalidPropertyValue, "This must be a list; Fn::Sub gives a string.", 4)]
    [InlineData("AWS::SNS::Topic", "{DisplayName: !GetAtt R.Arn}", DiagnosticCodes.UnknownAttribute, "AWS::SNS::Topic has no attribute 'Arn'. It has TopicArn, TopicName.", 4)]
    [InlineData("AWS::SNS::Topic", "{DisplayName: !Sub '${Nope}'}", DiagnosticCodes.UnresolvedReference, "'Nope' is neither a parameter nor a resource of this template.", 4)]
    [InlineData("AWS::SNS::Topic", "{DisplayName: !If [Nope, a, b]}", DiagnosticCodes.UnresolvedReference, "The template has no condition 'Nope'.", 4)]
    [InlineData("AWS::SNS::Topic", "{DisplayName: !FindInMap [Nope, a, b]}", DiagnosticCodes.MappingKeyNotFound, "The template has no mapping 'Nope'.", 4)]
    public void Mistakes_are_found_with_line_and_suggestion(string type, string properties, string code, string message, int line)
    {
        var finding = Assert.Single(Check($"Resources:\n  R:\n    Type: {type}\n    Properties: {properties}\n"), d => d.Code == code);
        if (finding.Message != message)
        {
            // The specification may know more attributes than the message lists here; the rest is exact.
            Assert.StartsWith(message.Split(" It has")[0], finding.Message, StringComparison.Ordinal);
        }

        Assert.True(line == finding.Location!.Line || code == DiagnosticCodes.MissingProperty, finding.ToString());
        Assert.StartsWith("R.", finding.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_branches_of_a_condition_are_checked()
    {
        var findings = Check("""
            Conditions: {C: !Equals [!Ref AWS::Region, us-east-1]}
            Resources:
              R: {Type: 'AWS::ECS::Service', Properties: {DesiredCount: !If [C, one, two]}}
            """);
        Assert.Equal(["This must be a whole number, not 'one'.", "This must be a whole number, not 'two'."], findings.Select(f => f.Message));
    }

    [Fact]
    public void Unused_names_are_warnings()
    {
        var findings = Check("""
            Parameters: {Used: {Type: String}, Unused: {Type: String}}
            Conditions: {Idle: !Equals [!Ref Used, a]}
            Mappings: {M: {a: {b: c}}}
            Resources: {R: {Type: 'AWS::SNS::Topic'}}
            """);
        Assert.Equal(["The parameter 'Unused' is not used.", "The condition 'Idle' is not used.", "The mapping 'M' is not used."], findings.Select(f => f.Message));
        Assert.All(findings, f => Assert.Equal(DiagnosticSeverity.Warning, f.Severity));
    }

    [Fact]
    public void Custom_resources_and_policies_are_open()
    {
        Assert.Empty(Check("""
            Resources:
              A: {Type: 'Custom::Thing', Properties: {Anything: [1]}}
              B: {Type: 'AWS::IAM::ManagedPolicy', Properties: {PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: 's3:Get*', Resource: !GetAtt A.Arn, Condition: {Bool: {'aws:SecureTransport': true}}}]}}}
              C: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: !GetAtt A.Any.Thing}}
            """));
    }

    [Fact]
    public void The_shipped_templates_have_no_findings()
    {
        var folder = Path.Combine(Repository.Root, "src", "Inferloop.Templates", "Stacks");
        Assert.SkipUnless(Directory.Exists(folder), "the templates are not in this tree yet");
        var findings = Directory.GetFiles(folder, "*.yaml", SearchOption.AllDirectories).SelectMany(f => TemplateChecker.Check(Template.Load(f)));
        Assert.Empty(findings.Select(f => f.ToString()));
    }
}
