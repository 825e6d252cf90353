using System.Management.Automation;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <content>What is recorded of the account, and judged.</content>
public sealed partial class SpecParameters
{
    /// <summary>Whether a trail records the calls of the account in all regions. The first trail of an account is free. Default false.</summary>
    [Parameter]
    public bool? CloudTrailEnabled { get; set; }

    /// <summary>Whether AWS Config records the account's resources in this region and judges them. An account has one recorder a region. Default false.</summary>
    [Parameter]
    public bool? ConfigEnabled { get; set; }

    /// <summary>Days that trail and configuration history are kept in their bucket, 90 to 3653. Default 365.</summary>
    [Parameter]
    public int? AuditArchiveDays { get; set; }
}
