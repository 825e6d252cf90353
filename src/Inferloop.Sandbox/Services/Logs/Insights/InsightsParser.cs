using System.Globalization;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Logs.Insights;

/// <summary>Reads a query of Logs Insights into its commands.</summary>
internal sealed class InsightsParser
{
    private readonly string query;
    private readonly List<InsightsToken> tokens;
    private readonly DateTimeOffset now;
    private int at;

    private InsightsParser(string query, DateTimeOffset now)
    {
        this.query = query;
        this.now = now;
        tokens = InsightsLexer.Read(query);
    }

    private InsightsToken Current => tokens[at];

    public static InsightsQuery Parse(string query, DateTimeOffset now) => new InsightsParser(query, now).Commands();

    private ServiceFault Unexpected() => InsightsLexer.Malformed($"unexpected symbol found {Current.Text} at line {query[..Current.Start].Count(c => c == '\n') + 1} and position {Current.Start - (query[..Current.Start].LastIndexOf('\n') + 1) + 1}", Current.Start, Current.End);

    private bool Take(string text)
    {
        if (!Current.Is(text))
        {
            return false;
        }
        at++;
        return true;
    }

    private void Require(string text)
    {
        if (!Take(text))
        {
            throw Unexpected();
        }
    }

    private InsightsQuery Commands()
    {
        var commands = new List<InsightsCommand>();
        do
        {
            if (Current.Kind is TokenKind.End or TokenKind.Pipe)
            {
                // Comments alone, or a pipe at the end.
                continue;
            }
            commands.Add(Command());
            if (Current.Kind is not (TokenKind.Pipe or TokenKind.End))
            {
                throw Unexpected();
            }
        }
        while (Current.Kind == TokenKind.Pipe && ++at < tokens.Count);
        return commands.Count > 0 ? new InsightsQuery(commands) : throw InsightsLexer.Malformed("Query is empty", 0, query.Length);
    }

    private InsightsCommand Command()
    {
        var word = Current;
        at++;
        switch (word.Kind == TokenKind.Name ? word.Text.ToUpperInvariant() : "")
        {
            case "FIELDS":
                return new FieldsCommand(Columns());
            case "DISPLAY":
                return new DisplayCommand(Columns());
            case "FILTER" or "WHERE":
                return new FilterCommand(Expression());
            case "STATS":
                var columns = Columns();
                return new StatsCommand(columns, Take("by") ? Columns() : []);
            case "SORT" or "ORDER":
                Take("by");
                return new SortCommand(Keys());
            case "LIMIT" or "HEAD" or "TAIL":
                var count = Current.Kind == TokenKind.Number && int.TryParse(Current.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var rows) && rows is >= 1 and <= 10_000 ? rows : throw Unexpected();
                at++;
                return new LimitCommand(count, word.Is("tail"));
            case "DEDUP":
                return new DedupCommand([.. Columns().Select(column => column.Expression)]);
            case "PARSE":
                return Parse();
            case "PATTERN" or "DIFF" or "ANOMALY" or "UNMASK" or "UNNEST" or "LOOKUP" or "SOURCE" or "FILTERINDEX":
                throw new ServiceFault("NotImplemented", $"The sandbox does not implement the command {word.Text} of Logs Insights. Nothing was queried.", 501);
            default:
                at--;
                throw Unexpected();
        }
    }

    private List<NamedExpression> Columns()
    {
        var columns = new List<NamedExpression>();
        do
        {
            var start = Current.Start;
            var expression = Expression();
            var name = query[start..tokens[at - 1].End].Trim('`');
            if (Take("as"))
            {
                name = Current.Kind is TokenKind.Name or TokenKind.Text ? Current.Text : throw Unexpected();
                at++;
            }
            columns.Add(new NamedExpression(name, expression));
        }
        while (Take(",") || (Current.Kind is TokenKind.Name && !Current.Is("by")));
        return columns;
    }

    private List<(InsightsExpression Key, bool Descending)> Keys()
    {
        var keys = new List<(InsightsExpression, bool)>();
        do
        {
            var key = Expression(isKey: true);
            var descending = Take("desc");
            if (!descending)
            {
                Take("asc");
            }
            keys.Add((key, descending));
        }
        while (Take(","));
        return keys;
    }

