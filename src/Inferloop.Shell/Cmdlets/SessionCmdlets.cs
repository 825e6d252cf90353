using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Security.Cryptography;

namespace Inferloop.Shell.Cmdlets;

[Cmdlet(VerbsLifecycle.Start, "Sleep", DefaultParameterSetName = "Seconds")]
internal sealed class StartSleepCommand : PSCmdlet, IDisposable
{
    private readonly ManualResetEventSlim stopped = new();

    [Parameter(Position = 0, Mandatory = true, ParameterSetName = "Seconds")]
    [ValidateRange(0.0, int.MaxValue / 1000)]
    public double Seconds { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Milliseconds")]
    [ValidateRange(0, int.MaxValue)]
    [Alias("ms")]
    public int Milliseconds { get; set; }

    [Parameter(Mandatory = true, ParameterSetName = "Duration")]
    public TimeSpan Duration { get; set; }

    protected override void ProcessRecord() => stopped.Wait(ParameterSetName switch
    {
        "Seconds" => TimeSpan.FromSeconds(Seconds),
        "Milliseconds" => TimeSpan.FromMilliseconds(Milliseconds),
        _ => Duration,
    });

    protected override void StopProcessing() => stopped.Set();

    public void Dispose() => stopped.Dispose();
}

[Cmdlet(VerbsCommon.Get, "Date")]
internal sealed class GetDateCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true)]
    public DateTime? Date { get; set; }

    [Parameter]
    public string? Format { get; set; }

    [Parameter]
    public SwitchParameter AsUTC { get; set; }

    protected override void ProcessRecord()
    {
        var date = Date ?? DateTime.Now;
        date = AsUTC ? date.ToUniversalTime() : date;
        WriteObject(Format is null ? date : date.ToString(Format == "o" ? "o" : Format, CultureInfo.CurrentCulture));
    }
}

[Cmdlet(VerbsCommon.New, "TimeSpan", DefaultParameterSetName = "Time")]
internal sealed class NewTimeSpanCommand : PSCmdlet
{
    [Parameter(ParameterSetName = "Date", Position = 0)]
    public DateTime? Start { get; set; }

    [Parameter(ParameterSetName = "Date", Position = 1)]
    public DateTime? End { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Days { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Hours { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Minutes { get; set; }

    [Parameter(ParameterSetName = "Time")]
    public int Seconds { get; set; }

    protected override void EndProcessing() =>
        WriteObject(ParameterSetName == "Date" ? (End ?? DateTime.Now) - (Start ?? DateTime.Now) : new TimeSpan(Days, Hours, Minutes, Seconds));
}

[Cmdlet(VerbsDiagnostic.Measure, "Command")]
internal sealed class MeasureCommandCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0)]
    public ScriptBlock? Expression { get; set; }

    protected override void EndProcessing()
    {
        var watch = Stopwatch.StartNew();
        InvokeCommand.InvokeScript(useLocalScope: false, Expression!, null, null);
        WriteObject(watch.Elapsed);
    }
}

[Cmdlet(VerbsCommon.New, "Guid")]
internal sealed class NewGuidCommand : PSCmdlet
{
    protected override void EndProcessing() => WriteObject(Guid.NewGuid());
}

[Cmdlet(VerbsCommon.Get, "Random")]
internal sealed class GetRandomCommand : PSCmdlet
{
    private readonly List<object?> items = [];

    [Parameter]
    public int Minimum { get; set; }

    [Parameter(Position = 0)]
    public int Maximum { get; set; } = int.MaxValue;

    [Parameter(ValueFromPipeline = true)]
    public object? InputObject { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not null)
        {
            items.Add(InputObject);
        }
    }

    protected override void EndProcessing() =>
        WriteObject(items.Count > 0 ? items[RandomNumberGenerator.GetInt32(items.Count)] : RandomNumberGenerator.GetInt32(Minimum, Maximum));
}

