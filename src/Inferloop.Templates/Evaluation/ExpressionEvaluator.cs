using System.Globalization;
using System.Text;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>
/// Evaluates expressions of one stack. Errors are collected, and an expression in error gives an unknown value without
/// sources, so that one mistake is reported once and all mistakes are reported. One instance serves one thread.
/// </summary>
internal sealed partial class ExpressionEvaluator
{
    /// <summary>The value of an expression in error.</summary>
    private static readonly UnknownValue s_failed = new([]);

    private readonly StackModel _model;
    private readonly IResourceValues? _values;
    private readonly List<Diagnostic> _diagnostics;
    private readonly List<(string? Key, int Index)> _path = [];
    private string _root = "";
    private bool _withoutResources;

    public ExpressionEvaluator(StackModel model, IResourceValues? values, List<Diagnostic> diagnostics)
    {
        _model = model;
        _values = values;
        _diagnostics = diagnostics;
    }

    private EvaluationContext Context => _model.Context;

    public void ThrowIfErrors()
    {
        if (_diagnostics.Exists(d => d.Severity == DiagnosticSeverity.Error))
        {
            throw new TemplateException(_diagnostics);
        }
    }

    public MapValue EvaluateProperties(TemplateResource resource)
    {
        if (resource.Properties is not { } node)
        {
            return MapValue.Empty;
        }

        var properties = EvaluatePart(resource.LogicalId + ".Properties", node) as MapValue ?? MapValue.Empty;
        return (MapValue)PropertyNormalizer.Normalize(properties, ResourceSpecification.Default.Find(resource.Type), Context.DynamicReferences);
    }

    /// <summary>Evaluates a part of the template named by a path, for messages.</summary>
    public Value EvaluatePart(string path, Node node)
    {
        _root = path;
        _path.Clear();
        return Evaluate(node);
    }

    /// <summary>Evaluates where resources cannot be referred to: conditions, rules, loops.</summary>
    public Value EvaluateWithoutResources(string path, Node node)
    {
        _withoutResources = true;
        try
        {
            return EvaluatePart(path, node);
        }
        finally
        {
            _withoutResources = false;
        }
    }

    public Dictionary<string, EvaluatedOutput> EvaluateOutputs()
    {
        var outputs = new Dictionary<string, EvaluatedOutput>(StringComparer.Ordinal);
        foreach (var (name, output) in _model.Outputs)
        {
            if (output.Condition is { } condition && !DecideCondition(condition, output.Node["Condition"]!.Location, "Outputs." + name + ".Condition"))
            {
                continue;
            }

            var value = EvaluatePart($"Outputs.{name}.Value", output.Node["Value"]!);
            if (value is ListValue or MapValue)
            {
                Error(DiagnosticCodes.InvalidFunction, $"The value of output '{name}' must be a string, not {Describe(value)}; use Fn::Join to make one of a list.", output.Node["Value"]!.Location);
            }
            else if (value is NoValue)
            {
                Error(DiagnosticCodes.InvalidFunction, $"The output '{name}' must have a value; AWS::NoValue is none. Use a Condition to leave it out.", output.Node["Value"]!.Location);
            }

            var description = output.Node["Description"] is { } text ? EvaluatePart($"Outputs.{name}.Description", text).AsString() : null;
            outputs[name] = new EvaluatedOutput(name, value, ExportName(name, output), description, output.Location);
        }

        return outputs;
    }

    private string? ExportName(string name, TemplateOutput output)
    {
        if ((output.Node["Export"] as MappingNode)?["Name"] is not { } node)
        {
            return null;
        }

        var value = EvaluatePart($"Outputs.{name}.Export.Name", node);
        if (value is ListValue or MapValue)
        {
            Error(DiagnosticCodes.InvalidFunction, $"The export name of output '{name}' must be a string, not {Describe(value)}.", node.Location);
        }

        return value.AsString();
    }

    public Value Evaluate(Node node)
    {
        switch (node)
        {
            case ScalarNode scalar:
                return scalar.Value;
            case SequenceNode list:
                return EvaluateList(list);
            case MappingNode map:
                return EvaluateMap(map);
            default:
                throw new InvalidOperationException($"A node of type {node.GetType().Name} is unknown.");
        }
    }

    private ListValue EvaluateList(SequenceNode list)
    {
        var items = new List<Value>(list.Items.Count);
        for (var i = 0; i < list.Items.Count; i++)
        {
            _path.Add((null, i));
            var item = Evaluate(list.Items[i]);
            _path.RemoveAt(_path.Count - 1);
            if (item is not NoValue)
            {
                items.Add(item);
            }
        }

        return new ListValue(items, list.Location);
    }

