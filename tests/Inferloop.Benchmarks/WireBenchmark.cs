using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Inferloop.Benchmarks;

/// <summary>Operations per second of DynamoDB and S3 on the sandbox, on moto and on the npm servers, each in a process of its own, with one client for all.</summary>
internal static class WireBenchmark
{
    internal const string TableDefinition = """
        {"TableName":"bench","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"at","AttributeType":"N"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"},{"AttributeName":"at","KeyType":"RANGE"}]}
        """;

    private const int Keys = 10_000;
    private const int Rounds = 3;
    private static readonly int[] Clients = [1, 16];

    private sealed record Rival(string Name, string Program, Func<int, string[]> Arguments, string AccessKeyId, string Secret, bool HasTables, bool HasObjects);

    internal sealed record Workload(string Name, Func<Random, int, WireRequest> Next, bool IsTable);

    public static async Task RunAsync(string[] args)
    {
        var costs = new Dictionary<(string Workload, int Clients, string Server), double>();
        var seconds = double.Parse(args.FirstOrDefault(arg => arg.StartsWith("seconds=", StringComparison.Ordinal))?[8..] ?? "4", CultureInfo.InvariantCulture);
        var only = args.FirstOrDefault(arg => arg.StartsWith("only=", StringComparison.Ordinal))?[5..];
        var rivals = Rivals(Path.Combine(Path.GetTempPath(), "inferloop-benchmark-npm")).Where(rival => only is null || rival.Name.StartsWith(only, StringComparison.Ordinal)).ToList();
        var results = new Dictionary<(string Workload, int Clients, string Server), double>();
        var running = new List<(Rival Rival, ServerProcess Server)>();
        try
        {
            foreach (var rival in rivals)
            {
                var server = await ServerProcess.StartAsync(rival.Program, rival.Arguments);
                running.Add((rival, server));
                Prepare(rival, server.Port);
                // Servers that compile as they run, which all of them but moto are, are measured when they have.
                foreach (var workload in Workloads().Where(workload => workload.IsTable ? rival.HasTables : rival.HasObjects))
                {
                    Measure(rival, server, workload, Clients[^1], seconds);
                }
            }
            // In turns, and the best of each: what else the machine does meanwhile is not to be one server's misfortune.
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var workload in Workloads())
                {
                    foreach (var clients in Clients)
                    {
                        foreach (var (rival, server) in running.Where(pair => workload.IsTable ? pair.Rival.HasTables : pair.Rival.HasObjects))
                        {
                            var (rate, cost) = Measure(rival, server, workload, clients, seconds);
                            var key = (workload.Name, clients, rival.Name);
                            results[key] = Math.Max(rate, results.GetValueOrDefault(key));
                            costs[key] = Math.Min(cost, costs.GetValueOrDefault(key, double.MaxValue));
                            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rival.Name,-10} {workload.Name,-12} {clients,3} clients {rate,9:F0}/s {cost,8:F0} us of processor time each  {server.WorkingSet >> 20} MB"));
                        }
                    }
                }
            }
        }
        finally
        {
            running.ForEach(pair => pair.Server.Dispose());
        }
        var names = rivals.ConvertAll(rival => rival.Name);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} processors, {DateTime.UtcNow:yyyy-MM-dd}. Operations per second, and how many times a rival's the sandbox's are:"));
        Write(names, results, static (own, other) => own / other);
        Console.WriteLine("Microseconds of processor time that the server takes for each, whatever else the machine does:");
        Write(names, costs, static (own, other) => other / own);
    }

    private static void Write(List<string> names, Dictionary<(string Workload, int Clients, string Server), double> results, Func<double, double, double> compare)
    {
        Console.WriteLine($"| operation | clients | {string.Join(" | ", names)} |");
        Console.WriteLine($"|---|---:|{string.Concat(Enumerable.Repeat("---:|", names.Count))}");
        foreach (var (workload, clients) in results.Keys.Select(key => (key.Workload, key.Clients)).Distinct())
        {
            var own = results.GetValueOrDefault((workload, clients, "sandbox"));
            var cells = names.Select(name => !results.TryGetValue((workload, clients, name), out var value) ? ""
                : value.ToString("N0", CultureInfo.InvariantCulture) + (name == "sandbox" || own == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" ({compare(own, value):F1} x)")));
            Console.WriteLine($"| {workload} | {clients} | {string.Join(" | ", cells)} |");
        }
    }

    private static List<Rival> Rivals(string folder)
    {
        var rivals = new List<Rival> { new("sandbox", SandboxServer.Program, port => ["serve", $"{port}"], SandboxServer.AccessKeyId, SandboxServer.Secret, true, true) };
        if (ProcessRun.Find("moto_server") is { } moto)
        {
            rivals.Add(new("moto", moto, port => ["-H", "127.0.0.1", "-p", $"{port}"], SandboxServer.AccessKeyId, SandboxServer.Secret, true, true));
        }
        else
        {
            Console.Error.WriteLine("moto_server is not on PATH: its column is missing");
        }
        if (InstallNpmServers(folder) is { } node)
        {
            string Script(string package, string file) => Path.Combine(folder, "node_modules", package, file);
            var data = Directory.CreateTempSubdirectory("inferloop-s3rver-").FullName;
            rivals.Add(new("dynalite", node, port => [Script("dynalite", "cli.js"), "--port", $"{port}", "--createTableMs", "0"], SandboxServer.AccessKeyId, SandboxServer.Secret, true, false));
            rivals.Add(new("s3rver", node, port => [Script("s3rver", "bin/s3rver.js"), "-d", data, "-a", "127.0.0.1", "-p", $"{port}", "--silent"], "S3RVER", "S3RVER", false, true));
        }
        return rivals;
    }

    /// <summary>The npm servers, installed outside the repository; null where there is no npm.</summary>
    private static string? InstallNpmServers(string folder)
    {
        if (ProcessRun.Find("node") is not { } node || ProcessRun.Find("npm") is not { } npm)
        {
            Console.Error.WriteLine("node and npm are not on PATH: the columns of dynalite and s3rver are missing");
            return null;
        }
        if (!File.Exists(Path.Combine(folder, "node_modules", "s3rver", "package.json")) || !File.Exists(Path.Combine(folder, "node_modules", "dynalite", "package.json")))
        {
            Directory.CreateDirectory(folder);
            using var install = Process.Start(new ProcessStartInfo(npm, ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, "s3rver@3.7.1", "dynalite@4.0.0"]) { RedirectStandardOutput = true })!;
            install.StandardOutput.ReadToEnd();
            install.WaitForExit();
            if (install.ExitCode != 0)
            {
                Console.Error.WriteLine("npm could not install dynalite and s3rver: their columns are missing");
                return null;
            }
        }
        return node;
    }

    private static void Prepare(Rival rival, int port)
    {
        using var client = new WireClient(port, rival.AccessKeyId, rival.Secret);
        if (rival.HasTables)
        {
            client.Send(Table("CreateTable", TableDefinition));
            while (!Encoding.UTF8.GetString(client.Send(Table("DescribeTable", """{"TableName":"bench"}""")).Span).Contains("\"ACTIVE\"", StringComparison.Ordinal))
            {
                Thread.Sleep(50);
            }
            for (var i = 0; i < Keys; i += 25)
            {
                var puts = Enumerable.Range(i, 25).Select(n => "{\"PutRequest\":{\"Item\":" + Item(n) + "}}");
                client.Send(Table("BatchWriteItem", "{\"RequestItems\":{\"bench\":[" + string.Join(',', puts) + "]}}"));
            }
        }
        if (rival.HasObjects)
        {
            client.Send(WireRequest.Object("PUT", "/bench", []));
            var random = new Random(1);
            var put = Workloads().Single(workload => workload.Name == "PutObject");
            for (var i = 0; i < Keys / 10; i++)
            {
                client.Send(put.Next(random, i));
            }
        }
    }

    private static (double Rate, double Cost) Measure(Rival rival, ServerProcess server, Workload workload, int clients, double seconds)
    {
        var (warm, over) = (Stopwatch.GetTimestamp() + (long)(seconds / 2 * Stopwatch.Frequency), false);
        var counts = new long[clients];
        var failures = new System.Collections.Concurrent.ConcurrentQueue<Exception>();
        var begin = 0L;
        var threads = Enumerable.Range(0, clients).Select(number => new Thread(() =>
        {
            try
            {
                using var client = new WireClient(server.Port, rival.AccessKeyId, rival.Secret);
                var random = new Random(number);
                for (var i = number; !Volatile.Read(ref over); i++)
                {
                    client.Send(workload.Next(random, random.Next(workload.IsTable ? Keys : Keys / 10)));
                    if (Volatile.Read(ref begin) != 0)
                    {
                        counts[number]++;
                    }
                }
            }
            catch (Exception e)
            {
                failures.Enqueue(e);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        // The server's code is warm before anything counts.
        while (Stopwatch.GetTimestamp() < warm)
        {
            Thread.Sleep(10);
        }
        var started = Stopwatch.GetTimestamp();
        var used = server.ProcessorTime;
        Volatile.Write(ref begin, started);
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        Volatile.Write(ref over, true);
        var took = Stopwatch.GetElapsedTime(started);
        used = server.ProcessorTime - used;
        threads.ForEach(thread => thread.Join());
        return failures.TryPeek(out var failure) ? throw new InvalidOperationException($"{rival.Name}, {workload.Name}", failure) : (counts.Sum() / took.TotalSeconds, used.TotalMicroseconds / Math.Max(1, counts.Sum()));
    }

    internal static IEnumerable<Workload> Workloads()
    {
        var content = new byte[1024];
        new Random(1).NextBytes(content);
        yield return new("PutItem", (_, n) => Table("PutItem", "{\"TableName\":\"bench\",\"Item\":" + Item(n) + "}"), true);
        yield return new("GetItem", (_, n) => Table("GetItem", $$$$"""{"TableName":"bench","Key":{"id":{"S":"{{{{n / 10}}}}"},"at":{"N":"{{{{n % 10}}}}"}}}"""), true);
        yield return new("Query", (_, n) => Table("Query", $$$$"""{"TableName":"bench","KeyConditionExpression":"id = :id","ExpressionAttributeValues":{":id":{"S":"{{{{n / 10}}}}"}}}"""), true);
        yield return new("PutObject", (_, n) => WireRequest.Object("PUT", $"/bench/folder/{n}", content), false);
        yield return new("GetObject", (_, n) => WireRequest.Object("GET", $"/bench/folder/{n}", []), false);
    }

    private static string Item(int n) =>
        $$$"""{"id":{"S":"{{{n / 10}}}"},"at":{"N":"{{{n % 10}}}"},"owner":{"S":"somebody"},"state":{"S":"running"},"count":{"N":"{{{n}}}"},"tags":{"L":[{"S":"a"},{"S":"b"}]},"text":{"S":"what a small item of an application says, a hundred bytes or a few more of them"}}""";

    internal static WireRequest Table(string operation, string body) => WireRequest.Json("dynamodb", "/", "DynamoDB_20120810." + operation, body);
}
