using System.Text.Json;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Recovery;

/// <summary>The report of a failover: what did not go as it should have is named, and nothing in it is taken for markup.</summary>
public sealed class FailoverReportTests
{
    private static readonly DateTimeOffset Began = new(2026, 11, 23, 14, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Deviations_are_named_in_every_format()
    {
        var failover = Failover();
        var deviations = FailoverReport.Deviations(failover);
        Assert.Equal(4, deviations.Count);
        Assert.Contains("04:30:00, 00:30:00 more", deviations[0], StringComparison.Ordinal);
        Assert.Contains("02:00:00 was lost", deviations[1], StringComparison.Ordinal);
        var html = FailoverReport.Html(failover);
        var markdown = FailoverReport.Markdown(failover);
        using var json = JsonDocument.Parse(FailoverReport.Json(failover));
        Assert.Equal(deviations, json.RootElement.GetProperty("Deviations").EnumerateArray().Select(d => d.GetString()!));
        Assert.False(json.RootElement.GetProperty("MetObjectives").GetBoolean());
        Assert.All(deviations, d => Assert.Contains("- " + d, markdown, StringComparison.Ordinal));
        Assert.Contains("&lt;script&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", html, StringComparison.Ordinal);
        Assert.Contains("a \\| b", markdown, StringComparison.Ordinal);

        // The database began a quarter of the way through, and took half of it.
        Assert.Contains("class=\"critical\" style=\"left:25%;width:50%\"", html, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_went_well_has_none()
    {
        var good = Failover() with { Rto = TimeSpan.FromHours(1), Rpo = TimeSpan.Zero, Stores = [], Steps = [] };
        Assert.Empty(FailoverReport.Deviations(good));
        Assert.True(good.MetObjectives);
    }

    private static InferloopFailover Failover() => new()
    {
        Id = "1", Environment = "demo", Stage = EnvironmentStage.Prod, Mode = FailoverMode.Ungraceful, StandbyMode = StandbyMode.PilotLight, FromRegion = "us-east-1", ToRegion = "us-west-2", Operator = "ada@desk",
        State = FailoverState.Completed, Started = Began, Finished = Began.AddHours(4), Rto = TimeSpan.FromHours(4.5), Rpo = TimeSpan.FromHours(2), MaximumDataLoss = TimeSpan.FromHours(3),
        Stores = [new InferloopRecoveryStore { Name = "Table", By = "global table", Source = "a | b" }],
        Steps =
        [
            new InferloopFailoverStep { Name = "Fence", Title = "Stop", Region = "us-east-1", State = FailoverStepState.Deferred, Reason = "<script>" },
            new InferloopFailoverStep { Name = "Database", Title = "Promote", Region = "us-west-2", State = FailoverStepState.Done, IsCritical = true, Expected = TimeSpan.FromHours(1.5), Started = Began.AddHours(1), Finished = Began.AddHours(3), Evidence = "promoted" },
        ],
    };
}
