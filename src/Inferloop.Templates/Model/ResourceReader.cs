using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Reports an error about a template's shape.</summary>
internal delegate void ReportError(string code, string message, SourceLocation? location, string? path = null);

/// <summary>Reads the declarations of resources and outputs; also used for those that a Fn::ForEach makes.</summary>
internal static class ResourceReader
{
    private static readonly string[] s_attributes =
    [
        "Type", "Properties", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "CreationPolicy", "UpdatePolicy",
    ];

    private static readonly string[] s_outputAttributes = ["Value", "Description", "Export", "Condition"];

    public static TemplateResource? Read(MappingEntry entry, string logicalId, ReportError error)
    {
        if (entry.Value is not MappingNode map)
        {
            error(DiagnosticCodes.InvalidStructure, $"The resource '{logicalId}' must be a mapping, not {entry.Value.Describe()}.", entry.Value.Location, logicalId);
            return null;
        }

        foreach (var attribute in map.Entries)
        {
            if (attribute.Key == "Fn::Transform")
            {
                error(DiagnosticCodes.UnsupportedTransform, Macros.Explain(attribute.Value), attribute.KeyLocation, logicalId);
            }
            else if (!s_attributes.Contains(attribute.Key, StringComparer.Ordinal))
            {
                error(DiagnosticCodes.UnknownSection, $"A resource has no attribute '{attribute.Key}'.{Suggestion.For(attribute.Key, s_attributes)}", attribute.KeyLocation, logicalId);
            }
        }

        if (map["Type"] is not ScalarNode { Text: { Length: > 0 } type })
        {
            error(DiagnosticCodes.InvalidStructure, $"The resource '{logicalId}' must have a Type, such as AWS::S3::Bucket.", map.Find("Type")?.Value.Location ?? entry.KeyLocation, logicalId);
            return null;
        }

        if (map["Properties"] is { } properties and not MappingNode)
        {
            error(DiagnosticCodes.InvalidStructure, $"Properties must be a mapping, not {properties.Describe()}.", properties.Location, logicalId + ".Properties");
        }

        if (map["Condition"] is { } condition and not ScalarNode)
        {
            error(DiagnosticCodes.InvalidStructure, $"Condition must be the name of a condition, not {condition.Describe()}.", condition.Location, logicalId + ".Condition");
        }

        return new TemplateResource(logicalId, type, entry.KeyLocation, map)
        {
            Condition = (map["Condition"] as ScalarNode)?.Text,
            DependsOn = ReadDependsOn(map["DependsOn"], logicalId, error),
            DeletionPolicy = (map["DeletionPolicy"] as ScalarNode)?.Text,
            UpdateReplacePolicy = (map["UpdateReplacePolicy"] as ScalarNode)?.Text,
        };
    }

    public static TemplateOutput? ReadOutput(MappingEntry entry, string name, ReportError error)
    {
        var path = "Outputs." + name;
        if (entry.Value is not MappingNode map)
        {
            error(DiagnosticCodes.InvalidStructure, $"The output '{name}' must be a mapping with a Value, not {entry.Value.Describe()}.", entry.Value.Location, path);
            return null;
        }

        foreach (var attribute in map.Entries)
        {
            if (!s_outputAttributes.Contains(attribute.Key, StringComparer.Ordinal))
            {
                error(DiagnosticCodes.UnknownSection, $"An output has no attribute '{attribute.Key}'.{Suggestion.For(attribute.Key, s_outputAttributes)}", attribute.KeyLocation, path);
            }
        }

        if (map["Value"] is null)
        {
            error(DiagnosticCodes.InvalidStructure, $"The output '{name}' must have a Value.", entry.KeyLocation, path);
            return null;
        }

        if (map["Export"] is { } export && (export is not MappingNode exportMap || exportMap["Name"] is null))
        {
            error(DiagnosticCodes.InvalidStructure, "An Export must have a Name.", export.Location, path);
        }

        return new TemplateOutput(name, entry.KeyLocation, map)
        {
            Description = (map["Description"] as ScalarNode)?.Text,
            Condition = (map["Condition"] as ScalarNode)?.Text,
        };
    }

    private static List<string> ReadDependsOn(Node? node, string logicalId, ReportError error)
    {
        var result = new List<string>();
        foreach (var item in node is SequenceNode list ? list.Items : node is null ? [] : [node])
        {
            if (item is ScalarNode name)
            {
                result.Add(name.Text);
            }
            else
            {
                error(DiagnosticCodes.InvalidStructure, $"DependsOn holds names of resources, not {item.Describe()}; functions are not allowed here.", item.Location, logicalId + ".DependsOn");
            }
        }

        return result;
    }
}
