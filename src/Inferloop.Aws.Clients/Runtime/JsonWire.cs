using System.Buffers;
using System.Text.Json;
using Amazon.Runtime;
using Amazon.Runtime.Documents;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;
using Amazon.Runtime.Internal.Util;
using Amazon.Util;

namespace Inferloop.Aws.Clients;

/// <summary>Reads the value a reader stands on.</summary>
internal delegate T JsonValueReader<out T>(ref StreamingUtf8JsonReader reader);

/// <summary>JSON bodies: written straight to UTF-8, read token by token.</summary>
internal static class JsonWire
{
    public static DefaultRequest Request(AmazonWebServiceRequest input, string service, string target, string contentType, string version)
    {
        DefaultRequest request = new(input, service) { HttpMethod = "POST", ResourcePath = "/" };
        request.Headers["X-Amz-Target"] = target;
        request.Headers[HeaderKeys.ContentTypeHeader] = contentType;
        request.Headers[HeaderKeys.XAmzApiVersion] = version;
        return request;
    }

    public static byte[] Body<T>(T value, Action<Utf8JsonWriter, T> write)
    {
        ArrayBufferWriter<byte> buffer = new();
        using Utf8JsonWriter writer = new(buffer);
        write(writer, value);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static void SetBody(DefaultRequest request, string contentType, byte[] body)
    {
        request.Headers[HeaderKeys.ContentTypeHeader] = contentType;
        request.Content = body;
    }

    public static void WriteTimestamp(Utf8JsonWriter writer, DateTime value) =>
        writer.WriteNumberValue(AWSSDKUtils.ConvertToUnixEpochSecondsDecimal(value));

    public static void WriteNumber(Utf8JsonWriter writer, double value)
    {
        if (StringUtils.IsSpecialDoubleValue(value))
        {
            writer.WriteStringValue(StringUtils.FromSpecialDoubleValue(value));
        }
        else
        {
            writer.WriteNumberValue(value);
        }
    }

    public static void WriteNumber(Utf8JsonWriter writer, float value)
    {
        if (StringUtils.IsSpecialFloatValue(value))
        {
            writer.WriteStringValue(StringUtils.FromSpecialFloatValue(value));
        }
        else
        {
            writer.WriteNumberValue(value);
        }
    }

    /// <summary>Stands the reader on the object of the answer; an answer without a body has none.</summary>
    public static bool Open(JsonUnmarshallerContext context, out StreamingUtf8JsonReader reader)
    {
        reader = default;
        if (context.ResponseData?.ContentLength == 0)
        {
            return false;
        }

        reader = new StreamingUtf8JsonReader(context.Stream);
        return reader.Read() && IsObject(ref reader);
    }

    public static bool Open(byte[] body, out StreamingUtf8JsonReader reader)
    {
        reader = default;
        if (body is null or { Length: 0 })
        {
            return false;
        }

        reader = new StreamingUtf8JsonReader(new MemoryStream(body));
        return reader.Read() && IsObject(ref reader);
    }

    public static bool IsObject(ref StreamingUtf8JsonReader reader) => reader.TokenType == JsonTokenType.StartObject;

    /// <summary>Goes to the next property's value, or past the end of the object.</summary>
    public static bool NextProperty(ref StreamingUtf8JsonReader reader, out string? name)
    {
        name = null;
        if (!reader.Read() || reader.TokenType == JsonTokenType.EndObject)
        {
            return false;
        }

        name = reader.GetString();
        return reader.Read();
    }

    public static void Skip(ref StreamingUtf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            return;
        }

        for (int depth = 1; depth > 0 && reader.Read();)
        {
            depth += reader.TokenType switch
            {
                JsonTokenType.StartObject or JsonTokenType.StartArray => 1,
                JsonTokenType.EndObject or JsonTokenType.EndArray => -1,
                _ => 0,
            };
        }
    }

    public static string? Text(ref StreamingUtf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return reader.GetString();
            case JsonTokenType.Number:
                return System.Text.Encoding.UTF8.GetString(reader.ValueSpan);
            case JsonTokenType.True:
                return "true";
            case JsonTokenType.False:
                return "false";
            default:
                Skip(ref reader);
                return null;
        }
    }

    public static int? Int(ref StreamingUtf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int value) ? value : (int?)Number(ref reader);

    public static long? Long(ref StreamingUtf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long value) ? value : (long?)Number(ref reader);

    public static float? Float(ref StreamingUtf8JsonReader reader) => (float?)Number(ref reader);

    public static double? Double(ref StreamingUtf8JsonReader reader) => Number(ref reader);

    public static bool? Bool(ref StreamingUtf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => Wire.ParseBool(Text(ref reader)),
    };

    public static DateTime? Timestamp(ref StreamingUtf8JsonReader reader) => Wire.ParseTimestamp(Text(ref reader));

    public static DateTime? Milliseconds(ref StreamingUtf8JsonReader reader) =>
        Long(ref reader) is { } value ? AWSSDKUtils.ConvertFromUnixEpochMilliseconds(value) : null;

    public static MemoryStream? Blob(ref StreamingUtf8JsonReader reader) => Wire.ParseBlob(Text(ref reader));

    public static List<T>? List<T>(ref StreamingUtf8JsonReader reader, JsonValueReader<T> read)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            Skip(ref reader);
            return null;
        }

        List<T> list = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            list.Add(read(ref reader));
        }

        return list;
    }

    public static Dictionary<string, T>? Map<T>(ref StreamingUtf8JsonReader reader, JsonValueReader<T> read)
    {
        if (!IsObject(ref reader))
        {
            Skip(ref reader);
            return null;
        }

        Dictionary<string, T> map = [];
        while (NextProperty(ref reader, out string? name))
        {
            map[name!] = read(ref reader);
        }

        return map;
    }

    public static Document Document(ref StreamingUtf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return new Document(Map(ref reader, static (ref StreamingUtf8JsonReader e) => Document(ref e)));
            case JsonTokenType.StartArray:
                return new Document(List(ref reader, static (ref StreamingUtf8JsonReader e) => Document(ref e)));
            case JsonTokenType.String:
                return new Document(reader.GetString());
            case JsonTokenType.True:
                return new Document(true);
            case JsonTokenType.False:
                return new Document(false);
            case JsonTokenType.Number:
                return reader.TryGetInt32(out int number) ? new Document(number)
                    : reader.TryGetInt64(out long big) ? new Document(big)
                    : new Document(Number(ref reader).GetValueOrDefault());
            default:
                return default;
        }
    }

    private static double? Number(ref StreamingUtf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out double value) ? value : Wire.ParseDouble(Text(ref reader));
}
