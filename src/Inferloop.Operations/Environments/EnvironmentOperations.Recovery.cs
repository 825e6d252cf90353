using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <content>What a failover, which is greater than one operation on one stack, needs of the parts of one.</content>
internal sealed partial class EnvironmentOperations
{
    /// <summary>The control stack of the region, made or brought up to date, and its table.</summary>
    internal async Task<(ControlPlane Control, ControlTable Table)> ControlAsync(CancellationToken cancellation)
    {
        var control = await Control.EnsureAsync(cancellation).ConfigureAwait(false);
        return (control, TableOf(control));
    }

    /// <summary>What differs between two evaluations of an environment's templates, without asking AWS.</summary>
    internal static IReadOnlyList<InferloopChange> ChangesBetween(EvaluatedStack? before, EvaluatedStack after) =>
        StackComparer.Compare(before, after).Changes.Where(c => c.Type != "AWS::CloudFormation::Stack" || c.Action != ChangeAction.Modify).Select(OfflineChange).ToList();
}
