using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Faults;

/// <summary>An injected fault as the error that the service itself would give.</summary>
internal static class FaultAnswers
{
    /// <summary>The throttling errors that services model, the one they give first.</summary>
    private static readonly string[] Throttles = ["ThrottlingException", "TooManyRequestsException", "ThrottledException", "Throttling", "LimitExceededException"];

    /// <summary>How long a call hangs unless the rule says: beyond the read timeout of the SDKs, which is a minute at most.</summary>
    public static readonly TimeSpan Hang = TimeSpan.FromSeconds(65);

    public static ServiceFault For(SandboxFaultRule rule, ServiceModel model, ProtocolKind kind, string operation, string principal)
    {
        var (code, message, status) = rule.Kind switch
        {
            SandboxFaultKind.Throttling => Throttling(model, kind, operation),
            SandboxFaultKind.ServerError => InternalError(model, kind),
            SandboxFaultKind.Unavailable => Unavailable(model, kind),
            SandboxFaultKind.AccessDenied => AccessDenied(model, kind, operation, principal),
            SandboxFaultKind.ExpiredCredentials => Expired(model, kind),
            _ => throw new InvalidOperationException($"A fault of kind {rule.Kind} has no error."),
        };
        return new ServiceFault(rule.ErrorCode ?? code, rule.Message ?? message, status);
    }

    /// <summary>What a service answers that has been asked too often.</summary>
    public static ServiceFault TooMany(ServiceModel model, ProtocolKind kind, string operation)
    {
        var (code, message, status) = Throttling(model, kind, operation);
        return new ServiceFault(code, message, status);
    }

    private static bool IsJson(ProtocolKind kind) => kind is ProtocolKind.Json or ProtocolKind.RestJson or ProtocolKind.RpcV2Cbor;

    private static (string, string, int) Throttling(ServiceModel model, ProtocolKind kind, string operation)
    {
        switch (model.Name)
        {
            case "s3":
                return ("SlowDown", "Please reduce your request rate.", 503);
            case "dynamodb" when operation is "GetItem" or "PutItem" or "UpdateItem" or "DeleteItem" or "Query" or "Scan" or "BatchGetItem" or "BatchWriteItem":
                return ("ProvisionedThroughputExceededException",
                    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.", 400);
            case "route53":
                return ("Throttling", "Rate exceeded", 400);
        }
        if (kind == ProtocolKind.Ec2)
        {
            return ("RequestLimitExceeded", "Request limit exceeded.", 503);
        }
        var modelled = IsJson(kind) ? Throttles.FirstOrDefault(name => model.Error(name) is not null) ?? "ThrottlingException" : "Throttling";
        // LimitExceeded is about quotas in some services: only those that have nothing else throttle with it.
        return (modelled == "LimitExceededException" ? "ThrottlingException" : modelled, "Rate exceeded", kind == ProtocolKind.RestJson ? 429 : 400);
    }

    private static (string, string, int) InternalError(ServiceModel model, ProtocolKind kind) => model.Name switch
    {
        "s3" => ("InternalError", "We encountered an internal error. Please try again.", 500),
        "dynamodb" => ("InternalServerError", "The request processing has failed because of an unknown error, exception or failure.", 500),
        _ when kind == ProtocolKind.Ec2 => ("InternalError", "An internal error has occurred", 500),
        _ => ("InternalFailure", "The request processing has failed because of an unknown error, exception or failure.", 500),
    };

    private static (string, string, int) Unavailable(ServiceModel model, ProtocolKind kind) => model.Name switch
    {
        "s3" => ("ServiceUnavailable", "Service is unable to handle request.", 503),
        _ when kind == ProtocolKind.Ec2 => ("Unavailable", "The service is unavailable. Please try again shortly.", 503),
        _ => (IsJson(kind) ? "ServiceUnavailableException" : "ServiceUnavailable", "Service is unable to handle request.", 503),
    };

    private static (string, string, int) AccessDenied(ServiceModel model, ProtocolKind kind, string operation, string principal)
    {
        var action = $"{model.SigningName}:{operation}";
        var message = $"User: {principal} is not authorized to perform: {action} because no identity-based policy allows the {action} action";
        return model.Name == "s3" ? ("AccessDenied", message, 403)
            : kind == ProtocolKind.Ec2 ? ("UnauthorizedOperation", "You are not authorized to perform this operation. " + message, 403)
            : IsJson(kind) ? ("AccessDeniedException", message, kind == ProtocolKind.RestJson ? 403 : 400)
            : ("AccessDenied", message, 403);
    }

    private static (string, string, int) Expired(ServiceModel model, ProtocolKind kind)
    {
        var fault = SignatureFaults.For(kind, model, new SignatureException(SignatureProblem.ExpiredToken));
        return (fault.Code, fault.Message, fault.Status);
    }
}
