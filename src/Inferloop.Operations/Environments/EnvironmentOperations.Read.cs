using System.Runtime.CompilerServices;
using Amazon.CloudFormation.Model;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Environments.Forecast;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

internal sealed partial class EnvironmentOperations
{
    internal void Report(string activity, string status) => Reporter.Progress(new OperationProgress(activity, status));

    internal void Warn(string message) => Reporter.Warning(message);

    /// <summary>The environments of the region, in the order of their names.</summary>
    public async IAsyncEnumerable<InferloopEnvironment> ListAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var account = await aws.AccountId(cancellation).ConfigureAwait(false);
        var found = new List<InferloopEnvironment>();
        string? token = null;
        do
        {
            var page = await aws.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest { NextToken = token }, cancellation).ConfigureAwait(false);
            found.AddRange((page.Stacks ?? []).Where(IsEnvironment).Select(s => Convert(s, account)));
            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));

        foreach (var environment in found.OrderBy(e => e.Name, StringComparer.Ordinal).ThenBy(e => e.Stage))
        {
            yield return environment;
        }
    }

    /// <summary>The environment as it is now; null when it is gone.</summary>
    public async Task<InferloopEnvironment?> RefreshAsync(string stackNameOrId, bool withHealth, CancellationToken cancellation)
    {
        var stack = await FindStackAsync(stackNameOrId, cancellation).ConfigureAwait(false);
        if (stack is null)
        {
            return null;
        }

        var environment = Convert(stack, await aws.AccountId(cancellation).ConfigureAwait(false));
        return withHealth ? await WithHealthAsync(environment, cancellation).ConfigureAwait(false) : environment;
    }

    /// <summary>The environment with a look at its tasks and targets.</summary>
    public async Task<InferloopEnvironment> WithHealthAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        if (environment.Health == EnvironmentHealth.Changing || environment.Status == "REVIEW_IN_PROGRESS")
        {
            return environment;
        }

        var resources = await ResourcesAsync(environment.StackId, cancellation).ConfigureAwait(false);
        return environment with { Health = await new EnvironmentComponents(aws).HealthAsync(environment.Name, resources, cancellation).ConfigureAwait(false) };
    }

    /// <summary>The parts of an environment, each as its own service sees it.</summary>
    public async Task<IReadOnlyList<InferloopEnvironmentComponent>> ComponentsAsync(InferloopEnvironment environment, CancellationToken cancellation) =>
        (await new EnvironmentComponents(aws).ReadAsync(
            environment.Name, await ResourcesAsync(environment.StackId, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false)).Select(c => c with { Origin = environment }).ToList();

    /// <summary>The environment's alarms, those that fire first.</summary>
    public async Task<IReadOnlyList<Alarms.InferloopAlarm>> AlarmsAsync(InferloopEnvironment environment, CancellationToken cancellation) =>
        await new Alarms.AlarmReader(aws.Client<Amazon.CloudWatch.IAmazonCloudWatch>()).ReadAsync(
            environment.Name, await ResourcesAsync(environment.StackId, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);

    /// <summary>How the environment was used in the days before now, as far as CloudWatch knows.</summary>
    public async Task<Costs.Measuring.MeasuredUse> MeasureAsync(InferloopEnvironment environment, DateTimeOffset now, int days, CancellationToken cancellation)
    {
        Report($"Measuring {environment.Name}", "Reading metrics");
        var resources = await ResourcesAsync(environment.StackId, cancellation).ConfigureAwait(false);
        var stack = await DeployedAsync(environment.StackId, cancellation).ConfigureAwait(false);
        var use = await new Costs.Measuring.UsageMeter(aws.Client<Amazon.CloudWatch.IAmazonCloudWatch>()).MeasureAsync(resources, stack, environment.Created, now, days, cancellation).ConfigureAwait(false);
        Reporter.Progress(new OperationProgress($"Measuring {environment.Name}", "measured", 100, Completed: true));
        return use;
    }

    /// <summary>The events of the newest operation, and new ones until it has ended.</summary>
    public async IAsyncEnumerable<InferloopEnvironmentEvent> FollowEventsAsync(InferloopEnvironment environment, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var stream = new StackEventStream(aws.CloudFormation, environment.Name, environment.StackId, options);
        var events = new List<InferloopEnvironmentEvent>();
        var marked = false;
        await foreach (var e in stream.FollowAsync(null, cancellation).ConfigureAwait(false))
        {
            events.Add(e);
            var cause = !marked && RootCause.Find(events)?.EventId == e.EventId;
            marked |= cause;
            yield return cause ? e with { IsRootCause = true } : e;
        }
    }

    /// <summary>Follows what runs on an environment to its end, whoever began it; where nothing runs it ends at once.</summary>
    public async Task<StackEnd> WaitAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        if (StateRules.For(EnvironmentCommand.Wait, environment.Status) == StateVerdict.Nothing)
        {
            return new StackEnd(environment.Status, environment.StatusReason, []);
        }

        var kind = StackStates.KindOf(environment.Status) ?? OperationKind.Create;
        var planned = kind == OperationKind.Create && SpecValidator.Validate(environment.Spec).All(f => f.Severity != SpecFindingSeverity.Error)
            ? DurationForecast.OfCreate((await EnvironmentPlan.MakeAsync(environment.Spec, environment.AccountId, aws.Partition, options, cancellation).ConfigureAwait(false)).Evaluated)
            : null;
        var doing = kind switch { OperationKind.Create => "Creating", OperationKind.Update => "Updating", _ => "Removing" };
        var end = await FollowAsync(environment.Name, environment.StackId, null, new StackProgress($"{doing} {environment.Name}", planned, options.Time), cancellation).ConfigureAwait(false);
        await CloseJournalAsync(environment, end, cancellation).ConfigureAwait(false);
        return end;
    }

    /// <summary>The events of the newest operation, or of the environment's whole life, root cause marked.</summary>
    public async Task<IReadOnlyList<InferloopEnvironmentEvent>> EventsAsync(InferloopEnvironment environment, bool wholeLife, CancellationToken cancellation) =>
        RootCause.Mark(await new StackEventStream(aws.CloudFormation, environment.Name, environment.StackId, options).ReadAsync(wholeLife, cancellation).ConfigureAwait(false));

    /// <summary>Looks anew at every resource of every stack of an environment: is it as its template says?</summary>
    public async Task<IReadOnlyList<InferloopDrift>> DriftAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        var stack = await FindStackAsync(environment.StackId, cancellation).ConfigureAwait(false) ?? throw NotFound(environment.Name, environment.Region);
        Refuse(EnvironmentCommand.Drift, environment.Name, stack);
        var stacks = await StacksAsync(stack.StackId, cancellation).ConfigureAwait(false);
        var found = await new DriftReader(aws.CloudFormation, options, reporter).ReadAsync(environment.Name, stacks, cancellation).ConfigureAwait(false);

        // Bounds of now, not of when the object was made that came down a pipeline.
        return Scaling.ScalingDrift.Judge(Convert(stack, environment.AccountId).Spec, found);
    }

    /// <summary>The stacks of an environment with the paths of what is in them: "" for the root, Network/ and so on for nested ones.</summary>
    private async Task<IReadOnlyList<(string Path, string StackId)>> StacksAsync(string rootId, CancellationToken cancellation) =>
        [("", rootId), .. (await ResourcesAsync(rootId, cancellation).ConfigureAwait(false))
            .Where(r => r is { Type: "AWS::CloudFormation::Stack", PhysicalId.Length: > 0 } && r.Status != "DELETE_COMPLETE").Select(r => (r.Path + "/", r.PhysicalId))];

    /// <summary>What the operation that follows shows of its change set, priced before and after.</summary>
    internal async Task<InferloopChangeSet> DescribeAsync(
        EnvironmentPlan plan, OperationKind kind, IReadOnlyList<InferloopChange> listed, string name, string id, string? previousStackId, CancellationToken cancellation)
    {
        var before = previousStackId is null ? null : await DeployedAsync(previousStackId, cancellation).ConfigureAwait(false);
        var (changes, apparent) = ChangeJudge.Judge(listed, before is null ? null : StackComparer.Compare(before, plan.Evaluated));
        var after = PlanPrice.Of(plan.Evaluated, null, reporter);

        // Both sides on the same usage: the difference is the change's, not the profile's.
        var was = before is null || after is null ? null : PlanPrice.Of(before, after.Usage, reporter);
        var comparable = after is not null && (previousStackId is null || was is not null);
        var cost = comparable ? CostComparison.Compare(was, after) : null;
        var deltas = cost?.Differences.GroupBy(d => d.Path, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Sum(d => d.MonthlyDelta), StringComparer.Ordinal);
        var forecast = kind == OperationKind.Create ? DurationForecast.OfCreate(plan.Evaluated) : DurationForecast.OfUpdate(plan.Evaluated, changes);
        return new InferloopChangeSet
        {
            Environment = plan.Spec.Name,
            StackName = plan.Spec.StackName,
            Region = plan.Spec.Region,
            Name = name,
            Id = id,
            Kind = kind,
            Source = id.Length > 0 ? "CloudFormation" : "Offline",
            Changes = changes.Select(c => c with { ForecastDuration = ResourceDurations.Of(c.Type, c.Action), MonthlyCostDelta = deltas is null ? null : deltas.GetValueOrDefault(c.Path) }).ToList(),
            Apparent = apparent,
            ForecastDuration = changes.Count == 0 ? TimeSpan.Zero : forecast.Total,
            CriticalPath = forecast.CriticalPath,
            IsEmpty = changes.Count == 0 && before is not null && SameParameters(before, plan.Evaluated) && !StackComparer.OutputsDiffer(before, plan.Evaluated),
            Cost = cost,
            MonthlyCostBefore = comparable ? was?.MonthlyExpected ?? 0 : null,
            MonthlyCostAfter = after?.MonthlyExpected,
            Unpriced = after?.Unpriced.Select(u => $"{u.Path}: {u.Name}").Distinct().ToList() ?? [],
        };
    }

    private static bool SameParameters(EvaluatedStack before, EvaluatedStack after) =>
        before.Parameters.Count == after.Parameters.Count && after.Parameters.All(p => before.Parameters.TryGetValue(p.Key, out var was) && Value.Same(was.Value, p.Value.Value));

    /// <summary>A plan of the module's own engine, where CloudFormation could not make one without leaving something behind.</summary>
    private async Task<PreparedChange> OfflineAsync(EnvironmentPlan plan, OperationKind kind, string? previousStackId, string why, CancellationToken cancellation)
    {
        var before = previousStackId is null ? null : await DeployedAsync(previousStackId, cancellation).ConfigureAwait(false);
        reporter.Warning($"{why} The plan was made offline, from the module's own templates.");
        var prepared = new PreparedChange(this, null, plan, kind, preview: true);
        var changes = ChangesBetween(before, plan.Evaluated);
        prepared.Show(await DescribeAsync(plan, kind, changes, "", "", previousStackId, cancellation).ConfigureAwait(false));
        return prepared;
    }

    private static InferloopChange OfflineChange(Inferloop.Templates.ResourceChange c)
    {
        var replacement = Of(c.Replacement);
        var action = c.Action switch
        {
            ChangeAction.Add => EnvironmentChangeAction.Add,
            ChangeAction.Remove => EnvironmentChangeAction.Remove,
            ChangeAction.Import => EnvironmentChangeAction.Import,
            _ => replacement == EnvironmentReplacement.Always ? EnvironmentChangeAction.Replace : EnvironmentChangeAction.Modify,
        };
        return ChangeRisks.Assess(new InferloopChange
        {
            Action = action,
            LogicalId = c.LogicalId,
            Path = c.Path,
            Type = c.Type,
            Replacement = replacement,
            PolicyAction = c.PolicyAction ?? "",
            Properties = c.Properties.Select(p => new InferloopPropertyChange(p.Path, Text(p.Before), Text(p.After), Of(p.RequiresRecreation))
            {
                KnownAfterApply = p.KnownAfterApply, IsDynamic = p.IsDynamic, Cause = string.Join(", ", p.Causes),
            }).ToList(),
        });

        static EnvironmentReplacement Of(Replacement r) => r switch { Replacement.Always => EnvironmentReplacement.Always, Replacement.Conditional => EnvironmentReplacement.Conditional, _ => EnvironmentReplacement.Never };
        static string? Text(Value? v) => v is { IsKnown: true } ? v.AsString() ?? v.ToJson()?.ToJsonString() : null;
    }

    /// <summary>The templates and parameters that a stack was made from, evaluated; null where they can no longer be.</summary>
    internal async Task<EvaluatedStack?> DeployedAsync(string stackId, CancellationToken cancellation)
    {
        var stack = await FindStackAsync(stackId, cancellation).ConfigureAwait(false);
        if (stack is null)
        {
            return null;
        }

        var answer = await aws.CloudFormation.GetTemplateAsync(new GetTemplateRequest { StackName = stackId, TemplateStage = "Original" }, cancellation).ConfigureAwait(false);
        try
        {
            return await StackEvaluator.EvaluateAsync(
                Template.Parse(answer.TemplateBody, stack.StackName),
                new EvaluationContext
                {
                    StackName = stack.StackName, StackId = stack.StackId, Region = aws.Region, Partition = aws.Partition,
                    AccountId = await aws.AccountId(cancellation).ConfigureAwait(false),
                    Parameters = (stack.Parameters ?? []).ToDictionary(p => p.ParameterKey, p => p.ParameterValue, StringComparer.Ordinal),
                    NestedTemplates = new PackagedTemplateSource(aws.S3),
                },
                cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TemplateException or Amazon.S3.AmazonS3Exception)
        {
            reporter.Warning($"The deployed templates cannot be evaluated ({e.Message}): the price before the change, and how long things take, are not known.");
            return null;
        }
    }

    /// <summary>An environment as one side of a comparison.</summary>
    /// <exception cref="OperationException">EnvironmentNotEvaluated: its templates are gone.</exception>
    public async Task<ComparedSide> SideAsync(InferloopEnvironment environment, CancellationToken cancellation) => new(
        $"{environment.Name} ({environment.Stage})", environment.Spec,
        await DeployedAsync(environment.StackId, cancellation).ConfigureAwait(false) ?? throw new OperationException(
            "EnvironmentNotEvaluated", OperationErrorKind.InvalidState, $"The deployed templates of '{environment.Name}' cannot be evaluated.",
            $"Deploy it again with Set-InferloopEnvironment {environment.Name}, then compare.", environment.Name));

    /// <summary>A spec as one side of a comparison.</summary>
    public async Task<ComparedSide> SideAsync(InferloopEnvironmentSpec spec, CancellationToken cancellation)
    {
        spec = spec.Region.Length > 0 ? spec : spec with { Region = aws.Region };
        var plan = await EnvironmentPlan.MakeAsync(spec, await aws.AccountId(cancellation).ConfigureAwait(false), aws.Partition, options, cancellation).ConfigureAwait(false);
        return new ComparedSide($"spec {spec.Name}", spec, plan.Evaluated);
    }

    private async Task CloseJournalAsync(InferloopEnvironment environment, StackEnd end, CancellationToken cancellation)
    {
        if (await Control.FindAsync(cancellation).ConfigureAwait(false) is not { } control)
        {
            return;
        }

        var table = TableOf(control);
        var holder = await table.HolderAsync(KeyOf(environment.Spec), cancellation).ConfigureAwait(false);
        foreach (var open in await table.OpenAsync(KeyOf(environment.Spec), cancellation).ConfigureAwait(false))
        {
            // Whoever holds the lock writes the end of their own operation.
            if (holder?.OperationId != open.OperationId)
            {
                if (open.Kind != OperationKind.Delete && !StackStates.IsGone(end.Status))
                {
                    await ProtectStoresAsync(environment.StackId, open.LiftedPolicies, cancellation).ConfigureAwait(false);
                }

                var success = StackStates.IsSuccess(open.Kind, end.Status);
                var reason = success ? null : Failure(open.Kind, environment.Name, end).Message;
                await table.SaveAsync(open.End(success ? OperationState.Completed : OperationState.Failed, table.Now, reason), cancellation).ConfigureAwait(false);
            }
        }
    }

    private static bool IsEnvironment(Stack stack) =>
        string.IsNullOrEmpty(stack.ParentId) && stack.StackName != ControlStack.Name && stack.StackName.StartsWith("inferloop-", StringComparison.Ordinal)
        && !StackStates.IsGone(stack.StackStatus)
        && ((stack.Tags ?? []).Exists(t => t.Key == EnvironmentTags.Environment) || (stack.StackStatus == "REVIEW_IN_PROGRESS" && InferloopEnvironmentSpec.ParseStackName(stack.StackName) is not null));

    private InferloopEnvironment Convert(Stack stack, string account)
    {
        var spec = SpecMembers.FromTemplateParameters(
            (stack.Parameters ?? []).ToDictionary(p => p.ParameterKey, p => p.ParameterValue, StringComparer.Ordinal), aws.Region,
            (stack.Tags ?? []).Select(t => new KeyValuePair<string, string>(t.Key, t.Value)));
        var outputs = (stack.Outputs ?? []).ToDictionary(o => o.OutputKey, o => o.OutputValue, StringComparer.Ordinal);
        if (spec.Name.Length == 0 && InferloopEnvironmentSpec.ParseStackName(stack.StackName) is var (name, stage))
        {
            // A stack under review has no parameters yet; its name says what it will be.
            spec = spec with { Name = name, Stage = stage };
        }

        return new InferloopEnvironment
        {
            Name = spec.Name,
            Stage = spec.Stage,
            Region = aws.Region,
            Status = stack.StackStatus,
            StatusReason = stack.StackStatusReason ?? "",
            Health = StackStates.IsInProgress(stack.StackStatus) ? EnvironmentHealth.Changing : EnvironmentHealth.Unknown,
            Endpoint = outputs.GetValueOrDefault("EndpointUrl") ?? outputs.GetValueOrDefault("LambdaHttpApiUrl") ?? "",
            Spec = spec,
            StackName = stack.StackName,
            StackId = stack.StackId,
            Created = Utc(stack.CreationTime) ?? default,
            Updated = Utc(stack.LastUpdatedTime),
            TerminationProtection = stack.EnableTerminationProtection == true,
            Outputs = outputs,
            AccountId = account,
            Connection = aws.Connection,
        };
    }

    private static DateTimeOffset? Utc(DateTime? time) => time is { } t ? new DateTimeOffset(DateTime.SpecifyKind(t.ToUniversalTime(), DateTimeKind.Utc)) : null;
}
