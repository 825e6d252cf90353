using System.Text.RegularExpressions;
using Amazon.Runtime.CredentialManagement;

namespace Inferloop.Aws;

/// <summary>Finds the region without the network: said, the named profile's, the environment's, the default profile's.</summary>
internal static partial class RegionResolver
{
    /// <summary>An endpoint that serves everything does not care; signatures need some region.</summary>
    public const string DefaultForCustomEndpoints = "us-east-1";

    public static string? Find(AwsConnectionOptions options) =>
        NotEmpty(options.Region)
        ?? (options.ProfileName is { } name ? OfProfile(name, options.ProfileLocation) : null)
        ?? NotEmpty(Environment.GetEnvironmentVariable("AWS_REGION"))
        ?? NotEmpty(Environment.GetEnvironmentVariable("AWS_DEFAULT_REGION"))
        ?? OfProfile(CredentialResolver.DefaultProfileName, options.ProfileLocation);

    public static void Validate(string region)
    {
        if (!RegionPattern().IsMatch(region))
        {
            throw new AwsConnectionException(AwsFailureKind.InvalidRegion, $"'{region}' is not a region: regions are named like us-east-1.");
        }
    }

    private static string? NotEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static string? OfProfile(string name, string? location) =>
        new CredentialProfileStoreChain(location).TryGetProfile(name, out CredentialProfile profile) ? profile.Region?.SystemName : null;

    [GeneratedRegex("^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
    private static partial Regex RegionPattern();
}
