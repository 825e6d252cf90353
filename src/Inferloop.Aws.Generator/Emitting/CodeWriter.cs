using System.Text;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>Writes indented C#.</summary>
internal sealed class CodeWriter
{
    private const int IndentWidth = 4;
    private readonly StringBuilder text = new();
    private int depth;

    public void Line(string line = "")
    {
        if (line.Length > 0)
        {
            text.Append(' ', depth * IndentWidth).Append(line);
        }

        text.Append('\n');
    }

    public Scope Block(string header, string end = "}")
    {
        Line(header);
        Line("{");
        depth++;
        return new Scope(this, end);
    }

    public void Summary(string? documentation, string fallback)
    {
        string content = string.IsNullOrWhiteSpace(documentation) ? fallback : documentation;
        Line($"/// <summary>{content.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)}</summary>");
    }

    public override string ToString() => text.ToString();

    /// <summary>Closes its block when disposed.</summary>
    public readonly struct Scope(CodeWriter writer, string end) : IDisposable
    {
        public void Dispose()
        {
            writer.depth--;
            writer.Line(end);
        }
    }
}
