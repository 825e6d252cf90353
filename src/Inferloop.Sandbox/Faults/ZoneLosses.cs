using System.Collections.Concurrent;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Faults;

/// <summary>Tells the services when an availability zone is lost and when it is back.</summary>
internal sealed class ZoneLosses(SandboxRuntime runtime)
{
    private readonly ConcurrentDictionary<string, byte> lost = new(StringComparer.Ordinal);

    public void Follow() => runtime.Faults.Changed += fault =>
    {
        if (fault.Rule is not { Kind: SandboxFaultKind.ZoneLoss, Zone: { } zone })
        {
            return;
        }
        var isLost = runtime.Faults.IsZoneLost(zone);
        if (isLost ? !lost.TryAdd(zone, 0) : !lost.TryRemove(zone, out _))
        {
            return;
        }
        var region = zone[..^1];
        foreach (var account in runtime.AccountsIn(region))
        {
            var context = runtime.SystemContext(account, region);
            foreach (var service in runtime.Services.OfType<IZonal>())
            {
                if (isLost)
                {
                    service.LoseZone(context, zone);
                }
                else
                {
                    service.RegainZone(context, zone);
                }
            }
        }
    };
}
