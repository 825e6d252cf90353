using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>What a service tells of itself every minute, in the accounts and regions that have something to tell.</summary>
/// <param name="runtime">The sandbox.</param>
/// <param name="hasAny">Whether an account and region still has something to tell.</param>
/// <param name="publish">Publishes what the minute before held.</param>
internal sealed class MetricSource(SandboxRuntime runtime, Func<RequestContext, bool> hasAny, Action<CloudWatchService, RequestContext, DateTimeOffset> publish)
{
    private int isRegistered;

    /// <summary>Begins to tell of an account and region, if it does not yet.</summary>
    public void Follow(string account, string region)
    {
        var monitoring = runtime.Service<CloudWatchService>();
        if (Interlocked.Exchange(ref isRegistered, 1) == 0)
        {
            var others = monitoring.HasSources;
            monitoring.HasSources = place => others(place) || hasAny(place);
            monitoring.Pulse.Publish((place, moment) => publish(monitoring, place, moment.AddMinutes(-1)));
        }
        monitoring.Pulse.Follow(account, region);
    }
}
