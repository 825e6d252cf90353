using System.Globalization;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Checks properties as written against the resource specification, both branches of every Fn::If.</summary>
internal sealed class PropertyChecker(TemplateNames names, List<Diagnostic> diagnostics)
{
    private List<Diagnostic> _diagnostics = diagnostics;

    public void Check(ResourceTypeSpecification type, Node? properties, SourceLocation location, string id)
    {
        switch (properties)
        {
            case null:
                CheckRequired(type.Properties, null, type.Name, location, id + ".Properties");
                break;
            case MappingNode map when !(map.Count == 1 && Functions.IsFunction(map[0].Key)):
                CheckObject(type.Properties, map, type.Name, id + ".Properties");
                break;
        }
    }

    private void Error(string code, string message, SourceLocation location, string path) =>
        _diagnostics.Add(new Diagnostic(code, DiagnosticSeverity.Error, message, location, path));

    private void CheckObject(IReadOnlyDictionary<string, PropertySpecification> properties, MappingNode map, string owner, string path)
    {
        foreach (var entry in map.Entries)
        {
            if (entry.Key.StartsWith("Fn::", StringComparison.Ordinal) || entry.Key.Contains("${", StringComparison.Ordinal) || entry.Key.Contains("&{", StringComparison.Ordinal))
            {
                continue;
            }

            if (!properties.TryGetValue(entry.Key, out var property))
            {
                Error(DiagnosticCodes.UnknownProperty, $"{owner} has no property '{entry.Key}'.{Suggestion.For(entry.Key, properties.Keys)}", entry.KeyLocation, $"{path}.{entry.Key}");
            }
            else
            {
                CheckValue(entry.Value, property.Type, property, $"{path}.{entry.Key}");
            }
        }

        CheckRequired(properties, map, owner, map.Location, path);
    }

    private void CheckRequired(IReadOnlyDictionary<string, PropertySpecification> properties, MappingNode? map, string owner, SourceLocation location, string path)
    {
        if (map is not null && map.Entries.Any(e => e.Key.StartsWith("Fn::", StringComparison.Ordinal)))
        {
            return; // a loop or a macro may make the rest
        }

        foreach (var property in properties.Values)
        {
            if (property.Required && (map?[property.Name] is not { } value || IsNoValue(value)))
            {
                Error(DiagnosticCodes.MissingProperty, $"{owner} needs the property '{property.Name}'.", location, path);
            }
        }
    }

    private static bool IsNoValue(Node node) => node is MappingNode { Count: 1 } map && map[0].Key == "Ref" && map[0].Value is ScalarNode { Text: "AWS::NoValue" };

    private void CheckValue(Node node, PropertyTypeSpecification type, PropertySpecification? property, string path)
    {
        if (node is MappingNode { Count: 1 } call && Functions.IsFunction(call[0].Key))
        {
            CheckFunction(call[0].Key, call[0].Value, type, property, path);
            return;
        }

        switch (type.Kind)
        {
            case PropertyKind.Json:
                return;
            case PropertyKind.Union:
                CheckUnion(node, type, property, path);
                return;
            case PropertyKind.List:
                if (node is SequenceNode list)
                {
                    for (var i = 0; i < list.Items.Count; i++)
                    {
                        CheckValue(list.Items[i], type.Element!, property, $"{path}[{i.ToString(CultureInfo.InvariantCulture)}]");
                    }
                }
                else
                {
                    Wrong(node, "a list", path);
                }

                return;
            case PropertyKind.Map:
                if (node is MappingNode map)
                {
                    foreach (var entry in map.Entries.Where(e => !e.Key.StartsWith("Fn::", StringComparison.Ordinal)))
                    {
                        CheckValue(entry.Value, type.Element!, property, $"{path}.{entry.Key}");
                    }
                }
                else
                {
                    Wrong(node, "a mapping", path);
                }

                return;
            case PropertyKind.Object:
                if (node is MappingNode nested)
                {
                    CheckObject(type.Nested!.Properties, nested, type.Nested.Name, path);
                }
                else
                {
                    Wrong(node, $"a mapping ({type.Nested!.Name})", path);
                }

                return;
            case PropertyKind.Tag:
                CheckTag(node, path);
                return;
            default:
                CheckScalar(node, type.Kind, property, path);
                return;
        }
    }

    private void Wrong(Node node, string expected, string path) =>
        Error(DiagnosticCodes.InvalidPropertyValue, $"This must be {expected}, not {node.Describe()}.", node.Location, path);

