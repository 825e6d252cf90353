using System.Globalization;

namespace Inferloop.Operations.Scaling;

/// <summary>A metric of one's own as a spec writes it: namespace|metric|statistic|target, then up to two times |dimension|value.</summary>
internal sealed record ScalingMetric(string Namespace, string Name, string Statistic, double Target, IReadOnlyList<(string Name, string Value)> Dimensions)
{
    /// <summary>What the text may look like; the root template has the same.</summary>
    public const string Pattern = @"^[^|;:]{1,255}\|[^|;]{1,255}\|(Average|Maximum|Minimum|SampleCount|Sum)\|[0-9]{1,12}(\.[0-9]{1,6})?(\|[^|;:]{1,255}\|[^|;]{1,255}){0,2}$";

    public const string Meaning = "namespace|metric|statistic|target, then up to two times |dimension|value, such as Inferloop|QueueDepth|Average|20|Queue|jobs";

    /// <summary>The metric of a text that the pattern admits; null for an empty one.</summary>
    public static ScalingMetric? Parse(string text)
    {
        var parts = text.Split('|');
        return parts.Length is 4 or 6 or 8 && double.TryParse(parts[3], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var target)
            ? new ScalingMetric(parts[0], parts[1], parts[2], target, parts.Skip(4).Chunk(2).Select(d => (d[0], d[1])).ToList())
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join('|', [Namespace, Name, Statistic, Target.ToString("0.######", CultureInfo.InvariantCulture), .. Dimensions.SelectMany(d => new[] { d.Name, d.Value })]);
}
