using Inferloop.Sandbox;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox.Foreign;

/// <summary>boto3, a client nobody here wrote, on the services that no other test lets it use; one process for each suite.</summary>
public sealed class ForeignSuiteTests
{
    /// <summary>The suites beside this file and the services that each is about.</summary>
    private static readonly Dictionary<string, string[]> Suites = new(StringComparer.Ordinal)
    {
        ["serving"] = ["elbv2", "ecs", "application-autoscaling", "autoscaling", "servicediscovery", "wafv2", "arc-zonal-shift"],
        ["governing"] = ["sns", "ssm", "cloudtrail", "config", "budgets", "ce", "service-quotas", "codebuild", "codeconnections", "organizations"],
        ["storing"] = ["rds", "elasticache"],
    };

    /// <summary>The services that the aws CLI or boto3 use in tests of their own.</summary>
    private static readonly Dictionary<string, Type> Elsewhere = new(StringComparer.Ordinal)
    {
        ["cloudformation"] = typeof(AwsCliTests),
        ["s3"] = typeof(AwsCliTests),
        ["sts"] = typeof(ComputeCliTests),
        ["iam"] = typeof(ComputeCliTests),
        ["eks"] = typeof(ComputeCliTests),
        ["lambda"] = typeof(ComputeCliTests),
        ["events"] = typeof(ComputeCliTests),
        ["batch"] = typeof(ComputeCliTests),
        ["scheduler"] = typeof(ComputeCliTests),
        ["apigatewayv2"] = typeof(ComputeCliTests),
        ["sqs"] = typeof(ComputeCliTests),
        ["cloudwatch"] = typeof(ComputeCliTests),
        ["dynamodb"] = typeof(DataCliTests),
        ["dynamodbstreams"] = typeof(DataCliTests),
        ["kms"] = typeof(DataCliTests),
        ["secretsmanager"] = typeof(DataCliTests),
        ["ecr"] = typeof(DataCliTests),
        ["ec2"] = typeof(Services.VolumeTests),
        ["logs"] = typeof(Services.LogsWireTests),
        ["pricing"] = typeof(Services.PricingTests),
        ["route53"] = typeof(Services.Route53.Route53WireTests),
        ["backup"] = typeof(Services.Backup.BackupWireTests),
        ["codepipeline"] = typeof(Operations.Environments.DeliveryTests),
    };

    [Fact]
    public void Every_service_is_used_by_a_foreign_client()
    {
        using var runtime = new SandboxRuntime(new SandboxOptions { ClockRate = 0 });
        Assert.Equal(
            runtime.Services.Select(service => service.ModelName).Order(StringComparer.Ordinal),
            Suites.Values.SelectMany(services => services).Concat(Elsewhere.Keys).Order(StringComparer.Ordinal));
        // A test elsewhere that no longer names its service is no test of it.
        Assert.All(Elsewhere, pair => Assert.Contains(
            Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests", "Inferloop.Tests"), pair.Value.Name + ".cs", SearchOption.AllDirectories),
            file => File.ReadAllText(file) is var text && (text.Contains($"client('{pair.Key}'", StringComparison.Ordinal) || text.Contains($"'{pair.Key}'", StringComparison.Ordinal) || text.Contains($"Async(\"{pair.Key}\"", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("serving")]
    [InlineData("governing")]
    [InlineData("storing")]
    public async Task Boto3_does_what_an_operator_would_do(string suite)
    {
        await using var host = await SandboxHost.StartAsync(new SandboxOptions { ClockRate = 6000, Seed = 4 }, TestContext.Current.CancellationToken);
        var folder = Path.Combine(Repository.Root, "tests", "Inferloop.Tests", "Sandbox", "Foreign");
        var script = $"import sys\nsys.path.insert(0, r'{folder}')\nsys.dont_write_bytecode = True\n{await File.ReadAllTextAsync(Path.Combine(folder, suite + ".py"), TestContext.Current.CancellationToken)}";
        await Boto.RunAsync(host, script);
        Assert.Empty(host.Statistics.InternalErrors);
        foreach (var service in Suites[suite])
        {
            var used = host.Statistics.Operations.Where(count => count.Service == service && count.Requests > count.Errors).Select(count => count.Operation).ToList();
            Assert.True(used.Count >= 3, $"{service}: only {string.Join(", ", used)}");
            // An operator also sees what is refused.
            Assert.True(host.Statistics.Operations.Any(count => count.Service == service && count.Errors > 0), $"{service}: nothing was refused");
        }
    }
}
