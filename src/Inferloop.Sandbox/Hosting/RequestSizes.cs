using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Hosting;

/// <summary>How large the requests of services may be. What an operation allows of a member, its model and its handler say; this bounds the whole.</summary>
internal static class RequestSizes
{
    private const int MiB = 1024 * 1024;

    /// <summary>Above what any operation of the other services can need.</summary>
    private const int Usual = 2 * MiB;

    // DynamoDB's batches are of 16 MB; a function's package may come in the request, in Base64; layers of images come in parts of 20 MB.
    private static readonly Dictionary<string, int> Most = new(StringComparer.Ordinal) { ["dynamodb"] = 17 * MiB, ["lambda"] = 96 * MiB, ["ecr"] = 30 * MiB, ["s3"] = int.MaxValue };

    /// <summary>The error that answers a request which is too large; null for one that is not.</summary>
    public static ServiceFault? Problem(ServiceModel model, OperationModel operation, int bytes)
    {
        var most = Most.GetValueOrDefault(model.Name, Usual);
        return bytes <= most ? null
            : new ServiceFault(model.Error("RequestTooLargeException") is not null ? "RequestTooLargeException" : "RequestEntityTooLargeException", $"Request must be smaller than {most} bytes for the {operation.Name} operation", 413);
    }
}
