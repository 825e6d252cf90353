using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Provider;

namespace Inferloop.Shell.Cmdlets;

[Cmdlet(VerbsCommon.Get, "Location")]
internal sealed class GetLocationCommand : PSCmdlet
{
    protected override void EndProcessing() => WriteObject(SessionState.Path.CurrentLocation);
}

[Cmdlet(VerbsCommon.Set, "Location")]
internal sealed class SetLocationCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [Alias("LiteralPath")]
    public string Path { get; set; } = "~";

    [Parameter]
    public SwitchParameter PassThru { get; set; }

    protected override void ProcessRecord()
    {
        var location = SessionState.Path.SetLocation(Path);
        if (PassThru)
        {
            WriteObject(location);
        }
    }
}

[Cmdlet(VerbsCommon.Push, "Location")]
internal sealed class PushLocationCommand : PSCmdlet
{
    [Parameter(Position = 0)]
    public string? Path { get; set; }

    protected override void ProcessRecord()
    {
        SessionState.Path.PushCurrentLocation("default");
        if (Path is not null)
        {
            SessionState.Path.SetLocation(Path);
        }
    }
}

[Cmdlet(VerbsCommon.Pop, "Location")]
internal sealed class PopLocationCommand : PSCmdlet
{
    protected override void EndProcessing() => SessionState.Path.PopLocation("default");
}

[Cmdlet(VerbsCommon.Join, "Path")]
internal sealed class JoinPathCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("PSPath")]
    public string[] Path { get; set; } = [];

    [Parameter(Mandatory = true, Position = 1)]
    [AllowEmptyString]
    public string ChildPath { get; set; } = "";

    [Parameter(Position = 2, ValueFromRemainingArguments = true)]
    public string[] AdditionalChildPath { get; set; } = [];

    [Parameter]
    public SwitchParameter Resolve { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            var joined = AdditionalChildPath.Prepend(ChildPath).Aggregate(path, SessionState.Path.Combine);
            if (Resolve)
            {
                WriteObject(SessionState.Path.GetResolvedPSPathFromPSPath(joined).Select(p => p.Path), enumerateCollection: true);
            }
            else
            {
                WriteObject(joined);
            }
        }
    }
}

[Cmdlet(VerbsCommon.Split, "Path", DefaultParameterSetName = "Parent")]
internal sealed class SplitPathCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string[] Path { get; set; } = [];

    [Parameter(ParameterSetName = "Parent")]
    public SwitchParameter Parent { get; set; }

    [Parameter(ParameterSetName = "Leaf", Mandatory = true)]
    public SwitchParameter Leaf { get; set; }

    [Parameter(ParameterSetName = "LeafBase", Mandatory = true)]
    public SwitchParameter LeafBase { get; set; }

    [Parameter(ParameterSetName = "Extension", Mandatory = true)]
    public SwitchParameter Extension { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            WriteObject(ParameterSetName switch
            {
                "Leaf" => SessionState.Path.ParseChildName(path),
                "LeafBase" => System.IO.Path.GetFileNameWithoutExtension(path),
                "Extension" => System.IO.Path.GetExtension(path),
                _ => SessionState.Path.ParseParent(path, ""),
            });
        }
    }
}

[Cmdlet(VerbsDiagnostic.Test, "Path")]
internal sealed class TestPathCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("LiteralPath")]
    [AllowEmptyString]
    public string[] Path { get; set; } = [];

    [Parameter]
    [ValidateSet("Any", "Container", "Leaf")]
    public string PathType { get; set; } = "Any";

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            WriteObject(!string.IsNullOrWhiteSpace(path) && PathType switch
            {
                "Container" => InvokeProvider.Item.Exists(path) && InvokeProvider.Item.IsContainer(path),
                "Leaf" => InvokeProvider.Item.Exists(path) && !InvokeProvider.Item.IsContainer(path),
                _ => InvokeProvider.Item.Exists(path),
            });
        }
    }
}

[Cmdlet(VerbsDiagnostic.Resolve, "Path")]
internal sealed class ResolvePathCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string[] Path { get; set; } = [];

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            ProviderCall.Run(this, path, () => WriteObject(SessionState.Path.GetResolvedPSPathFromPSPath(path), enumerateCollection: true));
        }
    }
}

[Cmdlet(VerbsCommon.Get, "Item")]
internal sealed class GetItemCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [Alias("LiteralPath")]
    public string[] Path { get; set; } = [];

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            ProviderCall.Run(this, path, () => WriteObject(InvokeProvider.Item.Get([path], Force, literalPath: false), enumerateCollection: true));
        }
    }
}

[Cmdlet(VerbsCommon.Get, "ChildItem")]
internal sealed class GetChildItemCommand : PSCmdlet
{
    [Parameter(Position = 0, ValueFromPipeline = true)]
    public string[] Path { get; set; } = [""];

    [Parameter(Position = 1)]
    public string Filter { get; set; } = "*";

    [Parameter]
    [Alias("s")]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public SwitchParameter File { get; set; }

    [Parameter]
    public SwitchParameter Directory { get; set; }

    [Parameter]
    public SwitchParameter Name { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        var filter = WildcardPattern.Get(Filter, WildcardOptions.IgnoreCase);
        foreach (var path in Path)
        {
            ProviderCall.Run(this, path, () =>
            {
                foreach (var item in InvokeProvider.ChildItem.Get([path.Length == 0 ? "." : path], Recurse, uint.MaxValue, Force, literalPath: false))
                {
                    var child = item.Properties["PSChildName"]?.Value as string ?? item.ToString();
                    if (filter.IsMatch(child) && (!File || item.BaseObject is not DirectoryInfo) && (!Directory || item.BaseObject is DirectoryInfo))
                    {
                        WriteObject(Name ? child : item);
                    }
                }
            });
        }
    }
}

