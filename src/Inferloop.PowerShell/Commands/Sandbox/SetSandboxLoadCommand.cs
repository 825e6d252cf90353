using System.Management.Automation;
using Inferloop.PowerShell.Completion;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;
using Inferloop.Sandbox.Traffic;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Puts a synthetic load on the sandbox's load balancers; what is behind them publishes metrics accordingly.</summary>
[Cmdlet(VerbsCommon.Set, "InferloopSandboxLoad", SupportsShouldProcess = true, DefaultParameterSetName = "Constant")]
[OutputType(typeof(InferloopSandboxLoad))]
public sealed class SetSandboxLoadCommand : SandboxCmdlet
{
    private readonly List<SandboxLoadPoint> points = [];

    /// <summary>The requests a second. 0 is an idle platform, which publishes idle values.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Constant", ValueFromPipelineByPropertyName = true)]
    [Parameter(Mandatory = true, ParameterSetName = "Points", ValueFromPipelineByPropertyName = true)]
    [ValidateRange(0.0, 10_000_000.0)]
    public double RequestsPerSecond { get; set; }

    /// <summary>How long after now the load is RequestsPerSecond: each object from the pipeline is a point of the curve.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Points", ValueFromPipelineByPropertyName = true)]
    public TimeSpan At { get; set; }

    /// <summary>The requests a second at the beginning of a ramp.</summary>
    [Parameter(ParameterSetName = "Ramp")]
    [ValidateRange(0.0, 10_000_000.0)]
    public double From { get; set; }

    /// <summary>The requests a second at the end of a ramp, and from then on.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Ramp")]
    [ValidateRange(0.0, 10_000_000.0)]
    public double To { get; set; }

    /// <summary>How long the ramp takes on the sandbox's clock.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Ramp")]
    public TimeSpan Over { get; set; }

    /// <summary>The requests a second of a day's quietest moment.</summary>
    [Parameter(ParameterSetName = "Daily")]
    [ValidateRange(0.0, 10_000_000.0)]
    public double Minimum { get; set; }

    /// <summary>The requests a second of a day's peak.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Daily")]
    [ValidateRange(0.0, 10_000_000.0)]
    public double Maximum { get; set; }

    /// <summary>When the peak of the day is, in UTC. Default 14:00.</summary>
    [Parameter(ParameterSetName = "Daily")]
    public TimeSpan PeakAt { get; set; } = TimeSpan.FromHours(14);

    /// <summary>A .yaml, .json or .csv file with the points of the curve.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Path")]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>The load stays at each point until the next, rather than go there in a straight line.</summary>
    [Parameter(ParameterSetName = "Points")]
    [Parameter(ParameterSetName = "Path")]
    public SwitchParameter Stepped { get; set; }

    /// <summary>After how much time the curve begins again.</summary>
    [Parameter(ParameterSetName = "Points")]
    [Parameter(ParameterSetName = "Path")]
    public TimeSpan? Repeat { get; set; }

    /// <summary>The load balancers' name; wildcards are allowed. Default: every one of the region.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string LoadBalancer { get; set; } = "*";

    /// <summary>The region of the load balancers. Default: the sandbox's.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Region { get; set; }

    /// <summary>The share of requests that targets answer with a server error.</summary>
    [Parameter]
    [ValidateRange(0.0, 1.0)]
    public double? ErrorShare { get; set; }

    /// <summary>The share of requests that targets answer with a client error.</summary>
    [Parameter]
    [ValidateRange(0.0, 1.0)]
    public double? ClientErrorShare { get; set; }

    /// <summary>How long a target that is not busy takes for a request. Default 0.1 seconds.</summary>
    [Parameter]
    public TimeSpan? Latency { get; set; }

    /// <summary>How much time of one vCPU a request takes. Default 0.02 seconds.</summary>
    [Parameter]
    public TimeSpan? CpuPerRequest { get; set; }

    /// <summary>How much memory a request holds while it is worked on, in MiB. Default 10.</summary>
    [Parameter]
    [ValidateRange(0.0, 100_000.0)]
    public double? MemoryPerRequest { get; set; }

    /// <summary>The share of requests that invoke the Lambda functions. Default 0.</summary>
    [Parameter]
    [ValidateRange(0.0, 1.0)]
    public double? FunctionShare { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        switch (ParameterSetName)
        {
            case "Points":
                points.Add(new SandboxLoadPoint(At, RequestsPerSecond));
                break;
            case "Path":
                await SetAsync(await ReadAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
                break;
            case "Ramp":
                await SetAsync(SandboxLoadProfile.Ramp(From, To, Over)).ConfigureAwait(false);
                break;
            case "Daily":
                await SetAsync(SandboxLoadProfile.Daily(Minimum, Maximum, PeakAt)).ConfigureAwait(false);
                break;
            default:
                await SetAsync(SandboxLoadProfile.Constant(RequestsPerSecond)).ConfigureAwait(false);
                break;
        }
    }

    /// <inheritdoc/>
    protected override Task EndAsync(CancellationToken cancellationToken) =>
        points.Count == 0 ? Task.CompletedTask : SetAsync(new SandboxLoadProfile { Points = [.. points] });

    private async Task<SandboxLoadProfile> ReadAsync(CancellationToken cancellationToken)
    {
        var file = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
        try
        {
            return await LoadProfileFile.ReadAsync(file, cancellationToken).ConfigureAwait(false);
        }
        catch (FormatException e)
        {
            throw CodedErrors.Create(ErrorIds.SandboxLoadInvalid, file, e, e.Message);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw CodedErrors.Create(ErrorIds.FileNotFound, file, e, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CodedErrors.Create(ErrorIds.FileAccessDenied, file, e, file);
        }
    }

    private async Task SetAsync(SandboxLoadProfile curve)
    {
        var sandbox = await RunningAsync().ConfigureAwait(false);
        var profile = curve with
        {
            IsStepped = curve.IsStepped || Stepped,
            Repeat = Repeat ?? curve.Repeat,
            ErrorShare = ErrorShare ?? curve.ErrorShare,
            ClientErrorShare = ClientErrorShare ?? curve.ClientErrorShare,
            Latency = Latency ?? curve.Latency,
            CpuPerRequest = CpuPerRequest ?? curve.CpuPerRequest,
            MemoryPerRequest = MemoryPerRequest ?? curve.MemoryPerRequest,
            FunctionShare = FunctionShare ?? curve.FunctionShare,
        };
        var region = Region ?? sandbox.Region;
        if (!await ShouldProcessAsync($"{LoadBalancer} in {region}", "Set the synthetic load").ConfigureAwait(false))
        {
            return;
        }

        try
        {
            WriteObject(sandbox.SetLoad(region, LoadBalancer, profile));
        }
        catch (ArgumentException e)
        {
            throw CodedErrors.Create(ErrorIds.SandboxLoadInvalid, profile, e, InferloopSandbox.Plain(e));
        }
    }
}
