namespace Inferloop.Operations.Specs;

/// <summary>What is recorded of the account, and judged.</summary>
public sealed record GovernanceSpec
{
    /// <summary>Whether a trail records the calls of the account in all regions. The first trail of an account is free. Default false.</summary>
    [SpecMember(Summary = "a trail of all calls of the account; its first trail is free")]
    public bool CloudTrailEnabled { get; init; }

    /// <summary>Whether AWS Config records the account's resources in this region and judges them. An account has one recorder a region. Default false.</summary>
    [SpecMember(Summary = "AWS Config with rules; an account has one recorder a region")]
    public bool ConfigEnabled { get; init; }

    /// <summary>Days that trail and configuration history are kept in their bucket, 90 to 3653. Default 365.</summary>
    [SpecMember(Minimum = 90, Maximum = 3653, Unit = "days", Summary = "that trail and configuration history are kept")]
    public int AuditArchiveDays { get; init; } = 365;
}
