using System.Management.Automation;
using System.Text.RegularExpressions;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations;

internal static class ModuleResultExtensions
{
    /// <summary>The one error of a script in which one cmdlet refused. A cmdlet's terminating error ends its statement, not the script.</summary>
    public static ErrorRecord Refusal(this ModuleResult result)
    {
        if (result.TerminatingError is { } error)
        {
            return error;
        }

        Assert.True(result.Errors.Count == 1, $"{result.Errors.Count} errors: {string.Join("; ", result.Errors)}; output: {string.Join("; ", result.Output)}");
        return result.Errors[0];
    }

    /// <summary>What the host showed, without colours.</summary>
    public static string Shown(this TestHost host) => Regex.Replace(string.Join('\n', host.Lines), "\x1b\\[[0-9;]*m", "");
}
