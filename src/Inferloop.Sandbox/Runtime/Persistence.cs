using System.Security.Cryptography;
using Inferloop.Sandbox.Hosting;
using Inferloop.Sandbox.Protocols;

namespace Inferloop.Sandbox.Runtime;

/// <summary>
/// A sandbox that outlives its process: requests are written to a journal before they are carried out, everything happens on one thread at the
/// moments that the journal states, and a sandbox that is started again repeats it all, with the same outcome. Time stands still in between.
/// </summary>
internal sealed class Persistence : IDisposable
{
    /// <summary>How often the journal notes the time when nobody asks anything.</summary>
    private static readonly TimeSpan NoteEvery = TimeSpan.FromSeconds(1);

    private readonly Journal journal;
    private DateTimeOffset lastWall;
    private long lastNote;

    private Persistence(Journal journal, Turnstile turnstile)
    {
        this.journal = journal;
        Turnstile = turnstile;
    }

    public Turnstile Turnstile { get; }

    public JournalHeader Header => journal.Header;

    /// <summary>How many requests were repeated at the start.</summary>
    public long Repeated { get; private set; }

    /// <summary>Opens a folder; what the journal states wins over the options.</summary>
    public static (Persistence Persistence, SandboxOptions Options) Open(SandboxOptions options, Action<Exception> report)
    {
        var journal = Journal.Open(options.Path!, options);
        var header = journal.Header;
        return (new Persistence(journal, new Turnstile(report)), options with
        {
            AccountId = header.AccountId,
            DefaultRegion = header.DefaultRegion,
            AccessKeyId = header.AccessKeyId,
            SecretAccessKey = header.SecretAccessKey,
            Seed = header.OptionsSeed,
            Port = options.Port == 0 ? header.Port : options.Port,
            ProvisioningParallelism = int.MaxValue,
        });
    }

    /// <summary>An event: its random numbers and its time of day follow from its seed and from the last request's.</summary>
    public EventScope Enter(ulong seed) => EventScope.Enter(journal.Header.Key, seed ^ journal.Header.Seed, lastWall);

    public void KeepPort(int port) => journal.KeepPort(port);

    /// <summary>Repeats what the journal holds, then lets the clock go on from where it stood. On the turnstile.</summary>
    public void Repeat(SandboxRuntime runtime, ServiceRouter router)
    {
        var refused = journal.Refused();
        foreach (var record in journal.Read())
        {
            runtime.Clock.RepeatTo(record.Ticks);
            if (record.Request is not null && !refused.Contains(record.Number))
            {
                Repeated++;
                _ = Carry(runtime, record, () => router.HandleAsync(record.Request, runtime.Stopping));
            }
        }
        runtime.Clock.GoOn(runtime.Options.ClockRate);
    }

    /// <summary>Writes a request down, carries it out and gives its answer once nothing that it tells can be lost.</summary>
    public Task<ServiceResponse> HandleAsync(SandboxRuntime runtime, ServiceRouter router, ServiceRequest request, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<ServiceResponse>(TaskCreationOptions.RunContinuationsAsynchronously);
        var posted = Turnstile.Post(() =>
        {
            var ticks = runtime.Clock.RunDueNow();
            Task<ServiceResponse> carried;
            long number = 0;
            if (IsPureRead(request) && !runtime.Faults.Any)
            {
                using (EventScope.Enter(journal.Header.Key, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)), DateTimeOffset.UtcNow))
                {
                    carried = runtime.Clock.Within(ticks, () => router.HandleAsync(request, runtime.Stopping));
                }
            }
            else
            {
                var wall = DateTimeOffset.UtcNow;
                number = journal.Append(ticks, wall, request);
                carried = Carry(runtime, new JournalRecord(JournalKind.Request, number, ticks, wall, request), () => router.HandleAsync(request, runtime.Stopping));
            }
            carried.ContinueWith(done => Answer(runtime, answer, done, number), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        });
        if (!posted)
        {
            answer.TrySetResult(new ServiceResponse { Status = 0, IsDropped = true });
        }
        // A caller that goes away is not waited for; what it asked for happens all the same.
        return answer.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Notes the time now and then, so that a sandbox that nobody asks goes on about where it was.</summary>
    public void Note(long ticks)
    {
        var now = Environment.TickCount64;
        if (now - lastNote >= NoteEvery.TotalMilliseconds)
        {
            lastNote = now;
            journal.KeepTime(ticks);
        }
    }

    public void Dispose()
    {
        Turnstile.Dispose();
        journal.Dispose();
    }

    private Task<ServiceResponse> Carry(SandboxRuntime runtime, JournalRecord record, Func<Task<ServiceResponse>> handle)
    {
        lastWall = record.Wall;
        using (Enter(unchecked((ulong)record.Number * 0x9E3779B97F4A7C15UL)))
        {
            return runtime.Clock.Within(record.Ticks, handle);
        }
    }

    private void Answer(SandboxRuntime runtime, TaskCompletionSource<ServiceResponse> answer, Task<ServiceResponse> done, long number)
    {
        if (done.IsCompletedSuccessfully)
        {
            if (done.Result.IsRefused && number > 0)
            {
                journal.Refuse(number);
            }
            // What the clock brought about before this answer is in it, and must come about again.
            journal.KeepTime(runtime.Clock.LastEvent);
            answer.TrySetResult(done.Result);
        }
        else
        {
            answer.TrySetException(done.Exception?.InnerException ?? new OperationCanceledException());
        }
    }

    /// <summary>Reads of data change nothing; reads of resources are journaled, as the trail of calls tells of them.</summary>
    private static bool IsPureRead(ServiceRequest request)
    {
        if (request.Cluster is not null)
        {
            return request.Method == "GET";
        }
        if (request.Header("x-amz-target") is not { } target)
        {
            return request.Method is "GET" or "HEAD"
                && (request.Header("authorization")?.Contains("/s3/aws4_request", StringComparison.Ordinal) == true || request.RawQuery.Contains("%2Fs3%2Faws4_request", StringComparison.OrdinalIgnoreCase));
        }
        var dot = target.IndexOf('.', StringComparison.Ordinal);
        var operation = target[(dot + 1)..];
        return target.StartsWith("DynamoDBStreams_", StringComparison.Ordinal)
            || (target.StartsWith("DynamoDB_", StringComparison.Ordinal) && operation is "GetItem" or "Query" or "Scan" or "BatchGetItem" or "TransactGetItems")
            || (target.StartsWith("Logs_", StringComparison.Ordinal) && operation is "GetLogEvents" or "FilterLogEvents")
            || (target.StartsWith("GraniteServiceVersion", StringComparison.Ordinal) && operation is "GetMetricData" or "GetMetricStatistics" or "ListMetrics");
    }
}
