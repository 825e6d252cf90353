using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Recovery;

/// <summary>
/// The template names for good what a database began as the replica of (database.yaml says why). That a promoted one has no source any more is what a
/// failover did, and no drift.
/// </summary>
internal static class PromotedReplica
{
    private const string Source = "SourceDBInstanceIdentifier";

    public static InferloopDrift Without(InferloopDrift drift)
    {
        if (drift is not { Status: DriftStatus.Modified, Type: "AWS::RDS::DBInstance" })
        {
            return drift;
        }

        var left = drift.Properties.Where(p => p is not { Path: Source, Difference: DriftDifference.Removed }).ToList();
        return left.Count == drift.Properties.Count ? drift : drift with { Properties = left, Status = left.Count == 0 ? DriftStatus.InSync : DriftStatus.Modified };
    }
}
