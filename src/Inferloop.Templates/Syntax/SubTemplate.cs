namespace Inferloop.Templates.Syntax;

/// <summary>One piece of a Fn::Sub text: literal text, or the name inside <c>${...}</c>.</summary>
internal readonly record struct SubPiece(string Text, bool IsVariable);

/// <summary>A Fn::Sub text cut into literals and variables; <c>${!Literal}</c> is already <c>${Literal}</c>.</summary>
internal sealed class SubTemplate
{
    private SubTemplate(IReadOnlyList<SubPiece> pieces) => Pieces = pieces;

    public IReadOnlyList<SubPiece> Pieces { get; }

    public static SubTemplate Parse(string text)
    {
        var pieces = new List<SubPiece>();
        var literal = new System.Text.StringBuilder();
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf("${", at, StringComparison.Ordinal);
            var close = open < 0 ? -1 : text.IndexOf('}', open + 2);
            if (close < 0)
            {
                literal.Append(text, at, text.Length - at);
                break;
            }

            literal.Append(text, at, open - at);
            var name = text[(open + 2)..close];
            if (name.StartsWith('!'))
            {
                literal.Append("${").Append(name, 1, name.Length - 1).Append('}');
            }
            else
            {
                if (literal.Length > 0)
                {
                    pieces.Add(new SubPiece(literal.ToString(), false));
                    literal.Clear();
                }

                pieces.Add(new SubPiece(name.Trim(), true));
            }

            at = close + 1;
        }

        if (literal.Length > 0 || pieces.Count == 0)
        {
            pieces.Add(new SubPiece(literal.ToString(), false));
        }

        return new SubTemplate(pieces);
    }
}
