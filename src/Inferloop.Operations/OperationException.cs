namespace Inferloop.Operations;

/// <summary>What kind of failure an operation ended with; the cmdlets turn it into PowerShell's error category.</summary>
public enum OperationErrorKind
{
    /// <summary>Something given was wrong.</summary>
    InvalidArgument,

    /// <summary>Something does not exist.</summary>
    NotFound,

    /// <summary>The name or thing is taken already.</summary>
    AlreadyExists,

    /// <summary>Someone else is at it.</summary>
    Busy,

    /// <summary>The thing is in a state in which this cannot be done.</summary>
    InvalidState,

    /// <summary>AWS refused for lack of permission.</summary>
    PermissionDenied,

    /// <summary>Credentials are missing, wrong or expired.</summary>
    Authentication,

    /// <summary>The endpoint cannot be reached.</summary>
    Connection,

    /// <summary>AWS carried the operation out, and it failed.</summary>
    OperationFailed,

    /// <summary>Time ran out before the operation ended.</summary>
    Timeout,

    /// <summary>A limit of a service or of this module was reached.</summary>
    LimitExceeded,
}

/// <summary>A failure a user can act on: what it is, what it concerns, and what to do next.</summary>
public sealed class OperationException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="errorId">A stable id such as EnvironmentBusy.</param>
    /// <param name="kind">What kind of failure it is.</param>
    /// <param name="message">What happened, root cause first.</param>
    /// <param name="recommendedAction">What to do next, with the cmdlet that does it.</param>
    /// <param name="target">What it concerns.</param>
    /// <param name="inner">The failure behind it.</param>
    public OperationException(string errorId, OperationErrorKind kind, string message, string recommendedAction, object? target = null, Exception? inner = null)
        : base(message, inner)
    {
        ErrorId = errorId;
        Kind = kind;
        RecommendedAction = recommendedAction;
        Target = target;
    }

    /// <summary>The stable id.</summary>
    public string ErrorId { get; }

    /// <summary>The kind of failure.</summary>
    public OperationErrorKind Kind { get; }

    /// <summary>What to do next.</summary>
    public string RecommendedAction { get; }

    /// <summary>What it concerns: an environment's name, a member of a spec, a file.</summary>
    public object? Target { get; }
}
