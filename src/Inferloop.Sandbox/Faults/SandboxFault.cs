using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Faults;

/// <summary>Whether a fault strikes at present.</summary>
public enum SandboxFaultState
{
    /// <summary>Its time has not come.</summary>
    Waiting,

    /// <summary>It strikes.</summary>
    Active,

    /// <summary>Its time is over, or it has struck as often as it was to.</summary>
    Ended,

    /// <summary>It was removed.</summary>
    Removed,
}

/// <summary>A fault that was injected, with what it has done so far.</summary>
public sealed class SandboxFault
{
    private readonly SandboxClock clock;
    private readonly Random random;
    private readonly object gate = new();
    private long met;
    private long struck;
    private volatile bool removed;

    internal SandboxFault(string id, SandboxFaultRule rule, SandboxClock clock, Random random)
    {
        Id = id;
        Rule = rule;
        this.clock = clock;
        this.random = random;
        Added = clock.Now;
        Begins = Added + rule.StartsAfter;
        Ends = Begins + rule.Duration;
    }

    /// <summary>Its id, such as <c>fault-1</c>.</summary>
    public string Id { get; }

    /// <summary>What it does, to which calls, how often and when.</summary>
    public SandboxFaultRule Rule { get; }

    /// <summary>When it was injected, on the sandbox clock.</summary>
    public DateTimeOffset Added { get; }

    /// <summary>When it begins, on the sandbox clock.</summary>
    public DateTimeOffset Begins { get; }

    /// <summary>When it ends, on the sandbox clock; null when it lasts until it is removed.</summary>
    public DateTimeOffset? Ends { get; }

    /// <summary>How many calls it could have struck.</summary>
    public long Met => Interlocked.Read(ref met);

    /// <summary>How many calls it struck.</summary>
    public long Struck => Interlocked.Read(ref struck);

    /// <summary>Whether it strikes at present.</summary>
    public SandboxFaultState State
    {
        get
        {
            var now = clock.Now;
            return removed ? SandboxFaultState.Removed
                : now >= Ends || Struck >= Rule.Count ? SandboxFaultState.Ended
                : now < Begins ? SandboxFaultState.Waiting
                : SandboxFaultState.Active;
        }
    }

    internal void Remove() => removed = true;

    /// <summary>A call that the rule matches: whether it is struck. Under one seed the nth such call always fares the same.</summary>
    internal bool Strikes()
    {
        lock (gate)
        {
            if (State != SandboxFaultState.Active)
            {
                return false;
            }
            met++;
#pragma warning disable CA5394 // Chance of a simulation, reproducible by design.
            // Drawn at every call, so that the sequence does not depend on the probability.
            if (random.NextDouble() >= Rule.Probability)
            {
                return false;
            }
#pragma warning restore CA5394
            struck++;
            return true;
        }
    }
}
