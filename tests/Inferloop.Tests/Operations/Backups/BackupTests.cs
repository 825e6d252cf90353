using Amazon.Backup;
using Amazon.Backup.Model;
using Amazon.DynamoDBv2.Model;
using Amazon.S3.Model;
using Inferloop.Operations;
using Inferloop.Operations.Backups;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;
using Inferloop.Sandbox.Faults;
using Inferloop.Tests.Operations.Environments;

namespace Inferloop.Tests.Operations.Backups;

/// <summary>Backups of an environment of the templates as they ship, on the sandbox.</summary>
public sealed class BackupTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        harness = await EnvironmentHarness.StartAsync();
        harness.UseShippedTemplates();
    }

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    private static InferloopEnvironmentSpec Spec(params (string Name, object Value)[] more) => SpecPresets.Apply(
        SpecPresets.Create("demo", EnvironmentStage.Dev, "us-east-1"),
        new Dictionary<string, object>(more.ToDictionary(m => m.Name, m => m.Value)) { ["EcsEnabled"] = false, ["CacheEnabled"] = false, ["MonitoringEnabled"] = false, ["BackupRetentionDays"] = 7 });

    private async Task<(Operator Ada, BackupOperations Backups, InferloopEnvironment Environment)> FilledAsync(params (string Name, object Value)[] more)
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(Spec(more), cancellation: Stop);
        for (var i = 0; i < 3; i++)
        {
            await PutAsync(environment, i);
            await harness.S3.PutObjectAsync(new PutObjectRequest { BucketName = environment.Outputs["BucketName"], Key = $"output/{i}", ContentBody = $"content {i}" }, Stop);
        }

        return (ada, new BackupOperations(ada.Operations), environment);
    }

    private async Task PutAsync(InferloopEnvironment environment, int id) => await harness.DynamoDB.PutItemAsync(
        environment.Outputs["TableName"], new Dictionary<string, AttributeValue> { ["id"] = new($"job-{id}"), ["timestamp"] = new() { N = "1" }, ["status"] = new("done") }, Stop);

    [Fact]
    public async Task Every_store_is_backed_up_tested_in_isolation_restored_beside_itself_and_removed()
    {
        var (ada, backups, environment) = await FilledAsync();
        var made = await backups.CreateAsync(environment, [], null, wait: true, Stop);
        Assert.Equal([BackupComponent.Database, BackupComponent.Table, BackupComponent.Bucket], made.Select(b => b.Component));
        Assert.All(made, b => Assert.Equal(("COMPLETED", 7), (b.Status, (int)Math.Round((b.Expires!.Value - b.Created).TotalDays))));
        Assert.Contains(ada.Shown, p => p.Activity == "Backing up demo" && p.Percent is > 0 and < 100);
        Assert.Equal(made.Select(b => b.RecoveryPointArn).Order(StringComparer.Ordinal), (await backups.ListAsync(environment, null, Stop)).Select(b => b.RecoveryPointArn).Order(StringComparer.Ordinal));

        foreach (var backup in made)
        {
            var test = await backups.TestAsync(backup, environment, Stop);
            Assert.True(test.Passed, test.ToString());
            Assert.True(test.RestoreDuration > TimeSpan.Zero);
        }

        // Nothing of the tests stays.
        Assert.Equal(["inferloop-demo-dev"], (await ada.Operations.Aws.Databases.DescribeDBInstancesAsync(new Amazon.RDS.Model.DescribeDBInstancesRequest(), Stop)).DBInstances.Select(d => d.DBInstanceIdentifier));
        Assert.DoesNotContain((await ada.Operations.Aws.EC2.DescribeSecurityGroupsAsync(new Amazon.EC2.Model.DescribeSecurityGroupsRequest(), Stop)).SecurityGroups, g => g.GroupName.Contains("backup-test", StringComparison.Ordinal));
        Assert.Equal(3, (await harness.DynamoDB.ScanAsync(new ScanRequest { TableName = environment.Outputs["TableName"] }, Stop)).Count);

        await PutAsync(environment, 99);
        var table = await backups.RestoreAsync(made[1], environment, "jobs-restored", Stop);
        Assert.Equal(3, (await harness.DynamoDB.ScanAsync(new ScanRequest { TableName = "jobs-restored" }, Stop)).Count);
        Assert.Contains("-ReplicaTableName jobs-restored", table.NextStep, StringComparison.Ordinal);
        Assert.Equal("RestoreTargetExists", (await Assert.ThrowsAsync<OperationException>(() => backups.RestoreAsync(made[1], environment, "jobs-restored", Stop))).ErrorId);
        Assert.Equal("RestoreTargetExists", (await Assert.ThrowsAsync<OperationException>(() => backups.RestoreAsync(made[0], environment, environment.Outputs["DatabaseIdentifier"], Stop))).ErrorId);

        var bucket = await backups.RestoreAsync(made[2], environment, null, Stop);
        Assert.Equal(3, (await harness.S3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket.Resource }, Stop)).S3Objects.Count);

        // What the next step says puts it in place.
        var used = environment.Spec with { Region = "us-east-1", Recovery = environment.Spec.Recovery with { ReplicaTableName = "jobs-restored" } };
        await ada.UpdateAsync(used, allowed: ["Storage/Table"], cancellation: Stop);
        Assert.Equal("jobs-restored", (await ada.Operations.RefreshAsync(environment.StackId, withHealth: false, Stop))!.Outputs["TableName"]);

        foreach (var backup in made)
        {
            await backups.RemoveAsync(backup, Stop);
        }

        Assert.Empty(await backups.ListAsync(environment, null, Stop));
        await backups.RemoveAsync(made[0], Stop);
        Assert.Empty(harness.Host.Statistics.InternalErrors);
    }

    [Fact]
    public async Task Database_and_table_come_back_as_of_a_moment_within_what_they_keep()
    {
        var (ada, backups, environment) = await FilledAsync();
        var before = harness.Host.Clock.Now;
        harness.Host.Clock.Advance(TimeSpan.FromMinutes(20));
        await PutAsync(environment, 4);
        harness.Host.Clock.Advance(TimeSpan.FromMinutes(20));
        var table = await backups.RestoreMomentAsync(environment, BackupComponent.Table, before.AddMinutes(5), "jobs-before", Stop);
        Assert.Equal(3, (await harness.DynamoDB.ScanAsync(new ScanRequest { TableName = table.Resource }, Stop)).Count);
        var latest = await backups.RestoreMomentAsync(environment, BackupComponent.Table, null, "jobs-latest", Stop);
        Assert.Equal(4, (await harness.DynamoDB.ScanAsync(new ScanRequest { TableName = latest.Resource }, Stop)).Count);
        var database = await backups.RestoreMomentAsync(environment, BackupComponent.Database, null, null, Stop);
        Assert.Contains(database.Address, database.NextStep, StringComparison.Ordinal);
        Assert.NotEqual("inferloop-demo-dev", database.Resource);

        var outside = await Assert.ThrowsAsync<OperationException>(() => backups.RestoreMomentAsync(environment, BackupComponent.Table, before.AddYears(-1), null, Stop));
        Assert.Equal("PointInTimeOutside", outside.ErrorId);
        Assert.Equal("PointInTimeNotKept", (await Assert.ThrowsAsync<OperationException>(() => backups.RestoreMomentAsync(environment, BackupComponent.Bucket, null, null, Stop))).ErrorId);
        Assert.NotEmpty(ada.Shown);
    }

    [Fact]
    public async Task A_locked_vault_keeps_its_backups_and_says_why()
    {
        var (ada, backups, environment) = await FilledAsync(("BackupVaultLock", BackupVaultLock.Governance), ("DatabaseEnabled", false));
        Assert.Equal("BackupRetentionLocked", (await Assert.ThrowsAsync<OperationException>(() => backups.CreateAsync(environment, [BackupComponent.Table], 1, wait: true, Stop))).ErrorId);
        var made = Assert.Single(await backups.CreateAsync(environment, [BackupComponent.Table], null, wait: true, Stop));
        Assert.True(made.IsLocked);
        var locked = await Assert.ThrowsAsync<OperationException>(() => backups.RemoveAsync(made, Stop));
        Assert.Equal(("BackupLocked", OperationErrorKind.PermissionDenied), (locked.ErrorId, locked.Kind));
        Assert.Contains("It expires at", locked.Message, StringComparison.Ordinal);

        Assert.Equal("BackupLocked", (await Assert.ThrowsAsync<OperationException>(() => ada.RemoveAsync(deleteData: true, cancellation: Stop))).ErrorId);
        Assert.Equal("CREATE_COMPLETE", (await ada.Operations.RefreshAsync(environment.StackId, withHealth: false, Stop))!.Status);

        // Governance: who may change the vault lifts the lock as the message says.
        await ada.UpdateAsync(environment.Spec with { Region = "us-east-1", Backup = environment.Spec.Backup with { BackupVaultLock = BackupVaultLock.None } }, cancellation: Stop);
        await backups.RemoveAsync(made, Stop);
        Assert.Empty(await backups.ListAsync(environment, null, Stop));
    }

    [Fact]
    public async Task An_environment_with_backups_goes_with_them_or_leaves_its_vault_and_says_so_to_the_next_of_its_name()
    {
        var (ada, backups, environment) = await FilledAsync(("DatabaseEnabled", false));
        await backups.CreateAsync(environment, [BackupComponent.Table], null, wait: true, Stop);
        var removed = await ada.RemoveAsync(cancellation: Stop);
        Assert.Contains(removed.Retained, r => r.Type == "AWS::Backup::BackupVault");
        var findings = await ada.Operations.PreflightAsync(environment.Spec with { Region = "us-east-1" }, thorough: false, Stop);
        Assert.Contains(findings, f => f.Severity == PreflightSeverity.Error && f.Subject == "inferloop-demo-dev" && f.Message.Contains("BackupVault", StringComparison.Ordinal));

        var client = ada.Operations.Aws.Client<IAmazonBackup>();
        foreach (var point in (await client.ListRecoveryPointsByBackupVaultAsync(new ListRecoveryPointsByBackupVaultRequest { BackupVaultName = "inferloop-demo-dev" }, Stop)).RecoveryPoints)
        {
            await client.DeleteRecoveryPointAsync(new DeleteRecoveryPointRequest { BackupVaultName = "inferloop-demo-dev", RecoveryPointArn = point.RecoveryPointArn }, Stop);
        }

        await client.DeleteBackupVaultAsync(new DeleteBackupVaultRequest { BackupVaultName = "inferloop-demo-dev" }, Stop);
        environment = await ada.CreateAsync(Spec(("DatabaseEnabled", false)), cancellation: Stop);
        await backups.CreateAsync(environment, [BackupComponent.Table], null, wait: false, Stop);
        removed = await ada.RemoveAsync(deleteData: true, cancellation: Stop);
        Assert.Empty(removed.Retained);
        Assert.Empty((await client.ListBackupVaultsAsync(new ListBackupVaultsRequest(), Stop)).BackupVaultList ?? []);
    }

    [Fact]
    public async Task A_killed_test_leaves_nothing_for_long_and_a_killed_restore_goes_on()
    {
        var (ada, backups, environment) = await FilledAsync(("DatabaseEnabled", false));
        var made = Assert.Single(await backups.CreateAsync(environment, [BackupComponent.Table], null, wait: true, Stop));
        await harness.Dying("check").RunAsync(dying => new BackupOperations(dying.Operations).TestAsync(made, environment, Stop));
        Assert.Equal(2, (await TablesAsync()).Count);
        Assert.True((await backups.TestAsync(made, environment, Stop)).Passed);
        Assert.Contains(ada.Warnings, w => w.StartsWith("An interrupted test left inferloop-demo-dev-", StringComparison.Ordinal));
        Assert.Single(await TablesAsync());
        await harness.Dying("ready").RunAsync(dying => new BackupOperations(dying.Operations).RestoreAsync(made, environment, "jobs-again", Stop));

        var restored = await backups.RestoreAsync(made, environment, "jobs-again", Stop);
        Assert.Equal("jobs-again", restored.Resource);
        var jobs = await ada.Operations.Aws.Client<IAmazonBackup>().ListRestoreJobsAsync(new ListRestoreJobsRequest(), Stop);
        Assert.Single(jobs.RestoreJobs, j => j.CreatedResourceArn?.EndsWith("jobs-again", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task What_cannot_be_restored_is_a_test_that_failed_and_throttling_is_waited_out()
    {
        var (_, backups, environment) = await FilledAsync(("DatabaseEnabled", false));
        harness.Host.Faults.Add(new SandboxFaultRule { Service = "backup", Kind = SandboxFaultKind.Throttling, Count = 2 });
        var made = Assert.Single(await backups.CreateAsync(environment, [BackupComponent.Table], null, wait: true, Stop));
        Assert.Equal("COMPLETED", made.Status);

        // Someone takes the name between the look at it and the restore.
        var unlucky = new BackupOperations(harness.Operator("eve", beforeStep: async (step, ct) =>
        {
            if (step == "restore")
            {
                await TakeAsync("jobs-x", ct);
                foreach (var id in await OperationsAsync(ct))
                {
                    await TakeAsync($"inferloop-demo-dev-{id[..8]}", ct);
                }
            }
        }).Operations);
        var failed = await Assert.ThrowsAsync<OperationException>(() => unlucky.RestoreAsync(made, environment, "jobs-x", Stop));
        Assert.Equal("RestoreFailed", failed.ErrorId);
        Assert.Contains("jobs-x", failed.Message, StringComparison.Ordinal);
        var test = await unlucky.TestAsync(made, environment, Stop);
        Assert.False(test.Passed);
        Assert.Equal("Restored", Assert.Single(test.Checks).Name);
    }

    private async Task TakeAsync(string table, CancellationToken cancellation)
    {
        if (!(await harness.DynamoDB.ListTablesAsync(cancellation)).TableNames.Contains(table))
        {
            await harness.DynamoDB.CreateTableAsync(
                new CreateTableRequest { TableName = table, BillingMode = Amazon.DynamoDBv2.BillingMode.PAY_PER_REQUEST, AttributeDefinitions = [new("id", Amazon.DynamoDBv2.ScalarAttributeType.S)], KeySchema = [new("id", Amazon.DynamoDBv2.KeyType.HASH)] }, cancellation);
        }
    }

    /// <summary>The ids of operations that the journal names.</summary>
    private async Task<List<string>> OperationsAsync(CancellationToken cancellation)
    {
        var control = (await harness.DynamoDB.ListTablesAsync(cancellation)).TableNames.Single(t => t.Contains("control", StringComparison.OrdinalIgnoreCase));
        var items = (await harness.DynamoDB.ScanAsync(new ScanRequest { TableName = control }, cancellation)).Items;
        return items.SelectMany(i => i.Values).Select(v => v.S).Where(s => s is not null && System.Text.RegularExpressions.Regex.IsMatch(s, "^[0-9a-f]{12}$")).Distinct(StringComparer.Ordinal).ToList();
    }

    [Fact]
    public async Task What_the_standby_s_vault_receives_is_restored_there()
    {
        var (ada, backups, environment) = await FilledAsync(("RecoveryRegion", "us-west-2"), ("StandbyMode", StandbyMode.BackupOnly), ("DatabaseEnabled", false));
        var there = harness.Operator(region: "us-west-2");
        var standby = await new StandbyOperations(ada.Operations, there.Operations).CreateAsync(environment, null, null, Stop);
        var made = Assert.Single(await backups.CreateAsync(environment, [BackupComponent.Table], null, wait: true, Stop));
        Assert.Equal("us-west-2", made.CopyingTo);
        var away = new BackupOperations(there.Operations);
        InferloopBackup? copy = null;
        for (var i = 0; i < 400 && copy?.Status != "COMPLETED"; i++)
        {
            await Task.Delay(25, Stop);
            copy = (await away.ListAsync(standby.Environment, null, Stop)) is [var first, ..] ? first : null;
        }

        Assert.Equal(("COMPLETED", "us-east-1", "us-west-2"), (copy?.Status, copy?.CopiedFrom, copy?.Region));
        var restored = await away.RestoreAsync(copy!, standby.Environment, "jobs-there", Stop);
        Assert.Equal(3, (await there.Operations.Aws.DynamoDB.ScanAsync(new ScanRequest { TableName = restored.Resource }, Stop)).Count);
    }

    [Fact]
    public async Task An_environment_without_backups_says_how_to_have_some()
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(Spec(("DatabaseEnabled", false)).With("BackupRetentionDays", 0), cancellation: Stop);
        var none = await Assert.ThrowsAsync<OperationException>(() => new BackupOperations(ada.Operations).ListAsync(environment, null, Stop));
        Assert.Equal("BackupsNotEnabled", none.ErrorId);
        Assert.Contains("-BackupRetentionDays 7", none.RecommendedAction, StringComparison.Ordinal);
    }

    private async Task<List<string>> TablesAsync() => (await harness.DynamoDB.ListTablesAsync(Stop)).TableNames.Where(t => !t.Contains("control", StringComparison.OrdinalIgnoreCase)).ToList();
}
