using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class CloudFormationService
{
    /// <summary>Told of every signal for a resource.</summary>
    public event Action<StackRecord, string, string, bool>? Signalled;

    private void RegisterSignals() => On("SignalResource", SignalResource);

    private JsonObject SignalResource(RequestContext context, JsonObject input)
    {
        var stack = Find(context, Text(input, "StackName"));
        var logicalId = Text(input, "LogicalResourceId");
        ResourceRecord record;
        lock (stack.Gate)
        {
            record = stack.Resources.GetValueOrDefault(logicalId)
                ?? throw Invalid($"Resource {logicalId} does not exist for stack {stack.Name}");
        }
        if (!record.Status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal))
        {
            throw Invalid($"Resource {logicalId} is in {record.Status} state and can not be signaled");
        }
        Signalled?.Invoke(stack, logicalId, Text(input, "UniqueId"), Text(input, "Status") == "SUCCESS");
        return [];
    }
}
