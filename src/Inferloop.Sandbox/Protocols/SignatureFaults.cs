using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

/// <summary>A refused signature in the words of each protocol.</summary>
internal static class SignatureFaults
{
    private const string MismatchText = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    private const string InvalidTokenText = "The security token included in the request is invalid.";
    private const string ExpiredTokenText = "The security token included in the request is expired";

    public static ServiceFault For(ProtocolKind kind, ServiceModel? model, SignatureException e)
    {
        if (kind == ProtocolKind.RestXml && (model is null || model.Name == "s3"))
        {
            return S3(e);
        }
        return kind switch
        {
            ProtocolKind.Json or ProtocolKind.RestJson or ProtocolKind.RpcV2Cbor => Json(kind, e),
            ProtocolKind.Ec2 => Ec2(e),
            _ => Query(e),
        };
    }

    private static ServiceFault S3(SignatureException e) => e.Problem switch
    {
        SignatureProblem.Missing => new ServiceFault("AccessDenied", "Access Denied", 403),
        SignatureProblem.UnknownKey => new ServiceFault("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403, new JsonObject { ["AWSAccessKeyId"] = e.Message }),
        SignatureProblem.Mismatch => new ServiceFault("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.", 403),
        SignatureProblem.Skewed => new ServiceFault("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", 403),
        SignatureProblem.ExpiredToken => new ServiceFault("ExpiredToken", "The provided token has expired."),
        SignatureProblem.InvalidToken => new ServiceFault("InvalidToken", "The provided token is malformed or otherwise invalid."),
        SignatureProblem.ExpiredPresigned => new ServiceFault("AccessDenied", "Request has expired", 403, new JsonObject { ["Expires"] = e.Message }),
        SignatureProblem.BodyMismatch => new ServiceFault("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", 400, new JsonObject { ["ClientComputedContentSHA256"] = e.Message }),
        SignatureProblem.Scope => new ServiceFault("AuthorizationHeaderMalformed", e.Message),
        _ => new ServiceFault("AuthorizationHeaderMalformed", "The authorization header is malformed; " + e.Message),
    };

    private static ServiceFault Json(ProtocolKind kind, SignatureException e)
    {
        var status = kind == ProtocolKind.RestJson ? 403 : 400;
        return e.Problem switch
        {
            SignatureProblem.Missing => new ServiceFault("MissingAuthenticationTokenException", "Missing Authentication Token", status),
            SignatureProblem.UnknownKey or SignatureProblem.InvalidToken => new ServiceFault("UnrecognizedClientException", InvalidTokenText, status),
            SignatureProblem.ExpiredToken => new ServiceFault("ExpiredTokenException", ExpiredTokenText, status),
            SignatureProblem.Incomplete => new ServiceFault("IncompleteSignatureException", e.Message, status),
            SignatureProblem.Skewed or SignatureProblem.ExpiredPresigned or SignatureProblem.Scope => new ServiceFault("InvalidSignatureException", e.Message, status),
            _ => new ServiceFault("InvalidSignatureException", MismatchText, status),
        };
    }

    private static ServiceFault Ec2(SignatureException e) => e.Problem switch
    {
        SignatureProblem.Missing => new ServiceFault("MissingParameter", "The request must contain the parameter AWSAccessKeyId", 400),
        SignatureProblem.Skewed or SignatureProblem.ExpiredPresigned => new ServiceFault("RequestExpired", "Request has expired."),
        SignatureProblem.ExpiredToken => new ServiceFault("RequestExpired", "Request has expired."),
        SignatureProblem.Incomplete => new ServiceFault("IncompleteSignature", e.Message),
        SignatureProblem.Scope => new ServiceFault("AuthFailure", e.Message, 401),
        _ => new ServiceFault("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    };

    private static ServiceFault Query(SignatureException e) => e.Problem switch
    {
        SignatureProblem.Missing => new ServiceFault("MissingAuthenticationToken", "Request is missing Authentication Token", 403),
        SignatureProblem.UnknownKey or SignatureProblem.InvalidToken => new ServiceFault("InvalidClientTokenId", InvalidTokenText, 403),
        SignatureProblem.ExpiredToken => new ServiceFault("ExpiredToken", ExpiredTokenText, 403),
        SignatureProblem.Incomplete => new ServiceFault("IncompleteSignature", e.Message),
        SignatureProblem.Skewed or SignatureProblem.ExpiredPresigned or SignatureProblem.Scope => new ServiceFault("SignatureDoesNotMatch", e.Message, 403),
        _ => new ServiceFault("SignatureDoesNotMatch", MismatchText, 403),
    };
}
