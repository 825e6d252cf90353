using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecs;

internal enum ImageBehaviour
{
    Serves,
    Unhealthy,
    Exits,
}

/// <summary>
/// Nothing runs in the sandbox, so what an image does is read from its tag: one that contains <c>missing</c> cannot be pulled, one with
/// <c>crash</c> exits, one with <c>unhealthy</c> fails its health checks; all others serve, those with <c>faulty</c> one request in five with
/// an error, those with <c>slow</c> five times as slowly. Images of the sandbox's own ECR must exist there, and one that is named by its
/// digest does what any of its tags says.
/// </summary>
internal static class ContainerImages
{
    public static ImageBehaviour BehaviourOf(RequestContext context, string image)
    {
        var tags = TagsOf(context, image);
        return tags.Any(tag => tag.Contains("crash", StringComparison.Ordinal)) ? ImageBehaviour.Exits
            : tags.Any(tag => tag.Contains("unhealthy", StringComparison.Ordinal)) ? ImageBehaviour.Unhealthy
            : ImageBehaviour.Serves;
    }

    /// <summary>The digest of an image: ECR's own, or for images of other registries one that follows from the name.</summary>
    public static string? DigestOf(RequestContext context, string image) => TagOf(image) is var tag && tag.StartsWith("sha256:", StringComparison.Ordinal) ? tag
        : Registry(context, image) is { } registry ? context.Runtime.Service<Ecr.EcrService>().Find(registry, RepositoryOf(image), tag)?.Text("digest")
        : "sha256:" + Ec2.Ec2Service.StableHex(image, 64);

    private static IReadOnlyList<string> TagsOf(RequestContext context, string image) => Registry(context, image) is { } registry
        && context.Runtime.Service<Ecr.EcrService>().Find(registry, RepositoryOf(image), TagOf(image)) is { } found ? found.Texts("tags") : [TagOf(image)];

    private static RequestContext? Registry(RequestContext context, string image) => image.Split('/')[0].Split('.') is [var account, "dkr", "ecr", var region, ..] ? context.With(account, region) : null;

    /// <summary>The share of requests that an image answers with an error by itself.</summary>
    public static double ErrorShareOf(RequestContext context, string image) => TagsOf(context, image).Any(tag => tag.Contains("faulty", StringComparison.Ordinal)) ? 0.2 : 0;

    /// <summary>How many times as long as others an image takes for a request.</summary>
    public static double SlownessOf(RequestContext context, string image) => TagsOf(context, image).Any(tag => tag.Contains("slow", StringComparison.Ordinal)) ? 5 : 1;

    /// <summary>Why an image cannot be pulled; null when it can.</summary>
    public static string? PullProblem(RequestContext context, string image)
    {
        var notFound = $"pull image manifest has been retried 1 time(s): failed to resolve ref {Full(image)}: {Full(image)}: not found";
        if (TagOf(image).Contains("missing", StringComparison.Ordinal))
        {
            return notFound;
        }
        return Registry(context, image) is { } registry && context.Runtime.Service<Ecr.EcrService>().Find(registry, RepositoryOf(image), TagOf(image)) is null ? notFound : null;
    }

    private static string RepositoryOf(string image)
    {
        var path = image[(image.IndexOf('/', StringComparison.Ordinal) + 1)..];
        return path.Split('@')[0].Split(':')[0];
    }

    private static string TagOf(string image)
    {
        var last = image.Split('/')[^1];
        return last.Contains('@', StringComparison.Ordinal) ? last[(last.IndexOf('@', StringComparison.Ordinal) + 1)..]
            : last.Contains(':', StringComparison.Ordinal) ? last[(last.IndexOf(':', StringComparison.Ordinal) + 1)..]
            : "latest";
    }

    private static string Full(string image) => image.Split('/')[0].Contains('.', StringComparison.Ordinal) ? image
        : image.Contains('/', StringComparison.Ordinal) ? "docker.io/" + image : "docker.io/library/" + image;
}

/// <summary>Where a container's secrets come from.</summary>
internal static class SecretSources
{
    /// <summary>Whether a secret's source exists: a secret's ARN (with key, stage and version after it) or a parameter.</summary>
    public static bool Exists(RequestContext context, string valueFrom)
    {
        if (valueFrom.Contains(":secretsmanager:", StringComparison.Ordinal))
        {
            return context.Runtime.Service<SecretsManager.SecretsManagerService>().Exists(context, string.Join(':', valueFrom.Split(':').Take(7)));
        }
        var name = valueFrom.Contains(":parameter/", StringComparison.Ordinal) ? "/" + valueFrom[(valueFrom.IndexOf(":parameter/", StringComparison.Ordinal) + ":parameter/".Length)..] : valueFrom;
        return context.Runtime.Service<Ssm.SsmService>().Exists(context, name) || context.Runtime.Service<Ssm.SsmService>().Exists(context, name.TrimStart('/'));
    }
}
