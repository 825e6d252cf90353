using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

/// <summary>An operation's output as the answer in the protocol of the request.</summary>
internal static class ResponseWriter
{
    public static ServiceResponse Write(ProtocolKind kind, ServiceModel model, OperationModel operation, JsonObject output, RequestContext context)
    {
        var response = new ServiceResponse();
        switch (kind)
        {
            case ProtocolKind.Json:
                response.Headers["x-amzn-RequestId"] = context.RequestId;
                response.Headers["Content-Type"] = $"application/x-amz-json-{model.JsonVersion}";
                // An operation without output has an empty body, one with an empty output an empty object.
                response.Body = operation.Output is { } json
                    ? Messages.Json(writer => JsonShapes.WriteStructure(writer, json, output))
                    : "{}"u8.ToArray();
                break;
            case ProtocolKind.RpcV2Cbor:
                response.Headers["x-amzn-RequestId"] = context.RequestId;
                response.Headers["smithy-protocol"] = "rpc-v2-cbor";
                if (operation.Output is { } cborShape)
                {
                    var cbor = new CborWriter();
                    CborShapes.WriteStructure(cbor, cborShape, output);
                    response.Headers["Content-Type"] = "application/cbor";
                    response.Body = cbor.ToArray();
                }
                break;
            case ProtocolKind.Query:
                response.Headers["x-amzn-RequestId"] = context.RequestId;
                response.Headers["Content-Type"] = "text/xml";
                response.Body = Messages.Xml(writer =>
                {
                    writer.WriteStartElement(operation.Name + "Response", model.XmlNamespace ?? "");
                    if (operation.Output is { } query)
                    {
                        writer.WriteStartElement(operation.ResultWrapper ?? operation.Name + "Result");
                        XmlShapes.WriteMembers(writer, query, output);
                        writer.WriteEndElement();
                    }
                    writer.WriteStartElement("ResponseMetadata");
                    writer.WriteElementString("RequestId", context.RequestId);
                    writer.WriteEndElement();
                    writer.WriteEndElement();
                });
                break;
            case ProtocolKind.Ec2:
                response.Headers["x-amzn-RequestId"] = context.RequestId;
                response.Headers["Content-Type"] = "text/xml;charset=UTF-8";
                response.Body = Messages.Xml(writer =>
                {
                    writer.WriteStartElement(operation.Name + "Response", model.XmlNamespace ?? $"http://ec2.amazonaws.com/doc/{model.ApiVersion}/");
                    writer.WriteElementString("requestId", context.RequestId);
                    if (operation.Output is { } ec2)
                    {
                        XmlShapes.WriteMembers(writer, ec2, output, ec2: true);
                    }
                    else
                    {
                        writer.WriteElementString("return", "true");
                    }
                    writer.WriteEndElement();
                });
                break;
            default:
                RestBinding.Write(model, operation, output, context, response);
                if (model.Name == "s3")
                {
                    response.Headers["x-amz-request-id"] = context.RequestId;
                    response.Headers["x-amz-id-2"] = context.RequestId + context.RequestId;
                }
                else
                {
                    response.Headers["x-amzn-RequestId"] = context.RequestId;
                }
                break;
        }
        foreach (var (name, value) in context.ResponseHeaders)
        {
            response.Headers[name] = value;
        }
        if (context.ResponseStatus is { } status)
        {
            response.Status = status;
        }
        return response;
    }
}
