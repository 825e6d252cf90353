using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Values as they are written, functions not evaluated.</summary>
internal static class Literals
{
    public static Value ToValue(Node node) => node switch
    {
        ScalarNode scalar => Scalar(scalar),
        SequenceNode list => new ListValue([.. list.Items.Select(ToValue)], list.Location),
        MappingNode map => new MapValue(map.Entries.Select(e => KeyValuePair.Create(e.Key, ToValue(e.Value))), map.Location),
        _ => throw new InvalidOperationException($"A node of type {node.GetType().Name} is unknown."),
    };

    public static Value Scalar(ScalarNode scalar) => scalar.Kind switch
    {
        ScalarKind.Boolean => new BooleanValue(scalar.Text == "true", scalar.Location),
        ScalarKind.Integer or ScalarKind.Float => new NumberValue(scalar.Text, scalar.Location),
        _ => new StringValue(scalar.Text, scalar.Location),
    };
}