[Cmdlet(VerbsLifecycle.Invoke, "Expression")]
internal sealed class InvokeExpressionCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string Command { get; set; } = "";

    protected override void ProcessRecord() =>
        WriteObject(InvokeCommand.InvokeScript(useLocalScope: false, ScriptBlock.Create(Command), null, null), enumerateCollection: true);
}

[Cmdlet(VerbsCommon.Get, "Variable")]
internal sealed class GetVariableCommand : PSCmdlet
{
    [Parameter(Position = 0)]
    public string[] Name { get; set; } = ["*"];

    [Parameter]
    public SwitchParameter ValueOnly { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            var found = WildcardPattern.ContainsWildcardCharacters(name)
                ? InvokeProvider.Item.Get("Variable:" + name).Select(v => v.BaseObject).OfType<PSVariable>().ToList()
                : SessionState.PSVariable.Get(name) is { } one ? [one] : [];
            if (found.Count == 0 && !WildcardPattern.ContainsWildcardCharacters(name))
            {
                WriteError(new ErrorRecord(new ItemNotFoundException($"Cannot find a variable with the name '{name}'."), "VariableNotFound", ErrorCategory.ObjectNotFound, name));
            }

            WriteObject(found.Select(v => ValueOnly ? v.Value : v), enumerateCollection: true);
        }
    }
}

[Cmdlet(VerbsCommon.Set, "Variable")]
internal sealed class SetVariableCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true)]
    public string[] Name { get; set; } = [];

    [Parameter(Position = 1)]
    public object? Value { get; set; }

    [Parameter]
    [ValidateSet("Global", "Script", "Local")]
    public string? Scope { get; set; }

    protected override void EndProcessing()
    {
        foreach (var name in Name)
        {
            SessionState.PSVariable.Set(Scope is null ? name : $"{Scope}:{name}", Value);
        }
    }
}

[Cmdlet(VerbsCommon.Remove, "Variable")]
internal sealed class RemoveVariableCommand : PSCmdlet
{
    [Parameter(Position = 0, Mandatory = true)]
    public string[] Name { get; set; } = [];

    protected override void EndProcessing()
    {
        foreach (var name in Name)
        {
            if (SessionState.PSVariable.Get(name) is null)
            {
                WriteError(new ErrorRecord(new ItemNotFoundException($"Cannot find a variable with the name '{name}'."), "VariableNotFound", ErrorCategory.ObjectNotFound, name));
            }
            else
            {
                SessionState.PSVariable.Remove(name);
            }
        }
    }
}

[Cmdlet(VerbsCommon.Get, "Alias")]
internal sealed class GetAliasCommand : PSCmdlet
{
    [Parameter(Position = 0)]
    public string[] Name { get; set; } = ["*"];

    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            WriteObject(SessionState.InvokeCommand.GetCommands(name, CommandTypes.Alias, nameIsPattern: true), enumerateCollection: true);
        }
    }
}

[Cmdlet(VerbsCommon.Get, "Host")]
internal sealed class GetHostCommand : PSCmdlet
{
    protected override void EndProcessing() => WriteObject(Host);
}

[Cmdlet(VerbsData.Import, "PowerShellDataFile")]
internal sealed class ImportPowerShellDataFileCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0)]
    public string[] Path { get; set; } = [];

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            var file = GetUnresolvedProviderPathFromPSPath(path);
            if (!File.Exists(file))
            {
                WriteError(new ErrorRecord(new FileNotFoundException($"Cannot find path '{file}' because it does not exist.", file), "PathNotFound", ErrorCategory.ObjectNotFound, path));
                continue;
            }

            var ast = Parser.ParseFile(file, out _, out var errors);
            var data = ast.Find(static a => a is HashtableAst, searchNestedScriptBlocks: false);
            if (errors.Length > 0 || data is null)
            {
                WriteError(new ErrorRecord(
                    new InvalidDataException(errors.Length > 0 ? errors[0].Message : $"The file '{file}' holds no hashtable."), "CouldNotParseAsPowerShellDataFile", ErrorCategory.InvalidData, path));
                continue;
            }

            WriteObject(data.SafeGetValue());
        }
    }
}
