using System.Globalization;
using M = System.Math;

namespace Inferloop.Sandbox.Services.CloudWatch.MetricMath;

/// <summary>Evaluates metric math over time series.</summary>
internal static class MathEvaluator
{
    public static MathValue Evaluate(string expression, MathScope scope) => Evaluate(MathParser.Parse(expression), scope);

    private static MathValue Evaluate(MathNode node, MathScope scope) => node switch
    {
        NumberNode number => new MathScalar(number.Value),
        TextNode text => new MathText(text.Value),
        NameNode name => scope.Values.TryGetValue(name.Name, out var value) ? value
            : name.Name is "REPEAT" or "LINEAR" or "DESC" or "ASC" or "AVG" or "MIN" or "MAX" or "SUM" ? new MathText(name.Name)
            : throw new MathException($"Error in expression: metric ID '{name.Name}' is undefined."),
        UnaryNode { Operator: "-" } unary => Map(Evaluate(unary.Operand, scope), static value => -value),
        UnaryNode unary => Map(Evaluate(unary.Operand, scope), static value => value == 0 ? 1 : 0),
        BinaryNode binary => Combine(Evaluate(binary.Left, scope), Evaluate(binary.Right, scope), Operation(binary.Operator)),
        ListNode list => new MathArray(list.Items.SelectMany(item => Items(Evaluate(item, scope))).ToList()),
        CallNode call => MathFunctions.Call(call.Function, call.Function == "ANOMALY_DETECTION_BAND" && call.Arguments.Count > 0 && call.Arguments[0] is NameNode banded
            ? [new MathText(banded.Name), .. call.Arguments.Skip(1).Select(argument => Evaluate(argument, scope))]
            : call.Arguments.Select(argument => Evaluate(argument, scope)).ToList(), scope),
        _ => throw new MathException("Error in expression."),
    };

    public static Func<double, double, double> Operation(string name) => name switch
    {
        "+" => static (a, b) => a + b,
        "-" => static (a, b) => a - b,
        "*" => static (a, b) => a * b,
        "/" => static (a, b) => b == 0 ? double.NaN : a / b,
        "^" => M.Pow,
        "==" => static (a, b) => a == b ? 1 : 0,
        "!=" => static (a, b) => a != b ? 1 : 0,
        "<" => static (a, b) => a < b ? 1 : 0,
        ">" => static (a, b) => a > b ? 1 : 0,
        "<=" => static (a, b) => a <= b ? 1 : 0,
        ">=" => static (a, b) => a >= b ? 1 : 0,
        "&&" => static (a, b) => a != 0 && b != 0 ? 1 : 0,
        _ => static (a, b) => a != 0 || b != 0 ? 1 : 0,
    };

    /// <summary>The series in a value; a number has none.</summary>
    public static IReadOnlyList<MathSeries> Items(MathValue value) => value switch
    {
        MathSeries series => [series],
        MathArray array => array.Items,
        _ => throw new MathException("Error in expression: a time series is needed where there is a scalar."),
    };

    public static MathValue Map(MathValue value, Func<double, double> change) => value switch
    {
        MathScalar scalar => new MathScalar(change(scalar.Value)),
        MathSeries series => series.Map(change),
        MathArray array => new MathArray(array.Items.Select(item => item.Map(change)).ToList()),
        _ => throw new MathException("Error in expression: a text cannot be calculated with."),
    };

    /// <summary>Two values by an operation; of two series only the moments that both have.</summary>
    public static MathValue Combine(MathValue left, MathValue right, Func<double, double, double> operation)
    {
        switch (left, right)
        {
            case (MathScalar one, MathScalar other):
                return new MathScalar(operation(one.Value, other.Value));
            case (MathSeries or MathArray, MathScalar scalar):
                return Map(left, value => operation(value, scalar.Value));
            case (MathScalar scalar, MathSeries or MathArray):
                return Map(right, value => operation(scalar.Value, value));
            case (MathSeries one, MathSeries other):
                return one.With(one.Points.Where(pair => other.Points.ContainsKey(pair.Key)).Select(pair => (pair.Key, operation(pair.Value, other.Points[pair.Key]))));
            case (MathArray array, MathSeries other):
                return new MathArray(array.Items.Select(item => (MathSeries)Combine(item, other, operation)).ToList());
            case (MathSeries one, MathArray array):
                return new MathArray(array.Items.Select(item => (MathSeries)Combine(one, item, operation) with { Label = item.Label }).ToList());
            case (MathArray one, MathArray other) when one.Items.Count == other.Items.Count:
                return new MathArray(one.Items.Zip(other.Items, (a, b) => (MathSeries)Combine(a, b, operation)).ToList());
            default:
                throw new MathException("Error in expression: the operands cannot be combined.");
        }
    }

    public static double Number(MathValue value) => value is MathScalar scalar ? scalar.Value : throw new MathException("Error in expression: a scalar is needed.");

    public static string Text(MathValue value) => value switch
    {
        MathText text => text.Value,
        MathScalar scalar => scalar.Value.ToString(CultureInfo.InvariantCulture),
        _ => throw new MathException("Error in expression: a text is needed."),
    };
}
