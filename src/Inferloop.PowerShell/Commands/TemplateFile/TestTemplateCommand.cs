using System.Collections;
using System.Management.Automation;
using Inferloop.Operations.TemplateChecks;
using Inferloop.PowerShell.Completion;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.TemplateFile;

/// <summary>
/// Checks CloudFormation templates, anyone's, without AWS: shape, resource types and properties, references, and the mistakes
/// that CloudFormation accepts and that show only when the stack is up.
/// </summary>
[Cmdlet(VerbsDiagnostic.Test, "InferloopTemplate")]
[OutputType(typeof(InferloopTemplateFinding))]
[OutputType(typeof(bool))]
public sealed class TestTemplateCommand : InferloopCmdlet
{
    private readonly List<string> files = [];

    /// <summary>The templates, YAML or JSON; wildcards are allowed. Templates given together may use each other's exports. Default: the ones that ship with the module.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "FullName")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Path { get; set; }

    /// <summary>Values of parameters, such as @{ Stage = 'prod' }. The others get their defaults, or a value that fits.</summary>
    [Parameter]
    public Hashtable? TemplateParameter { get; set; }

    /// <summary>The region that the templates are looked at for. Default us-east-1.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RegionCompleter))]
    public string Region { get; set; } = "us-east-1";

    /// <summary>Only these rules, such as Alarm* or NameTooLong; wildcards are allowed.</summary>
    [Parameter]
    [SupportsWildcards]
    public string[] Rule { get; set; } = ["*"];

    /// <summary>Only say whether the templates can be used: true when no finding is an error.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        // Templates may use each other's exports: they are collected first, and looked at together.
        foreach (var path in Path ?? [System.IO.Path.Combine(Operations.Environments.ShippedTemplates.Folder, "main.yaml")])
        {
            files.AddRange(await OnPipelineAsync(() => Resolve(path)).ConfigureAwait(false) ?? throw CodedErrors.Create(ErrorIds.FileNotFound, path, path));
        }
    }

    /// <inheritdoc/>
    protected override async Task EndAsync(CancellationToken cancellationToken)
    {
        var findings = await TemplateTest.CheckAsync(files, TemplateParameters.Of(TemplateParameter), Region, cancellationToken).ConfigureAwait(false);
        if (Quiet)
        {
            WriteObject(findings.All(f => f.Severity != TemplateFindingSeverity.Error));
            return;
        }

        var patterns = Rule.Select(r => WildcardPattern.Get(r, WildcardOptions.IgnoreCase)).ToList();
        WriteObject(findings.Where(f => patterns.Exists(p => p.IsMatch(f.Rule))).ToList(), enumerateCollection: true);
    }

    private List<string>? Resolve(string path)
    {
        try
        {
            return GetResolvedProviderPathFromPSPath(path, out _).Where(File.Exists).ToList();
        }
        catch (ItemNotFoundException)
        {
            return null;
        }
    }
}
