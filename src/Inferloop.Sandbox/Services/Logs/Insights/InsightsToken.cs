using System.Globalization;
using System.Text;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Logs.Insights;

internal enum TokenKind
{
    Name,
    Number,
    Duration,
    Text,
    Pattern,
    Symbol,
    Pipe,
    End,
}

/// <summary>A word of a query, with where it stands.</summary>
internal readonly record struct InsightsToken(TokenKind Kind, string Text, int Start, int End)
{
    public bool Is(string text) => Kind is TokenKind.Symbol or TokenKind.Name && string.Equals(Text, text, StringComparison.OrdinalIgnoreCase);
}

/// <summary>Cuts a query into its words. A slash begins a regular expression where one can stand, and divides elsewhere.</summary>
internal static class InsightsLexer
{
    public static List<InsightsToken> Read(string query)
    {
        var tokens = new List<InsightsToken>();
        var at = 0;
        while (at < query.Length)
        {
            var c = query[at];
            var start = at;
            if (char.IsWhiteSpace(c))
            {
                at++;
            }
            else if (c == '#')
            {
                at = query.IndexOf('\n', at) is >= 0 and var end ? end : query.Length;
            }
            else if (c == '|')
            {
                tokens.Add(new(TokenKind.Pipe, "|", start, ++at));
            }
            else if (c is '"' or '\'')
            {
                tokens.Add(new(TokenKind.Text, Quoted(query, ref at, c), start, at));
            }
            else if (c == '`')
            {
                at = query.IndexOf('`', at + 1);
                at = at < 0 ? throw Malformed("unterminated field name", start, query.Length) : at + 1;
                tokens.Add(new(TokenKind.Name, query[(start + 1)..(at - 1)], start, at));
            }
            else if (c == '/' && IsPatternPlace(tokens))
            {
                tokens.Add(new(TokenKind.Pattern, Slashed(query, ref at), start, at));
            }
            else if (char.IsAsciiDigit(c))
            {
                while (at < query.Length && (char.IsAsciiDigit(query[at]) || query[at] == '.'))
                {
                    at++;
                }
                var digits = at;
                while (at < query.Length && char.IsAsciiLetter(query[at]))
                {
                    at++;
                }
                tokens.Add(new(at > digits ? TokenKind.Duration : TokenKind.Number, query[start..at], start, at));
            }
            else if (char.IsLetter(c) || c is '_' or '@' or '$')
            {
                while (at < query.Length && (char.IsLetterOrDigit(query[at]) || query[at] is '_' or '@' or '.' or '$' or ':'))
                {
                    at++;
                }
                tokens.Add(new(TokenKind.Name, query[start..at], start, at));
            }
            else
            {
                var two = at + 1 < query.Length ? query.Substring(at, 2) : "";
                var text = two is "!=" or "<=" or ">=" or "=~" or "==" ? two : c.ToString(CultureInfo.InvariantCulture);
                if (text.Length == 1 && "=<>+-*/%^(),[]!".IndexOf(c, StringComparison.Ordinal) < 0)
                {
                    throw Malformed($"unexpected symbol found {c}", start, start + 1);
                }
                at += text.Length;
                tokens.Add(new(TokenKind.Symbol, text == "==" ? "=" : text, start, at));
            }
        }
        tokens.Add(new(TokenKind.End, "end of query", query.Length, query.Length));
        return tokens;
    }

    private static bool IsPatternPlace(List<InsightsToken> tokens) => tokens.Count > 0
        && (tokens[^1].Is("like") || tokens[^1].Is("=~") || tokens[^1].Is("parse") || tokens[^1].Is("(") || tokens[^1].Is(",") || (tokens.Count > 1 && tokens[^1].Kind == TokenKind.Name && tokens[^2].Is("parse")));

    private static string Quoted(string query, ref int at, char quote)
    {
        var text = new StringBuilder();
        var start = at++;
        while (at < query.Length && query[at] != quote)
        {
            if (query[at] == '\\' && at + 1 < query.Length)
            {
                at++;
                text.Append(query[at] switch { 'n' => '\n', 't' => '\t', var other => other });
            }
            else
            {
                text.Append(query[at]);
            }
            at++;
        }
        return at++ < query.Length ? text.ToString() : throw Malformed("unterminated string", start, query.Length);
    }

    private static string Slashed(string query, ref int at)
    {
        var text = new StringBuilder();
        var (start, inClass) = (at++, false);
        while (at < query.Length && (query[at] != '/' || inClass))
        {
            if (query[at] == '\\' && at + 1 < query.Length)
            {
                // A slash needs no backslash any more; anything else keeps its own.
                text.Append(query[at + 1] == '/' ? "/" : query.Substring(at, 2));
                at += 2;
                continue;
            }
            inClass = query[at] switch { '[' => true, ']' => false, _ => inClass };
            text.Append(query[at++]);
        }
        return at++ < query.Length ? text.ToString() : throw Malformed("unterminated regular expression", start, query.Length);
    }

    public static ServiceFault Malformed(string message, int start, int end) => new("MalformedQueryException", message, 400, new System.Text.Json.Nodes.JsonObject
    {
        ["queryCompileError"] = new System.Text.Json.Nodes.JsonObject { ["message"] = message, ["location"] = new System.Text.Json.Nodes.JsonObject { ["startCharOffset"] = start, ["endCharOffset"] = end } },
    });
}
