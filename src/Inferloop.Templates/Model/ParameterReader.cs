using System.Globalization;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Reads the declaration of a parameter.</summary>
internal sealed class ParameterReader(ReportError error)
{
    private static readonly string[] s_attributes =
    [
        "Type", "Default", "NoEcho", "AllowedValues", "AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue", "Description", "ConstraintDescription",
    ];

    public TemplateParameter? Read(MappingEntry entry)
    {
        var path = "Parameters." + entry.Key;
        if (entry.Value is not MappingNode map)
        {
            error(DiagnosticCodes.InvalidStructure, $"The parameter '{entry.Key}' must be a mapping with a Type, not {entry.Value.Describe()}.", entry.Value.Location, path);
            return null;
        }

        foreach (var attribute in map.Entries)
        {
            if (!s_attributes.Contains(attribute.Key, StringComparer.Ordinal))
            {
                error(DiagnosticCodes.UnknownSection, $"A parameter has no attribute '{attribute.Key}'.{Suggestion.For(attribute.Key, s_attributes)}", attribute.KeyLocation, path);
            }
        }

        if (Text(map, "Type", path) is not { } type)
        {
            error(DiagnosticCodes.InvalidStructure, $"The parameter '{entry.Key}' must have a Type.", entry.KeyLocation, path);
            return null;
        }

        if (!ParameterTypes.IsKnown(type))
        {
            error(DiagnosticCodes.InvalidStructure, $"'{type}' is not a parameter type.{Suggestion.For(type, ParameterTypes.All)}", map["Type"]!.Location, path);
        }

        return new TemplateParameter(entry.Key, entry.KeyLocation)
        {
            Type = type,
            Default = Text(map, "Default", path),
            NoEcho = Text(map, "NoEcho", path) is { } noEcho && noEcho.Equals("true", StringComparison.OrdinalIgnoreCase),
            AllowedValues = ReadAllowed(map["AllowedValues"], path),
            AllowedPattern = Text(map, "AllowedPattern", path),
            MinLength = (int?)Number(map, "MinLength", path),
            MaxLength = (int?)Number(map, "MaxLength", path),
            MinValue = Number(map, "MinValue", path),
            MaxValue = Number(map, "MaxValue", path),
            Description = Text(map, "Description", path),
            ConstraintDescription = Text(map, "ConstraintDescription", path),
        };
    }

    private string? Text(MappingNode map, string key, string path)
    {
        switch (map[key])
        {
            case null:
                return null;
            case ScalarNode scalar:
                return scalar.Text;
            case { } other:
                error(DiagnosticCodes.InvalidStructure, $"{key} must be a string, not {other.Describe()}; functions are not allowed in Parameters.", other.Location, path);
                return null;
        }
    }

    private decimal? Number(MappingNode map, string key, string path)
    {
        if (Text(map, key, path) is not { } text)
        {
            return null;
        }

        if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            || (key.EndsWith("Length", StringComparison.Ordinal) && (number < 0 || number > int.MaxValue || number != decimal.Truncate(number))))
        {
            error(DiagnosticCodes.InvalidStructure, $"{key} must be a {(key.EndsWith("Length", StringComparison.Ordinal) ? "whole number, not negative" : "number")}.", map[key]!.Location, path);
            return null;
        }

        return number;
    }

    private List<string> ReadAllowed(Node? node, string path)
    {
        var result = new List<string>();
        if (node is null)
        {
            return result;
        }

        if (node is not SequenceNode list)
        {
            error(DiagnosticCodes.InvalidStructure, $"AllowedValues must be a list, not {node.Describe()}.", node.Location, path);
            return result;
        }

        foreach (var item in list.Items)
        {
            if (item is ScalarNode scalar)
            {
                result.Add(scalar.Text);
            }
            else
            {
                error(DiagnosticCodes.InvalidStructure, $"AllowedValues holds strings and numbers, not {item.Describe()}.", item.Location, path);
            }
        }

        return result;
    }
}
