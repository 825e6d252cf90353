using System.Management.Automation;
using Inferloop.PowerShell.Completion;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Puts an image into the sandbox's ECR, as docker push does, for releases to be tried. Nothing runs in the sandbox: what an image does, its tag says.</summary>
[Cmdlet(VerbsCommon.Add, "InferloopSandboxImage")]
[OutputType(typeof(InferloopSandboxImage))]
public sealed class AddSandboxImageCommand : InferloopCmdlet
{
    /// <summary>The repository; it is made where it is missing. Releases look by default in the environment's own, such as inferloop/demo-dev.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidatePattern("^[a-z0-9]+([._/-][a-z0-9]+)*$")]
    public string Repository { get; set; } = "";

    /// <summary>The tag. One that contains crash exits, unhealthy fails its health checks, faulty answers one request in five with an error, slow takes five times as long, vulnerable has a critical weakness; all others serve well.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true)]
    [ValidatePattern("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]
    public string[] Tag { get; set; } = [];

    /// <summary>The region of the registry. Default: the sandbox's.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [ValidateNotNullOrEmpty]
    public string? Region { get; set; }

    /// <summary>The sandbox. Default: the one that stands for AWS in this session.</summary>
    [Parameter]
    [ValidateNotNull]
    public InferloopSandbox? Sandbox { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var sandbox = Sandbox ?? await OnPipelineAsync(() => ModuleSession.Current.DefaultSandbox).ConfigureAwait(false);
        if (sandbox is not { IsRunning: true })
        {
            throw CodedErrors.Create(ErrorIds.SandboxNotRunning, sandbox);
        }

        foreach (var tag in Tag)
        {
            try
            {
                WriteObject(sandbox.PushImage(Region ?? sandbox.Region, Repository, tag));
            }
            catch (ArgumentException e)
            {
                throw CodedErrors.Create(ErrorIds.ArgumentInvalid, tag, e, InferloopSandbox.Plain(e));
            }
        }
    }
}
