using Amazon.CloudFormation.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

/// <summary>How an environment is changed.</summary>
internal sealed record UpdateOptions
{
    /// <summary>Only to show: nothing enters the journal, and disposing leaves nothing behind.</summary>
    public bool Preview { get; init; }

    /// <summary>First bring a stack to rest whose update or rollback failed.</summary>
    public bool Resume { get; init; }

    /// <summary>The data stores that may be replaced or deleted, by their paths. A pattern is no consent.</summary>
    public IReadOnlyList<string> AllowedReplacements { get; init; } = [];

    /// <summary>End when configuration is applied, without waiting until everything is ready; for stage dev only.</summary>
    public bool Express { get; init; }

    /// <summary>Whoever carries it out says itself how it goes on when the waiting ends early.</summary>
    public bool IsToldElsewhere { get; init; }

    /// <summary>Start from what is there instead of what was deployed last, and so take back what other hands did.</summary>
    public bool RevertDrift { get; init; }
}

internal sealed partial class EnvironmentOperations
{
    /// <summary>Makes everything ready for an update, up to a change set that shows it.</summary>
    /// <param name="spec">What the environment shall be.</param>
    /// <param name="preview">Only to show: nothing enters the journal, and disposing leaves nothing behind.</param>
    /// <param name="resume">First bring a stack to rest whose update or rollback failed.</param>
    /// <param name="cancellation">Stops the preparation; what it made is removed.</param>
    public Task<PreparedChange> PrepareUpdateAsync(InferloopEnvironmentSpec spec, bool preview, bool resume, CancellationToken cancellation) =>
        PrepareUpdateAsync(spec, new UpdateOptions { Preview = preview, Resume = resume }, cancellation);

    /// <summary>Makes everything ready for an update, up to a change set that shows it.</summary>
    /// <param name="spec">What the environment shall be.</param>
    /// <param name="update">How.</param>
    /// <param name="cancellation">Stops the preparation; what it made is removed.</param>
    public async Task<PreparedChange> PrepareUpdateAsync(InferloopEnvironmentSpec spec, UpdateOptions update, CancellationToken cancellation)
    {
        var preview = update.Preview;
        RefuseExpress(spec, update.Express);
        var command = update.Resume ? EnvironmentCommand.SetResume : EnvironmentCommand.Set;
        Report($"Updating {spec.Name}", "Checking spec and templates");
        var account = await aws.AccountId(cancellation).ConfigureAwait(false);
        var plan = await EnvironmentPlan.MakeAsync(spec, account, aws.Partition, options, cancellation).ConfigureAwait(false);
        var stack = await FindStackAsync(spec.StackName, cancellation).ConfigureAwait(false) ?? throw NotFound(spec.Name, spec.Region);
        Refuse(command, spec.Name, stack);
        RefuseVersionStep(spec, stack);
        if (!preview)
        {
            RefuseOtherAddresses(spec, stack);
        }

        var control = preview ? await Control.FindAsync(cancellation).ConfigureAwait(false) : null;
        if (preview && (control is null || !StackStates.IsUpdatable(stack.StackStatus)))
        {
            return await OfflineAsync(
                plan, OperationKind.Update, stack.StackId,
                control is null
                    ? $"The control stack {ControlStack.Name} does not exist in this account and region, and a preview creates nothing."
                    : $"CloudFormation makes no change set of a stack that is {stack.StackStatus}.",
                cancellation).ConfigureAwait(false);
        }

        var scope = await BeginAsync(spec, OperationKind.Update, control, cancellation).ConfigureAwait(false);
        var prepared = new PreparedChange(this, scope, plan, OperationKind.Update, preview) { AllowedReplacements = update.AllowedReplacements, RevertsDrift = update.RevertDrift, IsExpress = update.Express, IsToldElsewhere = update.IsToldElsewhere };
        try
        {
            stack = await FindStackAsync(spec.StackName, cancellation).ConfigureAwait(false) ?? throw NotFound(spec.Name, spec.Region);
            Refuse(command, spec.Name, stack);
            if (!StackStates.IsUpdatable(stack.StackStatus))
            {
                stack = await RecoverAsync(scope, spec, stack, [], wait: true, cancellation).ConfigureAwait(false);
            }

            if (!preview)
            {
                await CloseOpenAsync(scope, cancellation).ConfigureAwait(false);
                await RemoveLeftChangeSetsAsync(stack.StackId, cancellation).ConfigureAwait(false);
            }

            await prepared.PrepareAsync(stack.StackId, cancellation).ConfigureAwait(false);
            await RefuseUnofferedAsync(plan, prepared.ChangeSet!, cancellation).ConfigureAwait(false);
            return prepared;
        }
        catch
        {
            await prepared.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Says no to another instance type, class or version that the region does not offer: the update would fail halfway and roll back.</summary>
    private async Task RefuseUnofferedAsync(EnvironmentPlan plan, InferloopChangeSet changes, CancellationToken cancellation)
    {
        var paths = options.Preflight
            ? changes.Changes.Where(c => c.Properties.Any(p => p.TopLevel is "DBInstanceClass" or "EngineVersion" or "InstanceType" or "InstanceTypes" or "LaunchTemplateData")).Select(c => c.Path).ToHashSet(StringComparer.Ordinal)
            : [];
        if (paths.Count == 0)
        {
            return;
        }

        var errors = (await Preflight.OffersAsync(aws, plan, paths, cancellation).ConfigureAwait(false)).Where(f => f.Severity == PreflightSeverity.Error).ToList();
        if (errors.Count > 0)
        {
            throw new OperationException(
                "PreflightFailed", OperationErrorKind.InvalidState, $"'{plan.Spec.Name}' cannot be changed so. {string.Join(" ", errors.Select(e => $"{e.Check} {e.Subject}: {e.Message}"))} Nothing was changed.",
                errors[0].Remedy, plan.Spec.Name);
        }
    }

    /// <summary>Change sets of ours that a dead process left; those of other tools are not ours to remove.</summary>
    private async Task RemoveLeftChangeSetsAsync(string stackId, CancellationToken cancellation)
    {
        string? token = null;
        do
        {
            var page = await aws.CloudFormation.ListChangeSetsAsync(new ListChangeSetsRequest { StackName = stackId, NextToken = token }, cancellation).ConfigureAwait(false);
            foreach (var left in (page.Summaries ?? []).Where(s => s.ChangeSetName?.StartsWith("inferloop-", StringComparison.Ordinal) == true && s.ExecutionStatus?.Value is "AVAILABLE" or "UNAVAILABLE"))
            {
                await aws.CloudFormation.DeleteChangeSetAsync(new DeleteChangeSetRequest { ChangeSetName = left.ChangeSetId }, cancellation).ConfigureAwait(false);
            }

            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));
    }

    internal static OperationException NotFound(string name, string region, IEnumerable<string>? others = null) => new(
        "EnvironmentNotFound", OperationErrorKind.NotFound, $"There is no environment '{name}' in {region}.{Suggestion.For(name, others ?? [])}",
        "List them with Get-InferloopEnvironment; another region, account or endpoint holds others.", name);
}
