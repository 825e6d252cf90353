using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb.Expressions;

/// <summary>Parses condition, filter, key condition, projection and update expressions.</summary>
internal sealed partial class ExpressionParser
{
    private readonly string expression;
    private readonly string parameter;
    private readonly ExpressionScope scope;
    private readonly List<Token> tokens;
    private int at;

    private ExpressionParser(string expression, string parameter, ExpressionScope scope)
    {
        this.expression = expression;
        this.parameter = parameter;
        this.scope = scope;
        tokens = ExpressionLexer.Read(expression, parameter);
    }

    private Token Current => tokens[at];

    public static Condition? Condition(string? expression, string parameter, ExpressionScope scope)
    {
        if (expression is null)
        {
            return null;
        }
        var parser = new ExpressionParser(expression, parameter, scope);
        var condition = parser.Or();
        parser.End();
        return condition;
    }

    public static IReadOnlyList<DocumentPath>? Projection(string? expression, ExpressionScope scope)
    {
        if (expression is null)
        {
            return null;
        }
        var parser = new ExpressionParser(expression, "ProjectionExpression", scope);
        var paths = new List<DocumentPath> { parser.Path() };
        while (parser.Accept(","))
        {
            paths.Add(parser.Path());
        }
        parser.End();
        parser.CheckOverlap(paths);
        return paths;
    }

    private Condition Or()
    {
        var left = And();
        while (AcceptWord("OR"))
        {
            left = new OrCondition(left, And());
        }
        return left;
    }

    private Condition And()
    {
        var left = Not();
        while (AcceptWord("AND"))
        {
            left = new AndCondition(left, Not());
        }
        return left;
    }

    private Condition Not()
    {
        if (AcceptWord("NOT"))
        {
            return new NotCondition(Not());
        }
        if (Current.Text == "(" && !ParenthesisIsOperand())
        {
            at++;
            var inner = Or();
            Expect(")");
            return inner;
        }
        return Predicate();
    }

    /// <summary>Whether the parenthesis only wraps an operand, as in <c>(a) = :b</c>.</summary>
    private bool ParenthesisIsOperand()
    {
        var i = at + 1;
        while (tokens[i].Kind is TokenKind.Identifier or TokenKind.NamePlaceholder or TokenKind.ValuePlaceholder or TokenKind.Number
            || tokens[i].Text is "." or "[" or "]")
        {
            i++;
        }
        return tokens[i].Text == ")" && (tokens[i + 1].Text is "=" or "<" or ">" or "<=" or ">=" or "<>"
            || IsWord(tokens[i + 1], "BETWEEN") || IsWord(tokens[i + 1], "IN"));
    }

    private Condition Predicate()
    {
        if (Current.Kind == TokenKind.Identifier && tokens[at + 1].Text == "(" && Current.Text != "size")
        {
            return Function();
        }
        var left = Operand();
        var token = Current;
        if (token.Text is "=" or "<" or ">" or "<=" or ">=" or "<>" && token.Kind == TokenKind.Symbol)
        {
            at++;
            var right = Operand();
            CheckDistinct(left, right, token.Text);
            if (token.Text is not ("=" or "<>"))
            {
                CheckOrdered(left, token.Text);
                CheckOrdered(right, token.Text);
            }
            return new CompareCondition(token.Text, left, right);
        }
        if (AcceptWord("BETWEEN"))
        {
            var low = Operand();
            if (!AcceptWord("AND"))
            {
                throw Syntax();
            }
            var high = Operand();
            CheckOrdered(low, "BETWEEN");
            CheckOrdered(high, "BETWEEN");
            CheckBounds(low, high);
            return new BetweenCondition(left, low, high);
        }
        if (AcceptWord("IN"))
        {
            Expect("(");
            var choices = new List<Operand> { Operand() };
            while (Accept(","))
            {
                choices.Add(Operand());
            }
            Expect(")");
            if (choices.Count > 100)
            {
                throw ExpressionLexer.Fault(parameter, $"The IN operator is provided with too many operands; number of operands: {choices.Count}");
            }
            return new InCondition(left, choices);
        }
        throw Syntax();
    }

