using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Inferloop.Tests.PowerShell;

/// <summary>
/// A PowerShell session of its own with the built module imported, as a user has it: the cmdlets come from bin/, in their own load context.
/// So no type of the module can be named here: results are read as PowerShell reads them, by property name. Use it as a class fixture, or
/// one per test where state matters; one fixture runs one script at a time.
/// </summary>
public sealed class ModuleFixture : IDisposable
{
    private readonly Runspace runspace;

    /// <summary>Opens the session and imports the module.</summary>
    public ModuleFixture()
        : this(import: true)
    {
    }

    /// <summary>Opens the session.</summary>
    /// <param name="import">Import the module.</param>
    internal ModuleFixture(bool import)
    {
        runspace = RunspaceFactory.CreateRunspace(Host, InitialSessionState.CreateDefault2());
        runspace.Open();
        if (import)
        {
            Invoke($"Import-Module '{Manifest}' -ErrorAction Stop").EnsureSuccess();
        }
    }

    /// <summary>The manifest of the built module.</summary>
    public static string Manifest { get; } = Path.Combine(Repository.Root, "Inferloop.psd1");

    /// <summary>The host: what it showed, what it was asked, and what it answers.</summary>
    public TestHost Host { get; } = new();

    /// <summary>The session itself, for tests that stop pipelines or read variables.</summary>
    public Runspace Runspace => runspace;

    /// <summary>Runs a script to its end.</summary>
    /// <param name="script">The script.</param>
    /// <param name="variables">Variables it finds: pass an anonymous object, as in <c>new { spec, path }</c>.</param>
    public ModuleResult Invoke(string script, object? variables = null) => InvokeAsync(script, variables).GetAwaiter().GetResult();

    /// <summary>Runs a script to its end.</summary>
    /// <param name="script">The script.</param>
    /// <param name="variables">Variables it finds.</param>
    /// <param name="cancellationToken">Stops the pipeline, as Ctrl-C does.</param>
    public async Task<ModuleResult> InvokeAsync(string script, object? variables = null, CancellationToken cancellationToken = default)
    {
        foreach (var property in variables?.GetType().GetProperties() ?? [])
        {
            runspace.SessionStateProxy.SetVariable(property.Name, property.GetValue(variables));
        }

        using var shell = System.Management.Automation.PowerShell.Create(runspace);
        shell.AddScript(script);
        using var registration = cancellationToken.Register(() => shell.BeginStop(null, null));
        using var output = new PSDataCollection<PSObject>();
        ErrorRecord? terminating = null;
        var stopped = false;
        try
        {
            await Task.Factory.FromAsync(shell.BeginInvoke<PSObject, PSObject>(null, output), shell.EndInvoke).ConfigureAwait(false);
        }
        catch (PipelineStoppedException)
        {
            stopped = true;
        }
        catch (RuntimeException e)
        {
            terminating = e.ErrorRecord;
        }

        return new ModuleResult(
            [.. output], [.. shell.Streams.Error], terminating, [.. shell.Streams.Warning.Select(w => w.Message)], [.. shell.Streams.Verbose.Select(v => v.Message)],
            [.. shell.Streams.Progress], [.. shell.Streams.Information.Select(i => i.MessageData.ToString() ?? "")], stopped);
    }

    /// <inheritdoc/>
    public void Dispose() => runspace.Dispose();
}

/// <summary>What a script left on each stream.</summary>
/// <param name="Output">Objects.</param>
/// <param name="Errors">Non-terminating errors.</param>
/// <param name="TerminatingError">The error that ended it, or null.</param>
/// <param name="Warnings">Warnings.</param>
/// <param name="Verbose">Verbose messages.</param>
/// <param name="Progress">Progress records.</param>
/// <param name="Information">Information records as text (Write-Host among them).</param>
/// <param name="Stopped">The pipeline was stopped.</param>
public sealed record ModuleResult(
    IReadOnlyList<PSObject> Output,
    IReadOnlyList<ErrorRecord> Errors,
    ErrorRecord? TerminatingError,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<string> Verbose,
    IReadOnlyList<ProgressRecord> Progress,
    IReadOnlyList<string> Information,
    bool Stopped)
{
    /// <summary>Fails the test, telling every error, unless there was none.</summary>
    public ModuleResult EnsureSuccess()
    {
        var errors = Errors.Concat(TerminatingError is null ? [] : [TerminatingError]).ToList();
        Assert.True(errors.Count == 0, string.Join("\n", errors.Select(e => $"{e.FullyQualifiedErrorId}: {e}\n{e.Exception}\n{e.ScriptStackTrace}")));
        return this;
    }

    /// <summary>The one output object of a script that succeeded.</summary>
    public PSObject Single() => Assert.Single(EnsureSuccess().Output);

    /// <summary>The one output object of a script that succeeded, as a .NET value.</summary>
    /// <typeparam name="T">A type of the base library.</typeparam>
    public T Single<T>() => LanguagePrimitives.ConvertTo<T>(Single());

    /// <summary>
    /// The error that ended the script, or the one error of a script that went on after it: a cmdlet's terminating error ends its statement, and
    /// the script only under <c>-ErrorAction Stop</c>. The test fails when there is none.
    /// </summary>
    public ErrorRecord Failure()
    {
        if (TerminatingError is not null)
        {
            return TerminatingError;
        }

        Assert.True(Errors.Count == 1, $"{Errors.Count} errors ({string.Join("; ", Errors)}); output: {string.Join("; ", Output)}");
        return Errors[0];
    }
}
