using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.S3;

namespace Inferloop.Sandbox.Hosting;

/// <summary>From a request to its answer: which service and operation, is the signature good, what does the service say. Knows no transport.</summary>
internal sealed class ServiceRouter(SandboxRuntime runtime)
{
    /// <summary>Operations that need no signature, because they are how a caller comes by credentials.</summary>
    private static readonly HashSet<string> Unsigned = new(StringComparer.Ordinal) { "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML" };

    /// <summary>
    /// What stands for Route 53's name servers and checkers, which are everywhere: its answers go on when us-east-1 is lost, where changes are made.
    /// </summary>
    private static readonly HashSet<string> AnswersAnywhere = new(StringComparer.Ordinal) { "TestDNSAnswer", "GetHealthCheckStatus", "GetHealthCheckLastFailureReason" };

    private readonly RequestRates rates = new(runtime);

    public async Task<ServiceResponse> HandleAsync(ServiceRequest request, CancellationToken cancellationToken)
    {
        if (request.Cluster is { } cluster)
        {
            return AnswerFor(cluster, request);
        }
        var call = new Call { RequestId = runtime.Ids.Uuid() };
        var started = Stopwatch.GetTimestamp();
        var time = DateTimeOffset.UtcNow;
        var sandboxTime = runtime.Clock.Now;
        string? errorCode = null;
        ServiceResponse response;
        try
        {
            response = await AnswerAsync(request, call, cancellationToken).ConfigureAwait(false);
        }
        catch (NoAnswerException e)
        {
            response = new ServiceResponse { Status = 0, Hold = e.Hold, IsDropped = true };
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            var fault = ToFault(e, call, cancellationToken);
            errorCode = fault.Code;
            response = ErrorWriter.Write(call.Kind, call.Model, fault, call.RequestId, request);
        }
        response.IsRefused = (call.FaultId is not null || call.IsThrottled) && !call.IsCarriedOut;
        runtime.Statistics.Add(new SandboxRequest(
            time, sandboxTime, call.Model?.Name ?? "", call.Operation, call.Region, call.AccountId,
            response.Status, errorCode, call.RequestId, Stopwatch.GetElapsedTime(started) + response.Hold, call.FaultId));
        return response;
    }

    /// <summary>The Kubernetes API of an EKS cluster, which has signatures, errors and documents of its own.</summary>
    private ServiceResponse AnswerFor((string Account, string Region, string Name) cluster, ServiceRequest request)
    {
        var (started, time, sandboxTime) = (Stopwatch.GetTimestamp(), DateTimeOffset.UtcNow, runtime.Clock.Now);
        var response = runtime.Service<Services.Eks.EksService>().KubernetesOf(runtime.SystemContext(cluster.Account, cluster.Region), cluster.Name) is not { } kubernetes
                || runtime.Faults.StrikesRegion(cluster.Region, "eks") is not null
            ? new ServiceResponse { Status = 0, IsDropped = true }
            : kubernetes.Api.Handle(request);
        runtime.Statistics.Add(new SandboxRequest(
            time, sandboxTime, "kubernetes", $"{request.Method} {request.RawPath}", cluster.Region, cluster.Account, response.Status, null, runtime.Ids.Uuid(), Stopwatch.GetElapsedTime(started), null));
        return response;
    }

    private ServiceFault ToFault(Exception exception, Call call, CancellationToken cancellationToken)
    {
        switch (exception)
        {
            case ServiceFault fault:
                return fault;
            case SignatureException signature:
                return SignatureFaults.For(call.Kind, call.Model, signature);
            case MalformedInputException malformed when call.Model is not null:
                return InputValidator.Malformed(call.Model, malformed);
            case OperationCanceledException when cancellationToken.IsCancellationRequested || runtime.Stopping.IsCancellationRequested:
                return new ServiceFault("ServiceUnavailable", "The sandbox is stopping.", 503);
            default:
                // A defect of the sandbox: recorded where Get-InferloopSandbox shows it, and answered as AWS answers its own.
                runtime.Report(exception);
                return new ServiceFault(call.Kind == ProtocolKind.RestXml ? "InternalError" : "InternalFailure", "The sandbox failed on this request: " + exception.Message, 500);
        }
    }

