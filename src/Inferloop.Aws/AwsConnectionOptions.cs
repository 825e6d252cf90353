using Amazon.Runtime;

namespace Inferloop.Aws;

/// <summary>How to reach AWS, as a user says it. What is absent comes from profiles, the environment, the container or the instance.</summary>
public sealed record AwsConnectionOptions
{
    /// <summary>The region, such as us-east-1.</summary>
    public string? Region { get; init; }

    /// <summary>A profile of the shared configuration files (static keys, assumed role, SSO, web identity, credential process).</summary>
    public string? ProfileName { get; init; }

    /// <summary>Another credentials file than the usual one.</summary>
    public string? ProfileLocation { get; init; }

    /// <summary>An access key id; goes with <see cref="SecretKey"/>.</summary>
    public string? AccessKey { get; init; }

    /// <summary>A secret access key.</summary>
    public string? SecretKey { get; init; }

    /// <summary>The session token of temporary keys.</summary>
    public string? SessionToken { get; init; }

    /// <summary>An endpoint for every service, such as the sandbox's.</summary>
    public string? EndpointUrl { get; init; }

    /// <summary>Credentials from somewhere else, such as the session defaults of AWS.Tools; asked whenever keys are needed.</summary>
    public IAwsCredentialSource? CredentialSource { get; init; }

    /// <summary>Makes the HTTP clients; for tests that look at the wire.</summary>
    internal HttpClientFactory? HttpClientFactory { get; init; }

    /// <summary>Everything but the secrets.</summary>
    /// <returns>One line.</returns>
    public override string ToString() =>
        $"AwsConnectionOptions {{ Region = {Region}, ProfileName = {ProfileName}, ProfileLocation = {ProfileLocation}, EndpointUrl = {EndpointUrl}, HasKeys = {AccessKey is not null}, CredentialSource = {CredentialSource?.Description} }}";
}

/// <summary>Keys to sign with.</summary>
/// <param name="AccessKey">The access key id.</param>
/// <param name="SecretKey">The secret access key.</param>
/// <param name="SessionToken">The session token of temporary keys.</param>
/// <param name="Expiration">When they stop working; null for keys that do not.</param>
public sealed record AwsKeys(string AccessKey, string SecretKey, string? SessionToken = null, DateTimeOffset? Expiration = null)
{
    /// <summary>The access key id alone.</summary>
    /// <returns>One line.</returns>
    public override string ToString() => $"AwsKeys {{ AccessKey = {AccessKey} }}";
}

/// <summary>A source of keys outside this assembly.</summary>
public interface IAwsCredentialSource
{
    /// <summary>What it is, without a secret: "session credentials of AWS.Tools".</summary>
    string Description { get; }

    /// <summary>Keys that work now.</summary>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The keys.</returns>
    ValueTask<AwsKeys> GetKeysAsync(CancellationToken cancellationToken);
}

/// <summary>Who AWS says we are.</summary>
/// <param name="Account">The twelve digits.</param>
/// <param name="Arn">The ARN of the user or role session.</param>
/// <param name="UserId">The unique id.</param>
public sealed record CallerIdentity(string Account, string Arn, string UserId);

/// <summary>AWS cannot be reached for a reason that lies here: no region, no such profile, no credentials.</summary>
public sealed class AwsConnectionException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="kind">What kind of failure it is.</param>
    /// <param name="message">What is missing.</param>
    /// <param name="inner">The failure behind it.</param>
    public AwsConnectionException(AwsFailureKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    /// <summary>The kind of failure.</summary>
    public AwsFailureKind Kind { get; }
}
