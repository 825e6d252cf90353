using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Inferloop.Help;

/// <summary>What the built module says of its cmdlets, asked in a session of its own.</summary>
internal sealed class CmdletFacts
{
    private static readonly HashSet<string> Common = new(PSCmdlet.CommonParameters, StringComparer.OrdinalIgnoreCase);

    private CmdletFacts(CmdletInfo cmdlet)
    {
        Name = cmdlet.Name;
        AssemblyPath = cmdlet.ImplementingType.Assembly.Location;
        ImplementingType = cmdlet.ImplementingType;
        Outputs = [.. cmdlet.OutputType.Select(o => o.Type?.FullName ?? o.Name).Where(n => n != "System.Void")];
        var sets = cmdlet.ParameterSets;
        var all = sets.Count == 1 && sets[0].Name == "__AllParameterSets" ? sets[0].Name : null;
        Syntax = [.. sets.Select(s => new SyntaxItem(s.Name, $"{cmdlet.Name} {s}".TrimEnd()))];
        Parameters = [.. sets.SelectMany(s => s.Parameters).Select(p => p.Name).Distinct(StringComparer.Ordinal)
            .Where(n => !Common.Contains(n)).Order(StringComparer.Ordinal).Select(n => Parameter(n, sets, all))];
        Inputs = [.. sets.SelectMany(s => s.Parameters).Where(p => p.ValueFromPipeline).Select(p => p.ParameterType.FullName!).Distinct(StringComparer.Ordinal)];
        TakesProperties = sets.SelectMany(s => s.Parameters).Any(p => p.ValueFromPipelineByPropertyName);
    }

    public string Name { get; }

    public string AssemblyPath { get; }

    public Type ImplementingType { get; }

    public IReadOnlyList<SyntaxItem> Syntax { get; }

    public IReadOnlyList<(string Name, ParameterFacts Facts)> Parameters { get; }

    public IReadOnlyList<string> Inputs { get; }

    public bool TakesProperties { get; }

    public IReadOnlyList<string> Outputs { get; }

    /// <summary>Imports the module and asks.</summary>
    public static IReadOnlyList<CmdletFacts> Load(string manifest)
    {
        using var runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        runspace.Open();
        using var shell = System.Management.Automation.PowerShell.Create(runspace);
        var cmdlets = shell.AddScript("param($manifest) $ErrorActionPreference = 'Stop'; Import-Module $manifest; Get-Command -Module Inferloop -CommandType Cmdlet")
            .AddArgument(Path.GetFullPath(manifest)).Invoke<CmdletInfo>();
        return [.. cmdlets.OrderBy(c => c.Name, StringComparer.Ordinal).Select(c => new CmdletFacts(c))];
    }

    private static (string Name, ParameterFacts Facts) Parameter(string name, ReadOnlyCollection<CommandParameterSetInfo> sets, string? all)
    {
        var uses = sets.SelectMany(s => s.Parameters.Where(p => p.Name == name).Select(p => (Set: s.Name, Parameter: p))).ToList();
        var facts = uses.Select(u => new ParameterSetFacts(
            u.Set == all ? "(All)" : u.Set, u.Parameter.Position < 0 ? "Named" : u.Parameter.Position.ToString(System.Globalization.CultureInfo.InvariantCulture),
            u.Parameter.IsMandatory, u.Parameter.ValueFromPipeline, u.Parameter.ValueFromPipelineByPropertyName, u.Parameter.ValueFromRemainingArguments)).ToList();

        // The same in every set: one entry for all of them.
        if (all is null && facts.Count == sets.Count && facts.TrueForAll(f => f with { Name = facts[0].Name } == facts[0]))
        {
            facts = [facts[0] with { Name = "(All)" }];
        }

        var parameter = uses[0].Parameter;
        var type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return (name, new ParameterFacts
        {
            Type = TypeName(type),
            SupportsWildcards = parameter.Attributes.OfType<SupportsWildcardsAttribute>().Any(),
            Aliases = [.. parameter.Aliases],
            ParameterSets = facts,
            DontShow = parameter.Attributes.OfType<ParameterAttribute>().Any(a => a.DontShow),
            AcceptedValues = type.IsEnum ? Enum.GetNames(type) : [.. parameter.Attributes.OfType<ValidateSetAttribute>().SelectMany(v => v.ValidValues)],
            HelpMessage = parameter.HelpMessage ?? "",
        });
    }

    private static string TypeName(Type type) => type.IsGenericType
        ? $"{type.GetGenericTypeDefinition().FullName!.Split('`')[0]}[{string.Join(',', type.GetGenericArguments().Select(TypeName))}]"
        : type.FullName!;
}
