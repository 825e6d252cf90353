using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>C# expressions about single values, the same for every protocol.</summary>
internal sealed class Values(ServiceModel model)
{
    private const string Texts = "global::Amazon.Runtime.Internal.Util.StringUtils";

    public bool IsEpochMilliseconds(string owner, Member member) => model.Customization.EpochMilliseconds.Contains($"{owner}.{member.Name}");

    public string IsSet(Member member, string expression, string owner)
    {
        Shape shape = model[member];
        return shape.Type switch
        {
            "list" or "map" => $"global::Inferloop.Aws.Clients.Wire.IsSet({expression})",
            "structure" when shape.IsDocument => $"!{expression}.IsNull()",
            "string" or "character" or "structure" or "blob" => $"{expression} != null",
            _ => $"{expression}.HasValue",
        };
    }

    /// <summary>The value of a property that is known to be set.</summary>
    public string Unwrap(Member member, string expression, string owner) => model[member].Type switch
    {
        "integer" or "short" or "byte" or "long" or "float" or "double" or "boolean" or "timestamp" => expression + ".Value",
        _ => expression,
    };

    /// <summary>A scalar as text, as it stands in a query, a path, a header or an XML element.</summary>
    public string Text(Member member, string expression, string defaultTimestampFormat, bool isElement = false)
    {
        Shape shape = model[member];
        return shape.Type switch
        {
            "string" when shape.IsEnum && !isElement => expression + ".Value",
            "string" or "character" => $"{Texts}.FromString({expression})",
            "integer" or "short" or "byte" => $"{Texts}.FromInt({expression})",
            "long" => $"{Texts}.FromLong({expression})",
            "float" => $"{Texts}.FromFloat({expression})",
            "double" => $"{Texts}.FromDouble({expression})",
            "boolean" => $"{Texts}.FromBool({expression})",
            "blob" => $"{Texts}.FromMemoryStream({expression})",
            "timestamp" => (member.TimestampFormat ?? shape.TimestampFormat ?? defaultTimestampFormat) switch
            {
                "iso8601" => $"{Texts}.FromDateTimeToISO8601WithOptionalMs({expression})",
                "rfc822" => $"{Texts}.FromDateTimeToRFC822({expression})",
                _ => $"{Texts}.FromDateTimeToUnixTimestamp({expression})",
            },
            _ => throw new NotSupportedException($"{model.Names.File}: a {shape.Type} ({shape.Name}) cannot be text"),
        };
    }

    /// <summary>Parses text (a header, an XML element) into the type of a property or of an element.</summary>
    public string Parse(Member member, string text, bool isElement)
    {
        Shape shape = model[member];
        const string Wire = "global::Inferloop.Aws.Clients.Wire";
        string plain = isElement ? ".GetValueOrDefault()" : "";
        return shape.Type switch
        {
            "string" or "character" => text,
            "integer" or "short" or "byte" => $"{Wire}.ParseInt({text}){plain}",
            "long" => $"{Wire}.ParseLong({text}){plain}",
            "float" => $"{Wire}.ParseFloat({text}){plain}",
            "double" => $"{Wire}.ParseDouble({text}){plain}",
            "boolean" => $"{Wire}.ParseBool({text}){plain}",
            "timestamp" => $"{Wire}.ParseTimestamp({text}){plain}",
            "blob" => $"{Wire}.ParseBlob({text})",
            _ => throw new NotSupportedException($"{model.Names.File}: a {shape.Type} ({shape.Name}) cannot be read from text"),
        };
    }
}
