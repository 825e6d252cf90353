using System.Globalization;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Scaling;

/// <summary>
/// Tells what scaling moved from what another hand changed. CloudFormation knows no difference: to it a service with five tasks has
/// drifted from the two of its template, though five are just what the spec allows.
/// </summary>
internal static class ScalingDrift
{
    /// <summary>The drifts, without what is within the bounds of the spec.</summary>
    public static IReadOnlyList<InferloopDrift> Judge(InferloopEnvironmentSpec spec, IReadOnlyList<InferloopDrift> drifts) => drifts.Select(d =>
    {
        if (d.Status != DriftStatus.Modified)
        {
            return d;
        }

        var scaled = d.Properties.Where(p => p.Difference == DriftDifference.NotEqual && int.TryParse(p.Actual, NumberStyles.None, CultureInfo.InvariantCulture, out var actual) && IsScaled(spec, d, p.Path, actual)).ToList();
        return scaled.Count == 0
            ? d
            : d with { Scaled = scaled, Properties = d.Properties.Except(scaled).ToList(), Status = scaled.Count == d.Properties.Count ? DriftStatus.InSync : DriftStatus.Modified };
    }).ToList();

    private static bool IsScaled(InferloopEnvironmentSpec spec, InferloopDrift drift, string property, int actual)
    {
        var tasks = ScalingSchedule.Parse(spec.Ecs.TaskScalingSchedule);
        return (drift.Type, drift.Path, property) switch
        {
            ("AWS::ECS::Service", _, "DesiredCount") =>
                actual >= tasks.Select(t => t.Minimum).Append(spec.Ecs.MinimumTasks).Min() && actual <= tasks.Select(t => t.Maximum).Append(spec.Ecs.MaximumTasks).Max(),
            ("AWS::ApplicationAutoScaling::ScalableTarget", "Ecs/ScalableTarget", "MinCapacity") => tasks.Any(t => t.Minimum == actual),
            ("AWS::ApplicationAutoScaling::ScalableTarget", "Ecs/ScalableTarget", "MaxCapacity") => tasks.Any(t => t.Maximum == actual),
            ("AWS::AutoScaling::AutoScalingGroup", _, "DesiredCapacity") => actual >= spec.Ecs.Ec2MinimumInstances && actual <= spec.Ecs.Ec2MaximumInstances,
            ("AWS::EKS::Nodegroup", _, "ScalingConfig.DesiredSize") => actual >= spec.Eks.EksMinimumNodes && actual <= spec.Eks.EksMaximumNodes,
            ("AWS::Batch::ComputeEnvironment", _, "ComputeResources.DesiredvCpus") => actual >= spec.Batch.BatchMinimumVcpus && actual <= spec.Batch.BatchMaximumVcpus,
            ("AWS::RDS::DBInstance", "Database/Database", "AllocatedStorage") => actual >= spec.Database.DatabaseStorageSize && actual <= spec.Database.DatabaseMaximumStorage,
            ("AWS::DynamoDB::Table", _, var path) when path.EndsWith("ProvisionedThroughput.ReadCapacityUnits", StringComparison.Ordinal) =>
                actual >= spec.Storage.TableMinimumReadCapacity && actual <= spec.Storage.TableMaximumReadCapacity,
            ("AWS::DynamoDB::Table", _, var path) when path.EndsWith("ProvisionedThroughput.WriteCapacityUnits", StringComparison.Ordinal) =>
                actual >= spec.Storage.TableMinimumWriteCapacity && actual <= spec.Storage.TableMaximumWriteCapacity,
            _ => false,
        };
    }
}
