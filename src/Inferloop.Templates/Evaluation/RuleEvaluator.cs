using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Checks the Rules section: assertions about parameters, decided before anything is created.</summary>
internal sealed class RuleEvaluator(StackModel model, List<Diagnostic> diagnostics)
{
    private readonly ExpressionEvaluator _evaluator = new(model, null, diagnostics);
    private string _path = "";

    public void CheckRules()
    {
        foreach (var rule in model.Template.Rules.Values)
        {
            _path = "Rules." + rule.Name;
            if (rule.Condition is { } condition && Decide(condition) != true)
            {
                continue;
            }

            foreach (var assertion in rule.Assertions)
            {
                switch (Decide(assertion.Node))
                {
                    case false:
                        Report(DiagnosticSeverity.Error, DiagnosticCodes.RuleFailed,
                            $"Rule {rule.Name}: {assertion.Description ?? "its assertion does not hold for these parameters"}", assertion.Node.Location);
                        break;
                    case null when !diagnostics.Exists(d => d.Path == model.Path + _path):
                        Report(DiagnosticSeverity.Information, DiagnosticCodes.Undecided,
                            $"Rule {rule.Name} can be decided by AWS only: {assertion.Description ?? "it asks for attributes of existing resources"}", assertion.Node.Location);
                        break;
                }
            }
        }
    }

    private void Report(DiagnosticSeverity severity, string code, string message, SourceLocation location) =>
        diagnostics.Add(new Diagnostic(code, severity, message, location, model.Path + _path));

    private bool? Invalid(string message, Node node)
    {
        Report(DiagnosticSeverity.Error, DiagnosticCodes.InvalidFunction, message, node.Location);
        return null;
    }

    /// <summary>Decides a rule function; null when only AWS can (or it is in error).</summary>
    private bool? Decide(Node node)
    {
        if (node is not MappingNode { Count: 1 } call)
        {
            return Invalid($"A rule is made of functions such as Fn::Equals and Fn::Contains, not {node.Describe()}.", node);
        }

        var (function, argument) = (call[0].Key, call[0].Value);
        var items = (argument as SequenceNode)?.Items ?? [];
        switch (function)
        {
            case "Fn::Not" when items is [var only]:
                return !Decide(only);
            case "Fn::And" when items.Count >= 2:
                return items.Select(Decide).ToList() is var all && all.Contains(false) ? false : all.Contains(null) ? null : true;
            case "Fn::Or" when items.Count >= 2:
                return items.Select(Decide).ToList() is var any && any.Contains(true) ? true : any.Contains(null) ? null : false;
            case "Fn::Equals" when items is [var a, var b]:
                return Strings(a) is [var left] && Strings(b) is [var right] ? left == right : null;
            case "Fn::Contains" when items is [var a, var b]:
                return Strings(a) is { } list && Strings(b) is [var member] ? list.Contains(member) : null;
            case "Fn::EachMemberIn" when items is [var a, var b]:
                return Strings(a) is { } each && Strings(b) is { } allowed ? each.All(allowed.Contains) : null;
            case "Fn::EachMemberEquals" when items is [var a, var b]:
                return Strings(a) is { } members && Strings(b) is [var same] ? members.All(m => m == same) : null;
            default:
                return Functions.All.Contains(function, StringComparer.Ordinal)
                    ? Invalid($"{function} has the wrong number of arguments, or does not belong here.", node)
                    : Invalid($"'{function}' is not a function of rules.{Suggestion.For(function, Functions.All)}", node);
        }
    }

    /// <summary>The strings an argument stands for; null when only AWS knows them.</summary>
    private List<string>? Strings(Node node)
    {
        switch (node)
        {
            case MappingNode { Count: 1 } call when call[0].Key == "Fn::RefAll":
                return (call[0].Value as ScalarNode)?.Text is { } type
                    ? Known(model.Parameters.Values.Where(p => p.Declaration.Type == type || ParameterTypes.ListElement(p.Declaration.Type) == type).Select(p => p.Value))
                    : null;
            case MappingNode { Count: 1 } call when call[0].Key is "Fn::ValueOf" or "Fn::ValueOfAll":
                // Attributes of existing resources, such as the VPC of a subnet: AWS looks them up.
                return null;
            case SequenceNode list:
                var all = new List<string>();
                foreach (var item in list.Items)
                {
                    if (Strings(item) is not { } strings)
                    {
                        return null;
                    }

                    all.AddRange(strings);
                }

                return all;
            default:
                return Known([_evaluator.EvaluateWithoutResources(_path, node)]);
        }
    }

    private static List<string>? Known(IEnumerable<Value> values)
    {
        var result = new List<string>();
        foreach (var value in values.SelectMany(v => v is ListValue ? v.Items : [v]))
        {
            if (value.AsString() is not { } text)
            {
                return null;
            }

            result.Add(text);
        }

        return result;
    }
}
