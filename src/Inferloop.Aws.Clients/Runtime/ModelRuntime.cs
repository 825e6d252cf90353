using System.Collections.ObjectModel;
using System.Reflection;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials.Internal;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Auth;
using Amazon.Util;

namespace Inferloop.Aws.Clients;

/// <summary>The service's identifier, as the runtime asks for it.</summary>
internal sealed class ModelMetadata(string serviceId) : IServiceMetadata
{
    public string ServiceId => serviceId;

    public IDictionary<string, string> OperationNameMapping { get; } = new Dictionary<string, string>();
}

/// <summary>Signature version 4 for every operation but the ones that take none.</summary>
internal sealed class ModelAuthSchemeHandler(params string[] unsignedRequests) : BaseAuthResolverHandler
{
    protected override List<IAuthSchemeOption> ResolveAuthOptions(IExecutionContext executionContext)
    {
        string request = executionContext.RequestContext.OriginalRequest.GetType().Name;
        return Array.IndexOf(unsignedRequests, request) >= 0 ? AuthSchemeOption.DEFAULT_NOAUTH : AuthSchemeOption.DEFAULT_SIGV4;
    }
}

/// <summary>What endpoint resolvers share.</summary>
internal static class ModelEndpoints
{
    /// <summary>The region to ask the rules for: the redirect's, the configured one, or the one a custom address speaks of.</summary>
    public static string? Region(IRequestContext context)
    {
        IClientConfig config = context.ClientConfig;
        if (context.Request.AlternateEndpoint is { } alternate)
        {
            return alternate.SystemName;
        }

        if (config.RegionEndpoint is not null || string.IsNullOrEmpty(config.ServiceURL))
        {
            return config.RegionEndpoint?.SystemName;
        }

        return string.IsNullOrEmpty(config.AuthenticationRegion)
            ? RegionEndpoint.GetBySystemName(AWSSDKUtils.DetermineRegion(config.ServiceURL)).SystemName
            : config.AuthenticationRegion;
    }

    public static T? Item<T>(IEnumerable<T>? list, int index) => list is null ? default : list.ElementAtOrDefault(index);

    public static Endpoint Determine(BaseEndpointResolver resolver, ClientConfig config, ServiceOperationEndpointParameters parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        RequestContext context = new(false)
        {
            ClientConfig = config,
            OriginalRequest = parameters.Request,
            Request = new DefaultRequest(parameters.Request, config.ServiceId) { AlternateEndpoint = parameters.AlternateEndpoint },
        };
        return resolver.GetEndpoint(new Amazon.Runtime.Internal.ExecutionContext(context, null));
    }
}

/// <summary>Retry mode and timeouts by configuration mode: the same for every service.</summary>
internal static class ModelDefaults
{
    public static IDefaultConfiguration Standard { get; } = Create(DefaultConfigurationMode.Standard, 3100);

    public static IDefaultConfiguration InRegion { get; } = Create(DefaultConfigurationMode.InRegion, 1100);

    public static IDefaultConfiguration CrossRegion { get; } = Create(DefaultConfigurationMode.CrossRegion, 3100);

    public static IDefaultConfiguration Mobile { get; } = Create(DefaultConfigurationMode.Mobile, 30000);

    public static IDefaultConfiguration Auto { get; } = Create(DefaultConfigurationMode.Auto, 1100);

    public static ReadOnlyCollection<IDefaultConfiguration> All { get; } = new([Standard, InRegion, CrossRegion, Mobile, Auto]);

    private static DefaultConfiguration Create(DefaultConfigurationMode mode, int milliseconds) => new()
    {
        Name = mode,
        RetryMode = RequestRetryMode.Standard,
        S3UsEast1RegionalEndpoint = S3UsEast1RegionalEndpointValue.Regional,
        ConnectTimeout = TimeSpan.FromMilliseconds(milliseconds),
        TlsNegotiationTimeout = TimeSpan.FromMilliseconds(milliseconds),
        TimeToFirstByteTimeout = null,
        HttpRequestTimeout = null,
    };
}

/// <summary>The version the user agent carries.</summary>
internal static class ClientVersion
{
    public static string Text { get; } = typeof(ClientVersion).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";
}
