using System.Management.Automation;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Inferloop.PowerShell.Completion;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;
using Inferloop.Sandbox;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Starts AWS on this machine's loopback, and points the session at it.</summary>
[Cmdlet(VerbsLifecycle.Start, "InferloopSandbox")]
[OutputType(typeof(InferloopSandbox))]
public sealed class StartSandboxCommand : InferloopCmdlet
{
    /// <summary>The port on 127.0.0.1. Default: any free one.</summary>
    [Parameter]
    [ValidateRange(1, 65535)]
    public int Port { get; set; }

    /// <summary>How many sandbox seconds pass in a second: 1 is real time, 60 (the default) makes an hour of AWS a minute, 0 stops the clock.</summary>
    [Parameter]
    [Alias("Speed")]
    [ValidateRange(0.0, 100_000.0)]
    public double ClockRate { get; set; } = 60;

    /// <summary>The region of commands that name none. Default us-east-1.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [ValidateNotNullOrEmpty]
    public string Region { get; set; } = "us-east-1";

    /// <summary>The twelve digits of the account. Default 123456789012.</summary>
    [Parameter]
    [ValidatePattern("^[0-9]{12}$")]
    public string AccountId { get; set; } = "123456789012";

    /// <summary>Makes the ids that the sandbox generates the same at every run.</summary>
    [Parameter]
    public int? Seed { get; set; }

    /// <summary>A folder that keeps everything: started on it again, even after its process was killed, the sandbox goes on where it was. Default: nothing is kept.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Leave the session's commands where they go; reach this sandbox with -EndpointUrl, or from the pipeline. Implies -PassThru.</summary>
    [Parameter]
    public SwitchParameter NoDefault { get; set; }

    /// <summary>Write the sandbox to the pipeline.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var session = await OnPipelineAsync(() => ModuleSession.Current).ConfigureAwait(false);
        if (!NoDefault && session.DefaultSandbox is { } running)
        {
            if (!IsAskedFor(running))
            {
                throw CodedErrors.Create(ErrorIds.SandboxAlreadyRunning, running, running.EndpointUrl);
            }

            WriteVerbose($"The sandbox at {running.EndpointUrl} is running already.");
            Show(running);
            return;
        }

        var sandbox = new InferloopSandbox(await StartAsync(cancellationToken).ConfigureAwait(false), isDefault: !NoDefault);
        session.Add(sandbox);
        WriteVerbose($"The sandbox answers at {sandbox.EndpointUrl}.");
        Show(sandbox);
    }

    private async Task<SandboxHost> StartAsync(CancellationToken cancellationToken)
    {
        var folder = Path is null ? null : await OnPipelineAsync(() => SessionState.Path.GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
        var options = new SandboxOptions { Port = Port, ClockRate = ClockRate, DefaultRegion = Region, AccountId = AccountId, Seed = Seed, Path = folder };
        try
        {
            return await SandboxHost.StartAsync(options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (Port != 0 && e is SocketException or HttpListenerException)
        {
            throw CodedErrors.Create(ErrorIds.SandboxPortInUse, Port, e, Port);
        }
        catch (Exception e) when (folder is not null && e is IOException or InvalidDataException or UnauthorizedAccessException or JsonException)
        {
            throw CodedErrors.Create(ErrorIds.SandboxFolderUnusable, folder, e, folder, e.Message);
        }
    }

    // Asking for what is there is no mistake: a script can be run twice.
    private bool IsAskedFor(InferloopSandbox running) =>
        !Given(nameof(Seed)) && !Given(nameof(Path))
        && (!Given(nameof(Port)) || running.EndpointUrl.Port == Port)
        && (!Given(nameof(ClockRate)) || Math.Abs(running.ClockRate - ClockRate) < 1e-9)
        && (!Given(nameof(Region)) || running.Region == Region)
        && (!Given(nameof(AccountId)) || running.AccountId == AccountId);

    private bool Given(string parameter) => MyInvocation.BoundParameters.ContainsKey(parameter);

    private void Show(InferloopSandbox sandbox)
    {
        if (PassThru || NoDefault)
        {
            WriteObject(sandbox);
        }
    }
}
