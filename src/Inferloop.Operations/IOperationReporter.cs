namespace Inferloop.Operations;

/// <summary>Where an operation tells how it goes. The cmdlets stand behind it; an operation never sees them.</summary>
public interface IOperationReporter
{
    /// <summary>Detail for who asked for it.</summary>
    /// <param name="message">The text.</param>
    void Verbose(string message);

    /// <summary>Something a user should know that stops nothing.</summary>
    /// <param name="message">The text.</param>
    void Warning(string message);

    /// <summary>How far it is.</summary>
    /// <param name="progress">The state of things.</param>
    void Progress(OperationProgress progress);
}

/// <summary>How far an operation is.</summary>
/// <param name="Activity">What is being done, the same over the whole operation.</param>
/// <param name="Status">What is happening at the moment.</param>
/// <param name="Percent">0 to 100; -1 when unknown.</param>
/// <param name="Remaining">A forecast; null when there is none.</param>
/// <param name="Completed">The activity is over and its bar goes.</param>
public sealed record OperationProgress(string Activity, string Status, int Percent = -1, TimeSpan? Remaining = null, bool Completed = false);

/// <summary>For operations that nobody watches.</summary>
public sealed class SilentReporter : IOperationReporter
{
    /// <summary>The one instance.</summary>
    public static SilentReporter Instance { get; } = new();

    /// <inheritdoc/>
    public void Verbose(string message)
    {
    }

    /// <inheritdoc/>
    public void Warning(string message)
    {
    }

    /// <inheritdoc/>
    public void Progress(OperationProgress progress)
    {
    }
}
