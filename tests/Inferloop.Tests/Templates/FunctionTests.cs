using Inferloop.Templates;
using static Inferloop.Tests.Templates.TemplateTesting;

namespace Inferloop.Tests.Templates;

public class FunctionTests
{
    private const string Sections = """
        Parameters:
          Name: {Type: String, Default: demo}
          Port: {Type: Number, Default: 8000}
          Zones: {Type: CommaDelimitedList, Default: 'a, b,c'}
          Secret: {Type: String, NoEcho: true, Default: hunter2}
        Mappings:
          Sizes: {dev: {Cpu: 256, List: [x, y]}, prod: {Cpu: 1024, List: [z]}}
        Conditions:
          IsDemo: !Equals [!Ref Name, demo]
          Never: !Not [!Condition IsDemo]
        """;

    [Theory]
    [InlineData("!Ref Name", "demo")]
    [InlineData("!Ref Zones", "[\"a\", \"b\", \"c\"]")]
    [InlineData("!Ref AWS::Region", "us-east-1")]
    [InlineData("!Ref AWS::AccountId", "123456789012")]
    [InlineData("!Ref AWS::Partition", "aws")]
    [InlineData("!Ref AWS::URLSuffix", "amazonaws.com")]
    [InlineData("!Ref AWS::StackName", "inferloop-demo-dev")]
    [InlineData("!Ref AWS::NotificationARNs", "[]")]
    [InlineData("!Sub '${Name}-${AWS::Region}-${!Literal}-$x'", "demo-us-east-1-${Literal}-$x")]
    [InlineData("!Sub ['${A}/${Name}', {A: !Select [1, !Ref Zones]}]", "b/demo")]
    [InlineData("!Join ['-', [a, !Ref Port, true]]", "a-8000-true")]
    [InlineData("!Join [',', !Ref Zones]", "a,b,c")]
    [InlineData("!Join ['', []]", "")]
    [InlineData("!Join ['-', [a, !Ref AWS::NoValue, b]]", "a-b")]
    [InlineData("!Split ['-', 'a-b--c']", "[\"a\", \"b\", \"\", \"c\"]")]
    [InlineData("!Select [0, [x, y]]", "x")]
    [InlineData("!Select ['1', [x, y]]", "y")]
    [InlineData("!Select [1, !Split ['|', 'a|b']]", "b")]
    [InlineData("!FindInMap [Sizes, prod, Cpu]", "1024")]
    [InlineData("!FindInMap [Sizes, !If [IsDemo, dev, prod], List]", "[\"x\", \"y\"]")]
    [InlineData("!Base64 'AWS CloudFormation'", "QVdTIENsb3VkRm9ybWF0aW9u")]
    [InlineData("!If [IsDemo, yes-it-is, no-it-is-not]", "yes-it-is")]
    [InlineData("!If [Never, 1, 2]", "2")]
    [InlineData("!GetAZs ''", "[\"us-east-1a\", \"us-east-1b\", \"us-east-1c\", \"us-east-1d\", \"us-east-1e\", \"us-east-1f\"]")]
    [InlineData("!Select [0, !GetAZs eu-west-1]", "eu-west-1a")]
    [InlineData("{Fn::Sub: 'x-${Name}'}", "x-demo")]
    [InlineData("{Fn::Join: ['', [a, {Ref: Name}]]}", "ademo")]
    [InlineData("!Ref Db", "(known after apply: Db)")]
    [InlineData("!GetAtt Db.Endpoint.Address", "(known after apply: Db.Endpoint.Address)")]
    [InlineData("{Fn::GetAtt: [Db, Endpoint.Address]}", "(known after apply: Db.Endpoint.Address)")]
    [InlineData("!Sub 'postgres://${Db.Endpoint.Address}:${Port}'", "(known after apply: postgres://${Db.Endpoint.Address}:8000)")]
    [InlineData("!Select [0, !Split [':', !Ref Db]]", "(known after apply: Select(0, Split(:, ${Db})))")]
    [InlineData("[a, !If [Never, b, !Ref AWS::NoValue], c]", "[\"a\", \"c\"]")]
    [InlineData("{a: 1, b: !If [Never, b, !Ref AWS::NoValue]}", "{\"a\": 1}")]
    public async Task Functions_give_what_CloudFormation_gives(string expression, string expected) =>
        Assert.Equal(expected, (await ExpressionAsync(expression, Sections)).ToString());

