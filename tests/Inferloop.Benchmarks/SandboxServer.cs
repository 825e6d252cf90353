using System.Diagnostics;
using System.Globalization;
using Inferloop.Sandbox;

namespace Inferloop.Benchmarks;

/// <summary>The sandbox in a process of its own, as its rivals are.</summary>
internal static class SandboxServer
{
    public const string AccessKeyId = "AKIAIOSFODNN7EXAMPLE";

    public const string Secret = "benchmark-only-secret";

    /// <summary>This program, called again to serve.</summary>
    public static string Program => Environment.ProcessPath!;

    /// <summary>Serves until the process is ended, or once only where it is to show how long that takes.</summary>
    public static async Task<int> ServeAsync(string[] args)
    {
        var inMain = Stopwatch.StartNew();
        var port = int.Parse(args[0], CultureInfo.InvariantCulture);
        var once = args.Contains("once");
        var path = args.FirstOrDefault(arg => arg.StartsWith("path=", StringComparison.Ordinal))?[5..];
        await using var host = await SandboxHost.StartAsync(new SandboxOptions { Port = port, AccessKeyId = AccessKeyId, SecretAccessKey = Secret, Path = path });
        inMain.Stop();
        if (once)
        {
            // A client's first call is answered too: a server that listens but is not ready yet has not started.
            using var client = new WireClient(host.Endpoint.Port, AccessKeyId, Secret);
            client.Send(WireRequest.Json("sts", "/", null, "Action=GetCallerIdentity&Version=2011-06-15", "application/x-www-form-urlencoded"));
            using var self = Process.GetCurrentProcess();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{inMain.Elapsed.TotalMilliseconds} {(DateTime.Now - self.StartTime).TotalMilliseconds}"));
            return 0;
        }
        await Task.Delay(Timeout.Infinite);
        return 0;
    }
}
