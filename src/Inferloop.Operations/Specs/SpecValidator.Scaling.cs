using Inferloop.Operations.Scaling;

namespace Inferloop.Operations.Specs;

/// <content>What Application Auto Scaling refuses of a schedule.</content>
internal sealed partial class SpecValidator
{
    private void Schedule(string code, string member, string text, int greatest)
    {
        var actions = ScalingSchedule.Parse(text);
        foreach (var action in actions)
        {
            if (ScalingSchedule.Problem(action) is { } problem)
            {
                Error(code, member, $"The action '{action.Name}' cannot be: {problem}.", "Write it as name|cron(minute hour day month weekday year)|Area/City|fewest|most; one of day and weekday is a question mark.");
            }
            else if (action.Maximum > greatest)
            {
                Error(code, member, $"The action '{action.Name}' asks for {action.Maximum}; {greatest} are the most there can be.", $"Give {greatest} or less.");
            }
        }

        if (actions.GroupBy(a => a.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            Error(code, member, $"There are two actions '{twice.Key}'.", "Give each a name of its own.");
        }
    }
}
