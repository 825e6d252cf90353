using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Services.Events;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Evaluation of policies and of event patterns, and simulations that stand on it.</summary>
public sealed class PolicyTests : ServiceTestBase
{
    private static string Statement(string rest) => $$"""{"Version":"2012-10-17","Statement":[{{rest}}]}""";

    private static AccessRequest Request(string action, string resource, params (string Key, string Value)[] keys) =>
        new(action, resource) { Keys = keys.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<string>)[pair.Value]) };

    [Theory]
    [InlineData("""{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::data/*"}""", "s3:GetObject", "arn:aws:s3:::data/a", "Allowed")]
    [InlineData("""{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::data/*"}""", "s3:PutObject", "arn:aws:s3:::data/a", "ImplicitDeny")]
    [InlineData("""{"Effect":"Allow","Action":"S3:getobject","Resource":"*"}""", "s3:GetObject", "arn:aws:s3:::data/a", "Allowed")]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::data/*"}""", "s3:GetObject", "arn:aws:s3:::other/a", "ExplicitDeny")]
    [InlineData("""{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}""", "iam:CreateRole", "*", "ImplicitDeny")]
    [InlineData("""{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["us-east-1","us-west-2"]}}}""", "ec2:RunInstances", "*", "Allowed")]
    [InlineData("""{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"StringNotLike":{"aws:RequestedRegion":"us-*"}}}""", "ec2:RunInstances", "*", "ImplicitDeny")]
    [InlineData("""{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}""", "ec2:RunInstances", "*", "ImplicitDeny")]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"NumericLessThan":{"s3:max-keys":"11"}}}""", "s3:ListBucket", "*", "Allowed")]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"aws:TokenIssueTime":"true"}}}""", "s3:ListBucket", "*", "Allowed")]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalTag/team":"a"}}}""", "s3:ListBucket", "*", "Allowed")]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"a"}}}""", "s3:ListBucket", "*", "ImplicitDeny")]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::home/${aws:username}/*"}""", "s3:GetObject", "arn:aws:s3:::home/ann/x", "Allowed")]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:events:*:1:rule/*"}}}""", "s3:GetObject", "*", "Allowed")]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}}""", "s3:GetObject", "*", "ImplicitDeny")]
    public void Statements_say(string statements, string action, string resource, string expected) => Assert.Equal(expected, PolicyEvaluator.Evaluate(Statement(statements), Request(action, resource,
        ("aws:requestedregion", "us-east-1"), ("aws:securetransport", "true"), ("aws:sourceip", "10.1.2.3"), ("s3:max-keys", "10"), ("aws:username", "ann"), ("aws:sourcearn", "arn:aws:events:us-east-1:1:rule/r"), ("aws:currenttime", "2026-11-23T00:00:00Z"))).ToString());

    [Theory]
    [InlineData("""{"source":["aws.s3"]}""", true)]
    [InlineData("""{"source":["aws.ec2"]}""", false)]
    [InlineData("""{"detail":{"size":[{"numeric":[">",5,"<=",7]}]}}""", true)]
    [InlineData("""{"detail":{"size":[{"numeric":[">",7]}]}}""", false)]
    [InlineData("""{"detail":{"name":[{"prefix":"in/"}],"missing":[{"exists":false}]}}""", true)]
    [InlineData("""{"detail":{"name":[{"suffix":".csv"}]}}""", true)]
    [InlineData("""{"detail":{"name":[{"anything-but":{"prefix":"in/"}}]}}""", false)]
    [InlineData("""{"detail":{"name":[{"anything-but":["other"]}]}}""", true)]
    [InlineData("""{"detail":{"name":[{"wildcard":"in/*.csv"}]}}""", true)]
    [InlineData("""{"detail":{"name":[{"equals-ignore-case":"IN/A.CSV"}]}}""", true)]
    [InlineData("""{"detail":{"address":[{"cidr":"10.0.0.0/24"}]}}""", true)]
    [InlineData("""{"detail":{"tags":["b"]}}""", true)]
    [InlineData("""{"detail":{"tags":["z"]}}""", false)]
    [InlineData("""{"$or":[{"source":["nothing"]},{"detail":{"size":[7.0]}}]}""", true)]
    [InlineData("""{"detail":{"none":[null]}}""", true)]
    public void Patterns_match(string pattern, bool expected)
    {
        var parsed = EventPattern.Parse(pattern, out var problem);
        Assert.True(parsed is not null, problem);
        Assert.Equal(expected, parsed.Matches((JsonObject)JsonNode.Parse("""{"source":"aws.s3","detail":{"size":7,"name":"in/a.csv","address":"10.0.0.9","tags":["a","b"],"none":null}}""")!));
    }

    [Theory]
    [InlineData("""{"source":"aws.s3"}""")]
    [InlineData("""{"source":[]}""")]
    [InlineData("""{"source":[{"unheard-of":1}]}""")]
    [InlineData("""{"source":[{"numeric":["~",1]}]}""")]
    [InlineData("""{}""")]
    public async Task Patterns_that_are_none_are_refused(string pattern) =>
        Assert.Equal("InvalidEventPatternException", (await Fails("events", "PutRule", new JsonObject { ["Name"] = "r", ["EventPattern"] = pattern }.ToJsonString())).Code);

    [Fact]
    public async Task A_role_is_simulated_with_its_policies_and_its_boundary()
    {
        await Call("iam", "CreatePolicy", """{"PolicyName":"limit","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}"}""");
        await Call("iam", "CreateRole", """{"RoleName":"r","AssumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}","PermissionsBoundary":"arn:aws:iam::123456789012:policy/limit"}""");
        await Call("iam", "AttachRolePolicy", """{"RoleName":"r","PolicyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}""");
        await Call("iam", "PutRolePolicy", """{"RoleName":"r","PolicyName":"no","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"s3:DeleteBucket\",\"Resource\":\"*\"}]}"}""");
        var answer = await Call("iam", "SimulatePrincipalPolicy", """{"PolicySourceArn":"arn:aws:iam::123456789012:role/r","ActionNames":["s3:GetObject","ec2:RunInstances","s3:DeleteBucket"]}""");
        Assert.Equal(["allowed", "implicitDeny", "explicitDeny"], answer["EvaluationResults"]!.AsArray().Select(item => (string)item!["EvalDecision"]!));
        Assert.Equal("NoSuchEntity", (await Fails("iam", "SimulatePrincipalPolicy", """{"PolicySourceArn":"arn:aws:iam::123456789012:role/none","ActionNames":["s3:GetObject"]}""")).Code);
    }
}
