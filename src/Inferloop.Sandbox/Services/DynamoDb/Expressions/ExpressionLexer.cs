using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb.Expressions;

internal enum TokenKind
{
    Identifier,
    NamePlaceholder,
    ValuePlaceholder,
    Number,
    Symbol,
    End,
}

internal readonly record struct Token(TokenKind Kind, string Text, int Position);

/// <summary>Splits an expression into tokens.</summary>
internal static class ExpressionLexer
{
    public const int MaximumLength = 4096;

    public static List<Token> Read(string expression, string parameter)
    {
        if (expression.Length == 0)
        {
            throw Fault(parameter, "The expression can not be empty;");
        }
        if (expression.Length > MaximumLength)
        {
            throw Fault(parameter, $"Expression size has exceeded the maximum allowed size; expression size: {expression.Length}");
        }
        var tokens = new List<Token>();
        var i = 0;
        while (i < expression.Length)
        {
            var c = expression[i];
            if (char.IsWhiteSpace(c))
            {
                i++;
            }
            else if (IsNameStart(c) || c is '#' or ':')
            {
                var start = i++;
                while (i < expression.Length && IsNamePart(expression[i]))
                {
                    i++;
                }
                var text = expression[start..i];
                if (c is '#' or ':' && text.Length == 1)
                {
                    throw Syntax(expression, parameter, new Token(TokenKind.Symbol, text, start));
                }
                tokens.Add(new Token(c == '#' ? TokenKind.NamePlaceholder : c == ':' ? TokenKind.ValuePlaceholder : TokenKind.Identifier, text, start));
            }
            else if (char.IsAsciiDigit(c))
            {
                var start = i;
                while (i < expression.Length && char.IsAsciiDigit(expression[i]))
                {
                    i++;
                }
                tokens.Add(new Token(TokenKind.Number, expression[start..i], start));
            }
            else if (i + 1 < expression.Length && expression.AsSpan(i, 2) is "<>" or "<=" or ">=")
            {
                tokens.Add(new Token(TokenKind.Symbol, expression.Substring(i, 2), i));
                i += 2;
            }
            else if ("=<>(),.[]+-".Contains(c, StringComparison.Ordinal))
            {
                tokens.Add(new Token(TokenKind.Symbol, c.ToString(), i));
                i++;
            }
            else
            {
                throw Syntax(expression, parameter, new Token(TokenKind.Symbol, c.ToString(), i));
            }
        }
        tokens.Add(new Token(TokenKind.End, "<EOF>", expression.Length));
        return tokens;
    }

    public static ServiceFault Fault(string parameter, string message) => new("ValidationException", $"Invalid {parameter}: {message}");

    public static ServiceFault Syntax(string expression, string parameter, Token token)
    {
        var from = Math.Max(0, token.Position - 10);
        var to = Math.Min(expression.Length, token.Position + token.Text.Length + 10);
        var near = token.Kind == TokenKind.End ? expression[from..] : expression[from..to];
        return Fault(parameter, $"Syntax error; token: \"{token.Text}\", near: \"{near.Trim()}\"");
    }

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    private static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
}
