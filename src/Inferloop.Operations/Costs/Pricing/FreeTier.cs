using System.Collections.Frozen;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>What AWS gives every account each month without end. Allowances of the first year and trial credits are not here: they end.</summary>
internal sealed class FreeTier
{
    // Dimensions that draw on one allowance have one pool.
    private static readonly FrozenDictionary<(string Service, string Dimension), (string Pool, decimal Amount)> s_allowances =
        new Dictionary<(string, string), (string, decimal)>
        {
            [("data_transfer", "internet_out_gb")] = ("internet", 100),
            [("lambda", "x86_request")] = ("lambda requests", 1_000_000),
            [("lambda", "arm_request")] = ("lambda requests", 1_000_000),
            [("lambda", "x86_gb_second")] = ("lambda time", 400_000),
            [("lambda", "arm_gb_second")] = ("lambda time", 400_000),
            [("dynamodb", "storage_gb_month")] = ("table storage", 25),
            [("dynamodb", "provisioned_rcu_hour")] = ("table reads", 25 * Month.Hours),
            [("dynamodb", "provisioned_wcu_hour")] = ("table writes", 25 * Month.Hours),
            [("dynamodb", "streams_read_request_unit")] = ("table streams", 2_500_000),
            [("sqs", "standard_request")] = ("queues", 1_000_000),
            [("sqs", "fifo_request")] = ("queues", 1_000_000),
            [("sns", "standard_api_request")] = ("topics", 1_000_000),
            [("cloudwatch", "metric_month")] = ("metrics", 10),
            [("cloudwatch", "alarm_standard_metric_month")] = ("alarms", 10),
            [("cloudwatch", "dashboard_month")] = ("dashboards", 3),
            [("cloudwatch", "logs_ingest_standard_gb")] = ("logs", 5),
            [("kms", "request")] = ("keys", 20_000),
            [("codebuild", "linux_general1_small_minute")] = ("builds", 100),
            [("codepipeline", "v1_active_pipeline_month")] = ("pipelines", 1),
            [("codepipeline", "v2_action_minute")] = ("pipeline minutes", 100),
            [("cloudfront", "us_out_gb")] = ("cloudfront", 1024),
            [("cloudfront", "us_https_10000_requests")] = ("cloudfront requests", 1000),
            [("step_functions", "standard_state_transition")] = ("transitions", 4000),
            [("xray", "trace_recorded")] = ("traces", 100_000),
        }.ToFrozenDictionary();

    private readonly Dictionary<string, Quantity> _used = new(StringComparer.Ordinal);

    /// <summary>What of a quantity is free; what is taken is gone for the next dimension or region that draws on the same allowance.</summary>
    public Quantity Take(string service, string dimension, Quantity quantity)
    {
        if (!s_allowances.TryGetValue((service, dimension), out var allowance))
        {
            return 0m;
        }

        var used = _used.GetValueOrDefault(allowance.Pool);
        Quantity free = new(
            Math.Min(quantity.Low, allowance.Amount - used.Low),
            Math.Min(quantity.Expected, allowance.Amount - used.Expected),
            Math.Min(quantity.High, allowance.Amount - used.High));
        _used[allowance.Pool] = used + free;
        return free;
    }
}
