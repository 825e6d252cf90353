using System.Collections;
using System.Collections.ObjectModel;
using System.Management.Automation;

namespace Inferloop.Shell.Cmdlets;

[Cmdlet(VerbsData.Group, "Object")]
internal sealed class GroupObjectCommand : PSCmdlet
{
    private readonly List<PSObject> items = [];

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public object[] Property { get; set; } = [];

    [Parameter]
    public SwitchParameter NoElement { get; set; }

    [Parameter]
    [Alias("AHT")]
    public SwitchParameter AsHashTable { get; set; }

    [Parameter]
    public SwitchParameter AsString { get; set; }

    [Parameter]
    public SwitchParameter CaseSensitive { get; set; }

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
        var groups = new List<(object?[] Key, Collection<PSObject> Members)>();
        foreach (var item in items)
        {
            var key = keys.Count == 0 ? [item] : keys.Select(k => k.Value(item)).ToArray();
            var group = groups.Find(g => g.Key.Zip(key).All(p => comparer.Compare(p.First, p.Second) == 0));
            if (group.Members is null)
            {
                group = (key, []);
                groups.Add(group);
            }

            group.Members.Add(item);
        }

        if (AsHashTable)
        {
            var table = new Hashtable(CaseSensitive ? StringComparer.CurrentCulture : StringComparer.CurrentCultureIgnoreCase);
            foreach (var (key, members) in groups)
            {
                var first = key[0] is PSObject wrapped ? wrapped.BaseObject : key[0];
                table[AsString || key.Length > 1 ? Name(key) : first ?? ""] = members;
            }

            WriteObject(table);
            return;
        }

        foreach (var (key, members) in groups.OrderBy(g => g.Key[0], comparer))
        {
            var result = new PSObject();
            result.Properties.Add(new PSNoteProperty("Count", members.Count));
            result.Properties.Add(new PSNoteProperty("Name", Name(key)));
            if (!NoElement)
            {
                result.Properties.Add(new PSNoteProperty("Group", members));
            }

            result.Properties.Add(new PSNoteProperty("Values", key));
            result.TypeNames.Insert(0, NoElement ? "Microsoft.PowerShell.Commands.GroupInfoNoElement" : "Microsoft.PowerShell.Commands.GroupInfo");
            WriteObject(result);
        }
    }

    private static string Name(object?[] key) => string.Join(", ", key.Select(k => LanguagePrimitives.ConvertTo<string>(k)));
}

[Cmdlet(VerbsDiagnostic.Measure, "Object")]
internal sealed class MeasureObjectCommand : PSCmdlet
{
    private readonly List<PSObject> items = [];

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public string[] Property { get; set; } = [];

    [Parameter]
    public SwitchParameter Sum { get; set; }

    [Parameter]
    public SwitchParameter Average { get; set; }

    [Parameter]
    public SwitchParameter Minimum { get; set; }

    [Parameter]
    public SwitchParameter Maximum { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not null)
        {
            items.Add(InputObject);
        }
    }

    protected override void EndProcessing()
    {
        foreach (var name in Property.Length == 0 ? new string?[] { null } : Property)
        {
            var expression = name is null ? null : PropertyExpression.Parse([name])[0];
            var values = items.SelectMany(i => expression is null ? [(object?)i] : expression.Resolve(i).Select(r => r.Value)).Where(v => v is not null).ToList();
            if (expression is not null && values.Count == 0)
            {
                WriteError(new ErrorRecord(
                    new PSArgumentException($"The property \"{name}\" cannot be found in the input for any objects."), "GenericMeasurePropertyNotFound", ErrorCategory.InvalidArgument, null));
                continue;
            }

            var result = new PSObject();
            var numbers = Sum || Average ? values.Select(v => LanguagePrimitives.ConvertTo<double>(v)).ToList() : [];
            result.Properties.Add(new PSNoteProperty("Count", values.Count));
            result.Properties.Add(new PSNoteProperty("Average", Average && numbers.Count > 0 ? numbers.Average() : null));
            result.Properties.Add(new PSNoteProperty("Sum", Sum ? numbers.Sum() : null));
            result.Properties.Add(new PSNoteProperty("Maximum", Maximum ? values.Max(new ValueComparer(false)) : null));
            result.Properties.Add(new PSNoteProperty("Minimum", Minimum ? values.Min(new ValueComparer(false)) : null));
            result.Properties.Add(new PSNoteProperty("Property", name));
            result.TypeNames.Insert(0, "Microsoft.PowerShell.Commands.GenericMeasureInfo");
            WriteObject(result);
        }
    }
}

[Cmdlet(VerbsCommon.Get, "Member")]
internal sealed class GetMemberCommand : PSCmdlet
{
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 0)]
    public string[] Name { get; set; } = ["*"];

    [Parameter]
    [Alias("Type")]
    public PSMemberTypes MemberType { get; set; } = PSMemberTypes.All;

    protected override void ProcessRecord()
    {
        if (InputObject is not { } input || !seen.Add(input.TypeNames[0]))
        {
            return;
        }

        var patterns = Name.Select(n => WildcardPattern.Get(n, WildcardOptions.IgnoreCase)).ToList();
        foreach (var member in input.Members.Where(m => (m.MemberType & MemberType) != 0 && patterns.Exists(p => p.IsMatch(m.Name)))
            .Where(m => !m.Name.StartsWith("get_", StringComparison.Ordinal) && !m.Name.StartsWith("set_", StringComparison.Ordinal))
            .OrderBy(m => m.MemberType.ToString(), StringComparer.Ordinal).ThenBy(m => m.Name, StringComparer.OrdinalIgnoreCase))
        {
            var result = new PSObject();
            result.Properties.Add(new PSNoteProperty("TypeName", input.TypeNames[0]));
            result.Properties.Add(new PSNoteProperty("Name", member.Name));
            result.Properties.Add(new PSNoteProperty("MemberType", member.MemberType));
            result.Properties.Add(new PSNoteProperty("Definition", member.ToString()));
            result.TypeNames.Insert(0, "Microsoft.PowerShell.Commands.MemberDefinition");
            WriteObject(result);
        }
    }
}
