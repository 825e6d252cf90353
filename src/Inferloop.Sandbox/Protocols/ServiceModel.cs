using System.Collections.Concurrent;
using System.Text.Json;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

internal enum ProtocolKind
{
    Query,
    Ec2,
    Json,
    RestJson,
    RestXml,
    RpcV2Cbor,
}

/// <summary>An operation of a service model.</summary>
internal sealed class OperationModel
{
    public OperationModel(ServiceModel model, string name, JsonElement json)
    {
        Name = name;
        var http = json.GetProperty("http");
        Method = http.GetProperty("method").GetString()!;
        RequestUri = Json.Text(http, "requestUri") ?? "/";
        ResponseCode = http.TryGetProperty("responseCode", out var code) ? code.GetInt32() : 200;
        if (json.TryGetProperty("input", out var input))
        {
            Input = model.Shape(input.GetProperty("shape").GetString()!);
            InputLocationName = Json.Text(input, "locationName");
        }
        if (json.TryGetProperty("output", out var output))
        {
            Output = model.Shape(output.GetProperty("shape").GetString()!);
            ResultWrapper = Json.Text(output, "resultWrapper");
            OutputLocationName = Json.Text(output, "locationName");
        }
        Errors = json.TryGetProperty("errors", out var errors)
            ? errors.EnumerateArray().Select(error => error.GetProperty("shape").GetString()!).ToList()
            : [];
        Documentation = Json.Text(json, "documentation");
    }

    public string Name { get; }

    public string Method { get; }

    public string RequestUri { get; }

    public int ResponseCode { get; }

    public Shape? Input { get; }

    public Shape? Output { get; }

    public string? InputLocationName { get; }

    public string? OutputLocationName { get; }

    public string? ResultWrapper { get; }

    public IReadOnlyList<string> Errors { get; }

    public string? Documentation { get; }
}

/// <summary>A service as its model describes it. Operations and shapes are read when first asked for.</summary>
internal sealed class ServiceModel
{
    private readonly JsonElement shapes;
    private readonly JsonElement operations;
    private readonly ConcurrentDictionary<string, Shape> shapeCache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, OperationModel?> operationCache = new(StringComparer.Ordinal);
    private readonly Lazy<Dictionary<string, Shape>> errorsByCode;
    private readonly Lazy<Routes> routes;

    public ServiceModel(string name, JsonElement json)
    {
        Name = name;
        var metadata = json.GetProperty("metadata");
        shapes = json.GetProperty("shapes");
        operations = json.GetProperty("operations");
        ApiVersion = Json.Text(metadata, "apiVersion") ?? "";
        EndpointPrefix = Json.Text(metadata, "endpointPrefix") ?? name;
        SigningName = Json.Text(metadata, "signingName") ?? EndpointPrefix;
        ServiceId = Json.Text(metadata, "serviceId") ?? name;
        TargetPrefix = Json.Text(metadata, "targetPrefix");
        JsonVersion = Json.Text(metadata, "jsonVersion") ?? "1.1";
        XmlNamespace = metadata.TryGetProperty("xmlNamespace", out var ns)
            ? ns.ValueKind == JsonValueKind.String ? ns.GetString() : Json.Text(ns, "uri")
            : null;
        IsQueryCompatible = metadata.TryGetProperty("awsQueryCompatible", out _);
        var names = metadata.TryGetProperty("protocols", out var protocols)
            ? protocols.EnumerateArray().Select(item => item.GetString()!).ToList()
            : [metadata.GetProperty("protocol").GetString()!];
        Protocols = names.Select(Parse).ToList();
        errorsByCode = new Lazy<Dictionary<string, Shape>>(ReadErrors);
        routes = new Lazy<Routes>(() => new Routes(this));
    }

    /// <summary>The model's file name, such as <c>elbv2</c>.</summary>
    public string Name { get; }

    public string ApiVersion { get; }

    public string EndpointPrefix { get; }

    public string SigningName { get; }

    public string ServiceId { get; }

    public string? TargetPrefix { get; }

    public string JsonVersion { get; }

    public string? XmlNamespace { get; }

    public bool IsQueryCompatible { get; }

    /// <summary>The protocols the service speaks, its preferred one first.</summary>
    public IReadOnlyList<ProtocolKind> Protocols { get; }

    public ProtocolKind Protocol => Protocols[0];

    /// <summary>The URIs of the operations, for the REST protocols.</summary>
    public Routes Routes => routes.Value;

    public IEnumerable<string> OperationNames => operations.EnumerateObject().Select(operation => operation.Name);

    public OperationModel? Operation(string name) => operationCache.GetOrAdd(
        name,
        static (key, model) => model.operations.TryGetProperty(key, out var json) ? new OperationModel(model, key, json) : null,
        this);

    public Shape Shape(string name) => shapeCache.GetOrAdd(
        name,
        static (key, model) => new Shape(model, key, model.shapes.GetProperty(key)),
        this);

    /// <summary>The modelled error with this shape name or wire code, or null.</summary>
    public Shape? Error(string code) => errorsByCode.Value.GetValueOrDefault(code);

    /// <summary>What the service answers to an operation it does not have.</summary>
    public ServiceFault UnknownOperation(string operation) => Protocol switch
    {
        ProtocolKind.Query or ProtocolKind.Ec2 => new ServiceFault("InvalidAction", Protocol == ProtocolKind.Ec2
            ? $"The action {operation} is not valid for this web service."
            : $"Could not find operation {operation} for version {ApiVersion}"),
        ProtocolKind.Json or ProtocolKind.RpcV2Cbor => new ServiceFault("UnknownOperationException", ""),
        ProtocolKind.RestJson => new ServiceFault("UnknownOperationException", "", 404),
        _ => new ServiceFault("MethodNotAllowed", "The specified method is not allowed against this resource.", 405),
    };

    private static ProtocolKind Parse(string name) => name switch
    {
        "query" => ProtocolKind.Query,
        "ec2" => ProtocolKind.Ec2,
        "json" => ProtocolKind.Json,
        "rest-json" => ProtocolKind.RestJson,
        "rest-xml" => ProtocolKind.RestXml,
        "smithy-rpc-v2-cbor" => ProtocolKind.RpcV2Cbor,
        _ => throw new NotSupportedException($"Protocol {name} is not known."),
    };

    private Dictionary<string, Shape> ReadErrors()
    {
        var errors = new Dictionary<string, Shape>(StringComparer.Ordinal);
        foreach (var json in shapes.EnumerateObject())
        {
            if (Json.Flag(json.Value, "exception"))
            {
                var shape = Shape(json.Name);
                errors.TryAdd(shape.Name, shape);
                if (shape.ErrorCode is { } code)
                {
                    errors.TryAdd(code, shape);
                }
            }
        }
        return errors;
    }
}
