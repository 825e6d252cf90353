using System.Collections;
using System.Globalization;
using System.Management.Automation;

namespace Inferloop.Shell.Cmdlets;

[Cmdlet(VerbsCommon.Select, "Object", DefaultParameterSetName = "Default")]
internal sealed class SelectObjectCommand : PSCmdlet
{
    private readonly Queue<PSObject> last = new();
    private readonly List<PSObject> seen = [];
    private List<PropertyExpression> properties = [];
    private int count;
    private int written;

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[] Property { get; set; } = [];

    [Parameter]
    public string[] ExcludeProperty { get; set; } = [];

    [Parameter]
    public string? ExpandProperty { get; set; }

    [Parameter]
    public SwitchParameter Unique { get; set; }

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int First { get; set; } = -1;

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int Last { get; set; } = -1;

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int Skip { get; set; }

    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int SkipLast { get; set; }

    [Parameter]
    public int[]? Index { get; set; }

    [Parameter]
    public SwitchParameter Wait { get; set; }

    protected override void BeginProcessing() =>
        properties = PropertyExpression.Parse(Property.Length == 0 && ExcludeProperty.Length > 0 ? ["*"] : Property);

    protected override void ProcessRecord()
    {
        if (InputObject is not { } input)
        {
            return;
        }

        var index = count++;
        if (Index is not null)
        {
            if (Index.Contains(index))
            {
                Emit(input);
            }
        }
        else if (Last >= 0 || SkipLast > 0)
        {
            // -First together with -Last gives both ends.
            if (First > 0 && written < First && index >= Skip)
            {
                Emit(input);
                return;
            }

            last.Enqueue(input);
            if (SkipLast > 0)
            {
                if (last.Count > SkipLast)
                {
                    Emit(last.Dequeue());
                }
            }
            else if (last.Count > Last + Skip)
            {
                last.Dequeue();
            }
        }
        else if (index >= Skip && (First < 0 || written < First))
        {
            Emit(input);
            StopWhenDone();
        }
        else
        {
            StopWhenDone();
        }
    }

    protected override void EndProcessing()
    {
        if (Last >= 0)
        {
            while (last.Count > Skip)
            {
                Emit(last.Dequeue());
            }
        }
    }

    private void StopWhenDone()
    {
        if (First >= 0 && written >= First && !Wait)
        {
            throw EngineInternals.StopUpstream(this);
        }
    }

    private void Emit(PSObject input)
    {
        written++;
        foreach (var result in Project(input))
        {
            if (Unique)
            {
                if (seen.Exists(s => ValueComparer.Same(s, result)))
                {
                    continue;
                }

                seen.Add(result);
            }

            WriteObject(result);
        }
    }

    private IEnumerable<PSObject> Project(PSObject input)
    {
        var selected = properties.Count == 0 ? input : Selected(input);
        if (ExpandProperty is null)
        {
            yield return selected;
            yield break;
        }

        if (input.Properties[ExpandProperty] is null && !(input.BaseObject is IDictionary d && d.Contains(ExpandProperty)))
        {
            WriteError(new ErrorRecord(new PSArgumentException($"Property \"{ExpandProperty}\" cannot be found."), "ExpandPropertyNotFound", ErrorCategory.InvalidArgument, input));
            yield break;
        }

        var value = PropertyExpression.Parse([ExpandProperty])[0].Value(input);
        foreach (var item in LanguagePrimitives.GetEnumerable(value) ?? new[] { value })
        {
            if (item is not null)
            {
                var expanded = PSObject.AsPSObject(item);
                if (properties.Count > 0)
                {
                    foreach (var property in selected.Properties)
                    {
                        expanded.Properties.Add(new PSNoteProperty(property.Name, property.Value));
                    }
                }

                yield return expanded;
            }
        }
    }

    private PSObject Selected(PSObject input)
    {
        var result = new PSObject();
        var excluded = ExcludeProperty.Select(p => WildcardPattern.Get(p, WildcardOptions.IgnoreCase)).ToList();
        foreach (var property in properties)
        {
            var any = false;
            foreach (var (name, value) in property.Resolve(input))
            {
                any = true;
                if (!excluded.Exists(e => e.IsMatch(name)) && result.Properties[name] is null)
                {
                    result.Properties.Add(new PSNoteProperty(name, value));
                }
            }

            if (!any && !WildcardPattern.ContainsWildcardCharacters(property.Label) && result.Properties[property.Label] is null)
            {
                result.Properties.Add(new PSNoteProperty(property.Label, null));
            }
        }

        result.TypeNames.Insert(0, "Selected." + input.BaseObject.GetType());
        return result;
    }
}

[Cmdlet("Sort", "Object")]
internal sealed class SortObjectCommand : PSCmdlet
{
    private readonly List<PSObject> items = [];

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[] Property { get; set; } = [];

