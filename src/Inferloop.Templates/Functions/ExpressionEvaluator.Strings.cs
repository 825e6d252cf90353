using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

// Fn::Sub, Fn::Join, Fn::Split, Fn::Base64, Fn::ToJsonString.
internal sealed partial class ExpressionEvaluator
{
    private static readonly JsonSerializerOptions s_compactJson = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private Value Sub(Node argument)
    {
        ScalarNode? text = null;
        MappingNode? map = null;
        switch (argument)
        {
            case ScalarNode scalar:
                text = scalar;
                break;
            case SequenceNode { Items: [ScalarNode first] }:
                text = first;
                break;
            case SequenceNode { Items: [ScalarNode first, MappingNode second] }:
                (text, map) = (first, second);
                break;
        }

        if (text is null)
        {
            return Fail(DiagnosticCodes.InvalidFunction, "Fn::Sub takes a string, or a list of a string and a mapping of variables.", argument.Location);
        }

        var pieces = text.Sub.Pieces;
        if (pieces is [{ IsVariable: false } only])
        {
            return new StringValue(only.Text, text.Location);
        }

        var values = new List<Value>(pieces.Count);
        foreach (var piece in pieces)
        {
            values.Add(piece.IsVariable ? SubVariable(piece.Text, map, text) : new StringValue(piece.Text));
        }

        return Concatenate(values, "", text.Location);
    }