    private void CheckTag(Node node, string path)
    {
        if (node is not MappingNode map)
        {
            Wrong(node, "a tag with Key and Value", path);
            return;
        }

        foreach (var needed in new[] { "Key", "Value" })
        {
            if (map[needed] is null && !map.Entries.Any(e => e.Key.StartsWith("Fn::", StringComparison.Ordinal)))
            {
                Error(DiagnosticCodes.MissingProperty, $"A tag needs a {needed}.", map.Location, path);
            }
        }
    }

    private void CheckScalar(Node node, PropertyKind kind, PropertySpecification? property, string path)
    {
        var (expected, fits) = kind switch
        {
            PropertyKind.Integer => ("a whole number", node is ScalarNode { Text: var t } && long.TryParse(t, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)),
            PropertyKind.Number => ("a number", node is ScalarNode { Text: var t } && decimal.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out _)),
            PropertyKind.Boolean => ("true or false", node is ScalarNode { Text: var t } && bool.TryParse(t, out _)),
            _ => ("a string", node is ScalarNode),
        };
        if (node is ScalarNode { Text: var dynamic } && dynamic.Contains("{{resolve:", StringComparison.Ordinal))
        {
            return;
        }

        if (!fits)
        {
            Error(DiagnosticCodes.InvalidPropertyValue, $"This must be {expected}, not {(node is ScalarNode scalar ? $"'{scalar.Text}'" : node.Describe())}.", node.Location, path);
        }
        else if (property is { AllowedValues.Count: > 0 } && node is ScalarNode { Text: var text } && !property.AllowedValues.Contains(text, StringComparer.Ordinal))
        {
            var shown = property.AllowedValues.Count <= 12 ? $" They are {string.Join(", ", property.AllowedValues)}." : "";
            _diagnostics.Add(new Diagnostic(DiagnosticCodes.InvalidPropertyValue, DiagnosticSeverity.Warning,
                $"'{text}' is not one of the values known for {property.Name}.{Suggestion.For(text, property.AllowedValues)}{shown}", node.Location, path));
        }
    }

    private void CheckUnion(Node node, PropertyTypeSpecification type, PropertySpecification? property, string path)
    {
        var outer = _diagnostics;
        List<Diagnostic>? fewest = null;
        foreach (var alternative in type.Alternatives)
        {
            _diagnostics = [];
            CheckValue(node, alternative, property, path);
            if (fewest is null || _diagnostics.Count < fewest.Count)
            {
                fewest = _diagnostics;
            }
        }

        _diagnostics = outer;
        _diagnostics.AddRange(fewest ?? []);
    }

    private void CheckFunction(string function, Node argument, PropertyTypeSpecification type, PropertySpecification? property, string path)
    {
        if (function == "Fn::If")
        {
            foreach (var branch in (argument as SequenceNode)?.Items.Skip(1) ?? [])
            {
                CheckValue(branch, type, property, path);
            }

            return;
        }

        var result = Result(function, argument);
        var wantsList = type.Kind == PropertyKind.List;
        var wantsScalar = type.Kind is PropertyKind.String or PropertyKind.Integer or PropertyKind.Number or PropertyKind.Boolean or PropertyKind.DateTime;
        if (result == FunctionResult.Text && wantsList)
        {
            Error(DiagnosticCodes.InvalidPropertyValue, $"This must be a list; {Name(function, argument)} gives a string.", argument.Location, path);
        }
        else if (result == FunctionResult.List && wantsScalar)
        {
            Error(DiagnosticCodes.InvalidPropertyValue, $"This must be a single value; {Name(function, argument)} gives a list.", argument.Location, path);
        }
    }

    private static string Name(string function, Node argument) => function == "Ref" && argument is ScalarNode name ? $"'{name.Text}'" : function;

    private FunctionResult Result(string function, Node argument)
    {
        switch (function)
        {
            case "Fn::Sub" or "Fn::Join" or "Fn::Base64" or "Fn::ToJsonString":
                return FunctionResult.Text;
            case "Fn::Split" or "Fn::GetAZs" or "Fn::Cidr":
                return FunctionResult.List;
            case "Ref" when argument is ScalarNode name:
                if (names.Template.Parameters.TryGetValue(name.Text, out var parameter))
                {
                    return parameter.IsList ? FunctionResult.List : FunctionResult.Text;
                }

                return name.Text == "AWS::NotificationARNs" ? FunctionResult.List
                    : name.Text == "AWS::NoValue" ? FunctionResult.Unknown
                    : name.Text.StartsWith("AWS::", StringComparison.Ordinal) || names.Types.ContainsKey(name.Text) ? FunctionResult.Text
                    : FunctionResult.Unknown;
            default:
                return FunctionResult.Unknown;
        }
    }

    private enum FunctionResult
    {
        Unknown,
        Text,
        List,
    }
}
