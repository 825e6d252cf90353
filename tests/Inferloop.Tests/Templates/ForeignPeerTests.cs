using System.Text.Json.Nodes;
using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

/// <summary>The same templates through implementations that nobody here wrote.</summary>
public class ForeignPeerTests
{
    // moto's own CloudFormation parser, in process: no server, no AWS.
    private const string Moto = """
        import json, sys, os
        os.environ.update(AWS_ACCESS_KEY_ID='x', AWS_SECRET_ACCESS_KEY='x', AWS_DEFAULT_REGION='us-east-1')
        import boto3
        from moto import mock_aws
        with mock_aws():
            client = boto3.client('cloudformation')
            client.create_stack(StackName='inferloop-demo-dev', TemplateBody=open(sys.argv[1]).read(), Parameters=[{'ParameterKey': 'Stage', 'ParameterValue': 'prod'}])
            print(json.dumps({o['OutputKey']: o['OutputValue'] for o in client.describe_stacks()['Stacks'][0]['Outputs']}))
        """;

    // Left out, because moto 5.2 has them wrong or not at all: Fn::Cidr, Condition inside Fn::Not, and list parameters in Fn::Join and Fn::Select.
    private const string Text = """
        AWSTemplateFormatVersion: '2010-09-09'
        Parameters:
          Stage: {Type: String, Default: dev}
          Port: {Type: Number, Default: 8000}
        Mappings:
          Sizes: {dev: {Cpu: '256'}, prod: {Cpu: '1024'}}
        Conditions:
          IsProd: !Equals [!Ref Stage, prod]
          IsDev: !Not [!Equals [!Ref Stage, prod]]
          Any: !Or [!Equals [!Ref Stage, dev], !Equals [!Ref Stage, prod]]
          All: !And [!Equals [!Ref Stage, prod], !Equals [!Ref Port, '9000']]
        Resources:
          Queue:
            Type: AWS::SQS::Queue
            Properties: {QueueName: !Sub 'q-${Stage}'}
          Extra:
            Type: AWS::SQS::Queue
            Condition: All
        Outputs:
          Sub: {Value: !Sub '${Stage}:${Port}@${AWS::Region}/${AWS::AccountId}${!Keep}'}
          SubMap: {Value: !Sub ['${A}-${Stage}', {A: !Join ['.', [a, b]]}]}
          Join: {Value: !Join ['-', [x, !Ref Port, !Ref 'AWS::Partition']]}
          Select: {Value: !Select [2, [a, b, !Ref Stage]]}
          SplitSelect: {Value: !Select ['1', !Split ['|', 'p|q|r']]}
          Map: {Value: !FindInMap [Sizes, !Ref Stage, Cpu]}
          If: {Value: !If [IsProd, big, small]}
          IfNested: {Value: !If [IsDev, x, !If [Any, y, z]]}
          Zone: {Value: !Select [0, !GetAZs us-east-1]}
          Base64: {Value: !Base64 'AWS CloudFormation'}
          Never: {Condition: All, Value: 'no'}
        """;

    private static async Task<string> PythonAsync(string module)
    {
        var python = ExternalTool.Require("python3");
        var probe = await ExternalTool.RunAsync(python, ["-c", $"import {module}"], cancellation: TestContext.Current.CancellationToken);
        Assert.SkipUnless(probe.ExitCode == 0, $"the Python package {module} is not installed");
        return python;
    }

    [Fact]
    public async Task Outputs_are_those_of_moto()
    {
        var python = await PythonAsync("moto");
        var folder = Directory.CreateTempSubdirectory("inferloop-moto-");
        try
        {
            var file = Path.Combine(folder.FullName, "t.yaml");
            await File.WriteAllTextAsync(file, Text, TestContext.Current.CancellationToken);
            var result = await ExternalTool.RunAsync(python, ["-c", Moto, file], cancellation: TestContext.Current.CancellationToken);
            Assert.True(result.ExitCode == 0, result.Error);
            var theirs = JsonNode.Parse(result.Output)!.AsObject();
            var ours = (await TemplateTesting.EvaluateAsync(Text, TemplateTesting.Context(("Stage", "prod")))).Outputs;
            Assert.Equal(theirs.Select(o => o.Key).Order(StringComparer.Ordinal), ours.Keys.Order(StringComparer.Ordinal));
            foreach (var (name, value) in theirs)
            {
                Assert.Equal((name, value!.ToString()), (name, ours[name].Value.AsString()));
            }
        }
        finally
        {
            folder.Delete(true);
        }
    }

