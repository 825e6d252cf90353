namespace Inferloop.Operations.Environments;

/// <summary>Finds, among the events of an operation, the failure that the others followed from.</summary>
internal static class RootCause
{
    // What CloudFormation writes at resources that it stopped because another one had failed.
    private static readonly string[] Consequences = ["Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled"];

    public static InferloopEnvironmentEvent? Find(IEnumerable<InferloopEnvironmentEvent> events)
    {
        var failures = events
            .Where(e => e.IsFailure && !e.IsStack && !Consequences.Any(c => e.Reason.Contains(c, StringComparison.OrdinalIgnoreCase)))
            .OrderBy(e => e.Time)
            .ToList();

        // A nested stack fails because something in it did; only where nothing in it tells, it is the best we have.
        return failures.Find(e => e.Type != "AWS::CloudFormation::Stack")
            ?? failures.FirstOrDefault();
    }

    public static IReadOnlyList<InferloopEnvironmentEvent> Mark(IReadOnlyList<InferloopEnvironmentEvent> events)
    {
        var cause = Find(events);
        return cause is null ? events : events.Select(e => e.EventId == cause.EventId ? e with { IsRootCause = true } : e).ToList();
    }
}
