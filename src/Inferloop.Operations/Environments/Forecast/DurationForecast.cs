using Inferloop.Templates;

namespace Inferloop.Operations.Environments.Forecast;

/// <summary>
/// How long a stack operation will take: each resource as long as its type usually does, one after the other where one waits for
/// another, side by side where not. The longest chain is what an operator waits for.
/// </summary>
internal sealed class DurationForecast
{
    private const string NestedStack = "AWS::CloudFormation::Stack";

    // In an order in which each comes after everything it waits for; a nested stack comes before its resources.
    private readonly List<Step> steps = [];
    private readonly Dictionary<string, int> index = new(StringComparer.Ordinal);

    private DurationForecast()
    {
    }

    private sealed record Step(string Path, TimeSpan Duration, IReadOnlyList<string> After, string? Stack, bool IsStack)
    {
        public List<int> Inside { get; } = [];
    }

    /// <summary>What the whole operation takes.</summary>
    public TimeSpan Total { get; private set; }

    /// <summary>The resources whose durations add up to the total, in their order.</summary>
    public IReadOnlyList<string> CriticalPath { get; private set; } = [];

    public int Count => steps.Count;

    /// <summary>What one resource takes; nothing where it is not touched.</summary>
    public TimeSpan this[string path] => index.TryGetValue(path, out var at) ? steps[at].Duration : TimeSpan.Zero;

    /// <summary>Makes every resource of a stack.</summary>
    public static DurationForecast OfCreate(EvaluatedStack stack) => Of(stack, _ => EnvironmentChangeAction.Add, reversed: false);

    /// <summary>Makes the changes to a stack; what is not among them takes no time, but keeps its place in the order.</summary>
    public static DurationForecast OfUpdate(EvaluatedStack after, IEnumerable<InferloopChange> changes)
    {
        var listed = changes.ToDictionary(c => c.Path, c => c, StringComparer.Ordinal);
        var forecast = Of(after, path => listed.TryGetValue(path, out var change) ? change.Action : null, reversed: false);

        // What leaves the stack goes last, side by side.
        var gone = listed.Values.Where(c => c.Action is EnvironmentChangeAction.Remove || (c.Action == EnvironmentChangeAction.Replace && !c.PolicyAction.EndsWith("Retain", StringComparison.Ordinal)))
            .Select(c => (c.Path, Takes: ResourceDurations.Of(c.Type, EnvironmentChangeAction.Remove))).ToList();
        if (gone.Count > 0)
        {
            var longest = gone.MaxBy(g => g.Takes);
            forecast.Total += longest.Takes;
            forecast.CriticalPath = [.. forecast.CriticalPath, longest.Path];
        }

        return forecast;
    }

    /// <summary>Deletes every resource of a stack.</summary>
    public static DurationForecast OfDelete(EvaluatedStack stack) => Of(stack, _ => EnvironmentChangeAction.Remove, reversed: true);

    /// <summary>What is left when some resources are done and others have been under way for a while.</summary>
    /// <param name="done">The paths of resources that are done.</param>
    /// <param name="running">How long the others that have begun have been under way.</param>
    public TimeSpan Remaining(IReadOnlySet<string> done, IReadOnlyDictionary<string, TimeSpan> running) => Walk(done, running).Total;

    private static DurationForecast Of(EvaluatedStack stack, Func<string, EnvironmentChangeAction?> action, bool reversed)
    {
        var forecast = new DurationForecast();
        forecast.Add(stack, null, action, reversed);
        var (total, last, before) = forecast.Walk(new HashSet<string>(), new Dictionary<string, TimeSpan>());
        forecast.Total = total;
        var path = new List<string>();
        for (var at = last; at >= 0; at = before[at])
        {
            if (forecast.steps[at].Duration > TimeSpan.Zero && !forecast.steps[at].IsStack)
            {
                path.Add(forecast.steps[at].Path);
            }
        }

        path.Reverse();
        forecast.CriticalPath = path;
        return forecast;
    }

