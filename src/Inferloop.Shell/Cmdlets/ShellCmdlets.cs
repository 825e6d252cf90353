using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Inferloop.Shell.Cmdlets;

/// <summary>
/// The cmdlets that scripts take for granted and that pwsh keeps in its Utility and Management modules, which are in no package. Each has the
/// parameters scripts mostly use, and does with them what pwsh's does.
/// </summary>
internal static class ShellCmdlets
{
    private static readonly Type[] Types =
    [
        typeof(WriteHostCommand), typeof(WriteOutputCommand), typeof(WriteVerboseCommand), typeof(WriteDebugCommand), typeof(WriteWarningCommand),
        typeof(WriteErrorCommand), typeof(WriteInformationCommand), typeof(WriteProgressCommand), typeof(ReadHostCommand),
        typeof(SelectObjectCommand), typeof(SortObjectCommand), typeof(GroupObjectCommand), typeof(MeasureObjectCommand), typeof(NewObjectCommand),
        typeof(GetMemberCommand), typeof(FormatTableCommand), typeof(FormatListCommand), typeof(OutStringCommand), typeof(OutFileCommand),
        typeof(ConvertToJsonCommand), typeof(ConvertFromJsonCommand), typeof(ConvertToCsvCommand), typeof(ExportCsvCommand),
        typeof(ImportPowerShellDataFileCommand),
        typeof(StartSleepCommand), typeof(GetDateCommand), typeof(NewTimeSpanCommand), typeof(MeasureCommandCommand), typeof(NewGuidCommand),
        typeof(GetRandomCommand), typeof(InvokeExpressionCommand), typeof(GetVariableCommand), typeof(SetVariableCommand), typeof(RemoveVariableCommand),
        typeof(GetAliasCommand), typeof(GetHostCommand),
        typeof(GetLocationCommand), typeof(SetLocationCommand), typeof(PushLocationCommand), typeof(PopLocationCommand), typeof(JoinPathCommand),
        typeof(SplitPathCommand), typeof(TestPathCommand), typeof(ResolvePathCommand), typeof(GetItemCommand), typeof(GetChildItemCommand),
        typeof(NewItemCommand), typeof(RemoveItemCommand), typeof(CopyItemCommand), typeof(GetContentCommand), typeof(SetContentCommand),
        typeof(AddContentCommand),
    ];

    /// <summary>Adds them to a session, with the aliases that pwsh has for them on every platform.</summary>
    public static void AddTo(InitialSessionState state)
    {
        foreach (var type in Types)
        {
            var attribute = (CmdletAttribute)Attribute.GetCustomAttribute(type, typeof(CmdletAttribute))!;
            state.Commands.Add(new SessionStateCmdletEntry($"{attribute.VerbName}-{attribute.NounName}", type, helpFileName: null));
        }

        // InitialSessionState.CreateDefault2 has no entry for the alias of a cmdlet that it does not have.
        foreach (var (alias, target) in Aliases)
        {
            if (state.Commands[alias].Count == 0)
            {
                state.Commands.Add(new SessionStateAliasEntry(alias, target));
            }
        }
    }

    private static readonly (string Alias, string Target)[] Aliases =
    [
        ("select", "Select-Object"), ("group", "Group-Object"), ("measure", "Measure-Object"), ("gm", "Get-Member"), ("ft", "Format-Table"),
        ("fl", "Format-List"), ("gl", "Get-Location"), ("pwd", "Get-Location"), ("sl", "Set-Location"), ("cd", "Set-Location"), ("chdir", "Set-Location"),
        ("pushd", "Push-Location"), ("popd", "Pop-Location"), ("gi", "Get-Item"), ("gci", "Get-ChildItem"), ("dir", "Get-ChildItem"),
        ("gc", "Get-Content"), ("type", "Get-Content"), ("ni", "New-Item"), ("ri", "Remove-Item"), ("rvpa", "Resolve-Path"), ("iex", "Invoke-Expression"),
        ("gv", "Get-Variable"), ("sv", "Set-Variable"), ("gal", "Get-Alias"), ("echo", "Write-Output"), ("write", "Write-Output"),
    ];
}
