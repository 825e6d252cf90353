using System.Management.Automation;

namespace Inferloop.PowerShell.Pipeline;

// Warnings and errors as annotations of a CI run.
public abstract partial class InferloopCmdlet
{
    private void AnnotateWarning(string text)
    {
        if (Shown("WarningAction", "WarningPreference"))
        {
            Annotate(ci => ci.Warning(MyInvocation.MyCommand.Name, text));
        }
    }

    private void AnnotateError(ErrorRecord record)
    {
        if (Shown("ErrorAction", "ErrorActionPreference"))
        {
            var message = record.ErrorDetails?.Message ?? record.Exception.Message;
            var action = record.ErrorDetails?.RecommendedAction;
            Annotate(ci => ci.Error(
                $"{MyInvocation.MyCommand.Name}: {record.FullyQualifiedErrorId.Split(',')[0]}", string.IsNullOrEmpty(action) ? message : $"{message} {action}"));
        }
    }

    private void Annotate(Func<ContinuousIntegration, string> line)
    {
        var ci = ContinuousIntegration.Current;
        if (ci != ContinuousIntegration.None)
        {
            Host?.UI?.WriteLine(line(ci));
        }
    }

    // What a user silenced is no annotation either.
    private bool Shown(string parameter, string variable)
    {
        var value = MyInvocation.BoundParameters.TryGetValue(parameter, out var bound) ? bound : GetVariableValue(variable);
        return !LanguagePrimitives.TryConvertTo(value, out ActionPreference preference)
            || preference is not (ActionPreference.SilentlyContinue or ActionPreference.Ignore);
    }
}
