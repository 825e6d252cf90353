using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Inferloop.PowerShell.Commands.EnvironmentComponent;

/// <summary>Completes the components that an environment consists of.</summary>
public sealed class ComponentNameCompleter : IArgumentCompleter
{
    private static readonly string[] Names = ["Ecs", "Logs", "Network", "Security", "Storage"];

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Names.Where(n => n.StartsWith(wordToComplete, StringComparison.OrdinalIgnoreCase)).Select(n => new CompletionResult(n));
}
