namespace Inferloop.PowerShell.Session;

/// <summary>An image in the sandbox's ECR.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Tag">The tag, which says what it does.</param>
/// <param name="Image">The image by its digest, as Publish-InferloopRelease takes it.</param>
public sealed record InferloopSandboxImage(string Repository, string Tag, string Image)
{
    /// <summary>Repository and tag.</summary>
    public override string ToString() => $"{Repository}:{Tag}";
}
