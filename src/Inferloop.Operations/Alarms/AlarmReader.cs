using System.Globalization;
using System.Text.Json;
using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Alarms;

/// <summary>Reads the alarms of an environment and says in words what each watches.</summary>
internal sealed class AlarmReader(IAmazonCloudWatch cloudWatch)
{
    // The most names that one call takes.
    private const int AtOnce = 100;

    /// <summary>The alarms among an environment's resources: what fires first, then the graver ones, a composite alarm before those that it is made of.</summary>
    public async Task<IReadOnlyList<InferloopAlarm>> ReadAsync(string environment, IReadOnlyList<DeployedResource> resources, CancellationToken cancellation)
    {
        var names = resources.Where(r => r.Type is "AWS::CloudWatch::Alarm" or "AWS::CloudWatch::CompositeAlarm" && r.PhysicalId.Length > 0 && r.Status != "DELETE_COMPLETE").Select(r => r.PhysicalId).ToList();
        var alarms = new List<InferloopAlarm>();
        foreach (var part in names.Chunk(AtOnce))
        {
            var answer = await cloudWatch.DescribeAlarmsAsync(
                new DescribeAlarmsRequest { AlarmNames = [.. part], AlarmTypes = ["MetricAlarm", "CompositeAlarm"], MaxRecords = AtOnce }, cancellation).ConfigureAwait(false);
            alarms.AddRange((answer.MetricAlarms ?? []).Select(a => OfMetric(environment, a)));
            alarms.AddRange((answer.CompositeAlarms ?? []).Select(a => OfComposite(environment, a)));
        }

        return alarms.OrderByDescending(a => a.State).ThenByDescending(a => a.Severity).ThenByDescending(a => a.IsComposite).ThenBy(a => a.Name, StringComparer.Ordinal).ToList();
    }

    private static InferloopAlarm OfMetric(string environment, MetricAlarm alarm) => new()
    {
        Environment = environment,
        Name = alarm.AlarmName,
        Severity = Severity(alarm.AlarmActions),
        State = State(alarm.StateValue?.Value),
        Since = Utc(alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp),
        Metric = alarm.MetricName is { Length: > 0 } metric ? $"{alarm.Namespace} {metric}" : Expression(alarm),
        Threshold = Threshold(alarm),
        Value = Newest(alarm.StateReasonData),
        Description = alarm.AlarmDescription ?? "",
        Reason = alarm.StateReason ?? "",
        ActionsEnabled = alarm.ActionsEnabled == true,
        Arn = alarm.AlarmArn,
    };

    private static InferloopAlarm OfComposite(string environment, CompositeAlarm alarm) => new()
    {
        Environment = environment,
        Name = alarm.AlarmName,
        Severity = Severity(alarm.AlarmActions),
        State = State(alarm.StateValue?.Value),
        Since = Utc(alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp),
        IsComposite = true,
        Metric = alarm.AlarmRule,
        Description = alarm.AlarmDescription ?? "",
        Reason = alarm.StateReason ?? "",
        ActionsEnabled = alarm.ActionsEnabled == true,
        Arn = alarm.AlarmArn,
    };

    /// <summary>The gravest of the topics that are told; the environment's topics carry the severity at the end of their names.</summary>
    internal static AlarmSeverity Severity(IEnumerable<string>? actions) =>
        (actions ?? []).Select(a => a.EndsWith("-critical", StringComparison.Ordinal) ? AlarmSeverity.Critical : a.EndsWith("-warning", StringComparison.Ordinal) ? AlarmSeverity.Warning : AlarmSeverity.Information)
            .DefaultIfEmpty(AlarmSeverity.Information).Max();

    private static AlarmState State(string? value) => value switch { "ALARM" => AlarmState.Alarm, "OK" => AlarmState.Ok, _ => AlarmState.InsufficientData };

    private static string Expression(MetricAlarm alarm) =>
        (alarm.Metrics ?? []).Find(m => m.ReturnData == true) is { } shown ? shown.Label ?? shown.Expression ?? shown.Id : "";

    private static string Threshold(MetricAlarm alarm)
    {
        var sign = alarm.ComparisonOperator?.Value switch
        {
            "GreaterThanThreshold" => ">",
            "GreaterThanOrEqualToThreshold" => ">=",
            "LessThanThreshold" => "<",
            "LessThanOrEqualToThreshold" => "<=",
            var other => other ?? "?",
        };
        var periods = alarm.EvaluationPeriods ?? 1;
        var seconds = alarm.Period ?? (alarm.Metrics ?? []).Select(m => m.MetricStat?.Period).FirstOrDefault(p => p is not null);
        return string.Create(CultureInfo.InvariantCulture, $"{sign} {alarm.Threshold:0.###}, {alarm.DatapointsToAlarm ?? periods} of {periods} times in {seconds} s");
    }

    /// <summary>The newest of the values that CloudWatch compared; it gives them newest last in its reason's data.</summary>
    internal static double? Newest(string? reasonData)
    {
        if (string.IsNullOrEmpty(reasonData))
        {
            return null;
        }

        using var document = JsonDocument.Parse(reasonData);
        return document.RootElement.TryGetProperty("recentDatapoints", out var points) && points.ValueKind == JsonValueKind.Array
            ? points.EnumerateArray().Where(p => p.ValueKind == JsonValueKind.Number).Select(p => (double?)p.GetDouble()).LastOrDefault()
            : null;
    }

    private static DateTimeOffset? Utc(DateTime? time) => time is { } t ? new DateTimeOffset(DateTime.SpecifyKind(t.ToUniversalTime(), DateTimeKind.Utc)) : null;
}