    private ParseCommand Parse()
    {
        InsightsExpression source = new FieldOf("@message");
        if (Current.Kind == TokenKind.Name)
        {
            source = new FieldOf(Current.Text);
            at++;
        }
        var pattern = Current;
        at++;
        if (pattern.Kind == TokenKind.Pattern)
        {
            var expression = Compile(pattern);
            return new ParseCommand(source, expression, [.. expression.GetGroupNames().Where(name => !char.IsAsciiDigit(name[0])).Select(name => (name, name))]);
        }
        if (pattern.Kind != TokenKind.Text)
        {
            at--;
            throw Unexpected();
        }
        Require("as");
        var names = new List<string>();
        do
        {
            names.Add(Current.Kind == TokenKind.Name ? Current.Text : throw Unexpected());
            at++;
        }
        while (Take(","));
        var parts = pattern.Text.Split('*');
        if (parts.Length - 1 != names.Count)
        {
            throw InsightsLexer.Malformed($"The number of wildcards ({parts.Length - 1}) and of fields ({names.Count}) of parse must be the same", pattern.Start, pattern.End);
        }
        var text = (parts[0].Length == 0 ? "^" : "") + string.Concat(parts.Select((part, i) => Regex.Escape(part) + (i < names.Count ? $"(?<f{i}>.*?)" : ""))) + (parts[^1].Length == 0 ? "$" : "");
        return new ParseCommand(source, new Regex(text, RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)), [.. names.Select((name, i) => ($"f{i}", name))]);
    }

    private static Regex Compile(InsightsToken token)
    {
        try
        {
            return new Regex(token.Text, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (ArgumentException e)
        {
            throw InsightsLexer.Malformed($"Invalid regular expression: {e.Message}", token.Start, token.End);
        }
    }

    private InsightsExpression Expression(bool isKey = false) => isKey ? Sum() : Either();

    private InsightsExpression Either()
    {
        var left = Both();
        while (Take("or"))
        {
            left = new Applied([left, Both()], a => InsightsValue.IsTrue(a[0]) || InsightsValue.IsTrue(a[1]));
        }
        return left;
    }

    private InsightsExpression Both()
    {
        var left = Negated();
        while (Take("and"))
        {
            left = new Applied([left, Negated()], a => InsightsValue.IsTrue(a[0]) && InsightsValue.IsTrue(a[1]));
        }
        return left;
    }

    private InsightsExpression Negated() => Take("not") || Take("!") ? Not(Negated()) : Comparison();

    private static Applied Not(InsightsExpression expression) => new([expression], a => !InsightsValue.IsTrue(a[0]));

    private InsightsExpression Comparison()
    {
        var left = Sum();
        var operation = Current;
        if (Take("not"))
        {
            return Not(Take("like") ? Like(left) : Take("in") ? In(left) : throw Unexpected());
        }
        if (Take("like") || Take("=~"))
        {
            return Like(left);
        }
        if (Take("in"))
        {
            return In(left);
        }
        if (operation.Kind != TokenKind.Symbol || operation.Text is not ("=" or "!=" or "<" or "<=" or ">" or ">="))
        {
            return left;
        }
        at++;
        var right = Sum();
        return new Applied([left, right], operation.Text switch
        {
            "=" => a => InsightsValue.Same(a[0], a[1]),
            "!=" => a => !InsightsValue.Same(a[0], a[1]),
            "<" => a => a[0] is not null && a[1] is not null && InsightsValue.Compare(a[0], a[1]) < 0,
            "<=" => a => a[0] is not null && a[1] is not null && InsightsValue.Compare(a[0], a[1]) <= 0,
            ">" => a => a[0] is not null && a[1] is not null && InsightsValue.Compare(a[0], a[1]) > 0,
            _ => a => a[0] is not null && a[1] is not null && InsightsValue.Compare(a[0], a[1]) >= 0,
        });
    }

    private Applied Like(InsightsExpression left)
    {
        var pattern = Current;
        at++;
        if (pattern.Kind == TokenKind.Pattern)
        {
            var expression = Compile(pattern);
            return new Applied([left], a => InsightsValue.Text(a[0]) is { } text && expression.IsMatch(text));
        }
        return pattern.Kind == TokenKind.Text ? new Applied([left], a => InsightsValue.Text(a[0])?.Contains(pattern.Text, StringComparison.Ordinal) == true) : throw Unexpected();
    }

    private Applied In(InsightsExpression left)
    {
        var close = Take("[") ? "]" : Take("(") ? ")" : throw Unexpected();
        var all = new List<InsightsExpression> { left };
        do
        {
            all.Add(Sum());
        }
        while (Take(","));
        Require(close);
        return new Applied(all, a => a.Skip(1).Any(value => InsightsValue.Same(a[0], value)));
    }

    private static Applied Arithmetic(InsightsExpression left, InsightsExpression right, Func<double, double, double> function) => new([left, right], a =>
        InsightsValue.Number(a[0]) is { } one && InsightsValue.Number(a[1]) is { } other && function(one, other) is var result && double.IsFinite(result) ? result : null);

    private InsightsExpression Sum()
    {
        var left = Product();
        while (Current.Is("+") || Current.Is("-"))
        {
            var plus = tokens[at++].Text == "+";
            left = Arithmetic(left, Product(), plus ? static (a, b) => a + b : static (a, b) => a - b);
        }
        return left;
    }

    private InsightsExpression Product()
    {
        var left = Power();
        while (Current.Is("*") || Current.Is("/") || Current.Is("%"))
        {
            var operation = tokens[at++].Text;
            left = Arithmetic(left, Power(), operation switch { "*" => static (a, b) => a * b, "/" => static (a, b) => a / b, _ => static (a, b) => a % b });
        }
        return left;
    }

    private InsightsExpression Power()
    {
        var left = Primary();
        return Take("^") ? Arithmetic(left, Power(), Math.Pow) : left;
    }

    private InsightsExpression Primary()
    {
        var token = Current;
        at++;
        switch (token.Kind)
        {
            case TokenKind.Number:
                return new Constant(double.TryParse(token.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : throw InsightsLexer.Malformed($"Invalid number {token.Text}", token.Start, token.End));
            case TokenKind.Text:
                return new Constant(token.Text);
            case TokenKind.Symbol when token.Text == "-":
                return Arithmetic(new Constant(0.0), Power(), static (a, b) => a - b);
            case TokenKind.Symbol when token.Text == "(":
                var inner = Either();
                Require(")");
                return inner;
            case TokenKind.Name when Current.Is("(") && query[token.Start] != '`':
                return Function(token);
            case TokenKind.Name:
                return token.Is("true") || token.Is("false") ? new Constant(token.Is("true")) : new FieldOf(token.Text);
            default:
                at--;
                throw Unexpected();
        }
    }

    private InsightsExpression Function(InsightsToken name)
    {
        at++;
        if (name.Is("now"))
        {
            Require(")");
            return new Constant((double)now.ToUnixTimeSeconds());
        }
        if (name.Is("bin") || name.Is("datefloor") || name.Is("dateceil"))
        {
            InsightsExpression moment = new FieldOf("@timestamp");
            if (!name.Is("bin"))
            {
                moment = Either();
                Require(",");
            }
            var span = Current.Kind == TokenKind.Duration && InsightsValue.Span(Current.Text.ToLowerInvariant()) is { } found ? found : throw Unexpected();
            at++;
            Require(")");
            var up = name.Is("dateceil");
            return new Applied([moment], a => InsightsFunctions.Bin(a[0], span, up));
        }
        var arguments = new List<InsightsExpression>();
        if (Take("*"))
        {
            Require(")");
        }
        else if (!Take(")"))
        {
            do
            {
                arguments.Add(Either());
            }
            while (Take(","));
            Require(")");
        }
        var (call, problem) = InsightsFunctions.Call(name.Text, arguments);
        return call ?? throw InsightsLexer.Malformed(problem!, name.Start, name.End);
    }
}
