using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

/// <content>What releases share with every other operation on an environment.</content>
internal sealed partial class EnvironmentOperations
{
    internal static string KeyFor(InferloopEnvironmentSpec spec) => KeyOf(spec);

    /// <summary>Bucket and table of the control stack; null before it exists.</summary>
    internal Task<ControlPlane?> ControlPlaneAsync(CancellationToken cancellation) => Control.FindAsync(cancellation);
}
