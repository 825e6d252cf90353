using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Logs.Insights;

namespace Inferloop.Sandbox.Services.Logs;

/// <content>Logs Insights: queries run in the background, over the events that there are when they end.</content>
internal sealed partial class LogsService
{
    private const int MostRunningQueries = 30;
    private static readonly TimeSpan QueryDuration = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ResultsKept = TimeSpan.FromDays(7);

    private Collection Runs(RequestContext context) => Collection(context, "query-runs");

    private void AddInsights()
    {
        On("StartQuery", StartQuery);
        On("GetQueryResults", (context, input) =>
        {
            var run = Run(context, input);
            return new JsonObject { ["queryLanguage"] = "CWLI", ["status"] = run.Text("status"), ["results"] = run["_Results"].Copy() ?? new JsonArray(), ["statistics"] = run["_Statistics"].Copy() ?? new JsonObject { ["recordsMatched"] = 0, ["recordsScanned"] = 0, ["bytesScanned"] = 0 } };
        });
        On("StopQuery", (context, input) =>
        {
            var run = Run(context, input);
            if (run.Text("status") is not ("Scheduled" or "Running"))
            {
                throw Invalid($"Query with id {run.Text("queryId")} is not running: it is {run.Text("status")}.");
            }
            Runs(context).Update(run.Required("queryId"), document => document["status"] = "Cancelled");
            return new JsonObject { ["success"] = true };
        });
        On("DescribeQueries", (context, input) => Pages.Answer(input, Runs(context).Where(run => (input.Text("status") is not { } status || run.Text("status") == status)
                && (input.Text("logGroupName") is not { } group || run.Texts("_Groups").Contains(group)))
            .OrderByDescending(run => run.Long("createTime")).ToList(), "queries", "maxResults", "nextToken", 1000, "InvalidParameterException"));
        On("GetLogRecord", (context, input) =>
        {
            var parts = Encoding.UTF8.GetString(Pointer(input.Required("logRecordPointer"))).Split('\n');
            if (parts is not [var group, var stream, var id] || streams.GetValueOrDefault((context.AccountId, context.Region, group, stream)) is not { } found
                || !found.Events().Where(item => item.Id.ToString(CultureInfo.InvariantCulture) == id).Select(item => (LogEvent?)item).DefaultIfEmpty(null).First().HasValue)
            {
                throw new ServiceFault("ResourceNotFoundException", "The specified log record does not exist.");
            }
            var row = new InsightsRow(found.Events().First(item => item.Id.ToString(CultureInfo.InvariantCulture) == id), context.AccountId, group, stream, input.Required("logRecordPointer"));
            return new JsonObject { ["logRecord"] = new JsonObject(row.All.Where(pair => pair.Value is not null).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)InsightsValue.Text(pair.Value is DateTimeOffset at ? (double)at.ToUnixTimeMilliseconds() : pair.Value)))) };
        });
    }

    private static byte[] Pointer(string text)
    {
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw Invalid("The specified log record pointer is invalid.");
        }
    }

    private JsonObject Run(RequestContext context, JsonObject input) => Runs(context).Get(input.Required("queryId")) ?? throw new ServiceFault("ResourceNotFoundException", $"Query with id {input.Text("queryId")} does not exist.");

    private JsonObject StartQuery(RequestContext context, JsonObject input)
    {
        if (input.Text("queryLanguage") is not (null or "CWLI"))
        {
            throw new ServiceFault("NotImplemented", $"The sandbox does not implement queries in {input.Text("queryLanguage")} of CloudWatch Logs. Nothing was queried.", 501);
        }
        var named = (input.Has("logGroupName") ? 1 : 0) + (input.Has("logGroupNames") ? 1 : 0) + (input.Has("logGroupIdentifiers") ? 1 : 0);
        if (named != 1)
        {
            throw Invalid("Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified.");
        }
        var groups = input.Texts("logGroupName").Concat(input.Texts("logGroupNames")).Concat(input.Texts("logGroupIdentifiers"))
            .Select(name => Group(context, new JsonObject { ["logGroupIdentifier"] = name })).DistinctBy(group => group.Text("logGroupName")).ToList();
        if (groups.Count > 50)
        {
            throw Invalid("A query can be of at most 50 log groups.");
        }
        var (from, to) = (DateTimeOffset.FromUnixTimeSeconds(input.Long("startTime") ?? 0), DateTimeOffset.FromUnixTimeSeconds(input.Long("endTime") ?? 0));
        if (to < from)
        {
            throw Invalid("End time should not be before start time.");
        }
        if (groups.TrueForAll(group => to.ToUnixTimeMilliseconds() < group.Long("creationTime")))
        {
            throw new ServiceFault("MalformedQueryException", "Query's end date and time is either before the log groups creation time or exceeds the log groups log retention settings");
        }
        if (Runs(context).Where(run => run.Text("status") is "Scheduled" or "Running").Count >= MostRunningQueries)
        {
            throw new ServiceFault("LimitExceededException", $"Account maximum query concurrency limit of [{MostRunningQueries}] reached.");
        }
        var query = InsightsParser.Parse(input.Required("queryString"), context.Now);
        var id = Runtime.Ids.Uuid();
        Runs(context).Put(id, new JsonObject
        {
            ["queryId"] = id, ["queryLanguage"] = "CWLI", ["queryString"] = input.Text("queryString"), ["status"] = "Running", ["createTime"] = context.Now.ToUnixTimeMilliseconds(), ["logGroupName"] = groups[0].Text("logGroupName"),
            ["_Groups"] = groups.Select(group => group.Required("logGroupName")).ToTextList(),
        });
        var (later, limit) = (context.Detached(), input.Int("limit") ?? InsightsQuery.MostRows);
        Runtime.After(QueryDuration, () =>
        {
            if (Runs(later).Get(id)?.Text("status") == "Running")
            {
                Finish(later, id, query, [.. groups.Select(group => group.Required("logGroupName"))], from, to, limit);
            }
        });
        Runtime.After(ResultsKept, () => Runs(later).Remove(id));
        return new JsonObject { ["queryId"] = id };
    }

    private void Finish(RequestContext context, string id, InsightsQuery query, IReadOnlyList<string> groups, DateTimeOffset from, DateTimeOffset to, int limit)
    {
        var (scanned, bytes) = (0L, 0L);
        var events = groups.SelectMany(group => StreamsOf(context, group).SelectMany(stream => stream.Events().Select(item => (Group: group, Stream: stream.Name, Event: item))))
            .Where(item => item.Event.Time >= from.ToUnixTimeMilliseconds() && item.Event.Time < to.ToUnixTimeMilliseconds() + 1000)
            .OrderByDescending(item => item.Event.Time).ThenByDescending(item => item.Event.Id)
            .Select(item =>
            {
                scanned++;
                bytes += Encoding.UTF8.GetByteCount(item.Event.Message);
                return new InsightsRow(item.Event, context.AccountId, item.Group, item.Stream, Convert.ToBase64String(Encoding.UTF8.GetBytes($"{item.Group}\n{item.Stream}\n{item.Event.Id}")));
            }).ToList();
        InsightsResult result;
        try
        {
            result = query.Run(events, limit);
        }
        catch (System.Text.RegularExpressions.RegexMatchTimeoutException)
        {
            // An expression that never ends on some message: the query fails, not the sandbox.
            Runs(context).Update(id, run => run["status"] = "Timeout");
            return;
        }
        var rows = new JsonArray();
        foreach (var row in result.Rows)
        {
            var fields = result.Columns.Concat(result.IsStatistics ? [] : ["@ptr"]).Distinct(StringComparer.Ordinal).Select(name => (name, Value: InsightsValue.Text(row[name]))).Where(field => field.Value is not null);
            rows.Add((JsonNode)fields.Select(field => new JsonObject { ["field"] = field.name, ["value"] = field.Value }).ToJsonList());
        }
        Runs(context).Update(id, run =>
        {
            run["status"] = "Complete";
            run["queryDuration"] = (long)QueryDuration.TotalMilliseconds;
            run["bytesScanned"] = (double)bytes;
            run["_Results"] = rows;
            run["_Statistics"] = new JsonObject { ["recordsMatched"] = (double)result.Matched, ["recordsScanned"] = (double)scanned, ["bytesScanned"] = (double)bytes, ["logGroupsScanned"] = (double)groups.Count, ["estimatedRecordsSkipped"] = 0.0, ["estimatedBytesSkipped"] = 0.0 };
        });
    }
}
