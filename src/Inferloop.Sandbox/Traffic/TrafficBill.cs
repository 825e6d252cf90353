using System.Collections.Concurrent;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CostExplorer;
using Inferloop.Sandbox.Services.Pricing;

namespace Inferloop.Sandbox.Traffic;

/// <summary>
/// What loads cost: each full hour of the sandbox's clock the account is charged for what they used, at list prices of the first tier.
/// What has no list price in the region is not charged.
/// </summary>
internal sealed class TrafficBill(SandboxRuntime runtime)
{
    private readonly ConcurrentDictionary<(string Account, string Region, string Service, string Code, string Usage, string? Environment), double> used = new();

    /// <summary>Notes a use.</summary>
    /// <param name="context">The account and region.</param>
    /// <param name="environment">The environment that it is of, by its tag; null for what has none.</param>
    /// <param name="service">The service as bills name it.</param>
    /// <param name="code">The service's code in the price list.</param>
    /// <param name="usage">The usage type, without the region in short.</param>
    /// <param name="quantity">How much, in the price list's unit.</param>
    public void Add(RequestContext context, string? environment, string service, string code, string usage, double quantity)
    {
        if (quantity > 0)
        {
            used.AddOrUpdate((context.AccountId, context.Region, service, code, usage, environment), quantity, (_, before) => before + quantity);
        }
    }

    /// <summary>Charges at full hours.</summary>
    public void Settle(RequestContext context, DateTimeOffset moment)
    {
        if (moment.UtcTicks % TimeSpan.TicksPerHour != 0)
        {
            return;
        }
        // The hour that ends at midnight is of the day before.
        var day = DateOnly.FromDateTime(moment.UtcDateTime.AddMinutes(-1));
        var lines = new List<SandboxBillLine>();
        foreach (var key in used.Keys.Where(key => key.Account == context.AccountId && key.Region == context.Region).OrderBy(key => key.ToString(), StringComparer.Ordinal))
        {
            if (used.TryRemove(key, out var quantity) && PriceListProducts.Find(key.Code, key.Region, key.Usage) is { } product)
            {
                var tags = new Dictionary<string, string>(StringComparer.Ordinal);
                if (key.Environment is { } environment)
                {
                    tags["inferloop:environment"] = environment;
                }
                lines.Add(new SandboxBillLine(day, key.Service, product.Attributes["usagetype"], key.Region, Math.Round((decimal)quantity * product.Tiers[0].Usd, 10), Math.Round((decimal)quantity, 6), tags));
            }
        }
        if (lines.Count > 0)
        {
            runtime.Service<CostExplorerService>().Charge(context.AccountId, lines);
        }
    }
}
