namespace Inferloop.Tests.Aws.Fidelity;

/// <summary>The generated public types, their members and the members' types are the official ones.</summary>
public sealed class PublicSurfaceTests
{
    [Theory]
    [MemberData(nameof(ServicePair.Names), MemberType = typeof(ServicePair))]
    public void Generated_types_are_the_official_types(string service)
    {
        string[] untolerated = [.. Differences(ServicePair.Of(service)).Where(d => !ToleratedDifferences.Surface.Any(t => t.Pattern.IsMatch(d)))];
        Assert.True(untolerated.Length == 0, $"{untolerated.Length} differences:\n{string.Join("\n", untolerated.Take(9000))}");
    }

    [Theory]
    [MemberData(nameof(ServicePair.Names), MemberType = typeof(ServicePair))]
    public void The_comparison_sees_all_there_is(string service)
    {
        ServicePair pair = ServicePair.Of(service);
        SortedSet<string> generated = PublicSurface.Of(pair.Generated, pair.Namespace);
        int common = PublicSurface.Of(pair.Official, pair.Namespace).Count(generated.Contains);
        Assert.True(common > 300, $"only {common} common lines");
        Assert.True(pair.CommonOperations().Count() >= 11);
    }

    [Fact]
    public void Every_tolerated_difference_still_exists()
    {
        string[] differences = [.. ServicePair.All.SelectMany(Differences)];
        Assert.All(ToleratedDifferences.Surface, t => Assert.True(differences.Any(t.Pattern.IsMatch), $"nothing differs like {t.Pattern} any more ({t.Reason})"));
    }

    private static IEnumerable<string> Differences(ServicePair pair)
    {
        SortedSet<string> official = PublicSurface.Of(pair.Official, pair.Namespace);
        SortedSet<string> generated = PublicSurface.Of(pair.Generated, pair.Namespace);
        return official.Except(generated).Select(l => "- " + l).Concat(generated.Except(official).Select(l => "+ " + l));
    }
}
