using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Inferloop.Sandbox;

/// <summary>One answered request, as the request log shows it. It holds no credentials and no bodies.</summary>
/// <param name="Time">When it arrived, in real time.</param>
/// <param name="SandboxTime">When it arrived, on the sandbox clock.</param>
/// <param name="Service">The service's model name, such as <c>cloudformation</c>; empty when it was not recognised.</param>
/// <param name="Operation">The operation; empty when it was not recognised.</param>
/// <param name="Region">The region of the credential scope.</param>
/// <param name="AccountId">The caller's account.</param>
/// <param name="Status">The HTTP status answered; 0 when the connection was closed without an answer.</param>
/// <param name="ErrorCode">The AWS error code, or null.</param>
/// <param name="RequestId">The request id answered.</param>
/// <param name="Duration">How long it took, in real time.</param>
/// <param name="FaultId">The id of the injected fault that struck it, or null.</param>
public sealed record SandboxRequest(
    DateTimeOffset Time,
    DateTimeOffset SandboxTime,
    string Service,
    string Operation,
    string Region,
    string AccountId,
    int Status,
    string? ErrorCode,
    string RequestId,
    TimeSpan Duration,
    string? FaultId = null);

/// <summary>How often an operation was called.</summary>
/// <param name="Service">The service's model name.</param>
/// <param name="Operation">The operation.</param>
/// <param name="Requests">How many requests.</param>
/// <param name="Errors">How many of them were answered with an error.</param>
public sealed record SandboxOperationCount(string Service, string Operation, long Requests, long Errors);

/// <summary>One who follows the request log.</summary>
public sealed class SandboxRequestFollower : IDisposable
{
    private readonly ChannelReader<SandboxRequest> reader;
    private readonly Action leave;

    internal SandboxRequestFollower(ChannelReader<SandboxRequest> reader, Action leave)
    {
        this.reader = reader;
        this.leave = leave;
    }

    /// <summary>The requests answered since, as they come.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    public IAsyncEnumerable<SandboxRequest> ReadAllAsync(CancellationToken cancellationToken = default) => reader.ReadAllAsync(cancellationToken);

    /// <summary>Stops following.</summary>
    public void Dispose() => leave();
}

/// <summary>What a sandbox has been asked, and a log of it that can be followed.</summary>
public sealed class SandboxStatistics
{
    private readonly ConcurrentDictionary<(string Service, string Operation), Counter> counters = new();
    private readonly ConcurrentQueue<Exception> internalErrors = new();
    private readonly LinkedList<SandboxRequest> log = new();
    private readonly List<Channel<SandboxRequest>> followers = [];
    private readonly object gate = new();
    private readonly int capacity;
    private long requests;
    private long errors;

    internal SandboxStatistics(int capacity) => this.capacity = Math.Max(1, capacity);

    /// <summary>How many requests were answered.</summary>
    public long Requests => Interlocked.Read(ref requests);

    /// <summary>How many of them with an error.</summary>
    public long Errors => Interlocked.Read(ref errors);

    /// <summary>Errors of the sandbox itself (not of its callers), newest last. Empty unless the sandbox has a defect.</summary>
    public IReadOnlyList<Exception> InternalErrors => [.. internalErrors];

    /// <summary>Requests by service and operation.</summary>
    public IReadOnlyList<SandboxOperationCount> Operations => counters
        .Select(pair => new SandboxOperationCount(pair.Key.Service, pair.Key.Operation, Interlocked.Read(ref pair.Value.Requests), Interlocked.Read(ref pair.Value.Errors)))
        .OrderBy(count => count.Service, StringComparer.Ordinal).ThenBy(count => count.Operation, StringComparer.Ordinal)
        .ToList();

    /// <summary>The last requests, oldest first.</summary>
    public IReadOnlyList<SandboxRequest> RecentRequests
    {
        get
        {
            lock (gate)
            {
                return [.. log];
            }
        }
    }

    /// <summary>Requests as they are answered, from now on, until cancelled.</summary>
    /// <param name="cancellationToken">Ends the following.</param>
    public async IAsyncEnumerable<SandboxRequest> FollowAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var followed = Follow();
        await foreach (var request in followed.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            yield return request;
        }
    }

    /// <summary>Begins at once to collect requests, until the result is disposed of.</summary>
    public SandboxRequestFollower Follow()
    {
        // A reader that falls far behind loses the oldest entries rather than holding the sandbox's memory.
        var channel = Channel.CreateBounded<SandboxRequest>(new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (gate)
        {
            followers.Add(channel);
        }
        return new SandboxRequestFollower(channel.Reader, () =>
        {
            lock (gate)
            {
                followers.Remove(channel);
            }
        });
    }

    /// <summary>How many follow the request log at present.</summary>
    internal int Followers
    {
        get
        {
            lock (gate)
            {
                return followers.Count;
            }
        }
    }

    internal void Add(SandboxRequest request)
    {
        Interlocked.Increment(ref requests);
        var counter = counters.GetOrAdd((request.Service, request.Operation), static _ => new Counter());
        Interlocked.Increment(ref counter.Requests);
        if (request.Status is 0 or >= 400)
        {
            Interlocked.Increment(ref errors);
            Interlocked.Increment(ref counter.Errors);
        }
        lock (gate)
        {
            log.AddLast(request);
            if (log.Count > capacity)
            {
                log.RemoveFirst();
            }
            foreach (var follower in followers)
            {
                follower.Writer.TryWrite(request);
            }
        }
    }

    internal void InternalError(Exception exception)
    {
        internalErrors.Enqueue(exception);
        while (internalErrors.Count > 100)
        {
            internalErrors.TryDequeue(out _);
        }
    }

    internal void ForgetInternalErrors() => internalErrors.Clear();

    internal void Complete()
    {
        lock (gate)
        {
            foreach (var follower in followers)
            {
                follower.Writer.TryComplete();
            }
        }
    }

    private sealed class Counter
    {
        public long Requests;
        public long Errors;
    }
}
