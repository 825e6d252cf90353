using Inferloop.Sandbox.Faults;

namespace Inferloop.Sandbox.Runtime;

/// <summary>
/// What one region sends another: replicated items, objects, secrets, keys. It arrives after a lag on the clock, in the order it was sent; while the link
/// between two regions is cut, or one of them is lost, it waits, and arrives when that is over.
/// </summary>
internal sealed class RegionLinks
{
    /// <summary>What waits looks again this often, beside being told when a fault is over.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromMinutes(1);

    private readonly SandboxClock clock;
    private readonly SandboxFaults faults;
    private readonly object gate = new();
    private readonly Dictionary<(string From, string To), DateTimeOffset> cut = [];
    private readonly Dictionary<Link, Traffic> traffic = [];

    public RegionLinks(SandboxClock clock, SandboxFaults faults)
    {
        this.clock = clock;
        this.faults = faults;
        // As an event of the clock, so that it happens among the others and not on the thread that took the fault away.
        faults.Changed += _ => clock.Schedule(TimeSpan.Zero, DrainAll);
    }

    /// <summary>Whether nothing gets from one region to the other.</summary>
    public bool IsCut(string from, string to, string service = "*") => CutSince(from, to, service) is not null;

    /// <summary>Since when nothing gets from one region to the other; null when it does.</summary>
    public DateTimeOffset? CutSince(string from, string to, string service = "*")
    {
        DateTimeOffset? since = null;
        lock (gate)
        {
            if (cut.TryGetValue((from, to), out var here))
            {
                since = here;
            }
        }
        return faults.Any ? Earlier(since, Earlier(faults.PartitionedSince(from, to, service), Earlier(faults.LostSince(from, service), faults.LostSince(to, service)))) : since;
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other ?? one : one;

    /// <summary>
    /// How far what is copied is behind at present: by itself so much; by an injected lag more; while nothing gets through, by all the time since then.
    /// </summary>
    public TimeSpan Behind(string service, string resource, string from, string to, TimeSpan usual) => CutSince(from, to, service) is { } since
        ? usual + (clock.Now - since)
        : usual + (faults.ReplicationLag(service, resource, from, to) ?? TimeSpan.Zero);

    /// <summary>Sends: the action runs in the other region when it has arrived.</summary>
    /// <param name="service">The service that sends.</param>
    /// <param name="resource">What it sends, such as a table's name: a lag that is injected may be of that alone.</param>
    /// <param name="from">The region it is sent from.</param>
    /// <param name="to">The region it is sent to.</param>
    /// <param name="lag">How long it takes by itself.</param>
    /// <param name="arrive">What happens there.</param>
    public void Send(string service, string resource, string from, string to, TimeSpan lag, Action arrive)
    {
        var link = new Link(service, resource, from, to);
        // While a region is lost the lag cannot be told; what is sent then waits anyway.
        var due = clock.Now + lag + (faults.ReplicationLag(service, resource, from, to) ?? TimeSpan.Zero);
        lock (gate)
        {
            if (!traffic.TryGetValue(link, out var present))
            {
                traffic[link] = present = new Traffic();
            }
            // Nothing overtakes what was sent before it.
            due = present.LastDue > due ? present.LastDue : due;
            present.LastDue = due;
        }
        clock.Schedule(due, () =>
        {
            lock (gate)
            {
                traffic[link].Arrived.Enqueue(arrive);
            }
            Drain(link);
        });
    }

    /// <summary>Cuts a link in one direction.</summary>
    public void Cut(string from, string to)
    {
        lock (gate)
        {
            cut.TryAdd((from, to), clock.Now);
        }
    }

    /// <summary>Mends a link: what waited arrives now, in its order.</summary>
    public void Mend(string from, string to)
    {
        lock (gate)
        {
            cut.Remove((from, to));
        }
        DrainAll();
    }

    private void DrainAll()
    {
        List<Link> waiting;
        lock (gate)
        {
            waiting = traffic.Where(static pair => pair.Value.Arrived.Count > 0).Select(static pair => pair.Key)
                .OrderBy(static link => link.ToString(), StringComparer.Ordinal).ToList();
        }
        foreach (var link in waiting)
        {
            Drain(link);
        }
    }

    private void Drain(Link link)
    {
        while (true)
        {
            Action next;
            var isCut = IsCut(link.From, link.To, link.Service);
            lock (gate)
            {
                var here = traffic[link];
                if (here.IsDraining || here.Arrived.Count == 0)
                {
                    return;
                }
                if (isCut)
                {
                    if (!here.LooksAgain)
                    {
                        here.LooksAgain = true;
                        clock.Schedule(Retry, () => LookAgain(link));
                    }
                    return;
                }
                next = here.Arrived.Dequeue();
                here.IsDraining = true;
            }
            try
            {
                next();
            }
            finally
            {
                lock (gate)
                {
                    traffic[link].IsDraining = false;
                }
            }
        }
    }

    private void LookAgain(Link link)
    {
        lock (gate)
        {
            traffic[link].LooksAgain = false;
        }
        Drain(link);
    }

    private readonly record struct Link(string Service, string Resource, string From, string To);

    private sealed class Traffic
    {
        public Queue<Action> Arrived { get; } = new();

        public DateTimeOffset LastDue { get; set; }

        public bool IsDraining { get; set; }

        public bool LooksAgain { get; set; }
    }
}
