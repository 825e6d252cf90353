using System.Security.Cryptography;
using System.Text;
using Amazon.CloudFormation.Model;
using Amazon.Runtime;

namespace Inferloop.Operations.Environments;

/// <summary>What the control stack gives: the bucket for templates, the table for locks and journal.</summary>
internal sealed record ControlPlane(string Bucket, string Table);

/// <summary>The control stack: one per account and region, made on first use, the same however often and by however many it is asked for.</summary>
internal sealed class ControlStack(EnvironmentAws aws, EnvironmentOptions options, IOperationReporter reporter)
{
    public const string Name = "inferloop-control";
    private const string TemplateTag = "inferloop:template";

    /// <summary>The control plane if it is there and usable; null otherwise. Changes nothing.</summary>
    public async Task<ControlPlane?> FindAsync(CancellationToken cancellation)
    {
        var stack = await DescribeAsync(cancellation).ConfigureAwait(false);
        return stack is not null && StackStates.IsUpdatable(stack.StackStatus) ? Read(stack) : null;
    }

    /// <summary>Makes the control stack, or brings it up to this module's version, and waits until it is usable.</summary>
    public async Task<ControlPlane> EnsureAsync(CancellationToken cancellation)
    {
        var body = await File.ReadAllTextAsync(ShippedTemplates.Control(options), cancellation).ConfigureAwait(false);
        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(body)))[..16].ToLowerInvariant();
        var token = $"control-{hash}";
        for (var round = 0; round < 6; round++)
        {
            var stack = await DescribeAsync(cancellation).ConfigureAwait(false);
            if (stack is null)
            {
                reporter.Progress(new OperationProgress("Preparing the control stack", $"Creating {Name}"));
                await CreateAsync(body, hash, cancellation).ConfigureAwait(false);
            }
            else if (StackStates.IsInProgress(stack.StackStatus))
            {
                reporter.Progress(new OperationProgress("Preparing the control stack", stack.StackStatus));
                await WaitAsync(stack.StackId, cancellation).ConfigureAwait(false);
            }
            else if (StackStates.IsFailedCreate(stack.StackStatus) || stack.StackStatus == "REVIEW_IN_PROGRESS")
            {
                // Nothing is in it: its resources are retained except when their creation fails.
                reporter.Verbose($"{Name} is {stack.StackStatus}; it is removed and made again.");
                var cause = round > 0 ? await CauseAsync(stack.StackId, cancellation).ConfigureAwait(false) : null;
                if (cause is not null)
                {
                    throw Failed(cause.ToString(), stack.StackStatus);
                }

                await aws.CloudFormation.UpdateTerminationProtectionAsync(
                    new UpdateTerminationProtectionRequest { StackName = Name, EnableTerminationProtection = false }, cancellation).ConfigureAwait(false);
                await aws.CloudFormation.DeleteStackAsync(new DeleteStackRequest { StackName = stack.StackId }, cancellation).ConfigureAwait(false);
                await WaitAsync(stack.StackId, cancellation).ConfigureAwait(false);
            }
            else if (StackStates.IsUpdatable(stack.StackStatus))
            {
                var current = (stack.Tags ?? []).Find(t => t.Key == TemplateTag)?.Value;
                if (current == hash || stack.StackStatus == "UPDATE_ROLLBACK_COMPLETE")
                {
                    reporter.Progress(new OperationProgress("Preparing the control stack", "Ready", Completed: true));
                    return Read(stack);
                }

                reporter.Verbose($"{Name} is brought up to this module's template.");
                await UpdateAsync(body, hash, token, cancellation).ConfigureAwait(false);
            }
            else
            {
                throw Failed(stack.StackStatusReason ?? "", stack.StackStatus);
            }
        }

        throw Failed("it did not come to rest", "unknown");
    }

    private static OperationException Failed(string reason, string status) => new(
        "ControlStackFailed", OperationErrorKind.OperationFailed, $"The control stack {Name} is not usable: {reason} (status {status}).",
        $"Correct the cause, remove the stack {Name} in CloudFormation if it is in a failed state, then repeat the command.", Name);

    private static ControlPlane Read(Stack stack)
    {
        string Output(string key) => (stack.Outputs ?? []).Find(o => o.OutputKey == key)?.OutputValue
            ?? throw Failed($"it has no output {key}, so it is not this module's", stack.StackStatus);
        return new ControlPlane(Output("TemplateBucketName"), Output("OperationsTableName"));
    }

    private async Task CreateAsync(string body, string hash, CancellationToken cancellation)
    {
        try
        {
            var answer = await aws.CloudFormation.CreateStackAsync(
                new CreateStackRequest { StackName = Name, TemplateBody = body, Tags = Tags(hash), EnableTerminationProtection = true }, cancellation).ConfigureAwait(false);
            await WaitAsync(answer.StackId, cancellation).ConfigureAwait(false);
        }
        catch (AmazonServiceException e) when (e.ErrorCode is "AlreadyExistsException")
        {
            // Another operator began at the same moment: theirs is ours.
        }
    }

    private async Task UpdateAsync(string body, string hash, string token, CancellationToken cancellation)
    {
        try
        {
            await aws.CloudFormation.UpdateStackAsync(
                new UpdateStackRequest { StackName = Name, TemplateBody = body, Tags = Tags(hash), ClientRequestToken = token }, cancellation).ConfigureAwait(false);
        }
        catch (AmazonServiceException e) when (e.ErrorCode is "ValidationError" && (e.Message.Contains("No updates", StringComparison.Ordinal) || e.Message.Contains("IN_PROGRESS", StringComparison.Ordinal)))
        {
            // Nothing to do, or another operator does it: the next look tells.
        }
    }

    private static List<Tag> Tags(string hash) =>
    [
        new Tag { Key = Specs.EnvironmentTags.ManagedBy, Value = Specs.EnvironmentTags.Manager },
        new Tag { Key = TemplateTag, Value = hash },
    ];

    private async Task<Stack?> DescribeAsync(CancellationToken cancellation)
    {
        try
        {
            var answer = await aws.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest { StackName = Name }, cancellation).ConfigureAwait(false);
            return answer.Stacks?.FirstOrDefault(s => !StackStates.IsGone(s.StackStatus));
        }
        catch (AmazonServiceException e) when (AwsFaults.IsMissingStack(e))
        {
            return null;
        }
    }


    private async Task WaitAsync(string stackId, CancellationToken cancellation)
    {
        var stream = new StackEventStream(aws.CloudFormation, "control", stackId, options);
        await foreach (var e in stream.FollowAsync(null, cancellation).ConfigureAwait(false))
        {
            reporter.Progress(new OperationProgress("Preparing the control stack", $"{e.Status} {e.Path}"));
        }
    }

    private async Task<InferloopEnvironmentEvent?> CauseAsync(string stackId, CancellationToken cancellation) =>
        RootCause.Find(await new StackEventStream(aws.CloudFormation, "control", stackId, options).ReadAsync(wholeLife: true, cancellation).ConfigureAwait(false));
}
