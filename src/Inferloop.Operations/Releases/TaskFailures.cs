using Amazon.ECS.Model;
using Amazon.Runtime;
using Inferloop.Operations.Environments;
using Task = System.Threading.Tasks.Task;

namespace Inferloop.Operations.Releases;

/// <summary>The tasks of a new version that failed: how many, why, and what the first one last said.</summary>
internal sealed class TaskFailures(EnvironmentAws aws, string cluster, string service)
{
    private const int Lines = 10;

    // ECS's words for what no new version is to blame for.
    private static readonly string[] s_shortages = ["Capacity is unavailable", "RESOURCE:", "unable to place a task", "insufficient capacity"];

    /// <summary>Tasks that start, run and are healthy, of a task definition's.</summary>
    public int Starting { get; private set; }

    public int Running { get; private set; }

    public int Healthy { get; private set; }

    /// <summary>Tasks that failed by what they are.</summary>
    public int Count { get; private set; }

    /// <summary>Tasks that failed because there was no room for them; or the last message of it.</summary>
    public string Shortage { get; private set; } = "";

    /// <summary>The newest moment at which one failed.</summary>
    public DateTimeOffset? Latest { get; private set; }

    /// <summary>Looks at all tasks of a task definition.</summary>
    public async Task<InferloopReleaseFailure?> LookAsync(string taskDefinition, CancellationToken cancellation)
    {
        var tasks = new List<Amazon.ECS.Model.Task>();
        foreach (var desired in new[] { Amazon.ECS.DesiredStatus.RUNNING, Amazon.ECS.DesiredStatus.STOPPED })
        {
            string? token = null;
            do
            {
                var page = await aws.ECS.ListTasksAsync(new ListTasksRequest { Cluster = cluster, ServiceName = service, DesiredStatus = desired, NextToken = token }, cancellation).ConfigureAwait(false);
                if (page.TaskArns is { Count: > 0 } arns)
                {
                    tasks.AddRange((await aws.ECS.DescribeTasksAsync(new DescribeTasksRequest { Cluster = cluster, Tasks = arns }, cancellation).ConfigureAwait(false)).Tasks ?? []);
                }

                token = page.NextToken;
            }
            while (!string.IsNullOrEmpty(token));
        }

        var own = tasks.Where(t => t.TaskDefinitionArn == taskDefinition).ToList();
        var up = own.Where(t => t.DesiredStatus == "RUNNING").ToList();
        Starting = up.Count(t => t.LastStatus != "RUNNING");
        Running = up.Count(t => t.LastStatus == "RUNNING");
        Healthy = up.Count(t => t.LastStatus == "RUNNING" && t.HealthStatus == "HEALTHY");
        var failed = own.Where(HasFailed).OrderBy(t => t.StoppingAt ?? t.StoppedAt).ToList();
        var short_ = failed.Where(t => IsShortage(t.StoppedReason)).ToList();
        Shortage = short_.Count > 0 ? short_[^1].StoppedReason : "";
        failed.RemoveAll(t => IsShortage(t.StoppedReason));
        Count = failed.Count;
        Latest = failed.Select(t => Moment(t.StoppingAt ?? t.StoppedAt)).Max();
        return failed.Count == 0 ? null : await TellAsync(failed[0], failed.Count, cancellation).ConfigureAwait(false);
    }

    /// <summary>What the service says of tasks that it finds no room for: its last words, and from when to when it has said so; null where it has not.</summary>
    /// <param name="since">What it said before is of no release that is watched.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<(string Words, TimeSpan Lasts)?> CrowdedAsync(DateTimeOffset since, CancellationToken cancellation)
    {
        var found = (await aws.ECS.DescribeServicesAsync(new DescribeServicesRequest { Cluster = cluster, Services = [service] }, cancellation).ConfigureAwait(false)).Services?.FirstOrDefault();
        var said = (found?.Events ?? []).Where(e => Moment(e.CreatedAt) >= since && IsShortage(e.Message)).OrderBy(e => e.CreatedAt).ToList();
        if (said.Count == 0)
        {
            return null;
        }

        var words = said[^1].Message;
        var reason = words.IndexOf("Reason: ", StringComparison.Ordinal);
        words = reason < 0 ? words : words[(reason + "Reason: ".Length)..];
        return (words.Split(". For more information", 2)[0].TrimEnd('.'), Moment(said[^1].CreatedAt)!.Value - Moment(said[0].CreatedAt)!.Value);
    }

    public static bool IsShortage(string? reason) => reason is not null && s_shortages.Any(s => reason.Contains(s, StringComparison.OrdinalIgnoreCase));

    private static bool HasFailed(Amazon.ECS.Model.Task task) => task.DesiredStatus == "STOPPED"
        && (task.StopCode?.Value is "EssentialContainerExited" or "TaskFailedToStart" || (task.StoppedReason ?? "").Contains("health checks", StringComparison.OrdinalIgnoreCase));

    private async Task<InferloopReleaseFailure> TellAsync(Amazon.ECS.Model.Task task, int count, CancellationToken cancellation)
    {
        var container = (task.Containers ?? []).Find(c => c.ExitCode is not null and not 0) ?? (task.Containers ?? []).FirstOrDefault();
        var lines = container is null || task.StopCode?.Value == "TaskFailedToStart" ? [] : await LogAsync(task, container.Name, cancellation).ConfigureAwait(false);
        return new InferloopReleaseFailure(task.StoppedReason ?? container?.Reason ?? "ECS gives no reason", container?.Name ?? "", container?.ExitCode, count, lines);
    }

    private async Task<IReadOnlyList<string>> LogAsync(Amazon.ECS.Model.Task task, string container, CancellationToken cancellation)
    {
        var definition = (await aws.ECS.DescribeTaskDefinitionAsync(new DescribeTaskDefinitionRequest { TaskDefinition = task.TaskDefinitionArn }, cancellation).ConfigureAwait(false)).TaskDefinition;
        var options = definition.ContainerDefinitions.Find(c => c.Name == container)?.LogConfiguration?.Options;
        if (options?.GetValueOrDefault("awslogs-group") is not { } group || options.GetValueOrDefault("awslogs-stream-prefix") is not { } prefix)
        {
            return [];
        }

        try
        {
            var answer = await aws.Logs.GetLogEventsAsync(
                new Amazon.CloudWatchLogs.Model.GetLogEventsRequest { LogGroupName = group, LogStreamName = $"{prefix}/{container}/{task.TaskArn.Split('/')[^1]}", Limit = Lines, StartFromHead = false }, cancellation).ConfigureAwait(false);
            return (answer.Events ?? []).Select(e => e.Message.TrimEnd()).ToList();
        }
        catch (AmazonServiceException e) when (e.ErrorCode == "ResourceNotFoundException")
        {
            return []; // it ended before it said anything
        }
    }

    internal static DateTimeOffset? Moment(DateTime? time) => time is { } given ? new DateTimeOffset(DateTime.SpecifyKind(given.ToUniversalTime(), DateTimeKind.Utc)) : null;
}
