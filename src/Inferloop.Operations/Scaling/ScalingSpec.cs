using System.Globalization;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Scaling;

/// <summary>Turns a request into members of the environment's spec, and says no to what a component does not have.</summary>
internal static class ScalingSpec
{
    /// <summary>The spec after the request.</summary>
    /// <param name="spec">The spec as it is.</param>
    /// <param name="request">What is to change.</param>
    /// <param name="live">How the component scales now; a number that runs is kept where new bounds leave it.</param>
    public static InferloopEnvironmentSpec Apply(InferloopEnvironmentSpec spec, ScalingRequest request, IReadOnlyList<InferloopScaling> live)
    {
        var rule = ScalingRules.Of(request.Component);
        if (!rule.IsPresent(spec))
        {
            throw new OperationException(
                "ScalingComponentAbsent", OperationErrorKind.InvalidState, $"'{spec.Name}' has no {rule.Unit} of {request.Component} to scale.",
                $"Get-InferloopScaling {spec.Name} shows what scales. To have it: Set-InferloopEnvironment {spec.Name} {rule.Missing}.", spec.Name);
        }

        RefuseGlobal(spec, request);
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        if (request.Preset is { } stage)
        {
            var preset = SpecPresets.Create(spec.Name, stage, spec.Region, stage == spec.Stage ? spec.Application.ServiceTier : SpecPresets.DefaultTier(stage), spec.Ecs.CapacityMode);

            // Bounds and targets; what runs now, what rests and when is the environment's own.
            var own = new[] { rule.Schedule, rule.Suspended, rule.Metric, rule.Minimum is null ? null : rule.Desired };
            foreach (var member in rule.Members.Except(own.OfType<string>()))
            {
                values[member] = SpecMembers.Require(member).Get(preset);
            }
        }

        void Set(string? member, object? value, string parameter)
        {
            if (value is not null)
            {
                values[member ?? throw NotOffered(spec.Name, rule, parameter)] = value;
            }
        }

        Set(rule.Minimum, request.Minimum, "Minimum");
        Set(rule.Maximum, request.Maximum, "Maximum");
        Set(rule.Desired, request.Desired, "Desired");
        Set(rule.Cpu, request.TargetCpu, "TargetCpu");
        Set(rule.Memory, request.TargetMemory, "TargetMemory");
        Set(rule.Requests, request.TargetRequests, "TargetRequests");
        Set(rule.Utilization, request.TargetUtilization, "TargetUtilization");
        Set(rule.Metric, request.TargetMetric, "TargetMetric");
        Set(rule.Steps, request.Steps is { } s ? string.Create(CultureInfo.InvariantCulture, $"{s.First},{s.Second}") : null, "StepPercent");
        Set(rule.Suspended, request.Suspended, request.Suspended == ScalingSuspension.None ? "Resume" : "Suspend");
        if (request.Action is not null || request.RemoveActions.Count > 0)
        {
            Set(rule.Schedule, Schedule(spec, rule, request, values), request.Action is null ? "RemoveSchedule" : "Schedule");
        }

        // A number of calls kept ready that does not scale is both bounds; as a minimum alone it stays what it is.
        if (request is { Component: ScalingComponent.LambdaProvisioned, Minimum: null, Maximum: > 0 } && spec.Lambda.LambdaProvisionedConcurrency == 0)
        {
            values[rule.Minimum!] = 1;
        }

        // New bounds move the number that is asked for only as far as they must, and from what runs, not from what was once written.
        if (rule.Desired is { } desired && rule.Minimum is { } least && rule.Maximum is { } most && !values.ContainsKey(desired) && (values.ContainsKey(least) || values.ContainsKey(most)))
        {
            var (low, high) = (Number(spec, values, least), Number(spec, values, most));
            var written = (int)SpecMembers.Require(desired).Get(spec);
            if (low <= high && (written < low || written > high))
            {
                values[desired] = Math.Clamp(live.Count > 0 ? live[0].Desired ?? written : written, low, high);
            }
        }

        return SpecPresets.Apply(spec, values, existing: true);
    }

    private static void RefuseGlobal(InferloopEnvironmentSpec spec, ScalingRequest request)
    {
        if (request.Component is ScalingComponent.TableRead or ScalingComponent.TableWrite && spec.Storage.GlobalTable && (request.Action is not null || request.RemoveActions.Count > 0 || request.Suspended is not null))
        {
            throw new OperationException(
                "ScalingNotOffered", OperationErrorKind.InvalidArgument, $"The table of '{spec.Name}' is a global one: its scaling has bounds and a target, and neither a schedule nor a rest.",
                $"Set-InferloopScaling {spec.Name} {request.Component} takes -Minimum, -Maximum and -TargetUtilization here.", spec.Name);
        }
    }

