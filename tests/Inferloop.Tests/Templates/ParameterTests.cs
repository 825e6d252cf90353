using Inferloop.Templates;
using static Inferloop.Tests.Templates.TemplateTesting;

namespace Inferloop.Tests.Templates;

public class ParameterTests
{
    private static string With(string declaration) => $"Parameters:\n  P: {declaration}\nResources:\n  R: {{Type: 'Custom::R', Properties: {{V: !Ref P}}}}\n";

    [Theory]
    [InlineData("{Type: String, AllowedValues: [dev, prod]}", "prdo", "The value 'prdo' of parameter 'P' must be one of dev, prod. Did you mean 'prod'?")]
    [InlineData("{Type: String, AllowedPattern: '[a-z]+'}", "abc1", "The value 'abc1' of parameter 'P' must match the pattern [a-z]+.")]
    [InlineData("{Type: String, AllowedPattern: '[a-z]+', ConstraintDescription: letters only}", "1", "The value '1' of parameter 'P' must match the pattern [a-z]+. letters only")]
    [InlineData("{Type: String, MinLength: 3}", "ab", "The value 'ab' of parameter 'P' must have at least 3 characters.")]
    [InlineData("{Type: String, MaxLength: 1}", "ab", "The value 'ab' of parameter 'P' must have at most 1 characters.")]
    [InlineData("{Type: Number}", "eight", "The value 'eight' of parameter 'P' must be a number.")]
    [InlineData("{Type: Number, MinValue: 1}", "0", "The value '0' of parameter 'P' must be at least 1.")]
    [InlineData("{Type: Number, MaxValue: 9}", "10", "The value '10' of parameter 'P' must be at most 9.")]
    [InlineData("{Type: 'List<Number>'}", "1,b", "The value '1,b' of parameter 'P' must be a number.")]
    [InlineData("{Type: CommaDelimitedList, AllowedPattern: '[ab]'}", "a,c", "The value 'a,c' of parameter 'P' must match the pattern [ab].")]
    [InlineData("{Type: String, NoEcho: true, MinLength: 9}", "hunter2", "The value of parameter 'P' must have at least 9 characters.")]
    [InlineData("{Type: String, AllowedPattern: '('}", "x", null)]
    public async Task Constraints_are_enforced(string declaration, string value, string? message)
    {
        var error = Assert.Single(await ErrorsAsync(With(declaration), Context(("P", value))));
        Assert.Equal(DiagnosticCodes.InvalidParameter, error.Code);
        Assert.Equal("Parameters.P", error.Path);
        if (message is null)
        {
            Assert.StartsWith("The AllowedPattern of parameter 'P' is not a regular expression", error.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(message, error.Message);
        }
    }

    [Fact]
    public async Task Missing_and_unknown_parameters_are_all_reported_at_once()
    {
        var errors = await ErrorsAsync("""
            Parameters:
              Stage: {Type: String, Description: dev or prod}
              Size: {Type: String}
            Resources:
              R: {Type: 'Custom::R', Properties: {V: !Sub '${Stage}${Size}'}}
            """, Context(("Satge", "dev")));
        Assert.Equal(
            ["The template has no parameter 'Satge'. Did you mean 'Stage'?", "The parameter 'Stage' has no default and needs a value. (dev or prod)", "The parameter 'Size' has no default and needs a value."],
            errors.Select(e => e.Message));
    }

    [Fact]
    public async Task NoEcho_is_never_printed()
    {
        var stack = await EvaluateAsync(With("{Type: String, NoEcho: true}"), Context(("P", "hunter2")));
        Assert.DoesNotContain("hunter2", stack.Parameters["P"].Value.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", stack.Resources[0].Properties.ToString(), StringComparison.Ordinal);
        Assert.Equal("hunter2", stack.Resources[0].Properties["V"]!.AsString());
    }

    [Fact]
    public async Task Previous_values_are_kept()
    {
        var text = "Parameters: {A: {Type: String}, B: {Type: String, NoEcho: true}}\nResources: {R: {Type: 'Custom::R', Properties: {A: !Ref A, B: !Ref B}}}";
        var stack = await EvaluateAsync(text, Context() with
        {
            UsePreviousValue = new HashSet<string> { "A", "B" },
            PreviousParameters = new Dictionary<string, string> { ["A"] = "old", ["B"] = "****" },
        });
        Assert.Equal("old", stack.Resources[0].Properties["A"]!.AsString());
        Assert.False(stack.Resources[0].Properties["B"]!.IsKnown);
    }

    [Fact]
    public async Task Systems_Manager_parameters_are_resolved_or_unknown()
    {
        var text = With("{Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: /aws/ami}");
        Assert.False((await EvaluateAsync(text)).Resources[0].Properties["V"]!.IsKnown);
        var resolved = await EvaluateAsync(text, Context() with { DynamicReferences = (service, name) => service == "ssm" && name == "/aws/ami" ? new StringValue("ami-1") : null });
        Assert.Equal("ami-1", resolved.Resources[0].Properties["V"]!.AsString());
    }

    [Fact]
    public async Task Numbers_equal_their_other_spellings()
    {
        Assert.Equal("1.0", (await EvaluateAsync(With("{Type: Number, AllowedValues: [1, 2]}"), Context(("P", "1.0")))).Parameters["P"].Value.AsString());
    }

    [Fact]
    public async Task Rules_assert_about_parameters()
    {
        const string Text = """
            Parameters:
              Stage: {Type: String, Default: prod}
              Type: {Type: String, Default: t3.medium}
              Subnets: {Type: 'List<AWS::EC2::Subnet::Id>', Default: 'subnet-1,subnet-2'}
            Rules:
              ProdIsBig:
                RuleCondition: !Equals [!Ref Stage, prod]
                Assertions:
                  - {Assert: {Fn::Contains: [[m5.large, m5.xlarge], !Ref Type]}, AssertDescription: prod needs an m5}
              SubnetsInVpc:
                Assertions:
                  - {Assert: {Fn::EachMemberIn: [{Fn::ValueOfAll: ['AWS::EC2::Subnet::Id', VpcId]}, {Fn::RefAll: 'AWS::EC2::VPC::Id'}]}, AssertDescription: subnets in the VPC}
              Members:
                Assertions:
                  - {Assert: {Fn::EachMemberIn: [!Ref Subnets, [subnet-1, subnet-2, subnet-3]]}}
            Resources: {R: {Type: 'AWS::SNS::Topic'}}
            """;
        var error = Assert.Single(await ErrorsAsync(Text));
        Assert.Equal((DiagnosticCodes.RuleFailed, "Rule ProdIsBig: prod needs an m5"), (error.Code, error.Message));
        var stack = await EvaluateAsync(Text, Context(("Type", "m5.large")));
        Assert.Equal("Rules.SubnetsInVpc", Assert.Single(stack.Diagnostics).Path);
        Assert.DoesNotContain((await EvaluateAsync(Text, Context(("Stage", "dev")))).Diagnostics, d => d.Severity != DiagnosticSeverity.Information);
        Assert.Equal("Rules.Members", Assert.Single(await ErrorsAsync(Text, Context(("Stage", "dev"), ("Subnets", "subnet-9")))).Path);
    }
}
