using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Turns a syntax tree into a <see cref="Template"/>, reporting everything whose shape is wrong at once.</summary>
internal sealed class TemplateBuilder
{
    private static readonly string[] s_sections =
    [
        "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Transform", "Resources", "Outputs", "Hooks",
    ];

    private readonly List<Diagnostic> _diagnostics;
    private readonly Template _template;
    private readonly MappingNode _root;

    private TemplateBuilder(Template template, MappingNode root, List<Diagnostic> diagnostics)
    {
        _template = template;
        _root = root;
        _diagnostics = diagnostics;
    }

    public static Template Build(string text, string? file)
    {
        var reading = new NodeReading(file);
        var content = text.StartsWith('\uFEFF') ? text[1..] : text;
        var template = new Template(content, file) { IsJson = content.AsSpan().TrimStart() is ['{', ..] };
        if (template.Size > Template.MaximumSize)
        {
            throw reading.Fatal(DiagnosticCodes.LimitExceeded, $"The template has {template.Size:N0} bytes; CloudFormation takes at most {Template.MaximumSize:N0}.", null);
        }

        if (string.IsNullOrWhiteSpace(content))
        {
            throw reading.Fatal(DiagnosticCodes.InvalidYaml, "The template is empty.", new SourceLocation(file, 1, 1));
        }

        Node root;
        if (template.IsJson)
        {
            root = JsonReader.Read(content, reading);
        }
        else
        {
            (root, template.FirstAlias) = YamlReader.Read(content, reading);
        }

        if (root is not MappingNode map)
        {
            throw reading.Fatal(DiagnosticCodes.InvalidStructure, $"A template is a mapping with a Resources section; this is {root.Describe()}.", root.Location);
        }

        template.Root = map;
        var builder = new TemplateBuilder(template, map, reading.Diagnostics);
        builder.BuildSections();
        if (reading.Diagnostics.Exists(d => d.Severity == DiagnosticSeverity.Error))
        {
            throw new TemplateException(reading.Diagnostics);
        }

        builder.AddFindings();
        template.Diagnostics = reading.Diagnostics;
        return template;
    }

    private void Error(string code, string message, SourceLocation? location, string? path = null) =>
        _diagnostics.Add(new Diagnostic(code, DiagnosticSeverity.Error, message, location, path));

    private void BuildSections()
    {
        foreach (var entry in _root.Entries)
        {
            if (entry.Key == "Fn::Transform")
            {
                Error(DiagnosticCodes.UnsupportedTransform, Macros.Explain(entry.Value), entry.KeyLocation);
            }
            else if (!s_sections.Contains(entry.Key, StringComparer.Ordinal))
            {
                Error(DiagnosticCodes.UnknownSection, $"'{entry.Key}' is not a section of a template.{Suggestion.For(entry.Key, s_sections)}", entry.KeyLocation);
            }
        }

        if (_root["AWSTemplateFormatVersion"] is { } version && version is not ScalarNode { Text: "2010-09-09" })
        {
            Error(DiagnosticCodes.InvalidStructure, "AWSTemplateFormatVersion must be '2010-09-09'.", version.Location);
        }

        if (_root["Description"] is { } description)
        {
            _template.Description = Text(description, "Description");
        }

        if (_root["Metadata"] is { } metadata)
        {
            _template.Metadata = Literals.ToValue(metadata);
        }

        _template.Transforms = ReadTransforms();
        _template.Parameters = ReadParameters();
        _template.Mappings = ReadMappings();
        var conditionLoops = false;
        var resourceLoops = false;
        var outputLoops = false;
        _template.Conditions = ReadSection("Conditions", ref conditionLoops, (entry, _) => new TemplateCondition(entry.Key, entry.KeyLocation, entry.Value));
        _template.Rules = ReadRules();
        _template.Resources = ReadSection("Resources", ref resourceLoops, ReadResource);
        _template.Outputs = ReadSection("Outputs", ref outputLoops, ReadOutput);
        _template.Loops = new TemplateLoops(resourceLoops, outputLoops, conditionLoops);
        if (_root.Find("Resources") is null)
        {
            Error(DiagnosticCodes.InvalidStructure, "At least one Resources member must be defined: the template has no Resources section.", _root.Location);
        }
        else if (_root["Resources"] is MappingNode { Count: 0 } empty)
        {
            Error(DiagnosticCodes.InvalidStructure, "At least one Resources member must be defined: the Resources section is empty.", empty.Location);
        }
    }

