using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.Runtime;

namespace Inferloop.Operations.Environments;

/// <summary>Makes change sets, waits for them, and reads them with their nested ones.</summary>
internal sealed class ChangeSetReader(IAmazonCloudFormation cloudFormation, EnvironmentOptions options)
{
    private const string Unknown = "{{changeSet:KNOWN_AFTER_APPLY}}";

    /// <summary>Waits until the change set is made. False when it has nothing to change.</summary>
    /// <exception cref="OperationException">ChangeSetFailed: CloudFormation could not make it.</exception>
    public async Task<bool> WaitAsync(string changeSetId, string environment, CancellationToken cancellation)
    {
        var delay = options.PollMinimum;
        while (true)
        {
            DescribeChangeSetResponse answer;
            try
            {
                answer = await cloudFormation.DescribeChangeSetAsync(new DescribeChangeSetRequest { ChangeSetName = changeSetId }, cancellation).ConfigureAwait(false);
            }
            catch (AmazonServiceException e) when (AwsFaults.IsThrottling(e))
            {
                delay *= 2;
                await Task.Delay(delay, options.Time, cancellation).ConfigureAwait(false);
                continue;
            }

            switch (answer.Status?.Value)
            {
                case "CREATE_COMPLETE":
                    return true;
                case "FAILED" when IsEmpty(answer.StatusReason):
                    return false;
                case "FAILED":
                    throw new OperationException(
                        "ChangeSetFailed", OperationErrorKind.OperationFailed, $"CloudFormation cannot make the change set for '{environment}': {answer.StatusReason}",
                        "Correct what the reason names, then repeat the command. Nothing was changed.", environment);
            }

            await Task.Delay(delay, options.Time, cancellation).ConfigureAwait(false);
            delay = delay * 1.5 < options.PollMaximum ? delay * 1.5 : options.PollMaximum;
        }
    }

    public async Task<IReadOnlyList<InferloopChange>> ReadAsync(string changeSetId, CancellationToken cancellation)
    {
        var changes = new List<InferloopChange>();
        await ReadAsync(changeSetId, "", changes, cancellation).ConfigureAwait(false);
        return changes;
    }

    private static bool IsEmpty(string? reason) => reason is not null
        && (reason.Contains("didn't contain changes", StringComparison.OrdinalIgnoreCase) || reason.Contains("No updates are to be performed", StringComparison.OrdinalIgnoreCase));

    private async Task ReadAsync(string changeSetId, string prefix, List<InferloopChange> into, CancellationToken cancellation)
    {
        string? token = null;
        do
        {
            var page = await cloudFormation.DescribeChangeSetAsync(
                new DescribeChangeSetRequest { ChangeSetName = changeSetId, IncludePropertyValues = true, NextToken = token }, cancellation).ConfigureAwait(false);
            foreach (var change in (page.Changes ?? []).Select(c => c.ResourceChange).Where(c => c is not null))
            {
                var path = prefix + change.LogicalResourceId;
                if (change.ResourceType == "AWS::CloudFormation::Stack" && change.ChangeSetId is { Length: > 0 } nested)
                {
                    into.Add(Convert(change, path));
                    await ReadAsync(nested, path + "/", into, cancellation).ConfigureAwait(false);
                }
                else
                {
                    into.Add(Convert(change, path));
                }
            }

            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));
    }

    private static InferloopChange Convert(ResourceChange change, string path)
    {
        var replacement = change.Replacement?.Value switch { "True" => EnvironmentReplacement.Always, "Conditional" => EnvironmentReplacement.Conditional, _ => EnvironmentReplacement.Never };
        var action = change.Action?.Value switch
        {
            "Add" => EnvironmentChangeAction.Add,
            "Remove" => EnvironmentChangeAction.Remove,
            "Import" => EnvironmentChangeAction.Import,
            "Dynamic" => EnvironmentChangeAction.Dynamic,
            "SyncWithActual" => EnvironmentChangeAction.SyncWithActual,
            _ => replacement == EnvironmentReplacement.Always ? EnvironmentChangeAction.Replace : EnvironmentChangeAction.Modify,
        };
        return new InferloopChange
        {
            Action = action,
            LogicalId = change.LogicalResourceId,
            Path = path,
            Type = change.ResourceType,
            PhysicalId = change.PhysicalResourceId ?? "",
            Replacement = replacement,
            PolicyAction = change.PolicyAction?.Value ?? "",
            Drift = change.ResourceDriftStatus?.Value switch { "IN_SYNC" => DriftStatus.InSync, "MODIFIED" => DriftStatus.Modified, "DELETED" => DriftStatus.Deleted, _ => DriftStatus.NotChecked },
            Properties = (change.Details ?? [])
                .Where(d => d.Target is not null)
                .Select(d => new InferloopPropertyChange(
                    Name(d.Target), d.Target.BeforeValue, d.Target.AfterValue == Unknown ? null : d.Target.AfterValue,
                    d.Target.RequiresRecreation?.Value switch { "Always" => EnvironmentReplacement.Always, "Conditionally" => EnvironmentReplacement.Conditional, _ => EnvironmentReplacement.Never })
                {
                    KnownAfterApply = d.Target.AfterValue == Unknown,
                    IsDynamic = d.Evaluation?.Value == "Dynamic",
                    Source = d.ChangeSource?.Value ?? "DirectModification",
                    Cause = d.CausingEntity ?? "",
                    Deployed = d.Target.Drift?.PreviousValue,
                })
                .GroupBy(p => p.Path, StringComparer.Ordinal)
                // One property can be listed for each thing its value comes from; what is certain goes before what is not, then the one with values says most.
                .Select(g => g.OrderBy(p => p.IsDynamic).ThenByDescending(p => p.After is not null || p.Before is not null).First())
                .ToList(),
        };
    }

    private static string Name(ResourceTargetDefinition target) =>
        target.Path is { Length: > 0 } path ? path.TrimStart('/').Replace('/', '.')
        : target.Name is { Length: > 0 } name ? $"{target.Attribute?.Value}.{name}"
        : target.Attribute?.Value ?? "";
}
