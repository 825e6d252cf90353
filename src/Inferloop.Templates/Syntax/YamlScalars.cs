using System.Globalization;
using System.Numerics;

namespace Inferloop.Templates.Syntax;

/// <summary>
/// What a plain (unquoted) YAML scalar means to CloudFormation, which reads YAML 1.1: <c>yes</c> is true, <c>0123</c> is octal,
/// <c>1:30</c> is sixty-based, <c>1.20</c> is 1.2. Dates stay strings (CloudFormation has no timestamp).
/// </summary>
internal static class YamlScalars
{
    public static (ScalarKind Kind, string Text) Resolve(string text)
    {
        switch (text)
        {
            case "" or "~" or "null" or "Null" or "NULL":
                return (ScalarKind.Null, "");
            case "true" or "True" or "TRUE" or "yes" or "Yes" or "YES" or "on" or "On" or "ON":
                return (ScalarKind.Boolean, "true");
            case "false" or "False" or "FALSE" or "no" or "No" or "NO" or "off" or "Off" or "OFF":
                return (ScalarKind.Boolean, "false");
        }

        var first = text[0];
        if (!(char.IsAsciiDigit(first) || first is '+' or '-' or '.') || text.Length > 128)
        {
            return (ScalarKind.String, text);
        }

        if (TryInteger(text, out var integer))
        {
            return (ScalarKind.Integer, integer.ToString(CultureInfo.InvariantCulture));
        }

        return TryFloat(text, out var number) ? (ScalarKind.Float, JavaDouble(number)) : (ScalarKind.String, text);
    }

    /// <summary>A double in the form the service shows it in (Java's): 5.0, 1.2, 1.0E10.</summary>
    public static string JavaDouble(double value)
    {
        if (double.IsNaN(value))
        {
            return "NaN";
        }

        if (double.IsInfinity(value))
        {
            return value > 0 ? "Infinity" : "-Infinity";
        }

        var magnitude = Math.Abs(value);
        if (magnitude == 0)
        {
            return double.IsNegative(value) ? "-0.0" : "0.0";
        }

        if (magnitude is >= 1e-3 and < 1e7)
        {
            var plain = value.ToString("0.0################", CultureInfo.InvariantCulture);
            return double.Parse(plain, CultureInfo.InvariantCulture).Equals(value)
                ? plain
                : decimal.Parse(value.ToString("R", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
        }

        var digits = value.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = value.ToString("R", CultureInfo.InvariantCulture);
        // The mantissa with the fewest digits that still reads back as the same number.
        for (var precision = 1; precision <= 16; precision++)
        {
            var candidate = value.ToString("E" + precision.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            if (double.Parse(candidate, CultureInfo.InvariantCulture).Equals(double.Parse(shortest, CultureInfo.InvariantCulture)))
            {
                digits = candidate;
                break;
            }
        }

        var split = digits.IndexOf('E', StringComparison.Ordinal);
        var exponent = int.Parse(digits[(split + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = digits[..split].TrimEnd('0');
        return $"{(mantissa.EndsWith('.') ? mantissa + "0" : mantissa)}E{exponent.ToString(CultureInfo.InvariantCulture)}";
    }

    private static bool TryInteger(string text, out BigInteger value)
    {
        value = default;
        var negative = text[0] == '-';
        var body = (negative || text[0] == '+' ? text[1..] : text).Replace("_", "", StringComparison.Ordinal);
        if (body.Length == 0 || !char.IsAsciiDigit(text[negative || text[0] == '+' ? 1 : 0]))
        {
            return false;
        }

        bool read;
        if (body == "0")
        {
            value = BigInteger.Zero;
            read = true;
        }
        else if (body.StartsWith("0b", StringComparison.Ordinal))
        {
            read = TryRadix(body.AsSpan(2), 2, out value);
        }
        else if (body.StartsWith("0x", StringComparison.Ordinal))
        {
            read = TryRadix(body.AsSpan(2), 16, out value);
        }
        else if (body[0] == '0')
        {
            read = TryRadix(body.AsSpan(1), 8, out value);
        }
        else if (body.Contains(':', StringComparison.Ordinal))
        {
            read = TrySexagesimal(body, out value);
        }
        else
        {
            read = TryRadix(body, 10, out value);
        }

        value = negative ? -value : value;
        return read;
    }

    private static bool TryRadix(ReadOnlySpan<char> digits, int radix, out BigInteger value)
    {
        value = BigInteger.Zero;
        if (digits.IsEmpty)
        {
            return false;
        }

        foreach (var digit in digits)
        {
            var number = char.IsAsciiHexDigit(digit) ? Convert.ToInt32(digit.ToString(), 16) : 99;
            if (number >= radix)
            {
                return false;
            }

            value = value * radix + number;
        }

        return true;
    }

    private static bool TrySexagesimal(string text, out BigInteger value)
    {
        value = BigInteger.Zero;
        var parts = text.Split(':');
        for (var i = 0; i < parts.Length; i++)
        {
            if (!TryRadix(parts[i], 10, out var part) || (i > 0 && (parts[i].Length > 2 || part > 59)))
            {
                return false;
            }

            value = value * 60 + part;
        }

        return true;
    }

    private static bool TryFloat(string text, out double value)
    {
        value = 0;
        var unsigned = text[0] is '+' or '-' ? text[1..] : text;
        if (unsigned is ".inf" or ".Inf" or ".INF")
        {
            value = text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        if (text is ".nan" or ".NaN" or ".NAN")
        {
            value = double.NaN;
            return true;
        }

        var digits = false;
        var mark = false;
        for (var i = 0; i < unsigned.Length; i++)
        {
            var c = unsigned[i];
            if (char.IsAsciiDigit(c))
            {
                digits = true;
            }
            else if (c == '.')
            {
                if (mark)
                {
                    return false;
                }

                mark = true;
            }
            else if (c is 'e' or 'E')
            {
                var exponent = unsigned[(i + 1)..];
                var sign = exponent.Length > 0 && exponent[0] is '+' or '-' ? 1 : 0;
                if (!digits || exponent.Length == sign || !exponent.AsSpan(sign).ContainsOnlyDigits())
                {
                    return false;
                }

                mark = true;
                break;
            }
            else if (c != '_' || !digits)
            {
                return false;
            }
        }

        return digits && mark
            && double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    private static bool ContainsOnlyDigits(this ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiDigit(c))
            {
                return false;
            }
        }

        return true;
    }
}
