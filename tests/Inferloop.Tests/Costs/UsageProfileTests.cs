using Inferloop.Operations;
using Inferloop.Operations.Costs;

namespace Inferloop.Tests.Costs;

/// <summary>Usage profiles: presets, changes by name, and what is refused.</summary>
public sealed class UsageProfileTests
{
    [Theory]
    [InlineData("S", "Small")]
    [InlineData("medium", "Medium")]
    [InlineData("L", "Large")]
    public void Presets_have_names_and_grow(string given, string name)
    {
        Assert.Equal(name, UsageProfile.Preset(given).Name);
        foreach (var dimension in UsageProfile.Dimensions)
        {
            Assert.True(dimension.Of(UsageProfile.Small) <= dimension.Of(UsageProfile.Medium) && dimension.Of(UsageProfile.Medium) <= dimension.Of(UsageProfile.Large), dimension.Name);
        }
    }

    [Fact]
    public void Every_amount_is_listed_with_unit_and_meaning()
    {
        var properties = typeof(UsageProfile).GetProperties().Where(p => p.PropertyType == typeof(decimal)).Select(p => p.Name).Order();
        Assert.Equal(properties, UsageProfile.Dimensions.Select(d => d.Name).Order());
        Assert.All(UsageProfile.Dimensions, d => Assert.True(d.Unit.Length > 0 && d.Description.Length > 0 && d.Maximum > 0));
    }

    [Fact]
    public void Amounts_are_changed_by_name_and_the_name_says_so()
    {
        var changed = UsageProfile.Small.With([new("natprocessedgb", 700m)]);
        Assert.Equal(700m, changed.NatProcessedGb);
        Assert.Equal("Small*", changed.Name);
        Assert.Equal("Small*", changed.With([new("InterAzGb", 1m)]).Name);
        Assert.Equal("Small", UsageProfile.Small.With([new("NatProcessedGb", 50m)]).Name);
        Assert.Equal(50m, UsageProfile.Small.NatProcessedGb);
    }

    [Theory]
    [InlineData("NatProcesedGb", 1, "UsageUnknown", "'NatProcessedGb'")]
    [InlineData("Elephants", 1, "UsageUnknown", "no amount 'Elephants'")]
    [InlineData("NatProcessedGb", -1, "UsageOutOfRange", "-1")]
    [InlineData("NatProcessedGb", 1e9, "UsageOutOfRange", "10,000,000 GB")]
    [InlineData("LogStoredShare", 2, "UsageOutOfRange", "between 0 and 1")]
    [InlineData("NatInternetOutGb", 51, "UsageContradicts", "NatProcessedGb")]
    [InlineData("StoredAddedGb", 101, "UsageContradicts", "StoredGb")]
    public void Refuses_unknown_names_and_absurd_amounts(string name, double value, string errorId, string message)
    {
        var error = Assert.Throws<OperationException>(() => UsageProfile.Small.With([new(name, (decimal)value)]));
        Assert.Equal(errorId, error.ErrorId);
        Assert.Equal(OperationErrorKind.InvalidArgument, error.Kind);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.RecommendedAction);
    }

    [Fact]
    public void Refuses_an_unknown_preset_and_suggests_the_nearest()
    {
        var error = Assert.Throws<OperationException>(() => UsageProfile.Preset("mediun"));
        Assert.Contains("'Medium'", error.Message, StringComparison.Ordinal);
    }
}
