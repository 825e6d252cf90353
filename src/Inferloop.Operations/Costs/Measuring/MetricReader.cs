using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;

namespace Inferloop.Operations.Costs.Measuring;

/// <summary>How a metric's values of many periods become one.</summary>
internal enum Reading
{
    Sum,
    Average,
    Maximum,
    Minimum,
}

/// <summary>A question about one metric of one resource.</summary>
internal sealed record MetricQuestion(string Path, string Namespace, string Name, Reading Reading, params (string Name, string Value)[] Dimensions)
{
    public string Key => $"{Path} {Name} {Reading}";
}

/// <summary>Asks CloudWatch for one value of each of many metrics over a time.</summary>
internal sealed class MetricReader(IAmazonCloudWatch cloudWatch)
{
    private const int AtOnce = 500;
    private const int Day = 86_400;

    /// <summary>The answers by the questions' keys; a metric without data has none.</summary>
    public async Task<IReadOnlyDictionary<string, double>> ReadAsync(IReadOnlyList<MetricQuestion> questions, DateTimeOffset start, DateTimeOffset end, CancellationToken cancellation)
    {
        var answers = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var part in questions.DistinctBy(q => q.Key).Chunk(AtOnce))
        {
            var values = part.ToDictionary(q => q.Key, _ => new List<double>(), StringComparer.Ordinal);
            string? token = null;
            do
            {
                var page = await cloudWatch.GetMetricDataAsync(
                    new GetMetricDataRequest
                    {
                        // Whole days: a period that begins before the time would be cut.
                        StartTime = start.UtcDateTime.Date,
                        EndTime = end.UtcDateTime,
                        ScanBy = ScanBy.TimestampAscending,
                        NextToken = token,
                        MetricDataQueries = [.. part.Select((q, i) => new MetricDataQuery
                        {
                            Id = "q" + i,
                            Label = q.Key,
                            MetricStat = new MetricStat
                            {
                                Period = Day,
                                Stat = q.Reading.ToString(),
                                Metric = new Metric { Namespace = q.Namespace, MetricName = q.Name, Dimensions = [.. q.Dimensions.Select(d => new Dimension { Name = d.Name, Value = d.Value })] },
                            },
                        })],
                    },
                    cancellation).ConfigureAwait(false);
                foreach (var result in page.MetricDataResults ?? [])
                {
                    values[part[int.Parse(result.Id[1..], System.Globalization.CultureInfo.InvariantCulture)].Key].AddRange(result.Values ?? []);
                }

                token = page.NextToken;
            }
            while (!string.IsNullOrEmpty(token));
            foreach (var question in part)
            {
                if (values[question.Key] is { Count: > 0 } found)
                {
                    answers[question.Key] = question.Reading switch { Reading.Sum => found.Sum(), Reading.Average => found.Average(), Reading.Maximum => found.Max(), _ => found.Min() };
                }
            }
        }

        return answers;
    }
}
