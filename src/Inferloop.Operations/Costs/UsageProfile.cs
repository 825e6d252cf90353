using System.Globalization;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Costs;

public sealed partial record UsageProfile
{
    /// <summary>The preset of a name.</summary>
    /// <param name="name"><c>Small</c>, <c>Medium</c>, <c>Large</c>, or <c>S</c>, <c>M</c>, <c>L</c>; case does not matter.</param>
    /// <returns>The preset.</returns>
    /// <exception cref="OperationException">There is none of that name.</exception>
    public static UsageProfile Preset(string name) => name.ToUpperInvariant() switch
    {
        "S" or "SMALL" => Small,
        "M" or "MEDIUM" => Medium,
        "L" or "LARGE" => Large,
        _ => throw new OperationException(
            "UsageProfileUnknown",
            OperationErrorKind.InvalidArgument,
            $"There is no usage profile '{name}'.{Suggestion.For(name, ["Small", "Medium", "Large"])}",
            "Give Small, Medium or Large, and change single amounts by name.",
            name),
    };

    /// <summary>The preset for a stage: Small for dev, Medium for the others.</summary>
    /// <param name="stage">The stage; null or unknown gives Medium, which does not flatter.</param>
    /// <returns>The preset.</returns>
    public static UsageProfile ForStage(string? stage) => string.Equals(stage, "dev", StringComparison.OrdinalIgnoreCase) ? Small : Medium;

    /// <summary>This profile with some amounts changed.</summary>
    /// <param name="amounts">Amounts by name; case does not matter.</param>
    /// <returns>The changed profile.</returns>
    /// <exception cref="OperationException">A name is none of the profile's (the nearest is suggested), or an amount is negative or absurd.</exception>
    public UsageProfile With(IEnumerable<KeyValuePair<string, decimal>> amounts)
    {
        var changed = this;
        foreach (var (name, value) in amounts)
        {
            var dimension = Dimensions.FirstOrDefault(d => d.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? throw new OperationException(
                "UsageUnknown",
                OperationErrorKind.InvalidArgument,
                $"A usage profile has no amount '{name}'.{Suggestion.For(name, Dimensions.Select(d => d.Name))}",
                "Use one of: " + string.Join(", ", Dimensions.Select(d => d.Name)) + ".",
                name);
            changed = dimension.Set(changed, value);
        }

        changed.Validate();
        return changed == this || Name.EndsWith('*') ? changed : changed with { Name = Name + "*" };
    }

    // What lies there goes on lying there: these are not traffic.
    private static readonly HashSet<string> s_kept = new(StringComparer.Ordinal)
    {
        nameof(StoredGb), nameof(StoredAddedGb), nameof(StoredReplacedGb), nameof(ObjectsAdded), nameof(TableStoredGb), nameof(DatabaseBackupGb), nameof(ImageGb), nameof(BackupVaultGb), nameof(TableBackupGb),
        nameof(CacheBackupGb), nameof(AuroraStoredGb), nameof(FileSystemGb), nameof(SnapshotGb), nameof(TableWriteUnits), nameof(LogStoredShare), nameof(LoadBalancerConnectionSeconds), nameof(LambdaMilliseconds),
        nameof(BatchJobSeconds),
    };

    /// <summary>This profile with what is stored and replicated, and no use.</summary>
    internal UsageProfile WithoutTraffic() =>
        Dimensions.Where(d => !s_kept.Contains(d.Name)).Aggregate(this, (p, d) => d.Set(p, 0)) with { Name = Name + ", standing by" };

    /// <summary>Refuses amounts that cannot be meant.</summary>
    /// <exception cref="OperationException">An amount is negative or absurd.</exception>
    internal void Validate()
    {
        foreach (var dimension in Dimensions)
        {
            var value = dimension.Of(this);
            if (value < 0 || value > dimension.Maximum)
            {
                throw new OperationException(
                    "UsageOutOfRange",
                    OperationErrorKind.InvalidArgument,
                    FormattableString.Invariant($"{dimension.Name} is {value}, which is not between 0 and {dimension.Maximum:#,0.##} {dimension.Unit}."),
                    $"Give {dimension.Name} in {dimension.Unit}: {dimension.Description}",
                    dimension.Name);
            }
        }

        if (NatInternetOutGb > NatProcessedGb)
        {
            throw Contradiction(nameof(NatInternetOutGb), NatInternetOutGb, nameof(NatProcessedGb), NatProcessedGb);
        }

        if (StoredAddedGb > StoredGb)
        {
            throw Contradiction(nameof(StoredAddedGb), StoredAddedGb, nameof(StoredGb), StoredGb);
        }
    }

    private static OperationException Contradiction(string part, decimal partValue, string whole, decimal wholeValue) => new(
        "UsageContradicts",
        OperationErrorKind.InvalidArgument,
        string.Create(CultureInfo.InvariantCulture, $"{part} is {partValue} and more than {whole}, {wholeValue}, of which it is a part."),
        $"Give a smaller {part} or a larger {whole}.",
        part);
}
