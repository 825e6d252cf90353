using Amazon.CloudFormation.Model;
using Amazon.Runtime;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

internal sealed partial class EnvironmentOperations
{
    internal static readonly List<string> Capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];

    /// <summary>
    /// Makes everything ready for a new environment, up to a change set that shows it. An interrupted create of the
    /// same spec is taken up where it stands.
    /// </summary>
    /// <param name="spec">What to make.</param>
    /// <param name="preview">Only to show: nothing enters the journal, and disposing leaves nothing behind.</param>
    /// <param name="resume">Clear away the remains of a create that failed, and begin again.</param>
    /// <param name="cancellation">Stops the preparation; what it made is removed.</param>
    public Task<PreparedChange> PrepareCreateAsync(InferloopEnvironmentSpec spec, bool preview, bool resume, CancellationToken cancellation) =>
        PrepareCreateAsync(spec, preview, resume, express: false, cancellation);

    /// <param name="spec">What to make.</param>
    /// <param name="preview">Only to show: nothing enters the journal, and disposing leaves nothing behind.</param>
    /// <param name="resume">Clear away the remains of a create that failed, and begin again.</param>
    /// <param name="express">End when configuration is applied, without waiting until everything is ready; for stage dev only.</param>
    /// <param name="cancellation">Stops the preparation; what it made is removed.</param>
    public async Task<PreparedChange> PrepareCreateAsync(InferloopEnvironmentSpec spec, bool preview, bool resume, bool express, CancellationToken cancellation)
    {
        RefuseExpress(spec, express);
        reporter.Progress(new OperationProgress($"Creating {spec.Name}", "Checking spec and templates"));
        var account = await aws.AccountId(cancellation).ConfigureAwait(false);
        var plan = await EnvironmentPlan.MakeAsync(spec, account, aws.Partition, options, cancellation).ConfigureAwait(false);

        // Looked at before anything is made, and again under the lock.
        var control = await Control.FindAsync(cancellation).ConfigureAwait(false);
        var stack = await FindStackAsync(spec.StackName, cancellation).ConfigureAwait(false);
        if (stack is not null)
        {
            var known = control is null ? null : await KnownAsync(TableOf(control), spec, cancellation).ConfigureAwait(false);
            RefuseCreate(plan, stack, known, preview, resume);
        }

        if (preview && (control is null || stack is not null))
        {
            return await OfflineAsync(
                plan, OperationKind.Create, null,
                control is null
                    ? $"The control stack {ControlStack.Name} does not exist in this account and region, and a preview creates nothing."
                    : $"The remains of an earlier create ({stack!.StackStatus}) stand in the way of a change set, and a preview removes nothing.",
                cancellation).ConfigureAwait(false);
        }

        if (!preview && stack is null && options.Preflight)
        {
            reporter.Progress(new OperationProgress($"Creating {spec.Name}", "Checking quotas, names and zones"));
            await RefusePreflightAsync(plan, cancellation).ConfigureAwait(false);
        }

        var scope = await BeginAsync(spec, OperationKind.Create, preview ? control : null, cancellation).ConfigureAwait(false);
        var prepared = new PreparedChange(this, scope, plan, OperationKind.Create, preview) { IsExpress = express };
        try
        {
            stack = await FindStackAsync(spec.StackName, cancellation).ConfigureAwait(false);
            if (stack is not null)
            {
                RefuseCreate(plan, stack, await KnownAsync(scope.Table, spec, cancellation).ConfigureAwait(false), preview, resume);
                if (stack.StackStatus.Value is "CREATE_IN_PROGRESS" or "CREATE_COMPLETE")
                {
                    // The create is on its way, or came to its end unwatched: what is left is to follow it.
                    await scope.StepAsync("attach", cancellation, r => r with { InputHash = plan.InputHash, StackId = stack.StackId }).ConfigureAwait(false);
                    await CloseOpenAsync(scope, cancellation).ConfigureAwait(false);
                    prepared.Attach(stack.StackId);
                    return prepared;
                }

                await ClearAsync(scope, spec, stack, cancellation).ConfigureAwait(false);
            }

            if (!preview)
            {
                await CloseOpenAsync(scope, cancellation).ConfigureAwait(false);
            }

            await prepared.PrepareAsync(previousStackId: null, cancellation).ConfigureAwait(false);
            return prepared;
        }
        catch
        {
            await prepared.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static void RefuseExpress(InferloopEnvironmentSpec spec, bool express)
    {
        if (express && spec.Stage != EnvironmentStage.Dev)
        {
            throw new OperationException(
                "ExpressNotForStage", OperationErrorKind.InvalidArgument, $"'{spec.Name}' is of stage {spec.Stage.ToString().ToLowerInvariant()}. Express mode reports success before anything is known to serve, and is for stage dev only.",
                "Leave -Express out.", spec.Name);
        }
    }

    /// <summary>Looks at what would let the create of an environment fail.</summary>
    /// <param name="spec">What is to be made.</param>
    /// <param name="thorough">Also the checks that ask many questions.</param>
    /// <param name="cancellation">Stops the checks.</param>
    public async Task<IReadOnlyList<InferloopPreflightFinding>> PreflightAsync(InferloopEnvironmentSpec spec, bool thorough, CancellationToken cancellation)
    {
        reporter.Progress(new OperationProgress($"Checking {spec.Name}", "Quotas, names, zones"));
        var plan = await EnvironmentPlan.MakeAsync(spec, await aws.AccountId(cancellation).ConfigureAwait(false), aws.Partition, options, cancellation).ConfigureAwait(false);
        var findings = await PreflightAsync(plan, thorough, cancellation).ConfigureAwait(false);
        reporter.Progress(new OperationProgress($"Checking {spec.Name}", "", 100, Completed: true));
        return findings;
    }

    private async Task<IReadOnlyList<InferloopPreflightFinding>> PreflightAsync(EnvironmentPlan plan, bool thorough, CancellationToken cancellation)
    {
        var stack = await FindStackAsync(plan.Spec.StackName, cancellation).ConfigureAwait(false);
        var existing = stack is null || stack.StackStatus == "REVIEW_IN_PROGRESS" ? [] : await ResourcesAsync(stack.StackId, cancellation).ConfigureAwait(false);
        return await Preflight.RunAsync(aws, plan, existing.Where(r => r.PhysicalId.Length > 0).Select(r => r.Path).ToHashSet(StringComparer.Ordinal), thorough, cancellation).ConfigureAwait(false);
    }

    /// <summary>Makes the quick checks, tells what can go wrong, and says no to what will.</summary>
    private async Task RefusePreflightAsync(EnvironmentPlan plan, CancellationToken cancellation)
    {
        var findings = await PreflightAsync(plan, thorough: false, cancellation).ConfigureAwait(false);
        foreach (var finding in findings.Where(f => f.Severity == PreflightSeverity.Warning && f.Check != PreflightCheck.Spec))
        {
            Warn($"{finding.Check} {finding.Subject}: {finding.Message}");
        }

        var errors = findings.Where(f => f.Severity == PreflightSeverity.Error).ToList();
        if (errors.Count > 0)
        {
            throw new OperationException(
                "PreflightFailed", OperationErrorKind.InvalidState, $"'{plan.Spec.Name}' cannot be created. {string.Join(" ", errors.Select(e => $"{e.Check} {e.Subject}: {e.Message}"))} Nothing was created.",
                $"{errors[0].Remedy} Test-InferloopEnvironment shows all findings; New-InferloopEnvironment -SkipPreflight goes on all the same.", plan.Spec.Name);
        }
    }

    /// <summary>Says no to a create where the name is taken or the state forbids it, with what to do instead.</summary>
    private static void RefuseCreate(EnvironmentPlan plan, Stack stack, OperationRecord? journal, bool preview, bool resume)
    {
        var name = plan.Spec.Name;
        var status = stack.StackStatus.Value;
        if ((stack.Tags ?? []).Find(t => t.Key == EnvironmentTags.Environment)?.Value is var tag && tag != name && status != "REVIEW_IN_PROGRESS")
        {
            throw new OperationException(
                "EnvironmentNameTaken", OperationErrorKind.AlreadyExists, $"A stack named '{stack.StackName}' exists that this module did not make.",
                "Choose another name.", name);
        }

        var verdict = StateRules.For(resume || preview ? EnvironmentCommand.NewResume : EnvironmentCommand.New, status);
        if (verdict == StateVerdict.Attach)
        {
            if (journal is { Kind: OperationKind.Create, IsOpen: true } && !preview)
            {
                if (journal.InputHash == plan.InputHash)
                {
                    return;
                }

                throw new OperationException(
                    "EnvironmentInputDiffers", OperationErrorKind.InvalidState, $"A create of '{name}' by {journal.Owner} since {journal.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC is under way with another spec.",
                    $"Wait with Wait-InferloopEnvironment {name}, then change it with Set-InferloopEnvironment; or remove it with Remove-InferloopEnvironment {name}.", name);
            }

            // Someone else's create: what is there or comes to be there is theirs.
            throw StackStates.IsInProgress(status) ? InState(name, status) : Exists(plan, status);
        }

        if (verdict == StateVerdict.Exists)
        {
            throw Exists(plan, status);
        }

        if (verdict == StateVerdict.FailedBefore && journal?.Reason is { } reason)
        {
            throw new OperationException(
                "EnvironmentCreateFailedBefore", OperationErrorKind.InvalidState, $"An earlier create of '{name}' failed; its stack is {status}. {reason}", StackStates.Guidance(name, status), name);
        }

        if (StateRules.Refusal(resume || preview ? EnvironmentCommand.NewResume : EnvironmentCommand.New, name, plan.Spec.Region, status) is { } refusal)
        {
            throw refusal;
        }
    }

    private static OperationException Exists(EnvironmentPlan plan, string status) => new(
        "EnvironmentExists", OperationErrorKind.AlreadyExists, $"The environment '{plan.Spec.Name}' ({plan.Spec.Stage}) exists already in {plan.Spec.Region}; its stack is {status}.",
        StackStates.IsUpdatable(status) ? $"Change it with Set-InferloopEnvironment {plan.Spec.Name}, or choose another name." : StackStates.Guidance(plan.Spec.Name, status), plan.Spec.Name);

    /// <summary>Removes what an interrupted or failed create left, so that a new one can begin.</summary>
    private async Task ClearAsync(OperationScope scope, InferloopEnvironmentSpec spec, Stack stack, CancellationToken cancellation)
    {
        reporter.Progress(new OperationProgress($"Creating {spec.Name}", $"Clearing the remains of an earlier create ({stack.StackStatus})"));
        await scope.StepAsync("clear", cancellation, r => r with { StackId = stack.StackId }).ConfigureAwait(false);
        await DeleteStackAsync(spec.Name, stack, cancellation).ConfigureAwait(false);
    }

    /// <summary>Deletes a stack in which nothing of value is, and waits until it is gone.</summary>
    internal async Task DeleteStackAsync(string name, Stack stack, CancellationToken cancellation)
    {
        if (stack.EnableTerminationProtection == true)
        {
            await aws.CloudFormation.UpdateTerminationProtectionAsync(
                new UpdateTerminationProtectionRequest { StackName = stack.StackId, EnableTerminationProtection = false }, cancellation).ConfigureAwait(false);
        }

        if (stack.StackStatus == "REVIEW_IN_PROGRESS")
        {
            // With the change set go the stacks under review that it made for nested templates; with the stack alone they would stay.
            await RemoveLeftChangeSetsAsync(stack.StackId, cancellation).ConfigureAwait(false);
        }

        var mark = await StackEventStream.MarkAsync(aws.CloudFormation, stack.StackId, cancellation).ConfigureAwait(false);
        await aws.CloudFormation.DeleteStackAsync(new DeleteStackRequest { StackName = stack.StackId }, cancellation).ConfigureAwait(false);
        var end = await FollowAsync(name, stack.StackId, mark, new StackProgress($"Clearing {name}", null, options.Time), cancellation).ConfigureAwait(false);
        if (!StackStates.IsGone(end.Status))
        {
            throw Failure(OperationKind.Delete, name, end);
        }
    }

    /// <summary>Closes what dead processes left open; the lock says that none of them is alive.</summary>
    private async Task CloseOpenAsync(OperationScope scope, CancellationToken cancellation)
    {
        foreach (var open in await scope.Table.OpenAsync(scope.Record.Environment, cancellation).ConfigureAwait(false))
        {
            if (open.OperationId != scope.Record.OperationId)
            {
                await RestorePoliciesAsync(open, cancellation).ConfigureAwait(false);
                await scope.CloseAsync(open, OperationState.Failed, $"Interrupted; taken up by operation {scope.Record.OperationId} of {scope.Record.Owner}.", cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The create that is under way, or else what was done last.</summary>
    private static async Task<OperationRecord?> KnownAsync(ControlTable table, InferloopEnvironmentSpec spec, CancellationToken cancellation) =>
        (await table.OpenAsync(KeyOf(spec), cancellation).ConfigureAwait(false)).LastOrDefault(o => o.Kind == OperationKind.Create)
        ?? await table.LatestAsync(KeyOf(spec), cancellation).ConfigureAwait(false);
}
