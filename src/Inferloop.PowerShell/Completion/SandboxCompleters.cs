using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using Inferloop.PowerShell.Session;
using Inferloop.Sandbox.Faults;

namespace Inferloop.PowerShell.Completion;

/// <summary>Completes the services of the sandbox.</summary>
public sealed class SandboxServiceCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        InferloopSandbox.KnownServices.Select(s => (s.Key, $"{s.Key}: {s.Value.Count} operations")).Completions(wordToComplete);
}

/// <summary>Completes the operations of the service that is given, or of every one.</summary>
public sealed class SandboxOperationCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        if (string.Equals(fakeBoundParameters["Kind"]?.ToString(), nameof(SandboxFaultKind.ResourceFailure), StringComparison.OrdinalIgnoreCase))
        {
            return new[] { "Create", "Update", "Delete" }.Select(step => (step, $"{step} of a stack's resource")).Completions(wordToComplete);
        }

        var service = WildcardPattern.Get(fakeBoundParameters["Service"]?.ToString() ?? "*", WildcardOptions.IgnoreCase);
        return InferloopSandbox.KnownServices.Where(s => service.IsMatch(s.Key)).SelectMany(s => s.Value.Select(operation => (Value: operation, ToolTip: $"{s.Key}: {operation}")))
            .GroupBy(o => o.Value, StringComparer.Ordinal).Select(g => g.First()).OrderBy(o => o.Value, StringComparer.Ordinal)
            .Completions(wordToComplete);
    }
}

/// <summary>Completes availability zones.</summary>
public sealed class SandboxZoneCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        InferloopSandbox.KnownZones.Select(zone => (zone, zone)).Completions(wordToComplete);
}
