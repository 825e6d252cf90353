using Amazon.CloudFormation.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

internal sealed partial class EnvironmentOperations
{
    /// <summary>
    /// Brings an environment to rest whose update or rollback stopped halfway: continues the rollback, without the resources
    /// that are to be skipped.
    /// </summary>
    /// <param name="environment">The environment.</param>
    /// <param name="skip">Resources to leave as they are, by their paths, such as Storage/DataBucket.</param>
    /// <param name="wait">Follow it to its end.</param>
    /// <param name="cancellation">Ends the waiting; the rollback goes on in AWS.</param>
    /// <returns>Whether there was anything to bring to rest.</returns>
    public async Task<bool> ResumeAsync(InferloopEnvironment environment, IReadOnlyList<string> skip, bool wait, CancellationToken cancellation)
    {
        var name = environment.Name;
        var stack = await FindStackAsync(environment.StackId, cancellation).ConfigureAwait(false) ?? throw NotFound(name, environment.Region);
        Refuse(EnvironmentCommand.Resume, name, stack);
        if (StateRules.For(EnvironmentCommand.Resume, stack.StackStatus) == StateVerdict.Nothing)
        {
            return false;
        }

        var scope = await BeginAsync(environment.Spec, OperationKind.Update, previewWith: null, cancellation).ConfigureAwait(false);
        await using (scope.ConfigureAwait(false))
        {
            try
            {
                stack = await FindStackAsync(environment.StackId, cancellation).ConfigureAwait(false) ?? throw NotFound(name, environment.Region);
                Refuse(EnvironmentCommand.Resume, name, stack);
                await CloseOpenAsync(scope, cancellation).ConfigureAwait(false);
                await RecoverAsync(scope, environment.Spec, stack, skip, wait, cancellation).ConfigureAwait(false);
                await scope.EndAsync(wait ? OperationState.Completed : OperationState.Detached).ConfigureAwait(false);
                return true;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested && scope.Record.Steps.Any(s => s.Name == "recover"))
            {
                Warn($"The rollback of '{name}' goes on in AWS. Follow it with: Wait-InferloopEnvironment {name} -Stage {environment.Stage} -Region {environment.Region}");
                await scope.EndAsync(OperationState.Detached).ConfigureAwait(false);
                throw;
            }
            catch (Exception e) when (scope.Record.IsOpen && e is OperationException or Amazon.Runtime.AmazonServiceException)
            {
                await scope.EndAsync(OperationState.Failed, e.Message).ConfigureAwait(false);
                throw;
            }
        }
    }

    private void Refuse(EnvironmentCommand command, string name, Stack stack)
    {
        if (StateRules.Refusal(command, name, aws.Region, stack.StackStatus) is { } refusal)
        {
            throw refusal;
        }
    }

    /// <summary>Brings a stack to rest whose update stopped halfway.</summary>
    private async Task<Stack> RecoverAsync(OperationScope scope, InferloopEnvironmentSpec spec, Stack stack, IReadOnlyList<string> skip, bool wait, CancellationToken cancellation)
    {
        var stuck = await StuckAsync(stack.StackId, cancellation).ConfigureAwait(false);
        var skipped = SkipNames(spec.Name, stack.StackStatus, stuck, skip);
        await scope.StepAsync(skip.Count == 0 ? "recover" : "recover without " + string.Join(", ", skip), cancellation, r => r with { StackId = stack.StackId }).ConfigureAwait(false);
        var mark = await StackEventStream.MarkAsync(aws.CloudFormation, stack.StackId, cancellation).ConfigureAwait(false);
        if (stack.StackStatus == "UPDATE_ROLLBACK_FAILED")
        {
            await aws.CloudFormation.ContinueUpdateRollbackAsync(
                new ContinueUpdateRollbackRequest { StackName = stack.StackId, ResourcesToSkip = skipped.Count == 0 ? null : skipped, ClientRequestToken = scope.Record.OperationId + "-r" }, cancellation).ConfigureAwait(false);
        }
        else
        {
            await aws.CloudFormation.RollbackStackAsync(
                new RollbackStackRequest { StackName = stack.StackId, ClientRequestToken = scope.Record.OperationId + "-r" }, cancellation).ConfigureAwait(false);
        }

        if (!wait)
        {
            return stack;
        }

        var end = await FollowAsync(spec.Name, stack.StackId, mark, new StackProgress($"Recovering {spec.Name}", null, options.Time), cancellation).ConfigureAwait(false);
        if (!StackStates.IsUpdatable(end.Status))
        {
            throw Failure(OperationKind.Update, spec.Name, end);
        }

        return await FindStackAsync(stack.StackId, cancellation).ConfigureAwait(false) ?? throw NotFound(spec.Name, spec.Region);
    }

    /// <summary>The resources at which a rollback stopped: path, and the name by which CloudFormation lets it be skipped.</summary>
    private async Task<IReadOnlyList<(string Path, string SkipName)>> StuckAsync(string stackId, CancellationToken cancellation) =>
        (await ResourcesAsync(stackId, cancellation).ConfigureAwait(false))
            .Where(r => r.Status == "UPDATE_FAILED" && r.Type != "AWS::CloudFormation::Stack")
            .Select(r => (r.Path, r.StackId == stackId ? r.LogicalId : $"{StackNameOf(r.StackId)}.{r.LogicalId}"))
            .ToList();

    private static List<string> SkipNames(string name, string status, IReadOnlyList<(string Path, string SkipName)> stuck, IReadOnlyList<string> skip)
    {
        var names = new List<string>();
        foreach (var path in skip)
        {
            var found = stuck.FirstOrDefault(s => s.Path.Equals(path, StringComparison.OrdinalIgnoreCase));
            if (status != "UPDATE_ROLLBACK_FAILED" || found.Path is null)
            {
                throw new OperationException(
                    "ResourceNotStuck", OperationErrorKind.InvalidArgument,
                    $"The rollback of '{name}' did not stop at '{path}'.{Suggestion.For(path, stuck.Select(s => s.Path))}",
                    stuck.Count == 0 ? $"Run Resume-InferloopEnvironment {name} without -SkipResource." : $"It stopped at {string.Join(", ", stuck.Select(s => s.Path))}; only these can be skipped.", path);
            }

            names.Add(found.SkipName);
        }

        return names;
    }

    /// <summary>The name in arn:aws:cloudformation:region:account:stack/NAME/id.</summary>
    private static string StackNameOf(string stackId) => stackId.Split('/') is [_, var name, ..] ? name : stackId;
}