    [Theory]
    [InlineData("!Ref Nmae", DiagnosticCodes.UnresolvedReference, "'Nmae' is neither a parameter nor a resource of this template. Did you mean 'Name'?")]
    [InlineData("!Ref AWS::Regoin", DiagnosticCodes.UnresolvedReference, "'AWS::Regoin' is not a pseudo parameter. Did you mean 'AWS::Region'?")]
    [InlineData("!Ref [Name]", DiagnosticCodes.InvalidFunction, "Ref takes the name of a parameter or resource, not a list.")]
    [InlineData("!GetAtt Db", DiagnosticCodes.InvalidFunction, "Fn::GetAtt takes a resource and an attribute: [Resource, Attribute] or Resource.Attribute.")]
    [InlineData("!GetAtt Bd.Arn", DiagnosticCodes.UnresolvedReference, "'Bd' is neither a parameter nor a resource of this template. Did you mean 'Db'?")]
    [InlineData("!Sub '${Nmae}'", DiagnosticCodes.UnresolvedReference, "'Nmae' is neither a parameter nor a resource of this template. Did you mean 'Name'?")]
    [InlineData("!Sub '${a b}'", DiagnosticCodes.InvalidFunction, "'${a b}' is not a variable of Fn::Sub: names have letters, digits, underscores, periods and colons. To keep it as text write '${!a b}'.")]
    [InlineData("!Sub '${Zones}'", DiagnosticCodes.InvalidFunction, "'Zones' is a list; Fn::Sub takes strings only. Make it a string with Fn::Join first.")]
    [InlineData("!Sub [a]x", DiagnosticCodes.InvalidYaml, null)]
    [InlineData("!Join [a]", DiagnosticCodes.InvalidFunction, "Fn::Join takes a delimiter and a list of strings.")]
    [InlineData("!Join [',', abc]", DiagnosticCodes.InvalidFunction, "Fn::Join takes a list of strings as its second argument, not a string.")]
    [InlineData("!Join [',', [a, [b]]]", DiagnosticCodes.InvalidFunction, "Item 1 of Fn::Join is a list; it joins strings only.")]
    [InlineData("!Split ['', abc]", DiagnosticCodes.InvalidFunction, "The delimiter of Fn::Split must be a string, not empty.")]
    [InlineData("!Select [3, [a]]", DiagnosticCodes.InvalidFunction, "Fn::Select cannot select nonexistent value at index 3: the list has 1 item.")]
    [InlineData("!Select [x, [a]]", DiagnosticCodes.InvalidFunction, "The index of Fn::Select must be a whole number known before any resource exists, not x.")]
    [InlineData("!Select [0, abc]", DiagnosticCodes.InvalidFunction, "Fn::Select takes a list as its second argument, not a string.")]
    [InlineData("!FindInMap [Size, dev, Cpu]", DiagnosticCodes.MappingKeyNotFound, "The template has no mapping 'Size'. Did you mean 'Sizes'?")]
    [InlineData("!FindInMap [Sizes, dve, Cpu]", DiagnosticCodes.MappingKeyNotFound, "The mapping 'Sizes' has no key 'dve'. Did you mean 'dev'?")]
    [InlineData("!FindInMap [Sizes, dev, Gpu]", DiagnosticCodes.MappingKeyNotFound, "The mapping 'Sizes' has no key 'Gpu' under 'dev'. Did you mean 'Cpu'?")]
    [InlineData("!FindInMap [Sizes, !Ref Db, Cpu]", DiagnosticCodes.InvalidFunction, "Fn::FindInMap needs its keys before any resource exists; this one waits for Db.")]
    [InlineData("!FindInMap [Sizes, x, Cpu, {DefaultValue: 1}]", DiagnosticCodes.TransformRequired, "Fn::FindInMap with a DefaultValue needs 'Transform: AWS::LanguageExtensions' at the top of the template.")]
    [InlineData("!If [IsDmeo, a, b]", DiagnosticCodes.UnresolvedReference, "The template has no condition 'IsDmeo'. Did you mean 'IsDemo'?")]
    [InlineData("!If [IsDemo, a]", DiagnosticCodes.InvalidFunction, "Fn::If takes the name of a condition, a value for when it holds, and one for when it does not.")]
    [InlineData("!Base64 [a]", DiagnosticCodes.InvalidFunction, "Fn::Base64 takes a string, not a list.")]
    [InlineData("!Length [a]", DiagnosticCodes.TransformRequired, "Fn::Length needs 'Transform: AWS::LanguageExtensions' at the top of the template.")]
    [InlineData("{Fn::Transform: {Name: 'AWS::Include', Parameters: {Location: 's3://b/k'}}}", DiagnosticCodes.UnsupportedTransform, "AWS::Include reads its snippet from S3 while the stack is deployed, so the template cannot be evaluated here. Put the snippet into the template, or into a nested stack.")]
    [InlineData("{Fn::Sbu: x}", DiagnosticCodes.UnknownFunction, "'Fn::Sbu' is not a function of CloudFormation. Did you mean 'Fn::Sub'?")]
    [InlineData("{Fn::Sub: x, Other: y}", DiagnosticCodes.InvalidFunction, "Fn::Sub must be the only key of its mapping; here it stands beside 'Other'.")]
    [InlineData("!RefAll 'AWS::EC2::VPC::Id'", DiagnosticCodes.InvalidFunction, "Fn::RefAll can be used in Rules only.")]
    public async Task Misused_functions_say_what_is_wrong(string expression, string code, string? message)
    {
        var error = await ExpressionErrorAsync(expression, Sections);
        Assert.Equal(code, error.Code);
        if (message is not null)
        {
            Assert.Equal(message, error.Message);
            Assert.Equal("Probe.Properties.Value", error.Path!.Split('[')[0]);
            Assert.NotNull(error.Location);
        }
    }

