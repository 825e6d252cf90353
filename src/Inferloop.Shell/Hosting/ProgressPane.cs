using System.Globalization;
using System.Management.Automation;
using System.Text;

namespace Inferloop.Shell.Hosting;

/// <summary>
/// The bars of what is under way, as the last lines of the terminal: they are taken away before other output and put back after it. Only the
/// cursor and erase sequences that every terminal has are used. The caller holds the lock.
/// </summary>
internal sealed class ProgressPane(TextWriter terminal, Func<int> width)
{
    private const int MostBars = 6;
    private static readonly TimeSpan Redraw = TimeSpan.FromMilliseconds(80);

    private readonly List<ProgressRecord> bars = [];
    private int shownLines;
    private bool lineOpen;
    private DateTime lastDrawn;

    /// <summary>Takes a record of the progress stream.</summary>
    public void Update(ProgressRecord record)
    {
        // By activity alone: every call of Write-Progress is a source of its own.
        var index = bars.FindIndex(b => b.ActivityId == record.ActivityId);
        if (record.RecordType == ProgressRecordType.Completed)
        {
            if (index >= 0)
            {
                bars.RemoveAt(index);
                Draw();
            }

            return;
        }

        if (index >= 0)
        {
            bars[index] = record;
            if (DateTime.UtcNow - lastDrawn < Redraw)
            {
                // The next record, or the next line of output, shows it.
                return;
            }
        }
        else
        {
            bars.Add(record);
        }

        Draw();
    }

    /// <summary>Takes the bars from the screen; the cursor is where output goes on.</summary>
    public void Hide()
    {
        if (shownLines > 0)
        {
            terminal.Write($"\u001b[{shownLines}A\r\u001b[J");
            shownLines = 0;
        }
    }

    /// <summary>Output has been written: bars come back where a line has ended.</summary>
    public void Wrote(string value)
    {
        if (value.Length > 0)
        {
            lineOpen = !value.EndsWith('\n');
        }

        Show();
    }

    /// <summary>Puts the bars on the screen.</summary>
    public void Show()
    {
        // In the middle of a line there is no room below the cursor that would survive it.
        if (bars.Count > 0 && shownLines == 0 && !lineOpen)
        {
            Draw();
        }
    }

    /// <summary>Forgets every bar.</summary>
    public void Clear()
    {
        Hide();
        bars.Clear();
    }

    private void Draw()
    {
        Hide();
        if (lineOpen || bars.Count == 0)
        {
            return;
        }

        lastDrawn = DateTime.UtcNow;
        var lines = bars.Take(MostBars).Select(b => Line(b, width())).ToList();
        foreach (var line in lines)
        {
            terminal.Write(line);
            terminal.Write('\n');
        }

        shownLines = lines.Count;
        terminal.Flush();
    }

    /// <summary>One bar: activity, share, remaining time and status, never wider than the terminal.</summary>
    internal static string Line(ProgressRecord record, int width)
    {
        var text = new StringBuilder("  ", Math.Max(0, record.ParentActivityId) > 0 ? 8 : 4);
        if (record.ParentActivityId >= 0)
        {
            text.Append("  ");
        }

        text.Append(record.Activity).Append(' ');
        if (record.PercentComplete >= 0)
        {
            var cells = Math.Clamp(width / 5, 10, 30);
            var full = record.PercentComplete * cells / 100;
            text.Append('[').Append('#', full).Append('-', cells - full).Append("] ")
                .Append(record.PercentComplete.ToString(CultureInfo.InvariantCulture).PadLeft(3)).Append("% ");
        }

        if (record.SecondsRemaining >= 0)
        {
            var remaining = TimeSpan.FromSeconds(record.SecondsRemaining);
            text.Append(remaining.ToString(remaining.TotalHours >= 1 ? @"h\:mm\:ss" : @"m\:ss", CultureInfo.InvariantCulture)).Append(" left ");
        }

        text.Append(record.StatusDescription);
        if (!string.IsNullOrEmpty(record.CurrentOperation))
        {
            text.Append(" - ").Append(record.CurrentOperation);
        }

        var line = text.Replace('\n', ' ').Replace('\r', ' ').ToString();
        var room = Math.Max(10, width - 1);
        return line.Length <= room ? line : line[..(room - 1)] + "…";
    }
}
