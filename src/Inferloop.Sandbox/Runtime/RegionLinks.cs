namespace Inferloop.Sandbox.Runtime;

/// <summary>
/// What one region sends another: replicated items, objects, secrets. It arrives after a lag on the clock, in the order it was sent; while the link
/// between two regions is cut it waits, and arrives when the link is mended.
/// </summary>
internal sealed class RegionLinks(SandboxClock clock)
{
    private readonly object gate = new();
    private readonly HashSet<(string From, string To)> cut = [];
    private readonly Dictionary<(string From, string To), Queue<Action>> waiting = [];

    /// <summary>Added to the lag of everything sent, as a fault may ask for.</summary>
    public TimeSpan ExtraLag { get; set; }

    /// <summary>Whether nothing gets from one region to the other.</summary>
    public bool IsCut(string from, string to)
    {
        lock (gate)
        {
            return cut.Contains((from, to));
        }
    }

    /// <summary>Sends: the action runs in the other region when it has arrived.</summary>
    public void Send(string from, string to, TimeSpan lag, Action arrive) => clock.Schedule(lag + ExtraLag, () =>
    {
        lock (gate)
        {
            if (cut.Contains((from, to)) || waiting.ContainsKey((from, to)))
            {
                if (!waiting.TryGetValue((from, to), out var queue))
                {
                    waiting[(from, to)] = queue = new Queue<Action>();
                }
                queue.Enqueue(arrive);
                return;
            }
        }
        arrive();
    });

    /// <summary>Cuts a link in one direction.</summary>
    public void Cut(string from, string to)
    {
        lock (gate)
        {
            cut.Add((from, to));
        }
    }

    /// <summary>Mends a link: what waited arrives now, in its order.</summary>
    public void Mend(string from, string to)
    {
        lock (gate)
        {
            cut.Remove((from, to));
        }
        while (true)
        {
            Action next;
            lock (gate)
            {
                if (cut.Contains((from, to)) || !waiting.TryGetValue((from, to), out var queue))
                {
                    return;
                }
                if (!queue.TryDequeue(out var first))
                {
                    waiting.Remove((from, to));
                    return;
                }
                next = first;
            }
            next();
        }
    }
}
