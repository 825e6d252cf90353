using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Runtime;

/// <summary>A call over the wire that reached a service, with what became of it.</summary>
/// <param name="Context">Who called, where and when.</param>
/// <param name="Service">The service.</param>
/// <param name="Operation">The operation's name.</param>
/// <param name="Input">What it was called with.</param>
/// <param name="Output">What it answered; null when it failed.</param>
/// <param name="Fault">Why it failed; null when it did not.</param>
internal sealed record ApiCall(RequestContext Context, SandboxService Service, string Operation, JsonObject Input, JsonObject? Output, ServiceFault? Fault);
