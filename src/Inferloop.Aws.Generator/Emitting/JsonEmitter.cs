using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>Writers and readers of JSON bodies, one method a structure.</summary>
internal sealed class JsonEmitter(ServiceModel model)
{
    private const string Reader = "global::Amazon.Runtime.Internal.Util.StreamingUtf8JsonReader";
    private const string Wire = "global::Inferloop.Aws.Clients.JsonWire";
    private const string Texts = "global::Amazon.Runtime.Internal.Util.StringUtils";
    private readonly Naming naming = new(model);
    private readonly Values values = new(model);

    public void EmitWriter(CodeWriter code, Shape shape)
    {
        string type = naming.ClassName(shape);
        using (code.Block($"private static void WriteJson{type}(global::System.Text.Json.Utf8JsonWriter w, global::{model.Names.Model}.{type} v)"))
        {
            code.Line("if (v is null) { w.WriteNullValue(); return; }");
            code.Line("w.WriteStartObject();");
            EmitMembers(code, shape, shape.Members);
            code.Line("w.WriteEndObject();");
        }
    }

    public void EmitReader(CodeWriter code, Shape shape)
    {
        string type = $"global::{model.Names.Model}.{naming.ClassName(shape)}";
        using (code.Block($"private static {type} ReadJson{naming.ClassName(shape)}(ref {Reader} r)"))
        {
            code.Line($"if (!{Wire}.IsObject(ref r)) return null;");
            code.Line($"var v = new {type}();");
            EmitReadLoop(code, shape, shape.Members);
            code.Line("return v;");
        }
    }

    /// <summary>The members of <c>v</c> as properties of the object being written to <c>w</c>.</summary>
    public void EmitMembers(CodeWriter code, Shape owner, IEnumerable<Member> members)
    {
        // In the order of the official client, so that both say the same bytes.
        foreach (Member member in members.OrderBy(m => naming.Property(owner.Name, m), StringComparer.Ordinal))
        {
            string expression = "v." + naming.Property(owner.Name, member);
            string name = Naming.Literal(member.LocationName ?? member.Name);
            using (code.Block($"if ({values.IsSet(member, expression, owner.Name)})"))
            {
                code.Line($"w.WritePropertyName({name});");
                EmitValue(code, member, values.Unwrap(member, expression, owner.Name), owner.Name, 0);
            }

            if (member.IsIdempotencyToken)
            {
                code.Line($"else w.WriteString({name}, global::System.Guid.NewGuid().ToString());");
            }
        }
    }

    /// <summary>Reads the object <c>r</c> stands on into <c>v</c>.</summary>
    public void EmitReadLoop(CodeWriter code, Shape owner, IEnumerable<Member> members)
    {
        using (code.Block($"while ({Wire}.NextProperty(ref r, out string name))"))
        using (code.Block("switch (name)"))
        {
            foreach (Member member in members)
            {
                code.Line($"case {Naming.Literal(member.LocationName ?? member.Name)}: v.{naming.Property(owner.Name, member)} = {ReadValue(member, "r", owner.Name)}; break;");
            }

            code.Line($"default: {Wire}.Skip(ref r); break;");
        }
    }

    public string ReadValue(Member member, string reader, string? owner, int depth = 0)
    {
        Shape shape = model[member];
        string inner = "e" + depth;
        bool isElement = owner is null;
        string plain = isElement ? ".GetValueOrDefault()" : "";
        return shape.Type switch
        {
            "string" or "character" => $"{Wire}.Text(ref {reader})",
            "integer" or "short" or "byte" => $"{Wire}.Int(ref {reader}){plain}",
            "long" when owner is not null && values.IsEpochMilliseconds(owner, member) => $"{Wire}.Milliseconds(ref {reader})",
            "long" => $"{Wire}.Long(ref {reader}){plain}",
            "float" => $"{Wire}.Float(ref {reader}){plain}",
            "double" => $"{Wire}.Double(ref {reader}){plain}",
            "boolean" => $"{Wire}.Bool(ref {reader}){plain}",
            "timestamp" => $"{Wire}.Timestamp(ref {reader}){plain}",
            "blob" => $"{Wire}.Blob(ref {reader})",
            "list" => $"{Wire}.List(ref {reader}, static (ref {Reader} {inner}) => {ReadValue(shape.Element!, inner, null, depth + 1)})",
            "map" => $"{Wire}.Map(ref {reader}, static (ref {Reader} {inner}) => {ReadValue(shape.Element!, inner, null, depth + 1)})",
            "structure" when shape.IsDocument => $"{Wire}.Document(ref {reader})",
            _ => $"ReadJson{naming.ClassName(shape)}(ref {reader})",
        };
    }

    private void EmitValue(CodeWriter code, Member member, string expression, string? owner, int depth)
    {
        Shape shape = model[member];
        switch (shape.Type)
        {
            case "list":
                code.Line("w.WriteStartArray();");
                using (code.Block($"foreach (var i{depth} in {expression})"))
                {
                    EmitValue(code, shape.Element!, "i" + depth, null, depth + 1);
                }

                code.Line("w.WriteEndArray();");
                break;
            case "map":
                code.Line("w.WriteStartObject();");
                using (code.Block($"foreach (var i{depth} in {expression})"))
                {
                    code.Line($"w.WritePropertyName(i{depth}.Key);");
                    EmitValue(code, shape.Element!, $"i{depth}.Value", null, depth + 1);
                }

                code.Line("w.WriteEndObject();");
                break;
            case "structure" when shape.IsDocument:
                code.Line($"global::Amazon.Runtime.Documents.Internal.Transform.DocumentMarshaller.Instance.Write(w, {expression});");
                break;
            case "structure":
                code.Line($"WriteJson{naming.ClassName(shape)}(w, {expression});");
                break;
            case "timestamp":
                code.Line((member.TimestampFormat ?? shape.TimestampFormat ?? "unixTimestamp") switch
                {
                    "iso8601" => $"w.WriteStringValue({Texts}.FromDateTimeToISO8601WithOptionalMs({expression}));",
                    "rfc822" => $"w.WriteStringValue({Texts}.FromDateTimeToRFC822({expression}));",
                    _ => $"{Wire}.WriteTimestamp(w, {expression});",
                });
                break;
            case "blob":
                code.Line($"{Texts}.WriteBase64StringValue(w, {expression});");
                break;
            case "boolean":
                code.Line($"w.WriteBooleanValue({expression});");
                break;
            case "float" or "double":
                code.Line($"{Wire}.WriteNumber(w, {expression});");
                break;
            case "string" when owner is not null && shape.IsEnum:
                code.Line($"w.WriteStringValue({expression}.Value);");
                break;
            case "string" or "character":
                code.Line($"w.WriteStringValue({expression});");
                break;
            case "long" when owner is not null && values.IsEpochMilliseconds(owner, member):
                code.Line($"w.WriteNumberValue(global::Amazon.Util.AWSSDKUtils.ConvertToUnixEpochMilliseconds({expression}));");
                break;
            default:
                code.Line($"w.WriteNumberValue({expression});");
                break;
        }
    }
}