    private Value SubVariable(string name, MappingNode? map, ScalarNode text)
    {
        if (map?[name] is { } given)
        {
            _path.Add(("Fn::Sub", 0));
            var value = Evaluate(given);
            _path.RemoveAt(_path.Count - 1);
            if (value is ListValue or MapValue or NoValue)
            {
                return Fail(DiagnosticCodes.InvalidFunction, $"The Fn::Sub variable '{name}' must be a string, not {Describe(value)}.", given.Location);
            }

            return value;
        }

        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or ':' or '_'))
            {
                return Fail(DiagnosticCodes.InvalidFunction, $"'${{{name}}}' is not a variable of Fn::Sub: names have letters, digits, underscores, periods and colons. To keep it as text write '${{!{name}}}'.", text.Location);
            }
        }

        if (name.Length == 0)
        {
            return Fail(DiagnosticCodes.InvalidFunction, "'${}' in Fn::Sub has no name. To keep it as text write '${!}'.", text.Location);
        }

        var dot = name.IndexOf('.', StringComparison.Ordinal);
        var result = dot > 0 && dot < name.Length - 1
            ? Attribute(name[..dot], name[(dot + 1)..], text.Location)
            : Reference(name, text.Location);
        return result switch
        {
            ListValue => Fail(DiagnosticCodes.InvalidFunction, $"'{name}' is a list; Fn::Sub takes strings only. Make it a string with Fn::Join first.", text.Location),
            NoValue => Fail(DiagnosticCodes.InvalidFunction, "AWS::NoValue cannot stand in a Fn::Sub.", text.Location),
            _ => result,
        };
    }

    private Value Join(Node argument)
    {
        if (argument is not SequenceNode { Items: [var delimiterNode, var listNode] })
        {
            return Fail(DiagnosticCodes.InvalidFunction, "Fn::Join takes a delimiter and a list of strings.", argument.Location);
        }

        if (Evaluate(delimiterNode) is not { } delimiterValue || delimiterValue.AsString() is not { } delimiter)
        {
            return Fail(DiagnosticCodes.InvalidFunction, "The delimiter of Fn::Join must be a string.", delimiterNode.Location);
        }

        var list = Evaluate(listNode);
        if (IsFailed(list))
        {
            return s_failed;
        }

        if (list is UnknownValue unknown)
        {
            return Derived(unknown, $"Join({delimiter}, {ExpressionOf(unknown)})", argument.Location);
        }

        if (list is not ListValue)
        {
            return Fail(DiagnosticCodes.InvalidFunction, $"Fn::Join takes a list of strings as its second argument, not {Describe(list)}.", listNode.Location);
        }

        for (var i = 0; i < list.Items.Count; i++)
        {
            if (list.Items[i] is ListValue or MapValue)
            {
                return Fail(DiagnosticCodes.InvalidFunction, $"Item {i} of Fn::Join is {Describe(list.Items[i])}; it joins strings only.", list.Items[i].Location ?? listNode.Location);
            }
        }

        return Concatenate(list.Items, delimiter, argument.Location);
    }

    private static Value Concatenate(IReadOnlyList<Value> parts, string delimiter, SourceLocation location)
    {
        var text = new StringBuilder();
        var known = true;
        var secret = false;
        foreach (var part in parts)
        {
            if (IsFailed(part))
            {
                return s_failed;
            }

            known &= part.IsKnown;
            secret |= part.IsSecret;
        }

        for (var i = 0; i < parts.Count; i++)
        {
            text.Append(i == 0 ? "" : delimiter).Append(known ? parts[i].AsString() : parts[i] switch
            {
                UnknownValue unknown => ExpressionOf(unknown),
                { IsSecret: true } => ValueText.Mask,
                var part => part.AsString(),
            });
        }

        var sources = Provenance.Union(parts);
        return known
            ? new StringValue(text.ToString(), location, secret, sources)
            : parts.Count == 1 && parts[0] is UnknownValue same ? same : new UnknownValue(sources, location, text.ToString(), secret);
    }

    private static string ExpressionOf(UnknownValue value) => value.Expression ?? $"${{{string.Join('|', value.Sources)}}}";

    private static UnknownValue Derived(UnknownValue from, string expression, SourceLocation location) => new(from.Sources, location, expression, from.IsSecret);

    private Value Split(Node argument)
    {
        if (argument is not SequenceNode { Items: [var delimiterNode, var textNode] })
        {
            return Fail(DiagnosticCodes.InvalidFunction, "Fn::Split takes a delimiter and a string.", argument.Location);
        }

        if (Evaluate(delimiterNode).AsString() is not { Length: > 0 } delimiter)
        {
            return Fail(DiagnosticCodes.InvalidFunction, "The delimiter of Fn::Split must be a string, not empty.", delimiterNode.Location);
        }

        var value = Evaluate(textNode);
        if (IsFailed(value))
        {
            return s_failed;
        }

        if (value is UnknownValue unknown)
        {
            return Derived(unknown, $"Split({delimiter}, {ExpressionOf(unknown)})", argument.Location);
        }

        return value.AsString() is { } text
            ? new ListValue([.. text.Split(delimiter).Select(t => new StringValue(t, textNode.Location, value.IsSecret, value.Sources))], argument.Location)
            : Fail(DiagnosticCodes.InvalidFunction, $"Fn::Split takes a string as its second argument, not {Describe(value)}.", textNode.Location);
    }

    private Value Base64(Node argument)
    {
        var value = Evaluate(argument);
        if (IsFailed(value))
        {
            return s_failed;
        }

        if (value is UnknownValue unknown)
        {
            return Derived(unknown, $"Base64({ExpressionOf(unknown)})", argument.Location);
        }

        return value.AsString() is { } text
            ? new StringValue(Convert.ToBase64String(Encoding.UTF8.GetBytes(text)), argument.Location, value.IsSecret, value.Sources)
            : Fail(DiagnosticCodes.InvalidFunction, $"Fn::Base64 takes a string, not {Describe(value)}.", argument.Location);
    }

    private Value ToJsonString(Node argument)
    {
        var value = Evaluate(argument);
        if (value is not (ListValue or MapValue))
        {
            return IsFailed(value) ? s_failed
                : value is UnknownValue unknown ? Derived(unknown, $"ToJsonString({ExpressionOf(unknown)})", argument.Location)
                : Fail(DiagnosticCodes.InvalidFunction, $"Fn::ToJsonString takes a mapping or a list, not {Describe(value)}.", argument.Location);
        }

        if (ContainsFailed(value))
        {
            return s_failed;
        }

        var sources = Provenance.Union([value]);
        return value.IsKnown
            ? new StringValue(value.ToJson()!.ToJsonString(s_compactJson), argument.Location, ContainsSecret(value), sources)
            : new UnknownValue(sources, argument.Location, value.ToString(), ContainsSecret(value));
    }

    private static bool ContainsFailed(Value value) =>
        IsFailed(value) || value.Items.Any(ContainsFailed) || (value is MapValue map && map.Entries.Any(e => ContainsFailed(e.Value)));

    private static bool ContainsSecret(Value value) =>
        value.IsSecret || value.Items.Any(ContainsSecret) || (value is MapValue map && map.Entries.Any(e => ContainsSecret(e.Value)));
}
