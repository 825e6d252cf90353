using System.Management.Automation;
using System.Management.Automation.Runspaces;
using Inferloop.Shell.Cmdlets;
using Inferloop.Shell.Hosting;
using Inferloop.Shell.Interactive;

namespace Inferloop.Shell;

/// <summary>One run of the shell: a runspace with the module in it, and whatever the command line asks to be run.</summary>
internal sealed class ShellSession : IDisposable
{
    private readonly ShellArguments arguments;
    private readonly ShellHost host;
    private readonly Runspace runspace;
    private readonly object gate = new();
    private Pipeline? running;

    public ShellSession(ShellArguments arguments)
    {
        this.arguments = arguments;
        host = new ShellHost(arguments.NonInteractive);
        var state = InitialSessionState.CreateDefault2();
        ShellCmdlets.AddTo(state);
        runspace = RunspaceFactory.CreateRunspace(host, state);
        runspace.ThreadOptions = PSThreadOptions.UseCurrentThread;
    }

    /// <summary>Runs what the command line asks for.</summary>
    /// <returns>The process's exit code.</returns>
    public int Run()
    {
        if (arguments.ShowVersion)
        {
            Console.WriteLine($"Inferloop.Shell {typeof(ShellSession).Assembly.GetName().Version} (PowerShell {typeof(PSObject).Assembly.GetName().Version})");
            return ShellExitCodes.Success;
        }

        if (arguments.File is not null && !File.Exists(arguments.File))
        {
            Console.Error.WriteLine(
                $"The argument '{arguments.File}' is not recognized as the name of a script file. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.");
            Console.Error.WriteLine(ShellArguments.Usage);
            return ShellExitCodes.BadCommandLine;
        }

        if (arguments.WorkingDirectory is { } folder && !Directory.Exists(folder))
        {
            Console.Error.WriteLine($"The folder '{folder}' does not exist.");
            return ShellExitCodes.BadCommandLine;
        }

        Console.CancelKeyPress += OnCancel;
        try
        {
            runspace.Open();
            Runspace.DefaultRunspace = runspace;
            EngineInternals.LetExitReachHost(runspace);
            if (arguments.WorkingDirectory is not null)
            {
                runspace.SessionStateProxy.Path.SetLocation(Path.GetFullPath(arguments.WorkingDirectory));
            }

            ImportModule();
            var code = RunInitial();
            return host.ExitCode ?? (arguments.NoExit ? new Repl(this, host, arguments).Run() : code);
        }
        finally
        {
            Console.CancelKeyPress -= OnCancel;
            host.Ui.EndProgress();
        }
    }

    /// <summary>The runspace, for completion and history.</summary>
    public Runspace Runspace => runspace;

    /// <summary>The version of PowerShell.</summary>
    public object EngineVersion => ((System.Collections.IDictionary)runspace.SessionStateProxy.GetVariable("PSVersionTable"))["PSVersion"]!;

    /// <summary>Runs commands as if they were typed: output and errors go to the host, and <see cref="LastSucceeded"/> tells how they ended.</summary>
    /// <param name="script">The commands.</param>
    /// <returns>Nothing terminated them.</returns>
    public bool Execute(string script) => Execute(runspace.CreatePipeline(script, addToHistory: true));

    /// <summary>What <c>$?</c> says of the last commands.</summary>
    public bool LastSucceeded
    {
        get
        {
            // Not added to the history, a pipeline leaves $? as it finds it.
            using var pipeline = runspace.CreatePipeline("$global:?");
            return pipeline.Invoke().FirstOrDefault()?.BaseObject is true;
        }
    }

    private int RunInitial()
    {
        if (arguments.File is { } file)
        {
            var script = new Command(Path.GetFullPath(file), isScript: false, useLocalScope: false);
            foreach (var argument in arguments.FileArguments)
            {
                script.Parameters.Add(argument);
            }

            var pipeline = runspace.CreatePipeline();
            pipeline.Commands.Add(script);
            return Execute(pipeline) ? ShellExitCodes.Success : ShellExitCodes.Failure;
        }

        if (arguments.Command is { } command && command != "-")
        {
            return Execute(command) && LastSucceeded ? ShellExitCodes.Success : ShellExitCodes.Failure;
        }

        return arguments.NoExit ? ShellExitCodes.Success : new Repl(this, host, arguments).Run();
    }

    // Pipelines of the runspace, not of the PowerShell class, as in pwsh: $? outlives them.
    private bool Execute(Pipeline pipeline)
    {
        using (pipeline)
        {
            // Errors take their place among the output, in order, and Out-Default sends each to where it belongs.
            pipeline.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
            pipeline.Commands.Add("Out-Default");
            lock (gate)
            {
                running = pipeline;
            }

            try
            {
                pipeline.Invoke();
                return true;
            }
            catch (PipelineStoppedException)
            {
                return false;
            }
            catch (RuntimeException e)
            {
                Report(e.ErrorRecord);
                return false;
            }
            finally
            {
                lock (gate)
                {
                    running = null;
                }

                host.Ui.EndProgress();
            }
        }
    }

    private void Report(ErrorRecord error)
    {
        var marked = EngineInternals.MarkAsError(error);
        using var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = runspace;
        shell.AddCommand("Out-Default").AddParameter("InputObject", marked);
        try
        {
            shell.Invoke();
        }
        catch (RuntimeException e)
        {
            // The error's own view failed; what it says must come out all the same.
            host.Ui.WriteErrorLine(error + Environment.NewLine + e.Message);
        }
    }

    private void ImportModule()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var manifest = Path.Combine(folder.FullName, "Inferloop.psd1");
            if (File.Exists(manifest))
            {
                var import = new Command("Import-Module");
                import.Parameters.Add("Name", manifest);
                import.Parameters.Add("Global");
                var pipeline = runspace.CreatePipeline();
                pipeline.Commands.Add(import);
                Execute(pipeline);
                return;
            }
        }
    }

    // Ctrl-C stops what is running, never the shell; with nothing running the line editor sees the key itself.
    private void OnCancel(object? sender, ConsoleCancelEventArgs e)
    {
        e.Cancel = true;
        lock (gate)
        {
            if (running is { } pipeline)
            {
                pipeline.StopAsync();
            }
            else
            {
                e.Cancel = arguments.File is null && arguments.Command is null;
            }
        }
    }

    public void Dispose() => runspace.Dispose();
}
