using Inferloop.Operations.Environments;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>What needs no AWS: finding causes, counting progress, guidance, and nested names in templates.</summary>
public sealed class PureLogicTests
{
    private static readonly DateTimeOffset Begin = new(2026, 11, 23, 5, 0, 0, TimeSpan.Zero);

    private static InferloopEnvironmentEvent Event(int second, string path, string status, string reason = "", string type = "AWS::S3::Bucket") => new()
    {
        Environment = "demo", Time = Begin.AddSeconds(second), Path = path, LogicalId = path.Split('/')[^1], Type = type, Status = status, Reason = reason,
        StackId = "arn:stack", PhysicalId = "p-" + path, EventId = $"{second}-{path}-{status}",
    };

    [Fact]
    public void The_first_cause_is_the_failure_that_was_not_cancelled_however_the_events_arrive()
    {
        InferloopEnvironmentEvent[] events =
        [
            Event(9, "Ecs", "CREATE_FAILED", "Embedded stack arn was not successfully created", "AWS::CloudFormation::Stack"),
            Event(5, "Network/NatGateway1", "CREATE_FAILED", "Resource creation cancelled"),
            Event(8, "Ecs/Service", "CREATE_FAILED", "the real reason", "AWS::ECS::Service"),
            Event(10, "Logs", "CREATE_FAILED", "Resource creation cancelled", "AWS::CloudFormation::Stack"),
        ];
        Assert.Equal("Ecs/Service", RootCause.Find(events)!.Path);
        Assert.Equal("Ecs/Service", RootCause.Mark(events).Single(e => e.IsRootCause).Path);
    }

    [Fact]
    public void A_nested_stack_that_tells_nothing_inside_is_the_cause_itself() =>
        Assert.Equal("Ecs", RootCause.Find([Event(1, "Ecs", "CREATE_FAILED", "Template error", "AWS::CloudFormation::Stack"), Event(2, "X", "CREATE_FAILED", "Resource creation cancelled")])!.Path);

    [Fact]
    public void Without_a_failure_there_is_no_cause() => Assert.Null(RootCause.Find([Event(1, "A", "CREATE_COMPLETE")]));

    [Theory]
    [InlineData("REVIEW_IN_PROGRESS", "New-InferloopEnvironment")]
    [InlineData("CREATE_FAILED", "-Resume")]
    [InlineData("ROLLBACK_COMPLETE", "-Resume")]
    [InlineData("ROLLBACK_FAILED", "Remove-InferloopEnvironment")]
    [InlineData("UPDATE_ROLLBACK_FAILED", "Resume-InferloopEnvironment demo")]
    [InlineData("IMPORT_ROLLBACK_FAILED", "Remove-InferloopEnvironment demo")]
    [InlineData("UPDATE_ROLLBACK_COMPLETE", "Set-InferloopEnvironment")]
    [InlineData("UPDATE_FAILED", "-Resume")]
    [InlineData("DELETE_FAILED", "Remove-InferloopEnvironment demo")]
    [InlineData("UPDATE_IN_PROGRESS", "Wait-InferloopEnvironment")]
    public void Every_state_has_guidance_that_names_a_cmdlet(string status, string expected) => Assert.Contains(expected, StackStates.Guidance("demo", status), StringComparison.Ordinal);

    [Fact]
    public void Nested_template_names_are_found_in_yaml_and_json_and_addresses_are_left()
    {
        const string Text = """
            A:
              Properties:
                TemplateURL: network.yaml   # beside
                Other: x
            B: { }
                TemplateURL: 'sub/storage.yaml'
                TemplateURL: https://bucket.s3.us-east-1.amazonaws.com/x.yaml
                TemplateURL: !Sub '${Base}/x.yaml'
                "TemplateURL": "json.json",
            """;
        Assert.Equal(["network.yaml", "sub/storage.yaml", "json.json"], TemplatePackager.NestedNames(Text));
    }

    [Fact]
    public void A_dead_process_of_this_machine_is_known_gone_and_one_elsewhere_is_not()
    {
        var me = OperatorIdentity.Current;
        Assert.False(me.KnowsGone(me));
        Assert.False(me.KnowsGone(me with { Host = "elsewhere", ProcessId = int.MaxValue }));
        Assert.True(me.KnowsGone(me with { ProcessId = int.MaxValue }));
    }

    [Fact]
    public void A_later_operation_sorts_after_an_earlier_one()
    {
        OperationRecord At(int s) => new() { Environment = "demo-dev", OperationId = "x", Kind = OperationKind.Create, Owner = "me@here", Started = Begin.AddSeconds(s) };
        Assert.True(string.CompareOrdinal(At(1).SortKey, At(2).SortKey) < 0);
        Assert.True(string.CompareOrdinal(At(9).SortKey, At(10).SortKey) < 0);
    }
}
