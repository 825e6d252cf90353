using System.Collections;
using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Imports;
using Inferloop.PowerShell.Commands.Environment;
using Inferloop.PowerShell.Commands.TemplateFile;

namespace Inferloop.PowerShell.Commands.Resource;

/// <summary>
/// Lets a CloudFormation stack take over resources that exist: the ones a template describes, or the data stores that
/// Remove-InferloopEnvironment kept. Nothing is created, changed or deleted. With -WhatIf it shows what would be imported.
/// </summary>
[Cmdlet(VerbsData.Import, "InferloopResource", SupportsShouldProcess = true, DefaultParameterSetName = "Template")]
[OutputType(typeof(InferloopImportedResource))]
public sealed class ImportResourceCommand : EnvironmentCmdlet
{
    private readonly List<InferloopRetainedResource> retained = [];
    private string? region;

    /// <summary>The stack that takes the resources over. One that does not exist is made.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidatePattern("^[a-zA-Z][-a-zA-Z0-9]{0,127}$")]
    public string? StackName { get; set; }

    /// <summary>The template, YAML or JSON: what the stack has, with the resources to import added. Each of them needs a DeletionPolicy.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = "Template")]
    [ValidateNotNullOrEmpty]
    public string? TemplatePath { get; set; }

    /// <summary>What each resource is called in AWS, by its name in the template: @{ Reports = 'acme-reports' }, or with the properties that identify it: @{ Reports = @{ BucketName = 'acme-reports' } }.</summary>
    [Parameter(Mandatory = true, Position = 2, ParameterSetName = "Template")]
    [ValidateNotNullOrEmpty]
    public Hashtable? Resource { get; set; }

    /// <summary>Values of the template's parameters, such as @{ Stage = 'prod' }. What is not given keeps its value in the stack, or its default.</summary>
    [Parameter(ParameterSetName = "Template")]
    public Hashtable? Parameter { get; set; }

    /// <summary>What an environment left behind: what Remove-InferloopEnvironment gives, or what its property Retained holds. The template is made from what the resources are.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Retained")]
    [AllowEmptyCollection]
    public InferloopRetainedResource[] Retained { get; set; } = [];

    /// <inheritdoc/>
    protected override Task RunAsync(CancellationToken cancellationToken)
    {
        // All that comes down the pipeline is one import, into one region.
        retained.AddRange(Retained);
        if (region is not null && Region is not null && !region.Equals(Region, StringComparison.OrdinalIgnoreCase))
        {
            throw new OperationException(
                "ImportRegionsDiffer", OperationErrorKind.InvalidArgument, $"What was kept lies in {region} and in {Region}; a stack is in one region.", "Import each region's resources with an Import-InferloopResource of its own.", StackName);
        }

        region ??= Region;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override async Task EndAsync(CancellationToken cancellationToken)
    {
        if (TemplatePath is null && retained.Count == 0)
        {
            WriteVerbose("Nothing was kept, so there is nothing to import.");
            return;
        }

        var operations = await OpenAsync(region, cancellationToken).ConfigureAwait(false);
        var request = TemplatePath is null
            ? await new RetainedTemplate(operations).RequestAsync(StackName!, retained, cancellationToken).ConfigureAwait(false)
            : new ImportRequest
            {
                StackName = StackName!,
                TemplatePath = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(TemplatePath)).ConfigureAwait(false),
                Resources = Identifiers(Resource!),
                Parameters = TemplateParameters.Of(Parameter),
            };
        var whatIf = await IsWhatIfAsync().ConfigureAwait(false);
        var prepared = await new ResourceImport(operations).PrepareAsync(request, whatIf, cancellationToken).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            if (prepared.Empty)
            {
                WriteVerbose($"The stack '{StackName}' has all of it already.");
                WriteObject(await prepared.ReadAsync(cancellationToken).ConfigureAwait(false), enumerateCollection: true);
                return;
            }

            if (whatIf)
            {
                WriteObject(prepared.Planned(), enumerateCollection: true);
            }

            if (await ShouldProcessAsync($"stack {StackName}", prepared.Summary).ConfigureAwait(false))
            {
                WriteObject(await prepared.ExecuteAsync(cancellationToken).ConfigureAwait(false), enumerateCollection: true);
            }
        }
    }

    private static Dictionary<string, ImportIdentifier> Identifiers(Hashtable given)
    {
        var identifiers = new Dictionary<string, ImportIdentifier>(StringComparer.Ordinal);
        foreach (DictionaryEntry resource in given)
        {
            var id = LanguagePrimitives.ConvertTo<string>(resource.Key);
            var value = resource.Value is PSObject wrapped ? wrapped.BaseObject : resource.Value;
            identifiers[id] = value switch
            {
                IDictionary properties when properties.Count > 0 => ImportIdentifier.Of(
                    properties.Keys.Cast<object>().ToDictionary(k => LanguagePrimitives.ConvertTo<string>(k), k => LanguagePrimitives.ConvertTo<string>(properties[k]), StringComparer.Ordinal)),
                not null and not IDictionary when LanguagePrimitives.ConvertTo<string>(value) is { Length: > 0 } text => ImportIdentifier.Of(text),
                _ => throw new OperationException(
                    "ImportIdentifierInvalid", OperationErrorKind.InvalidArgument, $"For '{id}' nothing says which resource is meant.",
                    $"Give its name in AWS: Import-InferloopResource -Resource @{{ {id} = '...' }}.", id),
            };
        }

        return identifiers;
    }
}