    [Theory]
    [InlineData("10.0.0.0/16", 256, 8)]
    [InlineData("172.31.128.0/17", 5, 11)]
    [InlineData("192.168.0.0/24", 6, 5)]
    [InlineData("2001:db8:ffff:ff00::/56", 256, 64)]
    [InlineData("fd00::/48", 3, 72)]
    public async Task Cidr_blocks_are_those_of_Pythons_ipaddress(string block, int count, int bits)
    {
        var python = ExternalTool.Require("python3");
        const string Script = "import ipaddress, itertools, sys; n = ipaddress.ip_network(sys.argv[1]); print(','.join(map(str, itertools.islice(n.subnets(new_prefix=n.max_prefixlen - int(sys.argv[3])), int(sys.argv[2])))))";
        var result = await ExternalTool.RunAsync(python, ["-c", Script, block, $"{count}", $"{bits}"], cancellation: TestContext.Current.CancellationToken);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(result.Output.Trim(), (await TemplateTesting.ExpressionAsync($"!Join [',', !Cidr ['{block}', {count}, {bits}]]")).AsString());
    }

    [Fact]
    public async Task What_passes_our_checks_passes_cfn_lint()
    {
        var lint = ExternalTool.Require("cfn-lint");
        Assert.DoesNotContain(TemplateChecker.Check(Template.Parse(Text)), d => d.Severity == DiagnosticSeverity.Error);
        var file = Path.Combine(Path.GetTempPath(), $"inferloop-lint-{Guid.NewGuid():N}.yaml");
        try
        {
            await File.WriteAllTextAsync(file, Text, TestContext.Current.CancellationToken);
            var result = await ExternalTool.RunAsync(lint, ["--format", "json", "--ignore-checks", "W", "--", file], cancellation: TestContext.Current.CancellationToken);
            Assert.Equal("[]", result.Output.Trim());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("{Type: 'AWS::SNS::Topik'}")]
    [InlineData("{Type: 'AWS::SNS::Topic', Properties: {DisplayNam: x}}")]
    [InlineData("{Type: 'AWS::SNS::Topic', Properties: {FifoTopic: maybe}}")]
    [InlineData("{Type: 'AWS::SNS::Topic', Properties: {DisplayName: !Ref Nope}}")]
    [InlineData("{Type: 'AWS::SNS::Topic', Properties: {DisplayName: !GetAtt R.Nope}}")]
    [InlineData("{Type: 'AWS::EC2::SecurityGroup', Properties: {}}")]
    [InlineData("{Type: 'AWS::SNS::Topic', DependsOn: Nope}")]
    [InlineData("{Type: 'AWS::SNS::Topic', DeletionPolicy: Keep}")]
    public async Task What_cfn_lint_refuses_we_refuse(string resource)
    {
        var lint = ExternalTool.Require("cfn-lint");
        var text = $"Resources:\n  R: {resource}\n";
        Assert.Contains(TemplateChecker.Check(Template.Parse(text)), d => d.Severity == DiagnosticSeverity.Error);
        var file = Path.Combine(Path.GetTempPath(), $"inferloop-lint-{Guid.NewGuid():N}.yaml");
        try
        {
            await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
            var result = await ExternalTool.RunAsync(lint, ["--format", "json", "--", file], cancellation: TestContext.Current.CancellationToken);
            Assert.Contains(JsonNode.Parse(result.Output)!.AsArray(), finding => finding!["Level"]!.ToString() == "Error");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
