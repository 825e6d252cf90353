namespace Inferloop.Operations.Recovery;

/// <summary>What a recovery is held against: the design document's section 8, "Recovery Objectives".</summary>
internal static class FailoverObjectives
{
    /// <summary>The platform serves again within this.</summary>
    public static readonly TimeSpan Rto = TimeSpan.FromHours(4);

    /// <summary>No more of the newest data is lost than this.</summary>
    public static readonly TimeSpan Rpo = TimeSpan.FromHours(1);
}
