using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Sandbox.Services.Ecs;

/// <content>What Container Insights tells CloudWatch each minute of services and their tasks, while somebody watches.</content>
internal sealed partial class EcsService
{
    private const string Insights = "ECS/ContainerInsights";

    private int isPublishing;

    private void PublishMetrics()
    {
        if (Interlocked.Exchange(ref isPublishing, 1) != 0)
        {
            return;
        }

        var monitoring = Runtime.Service<CloudWatchService>();
        monitoring.Pulse.Publish((context, moment) =>
        {
            var observed = Clusters(context).Where(c => c.Objects("settings").Any(s => s.Text("name") == "containerInsights" && s.Text("value") != "disabled"))
                .ToDictionary(c => c.Required("clusterArn"), c => c.Required("clusterName"), StringComparer.Ordinal);
            foreach (var service in ServicesOf(context).All().Where(s => s.Text("status") == "ACTIVE" && observed.ContainsKey(s.Required("clusterArn"))))
            {
                var counted = Counted(service.Copy(), TasksOf(context, service));
                (string, string)[] dimensions = [("ClusterName", observed[service.Required("clusterArn")]), ("ServiceName", service.Required("serviceName"))];
                foreach (var (metric, member) in new[] { ("DesiredTaskCount", "desiredCount"), ("RunningTaskCount", "runningCount"), ("PendingTaskCount", "pendingCount") })
                {
                    monitoring.Publish(context, Insights, metric, moment.AddMinutes(-1), [(counted.Int(member) ?? 0, 1)], "Count", dimensions);
                }
            }
        });
    }
}
