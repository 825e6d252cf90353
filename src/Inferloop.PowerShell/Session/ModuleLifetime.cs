using System.Management.Automation;

namespace Inferloop.PowerShell.Session;

/// <summary>Called by PowerShell when the module is removed from a session.</summary>
public sealed class ModuleLifetime : IModuleAssemblyCleanup
{
    /// <inheritdoc/>
    public void OnRemove(PSModuleInfo psModuleInfo) => ModuleSession.CloseCurrent();
}
