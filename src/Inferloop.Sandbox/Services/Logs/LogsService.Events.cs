using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Logs;

/// <summary>Streams and their events, in a store of their own.</summary>
internal sealed partial class LogsService
{
    private const int EventOverhead = 26;
    private const int MaximumBatchBytes = 1_048_576;
    private readonly ConcurrentDictionary<(string Account, string Region, string Group, string Stream), LogStream> streams = new();
    private long eventIds;

    private void AddEvents()
    {
        On("CreateLogStream", (context, input) =>
        {
            var group = Group(context, input).Required("logGroupName");
            var name = input.Required("logStreamName");
            if (name.IndexOfAny([':', '*']) >= 0)
            {
                throw Invalid($"1 validation error detected: Value '{name}' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*");
            }
            return streams.TryAdd((context.AccountId, context.Region, group, name), new LogStream(name, context.Now.ToUnixTimeMilliseconds(), context.Arn("logs", $"log-group:{group}:log-stream:{name}")))
                ? []
                : throw new ServiceFault("ResourceAlreadyExistsException", "The specified log stream already exists");
        });
        On("DeleteLogStream", (context, input) =>
        {
            var group = Group(context, input).Required("logGroupName");
            return streams.TryRemove((context.AccountId, context.Region, group, input.Required("logStreamName")), out _) ? [] : throw NoStream();
        });
        On("DescribeLogStreams", (context, input) =>
        {
            var all = StreamsOf(context, Group(context, input).Required("logGroupName"))
                .Where(stream => stream.Name.StartsWith(input.Text("logStreamNamePrefix") ?? "", StringComparison.Ordinal)).Select(stream => stream.Describe());
            all = input.Text("orderBy") == "LastEventTime" ? all.OrderBy(stream => stream.Long("lastEventTimestamp") ?? 0) : all.OrderBy(stream => stream.Text("logStreamName"), StringComparer.Ordinal);
            return Pages.Answer(input, (input.Is("descending") ? all.Reverse() : all).ToList(), "logStreams", "limit", "nextToken", 50, "InvalidParameterException");
        });
        On("PutLogEvents", PutLogEvents);
        On("GetLogEvents", GetLogEvents);
        On("FilterLogEvents", FilterLogEvents);
    }

    private static ServiceFault NoStream() => new("ResourceNotFoundException", "The specified log stream does not exist.");

    private IEnumerable<LogStream> StreamsOf(RequestContext context, string group) => streams
        .Where(pair => pair.Key.Account == context.AccountId && pair.Key.Region == context.Region && pair.Key.Group == group).Select(pair => Kept(context, group, pair.Value));

    /// <summary>A stream without the events that are older than its group's retention: they go when next somebody looks.</summary>
    private LogStream Kept(RequestContext context, string group, LogStream stream)
    {
        if (Groups(context).Get(group)?.Int("retentionInDays") is { } days)
        {
            stream.Prune(context.Now.AddDays(-days).ToUnixTimeMilliseconds());
        }
        return stream;
    }

    private void Forget(RequestContext context, string group)
    {
        foreach (var stream in StreamsOf(context, group))
        {
            streams.TryRemove((context.AccountId, context.Region, group, stream.Name), out _);
        }
    }

    private JsonObject Measured(RequestContext context, JsonObject group) => group.With("storedBytes", StreamsOf(context, group.Required("logGroupName")).Sum(stream => stream.Bytes));

    private LogStream Stream(RequestContext context, JsonObject input)
    {
        var group = Group(context, input).Required("logGroupName");
        return streams.TryGetValue((context.AccountId, context.Region, group, input.Required("logStreamName")), out var found) ? Kept(context, group, found) : throw NoStream();
    }

    /// <summary>Writes a line into a stream, for services that log; the stream is made when it is missing.</summary>
    public void Write(RequestContext context, string group, string stream, string message)
    {
        if (Groups(context).Get(group) is not { } found)
        {
            return;
        }
        var now = Runtime.Clock.Now.ToUnixTimeMilliseconds();
        var target = streams.GetOrAdd((context.AccountId, context.Region, group, stream), key => new LogStream(key.Stream, now, context.Arn("logs", $"log-group:{group}:log-stream:{stream}")));
        var written = new LogEvent(now, now, message, Interlocked.Increment(ref eventIds));
        target.Add([written]);
        Ingested(context, found, stream, [written]);
    }

    private JsonObject PutLogEvents(RequestContext context, JsonObject input)
    {
        var stream = Stream(context, input);
        var events = input.Objects("logEvents").Select(item => (Time: item.Long("timestamp") ?? 0, Message: item.Text("message") ?? "")).ToList();
        if (events.Sum(item => Encoding.UTF8.GetByteCount(item.Message) + EventOverhead) > MaximumBatchBytes)
        {
            throw Invalid("Upload too large: more than 1048576 bytes.");
        }
        for (var i = 1; i < events.Count; i++)
        {
            if (events[i].Time < events[i - 1].Time)
            {
                throw Invalid("Log events in a single PutLogEvents request must be in chronological order.");
            }
        }
        if (events.Count > 0 && events[^1].Time - events[0].Time > 24 * 3_600_000)
        {
            throw Invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
        }
        var now = context.Now.ToUnixTimeMilliseconds();
        var (oldest, newest) = (now - (14L * 24 * 3_600_000), now + (2L * 3_600_000));
        var tooOld = events.Count(item => item.Time < oldest);
        var firstTooNew = events.FindIndex(item => item.Time > newest);
        var group = Group(context, input);
        var accepted = events.Where(item => item.Time >= oldest && item.Time <= newest).Select(item => new LogEvent(item.Time, now, item.Message, Interlocked.Increment(ref eventIds))).ToList();
        stream.Add(accepted);
        Ingested(context, group, stream.Name, accepted);
        var answer = new JsonObject { ["nextSequenceToken"] = stream.Token };
        if (accepted.Count < events.Count)
        {
            var rejected = new JsonObject();
            if (tooOld > 0)
            {
                rejected["tooOldLogEventEndIndex"] = tooOld;
            }
            if (firstTooNew >= 0)
            {
                rejected["tooNewLogEventStartIndex"] = firstTooNew;
            }
            answer["rejectedLogEventsInfo"] = rejected;
        }
        return answer;
    }

