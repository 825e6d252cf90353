using System.Collections.Concurrent;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.S3;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace Inferloop.Aws;

/// <summary>
/// A way to AWS: credentials, a region, an endpoint, and the clients made with them. Safe to use from several threads.
/// Making one opens no socket; credentials are looked for when the first request needs them.
/// </summary>
public sealed partial class AwsSession : IDisposable
{
    private readonly ConcurrentDictionary<(Type Service, string Region), Lazy<IDisposable>> clients = new();
    private readonly AwsConnectionOptions options;
    private readonly AWSCredentials credentials;
    private readonly AwsSession? parent;
    private Task<CallerIdentity>? identity;
    private volatile bool disposed;

    static AwsSession() => RuntimePipelineCustomizerRegistry.Instance.Register(new OperationTrace());

    private AwsSession(AwsConnectionOptions options, AWSCredentials credentials, string source, string region, AwsSession? parent)
    {
        this.options = options;
        this.credentials = credentials;
        this.parent = parent;
        CredentialDescription = source;
        Region = region;
        Partition = RegionEndpoint.GetBySystemName(region).PartitionName;
    }

    /// <summary>The region, such as us-east-1.</summary>
    public string Region { get; }

    /// <summary>The partition: aws, aws-cn, aws-us-gov ...</summary>
    public string Partition { get; }

    /// <summary>The endpoint given for every service; null when the region's endpoints are used.</summary>
    public string? EndpointUrl => options.EndpointUrl;

    /// <summary>The profile's name, where one was given.</summary>
    public string? ProfileName => options.ProfileName;

    /// <summary>Where the credentials come from, without a secret.</summary>
    public string CredentialDescription { get; }

    /// <summary>The way in one line, without a secret: "profile prod, us-east-1".</summary>
    public string Description => EndpointUrl is null ? $"{CredentialDescription}, {Region}" : $"{CredentialDescription}, {Region}, {EndpointUrl}";

    /// <summary>Prepares a way to AWS without touching the network.</summary>
    /// <param name="options">What the user said.</param>
    /// <returns>The session.</returns>
    /// <exception cref="AwsConnectionException">The profile does not exist, keys are incomplete, or no region is known.</exception>
    public static AwsSession Create(AwsConnectionOptions options) => Create(options, null);

    /// <summary>Prepares a way to AWS; where nothing names a region, asks the instance's metadata for it.</summary>
    /// <param name="options">What the user said.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The session.</returns>
    /// <exception cref="AwsConnectionException">The profile does not exist, keys are incomplete, or no region is known.</exception>
    public static async Task<AwsSession> CreateAsync(AwsConnectionOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        string? region = RegionResolver.Find(options) is null && options.EndpointUrl is null
            ? await InstanceMetadata.GetRegionAsync(cancellationToken).ConfigureAwait(false)
            : null;
        return Create(options, region);
    }

    /// <summary>The client of a service, made once a region: <c>Client&lt;IAmazonCloudFormation&gt;()</c>.</summary>
    /// <typeparam name="T">The service's interface, official or generated.</typeparam>
    /// <param name="region">Another region than the session's.</param>
    /// <returns>The client, which belongs to the session.</returns>
    public T Client<T>(string? region = null)
        where T : class, IAmazonService
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return (T)clients.GetOrAdd((typeof(T), region ?? Region), key => new Lazy<IDisposable>(() => (IDisposable)Make<T>(key.Region))).Value;
    }

    /// <summary>The same way to another region.</summary>
    /// <param name="region">The region.</param>
    /// <returns>A session of its own, with the same credentials; this one when it is the same region.</returns>
    public AwsSession InRegion(string region)
    {
        ArgumentException.ThrowIfNullOrEmpty(region);
        return region == Region ? this : new AwsSession(options with { Region = region }, credentials, CredentialDescription, region, parent ?? this);
    }

    /// <summary>The same way to another region, which asks nothing of this one, not even who the caller is: this one may be lost.</summary>
    /// <param name="region">The region.</param>
    /// <returns>A session of its own, with the same credentials.</returns>
    public AwsSession Apart(string region)
    {
        ArgumentException.ThrowIfNullOrEmpty(region);
        return new AwsSession(options with { Region = region }, credentials, CredentialDescription, region, null);
    }

    /// <summary>Who AWS says we are; asked once.</summary>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <returns>Account, ARN and id.</returns>
    public async ValueTask<CallerIdentity> GetCallerIdentityAsync(CancellationToken cancellationToken)
    {
        // Another region of the same partition is the same caller.
        if (parent is not null && parent.Partition == Partition)
        {
            return await parent.GetCallerIdentityAsync(cancellationToken).ConfigureAwait(false);
        }

        if (identity is not { IsCompletedSuccessfully: true } known)
        {
            known = AskIdentityAsync(cancellationToken);
            CallerIdentity result = await known.ConfigureAwait(false);
            identity = known;
            return result;
        }

        return await known.ConfigureAwait(false);
    }

    /// <summary>What a failure of one of this session's calls means, with the session's keys scrubbed from it.</summary>
    /// <param name="exception">The failure.</param>
    /// <returns>The failure, explained.</returns>
    public AwsFailure Describe(Exception exception) =>
        AwsErrors.Describe(exception, new[] { options.SecretKey, options.SessionToken }.OfType<string>());

    /// <inheritdoc/>
    public void Dispose()
    {
        disposed = true;
        foreach (Lazy<IDisposable> client in clients.Values.Where(c => c.IsValueCreated))
        {
            client.Value.Dispose();
        }

        clients.Clear();
    }

    /// <inheritdoc/>
    public override string ToString() => Description;

    private static AwsSession Create(AwsConnectionOptions options, string? instanceRegion)
    {
        ArgumentNullException.ThrowIfNull(options);
        (AWSCredentials credentials, string source) = CredentialResolver.Resolve(options);
        string region = RegionResolver.Find(options) ?? instanceRegion
            ?? (options.EndpointUrl is null
                ? throw new AwsConnectionException(AwsFailureKind.InvalidRegion, "No region is known: none was given, and neither the profile nor AWS_REGION names one.")
                : RegionResolver.DefaultForCustomEndpoints);
        RegionResolver.Validate(region);
        return new AwsSession(options, credentials, source, region, null);
    }

    private T Make<T>(string region)
        where T : class, IAmazonService
    {
        ClientConfig config = T.CreateDefaultClientConfig();
        if (options.ProfileName is not null)
        {
            config.Profile = new Profile(options.ProfileName, options.ProfileLocation);
        }

        config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        if (options.EndpointUrl is not null)
        {
            config.ServiceURL = options.EndpointUrl;
        }

        // An address, said or from AWS_ENDPOINT_URL, names no region to sign for.
        if (!string.IsNullOrEmpty(config.ServiceURL))
        {
            config.AuthenticationRegion = region;
        }

        if (options.HttpClientFactory is not null)
        {
            config.HttpClientFactory = options.HttpClientFactory;
        }

        // Another endpoint than AWS's rarely has a name for every bucket.
        if (config is AmazonS3Config s3 && s3.ServiceURL is not null)
        {
            s3.ForcePathStyle = true;
        }

        return (T)T.CreateDefaultServiceClient(credentials, config);
    }

    private async Task<CallerIdentity> AskIdentityAsync(CancellationToken cancellationToken)
    {
        GetCallerIdentityResponse answer = await Client<IAmazonSecurityTokenService>()
            .GetCallerIdentityAsync(new GetCallerIdentityRequest(), cancellationToken).ConfigureAwait(false);
        return new CallerIdentity(answer.Account, answer.Arn, answer.UserId);
    }
}
