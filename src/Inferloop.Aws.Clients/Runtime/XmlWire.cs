using System.Text;
using System.Xml;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;
using Amazon.Util;

namespace Inferloop.Aws.Clients;

/// <summary>XML bodies. A reading method starts on an element and leaves the reader past it.</summary>
internal static class XmlWire
{
    private static readonly XmlReaderSettings ReaderSettings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        IgnoreWhitespace = false,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        CloseInput = false,
    };

    public static void SetBody<T>(DefaultRequest request, T value, Action<XmlWriter, T> write)
    {
        using MemoryStream stream = new();
        using (XmlWriter writer = XmlWriter.Create(stream, new XmlWriterSettings { Encoding = new UTF8Encoding(false), OmitXmlDeclaration = true }))
        {
            write(writer, value);
        }

        request.Content = stream.ToArray();
        request.Headers[HeaderKeys.ContentTypeHeader] = "application/xml";
    }

    public static XmlReader Open(XmlUnmarshallerContext context)
    {
        XmlReader reader = XmlReader.Create(context.Stream, ReaderSettings);
        MoveToRoot(reader);
        return reader;
    }

    /// <summary>Stands on the Error element of an error's body; null where there is none.</summary>
    public static XmlReader? OpenError(byte[]? body)
    {
        if (body is null or { Length: 0 })
        {
            return null;
        }

        XmlReader reader = XmlReader.Create(new MemoryStream(body), ReaderSettings);
        while (reader.Read())
        {
            if (reader is { NodeType: XmlNodeType.Element, LocalName: "Error" })
            {
                return reader;
            }
        }

        reader.Dispose();
        return null;
    }

    /// <summary>Goes inside the element; false when it is empty, which also passes it.</summary>
    public static bool Enter(XmlReader reader)
    {
        if (reader.NodeType != XmlNodeType.Element)
        {
            return false;
        }

        bool empty = reader.IsEmptyElement;
        reader.Read();
        return !empty;
    }

    /// <summary>Stands on the next child element; false past the end of the parent.</summary>
    public static bool Next(XmlReader reader)
    {
        while (!reader.EOF)
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    return true;
                case XmlNodeType.EndElement:
                    reader.Read();
                    return false;
                default:
                    reader.Read();
                    break;
            }
        }

        return false;
    }

    public static string Text(XmlReader reader) => reader.ReadElementContentAsString();

    public static List<T> List<T>(XmlReader reader, Func<XmlReader, T> read)
    {
        List<T> list = [];
        for (bool more = Enter(reader); more && Next(reader);)
        {
            list.Add(read(reader));
        }

        return list;
    }

    public static Dictionary<string, T> Map<T>(XmlReader reader, string key, string value, Func<XmlReader, T> read)
    {
        Dictionary<string, T> map = [];
        for (bool more = Enter(reader); more && Next(reader);)
        {
            Entry(reader, map, key, value, read);
        }

        return map;
    }

    public static void Entry<T>(XmlReader reader, Dictionary<string, T> map, string key, string value, Func<XmlReader, T> read)
    {
        string? name = null;
        T? item = default;
        for (bool more = Enter(reader); more && Next(reader);)
        {
            if (reader.LocalName == key)
            {
                name = Text(reader);
            }
            else if (reader.LocalName == value)
            {
                item = read(reader);
            }
            else
            {
                reader.Skip();
            }
        }

        if (name is not null)
        {
            map[name] = item!;
        }
    }

    public static ResponseMetadata Metadata(XmlReader reader)
    {
        ResponseMetadata metadata = new();
        for (bool more = Enter(reader); more && Next(reader);)
        {
            if (reader.LocalName == "RequestId")
            {
                metadata.RequestId = Text(reader);
            }
            else
            {
                reader.Skip();
            }
        }

        return metadata;
    }

    private static void MoveToRoot(XmlReader reader)
    {
        try
        {
            reader.MoveToContent();
        }
        catch (XmlException) when (reader.ReadState is ReadState.Error or ReadState.EndOfFile && reader.Depth == 0 && reader.LocalName.Length == 0)
        {
            // An answer without a body: nothing to enter.
        }
    }
}
