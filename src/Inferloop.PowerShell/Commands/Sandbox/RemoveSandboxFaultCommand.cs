using System.Management.Automation;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Takes faults out of the sandbox: what was lost comes back.</summary>
[Cmdlet(VerbsCommon.Remove, "InferloopSandboxFault", SupportsShouldProcess = true, DefaultParameterSetName = "Id")]
[OutputType(typeof(void))]
public sealed class RemoveSandboxFaultCommand : SandboxCmdlet
{
    /// <summary>The ids of the faults; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Id")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Id { get; set; } = [];

    /// <summary>The faults, from the pipeline.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "InputObject")]
    [ValidateNotNull]
    public InferloopSandboxFault[] InputObject { get; set; } = [];

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var fault in ParameterSetName == "Id" ? await NamedAsync().ConfigureAwait(false) : [.. InputObject])
        {
            if (await ShouldProcessAsync($"{fault.Id} ({fault.Kind})", "Remove the fault").ConfigureAwait(false) && !fault.Remove())
            {
                WriteVerbose($"{fault.Id} was removed already.");
            }
        }
    }

    private async Task<List<InferloopSandboxFault>> NamedAsync()
    {
        var sandbox = await RunningAsync().ConfigureAwait(false);
        var found = new List<InferloopSandboxFault>();
        foreach (var id in Id)
        {
            var pattern = WildcardPattern.Get(id, WildcardOptions.IgnoreCase);
            var matching = sandbox.Faults.Where(fault => pattern.IsMatch(fault.Id)).ToList();
            if (matching.Count == 0 && !WildcardPattern.ContainsWildcardCharacters(id))
            {
                throw CodedErrors.Create(ErrorIds.SandboxFaultNotFound, id, id);
            }

            found.AddRange(matching);
        }

        return [.. found.DistinctBy(fault => fault.Id)];
    }
}
