using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Releases;

/// <summary>What a release set, which a spec from a file knows nothing of.</summary>
internal static class ReleasedState
{
    /// <summary>Whether an update stops halfway until somebody approves: it brings other tasks, and all that does waits.</summary>
    public static bool WaitsForApproval(InferloopEnvironmentSpec spec, InferloopChangeSet changes) =>
        spec.Ecs.EcsEnabled && spec.Release is { ReleaseApproval: true, ReleaseStrategy: not ReleaseStrategy.Rolling } && changes.Changes.Any(c => c.Path == "Ecs/TaskDefinition");

    /// <summary>
    /// A whole spec that comes from a file was written before the last release. Its image, and the version that goes with it, give way to what runs;
    /// the groups that traffic is shifted between stay once they are there, as either may be the one that serves.
    /// </summary>
    /// <param name="spec">What the environment shall be.</param>
    /// <param name="current">What it is.</param>
    /// <param name="imageGiven">Somebody named the image in the command itself, and means it.</param>
    /// <param name="kept">What was kept, in words.</param>
    /// <param name="functionGiven">As <paramref name="imageGiven"/>, of the function's image.</param>
    public static InferloopEnvironmentSpec Keep(InferloopEnvironmentSpec spec, InferloopEnvironmentSpec current, bool imageGiven, out IReadOnlyList<string> kept, bool functionGiven = false)
    {
        var notes = new List<string>();
        kept = notes;
        var (wanted, runs) = (spec.Application.ContainerImage, current.Application.ContainerImage);
        if (!imageGiven && wanted != runs && runs.Contains("@sha256:", StringComparison.Ordinal))
        {
            notes.Add($"The image stays the released one, {runs}, not the spec's {wanted}. Publish-InferloopRelease changes it, or -ContainerImage in this command.");
            spec = spec with { Application = spec.Application with { ContainerImage = runs, ServiceVersion = current.Application.ServiceVersion } };
        }

        var (function, live) = (spec.Lambda, current.Lambda);
        if (!functionGiven && function.LambdaImage != live.LambdaImage && function.LambdaImage.Length > 0 && live.LambdaImage.Contains("@sha256:", StringComparison.Ordinal))
        {
            notes.Add($"The function's image stays the released one, {live.LambdaImage}, not the spec's {function.LambdaImage}. Publish-InferloopRelease -Target Lambda changes it, or -LambdaImage in this command.");
            spec = spec with { Lambda = function with { LambdaImage = live.LambdaImage, LambdaShift = live.LambdaShift } };
        }

        if (current.Release.ReleaseShifting && !spec.Release.ReleaseShifting)
        {
            notes.Add("The second target group stays: it may be the one that serves.");
            spec = spec with { Release = spec.Release with { ReleaseShifting = true } };
        }

        return spec;
    }
}