    private Value EvaluateMap(MappingNode map)
    {
        if (map.Count == 1 && Functions.IsFunction(map[0].Key))
        {
            return Call(map[0].Key, map[0].Value, map);
        }

        var entries = new List<KeyValuePair<string, Value>>(map.Count);
        foreach (var entry in map.Entries)
        {
            if (entry.Key.StartsWith("Fn::", StringComparison.Ordinal))
            {
                Error(DiagnosticCodes.InvalidFunction,
                    entry.Key.StartsWith("Fn::ForEach::", StringComparison.Ordinal)
                        ? "Fn::ForEach needs 'Transform: AWS::LanguageExtensions' at the top of the template."
                        : $"{entry.Key} must be the only key of its mapping; here it stands beside {string.Join(", ", map.Entries.Where(e => e.Key != entry.Key).Take(3).Select(e => $"'{e.Key}'"))}.",
                    entry.KeyLocation);
                continue;
            }

            _path.Add((entry.Key, 0));
            var value = Evaluate(entry.Value);
            _path.RemoveAt(_path.Count - 1);
            if (value is not NoValue)
            {
                entries.Add(KeyValuePair.Create(entry.Key, value));
            }
        }

        return new MapValue(entries.ToArray(), map.Location);
    }

    private Value Call(string function, Node argument, MappingNode call)
    {
        switch (function)
        {
            case "Ref":
                return Ref(argument);
            case "Fn::GetAtt":
                return GetAtt(argument, call);
            case "Fn::Sub":
                return Sub(argument);
            case "Fn::Join":
                return Join(argument);
            case "Fn::Split":
                return Split(argument);
            case "Fn::Select":
                return Select(argument);
            case "Fn::FindInMap":
                return FindInMap(argument);
            case "Fn::Base64":
                return Base64(argument);
            case "Fn::Cidr":
                return CidrBlocks(argument);
            case "Fn::GetAZs":
                return GetAvailabilityZones(argument);
            case "Fn::ImportValue":
                return ImportValue(argument);
            case "Fn::If":
                return If(argument);
            case "Fn::And" or "Fn::Or" or "Fn::Not" or "Fn::Equals":
                return new BooleanValue(EvaluateConditionFunction(function, argument), call.Location);
            case "Fn::Length":
                return RequireExtensions(function, call) ? Length(argument) : s_failed;
            case "Fn::ToJsonString":
                return RequireExtensions(function, call) ? ToJsonString(argument) : s_failed;
            case "Fn::Transform":
                return Fail(DiagnosticCodes.UnsupportedTransform, Macros.Explain(argument), call.Location);
            case "Fn::Contains" or "Fn::EachMemberEquals" or "Fn::EachMemberIn" or "Fn::RefAll" or "Fn::ValueOf" or "Fn::ValueOfAll":
                return Fail(DiagnosticCodes.InvalidFunction, $"{function} can be used in Rules only.", call.Location);
            default:
                return Fail(DiagnosticCodes.UnknownFunction, $"'{function}' is not a function of CloudFormation.{Suggestion.For(function, Functions.All)}", call.Location);
        }
    }

    private bool RequireExtensions(string function, Node call)
    {
        if (_model.Template.HasLanguageExtensions)
        {
            return true;
        }

        Error(DiagnosticCodes.TransformRequired, $"{function} needs 'Transform: AWS::LanguageExtensions' at the top of the template.", call.Location);
        return false;
    }

    private UnknownValue Fail(string code, string message, SourceLocation? location)
    {
        Error(code, message, location);
        return s_failed;
    }

    private void Error(string code, string message, SourceLocation? location) => Report(DiagnosticSeverity.Error, code, message, location);

    private void Report(DiagnosticSeverity severity, string code, string message, SourceLocation? location) =>
        _diagnostics.Add(new Diagnostic(code, severity, message, location, CurrentPath()));

    private string CurrentPath()
    {
        var text = new StringBuilder(_model.Path).Append(_root);
        foreach (var (key, index) in _path)
        {
            if (key is null)
            {
                text.Append('[').Append(index.ToString(CultureInfo.InvariantCulture)).Append(']');
            }
            else
            {
                text.Append('.').Append(key);
            }
        }

        return text.ToString();
    }

    private static bool IsFailed(Value value) => ReferenceEquals(value, s_failed);

    private static string Describe(Value value) => value switch
    {
        ListValue => "a list",
        MapValue => "a mapping",
        NumberValue => "a number",
        BooleanValue => "a boolean",
        NoValue => "AWS::NoValue",
        UnknownValue => "a value known only after apply",
        _ => "a string",
    };
}
