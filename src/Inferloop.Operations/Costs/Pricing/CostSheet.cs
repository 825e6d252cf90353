using System.Globalization;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>What the pricers write on; settled at the end, because tiers count the quantities of all resources together.</summary>
internal sealed class CostSheet(CostScope scope, UsageProfile usage, CostOptions options, PriceCatalog catalog)
{
    private readonly List<Demand> _demands = [];

    public CostScope Scope { get; } = scope;

    public UsageProfile Usage { get; } = usage;

    public CostOptions Options { get; } = options;

    public PriceCatalog Catalog { get; } = catalog;

    public List<CostLine> Lines { get; } = [];

    public List<UnpricedItem> Unpriced { get; } = [];

    public List<FreeResource> Free { get; } = [];

    /// <summary>How much stands on the sheet; grows with everything that is added.</summary>
    public int Entries => _demands.Count + Unpriced.Count + Free.Count;

    /// <summary>Adds a quantity; nothing is charged, and no line made, where it is zero throughout.</summary>
    public void Add(CostedResource resource, string name, string service, string dimension, Quantity quantity, string assumption)
    {
        Ask(new Demand(resource, name, service, dimension, quantity, assumption));
    }

    /// <summary>Adds a quantity whose price follows from another row by a rule.</summary>
    public void AddDerived(
        CostedResource resource, string name, string service, string dimension, decimal factor, string rule, Quantity quantity, string assumption)
    {
        Ask(new Demand(resource, name, service, dimension, quantity, assumption) { Factor = factor, Derivation = rule });
    }

    /// <summary>Adds a quantity in another region than the resource's own: what a replica there costs.</summary>
    public void AddIn(string region, CostedResource resource, string name, string service, string dimension, Quantity quantity, string assumption)
    {
        Ask(new Demand(resource, name, service, dimension, quantity, assumption) { Region = region });
    }

    /// <summary>Adds Spot capacity, at the discount that the options give.</summary>
    public void AddSpot(CostedResource resource, string name, string service, string dimension, decimal discountPercent, Quantity quantity, string assumption)
    {
        var rule = string.Create(CultureInfo.InvariantCulture, $"on-demand price less {discountPercent:0.##} percent, as given");
        Ask(new Demand(resource, name, service, dimension, quantity, assumption) { Factor = 1 - (discountPercent / 100), Derivation = rule, IsSpot = true });
    }

    // Less than nothing would make what others use of the same thing cheaper.
    private void Ask(Demand demand)
    {
        if (demand.Quantity is { Low: < 0 } or { Expected: < 0 } or { High: < 0 })
        {
            AddUnpriced(demand.Resource, demand.Name, demand.Quantity.Expected, null, string.Create(CultureInfo.InvariantCulture, $"The template makes it {demand.Quantity.Expected:0.##}, and less than nothing cannot be charged."));
        }
        else if (!demand.Quantity.IsZero)
        {
            _demands.Add(demand);
        }
    }

    public void AddUnpriced(CostedResource resource, string name, decimal? quantity, string? unit, string reason, decimal? atMost = null) =>
        Unpriced.Add(new UnpricedItem(resource.Component, resource.Path, resource.LogicalId, resource.Type, name, quantity, unit, reason, atMost));

    public void AddFree(CostedResource resource) => Free.Add(new FreeResource(resource.Component, resource.Path, resource.LogicalId, resource.Type));

    /// <summary>An amount of the whole environment, shared equally among the resources that have part in it.</summary>
    public static decimal Share(decimal amount, int resources) => amount / Math.Max(1, resources);

    /// <summary>Prices what was added: each dimension of a region once over all its quantities, so that tiers are reached as AWS reaches them.</summary>
    public void Settle()
    {
        var allowances = Options.FreeTier ? new FreeTier() : null;
        foreach (var group in _demands.GroupBy(d => (d.Region, d.Service, d.Dimension)))
        {
            if (!Catalog.TryFind(group.Key.Region, group.Key.Service, group.Key.Dimension, out var price))
            {
                foreach (var demand in group)
                {
                    var reason = $"The catalog has no price of {group.Key.Service}/{group.Key.Dimension} in {group.Key.Region}.";
                    AddUnpriced(demand.Resource, demand.Name, demand.Quantity.Expected, null, reason);
                }

                continue;
            }

            var total = group.Aggregate((Quantity)0m, (sum, d) => sum + d.Quantity);
            var free = price.Tiers[0].From > 0 ? 0m : allowances?.Take(price.Service, price.Dimension, total) ?? 0m;
            foreach (var demand in group)
            {
                Lines.Add(Line(SavingsPlan(demand), price, total, free));
                if (price.KnownUpTo is { } end && total.High > end)
                {
                    var beyond = total.Select(q => Math.Max(0, q - end));
                    AddUnpriced(
                        demand.Resource, demand.Name + " beyond the known tiers", Part(demand.Quantity, total, beyond).Expected, price.Unit,
                        string.Create(CultureInfo.InvariantCulture, $"The catalog's prices of {price.Service}/{price.Dimension} in {price.Region} end at {end:#,0} {price.Unit} a month."));
                }
            }
        }
    }

