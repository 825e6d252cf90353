using Inferloop.Operations.Costs.Pricing;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Measuring;

/// <summary>Which amount of the usage profile a log group or a bucket's contents belong to, by the same rules that price them.</summary>
internal static class LogRoles
{
    public const string Application = "application";
    public const string Service = "service";
    public const string Flow = "flow";
    public const string AccessLogs = "access logs";

    /// <summary>The roles by path. What is not in it belongs to no amount, but for buckets, which hold data then.</summary>
    public static Dictionary<string, string> Of(EvaluatedStack stack)
    {
        // The pricers write what each group is for; a sheet that is never settled needs no prices.
        var sheet = new CostSheet(new CostScope([stack]), UsageProfile.Medium, new CostOptions(), PriceCatalog.Current);
        var roles = LogPricers.Roles(sheet).ToDictionary(r => r.Group.Path, r => r.Role, StringComparer.Ordinal);
        foreach (var bucket in StoragePricers.LogBuckets(sheet.Scope))
        {
            roles[bucket.Path] = AccessLogs;
        }

        return roles;
    }
}
