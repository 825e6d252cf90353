namespace Inferloop.Help;

/// <summary>All pages of a folder into one MAML file.</summary>
internal static class MamlJob
{
    public static int Run(string pages, string output)
    {
        var loaded = new List<HelpPage>();
        var failed = false;
        foreach (var path in Directory.EnumerateFiles(pages, "*.md").Order(StringComparer.Ordinal))
        {
            try
            {
                loaded.Add(PageReader.Load(path));
            }
            catch (PageException e)
            {
                // In the form that MSBuild takes for an error with a place.
                Console.Error.WriteLine(e.Message);
                failed = true;
            }
        }

        if (failed)
        {
            return 1;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        MamlWriter.Write(loaded, output);
        return 0;
    }
}
