using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox;

namespace Inferloop.Benchmarks;

/// <summary>What the sandbox holds in memory with 10,000 resources in stacks, and with 1,000,000 items in a table.</summary>
internal static class MemoryBenchmark
{
    private const int Resources = 10_000;
    private const int Items = 1_000_000;

    public static async Task RunAsync()
    {
        await ResourcesAsync();
        await ItemsAsync();
    }

    private static async Task ResourcesAsync()
    {
        await using var host = await SandboxHost.StartAsync(new SandboxOptions { ClockRate = 100_000, LimitsRequestRates = false });
        var before = Held();
        var context = host.Runtime.SystemContext(host.AccountId, "us-east-1");
        var stacks = host.Runtime.Service("cloudformation")!;
        for (var stack = 0; stack < Resources / 200; stack++)
        {
            var groups = new JsonObject();
            for (var i = 0; i < 200; i++)
            {
                groups[$"Group{i}"] = new JsonObject { ["Type"] = "AWS::Logs::LogGroup", ["Properties"] = new JsonObject { ["LogGroupName"] = $"/bench/{stack}/{i}", ["RetentionInDays"] = 30 } };
            }
            await stacks.InvokeAsync(context, "CreateStack", new JsonObject { ["StackName"] = $"bench-{stack}", ["TemplateBody"] = new JsonObject { ["Resources"] = groups }.ToJsonString() });
            while ((string?)(await stacks.InvokeAsync(context, "DescribeStacks", new JsonObject { ["StackName"] = $"bench-{stack}" }))["Stacks"]![0]!["StackStatus"] is var status && status != "CREATE_COMPLETE")
            {
                if (status != "CREATE_IN_PROGRESS")
                {
                    throw new InvalidOperationException($"bench-{stack}: {status}");
                }
                await Task.Delay(5);
            }
        }
        Row($"{Resources:N0} resources in {Resources / 200} stacks, with their events", before, Resources);
    }

    private static async Task ItemsAsync()
    {
        await using var host = await SandboxHost.StartAsync(new SandboxOptions { ClockRate = 100_000 });
        var before = Held();
        var context = host.Runtime.SystemContext(host.AccountId, "us-east-1");
        var tables = host.Runtime.Service("dynamodb")!;
        await tables.InvokeAsync(context, "CreateTable", (JsonObject)JsonNode.Parse(WireBenchmark.TableDefinition)!);
        while ((string?)(await tables.InvokeAsync(context, "DescribeTable", new JsonObject { ["TableName"] = "bench" }))["Table"]!["TableStatus"] != "ACTIVE")
        {
            await Task.Delay(5);
        }
        for (var i = 0; i < Items; i += 25)
        {
            var requests = new JsonArray();
            for (var n = i; n < i + 25; n++)
            {
                requests.Add(new JsonObject
                {
                    ["PutRequest"] = new JsonObject
                    {
                        ["Item"] = new JsonObject
                        {
                            ["id"] = new JsonObject { ["S"] = (n / 10).ToString(CultureInfo.InvariantCulture) },
                            ["at"] = new JsonObject { ["N"] = (n % 10).ToString(CultureInfo.InvariantCulture) },
                            ["owner"] = new JsonObject { ["S"] = "somebody" },
                            ["count"] = new JsonObject { ["N"] = n.ToString(CultureInfo.InvariantCulture) },
                        },
                    },
                });
            }
            await tables.InvokeAsync(context, "BatchWriteItem", new JsonObject { ["RequestItems"] = new JsonObject { ["bench"] = requests } });
        }
        Row($"{Items:N0} items of four attributes", before, Items);
    }

    private static long Held()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static void Row(string what, long before, int count)
    {
        var held = Held() - before;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {held / 1048576.0:F0} MB, {(double)held / count:F0} bytes each; the process holds {Environment.WorkingSet / 1048576.0:F0} MB"));
    }
}