[Cmdlet(VerbsCommon.New, "Item", SupportsShouldProcess = true)]
internal sealed class NewItemCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0)]
    public string[] Path { get; set; } = [];

    [Parameter]
    [Alias("Type")]
    public string ItemType { get; set; } = "File";

    [Parameter(ValueFromPipeline = true)]
    [Alias("Target")]
    public object? Value { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            if (ShouldProcess(path, "Create " + ItemType))
            {
                ProviderCall.Run(this, path, () => WriteObject(InvokeProvider.Item.New([path], "", ItemType, Value, Force), enumerateCollection: true));
            }
        }
    }
}

[Cmdlet(VerbsCommon.Remove, "Item", SupportsShouldProcess = true)]
internal sealed class RemoveItemCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LiteralPath")]
    public string[] Path { get; set; } = [];

    [Parameter]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            if (ShouldProcess(path, "Remove"))
            {
                ProviderCall.Run(this, path, () => InvokeProvider.Item.Remove([path], Recurse, Force, literalPath: false));
            }
        }
    }
}

[Cmdlet(VerbsCommon.Copy, "Item", SupportsShouldProcess = true)]
internal sealed class CopyItemCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    public string[] Path { get; set; } = [];

    [Parameter(Position = 1)]
    public string Destination { get; set; } = "";

    [Parameter]
    public SwitchParameter Recurse { get; set; }

    [Parameter]
    public SwitchParameter Force { get; set; }

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            if (ShouldProcess($"{path} to {Destination}", "Copy"))
            {
                ProviderCall.Run(this, path, () =>
                    InvokeProvider.Item.Copy([path], Destination, Recurse, CopyContainers.CopyTargetContainer, Force, literalPath: false));
            }
        }
    }
}

[Cmdlet(VerbsCommon.Get, "Content")]
internal sealed class GetContentCommand : PSCmdlet
{
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LiteralPath")]
    public string[] Path { get; set; } = [];

    [Parameter]
    public SwitchParameter Raw { get; set; }

    [Parameter]
    [Alias("First", "Head")]
    public long TotalCount { get; set; } = -1;

    [Parameter]
    [Alias("Last")]
    public int Tail { get; set; } = -1;

    protected override void ProcessRecord()
    {
        foreach (var path in Path)
        {
            ProviderCall.Run(this, path, () =>
            {
                foreach (var file in SessionState.Path.GetResolvedProviderPathFromPSPath(path, out var provider))
                {
                    if (provider.Name != "FileSystem")
                    {
                        Write(InvokeProvider.Content.GetReader(path));
                    }
                    else if (Raw)
                    {
                        WriteObject(System.IO.File.ReadAllText(file));
                    }
                    else
                    {
                        var lines = System.IO.File.ReadLines(file);
                        lines = TotalCount >= 0 ? lines.Take((int)Math.Min(TotalCount, int.MaxValue)) : Tail >= 0 ? lines.TakeLast(Tail) : lines;
                        foreach (var line in lines)
                        {
                            WriteObject(line);
                        }
                    }
                }
            });
        }
    }

    private void Write(IEnumerable<IContentReader> readers)
    {
        foreach (var reader in readers)
        {
            using (reader)
            {
                for (IList block; (block = reader.Read(0)).Count > 0;)
                {
                    WriteObject(block, enumerateCollection: true);
                }
            }
        }
    }
}

internal abstract class ContentWriterCommand : PSCmdlet
{
    private readonly System.Text.StringBuilder text = new();

    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "LiteralPath")]
    public string Path { get; set; } = "";

    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    [AllowNull]
    [AllowEmptyCollection]
    public object?[] Value { get; set; } = [];

    [Parameter]
    public SwitchParameter NoNewline { get; set; }

    protected abstract bool Append { get; }

    protected override void ProcessRecord()
    {
        foreach (var item in Value ?? [])
        {
            text.Append(LanguagePrimitives.ConvertTo<string>(item));
            if (!NoNewline)
            {
                text.Append(Environment.NewLine);
            }
        }
    }

    protected override void EndProcessing() => TextFile.Write(this, Path, text.ToString(), Append, noClobber: false);
}

[Cmdlet(VerbsCommon.Set, "Content", SupportsShouldProcess = true)]
internal sealed class SetContentCommand : ContentWriterCommand
{
    protected override bool Append => false;
}

[Cmdlet(VerbsCommon.Add, "Content", SupportsShouldProcess = true)]
internal sealed class AddContentCommand : ContentWriterCommand
{
    protected override bool Append => true;
}

/// <summary>Calls of the providers, whose exceptions are non-terminating errors of the path at hand.</summary>
internal static class ProviderCall
{
    public static void Run(PSCmdlet cmdlet, string path, Action call)
    {
        try
        {
            call();
        }
        catch (PipelineStoppedException)
        {
            throw;
        }
        catch (RuntimeException e) when (e is SessionStateException or ProviderInvocationException || e.GetType() == typeof(RuntimeException))
        {
            cmdlet.WriteError(new ErrorRecord(e.ErrorRecord, e));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PSArgumentException)
        {
            cmdlet.WriteError(new ErrorRecord(e, e.GetType().Name, ErrorCategory.ReadError, path));
        }
    }
}
