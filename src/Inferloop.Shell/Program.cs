using Inferloop.Shell;

var arguments = ShellArguments.Parse(args);
if (arguments.Problem is { } problem)
{
    Console.Error.WriteLine(problem);
    Console.Error.WriteLine(ShellArguments.Usage);
    return ShellExitCodes.BadCommandLine;
}

if (arguments.ShowHelp)
{
    Console.WriteLine(ShellArguments.Usage);
    return ShellExitCodes.Success;
}

using var session = new ShellSession(arguments);
return session.Run();
