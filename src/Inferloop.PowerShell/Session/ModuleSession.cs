using System.Collections.Concurrent;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Inferloop.PowerShell.Session;

/// <summary>What the module remembers for one PowerShell session (runspace): nothing of it is shared with another session of the process.</summary>
internal sealed class ModuleSession
{
    private static readonly ConcurrentDictionary<Guid, ModuleSession> Sessions = new();

    /// <summary>The session of the thread that asks; only on a pipeline thread.</summary>
    public static ModuleSession Current
    {
        get
        {
            var runspace = Runspace.DefaultRunspace ?? throw new PSInvalidOperationException("There is no PowerShell session on this thread.");
            return Sessions.GetOrAdd(runspace.InstanceId, _ => new ModuleSession());
        }
    }
}
