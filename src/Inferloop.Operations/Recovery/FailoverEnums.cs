namespace Inferloop.Operations.Recovery;

/// <summary>How a failover goes about the region that it leaves.</summary>
public enum FailoverMode
{
    /// <summary>A planned switch: writers are stopped first, everything they wrote arrives, then the other region takes over. Nothing is lost.</summary>
    Graceful,

    /// <summary>The region is lost: it is not called on the way, and what had not arrived is lost.</summary>
    Ungraceful,
}

/// <summary>Which way a failover goes.</summary>
public enum FailoverDirection
{
    /// <summary>To the recovery region.</summary>
    Failover,

    /// <summary>Back to where the environment came from.</summary>
    Failback,
}

/// <summary>Where a failover stands.</summary>
public enum FailoverState
{
    /// <summary>Its steps are carried out, or were until its process died.</summary>
    Running,

    /// <summary>It waits for an approval.</summary>
    Paused,

    /// <summary>A step failed; nothing goes on by itself.</summary>
    Failed,

    /// <summary>The other region serves.</summary>
    Completed,

    /// <summary>It was taken back before anything was promoted.</summary>
    Undone,
}

/// <summary>Where one step stands.</summary>
public enum FailoverStepState
{
    /// <summary>Not begun.</summary>
    Waiting,

    /// <summary>Under way.</summary>
    Running,

    /// <summary>Done; the evidence says by what.</summary>
    Done,

    /// <summary>There is nothing to do: the environment has no such part.</summary>
    NotNeeded,

    /// <summary>Put off: it needs the region that was lost, and nothing waits for it. Resume-InferloopFailover does it later.</summary>
    Deferred,

    /// <summary>Failed; the reason says why.</summary>
    Failed,

    /// <summary>Done, and taken back.</summary>
    Undone,
}