    private Condition Function()
    {
        var name = Current.Text;
        at++;
        Expect("(");
        var arguments = new List<Operand>();
        if (Current.Text != ")")
        {
            do
            {
                arguments.Add(Operand());
            }
            while (Accept(","));
        }
        Expect(")");
        var expected = name switch
        {
            "attribute_exists" or "attribute_not_exists" => 1,
            "attribute_type" or "begins_with" or "contains" => 2,
            _ => throw ExpressionLexer.Fault(parameter, name is "if_not_exists" or "list_append"
                ? $"The function is not allowed in a condition expression; function: {name}"
                : $"Invalid function name; function: {name}"),
        };
        if (arguments.Count != expected)
        {
            throw ExpressionLexer.Fault(parameter, $"Incorrect number of operands for operator or function; operator or function: {name}, number of operands: {arguments.Count}");
        }
        switch (name)
        {
            case "attribute_exists":
                return new ExistsCondition(PathOf(arguments[0], name), true);
            case "attribute_not_exists":
                return new ExistsCondition(PathOf(arguments[0], name), false);
            case "attribute_type":
                var path = PathOf(arguments[0], name);
                if (arguments[1] is not ValueOperand { Value.Kind: AttributeKind.S } type)
                {
                    throw IncorrectType(name, arguments[1]);
                }
                return Enum.TryParse<AttributeKind>(type.Value.Text, false, out var kind) && Enum.IsDefined(kind)
                    ? new TypeCondition(path, kind)
                    : throw ExpressionLexer.Fault(parameter, $"Invalid attribute type name found; type: {type.Value.Text}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}");
            case "begins_with":
                foreach (var argument in arguments)
                {
                    if (argument is ValueOperand { Value.Kind: not (AttributeKind.S or AttributeKind.B) })
                    {
                        throw IncorrectType(name, argument);
                    }
                }
                return new BeginsWithCondition(arguments[0], arguments[1]);
            default:
                CheckDistinct(arguments[0], arguments[1], name);
                return new ContainsCondition(arguments[0], arguments[1]);
        }
    }

    private Operand Operand()
    {
        if (Accept("("))
        {
            var inner = Operand();
            Expect(")");
            return inner;
        }
        if (Current.Kind == TokenKind.ValuePlaceholder)
        {
            var placeholder = Current.Text;
            at++;
            return new ValueOperand(scope.Value(placeholder, parameter));
        }
        if (Current.Kind == TokenKind.Identifier && tokens[at + 1].Text == "(")
        {
            var name = Current.Text;
            if (name != "size")
            {
                throw ExpressionLexer.Fault(parameter, $"Invalid function name; function: {name}");
            }
            at += 2;
            var argument = Operand();
            Expect(")");
            return new SizeOperand(PathOf(argument, name));
        }
        return new PathOperand(Path());
    }

    private DocumentPath Path()
    {
        var steps = new List<PathStep> { new(AttributeName(), 0) };
        while (true)
        {
            if (Accept("."))
            {
                steps.Add(new PathStep(AttributeName(), 0));
            }
            else if (Current.Text == "[" && Current.Kind == TokenKind.Symbol)
            {
                at++;
                if (Current.Kind != TokenKind.Number || !int.TryParse(Current.Text, out var index))
                {
                    throw Syntax();
                }
                at++;
                Expect("]");
                steps.Add(new PathStep(null, index));
            }
            else
            {
                break;
            }
        }
        return steps.Count <= 32 ? new DocumentPath(steps)
            : throw ExpressionLexer.Fault(parameter, "The document path has too many nesting elements; nesting levels: " + steps.Count);
    }

