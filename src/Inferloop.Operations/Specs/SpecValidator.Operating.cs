namespace Inferloop.Operations.Specs;

/// <summary>Monitoring, governance, budget and pipeline.</summary>
internal sealed partial class SpecValidator
{
    private void Watching()
    {
        var monitoring = spec.Monitoring;
        if (spec.Stage == EnvironmentStage.Prod && !monitoring.MonitoringEnabled)
        {
            Warning("NoMonitoring", "monitoring.monitoringEnabled", "Nobody will be told when the service fails.", "Set true.");
        }
        else if (spec.Stage == EnvironmentStage.Prod && monitoring.CriticalEmail.Length == 0 && monitoring.CriticalEndpointUrl.Length == 0)
        {
            Warning("NobodyTold", "monitoring.criticalEmail", "Critical alarms go to a topic to which nobody subscribes.", "Give monitoring.criticalEmail or monitoring.criticalEndpointUrl.");
        }
    }

    private void Delivery()
    {
        var delivery = spec.Delivery;
        if (!delivery.PipelineEnabled && !delivery.GitHubActionsEnabled)
        {
            return;
        }

        var member = delivery.PipelineEnabled ? "delivery.pipelineEnabled" : "delivery.gitHubActionsEnabled";
        if (delivery.PipelineRepository.Length == 0)
        {
            Error("DeliveryWithoutRepository", member, "Nothing says which repository is released.", "Give delivery.pipelineRepository (-PipelineRepository owner/name).");
        }

        if (!spec.Ecs.EcsEnabled)
        {
            Error("DeliveryWithoutService", member, "A release goes to the service on ECS, and the environment has none.", "Set ecs.ecsEnabled true, or switch delivery off.");
        }

        if (delivery.PipelineEnabled && spec.Stage == EnvironmentStage.Prod && !delivery.PipelineApproval)
        {
            Warning("ReleaseWithoutApproval", "delivery.pipelineApproval", "Every push to the branch reaches production, and nobody is asked.", "Set true.");
        }

        if (delivery.PipelineConnectionArn.Split(':') is [_, _, _, var region, ..] && region != spec.Region)
        {
            Error("ConnectionElsewhere", "delivery.pipelineConnectionArn", $"The connection is of '{region}'; a pipeline in {spec.Region} takes only connections of {spec.Region}.", $"Give one of {spec.Region}, or none to make it.");
        }
    }
}
