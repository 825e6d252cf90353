using Amazon.CloudFormation.Model;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>Create, change and remove on the sandbox, as one operator does it when nothing goes wrong.</summary>
public sealed class EnvironmentLifecycleTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => harness = await EnvironmentHarness.StartAsync();

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task An_environment_is_created_changed_and_removed()
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(cancellation: Stop);
        Assert.Equal("CREATE_COMPLETE", environment.Status);
        Assert.Equal(EnvironmentHarness.Spec, environment.Spec);

        // Live events: nested stacks among them, each once, in order, from the first to the last.
        Assert.Contains(ada.Events, e => e.Path == "Network/Vpc" && e.Status == "CREATE_COMPLETE");
        Assert.Contains(ada.Events, e => e.Path == "Storage/DataBucket" && e.Status == "CREATE_COMPLETE");
        Assert.Equal(ada.Events.Count, ada.Events.Select(e => e.EventId).Distinct().Count());
        Assert.Equal("CREATE_COMPLETE", ada.Events[^1].Status);
        Assert.Equal("inferloop-demo-dev", ada.Events[^1].Path);
        Assert.Contains(ada.Shown, p => p is { Percent: > 0 and < 100, Remaining: not null });

        ada.Events.Clear();
        var changes = await ada.UpdateAsync(EnvironmentHarness.Spec.With("NatGatewayMode", NatGatewayMode.PerAz), cancellation: Stop);
        Assert.Contains(changes.Changes, c => c is { Path: "Network/NatGateway2", Action: EnvironmentChangeAction.Add });
        Assert.True(changes.Changes.Single(c => c.LogicalId == "NatGateway2").MonthlyCostDelta > 32, "each change has its own price");
        Assert.True(changes.MonthlyCostDelta > 30, $"a second NAT gateway costs about 33 dollars, not {changes.MonthlyCostDelta}");
        Assert.DoesNotContain(ada.Events, e => e.Status.StartsWith("CREATE", StringComparison.Ordinal) && e.Path == "Network/Vpc");
        Assert.Equal(NatGatewayMode.PerAz, (await ada.Operations.RefreshAsync(environment.StackId, false, Stop))!.Spec.Network.NatGatewayMode);

        var removed = await ada.RemoveAsync(deleteData: true, cancellation: Stop);
        Assert.Empty(removed.Retained);
        Assert.True(removed.Deleted > 20);
        Assert.Null(await ada.Operations.RefreshAsync(environment.StackName, false, Stop));
        Assert.Equal(OperationState.Completed, (await JournalAsync()).State);
    }

    [Fact]
    public async Task An_update_to_the_same_spec_changes_nothing()
    {
        var ada = harness.Operator();
        await ada.CreateAsync(cancellation: Stop);
        await using var prepared = await ada.Operations.PrepareUpdateAsync(EnvironmentHarness.Spec, preview: false, resume: false, Stop);
        Assert.True(prepared.Empty);
    }

    [Fact]
    public async Task A_taken_name_is_refused_before_anything_is_made()
    {
        var ada = harness.Operator();
        await ada.CreateAsync(cancellation: Stop);
        var error = await Assert.ThrowsAsync<OperationException>(() => harness.Operator("bob").CreateAsync(cancellation: Stop));
        Assert.Equal(("EnvironmentExists", OperationErrorKind.AlreadyExists), (error.ErrorId, error.Kind));
        Assert.Contains("Set-InferloopEnvironment demo", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_outlives_an_environment_unless_its_deletion_is_said()
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(cancellation: Stop);
        var bucket = environment.Outputs["BucketName"];
        await harness.S3.PutObjectAsync(new() { BucketName = bucket, Key = "input/a.csv", ContentBody = "one" }, Stop);
        await harness.S3.PutObjectAsync(new() { BucketName = bucket, Key = "input/a.csv", ContentBody = "two" }, Stop);

        var removed = await ada.RemoveAsync(cancellation: Stop);
        Assert.Equal(["Storage/AccessLogBucket", "Storage/DataBucket", "Storage/Table"], removed.Retained.Select(r => r.Path).Order(StringComparer.Ordinal));
        Assert.Equal("two", await new StreamReader((await harness.S3.GetObjectAsync(bucket, "input/a.csv", Stop)).ResponseStream).ReadToEndAsync(Stop));
        Assert.Equal("ACTIVE", (await harness.DynamoDB.DescribeTableAsync(environment.Outputs["TableName"], Stop)).Table.TableStatus.Value);

        // What was kept does not stand in the way of a namesake.
        Assert.Equal("CREATE_COMPLETE", (await ada.CreateAsync(cancellation: Stop)).Status);
    }

    [Fact]
    public async Task What_outlives_a_protected_environment_stays_protected()
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(EnvironmentHarness.Spec.With("DeletionProtection", true).With("RetainData", true), cancellation: Stop);
        await ada.RemoveAsync(unprotect: true, cancellation: Stop);
        Assert.True((await harness.DynamoDB.DescribeTableAsync(environment.Outputs["TableName"], Stop)).Table.DeletionProtectionEnabled);
        Assert.Empty(ada.Warnings);
    }

    [Fact]
    public async Task With_its_deletion_said_versioned_objects_go_too()
    {
        var ada = harness.Operator();
        var spec = EnvironmentHarness.Spec.With("RetainData", true);
        var environment = await ada.CreateAsync(spec, cancellation: Stop);
        var bucket = environment.Outputs["BucketName"];
        for (var i = 0; i < 3; i++)
        {
            await harness.S3.PutObjectAsync(new() { BucketName = bucket, Key = "input/a.csv", ContentBody = "v" + i }, Stop);
        }

        await harness.S3.DeleteObjectAsync(bucket, "input/a.csv", Stop);
        Assert.Empty((await ada.RemoveAsync(deleteData: true, cancellation: Stop)).Retained);
        Assert.DoesNotContain((await harness.S3.ListBucketsAsync(Stop)).Buckets ?? [], b => b.BucketName == bucket);
    }

    [Fact]
    public async Task Termination_protection_is_respected_until_it_is_lifted_by_name()
    {
        var ada = harness.Operator();
        await ada.CreateAsync(EnvironmentHarness.Spec.With("DeletionProtection", true), cancellation: Stop);
        var error = await Assert.ThrowsAsync<OperationException>(() => ada.RemoveAsync(deleteData: true, cancellation: Stop));
        Assert.Equal("EnvironmentProtected", error.ErrorId);
        Assert.Contains("-DisableTerminationProtection", error.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty((await ada.RemoveAsync(deleteData: true, unprotect: true, cancellation: Stop)).Retained);
    }

    [Fact]
    public async Task A_template_longer_than_a_request_takes_goes_through_s3()
    {
        var path = Path.Combine(harness.TemplateFolder, "main.yaml");
        await File.AppendAllTextAsync(path, string.Concat(Enumerable.Range(0, 900).Select(i => $"# {i} a comment that makes the template longer than CloudFormation takes in a request\n")), Stop);
        Assert.True(new FileInfo(path).Length > TemplatePackager.BodyLimit);
        Assert.Equal("CREATE_COMPLETE", (await harness.Operator().CreateAsync(cancellation: Stop)).Status);
    }

    [Fact]
    public async Task A_template_too_long_for_s3_is_refused()
    {
        await File.AppendAllTextAsync(Path.Combine(harness.TemplateFolder, "network.yaml"), "#" + new string('x', TemplatePackager.ObjectLimit) + "\n", Stop);
        var error = await Assert.ThrowsAsync<OperationException>(() => harness.Operator().CreateAsync(cancellation: Stop));
        Assert.Contains(error.ErrorId, new[] { "TemplateTooLarge", "TemplateInvalid" });
        Assert.DoesNotContain(await StackNamesAsync(), n => n != ControlStack.Name);
    }

    [Fact]
    public async Task A_preview_of_a_create_leaves_the_account_as_it_was()
    {
        var ada = harness.Operator();
        await new ControlStack(harness.Aws, ada.Operations.Options, ada).EnsureAsync(Stop);
        var before = await StateAsync();
        await using (var prepared = await ada.Operations.PrepareCreateAsync(EnvironmentHarness.Spec, preview: true, resume: false, Stop))
        {
            Assert.Equal("CloudFormation", prepared.ChangeSet!.Source);
            Assert.Contains(prepared.ChangeSet.Changes, c => c is { Path: "Network/Vpc", Action: EnvironmentChangeAction.Add });
            Assert.True(prepared.ChangeSet.MonthlyCostAfter > 0);
        }

        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task A_preview_in_a_virgin_account_is_made_offline_and_creates_nothing()
    {
        var ada = harness.Operator();
        await using (var prepared = await ada.Operations.PrepareCreateAsync(EnvironmentHarness.Spec, preview: true, resume: false, Stop))
        {
            Assert.Equal("Offline", prepared.ChangeSet!.Source);
            Assert.Contains(prepared.ChangeSet.Changes, c => c.Path == "Network/Vpc");
        }

        Assert.Empty(await StackNamesAsync());
        Assert.Empty((await harness.S3.ListBucketsAsync(Stop)).Buckets ?? []);
        Assert.Contains(ada.Warnings, w => w.Contains("offline", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_preview_of_an_update_leaves_the_environment_as_it_was()
    {
        var ada = harness.Operator();
        await ada.CreateAsync(cancellation: Stop);
        var before = await StateAsync();
        await using (var prepared = await ada.Operations.PrepareUpdateAsync(EnvironmentHarness.Spec.With("NatGatewayMode", NatGatewayMode.PerAz), preview: true, resume: false, Stop))
        {
            Assert.NotEmpty(prepared.ChangeSet!.Changes);
        }

        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task A_price_above_the_limit_is_refused_before_anything_is_made()
    {
        var ada = new Operator(harness, "ada", null, null);
        var limited = new EnvironmentOperations(harness.Aws, ada.Operations.Options with { MaximumMonthlyCost = 5 }, ada);
        var error = await Assert.ThrowsAsync<OperationException>(() => limited.PrepareCreateAsync(EnvironmentHarness.Spec, false, false, Stop));
        Assert.Equal("MonthlyCostExceeded", error.ErrorId);
        Assert.Empty(await StackNamesAsync());
    }

    private async Task<OperationRecord> JournalAsync()
    {
        var control = (await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest { StackName = ControlStack.Name }, Stop)).Stacks[0];
        var table = new ControlTable(harness.DynamoDB, control.Outputs.Single(o => o.OutputKey == "OperationsTableName").OutputValue, OperatorIdentity.Current, TimeProvider.System);
        return (await table.LatestAsync("demo-dev", Stop))!;
    }

    private async Task<List<string>> StackNamesAsync() =>
        ((await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest(), Stop)).Stacks ?? []).Select(s => s.StackName).ToList();

    /// <summary>Everything that a preview could leave: stacks with their state, change sets, objects with versions, items of the control table.</summary>
    private async Task<string> StateAsync()
    {
        var lines = new List<string>();
        foreach (var stack in (await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest(), Stop)).Stacks ?? [])
        {
            lines.Add($"stack {stack.StackName} {stack.StackStatus} {stack.LastUpdatedTime:O} {stack.EnableTerminationProtection}");
            foreach (var set in (await harness.CloudFormation.ListChangeSetsAsync(new ListChangeSetsRequest { StackName = stack.StackId }, Stop)).Summaries ?? [])
            {
                // An executed change set stays in the stack's history; an open one would be a leftover.
                lines.Add($"change set {set.ChangeSetName} {set.ExecutionStatus}");
            }
        }

        foreach (var bucket in (await harness.S3.ListBucketsAsync(Stop)).Buckets ?? [])
        {
            var versions = await harness.S3.ListVersionsAsync(bucket.BucketName, Stop);
            lines.AddRange((versions.Versions ?? []).Select(v => $"object {bucket.BucketName}/{v.Key} {v.VersionId}"));
        }

        foreach (var table in (await harness.DynamoDB.ListTablesAsync(Stop)).TableNames ?? [])
        {
            var items = await harness.DynamoDB.ScanAsync(new Amazon.DynamoDBv2.Model.ScanRequest { TableName = table }, Stop);
            lines.AddRange((items.Items ?? []).Select(i => $"item {table} {string.Join(",", i.Where(a => a.Key is "pk" or "sk" or "state").Select(a => a.Value.S))}"));
        }

        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }
}
