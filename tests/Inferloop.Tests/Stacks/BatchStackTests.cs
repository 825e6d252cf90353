using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>Batch: two managed compute environments that cost nothing when idle, two queues by priority, and a job that reads what the application reads.</summary>
public sealed class BatchStackTests
{
    private static Task<EvaluatedStack> EvaluateAsync(params (string, string)[] parameters) => StackFixture.EvaluateAsync(parameters: [("BatchEnabled", "true"), .. parameters]);

    [Theory]
    [InlineData("Batch/OnDemandEnvironment", "EC2", "BEST_FIT_PROGRESSIVE")]
    [InlineData("Batch/SpotEnvironment", "SPOT", "SPOT_PRICE_CAPACITY_OPTIMIZED")]
    public async Task Managed_instances_of_optimal_types_from_0_to_256_vcpus(string path, string type, string strategy)
    {
        var environment = (await EvaluateAsync()).Find(path);
        Assert.Equal("MANAGED", environment.Text("Type"));
        Assert.Equal(type, environment.Text("ComputeResources.Type"));
        Assert.Equal(strategy, environment.Text("ComputeResources.AllocationStrategy"));
        Assert.Equal("0", environment.Text("ComputeResources.MinvCpus"));
        Assert.Equal("256", environment.Text("ComputeResources.MaxvCpus"));
        Assert.Equal("optimal", environment.Text("ComputeResources.InstanceTypes.0"));
    }

    [Fact]
    public async Task Several_instance_types_reach_both_environments()
    {
        var stack = await EvaluateAsync(("BatchInstanceTypes", "c6i,m6i.large"));
        Assert.All(stack.OfType("AWS::Batch::ComputeEnvironment"), e => Assert.Equal(["c6i", "m6i.large"], e.At("ComputeResources.InstanceTypes")!.Items.Select(i => i.AsString())));
    }

    [Fact]
    public async Task The_urgent_queue_goes_before_the_standard_one_and_nothing_waits_for_ever()
    {
        var stack = await EvaluateAsync();
        var urgent = stack.Find("Batch/UrgentQueue");
        var standard = stack.Find("Batch/StandardQueue");
        Assert.True(int.Parse(urgent.Text("Priority")!) > int.Parse(standard.Text("Priority")!));
        Assert.True(urgent.At("ComputeEnvironmentOrder.0.ComputeEnvironment")!.ComesFrom("Batch/OnDemandEnvironment"));
        Assert.True(standard.At("ComputeEnvironmentOrder.0.ComputeEnvironment")!.ComesFrom("Batch/SpotEnvironment"));
        Assert.All([urgent, standard], q => Assert.Equal("CANCEL", q.Text("JobStateTimeLimitActions.0.Action")));
    }

    [Fact]
    public async Task A_job_tries_again_only_when_its_host_was_lost_and_ends_in_time()
    {
        var job = (await EvaluateAsync()).Find("Batch/GenerateJob");
        Assert.Equal("14400", job.Text("Timeout.AttemptDurationSeconds"));
        Assert.Equal(("RETRY", "Host EC2*"), (job.Text("RetryStrategy.EvaluateOnExit.0.Action"), job.Text("RetryStrategy.EvaluateOnExit.0.OnStatusReason")));
        Assert.Equal("EXIT", job.Text("RetryStrategy.EvaluateOnExit.1.Action"));
    }

    [Fact]
    public async Task A_job_finds_the_environments_own_database_and_its_password_by_reference()
    {
        var job = (await EvaluateAsync(("DatabaseEnabled", "true"))).Find("Batch/GenerateJob");
        var variables = job.At("ContainerProperties.Environment")!.Items.Select(v => v["Name"]!.AsString()).ToList();
        Assert.Superset(new HashSet<string?> { "STORAGE_BUCKET_NAME", "STORAGE_REGION", "DYNAMODB_TABLE", "DATABASE_HOST", "DATABASE_PORT", "DATABASE_NAME" }, variables.ToHashSet());
        Assert.DoesNotContain("DATABASE_PASSWORD", variables);
        Assert.Equal(["DATABASE_USERNAME", "DATABASE_PASSWORD"], job.At("ContainerProperties.Secrets")!.Items.Select(s => s["Name"]!.AsString()));
    }

    [Fact]
    public async Task Instances_keep_their_credentials_from_jobs_and_their_disks_encrypted()
    {
        var data = (await EvaluateAsync()).Find("Batch/LaunchTemplate");
        Assert.Equal("required", data.Text("LaunchTemplateData.MetadataOptions.HttpTokens"));
        Assert.Equal("1", data.Text("LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit"));
        Assert.Equal("true", data.Text("LaunchTemplateData.BlockDeviceMappings.0.Ebs.Encrypted"));
    }

    [Fact]
    public async Task Without_the_switch_there_is_no_batch() =>
        Assert.DoesNotContain((await StackFixture.EvaluateAsync()).AllResources(), r => r.Path.StartsWith("Batch", StringComparison.Ordinal));
}
