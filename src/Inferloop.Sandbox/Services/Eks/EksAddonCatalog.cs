using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>An add-on that EKS offers, with its versions, newest first, and the Kubernetes versions each goes with.</summary>
/// <param name="Name">The add-on's name.</param>
/// <param name="Type">What it is for.</param>
/// <param name="Namespace">Where its pods live.</param>
/// <param name="IsDeployment">Whether its pods are a deployment: it needs a node before it can become active; sets of daemons do not.</param>
/// <param name="NeedsPermissions">Whether it calls AWS and so wants a role.</param>
/// <param name="Versions">Version, lowest and highest Kubernetes minor version.</param>
internal sealed record EksAddon(string Name, string Type, string Namespace, bool IsDeployment, bool NeedsPermissions, IReadOnlyList<(string Version, int From, int To)> Versions)
{
    public IEnumerable<(string Version, int From, int To)> For(int minor) => Versions.Where(version => minor >= version.From && minor <= version.To);
}

/// <summary>The add-ons of AWS's own that an operator of the platform would choose among, with versions as DescribeAddonVersions lists them.</summary>
internal static class EksAddonCatalog
{
    private const int Newest = 36;

    public static readonly IReadOnlyList<EksAddon> All =
    [
        new("vpc-cni", "networking", "kube-system", false, true, [("v1.21.1-eksbuild.3", 31, Newest), ("v1.20.4-eksbuild.2", 31, 35), ("v1.19.6-eksbuild.7", 31, 34)]),
        new("coredns", "networking", "kube-system", true, false, [("v1.13.2-eksbuild.1", 34, Newest), ("v1.12.4-eksbuild.1", 32, 35), ("v1.11.4-eksbuild.24", 31, 33), ("v1.11.4-eksbuild.2", 31, 33)]),
        new("kube-proxy", "networking", "kube-system", false, false,
            [("v1.36.0-eksbuild.2", 36, 36), ("v1.35.0-eksbuild.2", 35, 35), ("v1.34.1-eksbuild.2", 34, 34), ("v1.33.5-eksbuild.2", 33, 33), ("v1.32.9-eksbuild.2", 32, 32), ("v1.31.13-eksbuild.2", 31, 31)]),
        new("aws-ebs-csi-driver", "storage", "kube-system", true, true, [("v1.54.0-eksbuild.1", 31, Newest), ("v1.51.1-eksbuild.1", 31, 35)]),
        new("aws-efs-csi-driver", "storage", "kube-system", true, true, [("v2.1.15-eksbuild.1", 31, Newest), ("v2.1.13-eksbuild.1", 31, 35)]),
        new("aws-mountpoint-s3-csi-driver", "storage", "kube-system", false, true, [("v2.2.1-eksbuild.1", 31, Newest)]),
        new("snapshot-controller", "storage", "kube-system", true, false, [("v8.3.0-eksbuild.1", 31, Newest)]),
        new("eks-pod-identity-agent", "security", "kube-system", false, false, [("v1.3.10-eksbuild.2", 31, Newest), ("v1.3.9-eksbuild.3", 31, 35)]),
        new("eks-node-monitoring-agent", "observability", "kube-system", false, false, [("v1.4.3-eksbuild.1", 31, Newest)]),
        new("amazon-cloudwatch-observability", "observability", "amazon-cloudwatch", true, true, [("v4.8.0-eksbuild.1", 31, Newest), ("v4.6.0-eksbuild.1", 31, 35)]),
        new("metrics-server", "observability", "kube-system", true, false, [("v0.8.0-eksbuild.6", 31, Newest)]),
        new("external-dns", "networking", "external-dns", true, true, [("v0.20.0-eksbuild.1", 31, Newest)]),
        new("cert-manager", "security", "cert-manager", true, false, [("v1.19.1-eksbuild.1", 31, Newest)]),
    ];

    public static EksAddon? Find(string name) => All.FirstOrDefault(addon => addon.Name == name);

    public static JsonObject Describe(EksAddon addon, int? minor, bool defaultIsNewest = true) => new()
    {
        ["addonName"] = addon.Name,
        ["type"] = addon.Type,
        ["publisher"] = "eks",
        ["owner"] = "aws",
        ["defaultNamespace"] = addon.Namespace,
        ["addonVersions"] = addon.Versions.Where(version => minor is null || (minor >= version.From && minor <= version.To)).Select(version => new JsonObject
        {
            ["addonVersion"] = version.Version,
            ["architecture"] = new JsonArray("amd64", "arm64"),
            ["computeTypes"] = addon.IsDeployment ? new JsonArray("ec2", "fargate", "auto") : new JsonArray("ec2"),
            ["compatibilities"] = EksVersions.All.Where(known => known.Minor >= version.From && known.Minor <= version.To && (minor is null || known.Minor == minor))
                .OrderByDescending(known => known.Minor)
                .Select(known => new JsonObject
                {
                    ["clusterVersion"] = known.Name,
                    ["platformVersions"] = new JsonArray("*"),
                    ["defaultVersion"] = defaultIsNewest && addon.For(known.Minor).First().Version == version.Version,
                }).ToJsonList(),
            ["requiresConfiguration"] = false,
            ["requiresIamPermissions"] = addon.NeedsPermissions,
        }).ToJsonList(),
    };
}
