using Inferloop.Sandbox;

[assembly: AssemblyFixture(typeof(Inferloop.Tests.Sandbox.SandboxFixture))]

namespace Inferloop.Tests.Sandbox;

/// <summary>One sandbox with a fast clock, shared by the tests that only talk to it.</summary>
public sealed class SandboxFixture : IAsyncLifetime
{
    private readonly SandboxOptions options;
    private SandboxHost? host;

    public SandboxFixture()
        : this(new SandboxOptions { ClockRate = 3600 })
    {
    }

    internal SandboxFixture(SandboxOptions options) => this.options = options;

    public SandboxHost Host => host ?? throw new InvalidOperationException("The sandbox has not been started.");

    public async ValueTask InitializeAsync() =>
        host = await SandboxHost.StartAsync(options, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            await host.DisposeAsync();
        }
    }
}
