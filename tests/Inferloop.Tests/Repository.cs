namespace Inferloop.Tests;

/// <summary>Where the checked-out tree is, so that tests can reach the built module, docs and templates.</summary>
internal static class Repository
{
    /// <summary>The folder that holds Inferloop.PowerShell.sln.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Inferloop.PowerShell.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("Inferloop.PowerShell.sln was not found above " + AppContext.BaseDirectory);
    }
}
