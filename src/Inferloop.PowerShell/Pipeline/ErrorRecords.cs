using System.Management.Automation;
using System.Net.Http;
using System.Net.Sockets;
using Amazon.Runtime;
using Inferloop.Aws;
using Inferloop.Operations;
using Inferloop.Templates;

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
        TemplateException => CodedErrors.Create(ErrorIds.TemplateInvalid, null, failure, failure.Message),
        AwsConnectionException or AmazonServiceException or AmazonClientException => FromAws(failure),
        OperationCanceledException or TimeoutException or HttpRequestException or SocketException => FromAws(failure),
        FileNotFoundException { FileName: var name } => CodedErrors.Create(ErrorIds.FileNotFound, name, failure, name ?? failure.Message),
        DirectoryNotFoundException => CodedErrors.Create(ErrorIds.FileNotFound, null, failure, failure.Message),
        UnauthorizedAccessException or IOException => CodedErrors.Create(ErrorIds.FileAccessDenied, null, failure, failure.Message),
        ArgumentException { ParamName: var parameter } => CodedErrors.Create(ErrorIds.ArgumentInvalid, parameter, failure, failure.Message),
        _ => CodedErrors.Create(ErrorIds.UnexpectedFailure, null, failure, failure.GetType().Name, failure.Message),
    };

    // AWS's failures in one form: "CloudFormation CreateStack: what AWS says (its code, request id)".
    private static OperationException FromAws(Exception failure)
    {
        var described = AwsErrors.Describe(failure);
        string?[] call = [described.Service, described.Operation];
        string?[] detail = [described.Code, described.RequestId is { } id ? "request " + id : null];
        var message = string.Concat(
            string.Join(' ', call.OfType<string>()), call.Any(c => c is not null) ? ": " : "",
            described.Message,
            detail.Any(d => d is not null) ? $" ({string.Join(", ", detail.OfType<string>())})" : "");
        var (kind, errorId) = described.Kind switch
        {
            AwsFailureKind.ExpiredCredentials => (OperationErrorKind.Authentication, "AwsCredentialsExpired"),
            AwsFailureKind.NoCredentials => (OperationErrorKind.Authentication, "AwsCredentialsMissing"),
            AwsFailureKind.AccessDenied => (OperationErrorKind.PermissionDenied, "AwsAccessDenied"),
            AwsFailureKind.Throttled => (OperationErrorKind.LimitExceeded, "AwsThrottled"),
            AwsFailureKind.EndpointUnreachable => (OperationErrorKind.Connection, "AwsEndpointUnreachable"),
            AwsFailureKind.InvalidRegion => (OperationErrorKind.InvalidArgument, "AwsRegionInvalid"),
            AwsFailureKind.Validation => (OperationErrorKind.InvalidArgument, "AwsRequestInvalid"),
            AwsFailureKind.NotFound => (OperationErrorKind.NotFound, "AwsNotFound"),
            AwsFailureKind.AlreadyExists => (OperationErrorKind.AlreadyExists, "AwsAlreadyExists"),
            AwsFailureKind.Conflict => (OperationErrorKind.Busy, "AwsConflict"),
            AwsFailureKind.LimitExceeded => (OperationErrorKind.LimitExceeded, "AwsLimitExceeded"),
            AwsFailureKind.ServiceFault => (OperationErrorKind.OperationFailed, "AwsServiceFault"),
            AwsFailureKind.Timeout or AwsFailureKind.Cancelled => (OperationErrorKind.Timeout, "AwsTimeout"),
            _ => (OperationErrorKind.OperationFailed, "AwsRequestFailed"),
        };
        return new OperationException(errorId, kind, message, described.RecommendedAction, described.Resource, failure);
    }

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
