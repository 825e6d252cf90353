using System.Globalization;
using Amazon.SimpleNotificationService;
using Amazon.SimpleNotificationService.Model;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>Tells the subscribers of the environment's critical alerts, in the region that took over.</summary>
internal static class AnnounceStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (context.Output("CriticalTopicArn") is not { } topic)
        {
            return null;
        }

        var run = context.Run.Current;
        await context.Target.Aws.Client<IAmazonSimpleNotificationService>().PublishAsync(
            new PublishRequest
            {
                TopicArn = topic,
                Subject = $"{run.Environment} {run.Stage.ToString().ToLowerInvariant()} now serves from {run.ToRegion}",
                Message = string.Create(CultureInfo.InvariantCulture, $"""
                    {run.Direction} {run.Id} of {run.Environment} ({run.Stage}) from {run.FromRegion} to {run.ToRegion}, {run.Mode}, begun {run.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC by {run.Operator}.
                    Serving after {run.Rto:hh\:mm\:ss} (objective {run.RtoObjective:hh\:mm\:ss}); data loss at most {(run.Rpo is { } rpo ? rpo.ToString("hh\\:mm\\:ss", CultureInfo.InvariantCulture) : "not measurable")} (objective {run.RpoObjective:hh\:mm\:ss}).
                    """),
            },
            cancellation).ConfigureAwait(false);
        return $"told the subscribers of {topic[(topic.LastIndexOf(':') + 1)..]}";
    }
}
