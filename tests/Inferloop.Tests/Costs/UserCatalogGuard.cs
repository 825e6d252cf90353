using System.Runtime.CompilerServices;

namespace Inferloop.Tests.Costs;

/// <summary>Tests stand on the prices that ship with the module, whatever catalog the machine's user has updated.</summary>
internal static class UserCatalogGuard
{
    [ModuleInitializer]
    internal static void UseShippedPrices() =>
        Environment.SetEnvironmentVariable("INFERLOOP_PRICE_CATALOG", Path.Combine(Path.GetTempPath(), $"inferloop-no-catalog-{Environment.ProcessId}", "aws-prices.csv"));
}
