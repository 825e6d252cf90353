namespace Inferloop.Operations.Costs.Pricing;

/// <summary>The month that every estimate means: 730 hours, a twelfth of a year.</summary>
internal static class Month
{
    public const decimal Hours = 730m;
    public const decimal Seconds = Hours * 3600m;
    public const decimal Minutes = Hours * 60m;

    /// <summary>Days as months.</summary>
    public static decimal FromDays(decimal days) => days * 24m / Hours;
}
