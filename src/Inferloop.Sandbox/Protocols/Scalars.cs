using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Protocols;

/// <summary>
/// Scalars between the documents and the wire. In documents a timestamp is an ISO 8601 string in UTC, a blob a base64 string, and
/// numbers and booleans are JSON's own. Writers accept a few other forms too (epoch seconds, text of a number), readers give only these.
/// </summary>
internal static class Scalars
{
    private const string IsoFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>A moment as documents hold it.</summary>
    public static string Timestamp(DateTimeOffset moment) => moment.UtcDateTime.ToString(IsoFormat, CultureInfo.InvariantCulture);

    /// <summary>Text of a scalar; null for a null, an array or an object.</summary>
    public static string? Text(JsonNode? node)
    {
        if (node is not JsonValue value)
        {
            return null;
        }
        if (value.TryGetValue<string>(out var text))
        {
            return text;
        }
        if (value.TryGetValue<bool>(out var flag))
        {
            return flag ? "true" : "false";
        }
        if (value.TryGetValue<DateTimeOffset>(out var moment))
        {
            return Timestamp(moment);
        }
        if (value.TryGetValue<DateTime>(out var dateTime))
        {
            return Timestamp(dateTime.ToUniversalTime());
        }
        if (value.TryGetValue<double>(out var number) && number == Math.Floor(number) && Math.Abs(number) < 1e15)
        {
            return ((long)number).ToString(CultureInfo.InvariantCulture);
        }
        return value.ToJsonString().Trim('"');
    }

    public static bool TryInteger(JsonNode? node, out long number)
    {
        number = 0;
        if (node is not JsonValue value)
        {
            return false;
        }
        if (value.TryGetValue(out number))
        {
            return true;
        }
        if (value.TryGetValue<int>(out var small))
        {
            number = small;
            return true;
        }
        if (value.TryGetValue<string>(out var text))
        {
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
        }
        if (TryDouble(node, out var real) && real == Math.Floor(real) && Math.Abs(real) <= 9.2e18)
        {
            number = (long)real;
            return true;
        }
        return false;
    }

    public static bool TryDouble(JsonNode? node, out double number)
    {
        number = 0;
        if (node is not JsonValue value)
        {
            return false;
        }
        if (value.TryGetValue(out number))
        {
            return true;
        }
        if (value.TryGetValue<decimal>(out var exact))
        {
            number = (double)exact;
            return true;
        }
        if (value.TryGetValue<long>(out var whole))
        {
            number = whole;
            return true;
        }
        if (value.TryGetValue<int>(out var small))
        {
            number = small;
            return true;
        }
        if (value.TryGetValue<float>(out var single))
        {
            number = single;
            return true;
        }
        return value.TryGetValue<string>(out var text)
            && text.Length > 0
            && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }

    public static bool TryBoolean(JsonNode? node, out bool flag)
    {
        flag = false;
        if (node is not JsonValue value)
        {
            return false;
        }
        if (value.TryGetValue(out flag))
        {
            return true;
        }
        switch (value.TryGetValue<string>(out var text) ? text : null)
        {
            case "true" or "True" or "TRUE" or "1":
                flag = true;
                return true;
            case "false" or "False" or "FALSE" or "0":
                return true;
            default:
                return false;
        }
    }

    public static bool TryTimestamp(JsonNode? node, out DateTimeOffset moment)
    {
        moment = default;
        if (node is not JsonValue value)
        {
            return false;
        }
        if (value.TryGetValue<DateTimeOffset>(out moment))
        {
            return true;
        }
        if (value.TryGetValue<DateTime>(out var dateTime))
        {
            moment = new DateTimeOffset(dateTime.ToUniversalTime());
            return true;
        }
        if (value.TryGetValue<string>(out var text))
        {
            return TryTimestamp(text, out moment);
        }
        return TryDouble(node, out var seconds) && TryEpoch(seconds, out moment);
    }

    /// <summary>ISO 8601, RFC 822 or epoch seconds.</summary>
    public static bool TryTimestamp(string text, out DateTimeOffset moment)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && !text.Contains('T', StringComparison.Ordinal))
        {
            return TryEpoch(seconds, out moment);
        }
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out moment);
    }

    public static bool TryEpoch(double seconds, out DateTimeOffset moment)
    {
        if (double.IsFinite(seconds) && seconds is >= -62135596800 and <= 253402300799)
        {
            moment = DateTimeOffset.FromUnixTimeMilliseconds((long)Math.Round(seconds * 1000));
            return true;
        }
        moment = default;
        return false;
    }

    public static double Epoch(DateTimeOffset moment) => moment.ToUnixTimeMilliseconds() / 1000.0;

    public static string Format(DateTimeOffset moment, string? format) => format switch
    {
        "unixTimestamp" => Epoch(moment).ToString(CultureInfo.InvariantCulture),
        "rfc822" => moment.UtcDateTime.ToString("R", CultureInfo.InvariantCulture),
        _ => Timestamp(moment),
    };

    public static bool IsBase64(string text)
    {
        var buffer = new byte[(text.Length * 3 / 4) + 3];
        return Convert.TryFromBase64String(text, buffer, out _);
    }

    /// <summary>A scalar given as text, in the document's form of its type; null when the text is not of that type.</summary>
    public static JsonNode? Parse(Shape shape, string text)
    {
        switch (shape.Type)
        {
            case ShapeType.Integer:
                return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var small) && small is >= int.MinValue and <= int.MaxValue
                    ? JsonValue.Create(small)
                    : null;
            case ShapeType.Long:
                return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? JsonValue.Create(whole) : null;
            case ShapeType.Float or ShapeType.Double:
                return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) ? JsonValue.Create(real) : null;
            case ShapeType.Boolean:
                return TryBoolean(JsonValue.Create(text), out var flag) ? JsonValue.Create(flag) : null;
            case ShapeType.Timestamp:
                return TryTimestamp(text, out var moment) ? JsonValue.Create(Timestamp(moment)) : null;
            case ShapeType.Blob:
                return IsBase64(text) ? JsonValue.Create(text) : null;
            default:
                return JsonValue.Create(text);
        }
    }

    public static bool IsNull(JsonNode? node) => node is null || (node is JsonValue value && value.GetValueKind() == JsonValueKind.Null);
}
