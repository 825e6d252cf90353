using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

/// <summary>Input from and output to an HTTP message as the REST protocols bind members: labels, query, headers, body.</summary>
internal static class RestBinding
{
    public static JsonObject Read(ServiceModel model, RouteMatch match, ServiceRequest request)
    {
        if (match.Operation.Input is not { } shape)
        {
            return [];
        }
        var json = model.Protocol == ProtocolKind.RestJson;
        var input = ReadBody(model, shape, request, json);
        foreach (var member in shape.Members)
        {
            var value = member.Location switch
            {
                "uri" => match.Labels.TryGetValue(member.WireName, out var label) ? Parse(member, label) : null,
                "querystring" => FromQuery(member, request),
                "header" => FromHeader(member, request),
                "headers" => FromHeaders(member, request),
                _ => null,
            };
            if (value is not null)
            {
                input[member.Name] = value;
            }
        }
        if (shape.Members.FirstOrDefault(member => member is { Location: "querystring", Shape.Type: ShapeType.Map }) is { } rest)
        {
            // A map in the query string takes the parameters that no other member is bound to.
            var bound = shape.Members.Where(member => member.Location == "querystring" && member != rest).Select(member => member.WireName).ToHashSet();
            var map = new JsonObject();
            foreach (var (key, value) in request.Query.Where(pair => !bound.Contains(pair.Key) && !match.Literals.ContainsKey(pair.Key)))
            {
                map[key] = rest.Shape.Value!.Shape.Type == ShapeType.List ? Append(map[key] as JsonArray, value) : value;
            }
            if (map.Count > 0)
            {
                input[rest.Name] = map;
            }
        }
        return input;
    }

    private static JsonArray Append(JsonArray? list, string value)
    {
        var result = list is null ? [] : (JsonArray)list.DeepClone();
        result.Add(value);
        return result;
    }

    private static JsonObject ReadBody(ServiceModel model, Shape shape, ServiceRequest request, bool json)
    {
        if (shape.Payload is { } payloadName)
        {
            var payload = shape.Member(payloadName)!;
            var result = new JsonObject();
            if (payload.IsStreaming || request.Body.IsEmpty)
            {
                return result;
            }
            result[payloadName] = payload.Shape.Type switch
            {
                ShapeType.Blob => Convert.ToBase64String(request.Body.Span),
                ShapeType.String => Encoding.UTF8.GetString(request.Body.Span),
                _ when json => JsonShapes.Read(payload, JsonShapes.Parse(request.Body.Span) ?? new JsonObject(), false),
                _ => XmlShapes.ReadStructure(payload.Shape, Root(model, payload, request)),
            };
            return result;
        }
        if (request.Body.IsEmpty || !shape.Members.Any(member => member.Location is null))
        {
            return [];
        }
        return json
            ? ReadJsonMembers(shape, JsonShapes.Parse(request.Body.Span))
            : XmlShapes.ReadStructure(shape, XmlShapes.Parse(request.Body)!);
    }

    private static JsonObject ReadJsonMembers(Shape shape, JsonNode? body)
    {
        var all = JsonShapes.ReadStructure(shape, body);
        // A member bound elsewhere is not taken from the body.
        foreach (var member in shape.Members.Where(member => member.Location is not null))
        {
            all.Remove(member.Name);
        }
        return all;
    }

    private static XElement Root(ServiceModel model, ShapeMember payload, ServiceRequest request)
    {
        var root = XmlShapes.Parse(request.Body)!;
        var expected = payload.LocationName ?? payload.Shape.LocationName ?? payload.ShapeName;
        return model.Name != "s3" || root.Name.LocalName == expected
            ? root
            : throw new MalformedInputException($"Expected {expected}, found {root.Name.LocalName}");
    }

    private static JsonNode? FromQuery(ShapeMember member, ServiceRequest request)
    {
        if (member.Shape.Type == ShapeType.List)
        {
            var values = request.Query.Where(pair => pair.Key == member.WireName).Select(pair => Parse(member.Shape.Item!, pair.Value)).ToArray();
            return values.Length == 0 ? null : new JsonArray(values);
        }
        return member.Shape.Type == ShapeType.Map || request.QueryValue(member.WireName) is not { } text || (text.Length == 0 && member.Shape.Type != ShapeType.String)
            ? null
            : Parse(member, text);
    }

