using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>
/// Provisioned capacity: so many units a second on the sandbox's clock, and up to five minutes of what was not used. What is begun is finished
/// and may leave a debt; while there is one, requests are throttled. Used under the table's lock.
/// </summary>
internal sealed class CapacityBucket(SandboxClock clock)
{
    private const int BurstSeconds = 300;
    private long rate;
    private double units;
    private DateTimeOffset filled;

    /// <summary>Units a second; 0 means without limit, as on demand.</summary>
    public long Rate
    {
        get => rate;
        set
        {
            Fill();
            // A table begins with a full reserve; a change of rate keeps what is there, as far as the new reserve holds it.
            units = rate == 0 ? value * BurstSeconds : Math.Min(units, value * BurstSeconds);
            rate = value;
        }
    }

    public bool IsExhausted
    {
        get
        {
            Fill();
            return rate > 0 && units <= 0;
        }
    }

    public void Charge(double used)
    {
        if (rate > 0)
        {
            Fill();
            units -= used;
        }
    }

    private void Fill()
    {
        var now = clock.Now;
        if (rate > 0)
        {
            units = Math.Min(rate * BurstSeconds, units + (now - filled).TotalSeconds * rate);
        }
        filled = now;
    }
}

/// <summary>The capacities of a table or an index.</summary>
internal sealed class Capacities(SandboxClock clock)
{
    public CapacityBucket Read { get; } = new(clock);

    public CapacityBucket Write { get; } = new(clock);
}
