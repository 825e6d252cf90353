using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Templates;
using Inferloop.Tests.Sandbox;

namespace Inferloop.Tests.Stacks;

/// <summary>The guard rails of an organisation: what they forbid and what they let through, and that the management account can deploy them.</summary>
public sealed class OrganizationTests
{
    private const string Exempt = "arn:aws:iam::123456789012:role/OrganizationAccountAccessRole";
    private const string Operator = "arn:aws:iam::123456789012:role/operators";

    private static async Task<EvaluatedStack> EvaluateAsync(string tags = "true") => await StackEvaluator.EvaluateAsync(
        StackFixture.Load("organization.yaml"),
        StackFixture.Context(new Dictionary<string, string> { ["TargetIds"] = "ou-ab12-cdefghij", ["AllowedRegions"] = "us-east-1,us-west-2", ["TagsRequired"] = tags }),
        TestContext.Current.CancellationToken);

    [Theory]
    [InlineData("cloudtrail:StopLogging", Operator, "us-east-1", false)]
    [InlineData("cloudtrail:StopLogging", Exempt, "us-east-1", true)]
    [InlineData("cloudtrail:LookupEvents", Operator, "us-east-1", true)]
    [InlineData("organizations:LeaveOrganization", Exempt, "us-east-1", false)]
    [InlineData("s3:ListBucket", "arn:aws:iam::123456789012:root", "us-east-1", false)]
    [InlineData("dynamodb:CreateTable", Operator, "us-west-2", true)]
    [InlineData("dynamodb:CreateTable", Operator, "eu-west-3", false)]
    [InlineData("dynamodb:CreateTable", Exempt, "eu-west-3", true)]
    [InlineData("iam:CreateRole", Operator, "eu-west-3", true)]
    [InlineData("kms:CreateKey", Operator, "eu-west-3", false)]
    public async Task Audit_stays_on_and_work_stays_in_the_agreed_regions(string action, string principal, string region, bool allowed) =>
        Assert.Equal(allowed, (await RailsAsync()).Allows(action, "*", ("aws:PrincipalArn", principal), ("aws:RequestedRegion", region)));

    [Theory]
    [InlineData("true", "required", "demo", "prod", true)]
    [InlineData("false", "required", "demo", "prod", false)]
    [InlineData("true", "optional", "demo", "prod", false)]
    [InlineData("true", "required", null, "prod", false)]
    [InlineData("true", "required", "demo", null, false)]
    public async Task Instances_are_encrypted_tagged_and_ask_for_tokens(string encrypted, string tokens, string? environment, string? stage, bool allowed)
    {
        var rails = await RailsAsync();
        List<(string, string)> keys = [("aws:PrincipalArn", Operator), ("aws:RequestedRegion", "us-east-1"), ("ec2:Encrypted", encrypted), ("ec2:MetadataHttpTokens", tokens)];
        if (environment is not null)
        {
            keys.Add(("aws:RequestTag/inferloop:environment", environment));
        }

        if (stage is not null)
        {
            keys.Add(("aws:RequestTag/inferloop:stage", stage));
        }

        Assert.Equal(allowed, new[] { "volume/*", "instance/*" }.All(r => rails.Allows("ec2:RunInstances", "arn:aws:ec2:us-east-1:123456789012:" + r, [.. keys])));
    }

    [Fact]
    public async Task A_database_needs_its_tags_only_where_tags_are_required()
    {
        (string, string)[] keys = [("aws:PrincipalArn", Operator), ("aws:RequestedRegion", "us-east-1"), ("rds:StorageEncrypted", "true")];
        Assert.False((await RailsAsync()).Allows("rds:CreateDBInstance", "*", keys));
        Assert.True((await RailsAsync("false")).Allows("rds:CreateDBInstance", "*", keys));
        Assert.False((await RailsAsync("false")).Allows("rds:CreateDBInstance", "*", [.. keys[..2], ("rds:StorageEncrypted", "false")]));
    }

