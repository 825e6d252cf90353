using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>Writers of form parameters (the query protocol), one method a structure.</summary>
internal sealed class QueryEmitter(ServiceModel model)
{
    private readonly Naming naming = new(model);
    private readonly Values values = new(model);

    public void EmitWriter(CodeWriter code, Shape shape)
    {
        string type = naming.ClassName(shape);
        using (code.Block($"private static void WriteQuery{type}(global::System.Collections.Generic.IDictionary<string, string> p, string prefix, global::{model.Names.Model}.{type} v)"))
        {
            code.Line("if (v is null) return;");
            EmitMembers(code, shape, "prefix + ");
        }
    }

    public void EmitMembers(CodeWriter code, Shape owner, string prefix)
    {
        foreach (Member member in owner.Members)
        {
            string expression = "v." + naming.Property(owner.Name, member);
            Shape shape = model[member];
            string name = member.LocationName ?? member.Name;
            if ((member.IsFlattened || shape.IsFlattened) && shape.Element?.LocationName is { } itemName)
            {
                name = itemName;
            }

            string key = prefix + Naming.Literal(name);
            using (code.Block($"if ({values.IsSet(member, expression, owner.Name)})"))
            {
                EmitValue(code, member, key, values.Unwrap(member, expression, owner.Name), false, 0);
            }

            if (member.IsIdempotencyToken)
            {
                code.Line($"else p[{key}] = global::System.Guid.NewGuid().ToString();");
            }
        }
    }

    private void EmitValue(CodeWriter code, Member member, string key, string expression, bool isElement, int depth)
    {
        Shape shape = model[member];
        bool flattened = member.IsFlattened || shape.IsFlattened;
        string count = "n" + depth, item = "i" + depth, itemKey = "k" + depth;
        switch (shape.Type)
        {
            case "structure":
                code.Line($"WriteQuery{naming.ClassName(shape)}(p, {key} + \".\", {expression});");
                break;
            case "list":
                // An empty list that was set is said as an empty parameter.
                code.Line($"if ({expression}.Count == 0) p[{key}] = \"\";");
                code.Line($"int {count} = 0;");
                using (code.Block($"foreach (var {item} in {expression})"))
                {
                    string middle = flattened ? "." : "." + (shape.Element!.LocationName ?? "member") + ".";
                    code.Line($"string {itemKey} = {key} + {Naming.Literal(middle)} + global::Amazon.Runtime.Internal.Util.StringUtils.FromInt(++{count});");
                    EmitValue(code, shape.Element!, itemKey, item, true, depth + 1);
                }

                break;
            case "map":
                code.Line($"int {count} = 0;");
                using (code.Block($"foreach (var {item} in {expression})"))
                {
                    code.Line($"string {itemKey} = {key} + {Naming.Literal(flattened ? "." : ".entry.")} + global::Amazon.Runtime.Internal.Util.StringUtils.FromInt(++{count});");
                    code.Line($"p[{itemKey} + {Naming.Literal("." + (shape.Key!.LocationName ?? "key"))}] = {item}.Key;");
                    EmitValue(code, shape.Element!, $"{itemKey} + {Naming.Literal("." + (shape.Element!.LocationName ?? "value"))}", item + ".Value", true, depth + 1);
                }

                break;
            default:
                code.Line($"p[{key}] = {values.Text(member, expression, "iso8601", isElement)};");
                break;
        }
    }
}
