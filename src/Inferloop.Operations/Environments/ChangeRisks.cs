namespace Inferloop.Operations.Environments;

/// <summary>Says of a change what it can cost: nothing, a while without service, or stored data.</summary>
internal static class ChangeRisks
{
    // What stops answering while a resource of the type is replaced or removed.
    private static readonly Dictionary<string, string> Serving = new(StringComparer.Ordinal)
    {
        ["AWS::ApiGatewayV2::Api"] = "its address changes",
        ["AWS::AutoScaling::AutoScalingGroup"] = "its instances are replaced",
        ["AWS::Batch::ComputeEnvironment"] = "its jobs end",
        ["AWS::EC2::EIP"] = "the address that others may have allowed changes",
        ["AWS::EC2::Instance"] = "the instance stops",
        ["AWS::EC2::InternetGateway"] = "the network loses its way to the internet",
        ["AWS::EC2::NatGateway"] = "private subnets lose their way to the internet for minutes",
        ["AWS::EC2::Subnet"] = "everything in the subnet is moved",
        ["AWS::EC2::VPC"] = "everything in the network is moved",
        ["AWS::EC2::VPNConnection"] = "the tunnels come down, and the other side must be configured again",
        ["AWS::ECS::Cluster"] = "its services are moved",
        ["AWS::ECS::Service"] = "the old service's tasks stop",
        ["AWS::EKS::Cluster"] = "every pod in it ends, and what was applied to it is gone",
        ["AWS::EKS::Nodegroup"] = "its nodes are drained and replaced",
        ["AWS::ElasticLoadBalancingV2::Listener"] = "nothing listens in between",
        ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = "its DNS name changes",
        ["AWS::ElasticLoadBalancingV2::TargetGroup"] = "its targets are registered anew",
        ["AWS::Lambda::Function"] = "callers find it under another name",
        ["AWS::RDS::DBProxy"] = "its connections break",
    };

    // Changes in place that interrupt the service all the same.
    private static readonly Dictionary<(string Type, string Property), string> Interrupting = new()
    {
        [("AWS::EC2::Instance", "InstanceType")] = "the instance is stopped and started",
        [("AWS::EKS::Cluster", "Version")] = "the control plane is upgraded, and cannot go back",
        [("AWS::EKS::Nodegroup", "Version")] = "its nodes are drained and replaced",
        [("AWS::EKS::Nodegroup", "ReleaseVersion")] = "its nodes are drained and replaced",
        [("AWS::ElastiCache::ReplicationGroup", "CacheNodeType")] = "the cache fails over to nodes of the other size",
        [("AWS::ElastiCache::ReplicationGroup", "EngineVersion")] = "the cache's nodes are upgraded one after the other",
        [("AWS::RDS::DBInstance", "AllocatedStorage")] = "the storage is optimised for hours, slower meanwhile",
        [("AWS::RDS::DBInstance", "DBInstanceClass")] = "the database restarts, or fails over with Multi-AZ",
        [("AWS::RDS::DBInstance", "DBParameterGroupName")] = "the database needs a restart",
        [("AWS::RDS::DBInstance", "EngineVersion")] = "the database restarts for the upgrade, and cannot go back",
        [("AWS::RDS::DBInstance", "Port")] = "the database restarts on the other port",
    };

    /// <summary>The change with its risk, and whether someone must name it before it happens.</summary>
    public static InferloopChange Assess(InferloopChange change)
    {
        var (risk, reason, consent) = Of(change);
        return change with { Risk = risk, RiskReason = reason, NeedsConsent = consent };
    }

    private static (EnvironmentChangeRisk Risk, string Reason, bool Consent) Of(InferloopChange change)
    {
        var replaced = change.Action == EnvironmentChangeAction.Replace || change.Replacement != EnvironmentReplacement.Never;
        var removed = change.Action == EnvironmentChangeAction.Remove;
        if (!replaced && !removed)
        {
            return Interruption(change) is { } interruption ? (EnvironmentChangeRisk.Downtime, interruption, false) : default((EnvironmentChangeRisk, string, bool)) with { Item2 = "" };
        }

        var certain = removed || change.Replacement == EnvironmentReplacement.Always;
        if (DataStores.Holds(change.Type) is { } held)
        {
            return removed ? Removal(change, held) : Replacing(change, held, certain);
        }

        return Serving.TryGetValue(change.Type, out var effect)
            ? (EnvironmentChangeRisk.Downtime, (removed ? "It is removed" : certain ? "It is replaced" : "It may be replaced") + $": {effect}.", false)
            : (EnvironmentChangeRisk.None, "", false);
    }

    private static (EnvironmentChangeRisk Risk, string Reason, bool Consent) Removal(InferloopChange change, string held) => change.PolicyAction switch
    {
        "Retain" => (EnvironmentChangeRisk.Downtime, $"It leaves the environment and is kept, with {held}.", false),
        "Snapshot" => (EnvironmentChangeRisk.Downtime, $"It is deleted; a last snapshot keeps {held}.", true),
        _ => (EnvironmentChangeRisk.DataLoss, $"It is deleted, and with it {held}.", true),
    };

    private static (EnvironmentChangeRisk Risk, string Reason, bool Consent) Replacing(InferloopChange change, string held, bool certain)
    {
        var property = change.Properties.FirstOrDefault(p => p.Replacement == EnvironmentReplacement.Always) ?? change.Properties.FirstOrDefault(p => p.Replacement == EnvironmentReplacement.Conditional);
        var what = (certain ? "It is replaced by an empty one" : "It may be replaced by an empty one") + (property is null ? "" : $" because {property.Path} changes");
        return change.PolicyAction switch
        {
            "ReplaceAndRetain" => (EnvironmentChangeRisk.Downtime, $"{what}; the old one is kept, with {held}.", true),
            "ReplaceAndSnapshot" => (EnvironmentChangeRisk.Downtime, $"{what}; a last snapshot of the old one keeps {held}.", true),
            _ => (EnvironmentChangeRisk.DataLoss, $"{what}; the old one is deleted, and with it {held}.", true),
        };
    }

    private static string? Interruption(InferloopChange change) => change.Properties
        .Select(p => Interrupting.GetValueOrDefault((change.Type, p.TopLevel)))
        .FirstOrDefault(reason => reason is not null) is { } found ? char.ToUpperInvariant(found[0]) + found[1..] + "." : null;
}