    /// <summary>A value as the spec will have it.</summary>
    private static int Number(InferloopEnvironmentSpec spec, Dictionary<string, object> values, string member) =>
        values.TryGetValue(member, out var value) ? (int)value : (int)SpecMembers.Require(member).Get(spec);

    /// <summary>The members that two specs of one component differ in.</summary>
    public static IReadOnlyList<InferloopScalingValue> Differences(InferloopEnvironmentSpec before, InferloopEnvironmentSpec after) => SpecMembers.All
        .Select(m => (Member: m, Before: SpecMember.ToTemplate(m.Get(before)), After: SpecMember.ToTemplate(m.Get(after))))
        .Where(m => m.Member.TemplateParameter is not null && m.Before != m.After)
        .Select(m => new InferloopScalingValue(m.Member.Name, m.Before, m.After)).ToList();

    private static string? Schedule(InferloopEnvironmentSpec spec, ScalingRule rule, ScalingRequest request, Dictionary<string, object> values)
    {
        if (rule.Schedule is not { } member)
        {
            return "";
        }

        var actions = ScalingSchedule.Parse((string)SpecMembers.Require(member).Get(spec)).ToList();
        foreach (var name in request.RemoveActions)
        {
            if (name != "*" && !actions.Exists(a => a.Name == name))
            {
                throw new OperationException(
                    "ScheduleUnknown", OperationErrorKind.NotFound, $"'{spec.Name}' has no scheduled scaling '{name}' of {request.Component}.{Suggestion.For(name, actions.Select(a => a.Name))}",
                    $"(Get-InferloopScaling {spec.Name} {request.Component}).Schedule lists them; * removes all.", name);
            }

            actions.RemoveAll(a => name == "*" || a.Name == name);
        }

        if (request.Action is { } action)
        {
            // AWS lets an action leave a bound as it is; written out, it means the same on every day.
            action = action with
            {
                Minimum = action.Minimum >= 0 ? action.Minimum : Number(spec, values, rule.Minimum!),
                Maximum = action.Maximum >= 0 ? action.Maximum : Number(spec, values, rule.Maximum!),
            };
            if (ScalingSchedule.Problem(action) is { } problem)
            {
                throw new OperationException(
                    "ScheduleInvalid", OperationErrorKind.InvalidArgument, $"The scheduled scaling '{action.Name}' cannot be: {problem}.",
                    "Write the schedule as cron(minute hour day month weekday year) with a question mark for day or weekday, such as -Schedule 'cron(0 8 ? * MON-FRI *)' -TimeZone Europe/Berlin, or as rate(1 hour), or at(2026-12-24T18:00:00).", action.Name);
            }

            var place = actions.FindIndex(a => a.Name == action.Name);
            if (place >= 0)
            {
                actions[place] = action;
            }
            else
            {
                actions.Add(action);
            }
        }

        if (actions.Count > ScalingSchedule.Limit)
        {
            throw new OperationException(
                "ScheduleFull", OperationErrorKind.LimitExceeded, $"{request.Component} of '{spec.Name}' would have {actions.Count} scheduled changes; the template has room for {ScalingSchedule.Limit}.",
                $"Remove one: Set-InferloopScaling {spec.Name} {request.Component} -RemoveSchedule {actions[0].Name}. Several weekdays fit into one cron expression.", spec.Name);
        }

        return ScalingSchedule.ToText(actions);
    }

    private static OperationException NotOffered(string name, ScalingRule rule, string parameter) => new(
        "ScalingNotOffered", OperationErrorKind.InvalidArgument, $"{rule.Component} has no -{parameter}. {rule.Why}",
        $"Set-InferloopScaling {name} {rule.Component} takes {string.Join(", ", Offered(rule).Select(o => "-" + o))}.", name);

    /// <summary>The parameters that a component has.</summary>
    public static IEnumerable<string> Offered(ScalingRule rule) => new (string? Member, string Parameter)[]
    {
        (rule.Minimum, "Minimum"), (rule.Maximum, "Maximum"), (rule.Desired, "Desired"), (rule.Cpu, "TargetCpu"), (rule.Memory, "TargetMemory"), (rule.Requests, "TargetRequests"),
        (rule.Utilization, "TargetUtilization"), (rule.Metric, "TargetMetric"), (rule.Steps, "StepPercent"), (rule.Schedule, "Schedule"), (rule.Suspended, "Suspend"), ("", "Preset"),
    }.Where(o => o.Member is not null).Select(o => o.Parameter);
}
