using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <summary>The monthly price of evaluated stacks, in US dollars, and what has no price.</summary>
internal sealed record PlanPrice(decimal Monthly, IReadOnlyList<string> Unpriced)
{
    public static PlanPrice Nothing { get; } = new(0, []);

    public static PlanPrice? Of(EvaluatedStack stack)
    {
        _ = stack;
        return null; // until the estimator lands
    }
}
