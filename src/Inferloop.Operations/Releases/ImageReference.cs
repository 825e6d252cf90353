using System.Text.RegularExpressions;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Releases;

/// <summary>An image in ECR, as somebody named it.</summary>
internal sealed partial record ImageReference(string Account, string Region, string Suffix, string Repository, string? Tag, string? Digest)
{
    public string RepositoryUri => $"{Account}.dkr.ecr.{Region}.{Suffix}/{Repository}";

    /// <summary>Reads <c>account.dkr.ecr.region.amazonaws.com/repository:tag</c>, <c>repository:tag</c> of the account's own registry, or <c>:tag</c> of the environment's own repository; a digest in place of the tag as well.</summary>
    /// <exception cref="OperationException">ImageNotInEcr: it is none of these.</exception>
    public static ImageReference Parse(string image, InferloopEnvironment environment, string dnsSuffix)
    {
        var name = image;
        if (name.StartsWith(':') || name.StartsWith("@sha256:", StringComparison.Ordinal) || name.StartsWith("sha256:", StringComparison.Ordinal))
        {
            var own = environment.Outputs.GetValueOrDefault("RepositoryUri") ?? $"inferloop/{environment.Name}-{environment.Stage.ToString().ToLowerInvariant()}";
            name = own + (name.StartsWith("sha256:", StringComparison.Ordinal) ? "@" + name : name);
        }

        if (Full().Match(name) is { Success: true } full)
        {
            return new ImageReference(full.Groups["account"].Value, full.Groups["region"].Value, full.Groups["suffix"].Value, full.Groups["repository"].Value, Group(full, "tag") ?? (Group(full, "digest") is null ? "latest" : null), Group(full, "digest"));
        }

        if (Short().Match(name) is { Success: true } part && !part.Groups["repository"].Value.Split('/')[0].Contains('.', StringComparison.Ordinal))
        {
            return new ImageReference(environment.AccountId, environment.Region, dnsSuffix, part.Groups["repository"].Value, Group(part, "tag"), Group(part, "digest"));
        }

        throw new OperationException(
            "ImageNotInEcr", OperationErrorKind.InvalidArgument, $"'{image}' names no image in ECR. A release needs one whose digest and scan can be known.",
            "Give account.dkr.ecr.region.amazonaws.com/repository:tag, repository:tag of the account's own registry, or :tag of the environment's own repository.", image);
    }

    private static string? Group(Match match, string name) => match.Groups[name].Success ? match.Groups[name].Value : null;

    [GeneratedRegex(@"^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.(?<suffix>[a-z0-9.]+)/(?<repository>[a-z0-9._/-]+)(:(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(@(?<digest>sha256:[0-9a-f]{64}))?\z")]
    private static partial Regex Full();

    [GeneratedRegex(@"^(?<repository>[a-z0-9]+([._/-][a-z0-9]+)*)(?=[:@])(:(?<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(@(?<digest>sha256:[0-9a-f]{64}))?\z")]
    private static partial Regex Short();
}