    // The examples of AWS's documentation of Fn::Cidr, and those of its underlying arithmetic.
    [Theory]
    [InlineData("192.168.0.0/24", 6, 5, "192.168.0.0/27,192.168.0.32/27,192.168.0.64/27,192.168.0.96/27,192.168.0.128/27,192.168.0.160/27")]
    [InlineData("10.0.0.0/16", 4, 8, "10.0.0.0/24,10.0.1.0/24,10.0.2.0/24,10.0.3.0/24")]
    [InlineData("10.0.0.77/16", 2, 13, "10.0.0.0/19,10.0.32.0/19")]
    [InlineData("10.1.255.0/24", 2, 7, "10.1.255.0/25,10.1.255.128/25")]
    [InlineData("2001:db8:1234:1a00::/56", 3, 64, "2001:db8:1234:1a00::/64,2001:db8:1234:1a01::/64,2001:db8:1234:1a02::/64")]
    [InlineData("10.0.0.0/28", 16, 1, null)]
    [InlineData("10.0.0.0/16", 0, 8, null)]
    [InlineData("10.0.0.0/16", 257, 4, null)]
    [InlineData("10.0.0/16", 1, 8, null)]
    [InlineData("10.0.0.0/33", 1, 8, null)]
    [InlineData("nonsense", 1, 8, null)]
    public async Task Cidr_cuts_blocks_as_AWS_does(string block, int count, int bits, string? expected)
    {
        var expression = $"!Cidr ['{block}', {count}, {bits}]";
        if (expected is null)
        {
            var error = await ExpressionErrorAsync(expression);
            Assert.StartsWith(count == 257 || count == 0 ? "Fn::Cidr: the count must be from 1 to 256" : "Fn::Cidr: ", error.Message, StringComparison.Ordinal);
            return;
        }

        Assert.Equal(expected.Split(','), (await ExpressionAsync(expression)).Items.Select(i => i.AsString()));
    }