    private string AttributeName()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TokenKind.NamePlaceholder:
                at++;
                return scope.Name(token.Text, parameter);
            case TokenKind.Identifier:
                if (ReservedWords.Contains(token.Text))
                {
                    throw ExpressionLexer.Fault(parameter, $"Attribute name is a reserved keyword; reserved keyword: {token.Text}");
                }
                at++;
                return token.Text;
            default:
                throw Syntax();
        }
    }

    private DocumentPath PathOf(Operand operand, string function) => operand is PathOperand path
        ? path.Path
        : throw ExpressionLexer.Fault(parameter, $"Operator or function requires a document path; operator or function: {function}");

    private ServiceFault IncorrectType(string operation, Operand operand) => ExpressionLexer.Fault(parameter,
        $"Incorrect operand type for operator or function; operator or function: {operation}, operand type: {(operand is ValueOperand value ? TypeName(value.Value.Kind) : "path")}");

    private static string TypeName(AttributeKind kind) => kind switch
    {
        AttributeKind.BOOL => "BOOL",
        _ => kind.ToString(),
    };

    private void CheckOrdered(Operand operand, string operation)
    {
        if (operand is ValueOperand { Value.Kind: not (AttributeKind.S or AttributeKind.N or AttributeKind.B) })
        {
            throw IncorrectType(operation, operand);
        }
    }

    private void CheckBounds(Operand low, Operand high)
    {
        if (low is not ValueOperand from || high is not ValueOperand to)
        {
            return;
        }
        if (from.Value.Kind != to.Value.Kind)
        {
            throw ExpressionLexer.Fault(parameter, "The BETWEEN operator requires same data type for lower and upper bounds; "
                + $"lower bound operand: AttributeValue: {Shown(from.Value)}, upper bound operand: AttributeValue: {Shown(to.Value)}");
        }
        if (from.Value.CompareTo(to.Value) > 0)
        {
            throw ExpressionLexer.Fault(parameter, "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
                + $"lower bound operand: AttributeValue: {Shown(from.Value)}, upper bound operand: AttributeValue: {Shown(to.Value)}");
        }
    }

    private static string Shown(AttributeValue value) => $"{{{value.Kind}:{value.ScalarText()}}}";

    private void CheckDistinct(Operand left, Operand right, string operation)
    {
        if (left is PathOperand one && right is PathOperand other && one.Path.Steps.SequenceEqual(other.Path.Steps))
        {
            throw ExpressionLexer.Fault(parameter, $"The first operand must be distinct from the remaining operands for this operator or function; operator: {operation}, first operand: {one.Path}");
        }
    }

    private void CheckOverlap(List<DocumentPath> paths)
    {
        for (var i = 0; i < paths.Count; i++)
        {
            for (var j = i + 1; j < paths.Count; j++)
            {
                if (paths[i].Overlaps(paths[j]))
                {
                    throw ExpressionLexer.Fault(parameter, "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                        + $"path one: {paths[i]}, path two: {paths[j]}");
                }
                if (paths[i].Conflicts(paths[j]))
                {
                    throw ExpressionLexer.Fault(parameter, "Two document paths conflict with each other; must remove or rewrite one of these paths; "
                        + $"path one: {paths[i]}, path two: {paths[j]}");
                }
            }
        }
    }

    private static bool IsWord(Token token, string word) => token.Kind == TokenKind.Identifier && token.Text.Equals(word, StringComparison.OrdinalIgnoreCase);

    private bool AcceptWord(string word)
    {
        if (!IsWord(Current, word))
        {
            return false;
        }
        at++;
        return true;
    }

    private bool Accept(string symbol)
    {
        if (Current.Kind != TokenKind.Symbol || Current.Text != symbol)
        {
            return false;
        }
        at++;
        return true;
    }

    private void Expect(string symbol)
    {
        if (!Accept(symbol))
        {
            throw Syntax();
        }
    }

    private void End()
    {
        if (Current.Kind != TokenKind.End)
        {
            throw Syntax();
        }
    }

    private ServiceFault Syntax() => ExpressionLexer.Syntax(expression, parameter, Current);
}
