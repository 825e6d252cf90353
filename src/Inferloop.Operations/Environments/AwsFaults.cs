using Amazon.Runtime;

namespace Inferloop.Operations.Environments;

/// <summary>Which of AWS's answers mean "later" instead of "no".</summary>
internal static class AwsFaults
{
    public static bool IsThrottling(AmazonServiceException e) =>
        e.ErrorCode is "Throttling" or "ThrottlingException" or "ThrottledException" or "RequestLimitExceeded" or "TooManyRequestsException"
            or "RequestThrottled" or "RequestThrottledException" or "ProvisionedThroughputExceededException" or "SlowDown" or "BandwidthLimitExceeded"
        || (int)e.StatusCode == 429;

    /// <summary>A failure of the way there or of the service itself, which a repetition can outlast.</summary>
    public static bool IsPassing(Exception e) => e switch
    {
        AmazonServiceException s => (int)s.StatusCode >= 500 || IsThrottling(s),
        AmazonClientException c => c.InnerException is HttpRequestException or IOException or TimeoutException,
        HttpRequestException or IOException => true,
        _ => false,
    };

    public static bool IsMissingStack(AmazonServiceException e) =>
        e.ErrorCode is "ValidationError" or "StackNotFoundException" && e.Message.Contains("does not exist", StringComparison.OrdinalIgnoreCase);
}
