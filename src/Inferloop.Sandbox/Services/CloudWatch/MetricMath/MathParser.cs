using System.Globalization;

namespace Inferloop.Sandbox.Services.CloudWatch.MetricMath;

/// <summary>The parts of a parsed expression.</summary>
internal abstract record MathNode;

internal sealed record NumberNode(double Value) : MathNode;

internal sealed record TextNode(string Value) : MathNode;

internal sealed record NameNode(string Name) : MathNode;

internal sealed record UnaryNode(string Operator, MathNode Operand) : MathNode;

internal sealed record BinaryNode(string Operator, MathNode Left, MathNode Right) : MathNode;

internal sealed record CallNode(string Function, IReadOnlyList<MathNode> Arguments) : MathNode;

internal sealed record ListNode(IReadOnlyList<MathNode> Items) : MathNode;

/// <summary>Reads metric math: arithmetic, comparisons, AND/OR, lists and functions.</summary>
internal sealed class MathParser
{
    private const int MaximumDepth = 60;
    private static readonly string[][] Levels = [["||", "OR"], ["&&", "AND"], ["==", "!=", "<=", ">=", "<", ">"], ["+", "-"], ["*", "/"]];

    private readonly List<(string Kind, string Text)> tokens;
    private int position;
    private int depth;

    private MathParser(List<(string Kind, string Text)> tokens) => this.tokens = tokens;

    public static MathNode Parse(string text)
    {
        var parser = new MathParser(Read(text));
        var node = parser.Level(0);
        if (parser.position < parser.tokens.Count)
        {
            throw new MathException($"Error in expression: unexpected token '{parser.tokens[parser.position].Text}'.");
        }
        return node;
    }

    /// <summary>The ids that an expression names.</summary>
    public static IEnumerable<string> Names(MathNode node) => node switch
    {
        NameNode name => [name.Name],
        UnaryNode unary => Names(unary.Operand),
        BinaryNode binary => Names(binary.Left).Concat(Names(binary.Right)),
        CallNode call => call.Arguments.SelectMany(Names),
        ListNode list => list.Items.SelectMany(Names),
        _ => [],
    };

    private MathNode Level(int level)
    {
        if (++depth > MaximumDepth * Levels.Length)
        {
            throw new MathException("Error in expression: it is nested too deeply.");
        }
        if (level == Levels.Length)
        {
            var operand = Unary();
            depth--;
            return operand;
        }
        var left = Level(level + 1);
        while (position < tokens.Count && tokens[position].Kind is "operator" or "name" && Array.Find(Levels[level], item => item == tokens[position].Text) is { } found)
        {
            position++;
            left = new BinaryNode(found switch { "OR" => "||", "AND" => "&&", _ => found }, left, Level(level + 1));
        }
        depth--;
        return left;
    }

    private MathNode Unary()
    {
        if (++depth > MaximumDepth * Levels.Length)
        {
            throw new MathException("Error in expression: it is nested too deeply.");
        }
        var node = Take("-") ? new UnaryNode("-", Unary()) : Take("!") ? new UnaryNode("!", Unary()) : Power();
        depth--;
        return node;
    }

    /// <summary>A power binds closer than the sign before it.</summary>
    private MathNode Power()
    {
        var left = Primary();
        return Take("^") ? new BinaryNode("^", left, Unary()) : left;
    }

    private MathNode Primary()
    {
        if (position >= tokens.Count)
        {
            throw new MathException("Error in expression: unexpected end of input.");
        }
        var (kind, text) = tokens[position++];
        switch (kind)
        {
            case "number":
                return new NumberNode(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));
            case "text":
                return new TextNode(text);
            case "name" when Take("("):
                return new CallNode(text.ToUpperInvariant(), List(")"));
            case "name":
                return new NameNode(text);
            case "operator" when text == "(":
                var inner = Level(0);
                Expect(")");
                return inner;
            case "operator" when text == "[":
                return new ListNode(List("]"));
            default:
                throw new MathException($"Error in expression: unexpected token '{text}'.");
        }
    }

    private List<MathNode> List(string end)
    {
        var items = new List<MathNode>();
        if (Take(end))
        {
            return items;
        }
        do
        {
            items.Add(Level(0));
        }
        while (Take(","));
        Expect(end);
        return items;
    }

    private bool Take(string text)
    {
        if (position < tokens.Count && tokens[position] == ("operator", text))
        {
            position++;
            return true;
        }
        return false;
    }

    private void Expect(string text)
    {
        if (!Take(text))
        {
            throw new MathException($"Error in expression: '{text}' is missing.");
        }
    }

    private static List<(string Kind, string Text)> Read(string text)
    {
        var tokens = new List<(string, string)>();
        for (var i = 0; i < text.Length;)
        {
            var c = text[i];
            var start = i;
            if (char.IsWhiteSpace(c))
            {
                i++;
            }
            else if (char.IsAsciiDigit(c) || (c == '.' && i + 1 < text.Length && char.IsAsciiDigit(text[i + 1])))
            {
                while (i < text.Length && (char.IsAsciiDigit(text[i]) || text[i] == '.' || (text[i] is 'e' or 'E' && i + 1 < text.Length && (char.IsAsciiDigit(text[i + 1]) || text[i + 1] is '-' or '+'))
                    || (text[i] is '-' or '+' && text[i - 1] is 'e' or 'E')))
                {
                    i++;
                }
                if (!double.TryParse(text.AsSpan(start, i - start), NumberStyles.Float, CultureInfo.InvariantCulture, out _))
                {
                    throw new MathException($"Error in expression: '{text[start..i]}' is no number.");
                }
                tokens.Add(("number", text[start..i]));
            }
            else if (char.IsAsciiLetter(c) || c == '_')
            {
                while (i < text.Length && (char.IsAsciiLetterOrDigit(text[i]) || text[i] == '_'))
                {
                    i++;
                }
                tokens.Add(("name", text[start..i]));
            }
            else if (c is '"' or '\'')
            {
                var close = text.IndexOf(c, i + 1);
                if (close < 0)
                {
                    throw new MathException("Error in expression: a quotation mark is missing.");
                }
                tokens.Add(("text", text[(i + 1)..close]));
                i = close + 1;
            }
            else
            {
                var two = i + 1 < text.Length ? text.Substring(i, 2) : "";
                var found = two is "==" or "!=" or "<=" or ">=" or "&&" or "||" ? two
                    : "+-*/^()[],<>!".Contains(c, StringComparison.Ordinal) ? text.Substring(i, 1)
                    : throw new MathException($"Error in expression: unexpected character '{c}'.");
                tokens.Add(("operator", found));
                i += found.Length;
            }
        }
        return tokens;
    }
}
