using System.Globalization;
using System.Text.RegularExpressions;

namespace Inferloop.Templates;

/// <summary>Gives parameters their values, and checks them against their declarations.</summary>
internal sealed class ParameterBinder(StackModel model, List<Diagnostic> diagnostics)
{
    private static readonly TimeSpan s_patternTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Binds the values given in the context.</summary>
    public void Bind()
    {
        var context = model.Context;
        foreach (var name in context.Parameters.Keys.Concat(context.UsePreviousValue))
        {
            ReportUnknown(name, null);
        }

        foreach (var parameter in model.Template.Parameters.Values)
        {
            if (context.Parameters.TryGetValue(parameter.Name, out var text))
            {
                BindText(parameter, text, false);
            }
            else if (context.UsePreviousValue.Contains(parameter.Name))
            {
                if (context.PreviousParameters.TryGetValue(parameter.Name, out var previous) && !(parameter.NoEcho && previous == ValueText.Mask))
                {
                    BindText(parameter, previous, false);
                }
                else
                {
                    // The service shows no value of a NoEcho parameter; it keeps it all the same.
                    Set(parameter, new UnknownValue([$"{model.Path}Parameters.{parameter.Name}"], parameter.Location, null, parameter.NoEcho), false);
                }
            }
            else
            {
                BindDefault(parameter, null);
            }
        }
    }

    /// <summary>Binds the values a parent stack passes.</summary>
    public void Bind(MapValue given, string parentPath)
    {
        foreach (var (name, value) in given.Entries)
        {
            ReportUnknown(name, value.Location);
        }

        foreach (var parameter in model.Template.Parameters.Values)
        {
            switch (given[parameter.Name])
            {
                case null:
                    BindDefault(parameter, parentPath);
                    break;
                case UnknownValue unknown:
                    Set(parameter, unknown, false);
                    break;
                case ListValue or MapValue:
                    Error(DiagnosticCodes.InvalidParameter, parameter,
                        $"The nested stack's parameter '{parameter.Name}' is given a list; a stack passes strings only. Use Fn::Join to make a comma-delimited one.", given[parameter.Name]!.Location);
                    model.RefusedParameters.Add(parameter.Name);
                    break;
                case var value:
                    BindText(parameter, value.AsString() ?? "", false, value);
                    break;
            }
        }
    }

    private void ReportUnknown(string name, SourceLocation? location)
    {
        if (!model.Template.Parameters.ContainsKey(name))
        {
            diagnostics.Add(new Diagnostic(DiagnosticCodes.UnknownParameter, DiagnosticSeverity.Error,
                $"The template has no parameter '{name}'.{Suggestion.For(name, model.Template.Parameters.Keys)}", location, $"{model.Path}Parameters.{name}"));
        }
    }

    private void BindDefault(TemplateParameter parameter, string? parentPath)
    {
        if (parameter.Default is { } text)
        {
            BindText(parameter, text, true);
            return;
        }

        Error(DiagnosticCodes.MissingParameter, parameter,
            $"The parameter '{parameter.Name}' has no default and needs a value{(parentPath is null ? "" : " from " + parentPath)}.{(parameter.Description is { Length: > 0 } about ? $" ({about})" : "")}");
        model.RefusedParameters.Add(parameter.Name);
    }

    private void Error(string code, TemplateParameter parameter, string message, SourceLocation? location = null) =>
        diagnostics.Add(new Diagnostic(code, DiagnosticSeverity.Error, message, location ?? parameter.Location, $"{model.Path}Parameters.{parameter.Name}"));

    private void Set(TemplateParameter parameter, Value value, bool isDefault) =>
        model.Parameters[parameter.Name] = new EvaluatedParameter(parameter, value, isDefault);

