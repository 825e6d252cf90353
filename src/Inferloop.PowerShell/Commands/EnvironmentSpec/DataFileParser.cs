using System.Management.Automation.Language;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <summary>Reads a PowerShell data file as data, through the language's own parser: nothing in it is ever run.</summary>
internal static class DataFileParser
{
    public static SpecNode Parse(string text)
    {
        var script = Parser.ParseInput(text, out _, out var errors);
        if (errors.Length > 0)
        {
            throw new SpecSyntaxException(errors[0].Message, At(errors[0].Extent));
        }

        if (script.BeginBlock is not null || script.ProcessBlock is not null || script.ParamBlock is not null || script.EndBlock?.Statements is not { Count: 1 } statements)
        {
            throw new SpecSyntaxException("a data file holds one hashtable, @{ ... }", At(script.Extent));
        }

        return Convert(statements[0]) is SpecMap map ? map : throw new SpecSyntaxException("a data file holds one hashtable, @{ ... }", At(statements[0].Extent));
    }

    private static SpecNode Convert(Ast ast)
    {
        switch (ast)
        {
            case PipelineAst { PipelineElements: { Count: 1 } elements }:
                return Convert(elements[0]);
            case CommandExpressionAst { Redirections.Count: 0 } command:
                return Convert(command.Expression);
            case ParenExpressionAst paren:
                return Convert(paren.Pipeline);
            case HashtableAst table:
                return new SpecMap(table.KeyValuePairs.Select(p => new SpecEntry(Key(p.Item1), At(p.Item1.Extent), Convert(p.Item2))).ToList(), At(table.Extent));
            case ArrayExpressionAst array:
                return new SpecList(array.SubExpression.Statements.SelectMany(s => Convert(s) is SpecList list ? list.Items : [Convert(s)]).ToList(), At(array.Extent));
            case ArrayLiteralAst literal:
                return new SpecList(literal.Elements.Select(Convert).ToList(), At(literal.Extent));
            case ConstantExpressionAst constant:
                return new SpecScalar(constant.Value, At(constant.Extent));
            case ExpandableStringExpressionAst { NestedExpressions.Count: 0 } text:
                return new SpecScalar(text.Value, At(text.Extent));
            case UnaryExpressionAst { TokenKind: TokenKind.Minus, Child: ConstantExpressionAst { Value: IConvertible number } } minus when number is not string:
                return new SpecScalar(-System.Convert.ToInt64(number), At(minus.Extent));
            case VariableExpressionAst variable when variable.VariablePath.UserPath.ToLowerInvariant() is "true" or "false" or "null":
                return new SpecScalar(variable.VariablePath.UserPath.ToLowerInvariant() switch { "true" => true, "false" => false, _ => null }, At(variable.Extent));
            default:
                throw new SpecSyntaxException("only constants, arrays and hashtables have a place in a data file", At(ast.Extent));
        }
    }

    private static string Key(ExpressionAst key) => key is ConstantExpressionAst { Value: { } value }
        ? value.ToString()!
        : throw new SpecSyntaxException("a key is a word or a quoted text", At(key.Extent));

    private static SpecPosition At(IScriptExtent extent) => new(extent.StartLineNumber, extent.StartColumnNumber);
}
