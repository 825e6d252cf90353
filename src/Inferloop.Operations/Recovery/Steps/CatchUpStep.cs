using System.Globalization;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>Waits until the new replica is close behind what it follows, while writers still write there; the rest is short then.</summary>
internal static class CatchUpStep
{
    private const double Close = 60;

    public static readonly FailoverAction Action = new(RunAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (await DatabaseStep.FindAsync(context, cancellation).ConfigureAwait(false) is not { } instance)
        {
            return "there is no database that follows";
        }

        var identifier = instance.DBInstanceIdentifier;
        double? last = null;
        await context.UntilAsync(
            TimeSpan.FromHours(6),
            async ct =>
            {
                last = (await RecoveryMeter.ReplicaLagAsync(context, identifier, ct).ConfigureAwait(false))?.Value;
                return last is null ? "there is no datum of its lag yet" : last <= Close ? null : string.Create(CultureInfo.InvariantCulture, $"it is {last:0} s behind");
            },
            $"{identifier} is waited for to catch up", cancellation).ConfigureAwait(false);
        return string.Create(CultureInfo.InvariantCulture, $"{identifier} is {last:0} s behind");
    }
}
