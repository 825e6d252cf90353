namespace Inferloop.Sandbox.Faults;

/// <summary>What a fault does.</summary>
public enum SandboxFaultKind
{
    /// <summary>Calls are refused because there were too many, with the error the service gives then.</summary>
    Throttling,

    /// <summary>Calls are answered with the service's internal error (HTTP 500) and do nothing.</summary>
    ServerError,

    /// <summary>Calls are answered as by a service that is not available (HTTP 503) and do nothing.</summary>
    Unavailable,

    /// <summary>Calls get no answer, and do nothing: after <see cref="SandboxFaultRule.Delay"/> of real time the connection is closed.</summary>
    Timeout,

    /// <summary>Calls are done, and answered <see cref="SandboxFaultRule.Delay"/> of real time late.</summary>
    Latency,

    /// <summary>The connection is closed without an answer, and the call does nothing.</summary>
    ConnectionReset,

    /// <summary>The call is done, but the connection is closed before the answer: the caller cannot know.</summary>
    AnswerLost,

    /// <summary>Calls are refused for lack of permission.</summary>
    AccessDenied,

    /// <summary>Calls are refused as those of a session whose credentials have expired.</summary>
    ExpiredCredentials,

    /// <summary>A resource of a stack fails to be created, updated or deleted.</summary>
    ResourceFailure,

    /// <summary>What is copied to another region arrives <see cref="SandboxFaultRule.Delay"/> of sandbox time later.</summary>
    ReplicationLag,

    /// <summary>An availability zone is lost: what runs in it stops, and nothing starts in it.</summary>
    ZoneLoss,

    /// <summary>A region is lost: no call to it is answered, and nothing is copied to or from it.</summary>
    RegionLoss,

    /// <summary>AWS has no room for new tasks of a capacity provider: services wait with them, and say so in their events. What runs stays.</summary>
    CapacityShortage,

    /// <summary>Two regions do not reach each other: each answers its clients, and what they copy to each other waits until it is over.</summary>
    RegionPartition,
}
