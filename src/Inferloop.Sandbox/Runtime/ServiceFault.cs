using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Runtime;

/// <summary>An error of an AWS service: whatever the protocol, the caller receives this code, message and status.</summary>
internal sealed class ServiceFault : Exception
{
    /// <param name="code">The error's code as AWS names it: the name of the modelled error shape or its wire code.</param>
    /// <param name="message">AWS's message.</param>
    /// <param name="status">The HTTP status; a modelled error's own status wins when this is left at 400.</param>
    /// <param name="members">Further members of the modelled error shape.</param>
    public ServiceFault(string code, string message, int status = 400, JsonObject? members = null)
        : base(message)
    {
        Code = code;
        Status = status;
        Members = members;
    }

    public string Code { get; }

    public int Status { get; }

    public JsonObject? Members { get; }

    /// <summary>Response headers that belong to the error (S3's redirects and conditional answers).</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>An operation of a known service that the sandbox does not have: said openly, never a made-up success.</summary>
    public static ServiceFault NotImplemented(string service, string operation) => new(
        "NotImplemented",
        $"The sandbox does not implement {operation} of {service}. Nothing was changed.",
        501);
}
