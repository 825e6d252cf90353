using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Amazon.CloudFormation.Model;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>What a preview tells of an update before it happens, and what is refused.</summary>
public sealed class ChangePreviewTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => harness = await EnvironmentHarness.StartAsync();

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task A_preview_shows_values_sources_and_causes_of_nested_changes_in_one_list()
    {
        await harness.Operator().CreateAsync(cancellation: Stop);
        var set = await PreviewAsync(EnvironmentHarness.Spec.With("RetainData", true));
        var table = Assert.Single(set.Changes, c => c.Path == "Storage/Table");
        var tag = Assert.Single(table.Properties, p => p.Path.StartsWith("Properties.Tags", StringComparison.Ordinal));
        Assert.Equal(("Never", "false", "true", false), (tag.Replacement.ToString(), tag.Before, tag.After, tag.IsDynamic));
        Assert.Equal(("ParameterReference", "RetainData"), (tag.Source, tag.Cause));
        Assert.Equal((EnvironmentChangeAction.Modify, EnvironmentChangeRisk.None, false), (table.Action, table.Risk, table.NeedsConsent));
        Assert.Equal(EnvironmentChangeRisk.None, set.Risk);
    }

    [Fact]
    public async Task Nested_stacks_in_which_nothing_changes_are_told_apart()
    {
        await harness.Operator().CreateAsync(cancellation: Stop);

        // The sandbox lists them as CloudFormation does: every nested stack is modified, for all that it knows.
        var set = await PreviewAsync(EnvironmentHarness.Spec.With("RetainData", true));
        Assert.Contains(set.Apparent, c => c.Path == "Network");
        Assert.DoesNotContain(set.Changes, c => c.Path.StartsWith("Network", StringComparison.Ordinal));
        Assert.DoesNotContain(set.Changes, c => c.Type == "AWS::CloudFormation::Stack");
    }

    [Fact]
    public async Task A_replacement_that_only_an_unknown_output_suggests_is_none()
    {
        harness.UseOutputsAcrossStacks();
        await harness.Operator().CreateAsync(cancellation: Stop);
        var raw = await RawAsync(EnvironmentHarness.Spec.With("RetainData", true));
        var group = Assert.Single(raw, c => c.LogicalResourceId == "Group");
        Assert.Equal(("Modify", "True", "{{changeSet:KNOWN_AFTER_APPLY}}"), (group.Action.Value, group.Replacement.Value, group.Details[0].Target.AfterValue));
        Assert.Equal(("ParameterReference", "VpcId", "Dynamic"), (group.Details[0].ChangeSource.Value, group.Details[0].CausingEntity, group.Details[0].Evaluation.Value));

        var set = await PreviewAsync(EnvironmentHarness.Spec.With("RetainData", true));
        Assert.Contains(set.Apparent, c => c.Path == "Compute/Group");
        Assert.DoesNotContain(set.Changes, c => c.Path == "Compute/Group");

        // Where the network itself is replaced, the same lines of CloudFormation are true.
        var moved = await PreviewAsync(EnvironmentHarness.Spec with { Network = EnvironmentHarness.Spec.Network with { VpcCidr = "10.9.0.0/16", PublicSubnet1Cidr = "10.9.1.0/24", PublicSubnet2Cidr = "10.9.2.0/24", PrivateSubnet1Cidr = "10.9.3.0/24", PrivateSubnet2Cidr = "10.9.4.0/24" } });
        Assert.Contains(moved.Changes, c => c is { Path: "Network/Vpc", Action: EnvironmentChangeAction.Replace, Risk: EnvironmentChangeRisk.Downtime });
        Assert.Contains(moved.Changes, c => c.Path == "Compute/Group" && c.Replacement != EnvironmentReplacement.Never);
    }

    [Theory]
    [InlineData("VpcCidr", "10.0.0.0/17")]
    [InlineData("PrivateSubnet2Cidr", "10.0.8.0/24")]
    public async Task A_network_that_is_in_use_keeps_its_addresses(string member, string range)
    {
        var ada = harness.Operator();
        await ada.CreateAsync(cancellation: Stop);
        var refused = await Assert.ThrowsAsync<OperationException>(() => ada.UpdateAsync(EnvironmentHarness.Spec.With(member, range), cancellation: Stop));
        Assert.Equal("NetworkAddresses", refused.ErrorId);
        Assert.Contains(range, refused.Message, StringComparison.Ordinal);
        Assert.Contains($"-{member} {range}", refused.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal("CREATE_COMPLETE", (await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest { StackName = "inferloop-demo-dev" }, Stop)).Stacks[0].StackStatus.Value);
    }

    [Theory]
    [InlineData(false, EnvironmentChangeRisk.DataLoss, "the old one is deleted")]
    [InlineData(true, EnvironmentChangeRisk.Downtime, "the old one is kept")]
    public async Task An_update_that_replaces_a_data_store_is_refused_until_it_is_named(bool retain, EnvironmentChangeRisk risk, string reason)
    {
        var spec = EnvironmentHarness.Spec.With("RetainData", retain);
        var created = await harness.Operator().CreateAsync(spec, cancellation: Stop);
        harness.RekeyTable();
        var set = await PreviewAsync(spec);
        var table = Assert.Single(set.Changes, c => c.Path == "Storage/Table");
        Assert.Equal((EnvironmentChangeAction.Replace, risk, true), (table.Action, table.Risk, table.NeedsConsent));
        Assert.Contains(reason, table.RiskReason, StringComparison.Ordinal);

        var error = await Assert.ThrowsAsync<OperationException>(() => harness.Operator().UpdateAsync(spec, cancellation: Stop));
        Assert.Equal(("DataStoreReplacement", OperationErrorKind.InvalidState), (error.ErrorId, error.Kind));
        Assert.Contains("Storage/Table", error.Message, StringComparison.Ordinal);
        Assert.Contains("-AllowReplacement Storage/Table", error.RecommendedAction, StringComparison.Ordinal);
        var wild = await Assert.ThrowsAsync<OperationException>(() => harness.Operator().UpdateAsync(spec, allowed: ["Storage/*"], cancellation: Stop));
        Assert.Equal("ConsentWildcard", wild.ErrorId);
        await Assert.ThrowsAsync<OperationException>(() => harness.Operator().UpdateAsync(spec, allowed: ["Storage/DataBucket"], cancellation: Stop));
        Assert.Equal(created.Outputs["TableName"], (await harness.Operator().Operations.RefreshAsync(created.StackId, false, Stop))!.Outputs["TableName"]);

        await harness.Operator().UpdateAsync(spec, allowed: ["storage/table"], cancellation: Stop);
        Assert.NotEqual(created.Outputs["TableName"], (await harness.Operator().Operations.RefreshAsync(created.StackId, false, Stop))!.Outputs["TableName"]);
        Assert.Equal(retain, (await harness.DynamoDB.ListTablesAsync(Stop)).TableNames.Contains(created.Outputs["TableName"]));
    }

    [Fact]
    public async Task An_update_that_changes_only_a_parameter_is_carried_out()
    {
        var ada = harness.Operator();
        var created = await ada.CreateAsync(cancellation: Stop);
        harness.Edit("main.yaml", "\nOutputs:\n", "\nOutputs:\n  Version: { Value: !Ref ServiceVersion }\n");
        var wanted = EnvironmentHarness.Spec.With("ServiceVersion", "2.1.0");
        await using (var prepared = await ada.Operations.PrepareUpdateAsync(wanted, preview: true, resume: false, Stop))
        {
            Assert.Empty(prepared.ChangeSet!.Changes);
            Assert.False(prepared.Empty);
        }

        await ada.UpdateAsync(wanted, cancellation: Stop);
        Assert.Equal("2.1.0", (await ada.Operations.RefreshAsync(created.StackId, false, Stop))!.Outputs["Version"]);
    }

    [Theory]
    [InlineData("AWS::DynamoDB::Table", "Remove", "Delete", EnvironmentReplacement.Never, EnvironmentChangeRisk.DataLoss, true)]
    [InlineData("AWS::DynamoDB::Table", "Remove", "Retain", EnvironmentReplacement.Never, EnvironmentChangeRisk.Downtime, false)]
    [InlineData("AWS::RDS::DBInstance", "Remove", "Snapshot", EnvironmentReplacement.Never, EnvironmentChangeRisk.Downtime, true)]
    [InlineData("AWS::RDS::DBInstance", "Replace", "ReplaceAndSnapshot", EnvironmentReplacement.Always, EnvironmentChangeRisk.Downtime, true)]
    [InlineData("AWS::RDS::DBInstance", "Modify", "ReplaceAndDelete", EnvironmentReplacement.Conditional, EnvironmentChangeRisk.DataLoss, true)]
    [InlineData("AWS::S3::Bucket", "Replace", "ReplaceAndRetain", EnvironmentReplacement.Always, EnvironmentChangeRisk.Downtime, true)]
    [InlineData("AWS::S3::Bucket", "Add", "", EnvironmentReplacement.Never, EnvironmentChangeRisk.None, false)]
    [InlineData("AWS::ECS::Service", "Replace", "ReplaceAndDelete", EnvironmentReplacement.Always, EnvironmentChangeRisk.Downtime, false)]
    [InlineData("AWS::IAM::Role", "Replace", "ReplaceAndDelete", EnvironmentReplacement.Always, EnvironmentChangeRisk.None, false)]
    public void Risk_follows_from_type_replacement_and_policy(string type, string action, string policy, EnvironmentReplacement replacement, EnvironmentChangeRisk risk, bool consent)
    {
        var change = ChangeRisks.Assess(new InferloopChange
        {
            Action = Enum.Parse<EnvironmentChangeAction>(action), LogicalId = "X", Path = "A/X", Type = type, PolicyAction = policy, Replacement = replacement,
        });
        Assert.Equal((risk, consent), (change.Risk, change.NeedsConsent));
        Assert.Equal(risk == EnvironmentChangeRisk.None, change.RiskReason.Length == 0);
    }

    [Fact]
    public void A_change_in_place_that_restarts_a_database_is_downtime()
    {
        var change = ChangeRisks.Assess(new InferloopChange
        {
            Action = EnvironmentChangeAction.Modify, LogicalId = "Db", Path = "Database/Db", Type = "AWS::RDS::DBInstance",
            Properties = [new InferloopPropertyChange("Properties.DBInstanceClass", "db.t4g.micro", "db.r6g.large", EnvironmentReplacement.Never)],
        });
        Assert.Equal((EnvironmentChangeRisk.Downtime, false), (change.Risk, change.NeedsConsent));
        Assert.Contains("restarts", change.RiskReason, StringComparison.Ordinal);
    }

    private async Task<InferloopChangeSet> PreviewAsync(InferloopEnvironmentSpec spec)
    {
        await using var prepared = await harness.Operator().Operations.PrepareUpdateAsync(spec, preview: true, resume: false, Stop);
        Assert.Equal("CloudFormation", prepared.ChangeSet!.Source);
        return prepared.ChangeSet;
    }

    /// <summary>What CloudFormation itself lists, nested change sets included.</summary>
    private async Task<List<ResourceChange>> RawAsync(InferloopEnvironmentSpec spec)
    {
        await using var prepared = await harness.Operator().Operations.PrepareUpdateAsync(spec, preview: true, resume: false, Stop);
        var found = new List<ResourceChange>();
        var open = new Queue<string>([prepared.ChangeSet!.Id]);
        while (open.TryDequeue(out var id))
        {
            foreach (var change in (await harness.CloudFormation.DescribeChangeSetAsync(new DescribeChangeSetRequest { ChangeSetName = id, IncludePropertyValues = true }, Stop)).Changes ?? [])
            {
                found.Add(change.ResourceChange);
                if (change.ResourceChange.ChangeSetId is { } nested)
                {
                    open.Enqueue(nested);
                }
            }
        }

        return found;
    }
}
