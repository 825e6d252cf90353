using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Amazon.S3;
using Amazon.S3.Model;

namespace Inferloop.Operations.Environments;

/// <summary>A root template ready for CloudFormation: nested templates are in S3, and so is the root when it is too long to send.</summary>
/// <param name="Body">The root template with the nested templates' addresses; null when <paramref name="Url"/> is given.</param>
/// <param name="Url">Where the root template is; null when it is sent as a body.</param>
/// <param name="Uploaded">Keys that did not exist before.</param>
internal sealed record PackagedTemplate(string? Body, string? Url, IReadOnlyList<string> Uploaded);

/// <summary>
/// Puts nested templates where CloudFormation can read them. An object's name is made from its content, so that the
/// same template is uploaded once, and a stack keeps the very template it was made from.
/// </summary>
internal sealed partial class TemplatePackager(IAmazonS3 s3, string bucket, string region, string dnsSuffix)
{
    /// <summary>The longest template CloudFormation takes in a request, in bytes.</summary>
    public const int BodyLimit = 51_200;

    /// <summary>The longest template CloudFormation takes from S3, in bytes.</summary>
    public const int ObjectLimit = 1_048_576;

    /// <summary>Where templates lie that stacks were made from.</summary>
    public const string Shared = "templates/";

    /// <param name="path">The root template's file; nested templates are named relative to it.</param>
    /// <param name="prefix">Where in the bucket new objects go.</param>
    /// <param name="cancellation">Stops the upload.</param>
    public async Task<PackagedTemplate> PackageAsync(string path, string prefix, CancellationToken cancellation)
    {
        var uploaded = new List<string>();
        var text = await ResolveAsync(path, prefix, uploaded, [], cancellation).ConfigureAwait(false);
        if (Encoding.UTF8.GetByteCount(text) <= BodyLimit)
        {
            return new PackagedTemplate(text, null, uploaded);
        }

        return new PackagedTemplate(null, await UploadAsync(text, path, prefix, uploaded, cancellation).ConfigureAwait(false), uploaded);
    }

    /// <summary>Puts the nested templates into the bucket and gives the root template's text with their addresses, however long it is.</summary>
    public Task<string> TextAsync(string path, CancellationToken cancellation) => ResolveAsync(path, Shared, [], [], cancellation);

    /// <summary>The nested templates' addresses in a template's text, as written.</summary>
    internal static IEnumerable<string> NestedNames(string text) => NestedUrl().Matches(text).Select(m => m.Groups["url"].Value).Where(IsLocal);

    private static bool IsLocal(string url) => url.Length > 0 && !url.Contains("://", StringComparison.Ordinal) && url[0] is not ('!' or '{' or '$');

    private async Task<string> ResolveAsync(string path, string prefix, List<string> uploaded, IReadOnlyList<string> above, CancellationToken cancellation)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (above.Contains(full))
        {
            throw new OperationException("TemplateCycle", OperationErrorKind.InvalidArgument, $"The template '{full}' nests itself.", "Break the circle of nested templates.", full);
        }

        string text;
        try
        {
            text = await File.ReadAllTextAsync(full, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OperationException("TemplateNotFound", OperationErrorKind.NotFound, $"The template '{full}' does not exist.", above.Count > 0 ? $"Correct its name in '{above[^1]}'." : "Correct the path.", full, e);
        }

        foreach (var name in NestedNames(text).Distinct().ToList())
        {
            var file = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(full)!, name);
            var nested = await ResolveAsync(file, prefix, uploaded, [.. above, full], cancellation).ConfigureAwait(false);
            var url = await UploadAsync(nested, file, prefix, uploaded, cancellation).ConfigureAwait(false);
            text = NestedUrl().Replace(text, m => m.Groups["url"].Value == name ? m.Groups["before"].Value + url + m.Groups["after"].Value : m.Value);
        }

        return text;
    }

    private async Task<string> UploadAsync(string text, string path, string prefix, List<string> uploaded, CancellationToken cancellation)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > ObjectLimit)
        {
            throw new OperationException("TemplateTooLarge", OperationErrorKind.LimitExceeded, $"The template '{path}' has {bytes.Length:N0} bytes; CloudFormation takes at most {ObjectLimit:N0}, from S3 too.", "Divide it into nested templates.", path);
        }

        // What is there already is used from there, also by a preview: an unchanged template keeps its address, and is no change.
        var name = $"{Convert.ToHexString(SHA256.HashData(bytes)).ToLowerInvariant()}{System.IO.Path.GetExtension(path)}";
        var key = Shared + name;
        if (!await ExistsAsync(key, cancellation).ConfigureAwait(false))
        {
            key = prefix + name;
            using var content = new MemoryStream(bytes);
            await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = key, InputStream = content, ContentType = "application/x-yaml" }, cancellation).ConfigureAwait(false);
            uploaded.Add(key);
        }

        return $"https://{bucket}.s3.{region}.{dnsSuffix}/{key}";
    }

    private async Task<bool> ExistsAsync(string key, CancellationToken cancellation)
    {
        try
        {
            await s3.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = bucket, Key = key }, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Removes objects for good, all versions of them: a preview leaves nothing.</summary>
    public async Task RemoveAsync(IEnumerable<string> keys, CancellationToken cancellation)
    {
        foreach (var key in keys)
        {
            var versions = await s3.ListVersionsAsync(new ListVersionsRequest { BucketName = bucket, Prefix = key }, cancellation).ConfigureAwait(false);
            foreach (var version in (versions.Versions ?? []).Where(v => v.Key == key))
            {
                await s3.DeleteObjectAsync(new DeleteObjectRequest { BucketName = bucket, Key = version.Key, VersionId = version.VersionId }, cancellation).ConfigureAwait(false);
            }
        }
    }

    // One line of YAML (plain or quoted), or of JSON. Block scalars and intrinsics are addresses already.
    [GeneratedRegex("""(?<before>^[ \t]*"?TemplateURL"?[ \t]*:[ \t]*["']?)(?<url>[^"'#\r\n]+?)(?<after>["']?[ \t]*,?[ \t]*(#[^\r\n]*)?\r?$)""", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex NestedUrl();
}