    private async Task<ServiceResponse> AnswerAsync(ServiceRequest request, Call call, CancellationToken cancellationToken)
    {
        call.Kind = KindWithoutModel(request);
        var form = ReadForm(request, call.Kind);
        Signature? signature = null;
        SignatureException? unreadable = null;
        try
        {
            signature = Signature.Read(request);
        }
        catch (SignatureException e)
        {
            // The error is told in the protocol of the service, so the service is looked for first.
            unreadable = e;
        }
        call.Region = signature?.Region ?? runtime.Options.DefaultRegion;
        call.Model = FindModel(request, signature, form);
        call.Kind = KindFor(request, call.Model, form);
        if (unreadable is not null)
        {
            throw unreadable;
        }
        if (call.Model is null)
        {
            throw signature is null ? new SignatureException(SignatureProblem.Missing) : UnknownService(request, signature.Service, call, form);
        }
        var model = call.Model;
        if (model.Name == "s3")
        {
            request.Path = VirtualHost.PathOf(request);
        }
        // Named before the signature is looked at, so that the log says what a refused request wanted.
        var target = FindOperation(request, call, form);
        call.Operation = target.Name;
        MeetRegion(call);
        var key = Authenticate(request, signature, call);
        if (target.Model is not { } operation)
        {
            throw target.Fault ?? model.UnknownOperation(target.Name);
        }
        var context = new RequestContext
        {
            Runtime = runtime,
            AccountId = call.AccountId,
            Region = call.Region,
            RequestId = call.RequestId,
            AccessKeyId = key?.Id ?? "",
            PrincipalArn = key?.PrincipalArn ?? "",
            Cancellation = cancellationToken,
            Request = request,
            Payload = request.Body,
        };
        var service = runtime.Service(model.Name) ?? throw ServiceFault.NotImplemented(model.ServiceId, operation.Name);
        if (RequestSizes.Problem(model, operation, request.Body.Length) is { } tooLarge)
        {
            throw tooLarge;
        }
        var input = ReadInput(request, call, target, operation, form);
        MeetRegion(call);
        var struck = runtime.Faults.Any ? runtime.Faults.Strike(model.Name, operation.Name, call.Region, input) : null;
        call.FaultId = struck?.Id;
        JsonObject output;
        try
        {
            Meet(struck, call, operation, context);
            // What the journal repeats was admitted when it was asked.
            if (!runtime.Clock.IsRepeating && !rates.Admits(call.AccountId, call.Region, model, operation))
            {
                call.IsThrottled = true;
                throw FaultAnswers.TooMany(model, call.Kind, operation.Name);
            }
            call.IsCarriedOut = true;
            output = await service.InvokeAsync(context, operation.Name, input).ConfigureAwait(false);
        }
        catch (ServiceFault fault)
        {
            runtime.Tell(new ApiCall(context, service, operation.Name, input, null, fault));
            throw;
        }
        runtime.Tell(new ApiCall(context, service, operation.Name, input, output, null));
        if (struck?.Rule.Kind == SandboxFaultKind.AnswerLost)
        {
            throw new NoAnswerException(TimeSpan.Zero);
        }
        var response = ResponseWriter.Write(call.Kind, model, operation, output, context);
        response.Hold = struck?.Rule is { Kind: SandboxFaultKind.Latency, Delay: { } delay } ? delay : TimeSpan.Zero;
        return response;
    }

