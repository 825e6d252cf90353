using System.Management.Automation;
using Inferloop.Operations;

namespace Inferloop.PowerShell.Pipeline;

/// <summary>
/// What an operation reports, as PowerShell shows it. Progress is coalesced: while the pipeline is busy only the newest state of each
/// activity waits, so that a chatty operation never queues behind its own bar.
/// </summary>
internal sealed class CmdletReporter(InferloopCmdlet cmdlet) : IOperationReporter
{
    private static int lastActivityId = 7000;

    private readonly object gate = new();
    private readonly Dictionary<string, int> activities = new(StringComparer.Ordinal);
    private readonly Dictionary<int, ProgressRecord> pending = [];

    public void Verbose(string message) => cmdlet.ReportVerbose(message);

    public void Warning(string message) => cmdlet.ReportWarning(message);

    public void Progress(OperationProgress progress)
    {
        bool post;
        int id;
        lock (gate)
        {
            if (!activities.TryGetValue(progress.Activity, out id))
            {
                activities[progress.Activity] = id = Interlocked.Increment(ref lastActivityId);
            }

            post = !pending.ContainsKey(id);
            pending[id] = ToRecord(progress, id);
            if (progress.Completed)
            {
                activities.Remove(progress.Activity);
            }
        }

        if (post)
        {
            cmdlet.Post(() => Flush(id));
        }
    }

    /// <summary>Takes down every bar that an operation left, as one that failed does.</summary>
    public void CompleteAll(Action<ProgressRecord> write)
    {
        List<KeyValuePair<string, int>> left;
        lock (gate)
        {
            left = [.. activities];
            activities.Clear();
            pending.Clear();
        }

        foreach (var (activity, id) in left)
        {
            try
            {
                write(new ProgressRecord(id, activity, "Ended") { RecordType = ProgressRecordType.Completed });
            }
            catch (PipelineStoppedException)
            {
                // The pipeline is going down; hosts take down their bars with it.
                return;
            }
        }
    }

    private void Flush(int id)
    {
        ProgressRecord? record;
        lock (gate)
        {
            pending.Remove(id, out record);
        }

        if (record is not null)
        {
            cmdlet.ProgressNow(record);
        }
    }

    private ProgressRecord ToRecord(OperationProgress progress, int id)
    {
        var status = cmdlet.Secrets.Scrub(progress.Status);
        var record = new ProgressRecord(id, progress.Activity, string.IsNullOrEmpty(status) ? " " : status)
        {
            PercentComplete = Math.Clamp(progress.Percent, -1, 100),
            SecondsRemaining = progress.Remaining is { } remaining ? (int)Math.Clamp(remaining.TotalSeconds, 0, int.MaxValue) : -1,
        };
        if (progress.Completed)
        {
            record.RecordType = ProgressRecordType.Completed;
        }

        return record;
    }
}
