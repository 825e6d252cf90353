using System.Globalization;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Checks references by name over the whole template, and finds names that nothing refers to.</summary>
internal sealed class ReferenceChecker(Template template, TemplateNames names, List<Diagnostic> diagnostics)
{
    private readonly HashSet<string> _usedParameters = new(StringComparer.Ordinal);
    private readonly HashSet<string> _usedConditions = new(StringComparer.Ordinal);
    private readonly HashSet<string> _usedMappings = new(StringComparer.Ordinal);
    private readonly Stack<string> _loopIdentifiers = new();
    private bool _computedMapping;

    public void Check()
    {
        foreach (var section in template.Root.Entries)
        {
            if (section.Key is "Resources" or "Outputs" or "Conditions" or "Rules" or "Hooks")
            {
                Walk(section.Value, section.Key is "Resources" ? "" : section.Key, section.Key == "Conditions");
            }
        }

        foreach (var (id, node) in names.Resources)
        {
            if (node["Condition"] is ScalarNode condition)
            {
                Condition(condition, id + ".Condition");
            }

            foreach (var item in node["DependsOn"] is SequenceNode list ? list.Items : node["DependsOn"] is { } one ? [one] : [])
            {
                if (item is ScalarNode name && !names.Types.ContainsKey(name.Text) && !MayBeComputed(name.Text))
                {
                    Error(DiagnosticCodes.UnresolvedReference, $"DependsOn names '{name.Text}', which is not a resource of this template.{Suggestion.For(name.Text, names.Types.Keys)}", name.Location, id + ".DependsOn");
                }
            }
        }

        foreach (var output in template.Outputs.Values)
        {
            if (output.Node["Condition"] is ScalarNode condition)
            {
                Condition(condition, $"Outputs.{output.Name}.Condition");
            }
        }
    }

    public void ReportUnused()
    {
        foreach (var parameter in template.Parameters.Values.Where(p => !_usedParameters.Contains(p.Name)))
        {
            Warn($"The parameter '{parameter.Name}' is not used.", parameter.Location, "Parameters." + parameter.Name);
        }

        foreach (var condition in template.Conditions.Values.Where(c => !_usedConditions.Contains(c.Name)))
        {
            Warn($"The condition '{condition.Name}' is not used.", condition.Location, "Conditions." + condition.Name);
        }

        foreach (var mapping in template.Mappings.Values.Where(m => !_computedMapping && !_usedMappings.Contains(m.Name)))
        {
            Warn($"The mapping '{mapping.Name}' is not used.", mapping.Location, "Mappings." + mapping.Name);
        }
    }

    private void Error(string code, string message, SourceLocation location, string path) =>
        diagnostics.Add(new Diagnostic(code, DiagnosticSeverity.Error, message, location, path));

    private void Warn(string message, SourceLocation location, string path) =>
        diagnostics.Add(new Diagnostic(DiagnosticCodes.Unused, DiagnosticSeverity.Warning, message, location, path));

    private bool MayBeComputed(string name) => names.HasComputedResources || name.Contains("${", StringComparison.Ordinal) || name.Contains("&{", StringComparison.Ordinal);

    private void Walk(Node node, string path, bool conditions)
    {
        switch (node)
        {
            case SequenceNode list:
                for (var i = 0; i < list.Items.Count; i++)
                {
                    Walk(list.Items[i], $"{path}[{i.ToString(CultureInfo.InvariantCulture)}]", conditions);
                }

                break;
            case MappingNode { Count: 1 } map when Functions.IsFunction(map[0].Key):
                Function(map[0].Key, map[0].Value, path, conditions);
                break;
            case MappingNode { Count: 1 } map when map[0].Key == "Condition" && map[0].Value is ScalarNode name && (conditions || path.StartsWith("Rules", StringComparison.Ordinal)):
                Condition(name, path);
                break;
            case MappingNode map:
                foreach (var entry in map.Entries)
                {
                    var inner = path.Length == 0 ? entry.Key : path + "." + entry.Key;
                    if (entry.Key.StartsWith("Fn::ForEach::", StringComparison.Ordinal) && entry.Value is SequenceNode { Items: [ScalarNode identifier, var collection, var body] })
                    {
                        Walk(collection, inner, conditions);
                        _loopIdentifiers.Push(identifier.Text);
                        Walk(body, path, conditions);
                        _loopIdentifiers.Pop();
                    }
                    else
                    {
                        Walk(entry.Value, inner, conditions);
                    }
                }

                break;
        }
    }

    private void Function(string function, Node argument, string path, bool conditions)
    {
        switch (function)
        {
            case "Ref" or "Fn::ValueOf" or "Fn::ValueOfAll" when argument is ScalarNode name:
                Name(name.Text, name.Location, path, conditions);
                return;
            case "Fn::ValueOf" when argument is SequenceNode { Items: [ScalarNode name, ..] }:
                Name(name.Text, name.Location, path, conditions);
                return;
            case "Fn::RefAll" when argument is ScalarNode type:
                _usedParameters.UnionWith(template.Parameters.Values.Where(p => p.Type == type.Text || ParameterTypes.ListElement(p.Type) == type.Text).Select(p => p.Name));
                return;
            case "Fn::GetAtt":
                GetAtt(argument, path);
                break;
            case "Fn::Sub":
                Sub(argument, path, conditions);
                return;
            case "Fn::If" when argument is SequenceNode { Items: [ScalarNode condition, ..] }:
                Condition(condition, path);
                break;
            case "Fn::FindInMap" when argument is SequenceNode { Items: [var mapping, ..] }:
                Mapping(mapping, argument, path);
                break;
            default:
                if (!Functions.All.Contains(function, StringComparer.Ordinal))
                {
                    Error(DiagnosticCodes.UnknownFunction, $"'{function}' is not a function of CloudFormation.{Suggestion.For(function, Functions.All)}", argument.Location, path);
                }

                break;
        }

        foreach (var item in argument is SequenceNode list ? list.Items : [argument])
        {
            Walk(item, path, conditions);
        }
    }

