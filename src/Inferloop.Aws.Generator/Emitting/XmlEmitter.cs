using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>Readers and writers of XML bodies, one method a structure.</summary>
internal sealed class XmlEmitter(ServiceModel model)
{
    private const string Reader = "global::System.Xml.XmlReader";
    private const string Wire = "global::Inferloop.Aws.Clients.XmlWire";
    private readonly Naming naming = new(model);
    private readonly Values values = new(model);

    public void EmitReader(CodeWriter code, Shape shape)
    {
        string type = $"global::{model.Names.Model}.{naming.ClassName(shape)}";
        using (code.Block($"private static {type} ReadXml{naming.ClassName(shape)}({Reader} r)"))
        {
            code.Line($"var v = new {type}();");
            EmitReadLoop(code, shape, shape.Members);
            code.Line("return v;");
        }
    }

    /// <summary>Reads the children of the element <c>r</c> stands on into <c>v</c>, and goes past the element.</summary>
    public void EmitReadLoop(CodeWriter code, Shape owner, IEnumerable<Member> members)
    {
        using (code.Block($"for (bool more = {Wire}.Enter(r); more && {Wire}.Next(r);)"))
        using (code.Block("switch (r.LocalName)"))
        {
            foreach (Member member in members)
            {
                string property = "v." + naming.Property(owner.Name, member);
                Shape shape = model[member];
                bool flattened = IsFlattened(member, shape);
                string element = flattened ? FlattenedName(member, shape) : member.LocationName ?? member.Name;
                string read = (shape.Type, flattened) switch
                {
                    ("list", true) => $"({property} ??= new()).Add({ReadValue(shape.Element!, "r", true, 0)})",
                    ("map", true) => $"{Wire}.Entry(r, {property} ??= new(), {MapArguments(shape, 0)})",
                    _ => $"{property} = {ReadValue(member, "r", false, 0)}",
                };
                code.Line($"case {Naming.Literal(element)}: {read}; break;");
            }

            code.Line("default: r.Skip(); break;");
        }
    }

    public void EmitWriter(CodeWriter code, Shape shape)
    {
        string type = $"global::{model.Names.Model}.{naming.ClassName(shape)}";
        using (code.Block($"private static void WriteXml{naming.ClassName(shape)}(global::System.Xml.XmlWriter w, string element, {type} v, string ns)"))
        {
            code.Line("if (v is null) return;");
            code.Line("w.WriteStartElement(element, ns);");
            EmitMembers(code, shape, shape.Members);
            code.Line("w.WriteEndElement();");
        }
    }

    /// <summary>The members of <c>v</c> as children of the element being written to <c>w</c>.</summary>
    public void EmitMembers(CodeWriter code, Shape owner, IEnumerable<Member> members)
    {
        foreach (Member member in members)
        {
            if (member.IsXmlAttribute)
            {
                throw new NotSupportedException($"{model.Names.File}: {owner.Name}.{member.Name} is an XML attribute");
            }

            Shape shape = model[member];
            string expression = "v." + naming.Property(owner.Name, member);
            string element = member.LocationName ?? member.Name;
            using (code.Block($"if ({values.IsSet(member, expression, owner.Name)})"))
            {
                if (IsFlattened(member, shape) && shape.Type == "list")
                {
                    using (code.Block($"foreach (var i0 in {expression})"))
                    {
                        EmitValue(code, shape.Element!, FlattenedName(member, shape), "i0", true, 1);
                    }
                }
                else
                {
                    EmitValue(code, member, element, values.Unwrap(member, expression, owner.Name), false, 0);
                }
            }
        }
    }

    private void EmitValue(CodeWriter code, Member member, string element, string expression, bool isElement, int depth)
    {
        Shape shape = model[member];
        string name = Naming.Literal(element);
        switch (shape.Type)
        {
            case "structure":
                code.Line($"WriteXml{naming.ClassName(shape)}(w, {name}, {expression}, ns);");
                break;
            case "list":
                code.Line($"w.WriteStartElement({name}, ns);");
                using (code.Block($"foreach (var i{depth} in {expression})"))
                {
                    EmitValue(code, shape.Element!, shape.Element!.LocationName ?? "member", "i" + depth, true, depth + 1);
                }

                code.Line("w.WriteEndElement();");
                break;
            case "map":
                throw new NotSupportedException($"{model.Names.File}: the map {shape.Name} in an XML request");
            default:
                code.Line($"w.WriteElementString({name}, ns, {values.Text(member, expression, "iso8601", isElement)});");
                break;
        }
    }

    private string ReadValue(Member member, string reader, bool isElement, int depth)
    {
        Shape shape = model[member];
        string inner = "e" + depth;
        return shape.Type switch
        {
            "structure" => $"ReadXml{naming.ClassName(shape)}({reader})",
            "list" => $"{Wire}.List({reader}, static {inner} => {ReadValue(shape.Element!, inner, true, depth + 1)})",
            "map" => $"{Wire}.Map({reader}, {MapArguments(shape, depth)})",
            _ => values.Parse(member, $"{Wire}.Text({reader})", isElement),
        };
    }

    private string MapArguments(Shape shape, int depth)
    {
        string inner = "e" + depth;
        return $"{Naming.Literal(shape.Key!.LocationName ?? "key")}, {Naming.Literal(shape.Element!.LocationName ?? "value")}, static {inner} => {ReadValue(shape.Element!, inner, true, depth + 1)}";
    }

    private static bool IsFlattened(Member member, Shape shape) => member.IsFlattened || shape.IsFlattened;

    private static string FlattenedName(Member member, Shape shape) =>
        member.LocationName ?? (shape.Type == "list" ? shape.Element!.LocationName : null) ?? member.Name;
}
