using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Faults;

/// <summary>A resource type whose steps may be struck by a fault: they then fail before the service is asked.</summary>
internal sealed class FaultyProvider(ResourceProvider inner, SandboxFaults faults) : ResourceProvider
{
    public override string Type => inner.Type;

    public override string ServiceName => inner.ServiceName;

    public override Task<ProvisionedResource> CreateAsync(ProvisionContext context, JsonObject properties)
    {
        Meet(context, "Create", null);
        return inner.CreateAsync(context, properties);
    }

    public override Task<ProvisionedResource> UpdateAsync(ProvisionContext context, string physicalId, JsonObject before, JsonObject after)
    {
        Meet(context, "Update", physicalId);
        return inner.UpdateAsync(context, physicalId, before, after);
    }

    public override Task DeleteAsync(ProvisionContext context, string physicalId, JsonObject properties)
    {
        Meet(context, "Delete", physicalId);
        return inner.DeleteAsync(context, physicalId, properties);
    }

    public override Task<JsonObject?> ReadAsync(ProvisionContext context, string physicalId) => inner.ReadAsync(context, physicalId);

    public override bool RequiresReplacement(string property, JsonObject before, JsonObject after) => inner.RequiresReplacement(property, before, after);

    public override bool ReportsAbsent(string property) => inner.ReportsAbsent(property);

    public override Task<ProvisionedResource?> ImportAsync(ProvisionContext context, IReadOnlyDictionary<string, string> identifier, JsonObject properties) =>
        inner.ImportAsync(context, identifier, properties);

    private void Meet(ProvisionContext context, string step, string? physicalId)
    {
        if (faults.StrikeResource(step, Type, context.LogicalId, physicalId, context.Request.Region) is { } fault)
        {
            throw new ServiceFault(fault.Rule.ErrorCode ?? "ServiceInternalError", fault.Rule.Message ?? "Internal Failure", fault.Rule.ErrorCode is null ? 500 : 400);
        }
    }
}
