using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.Runtime;

namespace Inferloop.Operations.Environments;

/// <summary>Tells whose a resource is: a resource has one stack at most.</summary>
internal static class StackOwners
{
    /// <summary>The resource as the stack has it whose it is; null where no stack has it.</summary>
    public static async Task<StackResource?> FindAsync(IAmazonCloudFormation cloudFormation, string type, string physicalId, CancellationToken cancellation)
    {
        try
        {
            var answer = await cloudFormation.DescribeStackResourcesAsync(new DescribeStackResourcesRequest { PhysicalResourceId = physicalId }, cancellation).ConfigureAwait(false);

            // A stack that let it go lists it still.
            return (answer.StackResources ?? []).Find(r => r.PhysicalResourceId == physicalId && r.ResourceType == type && r.ResourceStatus?.Value is not ("DELETE_SKIPPED" or "DELETE_COMPLETE"));
        }
        catch (AmazonServiceException e) when (AwsFaults.IsMissingStack(e))
        {
            return null;
        }
    }
}
