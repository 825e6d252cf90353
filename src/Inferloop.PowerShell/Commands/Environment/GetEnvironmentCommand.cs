using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>Gets the environments of a region, with their health.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopEnvironment")]
[OutputType(typeof(InferloopEnvironment))]
public sealed class GetEnvironmentCommand : EnvironmentCmdlet
{
    /// <summary>Names; wildcards are allowed.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <summary>Only this stage.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>Do not look at tasks and targets; Health then says only whether the stack is being changed.</summary>
    [Parameter]
    public SwitchParameter SkipHealth { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var operations = await OpenAsync(region: null, cancellationToken).ConfigureAwait(false);
        var all = new List<InferloopEnvironment>();
        await foreach (var environment in operations.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            all.Add(environment);
        }

        foreach (var name in Name)
        {
            var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
            var matches = all.Where(e => pattern.IsMatch(e.Name) && (Stage is null || e.Stage == Stage)).ToList();
            if (matches.Count == 0 && !WildcardPattern.ContainsWildcardCharacters(name))
            {
                // One of several names that does not exist must not hide the others.
                WriteError(EnvironmentOperations.NotFound(name, operations.Aws.Region, all.Select(e => e.Name)));
            }

            foreach (var match in matches)
            {
                await WriteAsync(SkipHealth ? match : await operations.WithHealthAsync(match, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
            }
        }
    }
}
