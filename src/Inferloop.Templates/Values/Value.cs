using System.Globalization;
using System.Text.Json.Nodes;

namespace Inferloop.Templates;

/// <summary>An evaluated value of a template. Immutable.</summary>
public abstract class Value
{
    private static readonly IReadOnlyList<Value> s_noItems = [];
    private static readonly IReadOnlyList<string> s_noSources = [];

    private protected Value(SourceLocation? location, IReadOnlyList<string>? sources = null)
    {
        Location = location;
        Sources = sources ?? s_noSources;
    }

    /// <summary>Where the value stands in the template, when it came from one.</summary>
    public SourceLocation? Location { get; }

    /// <summary>
    /// The resource attributes this value was made from, such as <c>Db.Endpoint.Address</c> or, in a nested stack,
    /// <c>Network/Vpc</c>; also when they are known. Empty for values that depend on no resource.
    /// </summary>
    public IReadOnlyList<string> Sources { get; }

    /// <summary>Whether the value, with everything in it, is known before the stack is deployed.</summary>
    public abstract bool IsKnown { get; }

    /// <summary>Whether the value must not be shown (a NoEcho parameter or a secret); <see cref="object.ToString"/> masks it.</summary>
    public virtual bool IsSecret => false;

    /// <summary>The items of a list; empty for anything else.</summary>
    public virtual IReadOnlyList<Value> Items => s_noItems;

    /// <summary>The value under a key of a map; null when absent or not a map.</summary>
    /// <param name="key">The key.</param>
    public virtual Value? this[string key] => null;

    /// <summary>Makes a value from JSON.</summary>
    /// <param name="node">The JSON; null gives <see cref="NullValue"/>.</param>
    /// <returns>The value.</returns>
    public static Value FromJson(JsonNode? node)
    {
        switch (node)
        {
            case null:
                return NullValue.Instance;
            case JsonArray array:
                return new ListValue([.. array.Select(FromJson)]);
            case JsonObject map:
                if (map.Count == 1 && map.TryGetPropertyValue(UnknownValue.Marker, out var sources))
                {
                    return new UnknownValue(sources is JsonArray many ? [.. many.Select(s => s?.ToString() ?? "")] : [sources?.ToString() ?? ""]);
                }

                return new MapValue(map.Select(p => KeyValuePair.Create(p.Key, FromJson(p.Value))));
            default:
                return node.GetValueKind() switch
                {
                    System.Text.Json.JsonValueKind.True => new BooleanValue(true),
                    System.Text.Json.JsonValueKind.False => new BooleanValue(false),
                    System.Text.Json.JsonValueKind.Number => new NumberValue(node.ToJsonString()),
                    System.Text.Json.JsonValueKind.Null => NullValue.Instance,
                    _ => new StringValue(node.ToString()),
                };
        }
    }

    /// <summary>The value as JSON. An unknown part becomes <c>{"Fn::Unknown": "Db.Endpoint.Address"}</c>.</summary>
    /// <returns>The JSON, secrets included.</returns>
    public abstract JsonNode? ToJson();

    /// <summary>A scalar in CloudFormation's string form (<c>true</c>, <c>80</c>).</summary>
    /// <returns>The text; null when this is not a scalar, or not known.</returns>
    public virtual string? AsString() => null;

    /// <summary>The value as a number, when it is one or reads as one.</summary>
    /// <param name="number">The number.</param>
    /// <returns>Whether it is one.</returns>
    public bool TryGetNumber(out decimal number)
    {
        number = 0;
        return this is NumberValue or StringValue && decimal.TryParse(AsString(), NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>The value as a boolean, when it is one or reads as one.</summary>
    /// <param name="value">The boolean.</param>
    /// <returns>Whether it is one.</returns>
    public bool TryGetBoolean(out bool value) => bool.TryParse(AsString(), out value);

    /// <summary>The text to show a person: JSON, with secrets masked and unknown values named.</summary>
    /// <returns>The text.</returns>
    public override string ToString()
    {
        var text = new System.Text.StringBuilder();
        ValueText.Append(text, this, top: true);
        return text.ToString();
    }

    /// <summary>Whether two values mean the same to CloudFormation: scalars by their string form, maps whatever the order of keys.</summary>
    /// <param name="a">One.</param>
    /// <param name="b">The other.</param>
    /// <returns>Whether they are the same.</returns>
    public static bool Same(Value? a, Value? b)
    {
        if (ReferenceEquals(a, b))
        {
            return true;
        }

        switch (a, b)
        {
            case (null, _) or (_, null):
                return false;
            case (UnknownValue x, UnknownValue y):
                return x.Expression == y.Expression && x.Sources.SequenceEqual(y.Sources);
            case (UnknownValue, _) or (_, UnknownValue):
                return false;
            case (ListValue x, ListValue y):
                if (x.Items.Count != y.Items.Count)
                {
                    return false;
                }

                for (var i = 0; i < x.Items.Count; i++)
                {
                    if (!Same(x.Items[i], y.Items[i]))
                    {
                        return false;
                    }
                }

                return true;
            case (MapValue x, MapValue y):
                return x.Count == y.Count && x.Entries.All(e => Same(e.Value, y[e.Key]));
            case (NullValue, NullValue):
                return true;
            default:
                var left = a.AsString();
                var right = b.AsString();
                return left is not null && right is not null && (left == right || (a is NumberValue or StringValue && b is NumberValue or StringValue
                    && (a is NumberValue || b is NumberValue) && a.TryGetNumber(out var m) && b.TryGetNumber(out var n) && m == n));
        }
    }
}