    private static JsonNode? FromHeader(ShapeMember member, ServiceRequest request)
    {
        if ((request.Header(member.WireName.ToLowerInvariant()) ?? request.Trailers.GetValueOrDefault(member.WireName.ToLowerInvariant())) is not { } text)
        {
            return null;
        }
        if (member.JsonValue)
        {
            try
            {
                return Encoding.UTF8.GetString(Convert.FromBase64String(text));
            }
            catch (FormatException)
            {
                throw new MalformedInputException("Header is not base64") { Member = member.Name, Value = text };
            }
        }
        return member.Shape.Type == ShapeType.List
            ? new JsonArray(text.Split(',').Select(item => Parse(member.Shape.Item!, item.Trim())).ToArray())
            : Parse(member, text);
    }

    private static JsonObject? FromHeaders(ShapeMember member, ServiceRequest request)
    {
        var prefix = member.WireName.ToLowerInvariant();
        var map = new JsonObject();
        foreach (var (name, value) in request.Headers)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && name.Length > prefix.Length)
            {
                map[name[prefix.Length..]] = value;
            }
        }
        return map.Count == 0 ? null : map;
    }

    private static JsonNode Parse(ShapeMember member, string text) => Scalars.Parse(member.Shape, text)
        ?? throw new MalformedInputException($"{text} is not a valid {member.Shape.Type}") { Value = text, Member = member.Name };

    public static void Write(ServiceModel model, OperationModel operation, JsonObject output, RequestContext context, ServiceResponse response)
    {
        response.Status = context.ResponseStatus ?? operation.ResponseCode;
        if (operation.Output is not { } shape)
        {
            return;
        }
        foreach (var member in shape.Members)
        {
            if (member.Location is null || !output.TryGetPropertyValue(member.Name, out var value) || Scalars.IsNull(value))
            {
                continue;
            }
            switch (member.Location)
            {
                case "header":
                    response.Headers[member.WireName] = HeaderText(member, value!);
                    break;
                case "headers" when value is JsonObject map:
                    foreach (var (key, content) in map)
                    {
                        response.Headers[member.WireName + key] = Scalars.Text(content) ?? "";
                    }
                    break;
                case "statusCode" when Scalars.TryInteger(value, out var status):
                    response.Status = (int)status;
                    break;
            }
        }
        if (response.Status is 204 or 304)
        {
            return;
        }
        WriteBody(model, operation, shape, output, context, response);
    }

    private static string HeaderText(ShapeMember member, JsonNode value) => member.Shape.Type switch
    {
        ShapeType.Timestamp when Scalars.TryTimestamp(value, out var moment) =>
            Scalars.Format(moment, member.TimestampFormat ?? member.Shape.TimestampFormat ?? "rfc822"),
        ShapeType.List when value is JsonArray list => string.Join(",", list.Select(Scalars.Text)),
        _ when member.JsonValue => Convert.ToBase64String(Encoding.UTF8.GetBytes(Scalars.Text(value) ?? value.ToJsonString())),
        ShapeType.Double or ShapeType.Float when Scalars.TryDouble(value, out var number) => number.ToString("R", CultureInfo.InvariantCulture),
        _ => Scalars.Text(value) ?? value.ToJsonString(),
    };

    private static void WriteBody(ServiceModel model, OperationModel operation, Shape shape, JsonObject output, RequestContext context, ServiceResponse response)
    {
        var json = model.Protocol == ProtocolKind.RestJson;
        if (shape.Payload is { } payloadName && shape.Member(payloadName) is { } payload)
        {
            if (payload.IsStreaming)
            {
                response.Body = context.ResponsePayload;
                response.Headers.TryAdd("Content-Type", "application/octet-stream");
                return;
            }
            if (!output.TryGetPropertyValue(payloadName, out var content) || Scalars.IsNull(content))
            {
                return;
            }
            switch (payload.Shape.Type)
            {
                case ShapeType.Blob:
                    response.Body = Convert.FromBase64String(Scalars.Text(content)!);
                    break;
                case ShapeType.String:
                    response.Body = Encoding.UTF8.GetBytes(Scalars.Text(content)!);
                    // S3 answers a bucket policy as the JSON document itself.
                    response.Headers.TryAdd("Content-Type", "application/json");
                    break;
                case ShapeType.Structure when json:
                    response.Body = Messages.Json(writer => JsonShapes.Write(writer, payload, content!));
                    response.Headers.TryAdd("Content-Type", "application/json");
                    break;
                default:
                    response.Body = Messages.Xml(writer =>
                    {
                        writer.WriteStartElement(payload.LocationName ?? payload.Shape.LocationName ?? payload.ShapeName, Namespace(model, payload));
                        XmlShapes.WriteMembers(writer, payload.Shape, (JsonObject)content!);
                        writer.WriteEndElement();
                    });
                    response.Headers.TryAdd("Content-Type", "application/xml");
                    break;
            }
            return;
        }
        if (json)
        {
            response.Body = Messages.Json(writer => JsonShapes.WriteStructure(writer, shape, output));
            response.Headers.TryAdd("Content-Type", "application/json");
            return;
        }
        if (!shape.Members.Any(member => member.Location is null) || operation.Method == "HEAD")
        {
            return;
        }
        response.Body = Messages.Xml(writer => WriteXmlRoot(writer, model, operation, shape, output));
        response.Headers.TryAdd("Content-Type", "application/xml");
    }

    private static void WriteXmlRoot(XmlWriter writer, ServiceModel model, OperationModel operation, Shape shape, JsonObject output)
    {
        var ns = model.XmlNamespace ?? (model.Name == "s3" ? "http://s3.amazonaws.com/doc/2006-03-01/" : null);
        if (model.Name == "s3" && operation.Name == "GetBucketLocation")
        {
            // The one S3 answer whose only member is the root's text.
            writer.WriteElementString("LocationConstraint", ns, Scalars.Text(output["LocationConstraint"]) ?? "");
            return;
        }
        var root = model.Name == "s3" ? S3Names.Root(operation.Name, shape) : shape.LocationName ?? operation.OutputLocationName ?? shape.Name;
        writer.WriteStartElement(root, ns);
        XmlShapes.WriteMembers(writer, shape, output);
        writer.WriteEndElement();
    }

    private static string? Namespace(ServiceModel model, ShapeMember payload) =>
        payload.XmlNamespace ?? payload.Shape.XmlNamespace ?? model.XmlNamespace ?? (model.Name == "s3" ? "http://s3.amazonaws.com/doc/2006-03-01/" : null);
}

