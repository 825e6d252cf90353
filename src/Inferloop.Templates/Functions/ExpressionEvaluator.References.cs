using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

// Ref, Fn::GetAtt, Fn::FindInMap, Fn::ImportValue and the pseudo parameters.
internal sealed partial class ExpressionEvaluator
{
    internal static readonly string[] PseudoParameters =
    [
        "AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId", "AWS::StackName", "AWS::URLSuffix",
    ];

    private Value Ref(Node argument)
    {
        if (argument is not ScalarNode { Text: var name })
        {
            if (!_model.Template.HasLanguageExtensions || Evaluate(argument).AsString() is not { } computed)
            {
                return Fail(DiagnosticCodes.InvalidFunction, $"Ref takes the name of a parameter or resource, not {argument.Describe()}.", argument.Location);
            }

            name = computed;
        }

        return Reference(name, argument.Location);
    }

    private Value Reference(string name, SourceLocation location)
    {
        if (_model.Parameters.TryGetValue(name, out var parameter))
        {
            return parameter.Value;
        }

        if (_model.RefusedParameters.Contains(name))
        {
            return s_failed;
        }

        if (name.StartsWith("AWS::", StringComparison.Ordinal))
        {
            return PseudoParameter(name) ?? Fail(DiagnosticCodes.UnresolvedReference,
                $"'{name}' is not a pseudo parameter.{Suggestion.For(name, PseudoParameters)}", location);
        }

        if (!CheckResource(name, location, out var resource))
        {
            return s_failed;
        }

        var source = _model.Path + name;
        return _values?.Ref(source) is { } known ? Provenance.Tag(known, source, location) : GivenIdentifier(resource!) ?? new UnknownValue([source], location);
    }

    /// <summary>What Ref gives when it is a property that the template itself sets, such as a bucket's name.</summary>
    private Value? GivenIdentifier(TemplateResource resource) =>
        ResourceSpecification.Default.Find(resource.Type) is { RefIdentifier: [var property] } type && type.Properties.ContainsKey(property)
            ? GivenProperty(resource, property)
            : null;

    /// <summary>
    /// A property's value where it is certain that the service keeps it as given; several services make names lower-case. It stays
    /// the same when the resource is replaced, so the resource is no source of it.
    /// </summary>
    private Value? GivenProperty(TemplateResource resource, string property) =>
        _model.Properties.GetValueOrDefault(resource.LogicalId)?[property] is { IsKnown: true, IsSecret: false } value
            && value.AsString() is { } text && !text.Contains("{{resolve:", StringComparison.Ordinal) && !text.Any(char.IsAsciiLetterUpper)
            ? value
            : null;

    private Value? PseudoParameter(string name)
    {
        switch (name)
        {
            case "AWS::AccountId":
                return new StringValue(Context.AccountId);
            case "AWS::Region":
                return new StringValue(Context.Region);
            case "AWS::Partition":
                return new StringValue(Context.Partition);
            case "AWS::URLSuffix":
                return new StringValue(RegionTable.UrlSuffix(Context.Partition));
            case "AWS::NoValue":
                return NoValue.Instance;
            case "AWS::NotificationARNs":
                return new ListValue([.. Context.NotificationArns.Select(a => new StringValue(a))]);
            case "AWS::StackId":
                return NestedStackId() is { } id ? new StringValue(id) : new UnknownValue([_model.Path + name]);
            case "AWS::StackName":
                // A nested stack's name is made up by CloudFormation when it is created; its id carries it.
                return _model.Path.Length == 0 ? new StringValue(Context.StackName)
                    : NestedStackId()?.Split('/') is [_, var stackName, ..] ? new StringValue(stackName)
                    : new UnknownValue([_model.Path + name]);
            default:
                return null;
        }
    }

    private string? NestedStackId() =>
        _model.Path.Length == 0 ? Context.StackId : _values?.Ref(_model.Path[..^1])?.AsString();

    /// <summary>Whether a name is a resource that exists and may be referred to here; if not, says why.</summary>
    private bool CheckResource(string name, SourceLocation location, out TemplateResource? resource)
    {
        if (!_model.Resources.TryGetValue(name, out resource))
        {
            var known = _withoutResources ? _model.Template.Parameters.Keys : _model.Template.Parameters.Keys.Concat(_model.Resources.Keys);
            Error(DiagnosticCodes.UnresolvedReference,
                $"'{name}' is neither a parameter nor a resource of this template.{Suggestion.For(name, known.Concat(PseudoParameters))}", location);
            return false;
        }

        if (_withoutResources)
        {
            Error(DiagnosticCodes.UnresolvedReference, $"'{name}' is a resource; only parameters and mappings can be used here, because this is decided before any resource exists.", location);
            return false;
        }

        if (!_model.Exists(resource))
        {
            Error(DiagnosticCodes.ConditionalReference,
                $"'{name}' is not created, because its condition {resource.Condition} does not hold; refer to it only where {resource.Condition} holds, with Fn::If or a Condition.", location);
            return false;
        }

        return true;
    }

