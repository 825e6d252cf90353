using Amazon.CloudFormation.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

/// <content>A network keeps its addresses.</content>
internal sealed partial class EnvironmentOperations
{
    private static readonly string[] s_addresses = [nameof(NetworkSpec.VpcCidr), .. SpecPresets.SubnetNames];

    /// <summary>
    /// The ranges of the VPC and its subnets cannot be changed under what is in them: another range replaces the network, and load balancer, database
    /// and cache cannot follow it. CloudFormation would find that out half an hour into the update.
    /// </summary>
    internal static void RefuseOtherAddresses(InferloopEnvironmentSpec spec, Stack stack)
    {
        foreach (var name in s_addresses)
        {
            var now = (stack.Parameters ?? []).Find(p => p.ParameterKey == name)?.ParameterValue;
            var wanted = (string)SpecMembers.Require(name).Get(spec);
            if (now is not null && now != wanted)
            {
                throw new OperationException(
                    "NetworkAddresses", OperationErrorKind.InvalidArgument,
                    $"The network of '{spec.Name}' has {name} {now}; a running environment cannot move to {wanted}.",
                    $"Keep it, or make another environment with -{name} {wanted} and move the data there.",
                    spec.Name);
            }
        }
    }
}
