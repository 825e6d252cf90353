using System.Net;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace Inferloop.Aws.Clients;

/// <summary>How one operation travels; its client hands it to the runtime.</summary>
internal sealed class GeneratedOperation(Func<AmazonWebServiceRequest, IRequest> marshal, ResponseUnmarshaller unmarshaller)
    : IMarshaller<IRequest, AmazonWebServiceRequest>
{
    /// <summary>New for every call, because the runtime may write to it.</summary>
    public InvokeOptions Options => new() { RequestMarshaller = this, ResponseUnmarshaller = unmarshaller };

    public IRequest Marshall(AmazonWebServiceRequest input) => marshal(input);
}

/// <summary>Turns a JSON answer into a response, or into the operation's exception.</summary>
internal sealed class JsonOperationUnmarshaller(
    Func<JsonUnmarshallerContext, AmazonWebServiceResponse> read, Func<ErrorResponse, byte[], AmazonServiceException> error)
    : JsonResponseUnmarshaller
{
    public override AmazonWebServiceResponse Unmarshall(JsonUnmarshallerContext input) => read(input);

    public override AmazonServiceException UnmarshallException(JsonUnmarshallerContext input, Exception innerException, HttpStatusCode statusCode)
    {
        var reader = new Amazon.Runtime.Internal.Util.StreamingUtf8JsonReader(input.Stream);
        ErrorResponse response = JsonErrorResponseUnmarshaller.GetInstance().Unmarshall(input, ref reader);
        response.InnerException = innerException;
        response.StatusCode = statusCode;
        AmazonServiceException exception = error(response, input.GetResponseBodyBytes());

        // A service that once spoke the query protocol still names its old error codes, in a header.
        AwsQueryCompatibleErrorHandler.ApplyQueryErrorHeader(response, input.ResponseData);
        exception.ErrorCode = response.Code;
        exception.ErrorType = response.Type;
        return exception;
    }
}

/// <summary>Turns an XML answer into a response, or into the operation's exception.</summary>
internal sealed class XmlOperationUnmarshaller(
    Func<XmlUnmarshallerContext, AmazonWebServiceResponse> read, Func<ErrorResponse, byte[], AmazonServiceException> error)
    : XmlResponseUnmarshaller
{
    public override AmazonWebServiceResponse Unmarshall(XmlUnmarshallerContext input) => read(input);

    public override AmazonServiceException UnmarshallException(XmlUnmarshallerContext input, Exception innerException, HttpStatusCode statusCode)
    {
        ErrorResponse response = XmlErrorResponseUnmarshaller.GetInstance().Unmarshall(input);
        response.InnerException = innerException;
        response.StatusCode = statusCode;
        return error(response, input.GetResponseBodyBytes());
    }
}
