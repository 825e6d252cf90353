using Amazon.CloudFormation.Model;
using Amazon.Runtime;
using Inferloop.Operations.Environments.Forecast;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

/// <summary>
/// A change ready to be carried out: the environment is locked, the templates are in place and the change set is made.
/// It ends in one of two ways: executed, or discarded without a trace.
/// </summary>
internal sealed class PreparedChange : IAsyncDisposable
{
    private readonly EnvironmentOperations operations;
    private readonly OperationScope? scope;
    private readonly bool preview;
    private string? changeSetId;
    private string? stackId;
    private bool createdStack;
    private bool executed;
    private IReadOnlyList<string> uploaded = [];

    public PreparedChange(EnvironmentOperations operations, OperationScope? scope, EnvironmentPlan plan, OperationKind kind, bool preview)
    {
        this.operations = operations;
        this.scope = scope;
        this.preview = preview;
        Plan = plan;
        Kind = kind;
    }

    public EnvironmentPlan Plan { get; }

    public OperationKind Kind { get; }

    /// <summary>What would change; null when the operation is under way already and is only followed.</summary>
    public InferloopChangeSet? ChangeSet { get; private set; }

    /// <summary>The operation runs in AWS already.</summary>
    public bool Attached { get; private set; }

    /// <summary>The data stores that may be replaced or deleted, by their paths.</summary>
    public IReadOnlyList<string> AllowedReplacements { get; init; } = [];

    /// <summary>AWS says it is done when configuration is applied, before everything is ready.</summary>
    public bool IsExpress { get; init; }

    /// <summary>The change set starts from what is there, not from what was deployed last.</summary>
    public bool RevertsDrift { get; init; }

    /// <summary>Whoever carries it out says itself how it goes on when the waiting ends early.</summary>
    public bool IsToldElsewhere { get; init; }

    /// <summary>AWS found nothing to change.</summary>
    public bool Empty { get; private set; }

    private EnvironmentAws Aws => operations.Aws;

    private string Name => Plan.Spec.Name;

    public void Attach(string stack)
    {
        stackId = stack;
        Attached = true;
        executed = true;
    }

    public void Show(InferloopChangeSet changeSet) => ChangeSet = changeSet;

