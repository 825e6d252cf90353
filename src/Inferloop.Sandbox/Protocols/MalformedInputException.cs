namespace Inferloop.Sandbox.Protocols;

/// <summary>A body that its protocol cannot read as the operation's input. Each protocol has its own error for it.</summary>
internal sealed class MalformedInputException(string message) : Exception(message)
{
    /// <summary>The offending value, for protocols whose message quotes it.</summary>
    public string? Value { get; init; }

    /// <summary>The member it was given for.</summary>
    public string? Member { get; init; }
}
