namespace Inferloop.Sandbox.Services.DynamoDb.Expressions;

internal sealed partial class ExpressionParser
{
    /// <summary>Parses <c>SET … REMOVE … ADD … DELETE …</c>, each clause at most once.</summary>
    public static UpdateExpression? Update(string? expression, ExpressionScope scope)
    {
        if (expression is null)
        {
            return null;
        }
        var parser = new ExpressionParser(expression, "UpdateExpression", scope);
        var actions = new List<UpdateAction>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (parser.Current.Kind != TokenKind.End)
        {
            var clause = parser.Current.Kind == TokenKind.Identifier ? parser.Current.Text.ToUpperInvariant() : "";
            if (clause is not ("SET" or "REMOVE" or "ADD" or "DELETE"))
            {
                throw parser.Syntax();
            }
            if (!seen.Add(clause))
            {
                throw ExpressionLexer.Fault(parser.parameter, $"The \"{clause}\" section can only be used once in an update expression;");
            }
            parser.at++;
            do
            {
                actions.Add(parser.Action(clause));
            }
            while (parser.Accept(","));
        }
        parser.CheckOverlap(actions.ConvertAll(action => action.Path));
        return new UpdateExpression(actions);
    }

    private UpdateAction Action(string clause)
    {
        var path = Path();
        switch (clause)
        {
            case "SET":
                Expect("=");
                return new SetAction(path, UpdateValue());
            case "REMOVE":
                return new RemoveAction(path);
            default:
                if (Current.Kind != TokenKind.ValuePlaceholder)
                {
                    throw Syntax();
                }
                var value = scope.Value(Current.Text, parameter);
                at++;
                if (clause == "ADD" ? value.Kind != AttributeKind.N && !value.IsSet : !value.IsSet)
                {
                    throw ExpressionLexer.Fault(parameter, $"Incorrect operand type for operator or function; operator: {clause}, operand type: {LongTypeName(value.Kind)}, "
                        + $"typeSet: ALLOWED_FOR_{clause}_OPERAND");
                }
                return clause == "ADD" ? new AddAction(path, value) : new DeleteAction(path, value);
        }
    }

    private UpdateOperand UpdateValue()
    {
        var left = UpdateTerm();
        if (Current is { Kind: TokenKind.Symbol, Text: "+" or "-" })
        {
            var operation = Current.Text;
            at++;
            var right = UpdateTerm();
            foreach (var side in (UpdateOperand[])[left, right])
            {
                if (side is UpdateConstant { Value.Kind: not AttributeKind.N } constant)
                {
                    throw ExpressionLexer.Fault(parameter, $"Incorrect operand type for operator or function; operator or function: {operation}, operand type: {constant.Value.Kind}");
                }
            }
            return new ArithmeticOperand(left, right, operation == "-");
        }
        return left;
    }

    private UpdateOperand UpdateTerm()
    {
        if (Accept("("))
        {
            var inner = UpdateValue();
            Expect(")");
            return inner;
        }
        if (Current.Kind == TokenKind.ValuePlaceholder)
        {
            var value = scope.Value(Current.Text, parameter);
            at++;
            return new UpdateConstant(value);
        }
        if (Current.Kind == TokenKind.Identifier && tokens[at + 1].Text == "(")
        {
            var name = Current.Text;
            if (name is not ("if_not_exists" or "list_append"))
            {
                throw ExpressionLexer.Fault(parameter, name is "size" or "attribute_exists" or "attribute_not_exists" or "attribute_type" or "begins_with" or "contains"
                    ? $"The function is not allowed in an update expression; function: {name}"
                    : $"Invalid function name; function: {name}");
            }
            at += 2;
            var first = UpdateTerm();
            if (!Accept(","))
            {
                throw ExpressionLexer.Fault(parameter, $"Incorrect number of operands for operator or function; operator or function: {name}, number of operands: 1");
            }
            var second = UpdateTerm();
            Expect(")");
            if (name == "list_append")
            {
                foreach (var side in (UpdateOperand[])[first, second])
                {
                    if (side is UpdateConstant { Value.Kind: not AttributeKind.L } constant)
                    {
                        throw ExpressionLexer.Fault(parameter, $"Incorrect operand type for operator or function; operator or function: list_append, operand type: {constant.Value.Kind}");
                    }
                }
                return new ListAppendOperand(first, second);
            }
            return first is UpdatePath path
                ? new IfNotExistsOperand(path.Path, second)
                : throw ExpressionLexer.Fault(parameter, "Operator or function requires a document path; operator or function: if_not_exists");
        }
        return new UpdatePath(Path());
    }

    private static string LongTypeName(AttributeKind kind) => kind switch
    {
        AttributeKind.S => "STRING",
        AttributeKind.N => "NUMBER",
        AttributeKind.B => "BINARY",
        AttributeKind.M => "MAP",
        AttributeKind.L => "LIST",
        AttributeKind.BOOL => "BOOLEAN",
        _ => kind.ToString(),
    };
}
