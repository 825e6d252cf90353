using System.Reflection;

namespace Inferloop.Loader;

/// <summary>What the module's script calls: gives the assembly of cmdlets, loaded apart from everything else in the session.</summary>
public static class EngineLoader
{
    // A second import of the same folder must see the same types: an assembly once loaded stays.
    private static readonly Dictionary<string, EngineLoadContext> Contexts = new(StringComparer.Ordinal);

    /// <summary>Loads the assembly of cmdlets from a folder; the same assembly at every call for the same folder.</summary>
    /// <param name="folder">The folder that holds the engine and all it depends on.</param>
    /// <returns>The assembly to pass to <c>Import-Module -Assembly</c>.</returns>
    public static Assembly Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var engine = Path.Combine(folder, "Inferloop.PowerShell.dll");
        if (!File.Exists(engine))
        {
            throw new FileNotFoundException($"The module is not complete: '{engine}' is missing. In a clone, run 'dotnet build' first.", engine);
        }

        lock (Contexts)
        {
            if (!Contexts.TryGetValue(folder, out var context))
            {
                Contexts[folder] = context = new EngineLoadContext(folder);
            }

            return context.LoadFromAssemblyPath(engine);
        }
    }
}
