using Inferloop.Operations.Costs;

namespace Inferloop.Operations.Environments;

/// <summary>What a change does to a resource.</summary>
public enum EnvironmentChangeAction
{
    /// <summary>The resource is made.</summary>
    Add,

    /// <summary>The resource is changed in place, or may be replaced.</summary>
    Modify,

    /// <summary>The resource is replaced by a new one.</summary>
    Replace,

    /// <summary>The resource goes.</summary>
    Remove,

    /// <summary>An existing resource is taken in.</summary>
    Import,

    /// <summary>Only values that come from elsewhere change; CloudFormation cannot say more before it runs.</summary>
    Dynamic,

    /// <summary>The resource stays as it is, and CloudFormation takes note: the template says by now what another hand did.</summary>
    SyncWithActual,
}

/// <summary>Whether a change replaces its resource.</summary>
public enum EnvironmentReplacement
{
    /// <summary>It does not.</summary>
    Never,

    /// <summary>It depends on values known only when it runs.</summary>
    Conditional,

    /// <summary>It does.</summary>
    Always,
}

/// <summary>What a change can cost.</summary>
public enum EnvironmentChangeRisk
{
    /// <summary>Nothing is interrupted and nothing lost.</summary>
    None,

    /// <summary>Something does not answer for a while, or answers elsewhere afterwards.</summary>
    Downtime,

    /// <summary>Stored data is deleted.</summary>
    DataLoss,
}

/// <summary>One property before and after.</summary>
/// <param name="Path">The property, such as Properties.DesiredCount.</param>
/// <param name="Before">Its value before; null when it had none.</param>
/// <param name="After">Its value after; null when it has none, or when it is known only after the change ran.</param>
/// <param name="Replacement">Whether this property's change replaces the resource.</param>
public sealed record InferloopPropertyChange(string Path, string? Before, string? After, EnvironmentReplacement Replacement)
{
    /// <summary>The value after the change comes from a resource that is made by it.</summary>
    public bool KnownAfterApply { get; init; }

    /// <summary>The expression is as it was; only what it refers to may have another value afterwards.</summary>
    public bool IsDynamic { get; init; }

    /// <summary>Where the change comes from, in CloudFormation's words: DirectModification, ParameterReference, ResourceReference, ResourceAttribute, Automatic.</summary>
    public string Source { get; init; } = "DirectModification";

    /// <summary>The parameter, resource or attribute that the change comes from; empty for the template's own text.</summary>
    public string Cause { get; init; } = "";

    /// <summary>What was deployed last, where another hand has changed it since to <see cref="Before"/>; otherwise null. Known with -RevertDrift only.</summary>
    public string? Deployed { get; init; }

    /// <summary>The resource's property, without what is inside it.</summary>
    internal string TopLevel => ChangeJudge.TopLevel(Path);

    /// <summary>The change in one line.</summary>
    public override string ToString() => $"{Path}: {Before ?? "(none)"} -> {After ?? (KnownAfterApply ? "(known after apply)" : "(none)")}{(Deployed is null ? "" : $" (deployed as {Deployed})")}";
}

/// <summary>One resource that a change set changes.</summary>
public sealed record InferloopChange
{
    /// <summary>What happens to the resource.</summary>
    public required EnvironmentChangeAction Action { get; init; }

    /// <summary>The logical id in its template.</summary>
    public required string LogicalId { get; init; }

    /// <summary>The resource, with the nested stacks that lead to it.</summary>
    public required string Path { get; init; }

    /// <summary>The resource type.</summary>
    public required string Type { get; init; }

    /// <summary>The physical id, where the resource exists already.</summary>
    public string PhysicalId { get; init; } = "";

    /// <summary>Whether the resource is replaced.</summary>
    public EnvironmentReplacement Replacement { get; init; }

    /// <summary>The properties that change.</summary>
    public IReadOnlyList<InferloopPropertyChange> Properties { get; init => field = value.Indexable(); } = [];

    /// <summary>What becomes of the old resource, in CloudFormation's words: Delete, Retain, Snapshot, ReplaceAndDelete and so on; empty where it stays.</summary>
    public string PolicyAction { get; init; } = "";

    /// <summary>How long CloudFormation usually takes for it, by the table of the module.</summary>
    public TimeSpan ForecastDuration { get; init; }

    /// <summary>What the change does to the expected cost of this resource a month, in US dollars; null where the change set has no price.</summary>
    public decimal? MonthlyCostDelta { get; init; }

    /// <summary>What another hand did to the resource since it was deployed; NotChecked without -RevertDrift.</summary>
    public DriftStatus Drift { get; init; } = DriftStatus.NotChecked;

    /// <summary>What the change can cost.</summary>
    public EnvironmentChangeRisk Risk { get; init; }

    /// <summary>Why; empty without a risk.</summary>
    public string RiskReason { get; init; } = "";

    /// <summary>A data store is or may be replaced or deleted: an update goes on only when it is named with -AllowReplacement.</summary>
    public bool NeedsConsent { get; init; }

