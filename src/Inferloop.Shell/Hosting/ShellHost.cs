using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;

namespace Inferloop.Shell.Hosting;

/// <summary>The console as a PowerShell host.</summary>
internal sealed class ShellHost : PSHost
{
    public ShellHost(bool nonInteractive) => Ui = new ShellUserInterface(nonInteractive);

    /// <summary>What <c>exit</c> said; null while nobody did.</summary>
    public int? ExitCode { get; private set; }

    public ShellUserInterface Ui { get; }

    public override string Name => "Inferloop Shell";

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override Version Version { get; } = typeof(ShellHost).Assembly.GetName().Version ?? new Version(0, 0);

    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    public override PSHostUserInterface UI => Ui;

    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;

    public override void EnterNestedPrompt() => throw new PSNotSupportedException("This host has no nested prompts.");

    public override void ExitNestedPrompt() => throw new PSNotSupportedException("This host has no nested prompts.");

    public override void NotifyBeginApplication()
    {
        // A program takes over the console: a bar must not stay in its output.
        Ui.EndProgress();
    }

    public override void NotifyEndApplication()
    {
    }
}
