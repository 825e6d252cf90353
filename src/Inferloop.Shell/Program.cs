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

// The engine would report its use to its maker, and listen for a debugger; a small host that runs scripts in CI does neither unasked.
foreach (var optOut in new[] { "POWERSHELL_TELEMETRY_OPTOUT", "POWERSHELL_DIAGNOSTICS_OPTOUT" })
{
    if (Environment.GetEnvironmentVariable(optOut) is null)
    {
        Environment.SetEnvironmentVariable(optOut, "1");
    }
}

using var session = new ShellSession(arguments);
return session.Run();
