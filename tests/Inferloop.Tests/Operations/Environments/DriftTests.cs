using Inferloop.Operations.Environments;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>What another hand changed is found over all nested stacks, and taken back.</summary>
public sealed class DriftTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => harness = await EnvironmentHarness.StartAsync();

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task Drift_is_read_over_all_nested_stacks_with_the_properties_that_differ()
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(cancellation: Stop);
        var clean = await ada.Operations.DriftAsync(environment, Stop);
        Assert.Contains(clean, d => d.Path == "Network/Vpc");
        Assert.Contains(clean, d => d.Path == "Storage/Table");
        Assert.All(clean, d => Assert.True(d.Status is DriftStatus.InSync or DriftStatus.NotChecked, $"{d}: {string.Join("; ", d.Properties)}"));

        await harness.S3.PutBucketVersioningAsync(new() { BucketName = environment.Outputs["BucketName"], VersioningConfig = new() { Status = "Suspended" } }, Stop);
        await harness.DynamoDB.DeleteTableAsync(environment.Outputs["TableName"], Stop);
        await UntilAsync(async () => !(await harness.DynamoDB.ListTablesAsync(Stop)).TableNames.Contains(environment.Outputs["TableName"]));

        var drifted = (await ada.Operations.DriftAsync(environment, Stop)).Where(d => d.Status is DriftStatus.Modified or DriftStatus.Deleted).ToList();
        var bucket = Assert.Single(drifted, d => d.Path == "Storage/DataBucket");
        Assert.Equal((DriftStatus.Modified, environment.Outputs["BucketName"]), (bucket.Status, bucket.PhysicalId));
        Assert.Equal(new InferloopDriftProperty("VersioningConfiguration.Status", "Enabled", "Suspended", DriftDifference.NotEqual), Assert.Single(bucket.Properties));
        Assert.Equal(DriftStatus.Deleted, Assert.Single(drifted, d => d.Path == "Storage/Table").Status);
        Assert.Equal(2, drifted.Count);
        Assert.Contains(ada.Shown, p => p.Activity.StartsWith("Looking for drift", StringComparison.Ordinal) && p.Completed);
    }

    [Fact]
    public async Task What_other_hands_did_is_shown_and_taken_back_and_nothing_else_is_touched()
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(cancellation: Stop);
        var bucket = environment.Outputs["BucketName"];
        var vpc = (await ada.Operations.DriftAsync(environment, Stop)).Single(d => d.Path == "Network/Vpc").PhysicalId;
        await harness.S3.PutBucketVersioningAsync(new() { BucketName = bucket, VersioningConfig = new() { Status = "Suspended" } }, Stop);
        await harness.S3.PutObjectAsync(new() { BucketName = bucket, Key = "input/kept", ContentBody = "kept" }, Stop);
        await harness.DynamoDB.DeleteTableAsync(environment.Outputs["TableName"], Stop);
        await UntilAsync(async () => !(await harness.DynamoDB.ListTablesAsync(Stop)).TableNames.Contains(environment.Outputs["TableName"]));

        // A change set of the usual kind compares templates, and sees nothing.
        await using (var usual = await ada.Operations.PrepareUpdateAsync(EnvironmentHarness.Spec, preview: true, resume: false, Stop))
        {
            Assert.True(usual.Empty);
        }

        var options = new UpdateOptions { RevertDrift = true };
        await using (var shown = await ada.Operations.PrepareUpdateAsync(EnvironmentHarness.Spec, options with { Preview = true }, Stop))
        {
            var change = Assert.Single(shown.ChangeSet!.Changes, c => c.Path == "Storage/DataBucket");
            Assert.Equal((EnvironmentChangeAction.Modify, DriftStatus.Modified), (change.Action, change.Drift));
            Assert.Contains(change.Properties, p => p is { Before: "Suspended", After: "Enabled", Deployed: "Enabled" });
            var table = Assert.Single(shown.ChangeSet.Changes, c => c.Path == "Storage/Table");
            Assert.Equal((EnvironmentChangeAction.Add, DriftStatus.Deleted), (table.Action, table.Drift));
            Assert.DoesNotContain(shown.ChangeSet.Changes, c => c.Path.StartsWith("Network/", StringComparison.Ordinal));
        }

        // The preview changed nothing.
        Assert.Equal("Suspended", (await harness.S3.GetBucketVersioningAsync(new Amazon.S3.Model.GetBucketVersioningRequest { BucketName = bucket }, Stop)).VersioningConfig.Status.Value);

        await using (var prepared = await ada.Operations.PrepareUpdateAsync(EnvironmentHarness.Spec, options, Stop))
        {
            await prepared.ExecuteAsync(wait: true, cancelOnStop: false, Stop);
        }

        environment = await ada.Operations.RefreshAsync(environment.StackName, withHealth: false, Stop) ?? throw new InvalidOperationException("It is gone.");
        var after = await ada.Operations.DriftAsync(environment, Stop);
        Assert.DoesNotContain(after, d => d.Status is DriftStatus.Modified or DriftStatus.Deleted);
        Assert.Equal(vpc, after.Single(d => d.Path == "Network/Vpc").PhysicalId);
        Assert.Equal("Enabled", (await harness.S3.GetBucketVersioningAsync(new Amazon.S3.Model.GetBucketVersioningRequest { BucketName = bucket }, Stop)).VersioningConfig.Status.Value);
        Assert.Equal("kept", await new StreamReader((await harness.S3.GetObjectAsync(bucket, "input/kept", Stop)).ResponseStream).ReadToEndAsync(Stop));
        Assert.Contains(environment.Outputs["TableName"], (await harness.DynamoDB.ListTablesAsync(Stop)).TableNames);
        await using var again = await ada.Operations.PrepareUpdateAsync(EnvironmentHarness.Spec, options, Stop);
        Assert.True(again.Empty);
    }

    [Fact]
    public async Task A_template_that_follows_what_was_done_by_hand_changes_no_resource()
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(cancellation: Stop);
        var spec = EnvironmentHarness.Spec;
        var vpc = (await ada.Operations.DriftAsync(environment, Stop)).Single(d => d.Path == "Network/Vpc").PhysicalId;
        await harness.Aws.EC2.ModifyVpcAttributeAsync(new Amazon.EC2.Model.ModifyVpcAttributeRequest { VpcId = vpc, EnableDnsHostnames = false }, Stop);
        harness.Edit("network.yaml", "EnableDnsHostnames: true", "EnableDnsHostnames: false");
        await using var prepared = await ada.Operations.PrepareUpdateAsync(spec, new UpdateOptions { RevertDrift = true }, Stop);
        Assert.Equal(EnvironmentChangeAction.SyncWithActual, Assert.Single(prepared.ChangeSet!.Changes, c => c.Path == "Network/Vpc").Action);
        await prepared.ExecuteAsync(wait: true, cancelOnStop: false, Stop);
        environment = await ada.Operations.RefreshAsync(environment.StackName, withHealth: false, Stop) ?? throw new InvalidOperationException("It is gone.");
        Assert.DoesNotContain(await ada.Operations.DriftAsync(environment, Stop), d => d.Status is DriftStatus.Modified or DriftStatus.Deleted);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (!await condition())
        {
            await Task.Delay(20, limit.Token);
        }
    }
}
