using System.Text.RegularExpressions;
using Inferloop.Templates.Versions;

namespace Inferloop.Operations.Specs;

/// <content>What EKS refuses, or would leave unusable.</content>
internal sealed partial class SpecValidator
{
    // A version has fourteen months of standard support: half a year of notice would be nearly half its life.
    private const int ClusterNoticeDays = 90;

    private void Eks()
    {
        var eks = spec.Eks;
        foreach (var text in eks.EksPublicAccessCidrs.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Cidr.TryParse(text, out var range, out var problem))
            {
                Error("CidrInvalid", "eks.eksPublicAccessCidrs", $"'{text}' {problem}.", "Give IPv4 ranges such as 203.0.113.0/24, or nothing.");
            }
            else if (Private.Any(p => p.Contains(range)))
            {
                Error("EksPublicAccess", "eks.eksPublicAccessCidrs", $"{range} is a private range; the public endpoint never sees such an address, and EKS refuses it.", "Give public ranges. Inside the VPC the API is reached in any case.");
            }
        }

        if (!eks.EksEnabled)
        {
            return;
        }

        EksNodes();
        if (SupportWindows.Eks(eks.EksVersion) is { } window)
        {
            if (window.IsExtended(today) && !window.IsOver(today) && !eks.EksExtendedSupport)
            {
                Error("EksVersionUnsupported", "eks.eksVersion", $"Standard support of Kubernetes {eks.EksVersion} ended on {window.StandardEnd:yyyy-MM-dd}; without extended support EKS does not keep it.", "Take a newer version, or set eks.eksExtendedSupport to true, for its surcharge.");
            }
            else
            {
                Supported("Kubernetes", window, "eks.eksVersion", eks.EksExtendedSupport ? "EKS charges extended support for every hour of the cluster" : "EKS upgrades the cluster by itself", "Take a newer version; a cluster that exists goes up one minor version at a time.", ClusterNoticeDays);
            }
        }

        if (eks.EksAdminRoleArn.Length == 0)
        {
            Warning("EksWithoutAdministrator", "eks.eksAdminRoleArn", "Nobody may use kubectl with the cluster, not even who creates it.", "Give the ARN of the role that administers it.");
        }

        if (eks.EksPublicAccessCidrs.Length == 0 && !spec.Network.VpnEnabled)
        {
            Information("EksPrivateEndpoint", "eks.eksPublicAccessCidrs", "The Kubernetes API is reached from inside the VPC only.", "Give the ranges your operators come from, or set network.vpnEnabled.");
        }
        else if (spec.Stage == EnvironmentStage.Prod && eks.EksPublicAccessCidrs.Split(',').Contains("0.0.0.0/0"))
        {
            Warning("EksOpenEndpoint", "eks.eksPublicAccessCidrs", "The Kubernetes API of production can be called from everywhere.", "Name the ranges your operators come from.");
        }
    }

    private void EksNodes()
    {
        var eks = spec.Eks;
        if (eks.EksMinimumNodes > eks.EksMaximumNodes)
        {
            Error("EksNodeRange", "eks.eksMinimumNodes", $"The least number of nodes ({eks.EksMinimumNodes}) is above the greatest ({eks.EksMaximumNodes}).", "Lower eks.eksMinimumNodes or raise eks.eksMaximumNodes.");
        }
        else if (eks.EksDesiredNodes < eks.EksMinimumNodes || eks.EksDesiredNodes > eks.EksMaximumNodes)
        {
            Error("EksNodeRange", "eks.eksDesiredNodes", $"The desired number of nodes ({eks.EksDesiredNodes}) is not between {eks.EksMinimumNodes} and {eks.EksMaximumNodes}.", $"Give a number from {eks.EksMinimumNodes} to {eks.EksMaximumNodes}.");
        }

        if (spec.Stage != EnvironmentStage.Dev && eks.EksMinimumNodes < 2)
        {
            Warning("EksSingleNode", "eks.eksMinimumNodes", "With one node, its loss or upgrade takes every pod with it.", "Set at least 2.");
        }

        if (spec.Stage == EnvironmentStage.Prod && eks.EksNodeCapacity == EksNodeCapacity.Spot)
        {
            Warning("SpotInProduction", "eks.eksNodeCapacity", "Spot nodes are taken away with two minutes' notice, and their pods with them.", "Set OnDemand.");
        }

        var types = eks.EksNodeInstanceTypes.Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (types.FirstOrDefault(t => Graviton().IsMatch(t)) is { } arm)
        {
            Error("EksNodeArchitecture", "eks.eksNodeInstanceTypes", $"{arm} is a Graviton (ARM) type; the nodes' image and the application's are x86.", "Choose x86 types, such as t3.medium or m6i.large.");
        }

        if (types.Length > 20)
        {
            Error("EksNodeInstanceTypes", "eks.eksNodeInstanceTypes", $"{types.Length} types; a node group takes at most 20.", "Keep the best 20.");
        }
    }

    // a1, m6g, c7gn, r8gd, t4g, im4gn: a g after the generation.
    [GeneratedRegex(@"^(a1|[a-z]+\d+g[a-z]*)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Graviton();
}
