namespace Inferloop.Operations.Releases;

/// <summary>What is asked of a history, wherever the application runs.</summary>
internal static class ReleaseHistory
{
    /// <summary>The release that is under way or else the newest, or the one of an id; null for none.</summary>
    public static InferloopRelease? Find(IReadOnlyList<InferloopRelease> history, string? id) =>
        id is null ? history.FirstOrDefault(r => r.IsOpen) ?? (history.Count > 0 ? history[0] : null) : history.FirstOrDefault(r => r.Id == id);

    /// <summary>What brings back the release of an id, or the last good one of another image than the one that runs; null for none.</summary>
    public static ReleaseRequest? Earlier(IReadOnlyList<InferloopRelease> history, string? id, string? image)
    {
        var to = id is not null ? history.FirstOrDefault(r => r.Id == id) : history.FirstOrDefault(r => r.Status == ReleaseStatus.Succeeded && r.Image != image);

        // What served once passed its gate then; going back must not fail because its weaknesses are known by now. What the first release took over
        // from was no release, and is known all the same.
        return to is null ? id is null && history.FirstOrDefault(r => r.Status == ReleaseStatus.Succeeded && r.Image == image)?.PreviousImage is { } first && first.Contains(".dkr.ecr.", StringComparison.Ordinal)
                ? new ReleaseRequest { Image = first, Unscanned = true } : null : new ReleaseRequest { Image = to.Image, Version = to.Version.Length > 0 ? to.Version : null, Restores = to.Id, Unscanned = true };
    }
}
