using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services;

/// <summary>The arithmetic of scaling policies that Application Auto Scaling and EC2 Auto Scaling share.</summary>
internal static class StepScaling
{
    /// <summary>What is wrong with step adjustments, in AWS's words; null when nothing is.</summary>
    public static string? Problem(JsonObject settings)
    {
        var steps = settings.Objects("StepAdjustments").ToList();
        if (steps.Count == 0)
        {
            return "There must be at least one step adjustment.";
        }
        if (settings.Text("AdjustmentType") is null)
        {
            return "AdjustmentType is required for policies of type StepScaling.";
        }
        var spans = steps.Select(step => (Low: step.Double("MetricIntervalLowerBound") ?? double.NegativeInfinity, High: step.Double("MetricIntervalUpperBound") ?? double.PositiveInfinity)).OrderBy(span => span.Low).ToList();
        if (spans.Exists(span => span.Low >= span.High))
        {
            return "Lower bound of a step adjustment must be less than its upper bound.";
        }
        if (spans.Zip(spans.Skip(1)).Any(pair => pair.First.High > pair.Second.Low))
        {
            return "Step adjustment intervals can't overlap.";
        }
        return spans.Zip(spans.Skip(1)).Any(pair => pair.First.High < pair.Second.Low) ? "There must not be a gap between step adjustment intervals." : null;
    }

    /// <summary>The capacity that a step policy asks for; null when no step fits the metric.</summary>
    public static int? Wanted(JsonObject settings, int capacity, double metric, double threshold)
    {
        var difference = metric - threshold;
        var step = settings.Objects("StepAdjustments").FirstOrDefault(item =>
        {
            var (low, high) = (item.Double("MetricIntervalLowerBound") ?? double.NegativeInfinity, item.Double("MetricIntervalUpperBound") ?? double.PositiveInfinity);
            // Bounds belong to the step on the side of the threshold that the metric is on.
            return difference >= 0 ? difference >= low && difference < high : difference > low && difference <= high;
        });
        return step?.Int("ScalingAdjustment") is { } adjustment ? Adjusted(settings, capacity, adjustment) : null;
    }

    /// <summary>A capacity by an adjustment of some type.</summary>
    public static int Adjusted(JsonObject settings, int capacity, int adjustment)
    {
        switch (settings.Text("AdjustmentType"))
        {
            case "ExactCapacity":
                return adjustment;
            case "PercentChangeInCapacity":
                var exact = capacity * adjustment / 100.0;
                // Between one and none it is one; greater ones lose their fraction.
                var change = exact is > 0 and < 1 ? 1 : exact is < 0 and > -1 ? -1 : (int)Math.Truncate(exact);
                var least = settings.Int("MinAdjustmentMagnitude") ?? 0;
                return capacity + (Math.Abs(change) < least ? Math.Sign(change) * least : change);
            default:
                return capacity + adjustment;
        }
    }

    /// <summary>The capacity that brings a metric, which is shared by the capacity, to its target.</summary>
    public static int Tracking(int capacity, double metric, double target) => target <= 0 ? capacity : (int)Math.Ceiling(Math.Round(capacity * metric / target, 6));
}
