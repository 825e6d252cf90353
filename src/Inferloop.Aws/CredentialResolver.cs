using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;

namespace Inferloop.Aws;

/// <summary>Finds credentials in the order AWS.Tools does: said keys, a source, a named profile, and then the SDK's own chain.</summary>
internal static class CredentialResolver
{
    /// <summary>The profile that counts when none is named.</summary>
    public static string DefaultProfileName =>
        Environment.GetEnvironmentVariable("AWS_PROFILE") is { Length: > 0 } name ? name : "default";

    public static (AWSCredentials Credentials, string Source) Resolve(AwsConnectionOptions options)
    {
        if (options.AccessKey is not null || options.SecretKey is not null)
        {
            if (string.IsNullOrEmpty(options.AccessKey) || string.IsNullOrEmpty(options.SecretKey))
            {
                throw new AwsConnectionException(AwsFailureKind.NoCredentials, "An access key and a secret key go together; one of them is missing.");
            }

            return (string.IsNullOrEmpty(options.SessionToken)
                ? new BasicAWSCredentials(options.AccessKey, options.SecretKey)
                : new SessionAWSCredentials(options.AccessKey, options.SecretKey, options.SessionToken), $"access key {options.AccessKey}");
        }

        if (options.CredentialSource is { } source)
        {
            return (new SourceCredentials(source), source.Description);
        }

        return options.ProfileName is { } profile
            ? (FromProfile(profile, options.ProfileLocation), $"profile {profile}")
            : (new ChainCredentials(options.ProfileLocation), "default credentials");
    }

    private static AWSCredentials FromProfile(string name, string? location)
    {
        CredentialProfileStoreChain chain = new(location);
        if (!chain.TryGetProfile(name, out CredentialProfile profile))
        {
            string[] known = [.. chain.ListProfiles().Select(p => p.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            string where = location is null ? "the AWS configuration files" : $"'{location}'";
            throw new AwsConnectionException(
                AwsFailureKind.NoCredentials,
                known.Length == 0 ? $"There is no profile '{name}': {where} has none at all." : $"There is no profile '{name}' in {where}. Known profiles: {string.Join(", ", known)}.");
        }

        try
        {
            return AWSCredentialsFactory.GetAWSCredentials(profile, chain);
        }
        catch (AmazonClientException e)
        {
            throw new AwsConnectionException(AwsFailureKind.NoCredentials, $"The profile '{name}' gives no credentials: {e.Message}", e);
        }
    }
}

/// <summary>Keys from a source outside; asked again shortly before they expire.</summary>
internal sealed class SourceCredentials(IAwsCredentialSource source) : RefreshingAWSCredentials
{
    protected override CredentialsRefreshState GenerateNewCredentials() =>
        GenerateNewCredentialsAsync().ConfigureAwait(false).GetAwaiter().GetResult();

    protected override async Task<CredentialsRefreshState> GenerateNewCredentialsAsync()
    {
        AwsKeys keys = await source.GetKeysAsync(CancellationToken.None).ConfigureAwait(false);
        return new CredentialsRefreshState(
            new ImmutableCredentials(keys.AccessKey, keys.SecretKey, keys.SessionToken),
            keys.Expiration?.UtcDateTime ?? DateTime.UtcNow.AddMinutes(15));
    }
}

/// <summary>
/// The SDK's chain (environment, web identity, profile, container, instance), started by the first request.
/// The instance is asked only after a quick look whether there is one: without it, the SDK would wait long for nothing.
/// </summary>
internal sealed class ChainCredentials(string? profileLocation) : AWSCredentials
{
    private readonly object gate = new();
    private Task<AWSCredentials>? resolving;

    public override ImmutableCredentials GetCredentials() => GetCredentialsAsync().ConfigureAwait(false).GetAwaiter().GetResult();

    public override async Task<ImmutableCredentials> GetCredentialsAsync()
    {
        Task<AWSCredentials> current;
        lock (gate)
        {
            // What failed is tried again: the user may have signed in since.
            if (resolving is null || resolving.IsFaulted || resolving.IsCanceled)
            {
                resolving = ResolveAsync();
            }

            current = resolving;
        }

        AWSCredentials credentials = await current.ConfigureAwait(false);
        return await credentials.GetCredentialsAsync().ConfigureAwait(false);
    }

    private static bool Has(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));

    private async Task<AWSCredentials> ResolveAsync()
    {
        CredentialProfileStoreChain profiles = new(profileLocation);
        bool local = (Has("AWS_ACCESS_KEY_ID") && Has("AWS_SECRET_ACCESS_KEY"))
            || (Has("AWS_WEB_IDENTITY_TOKEN_FILE") && Has("AWS_ROLE_ARN"))
            || Has("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || Has("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        if (!local && profiles.TryGetAWSCredentials(CredentialResolver.DefaultProfileName, out AWSCredentials fromProfile))
        {
            return fromProfile;
        }

        if (!local && !await InstanceMetadata.IsReachableAsync(CancellationToken.None).ConfigureAwait(false))
        {
            throw new AwsConnectionException(
                AwsFailureKind.NoCredentials,
                $"No AWS credentials were found: no keys in the environment, no profile '{CredentialResolver.DefaultProfileName}', no container role and no instance role.");
        }

        try
        {
            using DefaultAWSCredentialsIdentityResolver resolver = new();

            // A resolver of our own: the SDK's shared one keeps what it found first, whatever the environment says by now.
            return await resolver.ResolveIdentityAsync(null, CancellationToken.None).ConfigureAwait(false);
        }
        catch (AmazonClientException e)
        {
            throw new AwsConnectionException(AwsFailureKind.NoCredentials, $"No AWS credentials were found: {e.Message}", e);
        }
    }
}
