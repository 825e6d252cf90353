using System.Collections.Concurrent;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>
/// The beat that monitoring lives on: once a minute of sandbox time services publish what the minute held, then alarms look at it.
/// It beats only while an account and region has something to publish or to watch.
/// </summary>
internal sealed class MetricPulse(SandboxRuntime runtime)
{
    /// <summary>Data of a minute arrives a little after it, and is looked at then.</summary>
    private static readonly TimeSpan Lag = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Fine = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Account, string Region), byte> followed = new();
    private readonly List<Action<RequestContext, DateTimeOffset>> publishers = [];
    private readonly object gate = new();
    private bool scheduled;

    /// <summary>Alarms are evaluated by this, after the publishers; it says whether any needs a beat every ten seconds.</summary>
    public Func<RequestContext, DateTimeOffset, bool> Evaluate { get; set; } = static (_, _) => false;

    /// <summary>Whether an account and region still has something that needs the beat.</summary>
    public Func<RequestContext, bool> Needed { get; set; } = static _ => true;

    /// <summary>Called for each followed account and region at each full minute.</summary>
    public void Publish(Action<RequestContext, DateTimeOffset> publisher)
    {
        lock (gate)
        {
            publishers.Add(publisher);
        }
    }

    /// <summary>Begins to beat for an account and region, if it does not yet.</summary>
    public void Follow(string account, string region)
    {
        followed.TryAdd((account, region), 0);
        Arm(fine: false);
    }

    private void Arm(bool fine)
    {
        lock (gate)
        {
            if (scheduled)
            {
                return;
            }
            scheduled = true;
        }
        var step = fine ? Fine : TimeSpan.FromMinutes(1);
        var now = runtime.Clock.Now - Lag;
        var next = new DateTimeOffset((now.UtcTicks / step.Ticks + 1) * step.Ticks, TimeSpan.Zero);
        runtime.Clock.Schedule(next + Lag, () => Beat(next));
    }

    private void Beat(DateTimeOffset moment)
    {
        var fine = false;
        Action<RequestContext, DateTimeOffset>[] all;
        lock (gate)
        {
            scheduled = false;
            all = [.. publishers];
        }
        foreach (var place in followed.Keys)
        {
            var context = runtime.SystemContext(place.Account, place.Region);
            try
            {
                if (moment.UtcTicks % TimeSpan.TicksPerMinute == 0)
                {
                    foreach (var publisher in all)
                    {
                        publisher(context, moment);
                    }
                }
                fine |= Evaluate(context, moment);
                if (!Needed(context))
                {
                    followed.TryRemove(place, out _);
                }
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // One account's trouble must not stop the beat of the others; it is reported as a defect of the sandbox.
                runtime.Report(e);
            }
        }
        if (!followed.IsEmpty)
        {
            Arm(fine);
        }
    }
}
