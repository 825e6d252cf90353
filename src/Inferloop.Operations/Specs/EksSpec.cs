namespace Inferloop.Operations.Specs;

/// <summary>What the nodes of the EKS cluster are.</summary>
public enum EksNodeCapacity
{
    /// <summary>On-demand instances.</summary>
    OnDemand,

    /// <summary>Spot instances: about 70 % cheaper, interruptible with two minutes' notice.</summary>
    Spot,
}

/// <summary>A Kubernetes cluster on EKS, with one managed node group that the cluster autoscaler moves between its bounds.</summary>
public sealed record EksSpec
{
    /// <summary>Whether the environment has a Kubernetes cluster on EKS. Default false.</summary>
    [SpecMember(Summary = "a Kubernetes cluster on EKS")]
    public bool EksEnabled { get; init; }

    /// <summary>Kubernetes version of cluster and nodes; it goes up, one minor version at a time, and never down. Default 1.35.</summary>
    [SpecMember(Pattern = "^1\\.[1-9][0-9]$", PatternMeaning = "a Kubernetes version such as 1.35", Summary = "goes up one minor version at a time, never down")]
    public string EksVersion { get; init; } = "1.35";

    /// <summary>Whether a version may be kept beyond standard support, for a higher price; without, EKS upgrades the cluster by itself. Default true; false for dev.</summary>
    [SpecMember(Summary = "a version may be kept beyond standard support, for a higher price")]
    public bool EksExtendedSupport { get; init; } = true;

    /// <summary>IPv4 ranges, comma-separated, from which the Kubernetes API is reached; empty for inside the VPC only. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^(\d{1,3}\.){3}\d{1,3}/(\d|[12]\d|3[0-2])(,(\d{1,3}\.){3}\d{1,3}/(\d|[12]\d|3[0-2]))*$", PatternMeaning = "IPv4 ranges such as 203.0.113.0/24,198.51.100.7/32",
        Summary = "from where the Kubernetes API is reached; empty for inside the VPC only")]
    public string EksPublicAccessCidrs { get; init; } = "";

    /// <summary>IAM role or user that administers the cluster with kubectl; empty for none. Default none.</summary>
    [SpecMember(Optional = true, Pattern = @"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/.+$", PatternMeaning = "the ARN of an IAM role or user", Summary = "administers the cluster with kubectl")]
    public string EksAdminRoleArn { get; init; } = "";

    /// <summary>Instance types of the nodes, comma-separated, x86, of like size; with Spot several make interruptions rarer. Default t3.medium; t3.medium,t3a.medium for dev.</summary>
    [SpecMember(Pattern = @"^[a-z][a-z0-9-]*\.[a-z0-9-]+(,[a-z][a-z0-9-]*\.[a-z0-9-]+)*$", PatternMeaning = "instance types such as t3.medium,t3a.medium", Summary = "comma-separated types, x86, of like size")]
    public string EksNodeInstanceTypes { get; init; } = "t3.medium";

    /// <summary>OnDemand or Spot. Default OnDemand; Spot for dev.</summary>
    [SpecMember(Summary = "OnDemand or Spot")]
    public EksNodeCapacity EksNodeCapacity { get; init; }

    /// <summary>Fewest nodes, 1 to 450. Default 2; 1 for dev, 3 for prod.</summary>
    [SpecMember(Minimum = 1, Maximum = 450, Unit = "nodes", Summary = "the fewest")]
    public int EksMinimumNodes { get; init; } = 2;

    /// <summary>Nodes to begin with, 1 to 450; the cluster autoscaler moves it from there. Default the fewest; 2 for dev.</summary>
    [SpecMember(Minimum = 1, Maximum = 450, Unit = "nodes", Summary = "to begin with")]
    public int EksDesiredNodes { get; init; } = 2;

    /// <summary>Most nodes, 1 to 450. Default 10; 4 for dev.</summary>
    [SpecMember(Minimum = 1, Maximum = 450, Unit = "nodes", Summary = "the most")]
    public int EksMaximumNodes { get; init; } = 10;

    /// <summary>Encrypted root volume of a node in GiB, 20 to 16384. Default 100.</summary>
    [SpecMember(Minimum = 20, Maximum = 16384, Unit = "GiB")]
    public int EksNodeVolumeSize { get; init; } = 100;
}
