using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

public class ParsingTests
{
    private static Value Literal(string yaml) => Template.Parse($"Metadata:\n  V: {yaml}\nResources: {{R: {{Type: 'AWS::SNS::Topic'}}}}").Metadata!["V"]!;

    private static IReadOnlyList<Diagnostic> Errors(string text) => Assert.Throws<TemplateException>(() => Template.Parse(text, "t.yaml")).Diagnostics;

    [Theory]
    [InlineData("yes", "true")]
    [InlineData("Off", "false")]
    [InlineData("TRUE", "true")]
    [InlineData("y", "y")]
    [InlineData("0123", "83")]
    [InlineData("012345678901", "12345678901", false)]
    [InlineData("0899", "0899")]
    [InlineData("0x1F", "31")]
    [InlineData("0b101", "5")]
    [InlineData("1_000", "1000")]
    [InlineData("22:22", "1342")]
    [InlineData("1.20", "1.2")]
    [InlineData("5.0", "5.0")]
    [InlineData("1e3", "1000.0")]
    [InlineData("1.5e10", "1.5E10")]
    [InlineData("12345678901234567890", "12345678901234567890")]
    [InlineData("2012-10-17", "2012-10-17")]
    [InlineData("10.0.0.0/16", "10.0.0.0/16")]
    [InlineData("'yes'", "yes")]
    [InlineData("\"0123\"", "0123")]
    [InlineData("!!str 0123", "0123")]
    [InlineData("!!int '7'", "7")]
    [InlineData("-5", "-5")]
    [InlineData("+5", "5")]
    [InlineData(".5", "0.5")]
    public void Plain_scalars_are_read_as_YAML_1_1(string yaml, string expected, bool exact = true)
    {
        var text = Literal(yaml).AsString();
        if (exact)
        {
            Assert.Equal(expected, text);
        }
        else
        {
            // An account id with a leading zero and no 8 or 9 would be octal; with them it stays text.
            Assert.Equal(yaml, text);
        }
    }

    [Fact]
    public void Kinds_of_scalars_are_kept()
    {
        Assert.IsType<BooleanValue>(Literal("no"));
        Assert.IsType<NumberValue>(Literal("80"));
        Assert.IsType<NumberValue>(Literal("1.5"));
        Assert.IsType<StringValue>(Literal("'80'"));
        Assert.IsType<StringValue>(Literal("2010-09-09"));
    }

    [Fact]
    public void Positions_are_those_of_the_text()
    {
        var template = Template.Parse("# a comment\nResources:\n  Vpc:\n    Type: AWS::EC2::VPC\n    Properties:\n      CidrBlock:   10.0.0.0/16\n", "net.yaml");
        Assert.Equal(new SourceLocation("net.yaml", 3, 3), template.Resources["Vpc"].Location);
        Assert.Equal(new SourceLocation("net.yaml", 6, 20), template.Resources["Vpc"].Properties!["CidrBlock"]!.Location);
    }

