using Amazon.CloudFormation.Model;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>Stack policies protect data stores against every tool, are asked before an update, and come back after one that was let through.</summary>
public sealed class StackPolicyTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => harness = await EnvironmentHarness.StartAsync();

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task A_new_environment_is_protected_also_against_other_tools()
    {
        var environment = await harness.Operator().CreateAsync(cancellation: Stop);
        Assert.Equal(StackPolicies.Protecting, await PolicyAsync("Storage"));
        Assert.Null(await PolicyAsync("Network"));

        // Another tool, with this module's consent nowhere: CloudFormation itself says no, in the middle.
        var storage = (await StackAsync("Storage")).StackId;
        harness.RekeyTable();
        await harness.S3.PutBucketAsync("another-tools-templates", Stop);
        await harness.S3.PutObjectAsync(new Amazon.S3.Model.PutObjectRequest { BucketName = "another-tools-templates", Key = "storage.yaml", FilePath = Path.Combine(harness.TemplateFolder, "storage.yaml") }, Stop);
        await harness.CloudFormation.UpdateStackAsync(
            new UpdateStackRequest
            {
                StackName = storage, TemplateURL = "https://another-tools-templates.s3.us-east-1.amazonaws.com/storage.yaml", Capabilities = EnvironmentOperations.Capabilities,
                Parameters = (await StackAsync("Storage")).Parameters.Select(p => new Parameter { ParameterKey = p.ParameterKey, UsePreviousValue = true }).ToList(),
            },
            Stop);
        var end = await harness.Operator().Operations.FollowAsync("demo", storage, null, new StackProgress("x", null, TimeProvider.System), Stop);
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", end.Status);
        Assert.Contains(end.Events, e => e.LogicalId == "Table" && e.Reason.Contains("denied by stack policy", StringComparison.Ordinal));
        Assert.Equal(environment.Outputs["TableName"], (await harness.DynamoDB.ListTablesAsync(Stop)).TableNames.Single(t => t == environment.Outputs["TableName"]));
    }

    [Fact]
    public async Task A_change_set_is_held_against_the_policies_before_it_is_executed()
    {
        var ada = harness.Operator();
        await ada.CreateAsync(cancellation: Stop);
        const string Foreign = """{"Statement":[{"Effect":"Allow","Principal":"*","Action":"Update:*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"Update:Modify","Resource":"LogicalResourceId/DataBucket"}]}""";
        await harness.CloudFormation.SetStackPolicyAsync(new SetStackPolicyRequest { StackName = (await StackAsync("Storage")).StackId, StackPolicyBody = Foreign }, Stop);
        var wanted = EnvironmentHarness.Spec.With("RetainData", true);
        ada.Events.Clear();
        var error = await Assert.ThrowsAsync<OperationException>(() => ada.UpdateAsync(wanted, cancellation: Stop));
        Assert.Equal("StackPolicyDenies", error.ErrorId);
        Assert.Contains("Storage/DataBucket", error.Message, StringComparison.Ordinal);
        Assert.Contains("Update:Modify", error.Message, StringComparison.Ordinal);
        Assert.Empty(ada.Events);

        // Named, the policy is lifted for that resource while the update runs, and is as it was afterwards.
        await ada.UpdateAsync(wanted, allowed: ["Storage/DataBucket"], cancellation: Stop);
        Assert.Equal(Foreign, await PolicyAsync("Storage"));
    }

    [Fact]
    public async Task The_policy_is_back_after_an_update_that_was_let_through_and_after_one_that_failed()
    {
        var ada = harness.Operator();
        await ada.CreateAsync(cancellation: Stop);
        harness.RekeyTable();
        harness.Break();
        await Assert.ThrowsAsync<OperationException>(() => ada.UpdateAsync(EnvironmentHarness.Spec, allowed: ["Storage/Table"], cancellation: Stop));
        Assert.Equal(StackPolicies.Protecting, await PolicyAsync("Storage"));
        harness.Repair();
        await ada.UpdateAsync(EnvironmentHarness.Spec, allowed: ["Storage/Table"], cancellation: Stop);
        Assert.Equal(StackPolicies.Protecting, await PolicyAsync("Storage"));
    }

    [Theory]
    [InlineData("execute")]
    [InlineData("follow")]
    public async Task A_policy_that_a_dead_process_had_lifted_is_put_back_by_the_next(string step)
    {
        await harness.Operator().CreateAsync(cancellation: Stop);
        harness.RekeyTable();
        await harness.Dying(step).RunAsync(ada => ada.UpdateAsync(EnvironmentHarness.Spec, allowed: ["Storage/Table"], cancellation: Stop));
        Assert.Equal(StackPolicies.Document(["Table"]), await PolicyAsync("Storage"));
        var bob = harness.Operator("bob");
        var environment = (await bob.Operations.RefreshAsync("inferloop-demo-dev", false, Stop))!;
        await bob.Operations.WaitAsync(environment, Stop);
        await bob.UpdateAsync(EnvironmentHarness.Spec.With("ServiceVersion", "3.0.0"), allowed: step == "execute" ? ["Storage/Table"] : null, cancellation: Stop);
        Assert.Equal(StackPolicies.Protecting, await PolicyAsync("Storage"));
    }

    [Fact]
    public void The_policy_denies_replacing_and_deleting_stores_and_nothing_else()
    {
        var policies = new Dictionary<string, string> { ["Storage/"] = StackPolicies.Protecting, ["Other/"] = StackPolicies.Document(["Table"]) };
        InferloopChange Change(string path, string type, EnvironmentChangeAction action, EnvironmentReplacement replacement) =>
            new() { Path = path, LogicalId = path.Split('/')[^1], Type = type, Action = action, Replacement = replacement };
        var denials = StackPolicies.Denials(policies,
        [
            Change("Storage/Table", "AWS::DynamoDB::Table", EnvironmentChangeAction.Replace, EnvironmentReplacement.Always),
            Change("Storage/Bucket", "AWS::S3::Bucket", EnvironmentChangeAction.Remove, EnvironmentReplacement.Never),
            Change("Storage/Kept", "AWS::S3::Bucket", EnvironmentChangeAction.Modify, EnvironmentReplacement.Never),
            Change("Storage/Perhaps", "AWS::S3::Bucket", EnvironmentChangeAction.Modify, EnvironmentReplacement.Conditional),
            Change("Storage/Role", "AWS::IAM::Role", EnvironmentChangeAction.Replace, EnvironmentReplacement.Always),
            Change("Storage/New", "AWS::S3::Bucket", EnvironmentChangeAction.Add, EnvironmentReplacement.Never),
            Change("Other/Table", "AWS::DynamoDB::Table", EnvironmentChangeAction.Replace, EnvironmentReplacement.Always),
            Change("Other/Second", "AWS::DynamoDB::Table", EnvironmentChangeAction.Remove, EnvironmentReplacement.Never),
            Change("Free/Table", "AWS::DynamoDB::Table", EnvironmentChangeAction.Remove, EnvironmentReplacement.Never),
        ]);
        Assert.Equal(["Other/Second", "Storage/Bucket", "Storage/Perhaps", "Storage/Table"], denials.Keys.Order(StringComparer.Ordinal));
    }

    private async Task<Stack> StackAsync(string nested) =>
        (await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest(), Stop)).Stacks.Single(s => s.StackName.StartsWith($"inferloop-demo-dev-{nested}-", StringComparison.Ordinal));

    private async Task<string?> PolicyAsync(string nested) =>
        (await harness.CloudFormation.GetStackPolicyAsync(new GetStackPolicyRequest { StackName = (await StackAsync(nested)).StackId }, Stop)).StackPolicyBody;
}
