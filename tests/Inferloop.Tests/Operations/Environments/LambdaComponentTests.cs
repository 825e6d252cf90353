using Inferloop.Operations.Environments;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>What the states of a function and its alias mean for an environment.</summary>
public sealed class LambdaComponentTests
{
    [Theory]
    [InlineData("Active", "Successful", "active", EnvironmentHealth.Healthy)]
    [InlineData("Inactive", "Successful", "inactive", EnvironmentHealth.Healthy)]
    [InlineData("Active", "InProgress", "updating", EnvironmentHealth.Changing)]
    [InlineData("Active", "Failed", "update failed", EnvironmentHealth.Degraded)]
    [InlineData("Pending", null, "pending", EnvironmentHealth.Changing)]
    [InlineData("Failed", null, "failed", EnvironmentHealth.Unhealthy)]
    public void A_function_whose_update_failed_still_answers(string state, string? update, string status, EnvironmentHealth health)
    {
        var part = EnvironmentComponents.Function(state, update, "why", "python3.13");
        Assert.Equal((status, health), (part.Status, part.Health));
    }

    [Fact]
    public void An_alias_tells_its_version_and_who_shares_its_calls()
    {
        Assert.Equal(("version 3", "live"), (EnvironmentComponents.Alias("live", "3", null).Status, EnvironmentComponents.Alias("live", "3", null).Detail));
        Assert.Equal("live; 10 % of calls to version 4", EnvironmentComponents.Alias("live", "3", new Dictionary<string, double> { ["4"] = 0.1 }).Detail);
    }
}
