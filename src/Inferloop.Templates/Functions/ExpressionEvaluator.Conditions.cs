using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

// Fn::If, Fn::And, Fn::Or, Fn::Not, Fn::Equals, Condition, and the named conditions.
internal sealed partial class ExpressionEvaluator
{
    private readonly List<string> _deciding = [];

    /// <summary>Decides all named conditions of the stack.</summary>
    public void DecideConditions()
    {
        foreach (var (name, node) in _model.ConditionNodes)
        {
            DecideCondition(name, node.Location, "Conditions." + name);
        }
    }

    /// <summary>Decides one named condition; false, with an error, when there is none of that name.</summary>
    public bool DecideCondition(string name, SourceLocation location, string? path = null)
    {
        if (_model.Conditions.TryGetValue(name, out var known))
        {
            return known;
        }

        var savedRoot = _root;
        var savedPath = _path.ToArray();
        if (path is not null)
        {
            _root = path;
            _path.Clear();
        }

        try
        {
            if (!_model.ConditionNodes.TryGetValue(name, out var node))
            {
                Error(DiagnosticCodes.UnresolvedReference, $"The template has no condition '{name}'.{Suggestion.For(name, _model.ConditionNodes.Keys)}", location);
                return false;
            }

            if (_deciding.Contains(name))
            {
                Error(DiagnosticCodes.CircularDependency, $"Circular dependency between conditions: {string.Join(" → ", _deciding.SkipWhile(d => d != name).Append(name))}.", location);
                return _model.Conditions[name] = false;
            }

            _deciding.Add(name);
            _root = "Conditions." + name;
            _path.Clear();
            var withoutResources = _withoutResources;
            _withoutResources = true;
            var result = EvaluateCondition(node);
            _withoutResources = withoutResources;
            _deciding.RemoveAt(_deciding.Count - 1);
            return _model.Conditions[name] = result;
        }
        finally
        {
            _root = savedRoot;
            _path.Clear();
            _path.AddRange(savedPath);
        }
    }

    private bool EvaluateCondition(Node node)
    {
        switch (node)
        {
            case MappingNode { Count: 1 } call when call[0].Key == "Condition":
                if (call[0].Value is ScalarNode name)
                {
                    return DecideCondition(name.Text, name.Location);
                }

                Error(DiagnosticCodes.InvalidFunction, "Condition takes the name of a condition.", call.Location);
                return false;
            case MappingNode { Count: 1 } call when call[0].Key is "Fn::And" or "Fn::Or" or "Fn::Not" or "Fn::Equals":
                return EvaluateConditionFunction(call[0].Key, call[0].Value);
            default:
                Error(DiagnosticCodes.InvalidFunction, $"A condition is made with Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition, not {node.Describe()}.", node.Location);
                return false;
        }
    }

    private bool EvaluateConditionFunction(string function, Node argument)
    {
        var items = (argument as SequenceNode)?.Items;
        switch (function)
        {
            case "Fn::Equals":
                if (items is [var a, var b])
                {
                    return EqualValues(Evaluate(a), Evaluate(b), argument.Location);
                }

                Error(DiagnosticCodes.InvalidFunction, "Fn::Equals takes a list of two values.", argument.Location);
                return false;
            case "Fn::Not":
                if (items is [var only])
                {
                    return !EvaluateCondition(only);
                }

                Error(DiagnosticCodes.InvalidFunction, "Fn::Not takes a list of one condition.", argument.Location);
                return false;
            default:
                if (items is not { Count: >= 2 and <= 10 })
                {
                    Error(DiagnosticCodes.InvalidFunction, $"{function} takes a list of 2 to 10 conditions.", argument.Location);
                    return false;
                }

                // No short cut: every part is evaluated, so that every mistake is reported.
                var all = true;
                var any = false;
                foreach (var item in items)
                {
                    var value = EvaluateCondition(item);
                    all &= value;
                    any |= value;
                }

                return function == "Fn::And" ? all : any;
        }
    }

    private bool EqualValues(Value a, Value b, SourceLocation location)
    {
        if (IsFailed(a) || IsFailed(b))
        {
            return false;
        }

        if (a is UnknownValue || b is UnknownValue)
        {
            // A parent stack passes an attribute that does not exist yet. It is certainly not empty; that it equals some other text is unlikely.
            var same = Value.Same(a, b);
            if (!same && (a is UnknownValue ? b : a).AsString() is { Length: > 0 } text)
            {
                Report(DiagnosticSeverity.Warning, DiagnosticCodes.Undecided,
                    $"Whether {(a is UnknownValue ? a : b)} equals '{text}' is known only after apply; taken as not equal.", location);
            }

            return same;
        }

        return a.AsString() is { } left && b.AsString() is { } right ? left == right : Value.Same(a, b);
    }

    private Value If(Node argument)
    {
        if (argument is not SequenceNode { Items: [var condition, var then, var otherwise] })
        {
            return Fail(DiagnosticCodes.InvalidFunction, "Fn::If takes the name of a condition, a value for when it holds, and one for when it does not.", argument.Location);
        }

        if (condition is ScalarNode name)
        {
            if (!_model.ConditionNodes.ContainsKey(name.Text))
            {
                DecideCondition(name.Text, name.Location);
                return s_failed;
            }

            return Evaluate(DecideCondition(name.Text, name.Location) ? then : otherwise);
        }

        return Fail(DiagnosticCodes.InvalidFunction, $"The first argument of Fn::If is the name of a condition, not {condition.Describe()}.", condition.Location);
    }
}
