using System.Collections.Concurrent;

namespace Inferloop.Sandbox.Runtime;

/// <summary>What is on its way from one place to another, and how long what arrived took: the figures behind metrics of replication. What is sent arrives in its order.</summary>
/// <typeparam name="TWay">What tells one way from another.</typeparam>
internal sealed class ReplicationMeter<TWay>
    where TWay : notnull
{
    private readonly ConcurrentDictionary<TWay, Way> ways = new();

    /// <summary>The ways on which anything ever was sent.</summary>
    public IEnumerable<TWay> Ways => ways.Keys;

    /// <summary>Something is sent.</summary>
    public void Sent(TWay way, DateTimeOffset at, long bytes = 0)
    {
        var here = ways.GetOrAdd(way, static _ => new Way());
        lock (here)
        {
            here.Pending.Enqueue((at, bytes));
            here.Bytes += bytes;
        }
    }

    /// <summary>What was sent first of what is on its way has arrived, or could not.</summary>
    public void Arrived(TWay way, DateTimeOffset at, bool hasFailed = false)
    {
        if (!ways.TryGetValue(way, out var here))
        {
            return;
        }
        lock (here)
        {
            if (here.Pending.TryDequeue(out var sent))
            {
                here.Bytes -= sent.Bytes;
                if (hasFailed)
                {
                    here.Failed++;
                }
                else
                {
                    var seconds = (at - sent.At).TotalSeconds;
                    here.Latencies[seconds] = here.Latencies.GetValueOrDefault(seconds) + 1;
                }
            }
        }
    }

    /// <summary>The figures since they were last taken.</summary>
    public ReplicationFigures Take(TWay way, DateTimeOffset now)
    {
        if (!ways.TryGetValue(way, out var here))
        {
            return new ReplicationFigures([], 0, 0, 0, null);
        }
        lock (here)
        {
            var figures = new ReplicationFigures([.. here.Latencies.OrderBy(static pair => pair.Key).Select(static pair => (pair.Key, (double)pair.Value))], here.Failed, here.Pending.Count, here.Bytes,
                here.Pending.TryPeek(out var oldest) ? now - oldest.At : null);
            here.Latencies.Clear();
            here.Failed = 0;
            return figures;
        }
    }

    private sealed class Way
    {
        public Queue<(DateTimeOffset At, long Bytes)> Pending { get; } = new();

        public Dictionary<double, long> Latencies { get; } = [];

        public long Bytes { get; set; }

        public long Failed { get; set; }
    }
}

/// <summary>Figures of replication.</summary>
/// <param name="Latencies">Seconds that what arrived took, each with how much took so long.</param>
/// <param name="Failed">How much could not be copied.</param>
/// <param name="Pending">How much is on its way.</param>
/// <param name="PendingBytes">How large that is.</param>
/// <param name="Oldest">For how long the first of it has been; null when nothing is on its way.</param>
internal sealed record ReplicationFigures(IReadOnlyList<(double Value, double Count)> Latencies, long Failed, int Pending, long PendingBytes, TimeSpan? Oldest);
