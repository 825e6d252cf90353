using System.Text.RegularExpressions;
using Amazon.S3;
using Amazon.S3.Model;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <summary>Nested templates as they were packaged, read back from the control bucket.</summary>
internal sealed partial class PackagedTemplateSource(IAmazonS3 s3) : INestedTemplateSource
{
    public async ValueTask<Template> LoadAsync(string templateUrl, Template parent, CancellationToken ct)
    {
        var match = Address().Match(templateUrl);
        if (!match.Success)
        {
            throw new OperationException("TemplateNotFound", OperationErrorKind.NotFound, $"'{templateUrl}' is not where this module puts templates.", "Update the environment with its current templates.", templateUrl);
        }

        using var answer = await s3.GetObjectAsync(new GetObjectRequest { BucketName = match.Groups["bucket"].Value, Key = match.Groups["key"].Value }, ct).ConfigureAwait(false);
        using var reader = new StreamReader(answer.ResponseStream);
        return Template.Parse(await reader.ReadToEndAsync(ct).ConfigureAwait(false), templateUrl);
    }

    [GeneratedRegex(@"^https://(?<bucket>[a-z0-9][a-z0-9.-]+)\.s3[.-][a-z0-9-]+\.amazonaws\.com(\.cn)?/(?<key>.+)$", RegexOptions.CultureInvariant)]
    private static partial Regex Address();
}
