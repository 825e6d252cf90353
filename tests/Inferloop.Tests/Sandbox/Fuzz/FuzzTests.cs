using System.Diagnostics;
using System.Globalization;
using System.Text;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Hosting;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox.Fuzz;

/// <summary>Requests that no client would send end in an error that every client can read, and never in a defect of the sandbox.</summary>
/// <remarks>
/// The requests follow from the seed alone, the answers they build on included, so that a finding comes again. <c>INFERLOOP_FUZZ=100000</c> asks for as many in all,
/// <c>INFERLOOP_FUZZ_SEED</c> for others.
/// </remarks>
public sealed class FuzzTests
{
    private const int Slices = 8;

    /// <summary>However absurd a request is, its answer does not take longer than this on a busy machine.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Thousands_of_broken_requests_get_well_formed_answers(int slice)
    {
        var seed = slice + Setting("INFERLOOP_FUZZ_SEED", 0);
        var count = Setting("INFERLOOP_FUZZ", 100_000) / Slices;
        using var runtime = new SandboxRuntime(new SandboxOptions { ClockRate = 0, Seed = seed });
        var router = new ServiceRouter(runtime);
        runtime.Route = router.HandleAsync;
        runtime.Endpoint = new Uri("http://127.0.0.1:1");
        var random = new Random(seed);
        var seen = new SeenTexts(random);
        var requests = new FuzzRequests(random, runtime, seen);
        var findings = new Dictionary<string, string>(StringComparer.Ordinal);
        var successes = 0;
        var slowest = (Took: TimeSpan.Zero, Shown: "");
        for (var i = 0; i < count; i++)
        {
            if (i % 250 == 249)
            {
                // What takes time on AWS happens in between: later requests meet other states.
                runtime.Clock.Advance(TimeSpan.FromMinutes(7));
                Note(findings, runtime, $"#{i}: the clock", null);
            }
            var asked = requests.Next();
            var started = Stopwatch.GetTimestamp();
            // On a thread of its own: a handler that never ends must not take the test with it.
            var answering = Task.Run(() => router.HandleAsync(asked.Request, TestContext.Current.CancellationToken), TestContext.Current.CancellationToken);
            for (var waited = Stopwatch.StartNew(); !answering.IsCompleted && waited.Elapsed < Patience;)
            {
                // A long poll waits for the clock.
                if (await Task.WhenAny(answering, Task.Delay(Patience / 40, TestContext.Current.CancellationToken)) != answering)
                {
                    runtime.Clock.Advance(TimeSpan.FromSeconds(5));
                }
            }
            if (!answering.IsCompleted)
            {
                Assert.Fail($"no answer within {Patience} to {Shown(asked, i)}");
            }
            var answer = await answering;
            var took = Stopwatch.GetElapsedTime(started);
            if (took > slowest.Took)
            {
                slowest = (took, Shown(asked, i));
            }
            Note(findings, runtime, Shown(asked, i), FuzzAnswers.Problem(asked, answer));
            FuzzAnswers.Remember(asked, answer, seen);
            successes += answer.Status < 300 ? 1 : 0;
        }
        Assert.True(findings.Count == 0, $"{findings.Count} kinds of finding with seed {seed}:\n{string.Join("\n\n", findings.Select(pair => $"{pair.Key}\n  {pair.Value}").Take(40))}");
        Assert.True(slowest.Took < Patience, $"{slowest.Took} for {slowest.Shown}");
        // Requests that are all refused at the door show nothing.
        Assert.True(successes > count / 20, $"only {successes} of {count} were accepted");
        TestContext.Current.TestOutputHelper?.WriteLine($"{successes} of {count} were accepted; the slowest took {slowest.Took}: {slowest.Shown}");
    }

    /// <summary>Keeps one example of every kind of finding.</summary>
    private static void Note(Dictionary<string, string> findings, SandboxRuntime runtime, string shown, string? problem)
    {
        foreach (var error in runtime.Statistics.InternalErrors)
        {
            var place = (error.StackTrace ?? "").Split('\n').FirstOrDefault(line => line.Contains("Inferloop.Sandbox", StringComparison.Ordinal))?.Trim();
            findings.TryAdd($"{error.GetType().Name} {place}", $"{shown}\n  {error}");
        }
        runtime.Statistics.ForgetInternalErrors();
        if (problem is not null)
        {
            findings.TryAdd(problem.Length > 300 ? problem[..300] : problem, shown);
        }
    }

    private static string Shown(FuzzRequest asked, int number)
    {
        var request = asked.Request;
        var body = Encoding.UTF8.GetString(request.Body.Span);
        return $"#{number} {asked.Model.Name} {asked.Operation.Name}: {request.Method} {request.RawPath}?{request.RawQuery} {request.Header("x-amz-target")} {body[..Math.Min(700, body.Length)]}";
    }
}
