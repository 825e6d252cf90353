using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using Amazon;

namespace Inferloop.PowerShell.Completion;

/// <summary>Completes the names of AWS regions.</summary>
public sealed class RegionCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        RegionEndpoint.EnumerableAllRegions
            .OrderBy(r => r.PartitionName != "aws").ThenBy(r => r.SystemName, StringComparer.Ordinal)
            .Select(r => (Value: r.SystemName, ToolTip: $"{r.SystemName}: {r.DisplayName}"))
            .Completions(wordToComplete);
}