    private void BindText(TemplateParameter parameter, string text, bool isDefault, Value? from = null)
    {
        if (Refusal(parameter, text) is { } reason)
        {
            var constraint = parameter.ConstraintDescription is { Length: > 0 } description ? " " + description : "";
            Error(DiagnosticCodes.InvalidParameter, parameter, reason + constraint, from?.Location);
            model.RefusedParameters.Add(parameter.Name);
            return;
        }

        var value = Typed(parameter, text, from, parameter.NoEcho || from is { IsSecret: true });
        if (parameter.IsSystemsManager)
        {
            value = model.Context.DynamicReferences?.Invoke("ssm", text) switch
            {
                null => new UnknownValue([$"{{{{resolve:ssm:{text}}}}}"], parameter.Location),
                { IsKnown: true } found when found.AsString() is { } resolved => Typed(parameter, resolved, found, parameter.NoEcho),
                var other => other,
            };
        }

        Set(parameter, value, isDefault);
    }

    private static Value Typed(TemplateParameter parameter, string text, Value? from, bool secret)
    {
        var sources = from?.Sources ?? [];
        var location = from?.Location ?? parameter.Location;
        return parameter.IsList
            ? new ListValue([.. text.Split(',').Select(t => new StringValue(t.Trim(), location, secret, sources))], location)
            : new StringValue(text, location, secret, sources);
    }

    /// <summary>Why a value is refused; null when it is not. A secret's value is never part of the reason.</summary>
    internal static string? Refusal(TemplateParameter parameter, string text)
    {
        var shown = parameter.NoEcho ? "The value of parameter '" + parameter.Name + "'" : $"The value '{text}' of parameter '{parameter.Name}'";
        var parts = parameter.IsList && !parameter.IsSystemsManager ? text.Split(',').Select(t => t.Trim()).ToArray() : [text];
        var numeric = parameter.Type is "Number" or "List<Number>";
        foreach (var part in parts)
        {
            if (parameter.AllowedValues.Count > 0 && !parameter.AllowedValues.Contains(part, StringComparer.Ordinal)
                && !(numeric && decimal.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var given)
                    && parameter.AllowedValues.Any(a => decimal.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out var allowed) && allowed == given)))
            {
                return $"{shown} must be one of {string.Join(", ", parameter.AllowedValues)}.{(parameter.NoEcho ? "" : Suggestion.For(part, parameter.AllowedValues))}";
            }

            if (numeric)
            {
                if (!decimal.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
                {
                    return $"{shown} must be a number.";
                }

                if (number < parameter.MinValue)
                {
                    return $"{shown} must be at least {parameter.MinValue}.";
                }

                if (number > parameter.MaxValue)
                {
                    return $"{shown} must be at most {parameter.MaxValue}.";
                }
            }

            if (PatternRefusal(parameter, part, shown) is { } refusal)
            {
                return refusal;
            }
        }

        if (text.Length < parameter.MinLength)
        {
            return $"{shown} must have at least {parameter.MinLength} characters.";
        }

        return text.Length > parameter.MaxLength ? $"{shown} must have at most {parameter.MaxLength} characters."
            : text.Length > 4096 ? $"The value of parameter '{parameter.Name}' has {text.Length:N0} characters; CloudFormation allows 4,096."
            : null;
    }

    private static string? PatternRefusal(TemplateParameter parameter, string part, string shown)
    {
        if (parameter.AllowedPattern is not { } pattern)
        {
            return null;
        }

        try
        {
            // The whole value must match, as with Java's String.matches.
            return Regex.IsMatch(part, $"\\A(?:{pattern})\\z", RegexOptions.CultureInvariant, s_patternTimeout) ? null : $"{shown} must match the pattern {pattern}.";
        }
        catch (RegexMatchTimeoutException)
        {
            return $"{shown} could not be matched with the pattern {pattern} within a second.";
        }
        catch (ArgumentException e)
        {
            return $"The AllowedPattern of parameter '{parameter.Name}' is not a regular expression: {e.Message}";
        }
    }
}
