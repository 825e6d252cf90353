using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;

namespace Inferloop.PowerShell.Tests;

/// <summary>A session whose cmdlets are types of this process, for tests of the framework under the cmdlets: the tests' own and some of the Shell's.</summary>
internal sealed class CmdletFixture : IDisposable
{
    public CmdletFixture(PSHost? host = null, params Type[] cmdlets)
    {
        var state = InitialSessionState.CreateDefault2();
        Inferloop.Shell.Cmdlets.ShellCmdlets.AddTo(state);
        foreach (var type in cmdlets)
        {
            var attribute = (CmdletAttribute)Attribute.GetCustomAttribute(type, typeof(CmdletAttribute))!;
            state.Commands.Add(new SessionStateCmdletEntry($"{attribute.VerbName}-{attribute.NounName}", type, null));
        }

        Runspace = host is null ? RunspaceFactory.CreateRunspace(state) : RunspaceFactory.CreateRunspace(host, state);
        Runspace.Open();
    }

    public Runspace Runspace { get; }

    public System.Management.Automation.PowerShell Script(string text)
    {
        var shell = System.Management.Automation.PowerShell.Create(Runspace);
        shell.AddScript(text);
        return shell;
    }

    /// <summary>Runs a script and gives its output; an error is thrown.</summary>
    public IReadOnlyList<PSObject> Run(string text)
    {
        using var shell = Script("$ErrorActionPreference = 'Stop'; " + text);
        return [.. shell.Invoke()];
    }

    public void Dispose() => Runspace.Dispose();
}
