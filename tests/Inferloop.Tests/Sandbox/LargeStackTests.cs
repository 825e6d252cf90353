using System.Diagnostics;
using System.Globalization;
using System.Text;
using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox;

/// <summary>Two hundred resources in ten layers on a fast clock: time, order, rollback.</summary>
public sealed class LargeStackTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Resources = 200;
    private SandboxFixture? sandbox;

    public async ValueTask InitializeAsync()
    {
        sandbox = new SandboxFixture(new SandboxOptions { ClockRate = 100_000 });
        await sandbox.InitializeAsync();
    }

    public async ValueTask DisposeAsync() => await sandbox!.DisposeAsync();

    [Fact]
    public async Task Two_hundred_resources_are_created_in_order_and_rolled_back()
    {
        var cloudFormation = new CloudFormationCaller(sandbox!);
        // A first stack warms the code, so that what is measured is the work.
        await cloudFormation.CreateAndWaitAsync("warm", Layers(20, broken: false));
        var watch = Stopwatch.StartNew();
        await cloudFormation.CreateAndWaitAsync("large", Layers(Resources, broken: false));
        var created = watch.Elapsed;
        output.WriteLine($"{Resources} resources created in {created.TotalMilliseconds:0} ms");
        var events = await cloudFormation.EventsAsync("large");
        Assert.Equal((Resources * 3) + 2, events.Count);
        foreach (var index in Enumerable.Range(20, Resources - 20))
        {
            var started = IndexOf(events, $"R{index}", "CREATE_IN_PROGRESS");
            var before = IndexOf(events, $"R{index - 20}", "CREATE_COMPLETE");
            Assert.True(before < started, $"R{index} began before R{index - 20} was complete");
        }
        watch.Restart();
        await cloudFormation.CreateAsync("broken", Layers(Resources, broken: true));
        Assert.Equal("ROLLBACK_COMPLETE", await cloudFormation.WaitAsync("broken"));
        output.WriteLine($"{Resources} resources created and rolled back in {watch.Elapsed.TotalMilliseconds:0} ms");
        Assert.All(await cloudFormation.ResourcesAsync("broken"), resource => Assert.Equal("DELETE_COMPLETE", resource.Value.Status));
        // Generous for a busy machine; the benchmark has the figure.
        Assert.True(created < TimeSpan.FromSeconds(10), $"{Resources} resources took {created}");
        Assert.Empty(sandbox!.Host.Statistics.InternalErrors);
    }

    private static int IndexOf(IReadOnlyList<(string LogicalId, string Status, string? Reason, string? PhysicalId)> events, string logicalId, string status)
    {
        for (var i = 0; i < events.Count; i++)
        {
            if (events[i].LogicalId == logicalId && events[i].Status == status)
            {
                return i;
            }
        }
        throw new InvalidOperationException($"no {status} of {logicalId}");
    }

    private static string Layers(int count, bool broken)
    {
        var template = new StringBuilder("Resources:\n");
        for (var i = 0; i < count; i++)
        {
            template.Append(CultureInfo.InvariantCulture, $"  R{i}:\n    Type: AWS::S3::Bucket\n");
            if (i >= 20)
            {
                template.Append(CultureInfo.InvariantCulture, $"    Properties: {{ Tags: [ {{ Key: after, Value: !Ref R{i - 20} }} ] }}\n");
            }
        }
        if (broken)
        {
            template.Append(CultureInfo.InvariantCulture, $"  Bad:\n    Type: AWS::S3::Bucket\n    DependsOn: R{count - 1}\n    Properties: {{ BucketName: Not_A_Name }}\n");
        }
        return template.ToString();
    }
}
