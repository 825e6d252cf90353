using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text;
using Inferloop.Shell.Hosting;

namespace Inferloop.Shell.Interactive;

/// <summary>Reads commands and runs them, until there are no more: typed at a terminal, or piped into standard input.</summary>
internal sealed class Repl(ShellSession session, ShellHost host, ShellArguments arguments)
{
    /// <summary>Reads and runs.</summary>
    /// <returns>The process's exit code.</returns>
    public int Run()
    {
        var typed = !Console.IsInputRedirected && arguments.Command != "-";
        if (typed && !arguments.NoLogo)
        {
            host.Ui.WriteLine($"Inferloop Shell {host.Version.ToString(3)} on PowerShell {session.EngineVersion}. 'Get-Command -Module Inferloop' lists the cmdlets; 'exit' leaves.");
        }

        var editor = typed ? new LineEditor(new ConsoleKeys(), Console.Out, static () => ShellRawUserInterface.Width, Complete) : null;
        var succeeded = true;
        while (host.ExitCode is null && ReadCommand(editor) is { } command)
        {
            if (!string.IsNullOrWhiteSpace(command))
            {
                succeeded = session.Execute(command) && session.LastSucceeded;
            }
        }

        return host.ExitCode ?? (succeeded || typed ? ShellExitCodes.Success : ShellExitCodes.Failure);
    }

    /// <summary>The text is the beginning of a command, and more must follow: an open brace, quote or pipe.</summary>
    internal static bool IsIncomplete(string text)
    {
        Parser.ParseInput(text, out _, out var errors);
        return errors.Any(e => e.IncompleteInput);
    }

    // One whole command, over as many lines as it takes; null at the end of input.
    private string? ReadCommand(LineEditor? editor)
    {
        var command = new StringBuilder();
        var prompt = editor is null ? "" : Prompt();
        while (true)
        {
            string? line;
            try
            {
                line = editor is null ? Console.In.ReadLine() : editor.ReadLine(prompt);
            }
            catch (OperationCanceledException)
            {
                return "";
            }

            if (line is null)
            {
                // A command cut off by the end of input is run for its parse error.
                return command.Length > 0 ? command.ToString() : null;
            }

            // An empty line ends a continuation at a terminal, so that one is never caught in it.
            if (editor is not null && command.Length > 0 && line.Length == 0)
            {
                return command.ToString();
            }

            if (command.Length > 0)
            {
                command.Append('\n');
            }

            command.Append(line);
            if (!IsIncomplete(command.ToString()))
            {
                return command.ToString();
            }

            prompt = ">> ";
        }
    }

    private string Prompt()
    {
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = session.Runspace;
        try
        {
            var text = shell.AddCommand("prompt").Invoke().LastOrDefault()?.ToString();
            return string.IsNullOrEmpty(text) ? "PS> " : text;
        }
        catch (RuntimeException)
        {
            // A prompt function that fails must not lock its author out; pwsh falls back the same way.
            return "PS> ";
        }
    }

    private (int Start, int Length, IReadOnlyList<string> Texts) Complete(string line, int cursor)
    {
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = session.Runspace;
        var completion = CommandCompletion.CompleteInput(line, cursor, null, shell);
        return (completion.ReplacementIndex, completion.ReplacementLength, [.. completion.CompletionMatches.Select(m => m.CompletionText)]);
    }
}