    [Fact]
    public void Duplicate_keys_are_errors_with_both_places()
    {
        var error = Assert.Single(Errors("Resources:\n  A: {Type: AWS::SNS::Topic}\n  B: {Type: AWS::SNS::Topic}\n  A: {Type: AWS::SQS::Queue}\n"));
        Assert.Equal(DiagnosticCodes.DuplicateKey, error.Code);
        Assert.Equal(new SourceLocation("t.yaml", 4, 3), error.Location);
        Assert.Contains("first on line 2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n", 4)]
    [InlineData("Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties: {DisplayName: ~}\n", 4)]
    [InlineData("{\"Resources\": {\"A\": {\"Type\": \"AWS::SNS::Topic\", \"Properties\": {\"DisplayName\": null}}}}", 1)]
    public void Nulls_are_errors(string text, int line)
    {
        var error = Assert.Single(Errors(text));
        Assert.Equal((DiagnosticCodes.NullValue, line), (error.Code, error.Location!.Line));
        Assert.Contains("'null' values are not allowed in templates", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Resources:\n  A: [1, 2\n", DiagnosticCodes.InvalidYaml)]
    [InlineData("Resources:\n\tA: 1\n", DiagnosticCodes.InvalidYaml)]
    [InlineData("", DiagnosticCodes.InvalidYaml)]
    [InlineData("# only a comment\n", DiagnosticCodes.InvalidYaml)]
    [InlineData("just text", DiagnosticCodes.InvalidStructure)]
    [InlineData("- a\n- b\n", DiagnosticCodes.InvalidStructure)]
    [InlineData("Resources: {}\n---\nResources: {}\n", DiagnosticCodes.InvalidYaml)]
    [InlineData("Resources: *nowhere\n", DiagnosticCodes.InvalidYaml)]
    [InlineData("Resources: !Subb x\n", DiagnosticCodes.UnknownFunction)]
    public void Broken_YAML_gives_one_clear_error(string text, string code)
    {
        var errors = Errors(text);
        Assert.Contains(errors, e => e.Code == code);
    }

    [Theory]
    [InlineData("{\"Resources\": {}", "'}' is missing", 1, 17)]
    [InlineData("{\"Resources\": {},}", "a comma stands before '}'", 1, 18)]
    [InlineData("{\n  \"A\": [1 2]}", "',' or ']' was expected", 2, 11)]
    [InlineData("{'A': 1}", "a key in double quotes was expected", 1, 2)]
    [InlineData("{\"A\": True}", "'True' is not a value", 1, 7)]
    [InlineData("{\"A\": 012}", "cannot start with 0", 1, 10)]
    [InlineData("{\"A\": \"x\\y\"}", "'\\y' is not an escape", 1, 9)]
    [InlineData("{\"A\": 1} x", "more text follows", 1, 10)]
    [InlineData("{\"A\": // no\n 1}", "JSON has no comments", 1, 7)]
    [InlineData("{Resources: {}}", "a key in double quotes was expected", 1, 2)]
    public void Broken_JSON_has_JSONs_own_errors(string text, string message, int line, int column)
    {
        var error = Assert.Single(Errors(text));
        Assert.Equal(DiagnosticCodes.InvalidJson, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal((line, column), (error.Location!.Line, error.Location.Column));
    }

    [Fact]
    public void Aliases_and_merges_are_followed_and_remarked()
    {
        var template = Template.Parse("""
            Metadata:
              Base: &base {a: 1, b: 2}
              Mine: {<<: *base, b: 3}
            Resources: {R: {Type: 'AWS::SNS::Topic'}}
            """);
        Assert.True(template.UsesAliases);
        Assert.Equal("3", template.Metadata!["Mine"]!["b"]!.AsString());
        Assert.Equal("1", template.Metadata["Mine"]!["a"]!.AsString());
        Assert.Equal(DiagnosticCodes.AliasUsed, Assert.Single(template.Diagnostics).Code);
        Assert.Contains(TemplateChecker.Check(template), d => d is { Code: DiagnosticCodes.AliasUsed, Severity: DiagnosticSeverity.Error });
    }

    [Fact]
    public void Aliases_cannot_multiply_without_end()
    {
        var text = "Metadata:\n  a: &a [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i =>
            $"  {(char)('a' + i)}: &{(char)('a' + i)} [{string.Join(',', Enumerable.Repeat("*" + (char)('a' + i - 1), 10))}]\n")) + "Resources: {R: {Type: 'AWS::SNS::Topic'}}";
        Assert.Contains(Errors(text), e => e.Code == DiagnosticCodes.LimitExceeded);
    }

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{\"a\":", "}")]
    public void Nesting_without_end_is_refused(string open, string close)
    {
        var deep = string.Concat(Enumerable.Repeat(open, 3000)) + "1" + string.Concat(Enumerable.Repeat(close, 3000));
        Assert.Contains(Errors($"{{\"Resources\": {deep}}}"), e => e.Message.Contains("deeper than", StringComparison.Ordinal));
        Assert.NotEmpty(Errors($"Resources: {deep}"));
    }

    [Fact]
    public void All_mistakes_of_shape_are_reported_at_once()
    {
        var errors = Errors("""
            AWSTemplateFormatVersion: 2011-01-01
            Resuorces: {}
            Parameters:
              P: {Type: Strin, Defualt: x}
            Resources:
              Bad-Name: {Type: 'AWS::SNS::Topic'}
              NoType: {Properties: {}}
              Q: {Type: 'AWS::SQS::Queue', Propertis: {}, DependsOn: {a: b}}
            Outputs:
              O: {Valeu: x}
            """);
        string[] expected =
        [
            "AWSTemplateFormatVersion must be '2010-09-09'.", "'Resuorces' is not a section of a template. Did you mean 'Resources'?",
            "'Strin' is not a parameter type. Did you mean 'String'?", "A parameter has no attribute 'Defualt'. Did you mean 'Default'?",
            "'Bad-Name' cannot be a name in Resources: only letters and digits are allowed.", "The resource 'NoType' must have a Type, such as AWS::S3::Bucket.",
            "A resource has no attribute 'Propertis'. Did you mean 'Properties'?", "DependsOn holds names of resources, not a mapping; functions are not allowed here.",
            "An output has no attribute 'Valeu'. Did you mean 'Value'?", "The output 'O' must have a Value.",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), errors.Select(e => e.Message).Order(StringComparer.Ordinal));
        Assert.All(errors, e => Assert.NotNull(e.Location));
    }

    [Fact]
    public void Limits_of_CloudFormation_are_errors_when_evaluated()
    {
        var template = Template.Parse("Resources:\n" + string.Concat(Enumerable.Range(0, 501).Select(i => $"  R{i}: {{Type: 'AWS::SNS::Topic'}}\n")));
        Assert.Equal("The template has 501 resources; CloudFormation allows 500. Move some into nested stacks.", Assert.Single(template.Diagnostics).Message);
        Assert.Throws<TemplateException>(() => Template.Parse("Description: " + new string('x', Template.MaximumSize) + "\nResources: {}"));
    }

    [Fact]
    public void A_byte_order_mark_and_Windows_line_ends_are_accepted()
    {
        var template = Template.Parse("\uFEFFResources:\r\n  A:\r\n    Type: AWS::SNS::Topic\r\n");
        Assert.Equal(2, template.Resources["A"].Location.Line);
    }
}
