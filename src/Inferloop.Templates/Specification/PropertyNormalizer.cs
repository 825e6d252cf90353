using System.Globalization;

namespace Inferloop.Templates;

/// <summary>
/// Gives evaluated properties the types that the resource specification has them in (a parameter's "80" becomes 80 where a number
/// belongs), as CloudFormation does before it calls the service, and resolves dynamic references.
/// </summary>
internal static class PropertyNormalizer
{
    private static readonly PropertyTypeSpecification s_string = new(PropertyKind.String);

    public static Value Normalize(MapValue properties, ResourceTypeSpecification? type, Func<string, string, Value?>? dynamicReferences) =>
        NormalizeMap(properties, type?.Properties, dynamicReferences);

    private static MapValue NormalizeMap(MapValue map, IReadOnlyDictionary<string, PropertySpecification>? properties, Func<string, string, Value?>? resolve)
    {
        KeyValuePair<string, Value>[]? changed = null;
        for (var i = 0; i < map.Entries.Count; i++)
        {
            var (key, value) = map.Entries[i];
            var normalized = Normalize(value, properties?.GetValueOrDefault(key)?.Type, resolve);
            if (!ReferenceEquals(normalized, value))
            {
                changed ??= [.. map.Entries];
                changed[i] = KeyValuePair.Create(key, normalized);
            }
        }

        return changed is null ? map : new MapValue(changed, map.Location);
    }

    private static Value Normalize(Value value, PropertyTypeSpecification? type, Func<string, string, Value?>? resolve)
    {
        switch (value)
        {
            case MapValue map:
                if (type?.Kind == PropertyKind.Map)
                {
                    return NormalizeElements(map, type.Element, resolve);
                }

                if (type?.Kind == PropertyKind.Tag)
                {
                    return NormalizeElements(map, s_string, resolve);
                }

                var nested = type?.Kind == PropertyKind.Object ? type.Nested
                    : type?.Kind == PropertyKind.Union ? type.Alternatives.FirstOrDefault(a => a.Kind == PropertyKind.Object)?.Nested
                    : null;
                return NormalizeMap(map, nested?.Properties, resolve);
            case ListValue list:
                return NormalizeList(list, type?.Kind == PropertyKind.List ? type.Element : null, resolve);
            default:
                if (resolve is not null && value is StringValue text && text.Text.Contains("{{resolve:", StringComparison.Ordinal))
                {
                    value = DynamicReference.Resolve(text, resolve);
                }

                return type is null ? value : Convert(value, type.Kind);
        }
    }

    private static MapValue NormalizeElements(MapValue map, PropertyTypeSpecification? element, Func<string, string, Value?>? resolve)
    {
        KeyValuePair<string, Value>[]? changed = null;
        for (var i = 0; i < map.Entries.Count; i++)
        {
            var (key, value) = map.Entries[i];
            var normalized = Normalize(value, element, resolve);
            if (!ReferenceEquals(normalized, value))
            {
                changed ??= [.. map.Entries];
                changed[i] = KeyValuePair.Create(key, normalized);
            }
        }

        return changed is null ? map : new MapValue(changed, map.Location);
    }

    private static ListValue NormalizeList(ListValue list, PropertyTypeSpecification? element, Func<string, string, Value?>? resolve)
    {
        Value[]? changed = null;
        for (var i = 0; i < list.Items.Count; i++)
        {
            var normalized = Normalize(list.Items[i], element, resolve);
            if (!ReferenceEquals(normalized, list.Items[i]))
            {
                changed ??= [.. list.Items];
                changed[i] = normalized;
            }
        }

        return changed is null ? list : new ListValue(changed, list.Location);
    }

    private static Value Convert(Value value, PropertyKind kind)
    {
        switch (kind)
        {
            case PropertyKind.String or PropertyKind.DateTime when value is NumberValue or BooleanValue:
                return new StringValue(value.AsString()!, value.Location, false, value.Sources);
            case PropertyKind.Integer when value is StringValue { IsSecret: false } && long.TryParse(value.AsString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer):
                return new NumberValue(integer.ToString(CultureInfo.InvariantCulture), value.Location, value.Sources);
            case PropertyKind.Number when value is StringValue { IsSecret: false } && decimal.TryParse(value.AsString(), NumberStyles.Float, CultureInfo.InvariantCulture, out _):
                return new NumberValue(value.AsString()!.Trim(), value.Location, value.Sources);
            case PropertyKind.Boolean when value is StringValue && value.TryGetBoolean(out var boolean):
                return new BooleanValue(boolean, value.Location);
            default:
                return value;
        }
    }
}
