using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Releases;

/// <summary>A release ready to begin: the image is known and passed its gate, the environment is locked, the change set is made.</summary>
internal sealed class PreparedRelease(InferloopEnvironment environment, ReleaseRequest request, InferloopRelease release, PreparedChange? change) : IAsyncDisposable
{
    private bool disposed;

    public InferloopEnvironment Environment { get; } = environment;

    public ReleaseRequest Request { get; } = request;

    public InferloopRelease Release { get; } = release;

    /// <summary>The update that carries it; null where one is under way already.</summary>
    public PreparedChange? Change { get; } = change;

    /// <summary>
    /// <see cref="Change"/> gives the environment its second target group, with the image that it has; the release itself follows. Apart, so that
    /// a release that is taken back never has to take back the groups and rules that its traffic comes back through.
    /// </summary>
    public bool MakesRoom { get; init; }

    /// <summary>The environment runs this image already, in this way.</summary>
    public bool Unchanged => !MakesRoom && (Change?.Empty ?? false);

    /// <summary>The same release is under way already, and is only followed.</summary>
    public bool Attached => Change is null;

    public ValueTask DisposeAsync()
    {
        // Making room ends it early, and whoever prepared it disposes of it again.
        var isFirst = !disposed;
        disposed = true;
        return isFirst && Change is not null ? Change.DisposeAsync() : ValueTask.CompletedTask;
    }
}
