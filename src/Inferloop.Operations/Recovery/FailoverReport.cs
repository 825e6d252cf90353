using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Inferloop.Operations.Recovery;

/// <summary>A failover for who was not there: an auditor, a review. Objectives, what came of them, evidence of every step, deviations.</summary>
internal static class FailoverReport
{
    private static readonly JsonSerializerOptions s_format = new() { WriteIndented = true, Converters = { new JsonStringEnumConverter() }, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static string Json(InferloopFailover failover) => JsonSerializer.Serialize(
        new
        {
            failover.Id, failover.Environment, failover.Stage, failover.Direction, failover.Mode, failover.StandbyMode, failover.FromRegion, failover.ToRegion, failover.State, failover.Reason, failover.Operator,
            failover.Started, failover.Finished, failover.RtoObjective, failover.ExpectedRto, failover.Rto, failover.RpoObjective, failover.Rpo, failover.MaximumDataLoss, failover.LostSince, failover.IsRehearsal,
            failover.MetObjectives, failover.CriticalPath, Deviations = Deviations(failover), failover.Stores, failover.Steps,
        },
        s_format);

    public static string Markdown(InferloopFailover failover)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"# {Title(failover)}").AppendLine();
        text.AppendLine("| | |").AppendLine("| --- | --- |");
        foreach (var (name, value) in Facts(failover))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {name} | {Cell(value)} |");
        }

        text.AppendLine().AppendLine("## Deviations").AppendLine();
        foreach (var deviation in Deviations(failover).DefaultIfEmpty("None."))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- {deviation}");
        }

        text.AppendLine().AppendLine("## Stores").AppendLine().AppendLine("| Store | By | Behind | Read from |").AppendLine("| --- | --- | ---: | --- |");
        foreach (var store in failover.Stores)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {store.Name} | {store.By} | {Time(store.Lag)} | {Cell(store.Source)} |");
        }

        text.AppendLine().AppendLine("## Steps").AppendLine().AppendLine("| Step | Region | State | Began | Took | Critical | Evidence |").AppendLine("| --- | --- | --- | --- | ---: | --- | --- |");
        foreach (var step in failover.Steps)
        {
            text.AppendLine(
                CultureInfo.InvariantCulture, $"| {step.Name} | {step.Region} | {step.State} | {(step.Started is { } began ? Time(began - failover.Started) : "")} | {Time(step.Duration)} | {(step.IsCritical ? "yes" : "")} | {Cell(step.Reason.Length > 0 ? step.Reason : step.Evidence)} |");
        }

        return text.ToString();
    }

    public static string Html(InferloopFailover failover)
    {
        var whole = Math.Max(1, ((failover.Finished ?? failover.Steps.Max(s => s.Finished) ?? failover.Started) - failover.Started).TotalSeconds);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $$"""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{Text(Title(failover))}}</title><style>
            body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;color:#222}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3rem .5rem;text-align:left;vertical-align:top}
            .bar{position:relative;height:1rem;background:#f2f2f2;min-width:20rem}.bar i{position:absolute;height:100%;background:#8fb3d9;min-width:2px}.bar i.critical{background:#c0563b}.bad{color:#a11}
            </style></head><body><h1>{{Text(Title(failover))}}</h1><table>
            """);
        foreach (var (name, value) in Facts(failover))
        {
            text.Append(CultureInfo.InvariantCulture, $"<tr><th>{Text(name)}</th><td>{Text(value)}</td></tr>");
        }

        text.Append("</table><h2>Deviations</h2><ul>");
        foreach (var deviation in Deviations(failover).DefaultIfEmpty("None."))
        {
            text.Append(CultureInfo.InvariantCulture, $"<li>{Text(deviation)}</li>");
        }

        text.Append("</ul><h2>Stores</h2><table><tr><th>Store</th><th>By</th><th>Behind</th><th>Read from</th></tr>");
        foreach (var store in failover.Stores)
        {
            text.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(store.Name)}</td><td>{Text(store.By)}</td><td>{Time(store.Lag)}</td><td>{Text(store.Source)}</td></tr>");
        }

        text.Append("</table><h2>Timeline</h2><table><tr><th>Step</th><th>State</th><th>Took</th><th>When</th><th>Evidence</th></tr>");
        foreach (var step in failover.Steps)
        {
            var left = step.Started is { } began ? 100 * (began - failover.Started).TotalSeconds / whole : 0;
            var width = step.Duration is { } took ? 100 * took.TotalSeconds / whole : 0;
            var bar = step.Started is null ? "" : string.Create(CultureInfo.InvariantCulture, $"<i class=\"{(step.IsCritical ? "critical" : "")}\" style=\"left:{left:0.##}%;width:{width:0.##}%\"></i>");
            var told = step.Reason.Length > 0 ? step.Reason : step.Evidence;
            text.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{Text(step.Name)}<br><small>{Text(step.Title)}</small></td><td{(step.State is FailoverStepState.Failed or FailoverStepState.Deferred ? " class=\"bad\"" : "")}>{step.State}</td><td>{Time(step.Duration)}</td><td><div class=\"bar\">{bar}</div></td><td>{Text(told)}</td></tr>");
        }

        return text.Append("</table></body></html>\n").ToString();
    }

    /// <summary>What did not go as it should have.</summary>
    public static IReadOnlyList<string> Deviations(InferloopFailover failover)
    {
        var found = new List<string>();
        if (failover.State != FailoverState.Completed)
        {
            found.Add($"It is {failover.State}{(failover.Reason.Length > 0 ? ": " + failover.Reason : ".")}");
        }

        if (failover.Rto > failover.RtoObjective)
        {
            found.Add($"Serving again took {Time(failover.Rto)}, {Time(failover.Rto - failover.RtoObjective)} more than the objective.");
        }

        if (failover.Rpo > failover.RpoObjective)
        {
            found.Add($"Data of up to {Time(failover.Rpo)} was lost; the objective is {Time(failover.RpoObjective)}, and {Time(failover.MaximumDataLoss)} was consented to.");
        }

        found.AddRange(failover.Stores.Where(s => s.Lag is null).Select(s => $"Of the {s.Name.ToLowerInvariant()} it could not be told how old the newest data was: {s.Source}."));
        found.AddRange(failover.Steps.Where(s => s.State == FailoverStepState.Deferred).Select(s => $"{s.Name} was put off: {s.Reason}"));
        found.AddRange(failover.Steps.Where(s => s.Duration > s.Expected * 2 && s.Duration > TimeSpan.FromMinutes(1)).Select(s => $"{s.Name} took {Time(s.Duration)}, {Time(s.Expected)} were expected."));
        return found;
    }

    private static string Title(InferloopFailover failover) =>
        $"{(failover.IsRehearsal ? "Rehearsal: " : "")}{failover.Direction} of {failover.Environment} ({failover.Stage.ToString().ToLowerInvariant()}) from {failover.FromRegion} to {failover.ToRegion}";

    private static IEnumerable<(string Name, string Value)> Facts(InferloopFailover failover)
    {
        yield return ("Id", failover.Id);
        yield return ("Mode", $"{failover.Mode}, standby {failover.StandbyMode}");
        yield return ("State", failover.State.ToString());
        yield return ("Operator", failover.Operator);
        yield return ("Began", Moment(failover.Started));
        yield return ("Ended", failover.Finished is { } ended ? Moment(ended) : "not yet");
        yield return ("RTO", $"{(failover.Rto is null ? "not serving yet" : Time(failover.Rto))}; objective {Time(failover.RtoObjective)}, expected {Time(failover.ExpectedRto)}");
        yield return ("RPO", $"{(failover.Rpo is null ? "not measured" : Time(failover.Rpo))}; objective {Time(failover.RpoObjective)}, consented {Time(failover.MaximumDataLoss)}");
        yield return ("Objectives", failover.MetObjectives switch { true => "met", false => "not met", null => "open" });
        yield return ("Critical path", string.Join(", ", failover.CriticalPath));
        yield return ("Approved", string.Join(", ", failover.Steps.Where(s => s.ApprovedBy.Length > 0).Select(s => $"{s.Name} by {s.ApprovedBy}").DefaultIfEmpty("nothing had to be")));
    }

    private static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    private static string Time(TimeSpan? time) => time is { } t ? string.Create(CultureInfo.InvariantCulture, $"{(int)t.TotalHours:00}:{t.Minutes:00}:{t.Seconds:00}") : "";

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
