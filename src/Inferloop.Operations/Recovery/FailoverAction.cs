namespace Inferloop.Operations.Recovery;

/// <summary>How a step is done and taken back. Both look first: what is done already is left, so that either can be repeated after a process died in the middle.</summary>
/// <param name="Run">Does it; gives the evidence, or null when the environment has no such part after all.</param>
/// <param name="Undo">Takes it back; null where that cannot be.</param>
internal sealed record FailoverAction(Func<FailoverContext, CancellationToken, Task<string?>> Run, Func<FailoverContext, CancellationToken, Task>? Undo = null);
