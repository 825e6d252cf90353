namespace Inferloop.Help;

/// <summary>
/// Brings the pages up to the built module: metadata, syntax and the list of parameters are the cmdlets', prose is the writer's and stays. A new
/// cmdlet gets a page to fill in, with the summaries of its XML documentation.
/// </summary>
internal static class UpdateJob
{
    private const string CommonText =
        "This cmdlet supports the common parameters: -Debug, -ErrorAction, -ErrorVariable,\n-InformationAction, -InformationVariable, -OutBuffer, -OutVariable, -PipelineVariable,\n-ProgressAction, -Verbose, -WarningAction, and -WarningVariable. For more information, see\n[about_CommonParameters](https://go.microsoft.com/fwlink/?LinkID=113216).";

    public static int Run(string manifest, string folder)
    {
        Directory.CreateDirectory(folder);
        var cmdlets = CmdletFacts.Load(manifest);
        foreach (var cmdlet in cmdlets)
        {
            var path = Path.Combine(folder, cmdlet.Name + ".md");
            var page = File.Exists(path) ? PageReader.Load(path) : New(cmdlet);
            Apply(cmdlet, page);
            if (page.RelatedLinks.Length == 0)
            {
                page.RelatedLinks = Related(cmdlet.Name, cmdlets.Select(c => c.Name));
            }

            var text = PageWriter.Write(page);
            if (!File.Exists(path) || File.ReadAllText(path).ReplaceLineEndings("\n") != text)
            {
                File.WriteAllText(path, text);
                Console.WriteLine("wrote " + path);
            }
        }

        foreach (var stale in Directory.EnumerateFiles(folder, "*.md").Where(p => cmdlets.All(c => c.Name != Path.GetFileNameWithoutExtension(p))))
        {
            Console.WriteLine($"no such cmdlet any more: {stale}");
        }

        return 0;
    }

    /// <summary>Sets in a page what the cmdlet decides.</summary>
    public static void Apply(CmdletFacts cmdlet, HelpPage page)
    {
        var documentation = XmlDocumentation.For(cmdlet.AssemblyPath);
        page.Syntax.Clear();
        page.Syntax.AddRange(cmdlet.Syntax);
        var written = page.Parameters.ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
        page.Parameters.Clear();
        foreach (var (name, facts) in cmdlet.Parameters)
        {
            var known = written.GetValueOrDefault(name);
            page.Parameters.Add(new HelpParameter
            {
                Name = name,
                Text = known is { Text.Length: > 0 } ? known.Text : Standard(name) ?? documentation.Property(cmdlet.ImplementingType, name),
                Facts = facts with { DefaultValue = known?.Facts.DefaultValue ?? "" },
            });
        }

        page.CommonParameters = CommonText;
        Replace(page.Inputs, cmdlet.Inputs.Count > 0 ? cmdlet.Inputs : cmdlet.TakesProperties ? ["System.Management.Automation.PSObject"] : ["None"]);
        Replace(page.Outputs, cmdlet.Outputs.Count > 0 ? cmdlet.Outputs : ["None"]);
    }

    private static void Replace(List<HelpType> types, IReadOnlyList<string> names)
    {
        var written = types.ToDictionary(t => t.Name, t => t.Text, StringComparer.Ordinal);
        types.Clear();
        types.AddRange(names.Select(n => new HelpType(n, written.GetValueOrDefault(n, ""))));
    }

    private static HelpPage New(CmdletFacts cmdlet)
    {
        var summary = XmlDocumentation.For(cmdlet.AssemblyPath).Type(cmdlet.ImplementingType);
        var page = new HelpPage { Title = cmdlet.Name, Synopsis = summary, Description = summary };
        page.FrontMatter.AddRange(
        [
            new("document type", "cmdlet"),
            new("external help file", "Inferloop.PowerShell.dll-Help.xml"),
            new("HelpUri", ""),
            new("Locale", "en-US"),
            new("Module Name", "Inferloop"),
            new("ms.date", DateTime.UtcNow.ToString("MM/dd/yyyy", System.Globalization.CultureInfo.InvariantCulture)),
            new("PlatyPS schema version", "2024-05-01"),
            new("title", cmdlet.Name),
        ]);
        return page;
    }

    // A page nobody has linked yet leads to the cmdlets of the same noun.
    private static string Related(string name, IEnumerable<string> cmdlets)
    {
        var noun = name[(name.IndexOf('-', StringComparison.Ordinal) + 1)..];
        return string.Join('\n', cmdlets.Where(c => c != name && c.EndsWith("-" + noun, StringComparison.Ordinal)).Select(c => $"- [{c}]({c}.md)"));
    }

    private static string? Standard(string parameter) => parameter switch
    {
        "WhatIf" => "Shows what would happen, and changes nothing.",
        "Confirm" => "Asks before anything is changed.",
        _ => null,
    };
}