    /// <summary>Nobody answers for a region that is lost.</summary>
    private void MeetRegion(Call call)
    {
        if (call.Region == call.RegionMet)
        {
            return;
        }
        call.RegionMet = call.Region;
        if (call.Model!.Name == "route53" && AnswersAnywhere.Contains(call.Operation))
        {
            return;
        }
        if (runtime.Faults.StrikesRegion(call.Region, call.Model!.Name) is { } lost)
        {
            call.FaultId = lost.Id;
            throw new NoAnswerException(TimeSpan.Zero);
        }
    }

    private static void Meet(SandboxFault? struck, Call call, OperationModel operation, RequestContext context)
    {
        switch (struck?.Rule.Kind)
        {
            case null or SandboxFaultKind.Latency or SandboxFaultKind.AnswerLost:
                return;
            case SandboxFaultKind.Timeout:
                throw new NoAnswerException(struck.Rule.Delay ?? FaultAnswers.Hang);
            case SandboxFaultKind.ConnectionReset:
                throw new NoAnswerException(TimeSpan.Zero);
            default:
                throw FaultAnswers.For(struck.Rule, call.Model!, call.Kind, operation.Name, context.PrincipalArn);
        }
    }

    private AccessKey? Authenticate(ServiceRequest request, Signature? signature, Call call)
    {
        if (signature is null && call.Model!.Name == "s3" && PresignedV2.Read(request) is { } presigned)
        {
            var owner = runtime.AccessKeys.Find(presigned.AccessKeyId) ?? throw new SignatureException(SignatureProblem.UnknownKey, presigned.AccessKeyId);
            presigned.Verify(request, owner, WallClock.UtcNow);
            call.AccountId = owner.AccountId;
            // This signature names no region: the request is taken to have reached the bucket's.
            call.Region = runtime.Service<S3Service>().RegionOf(Uri.UnescapeDataString(request.Path.TrimStart('/').Split('/')[0])) ?? call.Region;
            return owner;
        }
        if (signature is null)
        {
            call.AccountId = runtime.Options.AccountId;
            return Unsigned.Contains(call.Operation) ? null : throw new SignatureException(SignatureProblem.Missing);
        }
        var key = runtime.AccessKeys.Find(signature.AccessKeyId) ?? throw new SignatureException(SignatureProblem.UnknownKey, signature.AccessKeyId);
        signature.Verify(request, key, WallClock.UtcNow);
        call.AccountId = key.AccountId;
        if (!runtime.EnabledRegions.Contains(signature.Region))
        {
            throw new SignatureException(SignatureProblem.Scope, call.Model!.Name == "s3"
                ? $"The authorization header is malformed; the region '{signature.Region}' is wrong; expecting '{runtime.Options.DefaultRegion}'"
                : "Credential should be scoped to a valid region.");
        }
        if (signature.Service != call.Model!.SigningName && !(call.Model.Name == "s3" && signature.Service == "s3express"))
        {
            throw new SignatureException(SignatureProblem.Scope, $"Credential should be scoped to correct service: '{call.Model.SigningName}'.");
        }
        if (ChunkedBody.Applies(request))
        {
            (var body, request.Trailers) = ChunkedBody.Decode(request, signature, key);
            request.Body = body;
        }
        return key;
    }

    /// <summary>The protocol as far as the request alone tells it, for errors before a service is known.</summary>
    private static ProtocolKind KindWithoutModel(ServiceRequest request)
    {
        if (request.Header("smithy-protocol") == "rpc-v2-cbor")
        {
            return ProtocolKind.RpcV2Cbor;
        }
        if (request.Header("x-amz-target") is not null)
        {
            return ProtocolKind.Json;
        }
        return IsForm(request) || request.QueryValue("Action") is not null ? ProtocolKind.Query : ProtocolKind.RestXml;
    }

