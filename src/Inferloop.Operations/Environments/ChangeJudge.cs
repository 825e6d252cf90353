using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <summary>
/// Tells what a change set only seems to change. CloudFormation does not follow values across nested stacks: each nested
/// stack counts as modified, every value that comes from one as known only afterwards, and what is built on such a value
/// as replaced. The module's own engine evaluates all stacks at once and knows which of these values stay the same.
/// </summary>
internal static class ChangeJudge
{
    /// <summary>Divides the changes into those that happen and those that only seem to.</summary>
    /// <param name="listed">What CloudFormation lists.</param>
    /// <param name="own">The module's own comparison; null where the deployed templates cannot be evaluated: then all counts as real.</param>
    public static (IReadOnlyList<InferloopChange> Real, IReadOnlyList<InferloopChange> Apparent) Judge(IReadOnlyList<InferloopChange> listed, StackDifference? own)
    {
        var real = new List<InferloopChange>();
        var apparent = new List<InferloopChange>();

        // What is made anew because somebody deleted it gets another id, which no comparison of templates knows of.
        own = listed.Any(c => c is { Action: EnvironmentChangeAction.Add, Drift: DriftStatus.Deleted }) ? null : own;
        listed = listed.Select(c => Promotion(c, own)).ToList();
        foreach (var change in listed)
        {
            if (own is null || !change.IsChangeOfExisting || !change.Properties.Any(p => p.IsDynamic))
            {
                (IsEmptyNested(change) ? apparent : real).Add(change);
                continue;
            }

            var known = own.Find(change.Path);
            var changing = (known?.Properties ?? []).Select(p => TopLevel(p.Path)).ToHashSet(StringComparer.Ordinal);
            var kept = change.Properties.Where(p => !p.IsDynamic || changing.Contains(p.TopLevel)).ToList();
            if (kept.Count == 0 || IsEmptyNested(change))
            {
                apparent.Add(change);
                continue;
            }

            real.Add(kept.Count == change.Properties.Count ? change : WithOnly(change, kept));
        }

        // A nested stack that is modified is told by what changes in it.
        bool ToldInside(InferloopChange change) => IsModifiedNested(change) && listed.Any(c => c.Path.StartsWith(change.Path + "/", StringComparison.Ordinal) && !apparent.Contains(c));
        return (real.Where(c => !ToldInside(c)).Select(ChangeRisks.Assess).ToList(), apparent.Where(c => !ToldInside(c)).ToList());
    }

    /// <summary>The first part of a property's path: ContainerDefinitions of ContainerDefinitions[0].Image.</summary>
    public static string TopLevel(string path) => PropertyComparison.TopLevel(path.StartsWith("Properties.", StringComparison.Ordinal) ? path["Properties.".Length..] : path);

    private static bool IsModifiedNested(InferloopChange change) => change is { Type: "AWS::CloudFormation::Stack", Action: EnvironmentChangeAction.Modify };

    private static bool IsEmptyNested(InferloopChange change) => IsModifiedNested(change) && change.Properties.All(p => p.IsDynamic);

    /// <summary>A replica that loses its source is promoted where it is. CloudFormation says of the property only that it may replace, which another source does.</summary>
    private static InferloopChange Promotion(InferloopChange change, StackDifference? own)
    {
        const string Source = "SourceDBInstanceIdentifier";
        if (change is not { Type: "AWS::RDS::DBInstance", IsChangeOfExisting: true } || !change.Properties.Any(p => p.TopLevel == Source))
        {
            return change;
        }

        var known = own?.Find(change.Path)?.Properties.FirstOrDefault(p => TopLevel(p.Path) == Source);
        var leaves = known is not null ? known is { After: null, KnownAfterApply: false } : change.Properties.All(p => p.TopLevel != Source || p is { After: null, Before: not null, KnownAfterApply: false });
        return leaves ? WithOnly(change, change.Properties.Select(p => p.TopLevel == Source ? p with { Replacement = EnvironmentReplacement.Never } : p).ToList()) : change;
    }

    private static InferloopChange WithOnly(InferloopChange change, IReadOnlyList<InferloopPropertyChange> kept)
    {
        var replacement = EnvironmentReplacement.Never;
        foreach (var property in kept)
        {
            var effect = property.IsDynamic && property.Replacement == EnvironmentReplacement.Always ? EnvironmentReplacement.Conditional : property.Replacement;
            replacement = effect > replacement ? effect : replacement;
        }

        return change with
        {
            Properties = kept,
            Replacement = replacement,
            Action = replacement == EnvironmentReplacement.Always ? EnvironmentChangeAction.Replace : EnvironmentChangeAction.Modify,
        };
    }
}