/// <summary>The root elements of S3's answers, which the model names after its shapes in a few cases only.</summary>
internal static class S3Names
{
    public static string Root(string operation, Shape shape) => operation switch
    {
        "ListBuckets" => "ListAllMyBucketsResult",
        "ListObjects" or "ListObjectsV2" => "ListBucketResult",
        "ListObjectVersions" => "ListVersionsResult",
        "ListMultipartUploads" => "ListMultipartUploadsResult",
        "ListParts" => "ListPartsResult",
        "CreateMultipartUpload" => "InitiateMultipartUploadResult",
        "CompleteMultipartUpload" => "CompleteMultipartUploadResult",
        "DeleteObjects" => "DeleteResult",
        "GetBucketAcl" or "GetObjectAcl" => "AccessControlPolicy",
        "GetBucketTagging" or "GetObjectTagging" => "Tagging",
        "GetBucketVersioning" => "VersioningConfiguration",
        "GetBucketLifecycleConfiguration" or "GetBucketLifecycle" => "LifecycleConfiguration",
        "GetBucketCors" => "CORSConfiguration",
        "GetBucketLogging" => "BucketLoggingStatus",
        "GetBucketWebsite" => "WebsiteConfiguration",
        "GetBucketNotificationConfiguration" or "GetBucketNotification" => "NotificationConfiguration",
        "GetBucketAccelerateConfiguration" => "AccelerateConfiguration",
        "GetBucketRequestPayment" => "RequestPaymentConfiguration",
        "GetObjectAttributes" => "GetObjectAttributesResponse",
        _ => shape.LocationName ?? shape.Name,
    };
}

/// <summary>Bytes of whole messages.</summary>
internal static class Messages
{
    private static readonly XmlWriterSettings XmlSettings = new() { Encoding = new UTF8Encoding(false), CheckCharacters = false, OmitXmlDeclaration = true };

    public static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(writer);
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Xml(Action<XmlWriter> write)
    {
        using var stream = new MemoryStream();
        // To the letter as AWS begins its documents.
        stream.Write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"u8);
        using (var writer = XmlWriter.Create(stream, XmlSettings))
        {
            write(writer);
        }
        return stream.ToArray();
    }
}
