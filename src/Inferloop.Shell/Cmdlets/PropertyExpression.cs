using System.Collections;
using System.Management.Automation;

namespace Inferloop.Shell.Cmdlets;

/// <summary>One element of a -Property parameter: a name (with wildcards), a script block, or a hashtable of both.</summary>
internal sealed class PropertyExpression
{
    private readonly string? name;
    private readonly ScriptBlock? script;
    private readonly string? label;

    private PropertyExpression(object? expression, string? label)
    {
        script = expression as ScriptBlock;
        name = script is null ? LanguagePrimitives.ConvertTo<string>(expression) : null;
        this.label = label;
    }

    /// <summary>For Sort-Object: this key runs against the order of the others (<c>@{ Expression = …; Descending = $true }</c>).</summary>
    public bool? Descending { get; private init; }

    /// <summary>What the property is called in the result.</summary>
    public string Label => label ?? name ?? script!.ToString().Trim();

    /// <summary>Reads the values of a -Property parameter.</summary>
    public static List<PropertyExpression> Parse(IEnumerable<object?> values) => [.. values.Select(Parse)];

    /// <summary>The values that an object has for it, by name: more than one where the name has wildcards, none where it lacks it.</summary>
    public IEnumerable<(string Name, object? Value)> Resolve(PSObject source)
    {
        if (script is not null)
        {
            var results = script.InvokeWithContext(null, [new PSVariable("_", source)]);
            yield return (Label, results.Count switch { 0 => null, 1 => results[0], _ => results.ToArray() });
        }
        else if (WildcardPattern.ContainsWildcardCharacters(name))
        {
            var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
            foreach (var property in source.Properties.Where(p => pattern.IsMatch(p.Name)))
            {
                yield return (property.Name, Read(property));
            }
        }
        else if (source.BaseObject is IDictionary dictionary && dictionary.Contains(name!))
        {
            yield return (Label, dictionary[name!]);
        }
        else if (source.Properties[name] is { } property)
        {
            // Select-Object keeps the property's own spelling.
            yield return (label ?? property.Name, Read(property));
        }
    }

    /// <summary>The value, or null where the object lacks it.</summary>
    public object? Value(PSObject source) => Resolve(source).Select(r => r.Value).FirstOrDefault();

    private static object? Read(PSPropertyInfo property)
    {
        try
        {
            return property.Value;
        }
        catch (GetValueException)
        {
            // A getter that throws reads as null, as everywhere in PowerShell's object cmdlets.
            return null;
        }
    }

    private static PropertyExpression Parse(object? value)
    {
        value = value is PSObject wrapped ? wrapped.BaseObject : value;
        if (value is not IDictionary table)
        {
            return new PropertyExpression(value, null);
        }

        return new PropertyExpression(Get(table, "expression") ?? throw new PSArgumentException("A calculated property needs an Expression."), Get(table, "name", "label")?.ToString())
        {
            Descending = Get(table, "descending") is { } d ? LanguagePrimitives.IsTrue(d) : Get(table, "ascending") is { } a ? !LanguagePrimitives.IsTrue(a) : null,
        };
    }

    // Keys may be cut short, as parameter names may: n, l, e.
    private static object? Get(IDictionary table, params string[] names)
    {
        foreach (DictionaryEntry entry in table)
        {
            var key = entry.Key.ToString() ?? "";
            if (key.Length > 0 && names.Any(n => n.StartsWith(key, StringComparison.OrdinalIgnoreCase)))
            {
                return entry.Value is PSObject { BaseObject: ScriptBlock or string } wrapped ? wrapped.BaseObject : entry.Value;
            }
        }

        return null;
    }
}
