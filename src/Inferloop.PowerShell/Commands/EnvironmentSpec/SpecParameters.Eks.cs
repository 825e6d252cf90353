using System.Management.Automation;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <content>Kubernetes on EKS.</content>
public sealed partial class SpecParameters
{
    /// <summary>Whether the environment has a Kubernetes cluster on EKS. Default false.</summary>
    [Parameter]
    public bool? EksEnabled { get; set; }

    /// <summary>Kubernetes version of cluster and nodes; it goes up, one minor version at a time, and never down. Default 1.35.</summary>
    [Parameter]
    public string? EksVersion { get; set; }

    /// <summary>Whether a version may be kept beyond standard support, for a higher price; without, EKS upgrades the cluster by itself. Default true; false for dev.</summary>
    [Parameter]
    public bool? EksExtendedSupport { get; set; }

    /// <summary>IPv4 ranges, comma-separated, from which the Kubernetes API is reached; empty for inside the VPC only. Default empty.</summary>
    [Parameter]
    public string? EksPublicAccessCidrs { get; set; }

    /// <summary>IAM role or user that administers the cluster with kubectl; empty for none. Default none.</summary>
    [Parameter]
    public string? EksAdminRoleArn { get; set; }

    /// <summary>Instance types of the nodes, comma-separated, x86, of like size; with Spot several make interruptions rarer. Default t3.medium; t3.medium,t3a.medium for dev.</summary>
    [Parameter]
    public string? EksNodeInstanceTypes { get; set; }

    /// <summary>OnDemand or Spot. Default OnDemand; Spot for dev.</summary>
    [Parameter]
    public EksNodeCapacity? EksNodeCapacity { get; set; }

    /// <summary>Fewest nodes, 1 to 450. Default 2; 1 for dev, 3 for prod.</summary>
    [Parameter]
    public int? EksMinimumNodes { get; set; }

    /// <summary>Nodes to begin with, 1 to 450; the cluster autoscaler moves it from there. Default 2, 3 for prod; it follows the bounds when not given.</summary>
    [Parameter]
    public int? EksDesiredNodes { get; set; }

    /// <summary>Most nodes, 1 to 450. Default 10; 4 for dev.</summary>
    [Parameter]
    public int? EksMaximumNodes { get; set; }

    /// <summary>Encrypted root volume of a node in GiB, 20 to 16384. Default 100.</summary>
    [Parameter]
    public int? EksNodeVolumeSize { get; set; }
}
