using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>
/// The address. Route 53 answers with the record of the standby once the health check of the primary's fails, and that one watches an alarm here, in
/// the region that takes over: a datum switches it. Neither Route 53's control plane (us-east-1) nor the region left is called.
/// </summary>
internal static class DnsStep
{
    public const string Namespace = "Inferloop/Recovery";
    public const string Metric = "FailedOver";

    /// <summary>Under which a failback keeps the alarm, which is not in the region that it goes to.</summary>
    public const string AlarmFact = "dns.alarm";

    public static readonly FailoverAction Action = new(
        (context, cancellation) => SwitchAsync(context, context.Run.Current.Direction == FailoverDirection.Failover, cancellation),
        async (context, cancellation) => await SwitchAsync(context, context.Run.Current.Direction != FailoverDirection.Failover, cancellation).ConfigureAwait(false));

    private static async Task<string?> SwitchAsync(FailoverContext context, bool over, CancellationToken cancellation)
    {
        // The switch is in the recovery region, whichever way it goes.
        var here = context.Run.Current.Direction == FailoverDirection.Failover ? context.Target : context.Source;
        var alarm = context.Run.Fact(AlarmFact) ?? context.Output("FailoverAlarm");
        if (alarm is null)
        {
            return null;
        }

        var watch = here.Aws.Client<IAmazonCloudWatch>();
        var environment = $"{context.Standby.Name}-{context.Standby.Stage.ToString().ToLowerInvariant()}";
        var wanted = over ? StateValue.ALARM : StateValue.OK;
        await context.UntilAsync(
            TimeSpan.FromMinutes(15),
            async ct =>
            {
                await watch.PutMetricDataAsync(
                    new PutMetricDataRequest
                    {
                        Namespace = Namespace,
                        MetricData = [new MetricDatum { MetricName = Metric, Value = over ? 1 : 0, Dimensions = [new Dimension { Name = "Environment", Value = environment }] }],
                    },
                    ct).ConfigureAwait(false);
                var found = (await watch.DescribeAlarmsAsync(new DescribeAlarmsRequest { AlarmNames = [alarm] }, ct).ConfigureAwait(false)).MetricAlarms?.FirstOrDefault();
                return found is null ? "it is not there" : found.StateValue == wanted ? null : $"it is {found.StateValue}";
            },
            $"The alarm {alarm} that switches the address is waited for to be {wanted}", cancellation).ConfigureAwait(false);
        return $"{context.Output("DnsName") ?? "the address"} leads to {(over ? context.Run.Current.Direction == FailoverDirection.Failover ? context.Run.Current.ToRegion : context.Run.Current.FromRegion : context.Run.Current.Direction == FailoverDirection.Failover ? context.Run.Current.FromRegion : context.Run.Current.ToRegion)}: {alarm} is {wanted}";
    }
}
