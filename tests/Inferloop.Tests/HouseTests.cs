namespace Inferloop.Tests;

/// <summary>Rules of the house that a reader of the tree relies on.</summary>
public sealed class HouseTests
{
    [Fact]
    public void The_repository_root_is_found_from_the_test_assembly() =>
        Assert.True(File.Exists(Path.Combine(Repository.Root, "Inferloop.PowerShell.sln")));
}
