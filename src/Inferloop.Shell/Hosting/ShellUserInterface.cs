using System.Management.Automation;
using System.Management.Automation.Host;
using System.Text;

namespace Inferloop.Shell.Hosting;

/// <summary>What the engine writes and asks, on the console. Output goes to standard output, errors to standard error, as pwsh does it.</summary>
internal sealed partial class ShellUserInterface : PSHostUserInterface
{
    private readonly object gate = new();
    private readonly bool nonInteractive;
    private readonly ProgressPane progress;
    private StringBuilder? capture;

    public ShellUserInterface(bool nonInteractive)
    {
        this.nonInteractive = nonInteractive;
        progress = new ProgressPane(Console.Out, static () => ShellRawUserInterface.Width);
        if (!UsesColor)
        {
            PSStyle.Instance.OutputRendering = OutputRendering.PlainText;
        }
    }

    /// <summary>Colours and movement are wanted and possible: a terminal, and no NO_COLOR.</summary>
    public static bool UsesColor { get; } =
        string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") != "dumb";

    public override PSHostRawUserInterface RawUI { get; } = new ShellRawUserInterface();

    public override bool SupportsVirtualTerminal => UsesColor;

    /// <summary>Collects what is written until the capture is disposed of, in place of showing it.</summary>
    public StringBuilder BeginCapture(int? width = null)
    {
        lock (gate)
        {
            ShellRawUserInterface.WidthOverride = width;
            return capture = new StringBuilder();
        }
    }

    /// <summary>Shows again what is written.</summary>
    public void EndCapture()
    {
        lock (gate)
        {
            capture = null;
            ShellRawUserInterface.WidthOverride = null;
        }
    }

    public override void Write(string value) => Put(value);

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) =>
        Put(UsesColor && value.Length > 0 ? Colors.Foreground(foregroundColor) + Colors.Background(backgroundColor) + value + Colors.Reset : value);

    public override void WriteLine() => Put(Environment.NewLine);

    public override void WriteLine(string value) => Put(value + Environment.NewLine);

    public override void WriteLine(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value)
    {
        Write(foregroundColor, backgroundColor, value);
        WriteLine();
    }

    public override void WriteErrorLine(string value)
    {
        lock (gate)
        {
            progress.Hide();
            var colored = UsesColor && !Console.IsErrorRedirected;
            Console.Error.WriteLine(GetOutputString(colored ? PSStyle.Instance.Formatting.Error + value + PSStyle.Instance.Reset : value, colored));
            progress.Show();
        }
    }

    public override void WriteDebugLine(string message) => WriteLine(Styled(PSStyle.Instance.Formatting.Debug, "DEBUG: " + message));

    public override void WriteVerboseLine(string message) => WriteLine(Styled(PSStyle.Instance.Formatting.Verbose, "VERBOSE: " + message));

    public override void WriteWarningLine(string message) => WriteLine(Styled(PSStyle.Instance.Formatting.Warning, "WARNING: " + message));

    public override void WriteInformation(InformationRecord record)
    {
        // The engine has shown it already, through Write, where its preference says so.
    }

    public override void WriteProgress(long sourceId, ProgressRecord record)
    {
        if (!UsesColor)
        {
            return;
        }

        lock (gate)
        {
            progress.Update(record);
        }
    }

    /// <summary>Takes down every bar.</summary>
    public void EndProgress()
    {
        lock (gate)
        {
            progress.Clear();
        }
    }

    private static string Styled(string style, string text) => UsesColor ? style + text + PSStyle.Instance.Reset : text;

    private void Put(string value)
    {
        lock (gate)
        {
            if (capture is not null)
            {
                capture.Append(GetOutputString(value, supportsVirtualTerminal: false));
                return;
            }

            progress.Hide();
            Console.Out.Write(GetOutputString(value, UsesColor));
            progress.Wrote(value);
        }
    }
}