    private static ProtocolKind KindFor(ServiceRequest request, ServiceModel? model, IReadOnlyList<KeyValuePair<string, string>>? form)
    {
        if (model is null)
        {
            return KindWithoutModel(request);
        }
        if (request.Header("smithy-protocol") == "rpc-v2-cbor" && model.Protocols.Contains(ProtocolKind.RpcV2Cbor))
        {
            return ProtocolKind.RpcV2Cbor;
        }
        if (request.Header("x-amz-target") is not null && model.TargetPrefix is not null)
        {
            return ProtocolKind.Json;
        }
        if (form is not null && (model.IsQueryCompatible || model.Protocols.Contains(ProtocolKind.Query)) && form.Any(pair => pair.Key == "Action"))
        {
            return ProtocolKind.Query;
        }
        return model.Protocol == ProtocolKind.RpcV2Cbor ? ProtocolKind.Json : model.Protocol;
    }

    private static bool IsForm(ServiceRequest request) =>
        request.Header("content-type")?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>The parameters of the query protocols, from the body or from the query string.</summary>
    private static IReadOnlyList<KeyValuePair<string, string>>? ReadForm(ServiceRequest request, ProtocolKind kind)
    {
        if (kind != ProtocolKind.Query)
        {
            return null;
        }
        if (!IsForm(request) || request.Body.IsEmpty)
        {
            return request.Query;
        }
        var body = ServiceRequest.ParseQuery(Encoding.UTF8.GetString(request.Body.Span));
        return request.Query.Count == 0 ? body : [.. request.Query, .. body];
    }

    private static ServiceModel? FindModel(ServiceRequest request, Signature? signature, IReadOnlyList<KeyValuePair<string, string>>? form)
    {
        var index = ServiceModels.Index;
        var target = request.Header("x-amz-target");
        var prefix = target is null || target.LastIndexOf('.') is var dot && dot < 0 ? null : target[..target.LastIndexOf('.')];
        if (signature is not null)
        {
            var name = signature.Service == "s3express" ? "s3" : signature.Service;
            var candidates = ServiceModels.BySigningName.GetValueOrDefault(name) ?? [];
            var entry = candidates.Find(candidate => prefix is not null && candidate.TargetPrefix == prefix)
                ?? (candidates.Count > 1 && form?.FirstOrDefault(pair => pair.Key == "Version").Value is { } version
                    ? candidates.Find(candidate => candidate.ApiVersion == version)
                    : null)
                ?? (candidates.Count > 0 ? candidates[0] : null);
            return entry is null ? null : ServiceModels.Get(entry.Name);
        }
        if (prefix is not null)
        {
            return index.FirstOrDefault(entry => entry.TargetPrefix == prefix) is { } entry ? ServiceModels.Get(entry.Name) : null;
        }
        if (form is not null)
        {
            var action = form.FirstOrDefault(pair => pair.Key == "Action").Value;
            var version = form.FirstOrDefault(pair => pair.Key == "Version").Value;
            if (action is null && version is null)
            {
                return null;
            }
            return index.FirstOrDefault(entry => entry.ApiVersion == version && entry.TargetPrefix is null) is { } entry ? ServiceModels.Get(entry.Name) : null;
        }
        return request.Header("smithy-protocol") is null ? ServiceModels.Get("s3") : null;
    }

    /// <summary>A service that the sandbox does not have at all: told in the protocol that its clients read, with the operation they wanted.</summary>
    private static ServiceFault UnknownService(ServiceRequest request, string service, Call call, IReadOnlyList<KeyValuePair<string, string>>? form)
    {
        if (call.Kind == ProtocolKind.RestXml && service != "cloudfront")
        {
            call.Kind = ProtocolKind.RestJson;
        }
        var target = request.Header("x-amz-target");
        call.Operation = Shown(target is not null ? target[(target.LastIndexOf('.') + 1)..]
            : form?.FirstOrDefault(pair => pair.Key == "Action").Value is { } action ? action
            : call.Kind == ProtocolKind.RpcV2Cbor && request.RawPath.Trim('/').Split('/') is [.., "operation", var name] ? name
            : $"{request.Method} {request.Path}");
        return ServiceFault.NotImplemented(Shown(service), call.Operation);
    }

