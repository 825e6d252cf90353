using Inferloop.Templates;

namespace Inferloop.Cdk;

/// <summary>Template values as the dictionaries, arrays and strings that go to the CDK.</summary>
internal static class PlainValues
{
    public static object Of(Value value) => value switch
    {
        MapValue map => map.Entries.ToDictionary(e => e.Key, e => Of(e.Value)),
        ListValue list => list.Items.Select(Of).ToArray(),
        BooleanValue boolean => boolean.Value,
        _ => value.AsString() ?? "",
    };
}
