using Inferloop.Help;

// Two jobs: 'maml' at every build, 'update' when cmdlets have changed.
switch (args)
{
    case ["maml", var pages, var output]:
        return MamlJob.Run(pages, output);
    case ["update", var manifest, var pages]:
        return UpdateJob.Run(manifest, pages);
    default:
        Console.Error.WriteLine("""
            Usage: Inferloop.Help maml <folder of pages> <MAML file to write>
                   Inferloop.Help update <Inferloop.psd1> <folder of pages>
            """);
        return 64;
}
