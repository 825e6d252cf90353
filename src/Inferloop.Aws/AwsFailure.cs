using System.Net;

namespace Inferloop.Aws;

/// <summary>What kind of failure a call to AWS ended with.</summary>
public enum AwsFailureKind
{
    /// <summary>Not known better.</summary>
    Unknown,

    /// <summary>The credentials worked once and have expired.</summary>
    ExpiredCredentials,

    /// <summary>There are no credentials, or AWS does not know them.</summary>
    NoCredentials,

    /// <summary>The credentials may not do this.</summary>
    AccessDenied,

    /// <summary>Too many requests at once.</summary>
    Throttled,

    /// <summary>Nobody answers at the endpoint.</summary>
    EndpointUnreachable,

    /// <summary>No region, an unknown one, or one the account has not enabled.</summary>
    InvalidRegion,

    /// <summary>AWS found the request wrong.</summary>
    Validation,

    /// <summary>The thing does not exist.</summary>
    NotFound,

    /// <summary>The name is taken.</summary>
    AlreadyExists,

    /// <summary>Something else is going on with the thing.</summary>
    Conflict,

    /// <summary>A quota of the account is used up.</summary>
    LimitExceeded,

    /// <summary>AWS itself failed.</summary>
    ServiceFault,

    /// <summary>No answer in time.</summary>
    Timeout,

    /// <summary>The user stopped it.</summary>
    Cancelled,
}

/// <summary>A failure of a call to AWS, explained; nothing in it is secret.</summary>
public sealed record AwsFailure
{
    /// <summary>What kind of failure it is.</summary>
    public required AwsFailureKind Kind { get; init; }

    /// <summary>The message.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it.</summary>
    public required string RecommendedAction { get; init; }

    /// <summary>The service's id, such as CloudFormation.</summary>
    public string? Service { get; init; }

    /// <summary>The operation, such as CreateStack.</summary>
    public string? Operation { get; init; }

    /// <summary>AWS's error code, such as ValidationError.</summary>
    public string? Code { get; init; }

    /// <summary>AWS's id of the request, for a support case.</summary>
    public string? RequestId { get; init; }

    /// <summary>The HTTP status, where there was an answer.</summary>
    public HttpStatusCode? StatusCode { get; init; }

    /// <summary>The permission that is missing, such as cloudformation:CreateStack.</summary>
    public string? MissingAction { get; init; }

    /// <summary>What the missing permission would have to cover.</summary>
    public string? Resource { get; init; }

    /// <summary>The same call may work later as it is.</summary>
    public bool IsRetryable { get; init; }
}
