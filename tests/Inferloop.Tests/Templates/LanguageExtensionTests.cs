using Inferloop.Templates;
using static Inferloop.Tests.Templates.TemplateTesting;

namespace Inferloop.Tests.Templates;

public class LanguageExtensionTests
{
    [Fact]
    public async Task Loops_make_resources_and_outputs()
    {
        // After the example of AWS's documentation of Fn::ForEach.
        var stack = await EvaluateAsync("""
            AWSTemplateFormatVersion: 2010-09-09
            Transform: AWS::LanguageExtensions
            Parameters:
              Names: {Type: CommaDelimitedList, Default: 'Success,Failure,Time out'}
            Resources:
              Fn::ForEach::Topics:
                - TopicName
                - !Ref Names
                - SnsTopic&{TopicName}:
                    Type: AWS::SNS::Topic
                    Properties:
                      TopicName: !Join ['.', [!Ref TopicName, fifo]]
                      DisplayName: !Sub 'for ${TopicName} in ${AWS::Region}'
            Outputs:
              Fn::ForEach::Outer:
                - TopicName
                - [Success, Failure]
                - Fn::ForEach::Inner:
                    - Property
                    - [TopicArn, TopicName]
                    - Out${TopicName}${Property}:
                        Value: !GetAtt ['SnsTopic${TopicName}', !Ref Property]
            """);
        Assert.Equal(["SnsTopicSuccess", "SnsTopicFailure", "SnsTopicTimeout"], stack.Resources.Select(r => r.LogicalId));
        Assert.Equal("Time out.fifo", stack.Resources[2].Properties["TopicName"]!.AsString());
        Assert.Equal("for Failure in us-east-1", stack.Resources[1].Properties["DisplayName"]!.AsString());
        Assert.Equal(["OutSuccessTopicArn", "OutSuccessTopicName", "OutFailureTopicArn", "OutFailureTopicName"], stack.Outputs.Keys);
        Assert.Equal(["SnsTopicSuccess.TopicArn"], stack.Outputs["OutSuccessTopicArn"].Value.Sources);
    }

    [Fact]
    public async Task Loops_work_in_conditions_and_properties()
    {
        var stack = await EvaluateAsync("""
            Transform: [AWS::LanguageExtensions]
            Parameters: {Stage: {Type: String, Default: dev}}
            Conditions:
              Fn::ForEach::Is:
                - Name
                - [dev, prod]
                - 'Is${Name}': !Equals [!Ref Stage, !Ref Name]
            Resources:
              R:
                Type: Custom::R
                DeletionPolicy: !If [Isprod, Retain, Delete]
                Properties:
                  Fn::ForEach::Keys:
                    - K
                    - [A, B]
                    - 'Key${K}': 'value of ${K}'
                  Count: !Length [1, 2, 3]
                  Text: !ToJsonString {a: [1, true, !Ref Stage]}
                  Fallback: !FindInMap [None, x, y, {DefaultValue: none}]
            """);
        Assert.Equal((true, false), (stack.Conditions["Isdev"], stack.Conditions["Isprod"]));
        Assert.Equal("Delete", stack.Resources[0].DeletionPolicy);
        Assert.Equal("""{"KeyA":"value of A","KeyB":"value of B","Count":3,"Text":"{\"a\":[1,true,\"dev\"]}","Fallback":"none"}""",
            stack.Resources[0].Properties.ToJsonObject().ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Theory]
    [InlineData("Fn::ForEach::L: [X, [a, a], {'R${X}': {Type: 'Custom::R'}}]", "Fn::ForEach::L makes 'Ra', which exists already.")]
    [InlineData("Fn::ForEach::L: [X, [a], {'R-${X}': {Type: 'Custom::R'}}]", "'R-a' cannot be a name in Resources: only letters and digits are allowed, 255 at most. In a Fn::ForEach, '&{Id}' leaves other characters out.")]
    [InlineData("Fn::ForEach::L: [X, [a]]", "Fn::ForEach::L takes a list of an identifier, a collection and a mapping to repeat.")]
    [InlineData("Fn::ForEach::L: [X, abc, {'R${X}': {Type: 'Custom::R'}}]", "The collection of Fn::ForEach::L must be a list known before any resource exists, not abc.")]
    public async Task Bad_loops_say_why(string loop, string message)
    {
        var errors = await ErrorsAsync($"Transform: AWS::LanguageExtensions\nResources:\n  Other: {{Type: 'Custom::R'}}\n  {loop}\n");
        Assert.Contains(message, errors.Select(e => e.Message));
    }

    [Fact]
    public void A_loop_without_the_transform_is_refused()
    {
        var error = Assert.Throws<TemplateException>(() => Template.Parse("Resources:\n  A: {Type: 'Custom::R'}\n  Fn::ForEach::L: [X, [a], {'R${X}': {Type: 'Custom::R'}}]\n"));
        Assert.Equal(DiagnosticCodes.TransformRequired, Assert.Single(error.Diagnostics).Code);
    }

    [Fact]
    public async Task Transforms_that_only_AWS_can_run_are_named()
    {
        var error = Assert.Single(await ErrorsAsync("Transform: AWS::Serverless-2016-10-31\nResources: {R: {Type: 'AWS::Serverless::Function'}}"));
        Assert.Equal(DiagnosticCodes.UnsupportedTransform, error.Code);
        Assert.Contains("SAM", error.Message, StringComparison.Ordinal);
    }
}
