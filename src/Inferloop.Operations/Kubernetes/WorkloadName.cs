namespace Inferloop.Operations.Kubernetes;

/// <summary>A Deployment and the Service before it, as docs/examples/kubernetes/application.yaml names them.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Name">The name of the Deployment, its container, the Service and the autoscaler.</param>
internal sealed record WorkloadName(string Namespace, string Name)
{
    public static WorkloadName Default { get; } = new("inferloop", "synthdata");

    /// <summary>The Deployment that takes turns with the first in blue/green releases.</summary>
    public string Alternate => Name + "-alternate";

    public override string ToString() => $"{Namespace}/{Name}";
}
