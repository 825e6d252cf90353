using System.Collections.Concurrent;
using System.Text;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Hosting;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.S3;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>Templates at S3 addresses, read from the sandbox's own S3.</summary>
internal sealed partial class S3TemplateSource(SandboxRuntime runtime, RequestContext context, IReadOnlyDictionary<string, Template>? known = null) : INestedTemplateSource
{
    private readonly ConcurrentDictionary<string, Template> loaded = new(StringComparer.Ordinal);

    public async ValueTask<Template> LoadAsync(string templateUrl, Template parent, CancellationToken cancellationToken)
    {
        try
        {
            return await LoadAsync(templateUrl).ConfigureAwait(false);
        }
        catch (ServiceFault fault)
        {
            throw new TemplateException([new Diagnostic(DiagnosticCodes.NestedTemplate, DiagnosticSeverity.Error, fault.Message, null, null)]);
        }
    }

    /// <summary>The template at an address; a fault in CloudFormation's words where there is none.</summary>
    public Task<Template> LoadAsync(string url)
    {
        if (known is not null && known.TryGetValue(url, out var template))
        {
            return Task.FromResult(template);
        }
        return Task.FromResult(loaded.GetOrAdd(url, address => TemplateReader.Parse(ReadText(address))));
    }

    /// <summary>The text at an S3 address.</summary>
    public string ReadText(string url, string what = "TemplateURL", int maximum = Template.MaximumSize)
    {
        if (Locate(url) is not { } location)
        {
            throw new ServiceFault("ValidationError", $"{what} must be a supported URL.");
        }
        try
        {
            var data = runtime.Service<S3Service>().Read(context, location.Bucket, location.Key, location.VersionId);
            return data.Length <= maximum
                ? Encoding.UTF8.GetString(data.Span)
                : throw new ServiceFault("ValidationError", $"Template may not exceed {maximum} bytes in size.");
        }
        catch (ServiceFault fault) when (fault.Code is "NoSuchKey" or "NoSuchBucket" or "AccessDenied" or "NoSuchVersion" or "MethodNotAllowed")
        {
            throw new ServiceFault("ValidationError", fault.Code == "AccessDenied"
                ? "S3 error: Access Denied\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
                : $"S3 error: {fault.Message}\nFor more information check http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html");
        }
    }

    /// <summary>Bucket and key of an address: path style (S3's own or the sandbox's) or virtual-host style.</summary>
    private (string Bucket, string Key, string? VersionId)? Locate(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http" or "s3"))
        {
            return null;
        }
        var query = Protocols.ServiceRequest.ParseQuery(uri.Query.TrimStart('?'));
        var version = query.FirstOrDefault(pair => pair.Key == "versionId").Value;
        var path = Uri.UnescapeDataString(uri.AbsolutePath).TrimStart('/');
        if (uri.Scheme == "s3")
        {
            return path.Length > 0 ? (uri.Host, path, version) : null;
        }
        if (VirtualHost.BucketOf(uri.Host) is { } bucket)
        {
            return path.Length > 0 ? (bucket, path, version) : null;
        }
        var own = runtime.Endpoint is { } endpoint && uri.Port == endpoint.Port && (uri.IsLoopback || uri.Host == endpoint.Host);
        if (!own && !AmazonHost().IsMatch(uri.Host))
        {
            return null;
        }
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && slash < path.Length - 1 ? (path[..slash], path[(slash + 1)..], version) : null;
    }

    [GeneratedRegex(@"^s3[.\-][a-z0-9.\-]*amazonaws\.com(\.cn)?$", RegexOptions.IgnoreCase)]
    private static partial Regex AmazonHost();
}
