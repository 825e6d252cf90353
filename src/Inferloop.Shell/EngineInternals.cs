using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using Microsoft.PowerShell.Commands.Internal.Format;

namespace Inferloop.Shell;

/// <summary>
/// What the engine has but shows only to pwsh's own assemblies. The engine's version is pinned, and tests run each of these; each fails
/// with a clear error where a later engine has it no more.
/// </summary>
internal static class EngineInternals
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;

    private static readonly Assembly Engine = typeof(PSObject).Assembly;

    /// <summary>Gives a formatting cmdlet the engine's own formatter of a shape (Table, List).</summary>
    public static void UseFormatter(FrontEndCommandBase cmdlet, string shape)
    {
        var shapes = Find("Microsoft.PowerShell.Commands.Internal.Format.FormatShape");
        var formatter = Activator.CreateInstance(
            Find("Microsoft.PowerShell.Commands.Internal.Format.InnerFormatShapeCommand"), Any, null, [Enum.Parse(shapes, shape)], null);
        Member(typeof(FrontEndCommandBase).GetField("implementation", Any), "implementation").SetValue(cmdlet, formatter);
    }

    /// <summary>The exception by which Select-Object -First ends the commands before it.</summary>
    public static Exception StopUpstream(Cmdlet requester) =>
        (Exception)Activator.CreateInstance(Find("System.Management.Automation.StopUpstreamCommandsException"), Any, null, [requester], null)!;

    /// <summary>Marks an error record so that Out-Default sends it to standard error, not among the output.</summary>
    public static PSObject MarkAsError(ErrorRecord error)
    {
        var wrapped = new PSObject(error);
        var stream = Member(typeof(PSObject).GetProperty("WriteStream", Any), "WriteStream");
        stream.SetValue(wrapped, Enum.Parse(stream.PropertyType, "Error"));
        return wrapped;
    }

    /// <summary>Says that an error is that of a script, whichever cmdlet writes it.</summary>
    public static void Attribute(ErrorRecord error, InvocationInfo caller)
    {
        Member(typeof(ErrorRecord).GetMethod("SetInvocationInfo", Any), "SetInvocationInfo").Invoke(error, [caller]);
        Member(typeof(ErrorRecord).GetProperty("PreserveInvocationInfoOnce", Any), "PreserveInvocationInfoOnce").SetValue(error, true);
    }

    /// <summary>Lets <c>exit</c> in a script file reach the host instead of ending with the script.</summary>
    public static void LetExitReachHost(Runspace runspace) => ContextMember(runspace, "ScriptCommandProcessorShouldRethrowExit").SetValue(Context(runspace), true);

    private static PropertyInfo ContextMember(Runspace runspace, string name) => Member(Context(runspace).GetType().GetProperty(name, Any), name);

    private static object Context(Runspace runspace) =>
        Member(runspace.GetType().GetProperty("ExecutionContext", Any) ?? typeof(Runspace).GetProperty("ExecutionContext", Any), "ExecutionContext").GetValue(runspace)!;

    private static Type Find(string name) => Engine.GetType(name) ?? throw Missing(name);

    private static T Member<T>(T? member, string name)
        where T : class => member ?? throw Missing(name);

    private static NotSupportedException Missing(string name) => new($"This version of System.Management.Automation ({Engine.GetName().Version}) has no {name}.");
}