    private void Add(EvaluatedStack stack, string? parent, Func<string, EnvironmentChangeAction?> action, bool reversed)
    {
        var prefix = parent is null ? "" : parent + "/";
        var after = stack.Resources.ToDictionary(r => r.LogicalId, _ => new List<string>(), StringComparer.Ordinal);
        foreach (var resource in stack.Resources)
        {
            foreach (var other in resource.DependsOn.Where(after.ContainsKey))
            {
                (reversed ? after[other] : after[resource.LogicalId]).Add(prefix + (reversed ? resource.LogicalId : other));
            }
        }

        foreach (var resource in reversed ? stack.Resources.Reverse() : stack.Resources)
        {
            var takes = action(resource.Path) is { } what ? ResourceDurations.Of(resource.Type, what)
                : resource.Type == NestedStack ? ResourceDurations.Of(NestedStack, EnvironmentChangeAction.Modify) : TimeSpan.Zero;
            index.Add(resource.Path, steps.Count);
            if (parent is not null)
            {
                steps[index[parent]].Inside.Add(steps.Count);
            }

            steps.Add(new Step(resource.Path, takes, after[resource.LogicalId], parent, resource.Type == NestedStack));
            if (stack.NestedStacks.TryGetValue(resource.LogicalId, out var nested))
            {
                Add(nested, resource.Path, action, reversed);
            }
        }
    }

    /// <summary>When everything ends from now on, what ends last, and for each what it waited for.</summary>
    private (TimeSpan Total, int Last, int[] Before) Walk(IReadOnlySet<string> done, IReadOnlyDictionary<string, TimeSpan> running)
    {
        var begins = new TimeSpan[steps.Count];
        var ends = new TimeSpan[steps.Count];
        var waited = new int[steps.Count];
        var before = new int[steps.Count];
        Array.Fill(waited, -1);
        Array.Fill(before, -1);

        // A nested stack ends after its resources, which stand behind it: each step is closed when the next one outside it is reached.
        var open = new Stack<int>();
        for (var i = 0; i < steps.Count; i++)
        {
            var step = steps[i];
            while (open.Count > 0 && steps[open.Peek()].Path != step.Stack)
            {
                Close(open.Pop());
            }

            if (step.Stack is { } stack)
            {
                begins[i] = begins[index[stack]];
                waited[i] = waited[index[stack]];
            }

            foreach (var other in step.After)
            {
                var at = index[other];
                if (ends[at] > begins[i])
                {
                    begins[i] = ends[at];
                    waited[i] = at;
                }
            }

            before[i] = waited[i];
            if (step.IsStack)
            {
                open.Push(i);
            }
            else
            {
                ends[i] = done.Contains(step.Path) ? TimeSpan.Zero : begins[i] + Left(step, running);
            }
        }

        while (open.Count > 0)
        {
            Close(open.Pop());
        }

        var last = -1;
        for (var i = 0; i < steps.Count; i++)
        {
            last = last < 0 || ends[i] > ends[last] ? i : last;
        }

        return (last < 0 ? TimeSpan.Zero : ends[last], last, before);

        void Close(int at)
        {
            if (done.Contains(steps[at].Path))
            {
                return;
            }

            var end = begins[at];
            foreach (var inside in steps[at].Inside)
            {
                if (ends[inside] >= end)
                {
                    end = ends[inside];
                    before[at] = inside;
                }
            }

            ends[at] = end + steps[at].Duration;
        }
    }

    private static TimeSpan Left(Step step, IReadOnlyDictionary<string, TimeSpan> running)
    {
        if (!running.TryGetValue(step.Path, out var elapsed))
        {
            return step.Duration;
        }

        // One that takes longer than usual is not done for that; a tenth of what it usually takes is still to be expected.
        var least = step.Duration * 0.1;
        return step.Duration - elapsed > least ? step.Duration - elapsed : least;
    }
}
