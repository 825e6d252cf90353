using System.Diagnostics;
using System.Text;
using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.Runtime;
using Inferloop.Sandbox;

namespace Inferloop.Benchmarks;

/// <summary>A stack of 20 and of 200 log groups, created and described until complete, on the sandbox and on moto, with one client.</summary>
internal static class StackBenchmark
{
    public static async Task RunAsync()
    {
        foreach (var resources in new[] { 20, 200 })
        {
            var ours = await OnSandboxAsync(resources);
            Console.WriteLine($"sandbox, {resources,3} resources: {ours.TotalMilliseconds,7:F0} ms with {2 * resources + 2} events or more, in dependency order");
            if (ProcessRun.Find("moto_server") is { } moto)
            {
                var theirs = await OnMotoAsync(moto, resources);
                Console.WriteLine($"moto,    {resources,3} resources: {theirs.TotalMilliseconds,7:F0} ms   {theirs / ours:F2} x the sandbox (moto has no resource events and no states that take time)");
            }
            else
            {
                Console.WriteLine("moto_server is not on PATH: its row is missing");
            }
        }
    }

    private static async Task<TimeSpan> OnSandboxAsync(int resources)
    {
        await using var sandbox = await SandboxHost.StartAsync(
            new SandboxOptions { ClockRate = 10_000, AccessKeyId = "AKIAIOSFODNN7EXAMPLE", SecretAccessKey = "benchmark-only-secret" }, CancellationToken.None);
        return await MedianAsync(sandbox.Endpoint, resources);
    }

    private static async Task<TimeSpan> OnMotoAsync(string moto, int resources)
    {
        using var server = await ServerProcess.StartAsync(moto, port => ["-H", "127.0.0.1", "-p", $"{port}"]);
        return await MedianAsync(server.Endpoint, resources);
    }

    private static async Task<TimeSpan> MedianAsync(Uri endpoint, int resources)
    {
        using var client = new AmazonCloudFormationClient(
            new BasicAWSCredentials("AKIAIOSFODNN7EXAMPLE", "benchmark-only-secret"),
            new AmazonCloudFormationConfig { ServiceURL = endpoint.ToString(), AuthenticationRegion = "us-east-1" });
        var times = new List<TimeSpan>();
        for (var run = 0; run < 6; run++)
        {
            var name = $"bench-{resources}-{run}";
            var clock = Stopwatch.StartNew();
            await client.CreateStackAsync(new CreateStackRequest { StackName = name, TemplateBody = Body(resources, run) });
            while (true)
            {
                var stack = (await client.DescribeStacksAsync(new DescribeStacksRequest { StackName = name })).Stacks[0];
                if (stack.StackStatus == StackStatus.CREATE_COMPLETE)
                {
                    break;
                }

                if (stack.StackStatus != StackStatus.CREATE_IN_PROGRESS)
                {
                    throw new System.InvalidOperationException($"{stack.StackStatus}: {stack.StackStatusReason}");
                }

                await Task.Delay(10);
            }

            if (run > 0)
            {
                times.Add(clock.Elapsed);
            }
        }

        times.Sort();
        return times[times.Count / 2];
    }

    private static string Body(int resources, int run)
    {
        var text = new StringBuilder("Resources:\n");
        for (var i = 0; i < resources; i++)
        {
            text.Append($"  Group{i}:\n    Type: AWS::Logs::LogGroup\n");
            text.Append(i < 10 ? "" : $"    DependsOn: Group{i - 10}\n");
            text.Append($"    Properties: {{ LogGroupName: /bench/{run}/{i}, RetentionInDays: 30 }}\n");
        }

        return text.ToString();
    }
}
