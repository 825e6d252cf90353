using System.Management.Automation.Runspaces;

namespace Inferloop.Shell;

/// <summary>The command line, read as pwsh reads its own.</summary>
internal sealed record ShellArguments
{
    /// <summary>What <c>-Help</c> shows.</summary>
    public const string Usage = """
        Usage: Inferloop.Shell [[-File] <script> [arguments]] [-Command { - | <commands> }]
                               [-NoProfile] [-NoLogo] [-NonInteractive] [-NoExit] [-WorkingDirectory <folder>] [-Version] [-Help]

        Without a script or a command it is an interactive PowerShell with the Inferloop module imported; commands piped into it are run.
        """;

    /// <summary>A script to run.</summary>
    public string? File { get; init; }

    /// <summary>What follows the script.</summary>
    public IReadOnlyList<CommandParameter> FileArguments { get; init; } = [];

    /// <summary>Commands to run; <c>-</c> reads them from standard input.</summary>
    public string? Command { get; init; }

    /// <summary>Nothing may be asked.</summary>
    public bool NonInteractive { get; init; }

    /// <summary>No banner.</summary>
    public bool NoLogo { get; init; }

    /// <summary>Stay after the script or command.</summary>
    public bool NoExit { get; init; }

    /// <summary>Where to start.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Show the version and end.</summary>
    public bool ShowVersion { get; init; }

    /// <summary>Show the usage and end.</summary>
    public bool ShowHelp { get; init; }

    /// <summary>What is wrong with the command line; null when nothing is.</summary>
    public string? Problem { get; init; }

    /// <summary>Reads a command line.</summary>
    public static ShellArguments Parse(IReadOnlyList<string> args)
    {
        var result = new ShellArguments();
        for (var i = 0; i < args.Count; i++)
        {
            var rest = args.Skip(i + 1);
            var name = args[i].TrimStart('-');
            if (args[i] == "-")
            {
                return result with { Command = "-" };
            }

            if (!args[i].StartsWith('-'))
            {
                return result with { File = args[i], FileArguments = ScriptArguments(rest) };
            }

            if (Is("file", "f"))
            {
                if (i + 1 == args.Count)
                {
                    return result with { Problem = "The -File parameter requires a file path." };
                }

                return args[i + 1] == "-"
                    ? result with { Command = "-" }
                    : result with { File = args[i + 1], FileArguments = ScriptArguments(rest.Skip(1)) };
            }

            if (Is("command", "c"))
            {
                return i + 1 == args.Count
                    ? result with { Problem = "Cannot process the command because of a missing parameter. A command must follow -Command." }
                    : result with { Command = string.Join(' ', rest) };
            }

            if (Is("workingdirectory", "wo"))
            {
                if (++i == args.Count)
                {
                    return result with { Problem = "The -WorkingDirectory parameter requires a folder." };
                }

                result = result with { WorkingDirectory = args[i] };
            }
            else if (Is("nologo", "nol"))
            {
                result = result with { NoLogo = true };
            }
            else if (Is("noninteractive", "noni"))
            {
                result = result with { NonInteractive = true };
            }
            else if (Is("noexit", "noe"))
            {
                result = result with { NoExit = true };
            }
            else if (Is("version", "v"))
            {
                result = result with { ShowVersion = true };
            }
            else if (Is("help", "h") || name == "?")
            {
                result = result with { ShowHelp = true };
            }
            else if (!Is("noprofile", "nop"))
            {
                // This host has no profile: -NoProfile is accepted, and is how it always is.
                return result with { Problem = $"The argument '{args[i]}' is not recognized." };
            }

            bool Is(string full, string shortest) =>
                name.Length >= shortest.Length && full.StartsWith(name, StringComparison.OrdinalIgnoreCase);
        }

        return result;
    }

    // Words after a script: -Name binds a parameter, -Name:value and the words $true and $false after a colon too, as in pwsh.
    private static List<CommandParameter> ScriptArguments(IEnumerable<string> words)
    {
        var parameters = new List<CommandParameter>();
        foreach (var word in words)
        {
            var colon = word.IndexOf(':', StringComparison.Ordinal);
            if (word.Length < 2 || word[0] != '-' || !(char.IsLetter(word[1]) || word[1] == '_'))
            {
                parameters.Add(new CommandParameter(null, word));
            }
            else if (colon > 0)
            {
                var value = word[(colon + 1)..];
                parameters.Add(new CommandParameter(word[..colon], value.ToUpperInvariant() switch
                {
                    "$TRUE" => true,
                    "$FALSE" => false,
                    _ => value,
                }));
            }
            else
            {
                parameters.Add(new CommandParameter(word));
            }
        }

        return parameters;
    }
}
