using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Scaling;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;
using Inferloop.Sandbox.Traffic;

namespace Inferloop.PowerShell.Commands.Scaling;

/// <summary>Replays a load on an environment of the sandbox and tells how its scaling followed: how long it took, what was saturated meanwhile, and what it cost.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "InferloopScaling", DefaultParameterSetName = "Name", SupportsShouldProcess = true)]
[OutputType(typeof(InferloopScalingMeasurement))]
public sealed class MeasureScalingCommand : ScalingCmdlet
{
    /// <summary>The requests a second at the beginning. Default 1.</summary>
    [Parameter]
    [ValidateRange(0.0, 10_000_000.0)]
    public double From { get; set; } = 1;

    /// <summary>The requests a second at the end of the rise, and from then on.</summary>
    [Parameter]
    [ValidateRange(0.0, 10_000_000.0)]
    public double? To { get; set; }

    /// <summary>How long the load stays where it begins, by the sandbox's clock. Default ten minutes, in which what was before comes to rest.</summary>
    [Parameter]
    public TimeSpan Quiet { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long the rise takes, by the sandbox's clock. Default none: it comes at once.</summary>
    [Parameter]
    public TimeSpan Over { get; set; }

    /// <summary>A .yaml, .json or .csv file with the points of the load, as Set-InferloopSandboxLoad takes it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>How long the environment is watched under the load, by the sandbox's clock. Default an hour.</summary>
    [Parameter]
    public TimeSpan Duration { get; set; } = TimeSpan.FromHours(1);

    /// <summary>How much time of one vCPU a request takes. Default 0.02 seconds.</summary>
    [Parameter]
    public TimeSpan? CpuPerRequest { get; set; }

    /// <summary>How long a task that is not busy takes for a request. Default 0.1 seconds.</summary>
    [Parameter]
    public TimeSpan? Latency { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Path is null == To is null)
        {
            throw new OperationException(
                "ScalingLoadMissing", OperationErrorKind.InvalidArgument, Path is null ? "Which load is to be replayed?" : "A load comes from a file or is a rise, not both.",
                "Give -To for a rise to so many requests a second, or -Path for a file with the points of a curve.");
        }

        if (Duration < TimeSpan.FromMinutes(5) || Duration > TimeSpan.FromDays(7) || Quiet < TimeSpan.Zero || Over < TimeSpan.Zero)
        {
            throw new OperationException(
                "ScalingDuration", OperationErrorKind.InvalidArgument, "Scaling is watched for five minutes or more, up to seven days, and neither rise nor quiet can be shorter than nothing.", "Give a -Duration such as 01:00:00.");
        }

        var (operations, environment) = await FindScaledAsync(cancellationToken).ConfigureAwait(false);
        var endpoint = EndpointUrl ?? (environment.Connection.EndpointUrl is { } url ? new Uri(url) : null);
        var sandbox = await OnPipelineAsync(() => endpoint is null ? ModuleSession.Current.DefaultSandbox : ModuleSession.Current.SandboxAt(endpoint)).ConfigureAwait(false)
            ?? throw new OperationException(
                "ScalingMeasureNeedsSandbox", OperationErrorKind.InvalidState, $"'{environment.Name}' is not on a sandbox of this session: a load on it would be real, and so would its cost.",
                "Start-InferloopSandbox -ClockRate 600, create the environment there with the same spec (Get-InferloopEnvironment | New-InferloopEnvironment -Spec), and measure that.", environment.Name);
        if (!await ShouldProcessAsync($"environment {environment.Name}", "Replay a load").ConfigureAwait(false))
        {
            return;
        }

        var profile = await ProfileAsync(cancellationToken).ConfigureAwait(false);
        var meter = new ScalingMeter(operations);
        var balancer = await meter.BalancerAsync(environment, cancellationToken).ConfigureAwait(false);
        var name = balancer.Split('/')[1];
        var activity = $"Measuring the scaling of {environment.Name}";
        try
        {
            DateTimeOffset began;
            try
            {
                sandbox.SetLoad(environment.Region, name, profile);
                began = sandbox.ClockTime;
            }
            catch (ArgumentException e)
            {
                throw CodedErrors.Create(ErrorIds.SandboxLoadInvalid, profile, e, InferloopSandbox.Plain(e));
            }

            // Whole minutes, as metrics are; the last one is told a little after it has ended.
            var from = new DateTimeOffset(((began.UtcTicks / TimeSpan.TicksPerMinute) + 1) * TimeSpan.TicksPerMinute, TimeSpan.Zero);
            var to = from + TimeSpan.FromMinutes(Math.Floor(Duration.TotalMinutes));
            var end = to.AddMinutes(2);
            while (sandbox.ClockTime is var now && now < end)
            {
                Reporter.Progress(new OperationProgress(activity, $"{now - began:hh\\:mm} of {end - began:hh\\:mm} on the sandbox's clock", (int)((now - began) / (end - began) * 100)));
                await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken).ConfigureAwait(false);
            }

            Reporter.Progress(new OperationProgress(activity, "measured", 100, Completed: true));
            var measured = await meter.MeasureAsync(environment, balancer, from, to, cancellationToken).ConfigureAwait(false);
            if (measured.MinutesUntold * 20 > measured.Minutes.Count)
            {
                WriteWarning($"Of {measured.MinutesUntold} of {measured.Minutes.Count} minutes nothing was told: the sandbox's clock runs faster than this machine. Start the sandbox with a lower -ClockRate.");
            }

            await WriteAsync(measured).ConfigureAwait(false);
        }
        finally
        {
            // The environment is left idle, whatever came of it.
            if (sandbox.IsRunning)
            {
                sandbox.SetLoad(environment.Region, name, SandboxLoadProfile.Constant(0));
            }
        }
    }

    private async Task<SandboxLoadProfile> ProfileAsync(CancellationToken cancellationToken)
    {
        var curve = new SandboxLoadProfile
        {
            Points = Over > TimeSpan.Zero
                ? [new(TimeSpan.Zero, From), .. Quiet > TimeSpan.Zero ? new SandboxLoadPoint[] { new(Quiet, From) } : [], new(Quiet + Over, To ?? From)]
                : Quiet > TimeSpan.Zero ? [new(TimeSpan.Zero, From), new(Quiet, To ?? From)] : [new(TimeSpan.Zero, To ?? From)],
            IsStepped = Over <= TimeSpan.Zero,
        };
        if (Path is not null)
        {
            var file = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
            try
            {
                curve = await LoadProfileFile.ReadAsync(file, cancellationToken).ConfigureAwait(false);
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

        return curve with { CpuPerRequest = CpuPerRequest ?? curve.CpuPerRequest, Latency = Latency ?? curve.Latency };
    }
}
