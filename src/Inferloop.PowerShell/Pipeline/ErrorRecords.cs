using System.Management.Automation;
using System.Net.Http;
using System.Net.Sockets;
using Inferloop.Operations;

namespace Inferloop.PowerShell.Pipeline;

/// <summary>The one place where exceptions become error records.</summary>
internal static class ErrorRecords
{
    /// <summary>The record of a failure: stable id, category, target, recommended action; no secret in it.</summary>
    public static ErrorRecord From(Exception failure, SecretScrubber secrets)
    {
        failure = Unwrap(failure);
        if (failure is IContainsErrorRecord { ErrorRecord: { } given } && failure is not ParentContainsErrorRecordException)
        {
            return given;
        }

        var coded = failure as OperationException ?? Classify(failure);
        var message = secrets.Scrub(coded.Message);
        var shown = message == coded.Message && !Tells(coded.InnerException, secrets)
            ? coded
            : new OperationException(coded.ErrorId, coded.Kind, message, secrets.Scrub(coded.RecommendedAction), coded.Target);
        return new ErrorRecord(shown, coded.ErrorId, CategoryOf(coded.Kind), coded.Target)
        {
            ErrorDetails = new ErrorDetails(message) { RecommendedAction = secrets.Scrub(coded.RecommendedAction) },
        };
    }

    /// <summary>PowerShell's category for a kind of failure.</summary>
    public static ErrorCategory CategoryOf(OperationErrorKind kind) => kind switch
    {
        OperationErrorKind.InvalidArgument => ErrorCategory.InvalidArgument,
        OperationErrorKind.NotFound => ErrorCategory.ObjectNotFound,
        OperationErrorKind.AlreadyExists => ErrorCategory.ResourceExists,
        OperationErrorKind.Busy => ErrorCategory.ResourceBusy,
        OperationErrorKind.InvalidState => ErrorCategory.InvalidOperation,
        OperationErrorKind.PermissionDenied => ErrorCategory.PermissionDenied,
        OperationErrorKind.Authentication => ErrorCategory.AuthenticationError,
        OperationErrorKind.Connection => ErrorCategory.ConnectionError,
        OperationErrorKind.OperationFailed => ErrorCategory.OperationStopped,
        OperationErrorKind.Timeout => ErrorCategory.OperationTimeout,
        OperationErrorKind.LimitExceeded => ErrorCategory.LimitsExceeded,
        _ => ErrorCategory.NotSpecified,
    };

    private static Exception Unwrap(Exception failure)
    {
        while (failure is AggregateException { InnerExceptions.Count: 1 } aggregate)
        {
            failure = aggregate.InnerExceptions[0];
        }

        return failure;
    }

    private static OperationException Classify(Exception failure) => failure switch
    {
        OperationCanceledException or TimeoutException => CodedErrors.Create(ErrorIds.OperationTimedOut, null, failure),
        HttpRequestException or SocketException => CodedErrors.Create(ErrorIds.EndpointUnreachable, null, failure, failure.Message),
        FileNotFoundException { FileName: var name } => CodedErrors.Create(ErrorIds.FileNotFound, name, failure, name ?? failure.Message),
        DirectoryNotFoundException => CodedErrors.Create(ErrorIds.FileNotFound, null, failure, failure.Message),
        UnauthorizedAccessException or IOException => CodedErrors.Create(ErrorIds.FileAccessDenied, null, failure, failure.Message),
        ArgumentException { ParamName: var parameter } => CodedErrors.Create(ErrorIds.ArgumentInvalid, parameter, failure, failure.Message),
        _ => CodedErrors.Create(ErrorIds.UnexpectedFailure, null, failure, failure.GetType().Name, failure.Message),
    };

    // An inner exception with a secret in it must not hang on the record: $Error[0].Exception.InnerException is one keystroke away.
    private static bool Tells(Exception? inner, SecretScrubber secrets)
    {
        for (; inner is not null; inner = inner.InnerException)
        {
            if (secrets.Scrub(inner.Message) != inner.Message)
            {
                return true;
            }
        }

        return false;
    }
}
