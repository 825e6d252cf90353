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
