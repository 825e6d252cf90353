using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.S3;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary><c>AWS::CloudFormation::WaitConditionHandle</c>: a presigned address that takes signals.</summary>
internal sealed class WaitConditionHandleProvider : ResourceProvider
{
    public override string Type => "AWS::CloudFormation::WaitConditionHandle";

    public static string BucketName(RequestContext context) => $"cloudformation-waitcondition-{context.Region}-{context.AccountId}";

    public override Task<ProvisionedResource> CreateAsync(ProvisionContext context, JsonObject properties)
    {
        var bucket = BucketName(context.Request);
        context.Runtime.Service<S3Service>().EnsureHidden(context.Request, bucket);
        var path = $"/{bucket}/{Uri.EscapeDataString($"{context.StackId}/{context.Runtime.Ids.Uuid()}/{context.LogicalId}")}";
        var endpoint = context.Runtime.Endpoint ?? new Uri("http://127.0.0.1");
        var url = Signature.Presign(context.Runtime.AccessKeys.Root, "PUT", endpoint, context.Request.Region, path, TimeSpan.FromDays(7), WallClock.UtcNow);
        return Task.FromResult(new ProvisionedResource(url));
    }

    public override Task<ProvisionedResource> UpdateAsync(ProvisionContext context, string physicalId, JsonObject before, JsonObject after) =>
        Task.FromResult(new ProvisionedResource(physicalId));

    public override Task DeleteAsync(ProvisionContext context, string physicalId, JsonObject properties) => Task.CompletedTask;

    public override Task<JsonObject?> ReadAsync(ProvisionContext context, string physicalId) => Task.FromResult<JsonObject?>([]);
}

/// <summary><c>AWS::CloudFormation::WaitCondition</c>: complete when its handle, or the resource itself, has had its signals.</summary>
internal sealed class WaitConditionProvider : ResourceProvider
{
    private readonly SandboxRuntime runtime;
    private readonly ConcurrentDictionary<string, Waiter> waiters = new(StringComparer.Ordinal);

    public WaitConditionProvider(SandboxRuntime runtime)
    {
        this.runtime = runtime;
        Listen();
    }

    public override string Type => "AWS::CloudFormation::WaitCondition";

    public override async Task<ProvisionedResource> CreateAsync(ProvisionContext context, JsonObject properties)
    {
        var handle = (string?)properties["Handle"];
        var signal = context.CreationPolicy?["ResourceSignal"];
        var count = Scalars.TryInteger(handle is null ? signal?["Count"] : properties["Count"], out var number) ? (int)number : 1;
        var timeout = handle is null
            ? Duration(Scalars.Text(signal?["Timeout"]) ?? "PT5M")
            : TimeSpan.FromSeconds(Scalars.TryInteger(properties["Timeout"], out var seconds) ? seconds : 43_200);
        var key = handle is null ? ResourceKey(context.StackId, context.LogicalId) : HandleKey(handle);
        var waiter = waiters.GetOrAdd(key, _ => new Waiter(runtime.Clock.Continuations));
        var id = $"{context.StackId}/{context.LogicalId}";
        context.Initiated(id);
        using var expiry = runtime.Clock.Schedule(timeout, () => waiter.Expire(count));
        try
        {
            var data = await waiter.WaitAsync(count, context.Cancellation).ConfigureAwait(false);
            return new ProvisionedResource(id, new Dictionary<string, JsonNode?> { ["Data"] = data.ToJsonString() });
        }
        finally
        {
            waiters.TryRemove(key, out _);
        }
    }

    public override Task<ProvisionedResource> UpdateAsync(ProvisionContext context, string physicalId, JsonObject before, JsonObject after) =>
        throw new ServiceFault("CloudFormationReason", "Update to resource type AWS::CloudFormation::WaitCondition is not supported.");

    public override Task DeleteAsync(ProvisionContext context, string physicalId, JsonObject properties) => Task.CompletedTask;

    public override Task<JsonObject?> ReadAsync(ProvisionContext context, string physicalId) => Task.FromResult<JsonObject?>([]);

    private void Listen()
    {
        runtime.Service<S3Service>().ObjectPut += (context, bucket, key, body) =>
        {
            if (bucket == WaitConditionHandleProvider.BucketName(context))
            {
                Receive(key, body);
            }
        };
        runtime.Service<CloudFormationService>().Signalled += (stack, logicalId, uniqueId, success) =>
            waiters.GetOrAdd(ResourceKey(stack.Id, logicalId), _ => new Waiter(runtime.Clock.Continuations)).Add(uniqueId, "", success, "Received FAILURE signal with UniqueId " + uniqueId);
    }

    private void Receive(string key, ReadOnlyMemory<byte> body)
    {
        try
        {
            if (JsonNode.Parse(body.Span) is JsonObject signal)
            {
                waiters.GetOrAdd(key, _ => new Waiter(runtime.Clock.Continuations)).Add(
                    Scalars.Text(signal["UniqueId"]) ?? "", Scalars.Text(signal["Data"]) ?? "", Scalars.Text(signal["Status"]) == "SUCCESS", Scalars.Text(signal["Reason"]) ?? "");
            }
        }
        catch (JsonException)
        {
            // CloudFormation ignores what is not a signal.
        }
    }

    private static string ResourceKey(string stackId, string logicalId) => $"{stackId}#{logicalId}";

    private static string HandleKey(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri)
        ? Uri.UnescapeDataString(uri.AbsolutePath[(uri.AbsolutePath.IndexOf('/', 1) + 1)..])
        : url;

    private static TimeSpan Duration(string text)
    {
        try
        {
            return System.Xml.XmlConvert.ToTimeSpan(text);
        }
        catch (FormatException)
        {
            throw new ServiceFault("InvalidRequest", $"Invalid timeout {text}");
        }
    }

    private sealed class Waiter(TaskCreationOptions continuations)
    {
        private readonly Dictionary<string, string> received = new(StringComparer.Ordinal);
        private readonly TaskCompletionSource<JsonObject> completion = new(continuations);
        private int wanted = int.MaxValue;

        public void Add(string uniqueId, string data, bool success, string reason)
        {
            lock (received)
            {
                if (!success)
                {
                    completion.TrySetException(new ServiceFault("CloudFormationReason", $"WaitCondition received failed message: '{reason}' for uniqueId: {uniqueId}"));
                    return;
                }
                received[uniqueId] = data;
                Check();
            }
        }

        public void Expire(int count)
        {
            lock (received)
            {
                completion.TrySetException(new ServiceFault("CloudFormationReason", $"WaitCondition timed out. Received {received.Count} conditions when expecting {count}"));
            }
        }

        public async Task<JsonObject> WaitAsync(int count, CancellationToken cancellationToken)
        {
            lock (received)
            {
                wanted = count;
                Check();
            }
            return await completion.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        private void Check()
        {
            if (received.Count >= wanted)
            {
                completion.TrySetResult(new JsonObject(received.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))));
            }
        }
    }
}