    private JsonObject GetLogEvents(RequestContext context, JsonObject input)
    {
        var stream = Stream(context, input);
        var (from, to) = (input.Long("startTime") ?? 0, input.Long("endTime") ?? long.MaxValue);
        var all = stream.Events().Where(item => item.Time >= from && item.Time < to).ToList();
        var limit = Math.Min(input.Int("limit") ?? 10_000, 10_000);
        var fromHead = input.Is("startFromHead");
        var start = fromHead ? 0 : Math.Max(0, all.Count - limit);
        if (input.Text("nextToken") is { } token)
        {
            if (token.Length < 3 || token[1] != '/' || !int.TryParse(token.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var at))
            {
                throw Invalid("The specified nextToken is invalid.");
            }
            start = token[0] == 'f' ? at : Math.Max(0, at - limit);
            limit = token[0] == 'f' ? limit : at - start;
        }
        var page = all.Skip(start).Take(limit).ToList();
        string Token(char direction, int at) => $"{direction}/{at.ToString("D16", CultureInfo.InvariantCulture)}";
        return new JsonObject
        {
            ["events"] = page.Select(item => new JsonObject { ["timestamp"] = item.Time, ["message"] = item.Message, ["ingestionTime"] = item.Ingested }).ToJsonList(),
            ["nextForwardToken"] = Token('f', start + page.Count),
            ["nextBackwardToken"] = Token('b', start),
        };
    }

    private JsonObject FilterLogEvents(RequestContext context, JsonObject input)
    {
        var group = Group(context, input).Required("logGroupName");
        var names = input.Texts("logStreamNames");
        if (names.Count > 0 && input.Has("logStreamNamePrefix"))
        {
            throw Invalid("You cannot specify both logStreamNames and logStreamNamePrefix.");
        }
        var chosen = StreamsOf(context, group).Where(stream => (names.Count == 0 || names.Contains(stream.Name)) && stream.Name.StartsWith(input.Text("logStreamNamePrefix") ?? "", StringComparison.Ordinal));
        var (from, to) = (input.Long("startTime") ?? 0, input.Long("endTime") ?? long.MaxValue);
        var pattern = FilterPattern.Parse(input.Text("filterPattern") ?? "");
        var found = chosen.SelectMany(stream => stream.Events().Where(item => item.Time >= from && item.Time <= to && pattern.Matches(item.Message)).Select(item => (stream.Name, Event: item)))
            .OrderBy(item => item.Event.Time).ThenBy(item => item.Event.Id).Select(item => new JsonObject
            {
                ["logStreamName"] = item.Name,
                ["timestamp"] = item.Event.Time,
                ["message"] = item.Event.Message,
                ["ingestionTime"] = item.Event.Ingested,
                ["eventId"] = item.Event.Id.ToString("D56", CultureInfo.InvariantCulture),
            }).ToList();
        var answer = Pages.Answer(input, found, "events", "limit", "nextToken", 10_000, "InvalidParameterException");
        answer["searchedLogStreams"] = new JsonArray();
        return answer;
    }
}

/// <summary>An event of a log stream.</summary>
internal readonly record struct LogEvent(long Time, long Ingested, string Message, long Id);

/// <summary>A log stream with its events in the order of their time.</summary>
internal sealed class LogStream(string name, long created, string arn)
{
    private readonly List<LogEvent> events = [];
    private readonly object gate = new();
    private long bytes;

    public string Name => name;

    public long Bytes
    {
        get
        {
            lock (gate)
            {
                return bytes;
            }
        }
    }

    /// <summary>The token that AWS still gives, and no longer asks for.</summary>
    public string Token => "4964" + created.ToString("D52", CultureInfo.InvariantCulture);

    public void Add(IEnumerable<LogEvent> added)
    {
        lock (gate)
        {
            foreach (var item in added)
            {
                var at = events.Count;
                while (at > 0 && events[at - 1].Time > item.Time)
                {
                    at--;
                }
                events.Insert(at, item);
                bytes += Encoding.UTF8.GetByteCount(item.Message) + 26;
            }
        }
    }

    /// <summary>Forgets events from before a moment.</summary>
    public void Prune(long before)
    {
        lock (gate)
        {
            var count = 0;
            while (count < events.Count && events[count].Time < before)
            {
                bytes -= Encoding.UTF8.GetByteCount(events[count].Message) + 26;
                count++;
            }
            events.RemoveRange(0, count);
        }
    }

    public IReadOnlyList<LogEvent> Events()
    {
        lock (gate)
        {
            return events.ToArray();
        }
    }

    public JsonObject Describe()
    {
        lock (gate)
        {
            var described = new JsonObject { ["logStreamName"] = name, ["creationTime"] = created, ["arn"] = arn, ["uploadSequenceToken"] = Token, ["storedBytes"] = 0 };
            if (events.Count > 0)
            {
                described["firstEventTimestamp"] = events[0].Time;
                described["lastEventTimestamp"] = events[^1].Time;
                described["lastIngestionTime"] = events.Max(item => item.Ingested);
            }
            return described;
        }
    }
}
