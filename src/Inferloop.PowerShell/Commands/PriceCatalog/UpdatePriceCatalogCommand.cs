using System.Management.Automation;
using Amazon.Pricing;
using Inferloop.Operations;
using Inferloop.Operations.Costs.PriceLists;
using Inferloop.PowerShell.Completion;
using Inferloop.PowerShell.Pipeline;
using Catalog = Inferloop.Operations.Costs.PriceCatalog;

namespace Inferloop.PowerShell.Commands.PriceCatalog;

/// <summary>Reads today's list prices from AWS into the catalog that estimates stand on.</summary>
[Cmdlet(VerbsData.Update, "InferloopPriceCatalog", SupportsShouldProcess = true, DefaultParameterSetName = "Query")]
[OutputType(typeof(PriceCatalogUpdate))]
public sealed class UpdatePriceCatalogCommand : AwsCmdlet
{
    // The price list is answered in three regions only, and says the same in each.
    private const string PricingRegion = "us-east-1";

    /// <summary>The regions whose prices to read; all of the catalog by default.</summary>
    [Parameter(Position = 0)]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[]? PriceRegion { get; set; }

    /// <summary>AWS's codes of the services to read, such as AmazonEC2; all by default.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? Service { get; set; }

    /// <summary>Download AWS's bulk files instead of asking the query API: more to load, fewer questions.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Bulk")]
    public SwitchParameter Bulk { get; set; }

    /// <summary>Bulk files (CSV) that were downloaded before; AWS is not asked.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "File")]
    [ValidateNotNullOrEmpty]
    public string[]? BulkFile { get; set; }

    /// <summary>The catalog to write. By default the user's own, which estimates then use.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var path = Path is null ? Catalog.UserPath : await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
        if (!await ShouldProcessAsync(path, "Update the price catalog").ConfigureAwait(false))
        {
            return;
        }

        var old = File.Exists(path) ? Catalog.Load(path) : Catalog.Embedded;
        var updater = new PriceCatalogUpdater(old, Reporter);
        var regions = PriceRegion ?? [.. old.Regions];
        try
        {
            if (BulkFile is not null)
            {
                foreach (var given in BulkFile)
                {
                    var file = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(given)).ConfigureAwait(false);
                    using var reader = new StreamReader(file);
                    await updater.ReadAsync(reader, System.IO.Path.GetFileName(file), PriceRegion ?? [], cancellationToken).ConfigureAwait(false);
                }
            }
            else
            {
                var session = await GetSessionAsync(PricingRegion, cancellationToken).ConfigureAwait(false);
                var pricing = session.Client<IAmazonPricing>();
                if (Bulk)
                {
                    using var http = new HttpClient();
                    await updater.DownloadAsync(pricing, http, regions, Service ?? [], cancellationToken).ConfigureAwait(false);
                }
                else
                {
                    await updater.QueryAsync(pricing, regions, Service ?? [], cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (FormatException e)
        {
            throw new OperationException(
                "PriceListTruncated", OperationErrorKind.OperationFailed, $"The price list cannot be read: {e.Message}",
                "Download it again. The catalog that was there is unchanged.", path, e);
        }

        WriteObject(await updater.SaveAsync(path, cancellationToken).ConfigureAwait(false));
    }
}
