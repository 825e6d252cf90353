using System.Management.Automation;

namespace Inferloop.PowerShell.Pipeline;

// What a body may ask of the pipeline. The members that hide PSCmdlet's may be called from any thread.
public abstract partial class InferloopCmdlet
{
    /// <summary>Writes an object and waits until everything downstream has taken it.</summary>
    /// <param name="value">The object.</param>
    /// <returns>Done when downstream has taken it; cancelled when the pipeline stopped.</returns>
    protected Task WriteAsync(object? value) => OnPipelineAsync(() => base.WriteObject(value));

    /// <summary>Writes an object. From the body it is queued: use <see cref="WriteAsync"/> where the body should keep pace with its readers.</summary>
    /// <param name="sendToPipeline">The object.</param>
    protected new void WriteObject(object? sendToPipeline) => Post(() => base.WriteObject(sendToPipeline));

    /// <summary>Writes an object, or each element of it.</summary>
    /// <param name="sendToPipeline">The object.</param>
    /// <param name="enumerateCollection">Write the elements.</param>
    protected new void WriteObject(object? sendToPipeline, bool enumerateCollection) => Post(() => base.WriteObject(sendToPipeline, enumerateCollection));

    /// <summary>Writes a verbose message.</summary>
    /// <param name="text">The message.</param>
    protected new void WriteVerbose(string text) => Post(() => base.WriteVerbose(Secrets.Scrub(text)));

    /// <summary>Writes a debug message.</summary>
    /// <param name="text">The message.</param>
    protected new void WriteDebug(string text) => Post(() => base.WriteDebug(Secrets.Scrub(text)));

    /// <summary>Writes a warning; in a CI run also as an annotation. After Ctrl-C it goes straight to the host, which is the only one still listening.</summary>
    /// <param name="text">The message.</param>
    protected new void WriteWarning(string text)
    {
        text = Secrets.Scrub(text);
        if (stop.IsCancellationRequested)
        {
            Host?.UI?.WriteWarningLine(text);
            return;
        }

        Post(() =>
        {
            base.WriteWarning(text);
            AnnotateWarning(text);
        });
    }

    /// <summary>Writes a non-terminating error, mapped as a terminating one would be.</summary>
    /// <param name="failure">What failed.</param>
    protected void WriteError(Exception failure) => Post(() =>
    {
        var record = ToErrorRecord(failure);
        AnnotateError(record);
        base.WriteError(record);
    });

    /// <summary>Writes a non-terminating error.</summary>
    /// <param name="errorRecord">The error.</param>
    protected new void WriteError(ErrorRecord errorRecord) => Post(() =>
    {
        AnnotateError(errorRecord);
        base.WriteError(errorRecord);
    });

    /// <summary>Writes a progress record.</summary>
    /// <param name="progressRecord">The record.</param>
    protected new void WriteProgress(ProgressRecord progressRecord) => Post(() => base.WriteProgress(progressRecord));

    /// <summary>Writes an information record that the host shows.</summary>
    /// <param name="text">The text.</param>
    protected void WriteHost(string text) => Post(() =>
        base.WriteInformation(new HostInformationMessage { Message = Secrets.Scrub(text) }, ["PSHOST"]));

    /// <summary>Asks whether to go on with a change (<c>-WhatIf</c>, <c>-Confirm</c>).</summary>
    /// <param name="target">What is changed.</param>
    /// <param name="action">What is done to it.</param>
    /// <returns>True to go on.</returns>
    protected Task<bool> ShouldProcessAsync(string target, string action) =>
        AskAsync(WouldPrompt(), () => base.ShouldProcess(target, action));

    /// <summary>Asks whether to go on with a change, in words of its own.</summary>
    /// <param name="description">What <c>-WhatIf</c> and <c>-Verbose</c> print.</param>
    /// <param name="query">The question of <c>-Confirm</c>.</param>
    /// <param name="caption">Its caption.</param>
    /// <returns>True to go on.</returns>
    protected Task<bool> ShouldProcessAsync(string description, string query, string caption) =>
        AskAsync(WouldPrompt(), () => base.ShouldProcess(description, query, caption));

    /// <summary>Asks a question that <c>-Force</c> (or the caller) did not answer beforehand.</summary>
    /// <param name="query">The question.</param>
    /// <param name="caption">Its caption.</param>
    /// <returns>True for yes.</returns>
    protected Task<bool> ShouldContinueAsync(string query, string caption) => AskAsync(true, () => base.ShouldContinue(query, caption));

    /// <summary>Does something on the pipeline thread: reading a session variable, calling a script block.</summary>
    /// <typeparam name="T">The result.</typeparam>
    /// <param name="function">What to do.</param>
    /// <returns>Its result.</returns>
    protected Task<T> OnPipelineAsync<T>(Func<T> function) =>
        pump is { } running ? running.InvokeAsync(function) : Task.FromResult(function());

    /// <summary>Does something on the pipeline thread.</summary>
    /// <param name="action">What to do.</param>
    /// <returns>Done when it is done.</returns>
    protected Task OnPipelineAsync(Action action) => OnPipelineAsync(() =>
    {
        action();
        return true;
    });

    internal void ProgressNow(ProgressRecord record)
    {
        if (!Stopping)
        {
            base.WriteProgress(record);
        }
    }

    internal void ReportVerbose(string message) => WriteVerbose(message);

    internal void ReportWarning(string message) => WriteWarning(message);

    internal void Post(Action action)
    {
        if (pump is { } running)
        {
            running.Post(action);
        }
        else
        {
            action();
        }
    }

    private Task<bool> AskAsync(Func<bool> wouldPrompt, Func<bool> ask) => OnPipelineAsync(() =>
    {
        if (wouldPrompt() && !Interactivity.CanPrompt(Host))
        {
            throw new RequestFailedException(CodedErrors.Create(ErrorIds.PromptNotPossible, MyInvocation.InvocationName, MyInvocation.InvocationName));
        }

        try
        {
            return ask();
        }
        catch (Exception e) when (Interactivity.IsRefusedPrompt(e))
        {
            throw new RequestFailedException(CodedErrors.Create(ErrorIds.PromptNotPossible, MyInvocation.InvocationName, e, MyInvocation.InvocationName));
        }
    });

    private Task<bool> AskAsync(bool wouldPrompt, Func<bool> ask) => AskAsync(() => wouldPrompt, ask);

    // The engine's own rule for ShouldProcess, read ahead so that a host without a user gets an error that helps.
    private Func<bool> WouldPrompt() => () =>
    {
        var bound = MyInvocation.BoundParameters;
        if (bound.TryGetValue("WhatIf", out var whatIf) ? LanguagePrimitives.IsTrue(whatIf) : LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference")))
        {
            return false;
        }

        if (bound.TryGetValue("Confirm", out var confirm))
        {
            return LanguagePrimitives.IsTrue(confirm);
        }

        var preference = LanguagePrimitives.TryConvertTo(GetVariableValue("ConfirmPreference"), out ConfirmImpact threshold) ? threshold : ConfirmImpact.High;
        var attribute = (CmdletAttribute?)Attribute.GetCustomAttribute(GetType(), typeof(CmdletAttribute));
        var impact = attribute?.ConfirmImpact ?? ConfirmImpact.Medium;
        return preference != ConfirmImpact.None && impact >= preference;
    };
}