    private List<string> ReadTransforms()
    {
        var transforms = new List<string>();
        if (_root["Transform"] is not { } node)
        {
            return transforms;
        }

        foreach (var item in node is SequenceNode list ? list.Items : [node])
        {
            switch (item)
            {
                case ScalarNode name:
                    transforms.Add(name.Text);
                    break;
                case MappingNode map when map["Name"] is ScalarNode name:
                    transforms.Add(name.Text);
                    break;
                default:
                    Error(DiagnosticCodes.InvalidStructure, $"Transform is the name of a macro, or a list of names, not {item.Describe()}.", item.Location);
                    break;
            }
        }

        return transforms;
    }

    private string? Text(Node node, string what)
    {
        if (node is ScalarNode scalar)
        {
            return scalar.Text;
        }

        Error(DiagnosticCodes.InvalidStructure, $"{what} must be a string, not {node.Describe()}.", node.Location);
        return null;
    }

    private Dictionary<string, T> ReadSection<T>(string section, ref bool loops, Func<MappingEntry, string, T?> read)
        where T : class
    {
        var result = new Dictionary<string, T>(StringComparer.Ordinal);
        if (!TrySection(section, out var map))
        {
            return result;
        }

        foreach (var entry in map.Entries)
        {
            if (entry.Key.StartsWith("Fn::ForEach::", StringComparison.Ordinal))
            {
                loops = true;
                if (!_template.HasLanguageExtensions)
                {
                    Error(DiagnosticCodes.TransformRequired, "Fn::ForEach needs 'Transform: AWS::LanguageExtensions' at the top of the template.", entry.KeyLocation, entry.Key);
                }
            }
            else if (entry.Key == "Fn::Transform")
            {
                Error(DiagnosticCodes.UnsupportedTransform, Macros.Explain(entry.Value), entry.KeyLocation, section);
            }
            else
            {
                CheckName(section, entry);
                if (read(entry, entry.Key) is { } item)
                {
                    result[entry.Key] = item;
                }
            }
        }

        return result;
    }

    private void CheckName(string section, MappingEntry entry)
    {
        if (section == "Conditions" ? entry.Key.Length == 0 : !Names.IsAlphanumeric(entry.Key))
        {
            Error(DiagnosticCodes.InvalidName, $"'{entry.Key}' cannot be a name in {section}: only letters and digits are allowed.", entry.KeyLocation);
        }
        else if (entry.Key.Length > Names.MaximumLength)
        {
            Error(DiagnosticCodes.InvalidName, $"The name '{entry.Key[..40]}…' in {section} has {entry.Key.Length} characters; at most {Names.MaximumLength} are allowed.", entry.KeyLocation);
        }
    }

    private bool TrySection(string section, out MappingNode map)
    {
        map = null!;
        switch (_root[section])
        {
            case null:
                return false;
            case MappingNode found:
                map = found;
                return true;
            case { } other:
                Error(DiagnosticCodes.InvalidStructure, $"{section} must be a mapping, not {other.Describe()}.", other.Location);
                return false;
        }
    }

    private Dictionary<string, TemplateParameter> ReadParameters()
    {
        var result = new Dictionary<string, TemplateParameter>(StringComparer.Ordinal);
        if (!TrySection("Parameters", out var map))
        {
            return result;
        }

        foreach (var entry in map.Entries)
        {
            CheckName("Parameters", entry);
            if (new ParameterReader(Error).Read(entry) is { } parameter)
            {
                result[entry.Key] = parameter;
            }
        }

        return result;
    }

