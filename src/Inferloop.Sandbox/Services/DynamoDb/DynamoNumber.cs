using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>DynamoDB's number: up to 38 significant decimal digits, magnitudes from 1E-130 to 9.99…E+125; exact.</summary>
internal readonly struct DynamoNumber : IEquatable<DynamoNumber>, IComparable<DynamoNumber>
{
    private const int MaximumDigits = 38;
    private readonly BigInteger mantissa;
    private readonly int exponent;

    private DynamoNumber(BigInteger mantissa, int exponent)
    {
        if (mantissa.IsZero)
        {
            exponent = 0;
        }
        else
        {
            while (true)
            {
                var quotient = BigInteger.DivRem(mantissa, 10, out var remainder);
                if (!remainder.IsZero)
                {
                    break;
                }
                mantissa = quotient;
                exponent++;
            }
        }
        this.mantissa = mantissa;
        this.exponent = exponent;
    }

    public static DynamoNumber FromLong(long value) => new(value, 0);

    /// <summary>Reads a number; the error is DynamoDB's message when it is not one.</summary>
    public static bool TryParse(string text, out DynamoNumber number, [NotNullWhen(false)] out string? error)
    {
        number = default;
        error = $"The parameter cannot be converted to a numeric value: {text}";
        if (text.Length is 0 or > 400)
        {
            error = text.Length == 0 ? "The parameter cannot be converted to a numeric value" : error;
            return false;
        }
        var position = 0;
        var negative = text[0] == '-';
        if (text[0] is '-' or '+')
        {
            position++;
        }
        var digits = new System.Text.StringBuilder();
        var scale = 0;
        var sawPoint = false;
        var sawDigit = false;
        for (; position < text.Length; position++)
        {
            var c = text[position];
            if (char.IsAsciiDigit(c))
            {
                sawDigit = true;
                digits.Append(c);
                scale += sawPoint ? 1 : 0;
            }
            else if (c == '.' && !sawPoint)
            {
                sawPoint = true;
            }
            else
            {
                break;
            }
        }
        if (!sawDigit)
        {
            return false;
        }
        var power = 0;
        if (position < text.Length)
        {
            if (text[position] is not ('e' or 'E')
                || !int.TryParse(text.AsSpan(position + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out power)
                || Math.Abs(power) > 10_000)
            {
                return false;
            }
        }
        var value = new DynamoNumber(BigInteger.Parse(digits.ToString(), CultureInfo.InvariantCulture) * (negative ? -1 : 1), power - scale);
        return Check(value, out number, out error);
    }

    public static DynamoNumber operator -(DynamoNumber value) => new(-value.mantissa, value.exponent);

    /// <summary>The exact sum, if DynamoDB can hold it.</summary>
    public static bool TryAdd(DynamoNumber one, DynamoNumber other, out DynamoNumber sum, [NotNullWhen(false)] out string? error)
    {
        // Numbers too far apart for the sum to have 38 digits are refused before the digits are written out.
        if (Math.Abs(one.exponent - other.exponent) > 300)
        {
            sum = default;
            error = "Attempting to store more than 38 significant digits in a Number";
            return false;
        }
        var exponent = Math.Min(one.exponent, other.exponent);
        return Check(new DynamoNumber(one.Scaled(exponent) + other.Scaled(exponent), exponent), out sum, out error);
    }

    public int CompareTo(DynamoNumber other)
    {
        if (mantissa.Sign != other.mantissa.Sign)
        {
            return mantissa.Sign.CompareTo(other.mantissa.Sign);
        }
        if (mantissa.IsZero)
        {
            return 0;
        }
        var magnitude = (Digits(mantissa) + exponent).CompareTo(Digits(other.mantissa) + other.exponent);
        if (magnitude != 0)
        {
            return mantissa.Sign * magnitude;
        }
        var common = Math.Min(exponent, other.exponent);
        return Scaled(common).CompareTo(other.Scaled(common));
    }

    public bool Equals(DynamoNumber other) => exponent == other.exponent && mantissa == other.mantissa;

    public override bool Equals(object? obj) => obj is DynamoNumber other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(mantissa, exponent);

    /// <summary>The number as DynamoDB gives it back: without leading or trailing zeros and without an exponent.</summary>
    public override string ToString()
    {
        var digits = BigInteger.Abs(mantissa).ToString(CultureInfo.InvariantCulture);
        var sign = mantissa.Sign < 0 ? "-" : "";
        if (exponent >= 0)
        {
            return sign + digits + new string('0', exponent);
        }
        var point = digits.Length + exponent;
        return point > 0
            ? $"{sign}{digits[..point]}.{digits[point..]}"
            : $"{sign}0.{new string('0', -point)}{digits}";
    }

    /// <summary>The whole number this is, if it is one that fits.</summary>
    public long? ToLong() => exponent >= 0 && exponent < 19 && Scaled(0) is var value && value >= long.MinValue && value <= long.MaxValue ? (long)value : null;

    /// <summary>About one byte for two digits, and one more.</summary>
    public int Size => (Digits(mantissa) + 1) / 2 + 1 + (mantissa.Sign < 0 ? 1 : 0);

    private static bool Check(DynamoNumber value, out DynamoNumber number, [NotNullWhen(false)] out string? error)
    {
        number = value;
        error = null;
        if (value.mantissa.IsZero)
        {
            return true;
        }
        var digits = Digits(value.mantissa);
        error = digits > MaximumDigits ? "Attempting to store more than 38 significant digits in a Number"
            : digits + value.exponent > 126 ? "Number overflow. Attempting to store a number with magnitude larger than supported range"
            : digits + value.exponent < -129 ? "Number underflow. Attempting to store a number with magnitude smaller than supported range"
            : null;
        return error is null;
    }

    private static int Digits(BigInteger value) => value.IsZero ? 1 : BigInteger.Abs(value).ToString(CultureInfo.InvariantCulture).Length;

    private BigInteger Scaled(int to) => mantissa * BigInteger.Pow(10, exponent - to);
}
