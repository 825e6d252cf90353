using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

/// <summary>Resource values from a list: <c>Vpc</c> for Ref, <c>Db.Endpoint.Address</c> for an attribute.</summary>
internal sealed class KnownValues(params (string Name, string Value)[] values) : IResourceValues
{
    private readonly Dictionary<string, string> _values = values.ToDictionary(v => v.Name, v => v.Value);

    public Value? Ref(string logicalId) => _values.TryGetValue(logicalId, out var value) ? new StringValue(value) : null;

    public Value? Attribute(string logicalId, string name) => Ref(logicalId + "." + name);
}
