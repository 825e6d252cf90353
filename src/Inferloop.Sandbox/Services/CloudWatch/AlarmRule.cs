using System.Text.RegularExpressions;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>The rule of a composite alarm: states of other alarms joined by AND, OR, NOT; TRUE and FALSE.</summary>
internal sealed partial class AlarmRule
{
    private const int MaximumDepth = 100;
    private readonly Func<Func<string, string>, bool> holds;
    private readonly List<string> alarms;

    private AlarmRule(Func<Func<string, string>, bool> holds, List<string> alarms)
    {
        this.holds = holds;
        this.alarms = alarms;
    }

    /// <summary>The names or ARNs of the alarms it names.</summary>
    public IReadOnlyList<string> Alarms() => alarms;

    /// <summary>Whether the rule holds, with the states of alarms by name or ARN.</summary>
    public bool Holds(Func<string, string> state) => holds(state);

    /// <exception cref="FormatException">It is no rule; the message says where it stops being one.</exception>
    public static AlarmRule Parse(string text)
    {
        var tokens = new List<string>();
        var end = 0;
        foreach (Match match in Token().Matches(text))
        {
            if (text[end..match.Index].Trim().Length > 0)
            {
                throw new FormatException($"unexpected input '{text[end..match.Index].Trim()}' at position {end}");
            }
            end = match.Index + match.Length;
            tokens.Add(match.Value);
        }
        if (text[end..].Trim().Length > 0)
        {
            throw new FormatException($"unexpected input '{text[end..].Trim()}' at position {end}");
        }
        var reader = new Reader(tokens);
        var rule = reader.Or(0);
        return reader.AtEnd ? new AlarmRule(rule, reader.Alarms) : throw new FormatException($"unexpected '{reader.Next}'");
    }

    [GeneratedRegex(@"\(|\)|""[^""]*""|[^\s()""]+")]
    private static partial Regex Token();

    private sealed class Reader(List<string> tokens)
    {
        private int at;

        public List<string> Alarms { get; } = [];

        public bool AtEnd => at >= tokens.Count;

        public string Next => AtEnd ? "end of rule" : tokens[at];

        public Func<Func<string, string>, bool> Or(int depth)
        {
            if (depth > MaximumDepth)
            {
                throw new FormatException("it is nested too deeply");
            }
            var left = And(depth);
            while (Take("OR"))
            {
                var (one, other) = (left, And(depth));
                // Both sides are asked, so that every child is looked at.
                left = state => one(state) | other(state);
            }
            return left;
        }

        private Func<Func<string, string>, bool> And(int depth)
        {
            var left = Not(depth);
            while (Take("AND"))
            {
                var (one, other) = (left, Not(depth));
                left = state => one(state) & other(state);
            }
            return left;
        }

        private Func<Func<string, string>, bool> Not(int depth)
        {
            if (Take("NOT"))
            {
                if (depth > MaximumDepth)
                {
                    throw new FormatException("it is nested too deeply");
                }
                var inner = Not(depth + 1);
                return state => !inner(state);
            }
            if (Take("("))
            {
                var inner = Or(depth + 1);
                Expect(")");
                return inner;
            }
            if (Take("TRUE"))
            {
                return static _ => true;
            }
            if (Take("FALSE"))
            {
                return static _ => false;
            }
            var wanted = Next;
            if (wanted is not ("ALARM" or "OK" or "INSUFFICIENT_DATA"))
            {
                throw new FormatException($"unexpected '{wanted}'");
            }
            at++;
            Expect("(");
            if (AtEnd || Next is "(" or ")")
            {
                throw new FormatException($"{wanted} needs the name of an alarm");
            }
            var name = tokens[at++].Trim('"');
            Expect(")");
            Alarms.Add(name);
            return state => state(name) == wanted;
        }

        private bool Take(string token)
        {
            if (!AtEnd && tokens[at] == token)
            {
                at++;
                return true;
            }
            return false;
        }

        private void Expect(string token)
        {
            if (!Take(token))
            {
                throw new FormatException($"'{token}' expected, found '{Next}'");
            }
        }
    }
}