    [Parameter]
    public SwitchParameter Descending { get; set; }

    [Parameter]
    public SwitchParameter Unique { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

    [Parameter]
    public SwitchParameter Stable { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Top { get; set; }

    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Bottom { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not null)
        {
            items.Add(InputObject);
        }
    }

    protected override void EndProcessing()
    {
        var keys = PropertyExpression.Parse(Property);
        var comparer = new ValueComparer(CaseSensitive);
        var rows = items.Select(i => (Item: i, Keys: keys.Count == 0 ? [i] : keys.Select(k => k.Value(i)).ToArray()));
        IOrderedEnumerable<(PSObject Item, object?[] Keys)>? sorted = null;
        for (var i = 0; i < Math.Max(1, keys.Count); i++)
        {
            var at = i;
            var descending = keys.Count > 0 && keys[i].Descending is { } own ? own : (bool)Descending;
            Func<(PSObject Item, object?[] Keys), object?> key = r => r.Keys[at];
            sorted = (sorted, descending) switch
            {
                (null, false) => rows.OrderBy(key, comparer),
                (null, true) => rows.OrderByDescending(key, comparer),
                (_, false) => sorted.ThenBy(key, comparer),
                (_, true) => sorted.ThenByDescending(key, comparer),
            };
        }

        IEnumerable<(PSObject Item, object?[] Keys)> result = sorted!;
        if (Unique)
        {
            result = Distinct(result, comparer);
        }

        result = Top is { } top ? result.Take(top) : Bottom is { } bottom ? result.TakeLast(bottom) : result;
        WriteObject(result.Select(r => r.Item), enumerateCollection: true);
    }

    private static IEnumerable<(PSObject Item, object?[] Keys)> Distinct(IEnumerable<(PSObject Item, object?[] Keys)> rows, ValueComparer comparer)
    {
        object?[]? before = null;
        foreach (var row in rows)
        {
            if (before is null || !row.Keys.Zip(before).All(pair => comparer.Compare(pair.First, pair.Second) == 0))
            {
                yield return row;
            }

            before = row.Keys;
        }
    }
}

[Cmdlet(VerbsCommon.New, "Object", DefaultParameterSetName = "Net")]
internal sealed class NewObjectCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0)]
    public string TypeName { get; set; } = "";

    [Parameter(Position = 1)]
    [Alias("Args")]
    public object?[] ArgumentList { get; set; } = [];

    [Parameter]
    public IDictionary? Property { get; set; }

    protected override void BeginProcessing()
    {
        if (!LanguagePrimitives.TryConvertTo(TypeName, out Type type))
        {
            ThrowTerminatingError(new ErrorRecord(
                new PSArgumentException($"Cannot find type [{TypeName}]: verify that the assembly containing this type is loaded."), "TypeNotFound", ErrorCategory.InvalidType, TypeName));
        }

        var value = type == typeof(PSObject)
            ? new PSObject()
            : PSObject.AsPSObject(Activator.CreateInstance(type, [.. ArgumentList.Select(a => a is PSObject p ? p.BaseObject : a)])!);
        foreach (DictionaryEntry entry in Property ?? new Hashtable())
        {
            var name = entry.Key.ToString()!;
            if (type == typeof(PSObject))
            {
                value.Properties.Add(new PSNoteProperty(name, entry.Value));
            }
            else
            {
                value.Properties[name].Value = entry.Value;
            }
        }

        WriteObject(value);
    }
}

/// <summary>PowerShell's order of values: numbers as numbers, text by culture without case, nothing first, and unlike things by their text.</summary>
internal sealed class ValueComparer(bool caseSensitive) : IComparer<object?>
{
    public int Compare(object? x, object? y)
    {
        x = x is PSObject px ? px.BaseObject : x;
        y = y is PSObject py ? py.BaseObject : y;
        if (x is null || y is null)
        {
            return x is null ? (y is null ? 0 : -1) : 1;
        }

        return LanguagePrimitives.TryCompare(x, y, !caseSensitive, CultureInfo.CurrentCulture, out var result)
            ? result
            : string.Compare(
                LanguagePrimitives.ConvertTo<string>(x), LanguagePrimitives.ConvertTo<string>(y), !caseSensitive, CultureInfo.CurrentCulture);
    }

    /// <summary>The same value, or the same properties with the same values.</summary>
    public static bool Same(PSObject a, PSObject b)
    {
        var comparer = new ValueComparer(caseSensitive: true);
        if (a.BaseObject is not PSCustomObject || b.BaseObject is not PSCustomObject)
        {
            return comparer.Compare(a, b) == 0;
        }

        var left = a.Properties.ToList();
        var right = b.Properties.ToList();
        return left.Count == right.Count && left.Zip(right).All(p => p.First.Name == p.Second.Name && comparer.Compare(p.First.Value, p.Second.Value) == 0);
    }
}
