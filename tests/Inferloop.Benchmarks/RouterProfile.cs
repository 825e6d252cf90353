using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Hosting;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Benchmarks;

/// <summary>What an operation costs the sandbox without any transport, and where that goes: in one thread, in microseconds and bytes allocated.</summary>
internal static class RouterProfile
{
    private const int Rounds = 30_000;

    public static void Run()
    {
        using var runtime = new SandboxRuntime(new SandboxOptions { ClockRate = 1000, AccessKeyId = SandboxServer.AccessKeyId, SecretAccessKey = SandboxServer.Secret });
        var router = new ServiceRouter(runtime);
        void Do(ServiceRequest request)
        {
            var answer = router.HandleAsync(request, CancellationToken.None).GetAwaiter().GetResult();
            if (answer.Status >= 300)
            {
                throw new InvalidOperationException(Encoding.UTF8.GetString(answer.Body.Span));
            }
        }
        var key = runtime.AccessKeys.Root;
        Do(Signed(key, WireBenchmark.Table("CreateTable", WireBenchmark.TableDefinition)));
        while (!Encoding.UTF8.GetString(router.HandleAsync(Signed(key, WireBenchmark.Table("DescribeTable", """{"TableName":"bench"}""")), CancellationToken.None).GetAwaiter().GetResult().Body.Span).Contains("\"ACTIVE\"", StringComparison.Ordinal))
        {
            Thread.Sleep(5);
        }
        Do(Signed(key, WireRequest.Object("PUT", "/bench", [])));
        foreach (var workload in WireBenchmark.Workloads().Concat(WireBenchmark.Workloads()))
        {
            var wire = workload.Next(new Random(1), 77);
            var request = Signed(key, wire);
            Time(workload.Name, () => Do(Again(request)));
            Time("  signature", () => Signature.Read(request)!.Verify(request, key, DateTimeOffset.UtcNow));
            if (wire.Target is { } target)
            {
                var model = ServiceModels.Get("dynamodb");
                var operation = model.Operation(target[(target.IndexOf('.', StringComparison.Ordinal) + 1)..])!;
                Time("  parse", () => JsonShapes.Parse(request.Body.Span));
                var parsed = JsonShapes.Parse(request.Body.Span);
                Time("  parse and read by shape", () => JsonShapes.ReadStructure(operation.Input!, JsonShapes.Parse(request.Body.Span)));
                var input = JsonShapes.ReadStructure(operation.Input!, parsed);
                Time("  validate", () => InputValidator.Validate(model, operation, input));
                var context = runtime.SystemContext(runtime.Options.AccountId, "us-east-1");
                var service = runtime.Service("dynamodb")!;
                JsonObject output = [];
                Time("  validate and handle (in process)", () => output = service.InvokeAsync(context, operation.Name, (JsonObject)input.DeepClone()).GetAwaiter().GetResult());
                Time("  write", () => ResponseWriter.Write(ProtocolKind.Json, model, operation, output, context));
            }
        }
    }

    private static ServiceRequest Again(ServiceRequest request) => new() { Method = request.Method, RawPath = request.RawPath, RawQuery = request.RawQuery, Headers = request.Headers, Body = request.Body };

    private static void Time(string what, Action action)
    {
        for (var i = 0; i < Rounds / 3; i++)
        {
            action();
        }
        var (allocated, used) = (GC.GetAllocatedBytesForCurrentThread(), Process.GetCurrentProcess().TotalProcessorTime);
        for (var i = 0; i < Rounds; i++)
        {
            action();
        }
        var took = Process.GetCurrentProcess().TotalProcessorTime - used;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-36} {took.TotalMicroseconds / Rounds,8:F1} us {(GC.GetAllocatedBytesForCurrentThread() - allocated) / Rounds,8:N0} bytes"));
    }

    private static ServiceRequest Signed(AccessKey key, WireRequest wire)
    {
        var time = DateTimeOffset.UtcNow.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["host"] = "127.0.0.1", ["x-amz-date"] = time, ["x-amz-content-sha256"] = Convert.ToHexStringLower(SHA256.HashData(wire.Body)) };
        if (wire.Target is not null)
        {
            headers["x-amz-target"] = wire.Target;
        }
        if (wire.ContentType is not null)
        {
            headers["content-type"] = wire.ContentType;
        }
        var request = new ServiceRequest { Method = wire.Method, RawPath = wire.Path, RawQuery = "", Headers = headers, Body = wire.Body };
        headers["authorization"] = $"AWS4-HMAC-SHA256 Credential={key.Id}/{time[..8]}/us-east-1/{wire.Service}/aws4_request, SignedHeaders=host;x-amz-date, Signature={Signature.Of(key, time, "us-east-1", wire.Service, request)}";
        return request;
    }
}
