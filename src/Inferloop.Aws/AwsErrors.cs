using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Amazon.Runtime;

namespace Inferloop.Aws;

/// <summary>Explains failures of calls to AWS.</summary>
public static partial class AwsErrors
{
    private static readonly HashSet<string> Expired = new(StringComparer.OrdinalIgnoreCase)
    {
        "ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired", "RequestTimeTooSkewed",
    };

    private static readonly HashSet<string> Unknown = new(StringComparer.OrdinalIgnoreCase)
    {
        "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException",
        "AuthFailure", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "IncompleteSignature", "InvalidToken", "InvalidIdentityToken",
    };

    private static readonly HashSet<string> Throttled = new(StringComparer.OrdinalIgnoreCase)
    {
        "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown",
        "RequestThrottled", "RequestThrottledException", "ProvisionedThroughputExceededException", "BandwidthLimitExceeded", "PriorRequestNotComplete",
    };

    /// <summary>Explains a failure.</summary>
    /// <param name="exception">The failure, as the SDK, the network or this assembly threw it.</param>
    /// <param name="secrets">Texts that must not appear in the explanation.</param>
    /// <returns>The failure, explained.</returns>
    public static AwsFailure Describe(Exception exception, IEnumerable<string>? secrets = null)
    {
        ArgumentNullException.ThrowIfNull(exception);
        while (exception is AggregateException { InnerExceptions.Count: 1 } aggregate)
        {
            exception = aggregate.InnerExceptions[0];
        }

        AmazonServiceException? answer = AnswerOf(exception);
        AwsFailureKind kind = Classify(exception);
        string message = Scrub(MessageOf(exception, kind), secrets);
        Match denied = kind == AwsFailureKind.AccessDenied ? DeniedPattern().Match(message) : Match.Empty;
        string? service = Note(exception, OperationTrace.Service) ?? ServiceOf(exception);
        AwsFailure failure = new()
        {
            Kind = kind,
            Message = message,
            RecommendedAction = "",
            Service = service,
            Operation = Note(exception, OperationTrace.Operation),
            Code = Empty(answer?.ErrorCode),
            RequestId = Empty(answer?.RequestId),
            StatusCode = answer is { StatusCode: not 0 } ? answer.StatusCode : null,
            MissingAction = denied.Success ? denied.Groups["action"].Value : null,
            Resource = denied.Groups["resource"] is { Success: true } resource ? resource.Value : null,
            IsRetryable = kind is AwsFailureKind.Throttled or AwsFailureKind.ServiceFault or AwsFailureKind.Timeout or AwsFailureKind.EndpointUnreachable,
        };
        return failure with { RecommendedAction = Advise(failure) };
    }

    /// <summary>Removes what looks like a secret, and the given texts.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="secrets">Texts to remove.</param>
    /// <returns>The text with *** in their place.</returns>
    public static string Scrub(string text, IEnumerable<string>? secrets = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (string secret in secrets?.Where(s => s.Length >= 4) ?? [])
        {
            text = text.Replace(secret, "***", StringComparison.Ordinal);
        }

        text = NamedSecretPattern().Replace(text, "${name}${separator}***");
        text = AuthorizationPattern().Replace(text, "${name}***");
        return EncodedMessagePattern().Replace(text, "");
    }

    /// <summary>What a service answered: the failure itself, or why fetching credentials for the call failed (a role that may not be assumed).</summary>
    private static AmazonServiceException? AnswerOf(Exception exception) =>
        exception as AmazonServiceException ?? (exception is AmazonClientException ? exception.InnerException as AmazonServiceException : null);