    // A Savings Plan for compute covers instances, Fargate and Lambda's time, whatever runs there; not Spot.
    private Demand SavingsPlan(Demand demand) =>
        Options.SavingsPlanDiscountPercent is { } discount && !demand.IsSpot && demand switch
        {
            { Service: "ec2" } => demand.Dimension.StartsWith("linux_", StringComparison.Ordinal),
            { Service: "fargate" } => !demand.Dimension.StartsWith("ephemeral", StringComparison.Ordinal),
            { Service: "lambda" } => demand.Dimension.EndsWith("_gb_second", StringComparison.Ordinal) && !demand.Dimension.Contains("storage", StringComparison.Ordinal),
            _ => false,
        }
            ? demand with
            {
                Factor = demand.Factor * (1 - (discount / 100 * Options.SavingsPlanCoveragePercent / 100)),
                Derivation = string.Create(
                    CultureInfo.InvariantCulture, $"on-demand price less {discount:0.##} percent of a Savings Plan on {Options.SavingsPlanCoveragePercent:0.##} percent of it, as given"),
            }
            : demand;

    private static CostLine Line(Demand demand, Price price, Quantity total, Quantity free)
    {
        var quantity = demand.Quantity;
        var charged = new Quantity(total.Low - free.Low, total.Expected - free.Expected, total.High - free.High);

        // Ten decimals: far below a cent, and few enough that any number of lines adds up exactly in any order.
        var cost = (Part(quantity, total, charged.Select(price.CostOf)) * demand.Factor).Select(c => Math.Round(c, 10));
        var tiers = price.Reached(charged.Expected).ToList();
        var flat = price.Tiers.Count == 1 && price.Tiers[0].From == 0;
        return new CostLine
        {
            Component = demand.Resource.Component,
            Path = demand.Resource.Path,
            LogicalId = demand.Resource.LogicalId,
            ResourceType = demand.Resource.Type,
            Region = price.Region == PriceCatalog.Global ? demand.Region : price.Region,
            Name = demand.Name,
            Dimension = price.Service + "/" + price.Dimension,
            Quantity = quantity.Expected,
            QuantityLow = quantity.Low,
            QuantityHigh = quantity.High,
            Unit = price.Unit,
            UnitPrice = (((flat || tiers.Count == 1) && free.IsZero) || quantity.Expected == 0 ? tiers[0].Usd : cost.Expected / quantity.Expected / demand.Factor) * demand.Factor,
            Tier = flat && free.IsZero ? null : Describe(price, charged.Expected, free.Expected),
            MonthlyLow = cost.Low,
            MonthlyExpected = cost.Expected,
            MonthlyHigh = cost.High,
            Assumption = demand.Assumption,
            PriceSource = demand.Derivation is { } rule ? $"derived: {rule} ({tiers[0].Source})" : string.Join("; ", tiers.Select(t => t.Source).Distinct()),
            PriceDate = tiers.Select(t => t.AsOf).Min(StringComparer.Ordinal)!,
            IsDerived = demand.Derivation is not null,
        };
    }

    // A resource bears of a dimension's total cost what its quantity is of the total quantity.
    private static Quantity Part(Quantity quantity, Quantity total, Quantity of) => new(
        Part(quantity.Low, total.Low, of.Low), Part(quantity.Expected, total.Expected, of.Expected), Part(quantity.High, total.High, of.High));

    private static decimal Part(decimal quantity, decimal total, decimal of) => total == 0 ? 0 : quantity == total ? of : of * quantity / total;

    private static string Describe(Price price, decimal quantity, decimal free)
    {
        var parts = new List<string>();
        if (free > 0)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{free:#,0.##} free each month"));
        }

        if (price.Tiers[0].From > 0)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"first {Math.Min(quantity, price.Tiers[0].From):#,0.##} free"));
        }

        for (var i = 0; i < price.Tiers.Count && (i == 0 || price.Tiers[i].From < quantity); i++)
        {
            var end = i + 1 < price.Tiers.Count ? price.Tiers[i + 1].From : (decimal?)null;
            parts.Add(end is { } to
                ? string.Create(CultureInfo.InvariantCulture, $"{price.Tiers[i].From:#,0.##} to {to:#,0.##} at {price.Tiers[i].Usd:0.############}")
                : string.Create(CultureInfo.InvariantCulture, $"over {price.Tiers[i].From:#,0.##} at {price.Tiers[i].Usd:0.############}"));
        }

        return string.Join("; ", parts);
    }
}