    private void Mapping(Node mapping, Node argument, string path)
    {
        if (mapping is not ScalarNode name)
        {
            _computedMapping = true;
            return;
        }

        _usedMappings.Add(name.Text);
        var hasDefault = argument is SequenceNode { Items.Count: 4 };
        if (!template.Mappings.ContainsKey(name.Text) && !hasDefault && !name.Text.Contains("${", StringComparison.Ordinal))
        {
            Error(DiagnosticCodes.MappingKeyNotFound, $"The template has no mapping '{name.Text}'.{Suggestion.For(name.Text, template.Mappings.Keys)}", name.Location, path);
        }
    }

    private void Condition(ScalarNode name, string path)
    {
        _usedConditions.Add(name.Text);
        if (!template.Conditions.ContainsKey(name.Text) && !names.HasComputedConditions && !name.Text.Contains("${", StringComparison.Ordinal))
        {
            Error(DiagnosticCodes.UnresolvedReference, $"The template has no condition '{name.Text}'.{Suggestion.For(name.Text, template.Conditions.Keys)}", name.Location, path);
        }
    }

    private void Sub(Node argument, string path, bool conditions)
    {
        var text = argument as ScalarNode ?? (argument is SequenceNode { Items: [ScalarNode first, ..] } ? first : null);
        var map = argument is SequenceNode { Items: [_, MappingNode second, ..] } ? second : null;
        foreach (var piece in text?.Sub.Pieces ?? [])
        {
            if (!piece.IsVariable || map?[piece.Text] is not null)
            {
                continue;
            }

            var dot = piece.Text.IndexOf('.', StringComparison.Ordinal);
            if (dot > 0)
            {
                Attribute(piece.Text[..dot], piece.Text[(dot + 1)..], text!.Location, path);
            }
            else
            {
                Name(piece.Text, text!.Location, path, conditions);
            }
        }

        if (map is not null)
        {
            Walk(map, path, conditions);
        }
    }

    private void Name(string name, SourceLocation location, string path, bool conditions)
    {
        _usedParameters.Add(name);
        if (template.Parameters.ContainsKey(name) || (name.StartsWith("AWS::", StringComparison.Ordinal) && ExpressionEvaluator.PseudoParameters.Contains(name)) || _loopIdentifiers.Contains(name))
        {
            return;
        }

        if (names.Types.ContainsKey(name))
        {
            if (conditions)
            {
                Error(DiagnosticCodes.UnresolvedReference, $"'{name}' is a resource; a condition can refer to parameters and mappings only.", location, path);
            }
        }
        else if (!MayBeComputed(name))
        {
            Error(DiagnosticCodes.UnresolvedReference, $"'{name}' is neither a parameter nor a resource of this template.{Suggestion.For(name, template.Parameters.Keys.Concat(names.Types.Keys).Concat(ExpressionEvaluator.PseudoParameters))}", location, path);
        }
    }

    private void GetAtt(Node argument, string path)
    {
        var text = argument switch
        {
            ScalarNode scalar => scalar.Text,
            SequenceNode { Items: [ScalarNode first, .. ] } list when list.Items.All(i => i is ScalarNode) && first.Text.Length > 0 => string.Join('.', list.Items.Select(i => ((ScalarNode)i).Text)),
            _ => null,
        };
        if (text?.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot)
        {
            Attribute(text[..dot], text[(dot + 1)..], argument.Location, path);
        }
    }

    private void Attribute(string name, string attribute, SourceLocation location, string path)
    {
        if (!names.Types.TryGetValue(name, out var type))
        {
            if (!MayBeComputed(name))
            {
                Error(DiagnosticCodes.UnresolvedReference, $"'{name}' is not a resource of this template.{Suggestion.For(name, names.Types.Keys)}", location, path);
            }

            return;
        }

        if (attribute.Contains("${", StringComparison.Ordinal) || TemplateChecker.IsOpen(type) || ResourceSpecification.Default.Find(type) is not { } specification)
        {
            return;
        }

        var known = type == "AWS::CloudFormation::Stack"
            ? attribute.StartsWith("Outputs.", StringComparison.Ordinal)
            : specification.Attributes.ContainsKey(attribute) || specification.Attributes.Keys.Any(a => attribute.StartsWith(a + ".", StringComparison.Ordinal))
                || type.StartsWith("AWS::CloudFormation::", StringComparison.Ordinal) || type == "AWS::ServiceCatalog::CloudFormationProvisionedProduct";
        if (!known)
        {
            Error(DiagnosticCodes.UnknownAttribute,
                type == "AWS::CloudFormation::Stack"
                    ? $"A nested stack has the attributes Outputs.<name> only, not '{attribute}'."
                    : $"{type} has no attribute '{attribute}'.{Suggestion.For(attribute, specification.Attributes.Keys)}{(specification.Attributes.Count is > 0 and <= 8 ? $" It has {string.Join(", ", specification.Attributes.Keys)}." : "")}",
                location, path);
        }
    }
}
