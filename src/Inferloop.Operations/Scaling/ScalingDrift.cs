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
        return (drift.Type, drift.Path, property) switch
        {
            ("AWS::ECS::Service", _, "DesiredCount") =>
                IsWithin(actual, ScalingSchedule.Parse(spec.Ecs.TaskScalingSchedule), spec.Ecs.MinimumTasks, spec.Ecs.MaximumTasks),
            ("AWS::ApplicationAutoScaling::ScalableTarget", var path, "MinCapacity") => Scheduled(spec, path).Any(t => t.Minimum == actual),
            ("AWS::ApplicationAutoScaling::ScalableTarget", var path, "MaxCapacity") => Scheduled(spec, path).Any(t => t.Maximum == actual),
            ("AWS::Lambda::Alias", _, "ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions") => spec.Lambda.LambdaProvisionedMaximum > 0
                && IsWithin(actual, ScalingSchedule.Parse(spec.Lambda.LambdaScalingSchedule), spec.Lambda.LambdaProvisionedConcurrency, spec.Lambda.LambdaProvisionedMaximum),
            ("AWS::AutoScaling::AutoScalingGroup", _, "DesiredCapacity") => actual >= spec.Ecs.Ec2MinimumInstances && actual <= spec.Ecs.Ec2MaximumInstances,
            ("AWS::EKS::Nodegroup", _, "ScalingConfig.DesiredSize") => actual >= spec.Eks.EksMinimumNodes && actual <= spec.Eks.EksMaximumNodes,
            ("AWS::Batch::ComputeEnvironment", _, "ComputeResources.DesiredvCpus") => actual >= spec.Batch.BatchMinimumVcpus && actual <= spec.Batch.BatchMaximumVcpus,
            ("AWS::RDS::DBInstance", "Database/Database", "AllocatedStorage") => actual >= spec.Database.DatabaseStorageSize && actual <= spec.Database.DatabaseMaximumStorage,
            ("AWS::DynamoDB::Table", _, var path) when path.EndsWith("ProvisionedThroughput.ReadCapacityUnits", StringComparison.Ordinal) =>
                IsWithin(actual, ScalingSchedule.Parse(spec.Storage.TableScalingSchedule), spec.Storage.TableMinimumReadCapacity, spec.Storage.TableMaximumReadCapacity),
            ("AWS::DynamoDB::Table", _, var path) when path.EndsWith("ProvisionedThroughput.WriteCapacityUnits", StringComparison.Ordinal) =>
                IsWithin(actual, ScalingSchedule.Parse(spec.Storage.TableScalingSchedule), spec.Storage.TableMinimumWriteCapacity, spec.Storage.TableMaximumWriteCapacity),
            _ => false,
        };
    }

    /// <summary>Whether a number is within the bounds, or within those of a schedule.</summary>
    private static bool IsWithin(int actual, IReadOnlyList<InferloopScheduledScaling> schedule, int minimum, int maximum) =>
        actual >= schedule.Select(t => t.Minimum).Append(minimum).Min() && actual <= schedule.Select(t => t.Maximum).Append(maximum).Max();

    private static IReadOnlyList<InferloopScheduledScaling> Scheduled(InferloopEnvironmentSpec spec, string target) => ScalingSchedule.Parse(target.Split('/')[0] switch
    {
        "Ecs" => spec.Ecs.TaskScalingSchedule,
        "Storage" => spec.Storage.TableScalingSchedule,
        "Lambda" => spec.Lambda.LambdaScalingSchedule,
        _ => "",
    });
}
