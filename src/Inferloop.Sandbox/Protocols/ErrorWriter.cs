using System.Xml;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

/// <summary>A fault as AWS's error in the protocol of the request.</summary>
internal static class ErrorWriter
{
    public static ServiceResponse Write(ProtocolKind kind, ServiceModel? model, ServiceFault fault, string requestId, ServiceRequest request)
    {
        var shape = model?.Error(fault.Code);
        var status = fault.Status != 400 ? fault.Status
            : kind is ProtocolKind.Json or ProtocolKind.RpcV2Cbor && shape is not null ? (shape.IsFault ? 500 : 400)
            : shape?.ErrorStatus ?? (shape?.IsFault == true ? 500 : 400);
        var wireCode = shape?.ErrorCode ?? fault.Code;
        // JSON protocols name the shape, the others (and the query header) its wire code.
        var shapeName = shape?.Name ?? fault.Code;
        var sender = status < 500;
        var response = new ServiceResponse { Status = status };
        switch (kind)
        {
            case ProtocolKind.Json or ProtocolKind.RestJson:
                response.Headers["x-amzn-RequestId"] = requestId;
                response.Headers["x-amzn-ErrorType"] = shapeName;
                response.Headers["Content-Type"] = kind == ProtocolKind.Json && model is not null ? $"application/x-amz-json-{model.JsonVersion}" : "application/json";
                QueryError(response, model, wireCode, sender);
                response.Body = Messages.Json(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteString("__type", shapeName);
                    var messageName = shape?.Members.FirstOrDefault(member => member.Name.Equals("message", StringComparison.OrdinalIgnoreCase))?.WireName ?? "message";
                    if (fault.Message.Length > 0)
                    {
                        writer.WriteString(messageName, fault.Message);
                    }
                    Members(fault, shape, messageName, member =>
                    {
                        writer.WritePropertyName(member.WireName);
                        JsonShapes.Write(writer, member, fault.Members![member.Name]!);
                    });
                    writer.WriteEndObject();
                });
                break;
            case ProtocolKind.RpcV2Cbor:
                response.Headers["x-amzn-RequestId"] = requestId;
                response.Headers["smithy-protocol"] = "rpc-v2-cbor";
                response.Headers["Content-Type"] = "application/cbor";
                QueryError(response, model, wireCode, sender);
                var cbor = new CborWriter();
                cbor.WriteMap(2);
                cbor.WriteText("__type");
                cbor.WriteText(shapeName);
                cbor.WriteText("message");
                cbor.WriteText(fault.Message);
                response.Body = cbor.ToArray();
                break;
            case ProtocolKind.Ec2:
                Xml(response, requestId, writer =>
                {
                    writer.WriteStartElement("Response");
                    writer.WriteStartElement("Errors");
                    writer.WriteStartElement("Error");
                    writer.WriteElementString("Code", Clean(wireCode));
                    writer.WriteElementString("Message", Clean(fault.Message));
                    writer.WriteEndElement();
                    writer.WriteEndElement();
                    writer.WriteElementString("RequestID", requestId);
                    writer.WriteEndElement();
                });
                break;
            case ProtocolKind.RestXml when model is null || model.Name == "s3":
                S3(response, fault, shape, wireCode, requestId, request);
                break;
            default:
                Xml(response, requestId, writer =>
                {
                    writer.WriteStartElement("ErrorResponse", model?.XmlNamespace ?? "http://webservices.amazon.com/AWSFault/2005-15-09");
                    writer.WriteStartElement("Error");
                    writer.WriteElementString("Type", sender ? "Sender" : "Receiver");
                    writer.WriteElementString("Code", wireCode);
                    writer.WriteElementString("Message", Clean(fault.Message));
                    if (shape is not null && fault.Members is not null)
                    {
                        XmlShapes.WriteMembers(writer, shape, fault.Members);
                    }
                    writer.WriteEndElement();
                    writer.WriteElementString("RequestId", requestId);
                    writer.WriteEndElement();
                });
                break;
        }
        if (fault.Headers is not null)
        {
            foreach (var (name, value) in fault.Headers)
            {
                response.Headers[name] = value;
            }
        }
        return response;
    }

    private static void QueryError(ServiceResponse response, ServiceModel? model, string code, bool sender)
    {
        if (model?.IsQueryCompatible == true)
        {
            response.Headers["x-amzn-query-error"] = $"{code};{(sender ? "Sender" : "Receiver")}";
        }
    }

    private static void Members(ServiceFault fault, Shape? shape, string messageName, Action<ShapeMember> write)
    {
        if (fault.Members is null || shape is null)
        {
            return;
        }
        foreach (var member in shape.Members)
        {
            if (member.WireName != messageName && fault.Members.TryGetPropertyValue(member.Name, out var value) && !Scalars.IsNull(value))
            {
                write(member);
            }
        }
    }

    private static void S3(ServiceResponse response, ServiceFault fault, Shape? shape, string code, string requestId, ServiceRequest request)
    {
        response.Headers["x-amz-request-id"] = requestId;
        response.Headers["x-amz-id-2"] = requestId + requestId;
        if (request.Method == "HEAD" || response.Status == 304)
        {
            // A HEAD has no body to say it in; the status is all its caller gets.
            return;
        }
        response.Headers["Content-Type"] = "application/xml";
        response.Body = Messages.Xml(writer =>
        {
            writer.WriteStartElement("Error");
            writer.WriteElementString("Code", code);
            writer.WriteElementString("Message", Clean(fault.Message));
            if (fault.Members is not null)
            {
                foreach (var (name, value) in fault.Members)
                {
                    writer.WriteElementString(name, Clean(Scalars.Text(value) ?? ""));
                }
            }
            _ = shape;
            writer.WriteElementString("Resource", Clean(request.RawPath));
            writer.WriteElementString("RequestId", requestId);
            writer.WriteElementString("HostId", requestId + requestId);
            writer.WriteEndElement();
        });
    }

    private static void Xml(ServiceResponse response, string requestId, Action<XmlWriter> write)
    {
        response.Headers["x-amzn-RequestId"] = requestId;
        response.Headers["Content-Type"] = "text/xml";
        response.Body = Messages.Xml(write);
    }

    private static string Clean(string text) =>
        text.All(c => XmlConvert.IsXmlChar(c) || char.IsSurrogate(c)) ? text : new string(text.Select(c => XmlConvert.IsXmlChar(c) ? c : '\uFFFD').ToArray());
}
