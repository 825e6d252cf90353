using System.Management.Automation;
using Inferloop.PowerShell.Completion;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;
using Inferloop.Sandbox.Faults;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Injects a fault into the sandbox: throttling, errors, lost answers, failing resources, the loss of a zone or a region, regions that do not reach each other.</summary>
[Cmdlet(VerbsCommon.Add, "InferloopSandboxFault", SupportsShouldProcess = true)]
[OutputType(typeof(InferloopSandboxFault))]
public sealed class AddSandboxFaultCommand : SandboxCmdlet
{
    /// <summary>What the fault does.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public SandboxFaultKind Kind { get; set; }

    /// <summary>Only calls of this service, such as ecs or dynamodb; wildcards are allowed. Default: every service.</summary>
    [Parameter(Position = 1)]
    [ArgumentCompleter(typeof(SandboxServiceCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string Service { get; set; } = "*";

    /// <summary>Only this operation, such as CreateService; of a resource failure: Create, Update or Delete. Wildcards are allowed. Default: every one.</summary>
    [Parameter(Position = 2)]
    [ArgumentCompleter(typeof(SandboxOperationCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string Operation { get; set; } = "*";

    /// <summary>Only calls that name this: a table, a bucket, an ARN. Of a resource failure: a resource type, a logical or a physical id. Wildcards are allowed.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string Resource { get; set; } = "*";

    /// <summary>Only calls to this region; the region that is lost, that is copied from, or that is cut off from others. Default: every region.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string Region { get; set; } = "*";

    /// <summary>The region that is copied to, or that -Region does not reach. Default: every other region.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string OtherRegion { get; set; } = "*";

    /// <summary>The availability zone that is lost, such as us-east-1a.</summary>
    [Parameter]
    [Alias("Zone")]
    [ArgumentCompleter(typeof(SandboxZoneCompleter))]
    [ValidateNotNullOrEmpty]
    public string? AvailabilityZone { get; set; }

    /// <summary>How likely a matching call is struck: 1, the default, is every one.</summary>
    [Parameter]
    [ValidateRange(0.0001, 1.0)]
    public double Probability { get; set; } = 1;

    /// <summary>How many calls are struck before the fault is over. Default: no end.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Count { get; set; }

    /// <summary>How much time passes on the sandbox's clock before the fault begins.</summary>
    [Parameter]
    public TimeSpan StartsAfter { get; set; }

    /// <summary>How much time on the sandbox's clock the fault lasts. Default: until it is removed.</summary>
    [Parameter]
    public TimeSpan? Duration { get; set; }

    /// <summary>How late the answer of a Latency comes or how long a Timeout hangs, both in real time; how late a copy arrives, on the sandbox's clock.</summary>
    [Parameter]
    public TimeSpan? Delay { get; set; }

    /// <summary>The error's code, in place of the one AWS gives.</summary>
    [Parameter]
    [ValidatePattern("^[A-Za-z0-9._]+$")]
    public string? ErrorCode { get; set; }

    /// <summary>The error's message, in place of the one AWS gives; of a resource failure the reason.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Message { get; set; }

    /// <summary>Makes the choice of struck calls the same at every run.</summary>
    [Parameter]
    public int? Seed { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var sandbox = await RunningAsync().ConfigureAwait(false);
        var rule = new SandboxFaultRule
        {
            Kind = Kind,
            Service = Service,
            Operation = Operation,
            Resource = Resource,
            Region = Region,
            OtherRegion = OtherRegion,
            Zone = AvailabilityZone,
            Probability = Probability,
            Count = Count,
            StartsAfter = StartsAfter,
            Duration = Duration,
            Delay = Delay,
            ErrorCode = ErrorCode,
            Message = Message,
            Seed = Seed,
        };
        if (!await ShouldProcessAsync(sandbox.EndpointUrl.ToString(), $"Inject a fault of kind {Kind}").ConfigureAwait(false))
        {
            return;
        }

        try
        {
            WriteObject(sandbox.AddFault(rule));
        }
        catch (ArgumentException e)
        {
            throw CodedErrors.Create(ErrorIds.SandboxFaultInvalid, rule, e, InferloopSandbox.Plain(e));
        }
    }
}
