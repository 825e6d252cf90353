namespace Inferloop.Operations.Costs.Pricing;

/// <summary>A quantity a month with its range; low is at most expected, expected at most high.</summary>
internal readonly record struct Quantity(decimal Low, decimal Expected, decimal High)
{
    public bool IsZero => High == 0;

    public static implicit operator Quantity(decimal value) => new(value, value, value);

    public static Quantity operator *(Quantity quantity, decimal factor) => new(quantity.Low * factor, quantity.Expected * factor, quantity.High * factor);

    public static Quantity operator /(Quantity quantity, decimal divisor) => new(quantity.Low / divisor, quantity.Expected / divisor, quantity.High / divisor);

    public static Quantity operator +(Quantity a, Quantity b) => new(a.Low + b.Low, a.Expected + b.Expected, a.High + b.High);

    public Quantity Select(Func<decimal, decimal> change) => new(change(Low), change(Expected), change(High));
}
