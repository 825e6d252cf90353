using System.Text;
using System.Text.RegularExpressions;

namespace Inferloop.Shell.Interactive;

/// <summary>Edits one line at a terminal: cursor keys, words, history, completion.</summary>
internal sealed partial class LineEditor(
    IKeySource keys, TextWriter terminal, Func<int> width, Func<string, int, (int Start, int Length, IReadOnlyList<string> Texts)> complete)
{
    private readonly List<string> history = [];
    private readonly StringBuilder text = new();
    private int cursor;
    private string prompt = "";
    private int cursorRow;

    /// <summary>Reads a line.</summary>
    /// <param name="promptText">What stands before it; its lines but the last are written once.</param>
    /// <returns>The line; null at the end of input (Ctrl-D).</returns>
    /// <exception cref="OperationCanceledException">Ctrl-C.</exception>
    public string? ReadLine(string promptText)
    {
        var newline = promptText.LastIndexOf('\n');
        terminal.Write(promptText[..(newline + 1)]);
        prompt = promptText[(newline + 1)..];
        text.Clear();
        cursor = 0;
        cursorRow = 0;
        var past = history.Count;
        var draft = "";
        Completions? completions = null;
        Draw();
        while (true)
        {
            var key = keys.ReadKey();
            var control = key.Modifiers.HasFlag(ConsoleModifiers.Control);
            if (key.Key == ConsoleKey.Tab)
            {
                completions = Next(completions, key.Modifiers.HasFlag(ConsoleModifiers.Shift) ? -1 : 1);
                Draw();
                continue;
            }

            completions = null;
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    Finish();
                    var line = text.ToString();
                    if (line.Trim().Length > 0 && (history.Count == 0 || history[^1] != line))
                    {
                        history.Add(line);
                    }

                    return line;
                case ConsoleKey.C when control:
                    terminal.Write("^C");
                    Finish();
                    throw new OperationCanceledException();
                case ConsoleKey.D when control && text.Length == 0:
                    Finish();
                    return null;
                case ConsoleKey.D when control:
                case ConsoleKey.Delete:
                    Remove(cursor, 1);
                    break;
                case ConsoleKey.Backspace when cursor > 0:
                    Remove(--cursor, 1);
                    break;
                case ConsoleKey.LeftArrow:
                case ConsoleKey.B when control:
                    cursor = control && key.Key == ConsoleKey.LeftArrow ? WordBefore() : Math.Max(0, cursor - 1);
                    break;
                case ConsoleKey.RightArrow:
                case ConsoleKey.F when control:
                    cursor = control && key.Key == ConsoleKey.RightArrow ? WordAfter() : Math.Min(text.Length, cursor + 1);
                    break;
                case ConsoleKey.Home:
                case ConsoleKey.A when control:
                    cursor = 0;
                    break;
                case ConsoleKey.End:
                case ConsoleKey.E when control:
                    cursor = text.Length;
                    break;
                case ConsoleKey.K when control:
                    Remove(cursor, text.Length - cursor);
                    break;
                case ConsoleKey.U when control:
                    Remove(0, cursor);
                    cursor = 0;
                    break;
                case ConsoleKey.W when control:
                    var word = WordBefore();
                    Remove(word, cursor - word);
                    cursor = word;
                    break;
                case ConsoleKey.L when control:
                    terminal.Write("\u001b[2J\u001b[H");
                    cursorRow = 0;
                    break;
                case ConsoleKey.Escape:
                    Replace("");
                    break;
                case ConsoleKey.UpArrow:
                case ConsoleKey.P when control:
                    if (past > 0)
                    {
                        draft = past == history.Count ? text.ToString() : draft;
                        Replace(history[--past]);
                    }

                    break;
                case ConsoleKey.DownArrow:
                case ConsoleKey.N when control:
                    if (past < history.Count)
                    {
                        past++;
                        Replace(past == history.Count ? draft : history[past]);
                    }

                    break;
                default:
                    if (key.KeyChar != '\0' && !char.IsControl(key.KeyChar))
                    {
                        text.Insert(cursor++, key.KeyChar);
                    }

                    break;
            }

            Draw();
        }
    }

    private Completions? Next(Completions? current, int step)
    {
        if (current is null)
        {
            var (start, length, texts) = complete(text.ToString(), cursor);
            if (texts.Count == 0 || start < 0)
            {
                return null;
            }

            current = new Completions(start, texts, text.ToString().Substring(start, length).Length);
            current.Index = step > 0 ? 0 : texts.Count - 1;
        }
        else
        {
            current.Index = (current.Index + step + current.Texts.Count) % current.Texts.Count;
        }

        text.Remove(current.Start, current.Length).Insert(current.Start, current.Texts[current.Index]);
        current.Length = current.Texts[current.Index].Length;
        cursor = current.Start + current.Length;
        return current;
    }

    private void Replace(string line)
    {
        text.Clear().Append(line);
        cursor = text.Length;
    }

    private void Remove(int start, int length)
    {
        if (start < text.Length)
        {
            text.Remove(start, Math.Min(length, text.Length - start));
        }
    }

    private int WordBefore()
    {
        var i = cursor;
        while (i > 0 && char.IsWhiteSpace(text[i - 1]))
        {
            i--;
        }

        while (i > 0 && !char.IsWhiteSpace(text[i - 1]))
        {
            i--;
        }

        return i;
    }

    private int WordAfter()
    {
        var i = cursor;
        while (i < text.Length && !char.IsWhiteSpace(text[i]))
        {
            i++;
        }

        while (i < text.Length && char.IsWhiteSpace(text[i]))
        {
            i++;
        }

        return i;
    }

    private void Draw()
    {
        var columns = Math.Max(10, width());
        var promptLength = Escapes().Replace(prompt, "").Length;
        var output = new StringBuilder();
        MoveUp(output, cursorRow);
        output.Append("\r\u001b[J").Append(prompt).Append(text);
        var end = promptLength + text.Length;
        if (end > 0 && end % columns == 0)
        {
            // A full row leaves the terminal's cursor in doubt; the next row settles it.
            output.Append("\r\n");
        }

        var at = promptLength + cursor;
        MoveUp(output, (end / columns) - (at / columns));
        output.Append('\r');
        if (at % columns > 0)
        {
            output.Append($"\u001b[{at % columns}C");
        }

        cursorRow = at / columns;
        terminal.Write(output);
        terminal.Flush();
    }

    private void Finish()
    {
        cursor = text.Length;
        Draw();
        terminal.Write("\r\n");
        terminal.Flush();
        cursorRow = 0;
    }

    private static void MoveUp(StringBuilder output, int rows)
    {
        if (rows > 0)
        {
            output.Append($"\u001b[{rows}A");
        }
    }

    [GeneratedRegex("\u001b\\[[0-9;]*[A-Za-z]")]
    private static partial Regex Escapes();

    private sealed class Completions(int start, IReadOnlyList<string> texts, int length)
    {
        public int Start { get; } = start;

        public IReadOnlyList<string> Texts { get; } = texts;

        public int Length { get; set; } = length;

        public int Index { get; set; }
    }
}
