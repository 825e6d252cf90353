using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Releases;

/// <summary>Releases to one kind of place where the application runs.</summary>
internal interface IReleases
{
    /// <summary>Resolves and checks the image, and makes everything ready. With <paramref name="preview"/> only to show.</summary>
    Task<PreparedRelease> PrepareAsync(InferloopEnvironment environment, ReleaseRequest request, bool preview, CancellationToken cancellation);

    /// <summary>Begins a release, or takes up one that is under way, and follows it.</summary>
    Task<InferloopRelease> RunAsync(PreparedRelease prepared, bool wait, CancellationToken cancellation);

    /// <summary>Takes a release back that is under way.</summary>
    Task<InferloopRelease> StopAsync(InferloopEnvironment environment, InferloopRelease release, bool wait, CancellationToken cancellation);

    /// <summary>Lets a paused release go on.</summary>
    Task<InferloopRelease> ApproveAsync(InferloopEnvironment environment, InferloopRelease release, bool wait, CancellationToken cancellation);

    /// <summary>All releases, the newest first.</summary>
    Task<IReadOnlyList<InferloopRelease>> HistoryAsync(InferloopEnvironment environment, CancellationToken cancellation);

    /// <summary>The release that is under way or else the newest, or the one of an id.</summary>
    Task<InferloopRelease> FindAsync(InferloopEnvironment environment, string? id, CancellationToken cancellation);

    /// <summary>What brings back an earlier release: the one of an id, or the last good one of another image.</summary>
    Task<ReleaseRequest> UndoAsync(InferloopEnvironment environment, string? id, CancellationToken cancellation);
}
