using System.Reflection;
using System.Runtime.Loader;

namespace Inferloop.Loader;

/// <summary>
/// Resolves the engine's dependencies from the engine's own folder, whatever the session has loaded already. What is not in that folder
/// (the base library, System.Management.Automation) comes from the default context, so that cmdlets are the host's cmdlets.
/// </summary>
internal sealed class EngineLoadContext : AssemblyLoadContext
{
    private readonly string folder;

    public EngineLoadContext(string folder)
        : base("Inferloop: " + folder) => this.folder = folder;

    protected override Assembly? Load(AssemblyName assemblyName)
    {
        var path = Path.Combine(folder, assemblyName.Name + ".dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }
}
