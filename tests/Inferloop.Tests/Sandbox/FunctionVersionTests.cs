using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox;

/// <summary>A version is made from what has changed: CloudFormation refuses one of a function that has not, as on AWS.</summary>
public sealed class FunctionVersionTests : IAsyncLifetime
{
    private const string Template = """
        Resources:
          Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: 'sts:AssumeRole' }] } } }
          Function: { Type: AWS::Lambda::Function, Properties: { Description: '%FUNCTION%', Runtime: python3.13, Handler: index.handler, Role: !GetAtt Role.Arn, Code: { ZipFile: 'def handler(event, context): return 1' } } }
          Version: { Type: AWS::Lambda::Version, UpdateReplacePolicy: Retain, Properties: { FunctionName: !Ref Function, Description: '%VERSION%' } }
        Outputs:
          Version: { Value: !GetAtt Version.Version }
        """;

    private readonly SandboxFixture sandbox = new(new SandboxOptions { ClockRate = 3600 });

    public ValueTask InitializeAsync() => sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => sandbox.DisposeAsync();

    [Theory]
    [InlineData("one", "UPDATE_ROLLBACK_COMPLETE", "1")]
    [InlineData("two", "UPDATE_COMPLETE", "2")]
    public async Task Another_version_needs_another_function(string function, string status, string version)
    {
        var cloudFormation = new CloudFormationCaller(sandbox);
        var name = CloudFormationCaller.NewName("versions");
        var capability = ("Capabilities.member.1", "CAPABILITY_IAM");
        await cloudFormation.CreateAndWaitAsync(name, Of("one", "one"), capability);
        Assert.Equal(status, await cloudFormation.UpdateAndWaitAsync(name, Of(function, "two"), capability));
        Assert.Equal(version, (await cloudFormation.DescribeAsync(name)).Value("OutputValue"));
        var refused = (await cloudFormation.EventsAsync(name)).Where(e => e is { LogicalId: "Version", Status: "CREATE_FAILED" or "UPDATE_FAILED" }).ToList();
        Assert.Equal(status == "UPDATE_COMPLETE", refused.Count == 0);
        Assert.All(refused, e => Assert.Contains("A version for this Lambda function exists ( 1 ).", e.Reason, StringComparison.Ordinal));
    }

    private static string Of(string function, string version) =>
        Template.Replace("%FUNCTION%", function, StringComparison.Ordinal).Replace("%VERSION%", version, StringComparison.Ordinal);
}
