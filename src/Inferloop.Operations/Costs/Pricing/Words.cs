namespace Inferloop.Operations.Costs.Pricing;

/// <summary>Numbers in sentences.</summary>
internal static class Words
{
    /// <summary>"the index", "each of 3 indexes", "no index".</summary>
    public static string Each(int number, string one, string many) => number switch { 0 => "no " + one, 1 => "the " + one, _ => $"each of {number} {many}" };
}
