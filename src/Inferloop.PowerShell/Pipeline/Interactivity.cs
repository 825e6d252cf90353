using System.Management.Automation;
using System.Management.Automation.Host;

namespace Inferloop.PowerShell.Pipeline;

/// <summary>Whether there is anyone to ask.</summary>
internal static class Interactivity
{
    /// <summary>A prompt of this host can be answered by someone.</summary>
    public static bool CanPrompt(PSHost? host)
    {
        if (host?.UI is null || ContinuousIntegration.Current != ContinuousIntegration.None)
        {
            return false;
        }

        // The console host prompts even when its input is a closed pipe, and takes the end of input for the default answer.
        return host.Name != "ConsoleHost" || !(Console.IsInputRedirected || StartedNonInteractive());
    }

    /// <summary>The host refused to prompt: no user interface, or -NonInteractive.</summary>
    public static bool IsRefusedPrompt(Exception e) =>
        e is HostException or NotImplementedException or NotSupportedException
        || (e is PSInvalidOperationException && e.GetType().Assembly == typeof(PSObject).Assembly);

    private static bool StartedNonInteractive() =>
        Environment.GetCommandLineArgs().Any(argument =>
            argument.Length >= 5 && argument[0] is '-' or '/' && "noninteractive".StartsWith(argument[1..].TrimStart('-'), StringComparison.OrdinalIgnoreCase)
            && argument.Contains("noni", StringComparison.OrdinalIgnoreCase));
}
