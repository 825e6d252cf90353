using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Operations.TemplateChecks;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.TemplateFile;

/// <summary>
/// Writes the templates of an environment with its parameters to a folder, for the AWS CLI or any other tool: as they are, or
/// packaged with the nested templates in a bucket.
/// </summary>
[Cmdlet(VerbsData.Export, "InferloopTemplate", SupportsShouldProcess = true)]
[OutputType(typeof(InferloopExportedTemplate))]
public sealed class ExportTemplateCommand : EnvironmentCmdlet
{
    /// <summary>The spec whose parameters go with the templates; an environment gives its own.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <summary>The folder to write to; it is made where it does not exist.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Put the nested templates into this bucket, and write one template that names them there.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Bucket { get; set; }

    /// <summary>Overwrite existing files.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var spec = Spec!;
        var folder = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
        if (!await ShouldProcessAsync(folder, Bucket is null ? $"Write the templates of {spec}" : $"Put the nested templates of {spec} into {Bucket} and write the packaged one").ConfigureAwait(false))
        {
            return;
        }

        string? packaged = null;
        var options = new EnvironmentOptions();
        if (Bucket is not null)
        {
            var operations = await OpenAsync(spec.Region.Length > 0 ? spec.Region : null, cancellationToken).ConfigureAwait(false);
            options = operations.Options;
            spec = spec with { Region = operations.Aws.Region };
            packaged = await new TemplatePackager(operations.Aws.S3, Bucket, operations.Aws.Region, operations.Aws.DnsSuffix)
                .TextAsync(ShippedTemplates.Root(options), cancellationToken).ConfigureAwait(false);
        }

        Directory.CreateDirectory(folder);
        var files = TemplateExport.Files(spec, options, packaged);
        if (!Force && files.Keys.Select(f => System.IO.Path.Combine(folder, f)).FirstOrDefault(File.Exists) is { } taken)
        {
            throw new OperationException("TemplateFileExists", OperationErrorKind.AlreadyExists, $"The file '{taken}' exists already.", "Choose another folder, or overwrite it with -Force.", taken);
        }

        var written = new List<string>();
        foreach (var (name, text) in files)
        {
            var file = System.IO.Path.Combine(folder, name);
            await File.WriteAllTextAsync(file, text, cancellationToken).ConfigureAwait(false);
            written.Add(file);
        }

        WriteObject(new InferloopExportedTemplate
        {
            Environment = spec.Name,
            StackName = spec.StackName,
            TemplateFile = System.IO.Path.Combine(folder, packaged is null ? "main.yaml" : "packaged.yaml"),
            ParameterFile = System.IO.Path.Combine(folder, "parameters.json"),
            Packaged = packaged is not null,
            Files = written,
            Commands = TemplateExport.Commands(spec, Bucket),
        });
    }
}