    private Value GetAtt(Node argument, MappingNode call)
    {
        string? name = null;
        string? attribute = null;
        switch (argument)
        {
            case ScalarNode { Text: var text } when text.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && dot < text.Length - 1:
                (name, attribute) = (text[..dot], text[(dot + 1)..]);
                break;
            case SequenceNode { Items: [var first, var second] }:
                name = first is ScalarNode s ? s.Text : _model.Template.HasLanguageExtensions ? Evaluate(first).AsString() : null;
                var evaluated = Evaluate(second);
                if (IsFailed(evaluated))
                {
                    return s_failed;
                }

                attribute = evaluated.AsString();
                break;
            case SequenceNode { Items.Count: > 2 } list when list.Items.All(i => i is ScalarNode):
                // [Db, Endpoint, Address] is accepted by the service too.
                name = ((ScalarNode)list.Items[0]).Text;
                attribute = string.Join('.', list.Items.Skip(1).Select(i => ((ScalarNode)i).Text));
                break;
        }

        return string.IsNullOrEmpty(name) || string.IsNullOrEmpty(attribute)
            ? Fail(DiagnosticCodes.InvalidFunction, "Fn::GetAtt takes a resource and an attribute: [Resource, Attribute] or Resource.Attribute.", call.Location)
            : Attribute(name, attribute, argument.Location);
    }

    private Value Attribute(string name, string attribute, SourceLocation location)
    {
        if (!CheckResource(name, location, out var resource) || _model.FailedNestedStacks.Contains(name))
        {
            return s_failed;
        }

        var source = _model.Path + name;
        if (_values?.Attribute(source, attribute) is { } known)
        {
            return Provenance.Tag(known, source + "." + attribute, location);
        }

        if (resource!.Type == "AWS::CloudFormation::Stack")
        {
            const string Outputs = "Outputs.";
            if (!attribute.StartsWith(Outputs, StringComparison.Ordinal))
            {
                return Fail(DiagnosticCodes.UnknownAttribute, $"A nested stack has the attributes Outputs.<name> only, not '{attribute}'.", location);
            }

            if (_model.NestedStacks.TryGetValue(name, out var nested))
            {
                var output = attribute[Outputs.Length..];
                return nested.Outputs.TryGetValue(output, out var found)
                    ? found.Value
                    : Fail(DiagnosticCodes.UnknownAttribute, $"The nested stack '{name}' has no output '{output}'{(nested.Template.Outputs.ContainsKey(output) ? "; its condition does not hold" : "")}.{Suggestion.For(output, nested.Outputs.Keys)}", location);
            }
        }

        if (ResourceSpecification.Default.Find(resource.Type)?.Properties.ContainsKey(attribute) == true && GivenProperty(resource, attribute) is { } given)
        {
            return given;
        }

        return new UnknownValue([source + "." + attribute], location);
    }

    private Value FindInMap(Node argument)
    {
        if (argument is not SequenceNode { Items.Count: 3 or 4 } list)
        {
            return Fail(DiagnosticCodes.InvalidFunction, "Fn::FindInMap takes the name of a mapping, a top-level key and a second-level key.", argument.Location);
        }

        Node? fallback = null;
        if (list.Items.Count == 4)
        {
            if (list.Items[3] is not MappingNode { Count: 1 } options || options["DefaultValue"] is not { } value)
            {
                return Fail(DiagnosticCodes.InvalidFunction, "The fourth argument of Fn::FindInMap is a mapping with a DefaultValue.", list.Items[3].Location);
            }

            if (!RequireExtensions("Fn::FindInMap with a DefaultValue", argument))
            {
                return s_failed;
            }

            fallback = value;
        }

        var keys = new string[3];
        for (var i = 0; i < 3; i++)
        {
            var value = Evaluate(list.Items[i]);
            if (IsFailed(value))
            {
                return s_failed;
            }

            if (value.AsString() is not { } key)
            {
                return value is UnknownValue unknown
                    ? Fail(DiagnosticCodes.InvalidFunction, $"Fn::FindInMap needs its keys before any resource exists; this one waits for {string.Join(", ", unknown.Sources)}.", list.Items[i].Location)
                    : Fail(DiagnosticCodes.InvalidFunction, $"The arguments of Fn::FindInMap are strings, not {Describe(value)}.", list.Items[i].Location);
            }

            keys[i] = key;
        }

        if (!_model.Template.Mappings.TryGetValue(keys[0], out var mapping))
        {
            return fallback is not null ? Evaluate(fallback) : Fail(DiagnosticCodes.MappingKeyNotFound,
                $"The template has no mapping '{keys[0]}'.{Suggestion.For(keys[0], _model.Template.Mappings.Keys)}", list.Items[0].Location);
        }

        if (!mapping.Values.TryGetValue(keys[1], out var level))
        {
            return fallback is not null ? Evaluate(fallback) : Fail(DiagnosticCodes.MappingKeyNotFound,
                $"The mapping '{keys[0]}' has no key '{keys[1]}'.{Suggestion.For(keys[1], mapping.Values.Keys)}", list.Items[1].Location);
        }

        return level.TryGetValue(keys[2], out var result) ? result
            : fallback is not null ? Evaluate(fallback)
            : Fail(DiagnosticCodes.MappingKeyNotFound, $"The mapping '{keys[0]}' has no key '{keys[2]}' under '{keys[1]}'.{Suggestion.For(keys[2], level.Keys)}", list.Items[2].Location);
    }

    private Value ImportValue(Node argument)
    {
        var name = Evaluate(argument);
        if (IsFailed(name))
        {
            return s_failed;
        }

        if (name is UnknownValue)
        {
            return name;
        }

        if (name.AsString() is not { } text)
        {
            return Fail(DiagnosticCodes.InvalidFunction, $"Fn::ImportValue takes the name of an export, not {Describe(name)}.", argument.Location);
        }

        if (Context.Imports is null)
        {
            return new UnknownValue([$"Fn::ImportValue {text}"], argument.Location);
        }

        return Context.Imports(text) ?? Fail(DiagnosticCodes.UnresolvedReference, $"No export named {text} found in {Context.Region}.", argument.Location);
    }
}
