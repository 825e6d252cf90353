using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.CloudFormation;

internal sealed partial class CloudFormationService
{
    private void RegisterPolicies()
    {
        On("SetStackPolicy", (context, input) =>
        {
            var stack = Find(context, Text(input, "StackName"));
            if (Optional(input, "StackPolicyBody") is not null && Optional(input, "StackPolicyURL") is not null)
            {
                throw Invalid("You cannot specify both StackPolicyURL and StackPolicyBody");
            }
            stack.Policy = PolicyText(context, input, "StackPolicyBody", "StackPolicyURL") ?? throw Invalid("Either StackPolicyBody or StackPolicyURL must be specified.");
            return [];
        });
        On("GetStackPolicy", (context, input) => new JsonObject { ["StackPolicyBody"] = Find(context, Text(input, "StackName")).Policy });
    }
}
