using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>Completes the names of environments that exist where the command line says, or where the session works.</summary>
public sealed class EnvironmentNameCompleter : IArgumentCompleter
{
    private static readonly string[] Passed = ["Region", "ProfileName", "ProfileLocation", "EndpointUrl", "Stage"];

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        // The cmdlet itself answers, so that a completion goes exactly where the command would.
        using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell.AddCommand("Get-InferloopEnvironment").AddParameter("Name", wordToComplete.Trim('\'', '"') + "*").AddParameter("SkipHealth").AddParameter("ErrorAction", "Ignore");
        foreach (var name in Passed.Where(fakeBoundParameters.Contains))
        {
            shell.AddParameter(name, fakeBoundParameters[name]);
        }

        System.Collections.ObjectModel.Collection<PSObject> found;
        try
        {
            found = shell.Invoke();
        }
        catch (RuntimeException)
        {
            // Without credentials or a way to AWS there is nothing to propose, and a completer has no place to say why.
            yield break;
        }

        foreach (var environment in found)
        {
            var name = environment.Properties["Name"].Value.ToString()!;
            yield return new CompletionResult(name, name, CompletionResultType.ParameterValue, environment.ToString());
        }
    }
}
