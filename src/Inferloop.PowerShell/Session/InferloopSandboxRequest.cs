namespace Inferloop.PowerShell.Session;

/// <summary>A request that the sandbox answered. It holds no credentials and no bodies.</summary>
/// <param name="Time">When it arrived.</param>
/// <param name="ClockTime">When it arrived, on the sandbox's clock.</param>
/// <param name="Service">The service; empty when it was not recognised.</param>
/// <param name="Operation">The operation; empty when it was not recognised.</param>
/// <param name="Region">The region it was signed for.</param>
/// <param name="AccountId">The caller's account.</param>
/// <param name="Status">The HTTP status answered; 0 when the connection was closed without an answer.</param>
/// <param name="ErrorCode">AWS's code of the error; null when there was none.</param>
/// <param name="RequestId">The request id answered.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="FaultId">The id of the injected fault that struck it; null when none did.</param>
public sealed record InferloopSandboxRequest(
    DateTimeOffset Time, DateTimeOffset ClockTime, string Service, string Operation, string Region, string AccountId, int Status, string? ErrorCode, string RequestId, TimeSpan Duration, string? FaultId);
