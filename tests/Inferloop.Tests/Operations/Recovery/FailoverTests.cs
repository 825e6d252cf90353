using Amazon.DynamoDBv2.Model;
using Amazon.ECS.Model;
using Inferloop.Operations;
using Inferloop.Operations.Backups;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;
using Inferloop.Sandbox.Faults;
using Inferloop.Tests.Operations.Environments;
using Task = System.Threading.Tasks.Task;

namespace Inferloop.Tests.Operations.Recovery;

/// <summary>Failovers and failbacks of an environment with a pilot light, of the templates as they ship, in two regions of the sandbox.</summary>
public sealed class FailoverTests : IAsyncLifetime
{
    private const string Home = "us-east-1";
    private const string Away = "us-west-2";
    private readonly Told reporter = new();
    private EnvironmentHarness harness = null!;
    private InferloopEnvironment environment = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        harness = await EnvironmentHarness.StartAsync(1200);
        harness.UseShippedTemplates();
    }

    private async Task CreateAsync(StandbyMode mode)
    {
        var spec = SpecPresets.Apply(
            SpecPresets.Create("demo", EnvironmentStage.Dev, Home),
            new Dictionary<string, object> { ["RecoveryRegion"] = Away, ["StandbyMode"] = mode, ["CacheEnabled"] = false, ["MonitoringEnabled"] = false, ["BackupRetentionDays"] = mode == StandbyMode.BackupOnly ? 7 : 0 });
        environment = await harness.Operator().CreateAsync(spec, cancellation: Stop);
        await new StandbyOperations(harness.Operator().Operations, harness.Operator(region: Away).Operations).CreateAsync(environment, null, null, Stop);
    }

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task A_lost_region_is_left_and_come_back_to_whatever_stops_the_operators_on_the_way()
    {
        await CreateAsync(StandbyMode.PilotLight);
        await WriteAsync(Home, "before");
        var lost = harness.Host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = Home });

        // Somebody begins; at every step that follows the process ends, and the next person goes on.
        var options = new FailoverOptions { Mode = FailoverMode.Ungraceful, MaximumDataLoss = TimeSpan.FromDays(3) };
        var run = await RelayAsync(Away, async (by, stop) => await by.InvokeAsync(await InAsync(Away), options, stop));
        Assert.Equal((FailoverState.Completed, FailoverDirection.Failover, Home, Away), (run.State, run.Direction, run.FromRegion, run.ToRegion));
        Assert.NotNull(run.Rto);
        Assert.Equal(["Fence", "Source"], run.Steps.Where(s => s.State == FailoverStepState.Deferred).Select(s => s.Name));
        Assert.All(run.Steps.Where(s => s.State == FailoverStepState.Done), s => Assert.NotEqual("", s.Evidence));
        await WriteAsync(Away, "while away");
        var away = await InAsync(Away);
        Assert.Equal(RegionRole.Primary, away.Spec.Recovery.RegionRole);
        Assert.True(await RunningAsync(Away) > 0);

        // No later update takes the promoted database for a replica.
        var database = await DatabaseAsync(Away);
        var changes = await harness.Operator(region: Away).UpdateAsync(away.Spec with { Application = away.Spec.Application with { LogLevel = ApplicationLogLevel.Error } }, cancellation: Stop);
        Assert.DoesNotContain(changes.Changes, c => c.Type == "AWS::RDS::DBInstance");
        Assert.Equal(database, await DatabaseAsync(Away));

        // The region is back, and its tasks with it, until what was put off is done.
        harness.Host.Faults.Remove(lost.Id);
        run = await By().ResumeAsync(away, approve: false, null, Stop);
        Assert.DoesNotContain(run.Steps, s => s.State == FailoverStepState.Deferred);
        Assert.Equal(0, await RunningAsync(Home));
        Assert.Equal("FailoverNotOpen", (await Assert.ThrowsAsync<OperationException>(() => By().ResumeAsync(away, approve: false, null, Stop))).ErrorId);

        var back = await RelayAsync(Home, async (by, stop) => await by.FailbackAsync(await InAsync(Away), new FailoverOptions(), stop));
        Assert.Equal((FailoverState.Completed, FailoverDirection.Failback, TimeSpan.Zero), (back.State, back.Direction, back.Rpo));
        Assert.Equal((RegionRole.Primary, RegionRole.Standby), ((await InAsync(Home)).Spec.Recovery.RegionRole, (await InAsync(Away)).Spec.Recovery.RegionRole));
        Assert.True(await RunningAsync(Home) > 0);
        Assert.Equal(0, await RunningAsync(Away));
        Assert.True(await HasAsync(Home, "before"));
        Assert.True(await HasAsync(Home, "while away"));
        var standby = await new StandbyOperations(harness.Operator().Operations, harness.Operator(region: Away).Operations).GetAsync(await InAsync(Home), Stop);
        Assert.True(standby!.IsComplete, string.Join("; ", standby.Replicas));
        Assert.Equal([FailoverDirection.Failover], (await By().HistoryAsync(await InAsync(Away), Stop)).Select(f => f.Direction));
        Assert.Equal([FailoverDirection.Failback], (await By().HistoryAsync(await InAsync(Home), Stop)).Select(f => f.Direction));
    }

    [Fact]
    public async Task From_backups_alone_database_and_table_are_restored()
    {
        await CreateAsync(StandbyMode.BackupOnly);
        await WriteAsync(Home, "before");
        var standby = await InAsync(Away);
        var empty = await By().TestAsync(standby, Stop);
        Assert.False(empty.IsReady);
        await new BackupOperations(harness.Operator().Operations).CreateAsync(await InAsync(Home), [BackupComponent.Database, BackupComponent.Table], null, wait: true, Stop);
        var vault = new BackupOperations(harness.Operator(region: Away).Operations);
        while ((await vault.ListAsync(standby, null, Stop)).Where(b => b.Status == "COMPLETED").Select(b => b.Component).Distinct().Count() < 2)
        {
            // The test's own time limit ends a wait for nothing.
            await Task.Delay(50, Stop);
        }

        await WriteAsync(Home, "after");
        harness.Host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = Home });
        var run = await By().InvokeAsync(standby, new FailoverOptions { Mode = FailoverMode.Ungraceful, MaximumDataLoss = TimeSpan.FromDays(3) }, Stop);
        Assert.Equal(FailoverState.Completed, run.State);
        Assert.True(run.Rpo > TimeSpan.Zero);
        var away = await InAsync(Away);
        Assert.Equal(RegionRole.Primary, away.Spec.Recovery.RegionRole);
        Assert.True(await RunningAsync(Away) > 0);
        Assert.NotEqual("", await DatabaseAsync(Away));
        Assert.NotEqual(environment.Outputs["TableName"], away.Outputs["TableName"]);
        async Task<bool> SurvivedAsync(string id) =>
            (await harness.AwsIn(Away).DynamoDB.GetItemAsync(new GetItemRequest { TableName = away.Outputs["TableName"], Key = Key(id) }, Stop)).Item is { Count: > 0 };
        Assert.True(await SurvivedAsync("before"));
        Assert.False(await SurvivedAsync("after"));
        Assert.Equal("FailbackBackupOnly", (await Assert.ThrowsAsync<OperationException>(() => By().FailbackAsync(away, new FailoverOptions(), Stop))).ErrorId);
    }

    [Fact]
    public async Task What_is_too_old_needs_consent_what_waits_needs_approval_and_what_has_begun_can_be_taken_back()
    {
        await CreateAsync(StandbyMode.PilotLight);
        var standby = await InAsync(Away);
        var ready = await By().TestAsync(standby, Stop);
        Assert.True(ready.IsReady, string.Join("; ", ready.Findings.Where(f => f.Severity == PreflightSeverity.Error)));
        Assert.InRange(ready.ExpectedRto, TimeSpan.FromMinutes(10), FailoverObjectives.Rto);
        Assert.Contains(ready.Stores, s => s is { Name: "Database", Lag: not null });

        // A planned one, that waits before it promotes.
        var paused = await By("ada").InvokeAsync(standby, new FailoverOptions { Approvals = ["Database"] }, Stop);
        Assert.Equal(FailoverState.Paused, paused.State);
        Assert.Equal(FailoverStepState.Waiting, paused.Step("Database").State);
        Assert.Equal(0, await RunningAsync(Home));
        Assert.Equal("FailoverOpen", (await Assert.ThrowsAsync<OperationException>(() => By("bob").InvokeAsync(standby, new FailoverOptions(), Stop))).ErrorId);
        Assert.Equal("FailoverNotApproved", (await Assert.ThrowsAsync<OperationException>(() => By("bob").ResumeAsync(standby, approve: false, null, Stop))).ErrorId);
        var undone = await By("bob").UndoAsync(standby, Stop);
        Assert.Equal(FailoverState.Undone, undone.State);
        while (await RunningAsync(Home) == 0)
        {
            // The test's own time limit ends a wait for nothing.
            await Task.Delay(20, Stop);
        }

        Assert.DoesNotContain(await harness.Operator().Operations.DriftAsync(environment, Stop), d => d is { Status: DriftStatus.Modified, Path: "Ecs/Service" or "Ecs/ScalableTarget" });

        // A replica that lags two hours: reported, and refused without consent, before anything is touched.
        harness.Host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ReplicationLag, Region = Home, Service = "rds", Delay = TimeSpan.FromHours(2) });
        await harness.Host.Clock.DelayAsync(TimeSpan.FromMinutes(10), Stop);
        var late = await By().TestAsync(standby, Stop);
        Assert.False(late.IsReady);
        Assert.Contains(late.Findings, f => f is { Severity: PreflightSeverity.Error, Check: PreflightCheck.Replication, Subject: "Database" });
        var breached = await Assert.ThrowsAsync<OperationException>(() => By().InvokeAsync(standby, new FailoverOptions { Mode = FailoverMode.Ungraceful }, Stop));
        Assert.Equal("FailoverRpoBreached", breached.ErrorId);
        Assert.Contains("-MaximumDataLoss", breached.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(RegionRole.Standby, (await InAsync(Away)).Spec.Recovery.RegionRole);
        Assert.True(await RunningAsync(Home) > 0);

        // And two at once: one has the lock.
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = By("ada", async (step, ct) =>
        {
            if (step == "Assess")
            {
                held.TrySetResult();
                await go.Task.WaitAsync(ct);
            }
        }).ResumeAsync(standby, approve: false, null, Stop);
        await held.Task;
        Assert.Equal("EnvironmentBusy", (await Assert.ThrowsAsync<OperationException>(() => By("bob").ResumeAsync(standby, approve: false, null, Stop))).ErrorId);
        go.SetResult();
        Assert.Equal("FailoverRpoBreached", (await Assert.ThrowsAsync<OperationException>(() => first)).ErrorId);
    }

    /// <summary>Carries a failover out by many: each stops as one more of its steps begins, until nobody has to.</summary>
    private async Task<InferloopFailover> RelayAsync(string region, Func<FailoverOperations, CancellationToken, Task<InferloopFailover>> begin)
    {
        var stopped = new HashSet<string>(StringComparer.Ordinal);
        for (var round = 0; round < 30; round++)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            var by = By($"person{round}", (step, ct) =>
            {
                // Steps of the stacks' own updates among them: the names are apart.
                if (char.IsUpper(step[0]) && stopped.Add(step))
                {
                    stop.Cancel();
                    ct.ThrowIfCancellationRequested();
                    throw new OperationCanceledException(stop.Token);
                }

                return Task.CompletedTask;
            });
            try
            {
                var run = round == 0 ? await begin(by, stop.Token) : await by.ResumeAsync(await InAsync(region), approve: false, null, stop.Token);
                Assert.True(stopped.Count > 8, string.Join(", ", stopped));
                return run;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested && !Stop.IsCancellationRequested)
            {
                Assert.Contains(reporter.Warnings, w => w.Contains("Resume-InferloopFailover", StringComparison.Ordinal));
            }
        }

        throw new InvalidOperationException("It did not come to an end.");
    }

    private FailoverOperations By(string user = "ada", Func<string, CancellationToken, Task>? beforeStep = null) => new(
        (region, options) => new EnvironmentOperations(
            harness.AwsIn(region),
            options ?? new EnvironmentOptions
            {
                PollMinimum = TimeSpan.FromMilliseconds(20), PollMaximum = TimeSpan.FromMilliseconds(100), TemplateFolder = harness.TemplateFolder,
                Operator = new OperatorIdentity(user, user + "s-machine", 1), BeforeStep = beforeStep,
            },
            reporter),
        () => harness.Host.Clock.Now, reporter);

    private async Task<InferloopEnvironment> InAsync(string region) => (await harness.Operator(region: region).Operations.RefreshAsync(environment.StackName, withHealth: false, Stop))!;

    private async Task<int> RunningAsync(string region)
    {
        var services = await harness.AwsIn(region).ECS.DescribeServicesAsync(new DescribeServicesRequest { Cluster = environment.Outputs["ClusterName"], Services = [environment.Outputs["ServiceName"]] }, Stop);
        return services.Services[0].RunningCount ?? 0;
    }

    private async Task<string> DatabaseAsync(string region) =>
        (await harness.AwsIn(region).Databases.DescribeDBInstancesAsync(new() { DBInstanceIdentifier = environment.Outputs["DatabaseIdentifier"] }, Stop)).DBInstances[0].DbiResourceId;

    private async Task WriteAsync(string region, string id) =>
        await harness.AwsIn(region).DynamoDB.PutItemAsync(new PutItemRequest { TableName = environment.Outputs["TableName"], Item = Key(id) }, Stop);

    private async Task<bool> HasAsync(string region, string id) =>
        (await harness.AwsIn(region).DynamoDB.GetItemAsync(new GetItemRequest { TableName = environment.Outputs["TableName"], Key = Key(id) }, Stop)).Item is { Count: > 0 };

    private static Dictionary<string, AttributeValue> Key(string id) => new() { ["id"] = new() { S = id }, ["timestamp"] = new() { N = "1" } };

    private sealed class Told : IOperationReporter
    {
        public List<string> Warnings { get; } = [];

        public void Verbose(string message)
        {
        }

        public void Warning(string message) => Warnings.Add(message);

        public void Progress(OperationProgress progress)
        {
        }
    }
}
