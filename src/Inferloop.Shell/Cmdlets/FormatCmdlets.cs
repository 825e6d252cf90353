using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using Inferloop.Shell.Hosting;
using Microsoft.PowerShell.Commands.Internal.Format;

namespace Inferloop.Shell.Cmdlets;

/// <summary>The engine's own table formatter, with all its parameters.</summary>
[Cmdlet(VerbsCommon.Format, "Table")]
internal sealed class FormatTableCommand : OuterFormatTableBase
{
    public FormatTableCommand() => EngineInternals.UseFormatter(this, "Table");
}

/// <summary>The engine's own list formatter. It takes the table's parameters, and has no use for those of columns.</summary>
[Cmdlet(VerbsCommon.Format, "List")]
internal sealed class FormatListCommand : OuterFormatTableBase
{
    public FormatListCommand() => EngineInternals.UseFormatter(this, "List");
}

/// <summary>Objects as the text that the host would show.</summary>
internal static class Rendering
{
    /// <summary>Renders objects with the format views of the session.</summary>
    public static string Render(PSCmdlet cmdlet, IReadOnlyCollection<PSObject> objects, int? width)
    {
        // The host is the only thing that the engine renders to: it writes down for a moment what it would show.
        var host = (ShellHost)cmdlet.Host.GetType().GetProperty("ExternalHost", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance)!
            .GetValue(cmdlet.Host)!;
        var text = host.Ui.BeginCapture(width);
        try
        {
            using var shell = System.Management.Automation.PowerShell.Create(RunspaceMode.CurrentRunspace);
            shell.AddCommand("Out-Host").Invoke(objects);
        }
        finally
        {
            host.Ui.EndCapture();
        }

        return text.ToString();
    }
}

[Cmdlet(VerbsData.Out, "String")]
internal sealed class OutStringCommand : PSCmdlet
{
    private readonly List<PSObject> items = [];

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter]
    public SwitchParameter Stream { get; set; }

    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    [Parameter]
    [ValidateRange(2, int.MaxValue)]
    public int? Width { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not null)
        {
            items.Add(InputObject);
        }
    }

    protected override void EndProcessing()
    {
        var text = Rendering.Render(this, items, Width);
        if (Stream)
        {
            using var reader = new StringReader(text);
            while (reader.ReadLine() is { } line)
            {
                WriteObject(line);
            }
        }
        else
        {
            WriteObject(NoNewline ? text.Replace(Environment.NewLine, "", StringComparison.Ordinal) : text);
        }
    }
}

[Cmdlet(VerbsData.Out, "File", SupportsShouldProcess = true)]
internal sealed class OutFileCommand : PSCmdlet
{
    private readonly List<PSObject> items = [];

    [Parameter(Mandatory = true, Position = 0)]
    [Alias("Path")]
    public string FilePath { get; set; } = "";

    [Parameter(ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter]
    public SwitchParameter Append { get; set; }

    [Parameter]
    [Alias("NoOverwrite")]
    public SwitchParameter NoClobber { get; set; }

    [Parameter]
    [ValidateRange(2, int.MaxValue)]
    public int? Width { get; set; }

    protected override void ProcessRecord()
    {
        if (InputObject is not null)
        {
            items.Add(InputObject);
        }
    }

    protected override void EndProcessing() =>
        TextFile.Write(this, FilePath, Rendering.Render(this, items, Width), Append, NoClobber);
}

/// <summary>Text files as this shell writes them: UTF-8 without a byte order mark, under the session's current location.</summary>
internal static class TextFile
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    public static void Write(PSCmdlet cmdlet, string path, string text, bool append, bool noClobber)
    {
        var file = cmdlet.GetUnresolvedProviderPathFromPSPath(path);
        if (!cmdlet.ShouldProcess(file, "Output to File"))
        {
            return;
        }

        if (noClobber && !append && File.Exists(file))
        {
            cmdlet.ThrowTerminatingError(new ErrorRecord(new IOException($"The file '{file}' already exists."), "NoClobber", ErrorCategory.ResourceExists, path));
        }

        try
        {
            if (append)
            {
                File.AppendAllText(file, text, Utf8);
            }
            else
            {
                File.WriteAllText(file, text, Utf8);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            cmdlet.ThrowTerminatingError(new ErrorRecord(e, "FileOpenFailure", ErrorCategory.OpenError, path));
        }
    }
}

[Cmdlet(VerbsData.ConvertTo, "Csv")]
internal sealed class ConvertToCsvCommand : PSCmdlet
{
    private readonly CsvWriter csv = new();

    [Parameter(Mandatory = true, ValueFromPipeline = true, Position = 0)]
    public PSObject? InputObject { get; set; }

    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    public SwitchParameter NoTypeInformation { get; set; }

    protected override void ProcessRecord() => WriteObject(csv.Rows(InputObject, Delimiter), enumerateCollection: true);
}

[Cmdlet(VerbsData.Export, "Csv", SupportsShouldProcess = true)]
internal sealed class ExportCsvCommand : PSCmdlet
{
    private readonly CsvWriter csv = new();
    private readonly StringBuilder text = new();

    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    public PSObject? InputObject { get; set; }

    [Parameter(Mandatory = true, Position = 0)]
    [Alias("PSPath")]
    public string Path { get; set; } = "";

    [Parameter(Position = 1)]
    public char Delimiter { get; set; } = ',';

    [Parameter]
    public SwitchParameter NoTypeInformation { get; set; }

    [Parameter]
    [Alias("NoOverwrite")]
    public SwitchParameter NoClobber { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var row in csv.Rows(InputObject, Delimiter))
        {
            text.AppendLine(row);
        }
    }

    protected override void EndProcessing() => TextFile.Write(this, Path, text.ToString(), append: false, NoClobber);
}

/// <summary>Rows of CSV; the first object gives the columns.</summary>
internal sealed class CsvWriter
{
    private List<string>? columns;

    public IEnumerable<string> Rows(PSObject? item, char delimiter)
    {
        if (item is null)
        {
            yield break;
        }

        if (columns is null)
        {
            columns = item.BaseObject is System.Collections.IDictionary d
                ? [.. d.Keys.Cast<object>().Select(k => k.ToString()!)]
                : [.. item.Properties.Select(p => p.Name)];
            yield return string.Join(delimiter, columns.Select(Quote));
        }

        yield return string.Join(delimiter, columns.Select(c => PropertyExpression.Parse([c])[0].Value(item) is { } value ? Quote(Text(value)) : ""));
    }

    private static string Text(object value) =>
        value is IFormattable formattable and not Enum ? formattable.ToString(null, CultureInfo.CurrentCulture) : LanguagePrimitives.ConvertTo<string>(value);

    private static string Quote(string text) => '"' + text.Replace("\"", "\"\"", StringComparison.Ordinal) + '"';
}