    private static AwsFailureKind Classify(Exception exception)
    {
        switch (exception)
        {
            case AwsConnectionException own:
                return own.Kind;
            case OperationCanceledException { InnerException: TimeoutException } or TimeoutException:
                return AwsFailureKind.Timeout;
            case OperationCanceledException:
                return AwsFailureKind.Cancelled;
            case HttpRequestException or SocketException:
                return AwsFailureKind.EndpointUnreachable;
            case AmazonServiceException { StatusCode: 0 or HttpStatusCode.OK, ErrorCode: null or "" } or AmazonServiceException { InnerException: HttpRequestException }
                when Network(exception.InnerException) is { } network:
                return network;
            case AmazonServiceException answer:
                return ClassifyAnswer(answer.ErrorCode ?? "", answer.Message ?? "", answer.StatusCode);
            case AmazonClientException when AnswerOf(exception) is { } answer:
                return ClassifyAnswer(answer.ErrorCode ?? "", answer.Message ?? "", answer.StatusCode);
        }

        if (exception.InnerException is AwsConnectionException inner)
        {
            return inner.Kind;
        }

        return exception is AmazonClientException
            ? exception.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase) || exception.Message.Contains("SSO", StringComparison.Ordinal) ? AwsFailureKind.NoCredentials
                : exception.Message.Contains("region", StringComparison.OrdinalIgnoreCase) ? AwsFailureKind.InvalidRegion
                : Network(exception.InnerException) ?? AwsFailureKind.Unknown
            : AwsFailureKind.Unknown;
    }

    private static AwsFailureKind? Network(Exception? inner)
    {
        for (; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case TimeoutException or OperationCanceledException:
                    return AwsFailureKind.Timeout;
                case HttpRequestException or SocketException or IOException or WebException:
                    return AwsFailureKind.EndpointUnreachable;
                case AwsConnectionException own:
                    return own.Kind;
            }
        }

        return null;
    }

    private static AwsFailureKind ClassifyAnswer(string code, string message, HttpStatusCode status) => code switch
    {
        _ when Expired.Contains(code) => AwsFailureKind.ExpiredCredentials,
        _ when Unknown.Contains(code) => AwsFailureKind.NoCredentials,
        _ when Throttled.Contains(code) || status == HttpStatusCode.TooManyRequests => AwsFailureKind.Throttled,
        "OptInRequired" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" => AwsFailureKind.InvalidRegion,
        _ when code.Contains("AccessDenied", StringComparison.OrdinalIgnoreCase) || code.Contains("Unauthorized", StringComparison.OrdinalIgnoreCase)
            || code is "NotAuthorized" or "NotAuthorizedException" || message.Contains("is not authorized to perform", StringComparison.Ordinal) => AwsFailureKind.AccessDenied,
        _ when code.Contains("AlreadyExist", StringComparison.OrdinalIgnoreCase) || code.Contains("AlreadyOwned", StringComparison.OrdinalIgnoreCase)
            || code.StartsWith("Duplicate", StringComparison.OrdinalIgnoreCase) || code is "ResourceExistsException" or "EntityAlreadyExists" => AwsFailureKind.AlreadyExists,
        _ when code.Contains("LimitExceeded", StringComparison.OrdinalIgnoreCase) || code.Contains("QuotaExceeded", StringComparison.OrdinalIgnoreCase)
            || code.StartsWith("TooMany", StringComparison.OrdinalIgnoreCase) => AwsFailureKind.LimitExceeded,
        _ when code.Contains("NotFound", StringComparison.OrdinalIgnoreCase) || code.StartsWith("NoSuch", StringComparison.OrdinalIgnoreCase)
            || code.Contains("DoesNotExist", StringComparison.OrdinalIgnoreCase) => AwsFailureKind.NotFound,
        // CloudFormation says a stack is missing, and that there is nothing to update, with one and the same code.
        "ValidationError" when message.EndsWith("does not exist", StringComparison.Ordinal) => AwsFailureKind.NotFound,
        _ when code.Contains("Conflict", StringComparison.OrdinalIgnoreCase) || code.Contains("InUse", StringComparison.OrdinalIgnoreCase)
            || code.Contains("InProgress", StringComparison.OrdinalIgnoreCase) || code is "ConditionalCheckFailedException" or "OperationAborted" or "DependencyViolation" => AwsFailureKind.Conflict,
        "RequestTimeout" or "RequestTimeoutException" => AwsFailureKind.Timeout,
        _ => status switch
        {
            >= HttpStatusCode.InternalServerError => AwsFailureKind.ServiceFault,
            HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized => AwsFailureKind.AccessDenied,
            HttpStatusCode.NotFound => AwsFailureKind.NotFound,
            HttpStatusCode.Conflict => AwsFailureKind.Conflict,
            >= HttpStatusCode.BadRequest => AwsFailureKind.Validation,
            _ => AwsFailureKind.Unknown,
        },
    };

    private static string MessageOf(Exception exception, AwsFailureKind kind)
    {
        if (kind != AwsFailureKind.EndpointUnreachable)
        {
            return exception.InnerException is AwsConnectionException own ? own.Message
                : AnswerOf(exception) is { } answer && answer != exception ? $"{exception.Message}: {answer.Message}" : exception.Message;
        }

        Exception root = exception.GetBaseException();
        return Note(exception, OperationTrace.Endpoint) is { } endpoint ? $"No answer from {endpoint}: {root.Message}" : root.Message;
    }

    private static string Advise(AwsFailure failure) => failure.Kind switch
    {
        AwsFailureKind.ExpiredCredentials => "Sign in again (aws sso login, or new temporary keys), check that this machine's clock is right, and run the command again.",
        AwsFailureKind.NoCredentials => "Give -ProfileName, or -AccessKey and -SecretKey, or set AWS_PROFILE; 'aws configure list-profiles' shows the profiles of this machine.",
        AwsFailureKind.AccessDenied when failure.MissingAction is { } action => $"Have {action}{(failure.Resource is { } resource ? $" on {resource}" : "")} allowed for this identity, or use another profile.",
        AwsFailureKind.AccessDenied => "Have the operation allowed for this identity, or use another profile.",
        AwsFailureKind.Throttled => "Wait a moment and run the command again; AWS_MAX_ATTEMPTS and AWS_RETRY_MODE=adaptive make it more patient.",
        AwsFailureKind.EndpointUnreachable => "Check the network, the proxy and -EndpointUrl; for the sandbox, Get-InferloopSandbox shows whether it runs.",
        AwsFailureKind.InvalidRegion => "Give -Region, or set AWS_REGION; regions that are off by default must be enabled in the account first.",
        AwsFailureKind.Validation => "Correct what the message names and run the command again.",
        AwsFailureKind.NotFound => "Check the name, the region and the account.",
        AwsFailureKind.AlreadyExists => "Choose another name, or work on the existing one.",
        AwsFailureKind.Conflict => "Wait until the operation that is running has ended, and run the command again.",
        AwsFailureKind.LimitExceeded => "Ask for a higher quota in Service Quotas, or remove what is no longer needed.",
        AwsFailureKind.ServiceFault => "Run the command again in a moment; if it stays, look at the AWS Health Dashboard.",
        AwsFailureKind.Timeout => "Run the command again; check the network when it stays slow.",
        AwsFailureKind.Cancelled => "Run the command again when you want to go on.",
        _ => "Run the command again with -Verbose to see more.",
    };

    private static string? ServiceOf(Exception exception) =>
        exception.GetType().Namespace?.Split('.') is ["Amazon", var service, ..] && service != "Runtime" ? service : null;

    private static string? Note(Exception exception, string key) => exception.Data[key] as string;

    private static string? Empty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    [GeneratedRegex(@"not authorized to perform:? (?<action>[\w-]+:\w+\*?)(?: (?:on|with an explicit deny in .*? on) resource:? (?<resource>\S+))?")]
    private static partial Regex DeniedPattern();

    [GeneratedRegex("(?<name>secret[_-]?(?:access[_-]?)?key|aws_secret_access_key|session[_-]?token|security[_-]?token|x-amz-signature|password|secretstring)(?<separator>[\"']?\\s*[=:]\\s*[\"']?)[^\\s\"'&,;}]+", RegexOptions.IgnoreCase)]
    private static partial Regex NamedSecretPattern();

    [GeneratedRegex(@"(?<name>Signature=|Bearer )[A-Za-z0-9+/=._-]{16,}")]
    private static partial Regex AuthorizationPattern();

    [GeneratedRegex(@"\s*Encoded authorization failure message:\s*\S+")]
    private static partial Regex EncodedMessagePattern();
}
