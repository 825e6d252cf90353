using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>How an invocation went.</summary>
internal sealed record Invocation(string RequestId, string Version, string Payload, string? Error, double Duration, string Log);

/// <summary>Invocations: admitted, recorded, counted; answered as the function's declared behaviour says.</summary>
internal sealed partial class LambdaService
{
    private const int MaximumSynchronous = 6_291_556;
    private const int MaximumAsynchronous = 1_048_576;
    private const int KeptInvocations = 1000;

    private static readonly TimeSpan[] RetryDelays = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2)];

    private readonly Dictionary<string, List<DateTimeOffset>> running = new(StringComparer.Ordinal);

    private void AddInvocations()
    {
        On("Invoke", Invoke);
        On("PutFunctionEventInvokeConfig", (context, input) => PutInvokeConfig(context, input, keep: false));
        On("UpdateFunctionEventInvokeConfig", (context, input) => PutInvokeConfig(context, input, keep: true));
        On("GetFunctionEventInvokeConfig", InvokeConfig);
        On("DeleteFunctionEventInvokeConfig", (context, input) =>
        {
            _ = InvokeConfig(context, input);
            InvokeConfigs(context).Remove(QualifiedKey(input));
            return [];
        });
        On("ListFunctionEventInvokeConfigs", (context, input) =>
        {
            var name = Function(context, Named(input).Name).Text("FunctionName");
            return Pages.Answer(input, InvokeConfigs(context).Where(config => config.Text("_Function") == name).ToList(), "FunctionEventInvokeConfigs", "MaxItems", "Marker", 50, "InvalidParameterValueException", "NextMarker");
        });
    }

    private Collection InvokeConfigs(RequestContext context) => Collection(context, "event-invoke-configs");

    private static string QualifiedKey(JsonObject input)
    {
        var (name, qualifier) = Named(input);
        return $"{name}:{qualifier ?? Latest}";
    }

    private JsonObject InvokeConfig(RequestContext context, JsonObject input)
    {
        var (name, qualifier) = Named(input);
        _ = Resolve(context, name, qualifier);
        return InvokeConfigs(context).Get(QualifiedKey(input)) ?? throw NotFound($"The function {ArnOf(context, name, qualifier ?? Latest)} doesn't have an EventInvokeConfig");
    }

    private JsonObject PutInvokeConfig(RequestContext context, JsonObject input, bool keep)
    {
        var (name, qualifier) = Named(input);
        _ = Resolve(context, name, qualifier);
        foreach (var target in new[] { "OnSuccess", "OnFailure" }.Select(side => input.Child("DestinationConfig")?.Child(side)?.Text("Destination")).OfType<string>())
        {
            if (target.Split(':') is not ["arn", _, "sqs" or "sns" or "lambda" or "events" or "s3", ..])
            {
                throw Invalid($"The destination ARN {target} is invalid.");
            }
        }
        var config = (keep ? InvokeConfig(context, input) : []).Take(input, "MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig");
        config["FunctionArn"] = ArnOf(context, name, qualifier ?? Latest);
        config["LastModified"] = Documents.Time(context.Now);
        config["_Function"] = name;
        if (!config.Has("DestinationConfig"))
        {
            config["DestinationConfig"] = new JsonObject { ["OnSuccess"] = new JsonObject(), ["OnFailure"] = new JsonObject() };
        }
        InvokeConfigs(context).Put(QualifiedKey(input), config);
        return config;
    }

    private JsonObject Invoke(RequestContext context, JsonObject input)
    {
        var (name, qualifier) = Named(input);
        var function = Version(context, name, qualifier);
        var type = input.Text("InvocationType") ?? "RequestResponse";
        var bytes = input.Text("Payload") is { } body ? Convert.FromBase64String(body) : [];
        var payload = bytes.Length == 0 ? "{}" : Encoding.UTF8.GetString(bytes);
        if (bytes.Length > (type == "Event" ? MaximumAsynchronous : MaximumSynchronous))
        {
            throw Fault("RequestTooLargeException", $"Request must be smaller than {(type == "Event" ? MaximumAsynchronous : MaximumSynchronous)} bytes for the InvokeFunction operation", 413);
        }
        try
        {
            using var document = JsonDocument.Parse(payload);
        }
        catch (JsonException e)
        {
            throw Fault("InvalidRequestContentException", $"Could not parse request body into json: {e.Message}", 400);
        }
        RequireActive(function);
        switch (type)
        {
            case "DryRun":
                return new JsonObject { ["StatusCode"] = 204 };
            case "Event":
                InvokeLater(context, name, qualifier, payload);
                return new JsonObject { ["StatusCode"] = 202 };
            default:
                var run = Run(context, name, qualifier, function, payload);
                var answer = new JsonObject { ["StatusCode"] = 200, ["ExecutedVersion"] = run.Version, ["Payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(run.Payload)) }.With("FunctionError", run.Error is null ? null : "Unhandled");
                return input.Text("LogType") == "Tail" ? answer.With("LogResult", Convert.ToBase64String(Encoding.UTF8.GetBytes(run.Log))) : answer;
        }
    }

    private static void RequireActive(JsonObject function)
    {
        if (function.Text("State") != "Active")
        {
            throw Conflict($"The operation cannot be performed at this time. The function is currently in the following state: {function.Text("State")}");
        }
    }

    /// <summary>The version that this invocation gets: an alias may spread its invocations over two.</summary>
    private JsonObject Version(RequestContext context, string name, string? qualifier)
    {
        if (qualifier is not null && Aliases(context).Get($"{name}:{qualifier}")?.Child("RoutingConfig")?.Child("AdditionalVersionWeights") is { Count: > 0 } weights)
        {
            var (other, _) = weights.First();
            if (Runtime.Ids.Next(10_000) < (weights.Double(other) ?? 0) * 10_000)
            {
                return Resolve(context, name, other);
            }
        }
        return Resolve(context, name, qualifier);
    }

    /// <summary>An invocation by another service of the sandbox, whose answer no one waits for.</summary>
    public void InvokeLater(RequestContext context, string arn, string payload)
    {
        var parts = arn.Split(':');
        InvokeLater(context.With(parts[4], parts[3]), parts[6], parts.Length > 7 ? parts[7] : null, payload);
    }

    private void InvokeLater(RequestContext context, string name, string? qualifier, string payload)
    {
        var background = context.Detached();
        Runtime.After(TimeSpan.FromMilliseconds(50), () => Attempt(background, name, qualifier, payload, background.Now, 0));
    }

    /// <summary>One attempt at an asynchronous invocation: throttled ones wait, failed ones are tried again, then go to their destination.</summary>
    private void Attempt(RequestContext context, string name, string? qualifier, string payload, DateTimeOffset accepted, int attempt)
    {
        if (!Functions(context).Contains(name))
        {
            return;
        }
        var config = InvokeConfigs(context).Get($"{name}:{qualifier ?? Latest}");
        var age = TimeSpan.FromSeconds(config?.Int("MaximumEventAgeInSeconds") ?? 21_600);
        Invocation? run = null;
        string condition;
        try
        {
            run = Run(context, name, qualifier, Version(context, name, qualifier), payload);
            condition = run.Error is null ? "Success" : "RetriesExhausted";
        }
        catch (ServiceFault fault) when (fault.Code == "TooManyRequestsException")
        {
            if (context.Now - accepted < age)
            {
                Runtime.After(TimeSpan.FromSeconds(Math.Min(300, 1 << Math.Min(attempt + 1, 8))), () => Attempt(context, name, qualifier, payload, accepted, attempt));
                return;
            }
            condition = "EventAgeExceeded";
        }
        if (run?.Error is not null && attempt < (config?.Int("MaximumRetryAttempts") ?? 2) && context.Now - accepted < age)
        {
            Runtime.After(RetryDelays[Math.Min(attempt, RetryDelays.Length - 1)], () => Attempt(context, name, qualifier, payload, accepted, attempt + 1));
            return;
        }
        Runtime.Run(_ => Conclude(context, name, qualifier, payload, condition, run, attempt + 1, config));
    }

    private async Task Conclude(RequestContext context, string name, string? qualifier, string payload, string condition, Invocation? run, int attempts, JsonObject? config)
    {
        var failed = condition != "Success";
        var record = new JsonObject
        {
            ["version"] = "1.0",
            ["timestamp"] = context.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
            ["requestContext"] = new JsonObject { ["requestId"] = run?.RequestId ?? context.RequestId, ["functionArn"] = ArnOf(context, name, qualifier ?? Latest), ["condition"] = condition, ["approximateInvokeCount"] = attempts },
            ["requestPayload"] = JsonNode.Parse(payload),
            ["responseContext"] = run is null ? null : new JsonObject { ["statusCode"] = 200, ["executedVersion"] = run.Version }.With("functionError", run.Error is null ? null : "Unhandled"),
            ["responsePayload"] = run is null ? null : JsonNode.Parse(run.Payload),
        };
        var targets = new List<(string Arn, string Body)>();
        if (config?.Child("DestinationConfig")?.Child(failed ? "OnFailure" : "OnSuccess")?.Text("Destination") is { } destination)
        {
            targets.Add((destination, record.ToJsonString()));
        }
        if (failed && Functions(context).Get(name)?.Child("DeadLetterConfig")?.Text("TargetArn") is { Length: > 0 } dead)
        {
            targets.Add((dead, payload));
        }
        foreach (var (arn, body) in targets)
        {
            if (await Events.TargetDelivery.SendAsync(context, new Events.Delivery(arn, body) { ByRole = true, Source = "lambda.amazonaws.com", DetailType = $"Lambda Function Invocation Result - {(failed ? "Failure" : "Success")}" }).ConfigureAwait(false) is not null)
            {
                Count(context, name, qualifier, failed ? "DeadLetterErrors" : "DestinationDeliveryFailures", 1, "Count");
            }
        }
    }

    /// <summary>Runs nothing: admits the invocation, notes it, and gives what the function's tag declares.</summary>
    private Invocation Run(RequestContext context, string name, string? qualifier, JsonObject function, string payload)
    {
        RequireActive(function);
        var behaviour = FunctionBehaviour.Of(Function(context, name), out var problem);
        if (problem is not null)
        {
            throw Invalid(problem);
        }
        var limit = function.Int("Timeout") * 1000.0 ?? 3000;
        if (function.Child("_Code")?.Text("ImageUri") is { } image && Ecs.ContainerImages.BehaviourOf(context, image) == Ecs.ImageBehaviour.Exits)
        {
            behaviour = behaviour with { Outcome = "error", Error = "Runtime.ExitError" };
        }
        var timedOut = behaviour.Outcome == "timeout" || behaviour.Duration > limit;
        var duration = timedOut ? limit : behaviour.Duration;
        Admit(context, name, qualifier, TimeSpan.FromMilliseconds(duration));
        var failed = !timedOut && (behaviour.Outcome == "error" || (behaviour.FailRate > 0 && Runtime.Ids.Next(10_000) < behaviour.FailRate * 100));
        var request = Runtime.Ids.Uuid();
        var version = function.Required("Version");
        var seconds = (limit / 1000).ToString("0.00", CultureInfo.InvariantCulture);
        var error = timedOut ? "Sandbox.Timedout" : failed ? behaviour.Error : null;
        var answer = timedOut ? new JsonObject { ["errorType"] = "Sandbox.Timedout", ["errorMessage"] = $"RequestId: {request} Error: Task timed out after {seconds} seconds" }.ToJsonString()
            : failed ? new JsonObject { ["errorType"] = behaviour.Error, ["errorMessage"] = $"The function's tag {FunctionBehaviour.Tag} declares that it fails." }.ToJsonString()
            : behaviour.Payload;
        var log = Log(context, name, function, request, version, duration, behaviour, timedOut ? $"{Moment(context.Now)} {request} Task timed out after {seconds} seconds" : null);
        Count(context, name, qualifier, "Invocations", 1, "Count");
        Count(context, name, qualifier, "Errors", error is null ? 0 : 1, "Count");
        Count(context, name, qualifier, "Duration", duration, "Milliseconds");
        Count(context, name, qualifier, "Throttles", 0, "Count");
        if (qualifier is not null && qualifier != Latest && qualifier != version)
        {
            // What tells the two versions of an alias apart while it shares calls between them.
            Runtime.Service<CloudWatchService>().Publish(context, "AWS/Lambda", "Invocations", 1, "Count", ("FunctionName", name), ("Resource", $"{name}:{qualifier}"), ("ExecutedVersion", version));
            Runtime.Service<CloudWatchService>().Publish(context, "AWS/Lambda", "Errors", error is null ? 0 : 1, "Count", ("FunctionName", name), ("Resource", $"{name}:{qualifier}"), ("ExecutedVersion", version));
        }
        Record(context, name, request, version, payload, error, duration);
        return new Invocation(request, version, answer, error, duration, log);
    }

    /// <summary>The last invocations of a function, oldest first: what came in, what was answered.</summary>
    public IReadOnlyList<JsonObject> Invocations(RequestContext context, string name) => Collection(context, "invocations").Where(item => item.Text("Function") == name).OrderBy(item => item.Long("Order")).ToList();

    private long order;

    private void Record(RequestContext context, string name, string request, string version, string payload, string? error, double duration)
    {
        var number = Interlocked.Increment(ref order);
        var kept = Collection(context, "invocations");
        kept.Put(number.ToString("D12", CultureInfo.InvariantCulture), new JsonObject
        {
            ["Order"] = number, ["Function"] = name, ["RequestId"] = request, ["Version"] = version, ["Payload"] = payload, ["Time"] = Documents.Time(context.Now), ["Duration"] = duration,
        }.With("Error", error));
        if (kept.Count > KeptInvocations)
        {
            kept.Remove(kept.Keys()[0]);
        }
    }

    private void Count(RequestContext context, string name, string? qualifier, string metric, double value, string unit)
    {
        var watch = Runtime.Service<CloudWatchService>();
        watch.Publish(context, "AWS/Lambda", metric, value, unit, ("FunctionName", name));
        watch.Publish(context, "AWS/Lambda", metric, value, unit, ("FunctionName", name), ("Resource", qualifier is null ? name : $"{name}:{qualifier}"));
        watch.Publish(context, "AWS/Lambda", metric, value, unit);
    }

    /// <summary>Takes a place among the executions that run at once, for as long as the invocation lasts; throttles when there is none.</summary>
    private void Admit(RequestContext context, string name, string? qualifier, TimeSpan duration)
    {
        var reserved = Function(context, name).Int("_Concurrency");
        var limit = reserved ?? AccountConcurrency - Reserved(context, null);
        var key = $"{context.AccountId}/{context.Region}/{(reserved is null ? "" : name)}";
        int now;
        lock (running)
        {
            if (!running.TryGetValue(key, out var ends))
            {
                running[key] = ends = [];
            }
            ends.RemoveAll(end => end <= context.Now);
            now = ends.Count;
            if (now < limit)
            {
                ends.Add(context.Now + duration);
            }
        }
        if (now < limit)
        {
            Count(context, name, qualifier, "ConcurrentExecutions", now + 1, "Count");
            return;
        }
        Count(context, name, qualifier, "Throttles", 1, "Count");
        throw Fault("TooManyRequestsException", "Rate Exceeded.", 429, reason: reserved is null ? "ConcurrentInvocationLimitExceeded" : "ReservedFunctionConcurrentInvocationLimitExceeded");
    }

    /// <summary>The lines that Lambda itself writes for an invocation; the function writes none.</summary>
    private string Log(RequestContext context, string name, JsonObject function, string request, string version, double duration, FunctionBehaviour behaviour, string? problem)
    {
        var milliseconds = duration.ToString("0.00", CultureInfo.InvariantCulture);
        var lines = new List<string> { $"START RequestId: {request} Version: {version}\n" };
        if (problem is not null)
        {
            lines.Add(problem + "\n\n");
        }
        lines.Add($"END RequestId: {request}\n");
        lines.Add($"REPORT RequestId: {request}\tDuration: {milliseconds} ms\tBilled Duration: {Math.Ceiling(duration).ToString(CultureInfo.InvariantCulture)} ms\tMemory Size: {function.Int("MemorySize")} MB\tMax Memory Used: {behaviour.Memory} MB\t\n");
        var group = function.Child("LoggingConfig")!.Required("LogGroup");
        var stream = $"{context.Now.UtcDateTime.ToString("yyyy/MM/dd", CultureInfo.InvariantCulture)}/[{version}]{Ec2.Ec2Service.StableHex(name + version, 32)}";
        var logs = Runtime.Service<Logs.LogsService>();
        var background = context.Detached();
        logs.EnsureGroup(context, group, create: true);
        Runtime.Run(async _ =>
        {
            try
            {
                await logs.InvokeAsync(background, "CreateLogStream", new JsonObject { ["logGroupName"] = group, ["logStreamName"] = stream }).ConfigureAwait(false);
            }
            catch (ServiceFault fault) when (fault.Code == "ResourceAlreadyExistsException")
            {
                // The environment of an earlier invocation made it.
            }
            await logs.InvokeAsync(background, "PutLogEvents", new JsonObject
            {
                ["logGroupName"] = group,
                ["logStreamName"] = stream,
                ["logEvents"] = lines.Select(line => new JsonObject { ["timestamp"] = background.Now.ToUnixTimeMilliseconds(), ["message"] = line }).ToJsonList(),
            }).ConfigureAwait(false);
        });
        return string.Concat(lines);
    }
}