    /// <summary>Uploads the templates and makes the change set.</summary>
    public async Task PrepareAsync(string? previousStackId, CancellationToken cancellation)
    {
        var control = scope!.Control;
        operations.Report($"{Doing} {Name}", "Uploading templates");
        await scope.StepAsync("package", cancellation, r => r with { InputHash = Plan.InputHash, StackId = previousStackId }).ConfigureAwait(false);
        var packager = new TemplatePackager(Aws.S3, control.Bucket, Aws.Region, Aws.DnsSuffix);

        // A preview's objects get a place of their own, so that removing them can never take another operation's.
        var package = await packager.PackageAsync(Plan.TemplatePath, preview ? $"preview/{scope.Record.OperationId}/" : TemplatePackager.Shared, cancellation).ConfigureAwait(false);
        uploaded = preview ? package.Uploaded : [];

        operations.Report($"{Doing} {Name}", "Making the change set");
        await scope.StepAsync("changeset", cancellation).ConfigureAwait(false);
        var answer = await Aws.CloudFormation.CreateChangeSetAsync(
            new CreateChangeSetRequest
            {
                StackName = previousStackId ?? Plan.Spec.StackName,
                ChangeSetName = $"inferloop-{scope.Record.OperationId}",
                ClientToken = scope.Record.OperationId,
                ChangeSetType = Kind == OperationKind.Create ? "CREATE" : "UPDATE",
                Description = $"{Kind} by {scope.Record.Owner}",
                TemplateBody = package.Body,
                TemplateURL = package.Url,
                Parameters = EnvironmentOperations.ParametersOf(Plan.Parameters),
                Tags = EnvironmentOperations.TagsOf(Plan.Tags),
                Capabilities = EnvironmentOperations.Capabilities,
                IncludeNestedStacks = true,
                DeploymentConfig = IsExpress ? new DeploymentConfig { Mode = Amazon.CloudFormation.DeploymentConfigMode.EXPRESS, DisableRollback = false } : null,
                DeploymentMode = RevertsDrift ? Amazon.CloudFormation.DeploymentMode.REVERT_DRIFT : null,
            },
            cancellation).ConfigureAwait(false);
        changeSetId = answer.Id;
        stackId = answer.StackId;
        createdStack = Kind == OperationKind.Create;
        var reader = new ChangeSetReader(Aws.CloudFormation, operations.Options);
        Empty = !await reader.WaitAsync(changeSetId, Name, cancellation).ConfigureAwait(false);
        var changes = Empty ? [] : await reader.ReadAsync(changeSetId, cancellation).ConfigureAwait(false);
        ChangeSet = await operations.DescribeAsync(Plan, Kind, changes, $"inferloop-{scope.Record.OperationId}", changeSetId, previousStackId, cancellation).ConfigureAwait(false);
        Empty |= ChangeSet.IsEmpty;
        if (previousStackId is not null)
        {
            ChangeSet = await operations.WithDenialsAsync(ChangeSet, previousStackId, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Carries the change out.</summary>
    /// <param name="wait">Follow it to its end.</param>
    /// <param name="cancelOnStop">When the waiting is cancelled, call the operation off too.</param>
    /// <param name="cancellation">Ends the waiting; the operation goes on in AWS unless <paramref name="cancelOnStop"/>.</param>
    public async Task ExecuteAsync(bool wait, bool cancelOnStop, CancellationToken cancellation)
    {
        if (!Attached)
        {
            var spec = Plan.Spec;
            RefuseUnnamed();
            var denied = (ChangeSet?.Changes ?? []).Where(c => c.DeniedBy.Length > 0).ToList();
            if (denied.Count > 0)
            {
                await operations.LiftPoliciesAsync(scope!, stackId!, denied, cancellation).ConfigureAwait(false);
            }

            await scope!.StepAsync("execute", cancellation, r => r with { StackId = stackId }).ConfigureAwait(false);
            mark = await StackEventStream.MarkAsync(Aws.CloudFormation, stackId!, cancellation).ConfigureAwait(false);
            await Aws.CloudFormation.ExecuteChangeSetAsync(
                new ExecuteChangeSetRequest { ChangeSetName = changeSetId, ClientRequestToken = scope.Record.OperationId }, cancellation).ConfigureAwait(false);
            executed = true;
            await scope.StepAsync("protect", cancellation).ConfigureAwait(false);
            await Aws.CloudFormation.UpdateTerminationProtectionAsync(
                new UpdateTerminationProtectionRequest { StackName = stackId, EnableTerminationProtection = spec.Security.DeletionProtection }, cancellation).ConfigureAwait(false);
        }

        if (!wait)
        {
            await scope!.EndAsync(OperationState.Detached).ConfigureAwait(false);
            return;
        }

        try
        {
            await scope!.StepAsync("follow", cancellation).ConfigureAwait(false);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, scope.LockLost);
            var end = await operations.FollowAsync(Name, stackId!, mark, Progress(), either.Token).ConfigureAwait(false);
            if (Kind == OperationKind.Update || end.Status == "CREATE_COMPLETE")
            {
                await scope.StepAsync("policy", cancellation).ConfigureAwait(false);
                await operations.ProtectStoresAsync(stackId!, scope.Record.LiftedPolicies, cancellation).ConfigureAwait(false);
            }

            if (!StackStates.IsSuccess(Kind, end.Status))
            {
                var failure = EnvironmentOperations.Failure(Kind, Name, end);
                await scope.EndAsync(OperationState.Failed, failure.Message).ConfigureAwait(false);
                throw failure;
            }

            await scope.EndAsync(OperationState.Completed).ConfigureAwait(false);
            if (Kind == OperationKind.Create && Plan.Spec.Delivery is { PipelineEnabled: true, PipelineConnectionArn.Length: 0 })
            {
                operations.Warn($"The pipeline of '{Name}' waits for somebody to authorise its connection to GitHub, once: AWS console, Developer Tools, Settings, Connections. Its ARN: (Get-InferloopEnvironment {Name}).Outputs['PipelineConnectionArn']");
            }

            if (IsExpress)
            {
                operations.Warn($"Express: the configuration of '{Name}' is applied, and parts of it may still be on their way. Get-InferloopEnvironment {Name} tells whether it is healthy.");
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await StoppedAsync(cancelOnStop).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Does something to the environment that no template says, under the lock of the change and in its journal.</summary>
    public async Task BesideAsync(string step, Func<CancellationToken, Task> work, CancellationToken cancellation)
    {
        // Once the change ran its entry is closed; without one, this is all that happens.
        var alone = !executed;
        if (alone)
        {
            await scope!.StepAsync(step, cancellation).ConfigureAwait(false);
        }

        await work(cancellation).ConfigureAwait(false);
        if (alone && Empty)
        {
            await scope!.EndAsync(OperationState.Completed).ConfigureAwait(false);
        }
    }

    /// <summary>Says no to an update that would replace or delete a data store that nobody named.</summary>
    /// <exception cref="OperationException">DataStoreReplacement: which, why, and the parameter that consents.</exception>
    public void RefuseUnnamed()
    {
        if (AllowedReplacements.FirstOrDefault(a => a.AsSpan().IndexOfAny('*', '?', '[') >= 0) is { } pattern)
        {
            throw new OperationException(
                "ConsentWildcard", OperationErrorKind.InvalidArgument, $"'{pattern}' is a pattern; a data store that may be replaced or deleted is named whole.",
                "Name each one as the preview (-WhatIf) shows it, such as -AllowReplacement Storage/Table.", Name);
        }

        var unnamed = (Kind == OperationKind.Update ? ChangeSet?.Changes ?? [] : []).Where(c => c.NeedsConsent && !AllowedReplacements.Contains(c.Path, StringComparer.OrdinalIgnoreCase)).ToList();
        if (unnamed.Count > 0)
        {
            throw new OperationException(
                "DataStoreReplacement", OperationErrorKind.InvalidState,
                $"The update of '{Name}' would put stored data at risk. {string.Join(" ", unnamed.Select(c => $"{c.Path} ({c.Type}): {c.RiskReason}"))} Nothing was changed.",
                $"Back up what is needed. If it shall happen all the same, name what may go: Set-InferloopEnvironment {Name} -AllowReplacement {string.Join(",", unnamed.Select(c => c.Path))} with the same changes.", Name);
        }

        RefuseDenied();
    }

    private void RefuseDenied()
    {
        var denied = (ChangeSet?.Changes ?? []).Where(c => c.DeniedBy.Length > 0 && !AllowedReplacements.Contains(c.Path, StringComparer.OrdinalIgnoreCase)).ToList();
        if (denied.Count > 0)
        {
            throw new OperationException(
                "StackPolicyDenies", OperationErrorKind.InvalidState,
                $"A stack policy would stop the update of '{Name}' halfway. {string.Join(" ", denied.Select(c => $"{c.Path}: {c.DeniedBy}"))} Nothing was changed.",
                $"If it shall happen all the same, name what the policy is lifted for while it does: Set-InferloopEnvironment {Name} -AllowReplacement {string.Join(",", denied.Select(c => c.Path))} with the same changes.", Name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (scope is null)
        {
            return;
        }

        try
        {
            if (!executed)
            {
                await DiscardAsync().ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or OperationCanceledException)
        {
            // What ended the operation is on its way to the user; this must not take its place.
            operations.Warn($"The preparation of '{Name}' could not be taken back ({e.Message}). Remove-InferloopEnvironment {Name} removes what is left.");
        }
        finally
        {
            await scope.DisposeAsync().ConfigureAwait(false);
        }
    }

    private string? mark;

    private string Doing => Kind == OperationKind.Create ? "Creating" : "Updating";

    private StackProgress Progress() => new(
        $"{Doing} {Name}",
        Kind == OperationKind.Create || ChangeSet is null ? DurationForecast.OfCreate(Plan.Evaluated) : DurationForecast.OfUpdate(Plan.Evaluated, ChangeSet.Changes),
        operations.Options.Time);

    /// <summary>Takes back everything that the preparation made: change set, empty stack, uploaded objects.</summary>
    private async Task DiscardAsync()
    {
        // Also after Ctrl-C, so with a token of its own; bounded, because a host does not wait for ever.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        if (scope!.Record.LiftedPolicies.Count > 0)
        {
            await operations.ProtectStoresAsync(stackId!, scope.Record.LiftedPolicies, limit.Token).ConfigureAwait(false);
        }

        if (changeSetId is not null)
        {
            try
            {
                await Aws.CloudFormation.DeleteChangeSetAsync(new DeleteChangeSetRequest { ChangeSetName = changeSetId }, limit.Token).ConfigureAwait(false);
            }
            catch (AmazonServiceException e) when (e.ErrorCode is "ChangeSetNotFound" or "ChangeSetNotFoundException" || AwsFaults.IsMissingStack(e))
            {
                // Gone already.
            }
        }

        if (createdStack && stackId is not null)
        {
            var stack = await operations.FindStackAsync(stackId, limit.Token).ConfigureAwait(false);
            if (stack?.StackStatus == "REVIEW_IN_PROGRESS")
            {
                await Aws.CloudFormation.DeleteStackAsync(new DeleteStackRequest { StackName = stackId }, limit.Token).ConfigureAwait(false);
                while (await operations.FindStackAsync(stackId, limit.Token).ConfigureAwait(false) is not null)
                {
                    await Task.Delay(operations.Options.PollMinimum, operations.Options.Time, limit.Token).ConfigureAwait(false);
                }
            }
        }

        if (uploaded.Count > 0)
        {
            await new TemplatePackager(Aws.S3, scope!.Control.Bucket, Aws.Region, Aws.DnsSuffix).RemoveAsync(uploaded, limit.Token).ConfigureAwait(false);
        }

        if (scope!.Record.IsOpen)
        {
            await scope.EndAsync(OperationState.Cancelled).ConfigureAwait(false);
        }
    }

    private async Task StoppedAsync(bool cancelOnStop)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(4));
        if (!cancelOnStop)
        {
            if (!IsToldElsewhere)
            {
                operations.Warn($"{Doing} '{Name}' goes on in AWS. Follow it with: Wait-InferloopEnvironment {Name} -Stage {Plan.Spec.Stage} -Region {Plan.Spec.Region}");
            }

            await scope!.EndAsync(OperationState.Detached).ConfigureAwait(false);
            return;
        }

        if (Kind == OperationKind.Create)
        {
            await Aws.CloudFormation.UpdateTerminationProtectionAsync(new UpdateTerminationProtectionRequest { StackName = stackId, EnableTerminationProtection = false }, limit.Token).ConfigureAwait(false);
            await Aws.CloudFormation.DeleteStackAsync(new DeleteStackRequest { StackName = stackId, ClientRequestToken = scope!.Record.OperationId + "-c" }, limit.Token).ConfigureAwait(false);
            operations.Warn($"The create of '{Name}' was called off; AWS removes what exists of it. Follow it with: Wait-InferloopEnvironment {Name} -Stage {Plan.Spec.Stage} -Region {Plan.Spec.Region}");
        }
        else
        {
            await Aws.CloudFormation.CancelUpdateStackAsync(new CancelUpdateStackRequest { StackName = stackId, ClientRequestToken = scope!.Record.OperationId + "-c" }, limit.Token).ConfigureAwait(false);
            operations.Warn($"The update of '{Name}' was called off; AWS rolls it back. Follow it with: Wait-InferloopEnvironment {Name} -Stage {Plan.Spec.Stage} -Region {Plan.Spec.Region}");
        }

        await scope!.EndAsync(OperationState.Cancelled, "Called off by the operator.").ConfigureAwait(false);
    }
}