    [Fact]
    public async Task Each_policy_fits_and_with_AWS_s_own_not_more_than_five_act_on_a_target()
    {
        var policies = (await EvaluateAsync()).OfType("AWS::Organizations::Policy").ToList();
        Assert.All(policies, p => Assert.InRange(Encoding.UTF8.GetByteCount(p.At("Content")!.ToJson()!.ToJsonString()), 1, 5120));
        Assert.Equal(4, policies.Count(p => p.Text("Type") == "SERVICE_CONTROL_POLICY"));
    }

    [Fact]
    public async Task The_management_account_deploys_and_removes_them()
    {
        await using var sandbox = new SandboxFixture(new SandboxOptions { ClockRate = 3600 });
        await sandbox.InitializeAsync();
        var client = new SandboxClient(sandbox.Host);
        var root = (await CallAsync("ListRoots", []))["Roots"]![0]!["Id"]!.GetValue<string>();
        foreach (var type in new[] { "SERVICE_CONTROL_POLICY", "TAG_POLICY" })
        {
            await CallAsync("EnablePolicyType", new JsonObject { ["RootId"] = root, ["PolicyType"] = type }, tolerated: "PolicyTypeAlreadyEnabledException");
        }

        var unit = (await CallAsync("CreateOrganizationalUnit", new JsonObject { ["ParentId"] = root, ["Name"] = "environments" }))["OrganizationalUnit"]!["Id"]!.GetValue<string>();
        var cloudFormation = new CloudFormationCaller(sandbox);
        var id = (await cloudFormation.CallAsync(
            "CreateStack", ("StackName", "inferloop-organization"), ("TemplateBody", StackFixture.Load("organization.yaml").Text),
            ("Parameters.member.1.ParameterKey", "TargetIds"), ("Parameters.member.1.ParameterValue", unit),
            ("Parameters.member.2.ParameterKey", "AllowedRegions"), ("Parameters.member.2.ParameterValue", "us-east-1,us-west-2"))).EnsureSuccess().Value("StackId")!;
        Assert.Equal("CREATE_COMPLETE", await cloudFormation.WaitAsync(id));
        Assert.Equal(
            ["FullAWSAccess", "inferloop-audit", "inferloop-encryption", "inferloop-regions", "inferloop-tags"], await ActingAsync("SERVICE_CONTROL_POLICY"));
        Assert.Equal(["inferloop-tag-values"], await ActingAsync("TAG_POLICY"));
        Assert.Equal("DELETE_COMPLETE", await cloudFormation.DeleteAndWaitAsync(id));
        Assert.Equal(["FullAWSAccess"], await ActingAsync("SERVICE_CONTROL_POLICY"));

        async Task<List<string>> ActingAsync(string type) =>
            [.. (await CallAsync("ListPoliciesForTarget", new JsonObject { ["TargetId"] = unit, ["Filter"] = type }))["Policies"]!.AsArray().Select(p => p!["Name"]!.GetValue<string>()).Order(StringComparer.Ordinal)];

        async Task<JsonObject> CallAsync(string operation, JsonObject input, string? tolerated = null)
        {
            var answer = await client.JsonAsync("organizations", "AWSOrganizationsV20161128." + operation, input.ToJsonString());
            if (tolerated is null || !answer.Text.Contains(tolerated, StringComparison.Ordinal))
            {
                answer.EnsureSuccess();
            }

            return JsonNode.Parse(answer.Text)!.AsObject();
        }
    }

    private static async Task<PolicyEvaluator> RailsAsync(string tags = "true")
    {
        var open = Template.Parse("Metadata: { S: { Effect: Allow, Action: '*', Resource: '*' } }\nResources: { R: { Type: 'AWS::SNS::Topic' } }").Metadata!["S"]!;
        return new PolicyEvaluator([open, .. (await EvaluateAsync(tags)).OfType("AWS::Organizations::Policy").Where(p => p.Text("Type") == "SERVICE_CONTROL_POLICY").SelectMany(p => p.At("Content.Statement")!.Items)]);
    }
}