    private static Target FindOperation(ServiceRequest request, Call call, IReadOnlyList<KeyValuePair<string, string>>? form)
    {
        var model = call.Model!;
        switch (call.Kind)
        {
            case ProtocolKind.Json:
                var target = request.Header("x-amz-target");
                return Named(model, target is null ? "" : target[(target.LastIndexOf('.') + 1)..]);
            case ProtocolKind.RpcV2Cbor:
                // /service/<service>/operation/<operation>
                var segments = request.RawPath.Trim('/').Split('/');
                return Named(model, segments is [.., "operation", var name] ? name : "");
            case ProtocolKind.Query or ProtocolKind.Ec2:
                var action = (form ?? request.Query).FirstOrDefault(pair => pair.Key == "Action").Value;
                return string.IsNullOrEmpty(action)
                    ? new Target("", null, null, new ServiceFault("MissingAction", "The request must contain the parameter Action"))
                    : Named(model, action);
            default:
                var match = model.Routes.Find(request);
                return match is not null
                    ? new Target(match.Operation.Name, match.Operation, match, null)
                    : new Target("", null, null, model.Routes.KnowsPath(request)
                        ? new ServiceFault(model.Name == "s3" ? "MethodNotAllowed" : "MethodNotAllowedException", "The specified method is not allowed against this resource.", 405)
                        : model.UnknownOperation(request.Method + " " + request.Path));
        }
    }

    private static Target Named(ServiceModel model, string name) =>
        model.Operation(name) is { } operation ? new Target(name, operation, null, null) : new Target(Shown(name), null, null, model.UnknownOperation(Shown(name)));

    /// <summary>A caller's text as it may appear in logs and messages.</summary>
    private static string Shown(string text) =>
        new(text.Take(128).Select(c => char.IsLetterOrDigit(c) || c is '_' or '-' or '.' or ':' or '/' or ' ' ? c : '?').ToArray());

    private static JsonObject ReadInput(ServiceRequest request, Call call, Target target, OperationModel operation, IReadOnlyList<KeyValuePair<string, string>>? form)
    {
        switch (call.Kind)
        {
            case ProtocolKind.Json:
                return operation.Input is { } json && !request.Body.IsEmpty ? JsonShapes.ReadStructure(json, JsonShapes.Parse(request.Body.Span)) : [];
            case ProtocolKind.RpcV2Cbor:
                return operation.Input is { } cbor ? CborShapes.ReadStructure(cbor, request.Body) : [];
            case ProtocolKind.Query or ProtocolKind.Ec2:
                return QueryShapes.Read(operation.Input, form ?? request.Query, call.Kind == ProtocolKind.Ec2);
            default:
                return RestBinding.Read(call.Model!, target.Route!, request);
        }
    }

    private sealed record Target(string Name, OperationModel? Model, RouteMatch? Route, ServiceFault? Fault);

    private sealed class Call
    {
        public required string RequestId { get; init; }

        public ProtocolKind Kind { get; set; } = ProtocolKind.RestXml;

        public ServiceModel? Model { get; set; }

        public string Operation { get; set; } = "";

        public string Region { get; set; } = "";

        public string AccountId { get; set; } = "";

        public string? FaultId { get; set; }

        /// <summary>The region that has been looked at already for being lost: of some requests only the signature's owner tells the region.</summary>
        public string? RegionMet { get; set; }

        /// <summary>Whether there were more requests than the service takes.</summary>
        public bool IsThrottled { get; set; }

        /// <summary>Whether the service was asked: what a fault keeps from it changes nothing.</summary>
        public bool IsCarriedOut { get; set; }
    }

    /// <summary>The caller gets no answer.</summary>
    private sealed class NoAnswerException(TimeSpan hold) : Exception
    {
        public TimeSpan Hold { get; } = hold;
    }
}
