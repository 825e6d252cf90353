using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <summary>One side of a comparison: what it is called, what it was asked for, what it is made of.</summary>
internal sealed record ComparedSide(string Name, InferloopEnvironmentSpec Spec, EvaluatedStack Stack);

/// <summary>Finds in what two environments differ, beside what their names make different.</summary>
internal static class EnvironmentComparer
{
    // What says which version of something runs.
    private static readonly HashSet<string> Versions = new(StringComparer.Ordinal)
    {
        "EngineVersion", "Version", "Runtime", "Image", "ImageId", "AmiType", "ReleaseVersion", "AddonVersion", "PlatformVersion", "CacheParameterGroupFamily", "Family", "SslPolicy",
    };

    public static IReadOnlyList<InferloopEnvironmentDifference> Compare(ComparedSide reference, ComparedSide other)
    {
        var found = new List<InferloopEnvironmentDifference>();
        foreach (var member in SpecMembers.All.Where(m => m.Name is not ("Name" or "Stage" or "Region")))
        {
            var (was, now) = (SpecMember.ToTemplate(member.Get(reference.Spec)), SpecMember.ToTemplate(member.Get(other.Spec)));
            if (was != now && Neutral(was, reference) != Neutral(now, other))
            {
                found.Add(Difference(EnvironmentDifferenceKind.Spec, member.Path, "", was, now));
            }
        }

        foreach (var change in StackComparer.Compare(reference.Stack, other.Stack).Changes)
        {
            switch (change.Action)
            {
                case ChangeAction.Add:
                    found.Add(Difference(EnvironmentDifferenceKind.Resource, change.Path, change.Type, null, change.Type));
                    break;
                case ChangeAction.Remove:
                    found.Add(Difference(EnvironmentDifferenceKind.Resource, change.Path, change.Type, change.Type, null));
                    break;
                default:
                    found.AddRange(Properties(change));
                    break;
            }
        }

        return found.OrderBy(d => d.Kind).ThenBy(d => d.Path, StringComparer.Ordinal).ToList();

        InferloopEnvironmentDifference Difference(EnvironmentDifferenceKind kind, string path, string type, string? was, string? now) => new()
        {
            Kind = kind, Path = path, Type = type, Reference = was, Difference = now, ReferenceName = reference.Name, DifferenceName = other.Name,
        };

        // Parameters of nested stacks say again what their resources say.
        IEnumerable<InferloopEnvironmentDifference> Properties(ResourceChange change) => change.Type == "AWS::CloudFormation::Stack" ? [] : change.Properties.Concat(change.Attributes)
            .Where(p => !p.IsDynamic)
            .Select(p => (p.Path, Was: Text(p.Before), Now: Text(p.After)))
            .Where(p => Neutral(p.Was ?? "", reference) != Neutral(p.Now ?? "", other))
            .Select(p => Difference(
                Versions.Contains(p.Path[(p.Path.LastIndexOf('.') + 1)..]) ? EnvironmentDifferenceKind.Version : EnvironmentDifferenceKind.Property, $"{change.Path}.{p.Path}", change.Type, p.Was, p.Now));
    }

    private static string? Text(Value? value) => value switch { null => null, { IsSecret: true } => "****", _ => value.AsString() ?? value.ToString() };

    /// <summary>A text without what only says whose it is.</summary>
    private static string Neutral(string text, ComparedSide side)
    {
        var stage = side.Spec.Stage.ToString().ToLowerInvariant();
        return text.Replace($"{side.Spec.Name}-{stage}", "{name}-{stage}", StringComparison.Ordinal)
            .Replace(side.Spec.Name, "{name}", StringComparison.Ordinal)
            .Replace(side.Stack.Context.Region, "{region}", StringComparison.Ordinal)
            .Replace(side.Stack.Context.AccountId, "{account}", StringComparison.Ordinal) is var neutral && neutral == stage ? "{stage}" : neutral;
    }
}
