using System.Globalization;
using Amazon.CloudFormation.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

/// <content>What EKS would refuse in the middle of an update, refused before anything is done.</content>
internal sealed partial class EnvironmentOperations
{
    /// <summary>A cluster's version goes up by one minor version at a time and never down; a cluster that is made anew may have any.</summary>
    internal static void RefuseVersionStep(InferloopEnvironmentSpec spec, Stack stack)
    {
        string? Now(string parameter) => (stack.Parameters ?? []).Find(p => p.ParameterKey == parameter)?.ParameterValue;
        if (!spec.Eks.EksEnabled || Now(nameof(EksSpec.EksEnabled)) != "true" || Minor(Now(nameof(EksSpec.EksVersion))) is not { } from || Minor(spec.Eks.EksVersion) is not { } to || to == from || to == from + 1)
        {
            return;
        }

        throw new OperationException(
            to < from ? "KubernetesDowngrade" : "KubernetesSkip", OperationErrorKind.InvalidArgument,
            to < from
                ? $"The cluster of '{spec.Name}' runs Kubernetes 1.{from}, and EKS takes no cluster back to 1.{to}."
                : $"The cluster of '{spec.Name}' runs Kubernetes 1.{from}; EKS upgrades one minor version at a time, not to 1.{to} at once.",
            to < from
                ? $"Keep it: Set-InferloopEnvironment {spec.Name} -EksVersion 1.{from}"
                : $"Take the next one first: Set-InferloopEnvironment {spec.Name} -EksVersion 1.{from + 1}",
            spec.Name);
    }

    private static int? Minor(string? version) =>
        version?.Split('.') is ["1", var minor] && int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