    private Dictionary<string, TemplateMapping> ReadMappings()
    {
        var result = new Dictionary<string, TemplateMapping>(StringComparer.Ordinal);
        if (!TrySection("Mappings", out var map))
        {
            return result;
        }

        foreach (var entry in map.Entries)
        {
            if (entry.Key == "Fn::Transform")
            {
                Error(DiagnosticCodes.UnsupportedTransform, Macros.Explain(entry.Value), entry.KeyLocation, "Mappings");
                continue;
            }

            CheckName("Mappings", entry);
            if (entry.Value is not MappingNode levels)
            {
                Error(DiagnosticCodes.InvalidStructure, $"The mapping '{entry.Key}' must hold a mapping of keys, not {entry.Value.Describe()}.", entry.Value.Location);
                continue;
            }

            result[entry.Key] = new TemplateMapping(entry.Key, entry.KeyLocation, ReadLevels(entry.Key, levels));
        }

        return result;
    }

    private Dictionary<string, IReadOnlyDictionary<string, Value>> ReadLevels(string mapping, MappingNode levels)
    {
        var result = new Dictionary<string, IReadOnlyDictionary<string, Value>>(StringComparer.Ordinal);
        foreach (var level in levels.Entries)
        {
            var values = new Dictionary<string, Value>(StringComparer.Ordinal);
            if (level.Value is MappingNode inner)
            {
                foreach (var leaf in inner.Entries)
                {
                    if (leaf.Value is MappingNode nested)
                    {
                        Error(DiagnosticCodes.InvalidStructure, "Values of a mapping are strings or lists; functions and deeper mappings are not allowed here.", nested.Location, $"Mappings.{mapping}.{level.Key}.{leaf.Key}");
                    }
                    else
                    {
                        values[leaf.Key] = Literals.ToValue(leaf.Value);
                    }
                }
            }
            else
            {
                Error(DiagnosticCodes.InvalidStructure, $"'{level.Key}' must hold a mapping of second-level keys, not {level.Value.Describe()}.", level.Value.Location, $"Mappings.{mapping}");
            }

            result[level.Key] = values;
        }

        return result;
    }

    private Dictionary<string, TemplateRule> ReadRules()
    {
        var result = new Dictionary<string, TemplateRule>(StringComparer.Ordinal);
        if (!TrySection("Rules", out var map))
        {
            return result;
        }

        foreach (var entry in map.Entries)
        {
            if (entry.Value is not MappingNode rule || rule["Assertions"] is not SequenceNode list)
            {
                Error(DiagnosticCodes.InvalidStructure, $"The rule '{entry.Key}' must have a list of Assertions.", entry.Value.Location, $"Rules.{entry.Key}");
                continue;
            }

            var assertions = new List<TemplateAssertion>();
            foreach (var item in list.Items)
            {
                if (item is MappingNode assertion && assertion["Assert"] is { } assert)
                {
                    assertions.Add(new TemplateAssertion(assert, (assertion["AssertDescription"] as ScalarNode)?.Text));
                }
                else
                {
                    Error(DiagnosticCodes.InvalidStructure, "An assertion has an Assert, and perhaps an AssertDescription.", item.Location, $"Rules.{entry.Key}");
                }
            }

            result[entry.Key] = new TemplateRule(entry.Key, entry.KeyLocation, rule["RuleCondition"], assertions);
        }

        return result;
    }

    private TemplateResource? ReadResource(MappingEntry entry, string logicalId) => ResourceReader.Read(entry, logicalId, Error);

    private TemplateOutput? ReadOutput(MappingEntry entry, string name) => ResourceReader.ReadOutput(entry, name, Error);

    private void AddFindings()
    {
        if (_template.FirstAlias is { } alias)
        {
            _diagnostics.Add(new Diagnostic(DiagnosticCodes.AliasUsed, DiagnosticSeverity.Warning,
                "CloudFormation itself refuses YAML aliases and merges; write the value out, or let Inferloop package the template.", alias, null));
        }

        TemplateLimits.Check(_template, _diagnostics);
    }
}