    /// <summary>What a stack policy would say to this change in the middle of the update; empty where none objects.</summary>
    public string DeniedBy { get; init; } = "";

    /// <summary>Whether stored data can be lost: a data store is removed or replaced and not kept.</summary>
    public bool RisksDataLoss => Risk == EnvironmentChangeRisk.DataLoss;

    internal bool IsChangeOfExisting => Action is EnvironmentChangeAction.Modify or EnvironmentChangeAction.Replace or EnvironmentChangeAction.Dynamic;

    /// <summary>Action and resource in one line.</summary>
    public override string ToString() => $"{Action} {Path} ({Type})";
}

/// <summary>What would change in an environment, and what that does to its price.</summary>
public sealed record InferloopChangeSet
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>The root stack.</summary>
    public required string StackName { get; init; }

    /// <summary>The region.</summary>
    public required string Region { get; init; }

    /// <summary>The change set's name; empty for a plan made offline.</summary>
    public string Name { get; init; } = "";

    /// <summary>The change set's ARN; empty for a plan made offline.</summary>
    public string Id { get; init; } = "";

    /// <summary>Create, Update or Delete.</summary>
    public required OperationKind Kind { get; init; }

    /// <summary>CloudFormation, or Offline for a plan of the module's own engine.</summary>
    public required string Source { get; init; }

    /// <summary>The changes, nested stacks included.</summary>
    public required IReadOnlyList<InferloopChange> Changes { get; init => field = value.Indexable(); }

    /// <summary>What CloudFormation lists and what does not happen: nested stacks in which nothing changes, and values known only afterwards that stay the same.</summary>
    public IReadOnlyList<InferloopChange> Apparent { get; init => field = value.Indexable(); } = [];

    /// <summary>How long the whole change usually takes: the longest chain of resources that wait for each other.</summary>
    public TimeSpan ForecastDuration { get; init; }

    /// <summary>The resources of that chain, in their order.</summary>
    public IReadOnlyList<string> CriticalPath { get; init => field = value.Indexable(); } = [];

    /// <summary>Neither resources nor parameters nor outputs change.</summary>
    internal bool IsEmpty { get; init; }

    /// <summary>US dollars a month before the change; null when it cannot be priced.</summary>
    public decimal? MonthlyCostBefore { get; init; }

    /// <summary>US dollars a month after the change; null when it cannot be priced.</summary>
    public decimal? MonthlyCostAfter { get; init; }

    /// <summary>What the change adds to the monthly price, in US dollars.</summary>
    public decimal? MonthlyCostDelta => MonthlyCostAfter - MonthlyCostBefore;

    /// <summary>What the change adds to the least the environment can cost a month, in US dollars: with its fewest tasks and least use.</summary>
    public decimal? MonthlyCostLowDelta => Cost?.MonthlyLowDelta;

    /// <summary>What the change adds to the most the environment can cost a month, in US dollars: with its greatest number of tasks.</summary>
    public decimal? MonthlyCostHighDelta => Cost?.MonthlyHighDelta;

    /// <summary>The price before and after, line by line; null when one of them is not known.</summary>
    public CostComparison? Cost { get; init; }

    /// <summary>Resources that have no price in the catalog.</summary>
    public IReadOnlyList<string> Unpriced { get; init => field = value.Indexable(); } = [];

    /// <summary>How many resources are added.</summary>
    public int Added => Changes.Count(c => c.Action is EnvironmentChangeAction.Add or EnvironmentChangeAction.Import);

    /// <summary>How many are changed in place.</summary>
    public int Modified => Changes.Count(c => c.Action is EnvironmentChangeAction.Modify or EnvironmentChangeAction.Dynamic);

    /// <summary>How many are replaced.</summary>
    public int Replaced => Changes.Count(c => c.Action == EnvironmentChangeAction.Replace);

    /// <summary>How many go.</summary>
    public int Removed => Changes.Count(c => c.Action == EnvironmentChangeAction.Remove);

    /// <summary>Whether any change can lose stored data.</summary>
    public bool RisksDataLoss => Changes.Any(c => c.RisksDataLoss);

    /// <summary>The greatest risk of all changes.</summary>
    public EnvironmentChangeRisk Risk => Changes.Count == 0 ? EnvironmentChangeRisk.None : Changes.Max(c => c.Risk);

    /// <summary>The change set in one line.</summary>
    public override string ToString() =>
        $"{Environment}: {Added} to add, {Modified} to modify, {Replaced} to replace, {Removed} to remove"
        + (MonthlyCostDelta is { } d ? $"; {Signed(d)} a month" + (MonthlyCostHighDelta is { } high && MonthlyCostLowDelta is { } low && (high != d || low != d) ? $" ({Signed(low)} to {Signed(high)})" : "") : "");

    private static string Signed(decimal amount) => FormattableString.Invariant($"{(amount < 0 ? "-" : "+")}${Math.Abs(amount):0.00}");
}