    [Fact]
    public async Task Secrets_stay_secret_through_functions()
    {
        var value = await ExpressionAsync("!Join ['', [a, !Sub 'x${Secret}', !Base64 {Ref: Secret}]]", Sections);
        Assert.True(value.IsSecret);
        Assert.Equal("****", value.ToString());
        Assert.Equal("axhunter2aHVudGVyMg==", value.AsString());
        var unknown = await ExpressionAsync("!Sub '${Secret}@${Db.Host}'", Sections);
        Assert.Equal("****", unknown.ToString());
    }

    [Fact]
    public async Task Known_resource_values_are_used_and_remembered()
    {
        var context = Context() with { Resources = new KnownValues(("Db", "db-1"), ("Db.Endpoint.Address", "db.example")) };
        var value = await ExpressionAsync("!Sub '${Db}@${Db.Endpoint.Address}'", "", context);
        Assert.Equal("db-1@db.example", value.AsString());
        Assert.Equal(["Db", "Db.Endpoint.Address"], value.Sources);
    }

    [Fact]
    public async Task Imports_come_from_the_context()
    {
        var context = Context() with { Imports = name => name == "shared-vpc" ? new StringValue("vpc-1") : null };
        Assert.Equal("vpc-1", (await ExpressionAsync("{Fn::ImportValue: !Sub 'shared-${Part}'}", "Parameters: {Part: {Type: String, Default: vpc}}", context)).AsString());
        Assert.Equal("No export named shared-vcp found in us-east-1.", (await ExpressionErrorAsync("!ImportValue shared-vcp", "", context)).Message);
        Assert.False((await ExpressionAsync("!ImportValue anything")).IsKnown);
    }

    [Fact]
    public async Task Dynamic_references_are_resolved_where_the_context_can()
    {
        var context = Context() with
        {
            DynamicReferences = (service, reference) => (service, reference) switch
            {
                ("ssm", "/a/b:2") => new StringValue("plain"),
                ("secretsmanager", "db:SecretString:password") => new StringValue("pw"),
                _ => null,
            },
        };
        Assert.Equal("x-plain-y", (await ExpressionAsync("'x-{{resolve:ssm:/a/b:2}}-y'", "", context)).ToString());
        Assert.Equal("****", (await ExpressionAsync("'{{resolve:secretsmanager:db:SecretString:password}}'", "", context)).ToString());
        Assert.Equal("{{resolve:ssm:/other}}", (await ExpressionAsync("'{{resolve:ssm:/other}}'", "", context)).ToString());
        Assert.Equal("{{resolve:ssm:/a/b:2}}", (await ExpressionAsync("'{{resolve:ssm:/a/b:2}}'")).ToString());
    }

    [Fact]
    public async Task An_attribute_that_is_a_property_of_the_template_is_known()
    {
        var stack = await EvaluateAsync("""
            Resources:
              Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}
              Bucket: {Type: 'AWS::S3::Bucket', Properties: {BucketName: my-data}}
              Subnet:
                Type: AWS::EC2::Subnet
                Properties: {VpcId: !Ref Vpc, CidrBlock: !Select [2, !Cidr [!GetAtt Vpc.CidrBlock, 4, 8]]}
            Outputs:
              Bucket: {Value: !Ref Bucket}
            """);
        Assert.Equal("10.0.2.0/24", stack.FindResource("Subnet")!.Properties["CidrBlock"]!.AsString());
        Assert.Equal("my-data", stack.Outputs["Bucket"].Value.AsString());
    }
}
