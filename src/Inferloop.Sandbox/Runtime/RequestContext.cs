using Inferloop.Sandbox.Protocols;

namespace Inferloop.Sandbox.Runtime;

/// <summary>Who calls, where and when: what a handler knows beside its input.</summary>
internal sealed class RequestContext
{
    public required SandboxRuntime Runtime { get; init; }

    public required string AccountId { get; init; }

    public required string Region { get; init; }

    public required string RequestId { get; init; }

    public string AccessKeyId { get; init; } = "";

    /// <summary>The ARN of the calling principal.</summary>
    public string PrincipalArn { get; init; } = "";

    public string Partition => Regions.PartitionOf(Region);

    public string DnsSuffix => Regions.DnsSuffixOf(Region);

    public CancellationToken Cancellation { get; init; }

    /// <summary>The sandbox clock's moment.</summary>
    public DateTimeOffset Now => Runtime.Clock.Now;

    /// <summary>The operation that was asked for over the wire; empty for calls inside the process.</summary>
    public string Operation { get; set; } = "";

    /// <summary>The request as it came over the wire; null for calls inside the process.</summary>
    public ServiceRequest? Request { get; init; }

    /// <summary>The raw body of an operation whose input has a streaming payload (an S3 object, a Lambda payload).</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>The raw body that answers an operation whose output has a streaming payload.</summary>
    public ReadOnlyMemory<byte> ResponsePayload { get; set; }

    /// <summary>Sets the HTTP status where the operation answers with another than the model's (206, 304).</summary>
    public int? ResponseStatus { get; set; }

    /// <summary>Headers beyond those the output shape names.</summary>
    public Dictionary<string, string> ResponseHeaders { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The host name that the caller reached the sandbox by, with port (for URLs in answers).</summary>
    public string EndpointAuthority => Request?.Headers.GetValueOrDefault("host") ?? Runtime.Endpoint?.Authority ?? "localhost";

    /// <summary>The same caller in another region.</summary>
    public RequestContext InRegion(string region) => With(AccountId, region);

    /// <summary>The same caller's call continued in the background: not cancelled when the request ends.</summary>
    public RequestContext Detached() => new()
    {
        Runtime = Runtime,
        AccountId = AccountId,
        Region = Region,
        RequestId = RequestId,
        AccessKeyId = AccessKeyId,
        PrincipalArn = PrincipalArn,
        Cancellation = Runtime.Stopping,
    };

    /// <summary>The same caller's work inside the process, ended by a token of its own.</summary>
    public RequestContext WithCancellation(CancellationToken cancellation) => new()
    {
        Runtime = Runtime,
        AccountId = AccountId,
        Region = Region,
        RequestId = RequestId,
        AccessKeyId = AccessKeyId,
        PrincipalArn = PrincipalArn,
        Cancellation = cancellation,
    };

    /// <summary>A call inside the process with a payload, by the same caller.</summary>
    public RequestContext WithPayload(ReadOnlyMemory<byte> payload) => new()
    {
        Runtime = Runtime,
        AccountId = AccountId,
        Region = Region,
        RequestId = RequestId,
        AccessKeyId = AccessKeyId,
        PrincipalArn = PrincipalArn,
        Cancellation = Cancellation,
        Payload = payload,
    };

    public RequestContext With(string accountId, string region) => new()
    {
        Runtime = Runtime,
        AccountId = accountId,
        Region = region,
        RequestId = RequestId,
        AccessKeyId = AccessKeyId,
        PrincipalArn = PrincipalArn,
        Cancellation = Cancellation,
    };

    /// <summary>An ARN in the caller's partition, region and account.</summary>
    public string Arn(string service, string resource) => $"arn:{Partition}:{service}:{Region}:{AccountId}:{resource}";

    /// <summary>An ARN of a service without regions (IAM, Route 53).</summary>
    public string GlobalArn(string service, string resource) => $"arn:{Partition}:{service}::{AccountId}:{resource}";
}
