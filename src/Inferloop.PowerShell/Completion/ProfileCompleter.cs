using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using Amazon.Runtime.CredentialManagement;

namespace Inferloop.PowerShell.Completion;

/// <summary>Completes the names of the profiles in this machine's AWS configuration.</summary>
public sealed class ProfileCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var chain = new CredentialProfileStoreChain(fakeBoundParameters["ProfileLocation"] as string);
        return chain.ListProfiles()
            .Select(p => (Value: p.Name, ToolTip: p.Region is { } region ? $"{p.Name} ({region.SystemName})" : p.Name))
            .DistinctBy(p => p.Value, StringComparer.Ordinal).OrderBy(p => p.Value, StringComparer.OrdinalIgnoreCase)
            .Completions(wordToComplete);
    }
}
