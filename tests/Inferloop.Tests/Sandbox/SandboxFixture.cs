using Inferloop.Sandbox;

[assembly: AssemblyFixture(typeof(Inferloop.Tests.Sandbox.SandboxFixture))]

namespace Inferloop.Tests.Sandbox;

/// <summary>One sandbox with a fast clock, shared by the tests that only talk to it.</summary>
public sealed class SandboxFixture : IAsyncLifetime
{
    private SandboxHost? host;

    public SandboxHost Host => host ?? throw new InvalidOperationException("The sandbox has not been started.");

    public async ValueTask InitializeAsync() =>
        host = await SandboxHost.StartAsync(new SandboxOptions { ClockRate = 3600 }, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            await host.DisposeAsync();
        }
    }
}
