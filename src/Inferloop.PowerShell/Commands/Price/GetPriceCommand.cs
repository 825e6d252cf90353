using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.PowerShell.Completion;
using Inferloop.PowerShell.Pipeline;
using Catalog = Inferloop.Operations.Costs.PriceCatalog;

namespace Inferloop.PowerShell.Commands.Price;

/// <summary>Looks prices up in the catalog, each with its source and date.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopPrice")]
[OutputType(typeof(Inferloop.Operations.Costs.Price))]
public sealed class GetPriceCommand : InferloopCmdlet
{
    /// <summary>The service, such as nat_gateway; wildcards are allowed.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string Service { get; set; } = "*";

    /// <summary>What is charged, such as processed_gb; wildcards are allowed.</summary>
    [Parameter(Position = 1)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string Dimension { get; set; } = "*";

    /// <summary>The regions; all by default. Prices that AWS lists once for all regions have the region global.</summary>
    [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[]? Region { get; set; }

    /// <summary>A price catalog (CSV) instead of the current one.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CatalogPath { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var catalog = CatalogPath is null ? Catalog.Current : Catalog.Load(await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(CatalogPath)).ConfigureAwait(false));
        foreach (var region in Region ?? [])
        {
            if (!catalog.HasRegion(region) && region != Catalog.Global)
            {
                throw new OperationException(
                    "PriceRegionUnknown", OperationErrorKind.NotFound, $"{catalog.Name} has no prices of the region '{region}'.{Catalog.Nearest(region, catalog.Regions)}",
                    "Use a region that it has: " + string.Join(", ", catalog.Regions) + ".", region);
            }
        }

        var service = new WildcardPattern(Service, WildcardOptions.IgnoreCase);
        var dimension = new WildcardPattern(Dimension, WildcardOptions.IgnoreCase);
        var found = catalog.Prices
            .Where(p => service.IsMatch(p.Service) && dimension.IsMatch(p.Dimension) && (Region is null || p.Region == Catalog.Global || Region.Contains(p.Region, StringComparer.Ordinal)))
            .OrderBy(p => p.Service, StringComparer.Ordinal).ThenBy(p => p.Dimension, StringComparer.Ordinal).ThenBy(p => p.Region, StringComparer.Ordinal).ToList();
        // A wildcard that finds nothing has found nothing; a name that is not there is a mistake.
        if (found.Count == 0 && !WildcardPattern.ContainsWildcardCharacters(Service) && (Dimension == "*" || !WildcardPattern.ContainsWildcardCharacters(Dimension)))
        {
            var services = catalog.Prices.Select(p => p.Service).Distinct().ToList();
            var near = services.Contains(Service, StringComparer.OrdinalIgnoreCase)
                ? Catalog.Nearest(Dimension, catalog.Prices.Where(p => p.Service.Equals(Service, StringComparison.OrdinalIgnoreCase)).Select(p => p.Dimension).Distinct())
                : Catalog.Nearest(Service, services);
            throw new OperationException(
                "PriceNotFound", OperationErrorKind.NotFound, $"{catalog.Name} has no price of {(Dimension == "*" ? Service : $"{Service}/{Dimension}")}{(Region is null ? "" : " in " + string.Join(", ", Region))}.{near}",
                "Look with wildcards: Get-InferloopPrice " + Service + " *. Other regions may have it; Update-InferloopPriceCatalog reads today's lists.", Service);
        }

        foreach (var price in found)
        {
            WriteObject(price);
        }
    }
}
