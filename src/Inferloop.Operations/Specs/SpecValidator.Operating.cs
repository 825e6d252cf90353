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
}
