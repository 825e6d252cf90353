using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>REST-JSON and REST-XML: members in the path, the query string, the headers, the status and the body.</summary>
internal sealed class RestEmitter(ServiceModel model, JsonEmitter json, XmlEmitter xml)
{
    private const string Clients = "global::Inferloop.Aws.Clients";
    private readonly Naming naming = new(model);
    private readonly Values values = new(model);

    private bool IsJson => model.Protocol == "rest-json";

    public void EmitMarshal(CodeWriter code, Operation operation, Shape? input)
    {
        string[] uri = operation.RequestUri.Split('?', 2);
        code.Line($"var request = {Clients}.Wire.RestRequest(v, {Naming.Literal(model.Names.Root)}, {Naming.Literal(operation.HttpMethod)}, {Naming.Literal(uri[0])}, {Naming.Literal(model.ApiVersion)});");
        if (uri.Length == 2)
        {
            foreach (string[] pair in uri[1].Split('&').Select(p => p.Split('=', 2)))
            {
                code.Line(pair.Length == 2
                    ? $"request.AddSubResource({Naming.Literal(pair[0])}, {Naming.Literal(pair[1])});"
                    : $"request.AddSubResource({Naming.Literal(pair[0])});");
            }
        }

        if (input is null)
        {
            return;
        }

        foreach (Member member in input.Members)
        {
            EmitLocated(code, input, member, uri[0]);
        }

        if (input.Members.Any(m => m.Location == "querystring"))
        {
            code.Line("request.UseQueryString = true;");
        }

        Member[] body = [.. input.Members.Where(m => m.Location is null)];
        if (input.Payload is { } payload)
        {
            EmitPayload(code, input, input.Members.First(m => m.Name == payload));
        }
        else if (body.Length > 0)
        {
            EmitBody(code, operation, input, body);
        }
    }

    public void EmitUnmarshal(CodeWriter code, Shape? output)
    {
        if (output is null)
        {
            return;
        }

        foreach (Member member in output.Members)
        {
            string property = "v." + naming.Property(output.Name, member);
            string header = Naming.Literal(member.LocationName ?? member.Name);
            switch (member.Location)
            {
                case "header":
                    code.Line($"if (context.ResponseData.IsHeaderPresent({header})) {property} = {values.Parse(member, $"context.ResponseData.GetHeaderValue({header})", false)};");
                    break;
                case "headers":
                    code.Line($"{property} = {Clients}.Wire.Headers(context.ResponseData, {header});");
                    break;
                case "statusCode":
                    code.Line($"{property} = (int)context.ResponseData.StatusCode;");
                    break;
            }
        }

        Member[] body = [.. output.Members.Where(m => m.Location is null)];
        if (output.Payload is { } payload)
        {
            EmitReadPayload(code, output, output.Members.First(m => m.Name == payload));
        }
        else if (body.Length > 0)
        {
            if (IsJson)
            {
                code.Line($"if (!{Clients}.JsonWire.Open(context, out var r)) return v;");
                json.EmitReadLoop(code, output, body);
            }
            else
            {
                code.Line($"using var r = {Clients}.XmlWire.Open(context);");
                xml.EmitReadLoop(code, output, body);
            }
        }
    }

    private void EmitLocated(CodeWriter code, Shape input, Member member, string path)
    {
        string expression = "v." + naming.Property(input.Name, member);
        string wireName = member.LocationName ?? member.Name;
        string name = Naming.Literal(wireName);
        string isSet = values.IsSet(member, expression, input.Name);
        Shape shape = model[member];
        switch (member.Location)
        {
            case "uri":
                bool greedy = path.Contains("{" + wireName + "+}", StringComparison.Ordinal);
                code.Line($"if (!({isSet})) throw new global::{model.Names.Root}.{model.Names.Base}Exception(\"Request object does not have required field {naming.Property(input.Name, member)} set\");");
                string text = values.Text(member, expression, "iso8601");
                if (model.Customization.AnswersIdsAsPaths)
                {
                    text = $"{Clients}.Wire.LastSegment({text})";
                }

                code.Line(greedy
                    ? $"request.AddPathResource(\"{{{wireName}+}}\", {text}.TrimStart('/'));"
                    : $"request.AddPathResource(\"{{{wireName}}}\", {text});");
                break;
            case "querystring" when shape.Type == "list":
                code.Line($"if ({isSet}) request.ParameterCollection.Add({name}, {Clients}.Wire.Texts({expression}, static i => {values.Text(shape.Element!, "i", "iso8601", true)}));");
                break;
            case "querystring" when shape.Type == "map":
                code.Line($"if ({isSet}) foreach (var i in {expression}) if (!request.Parameters.ContainsKey(i.Key)) request.Parameters.Add(i.Key, i.Value);");
                break;
            case "querystring":
                code.Line($"if ({isSet}) request.Parameters.Add({name}, {values.Text(member, expression, "iso8601")});");
                break;
            case "header":
                code.Line($"if ({isSet}) request.Headers[{name}] = {values.Text(member, expression, "rfc822")};");
                break;
            case "headers":
                code.Line($"if ({isSet}) foreach (var i in {expression}) request.Headers[{name} + i.Key] = i.Value;");
                break;
        }

        if (member is { IsIdempotencyToken: true, Location: "header" or "querystring" })
        {
            string target = member.Location == "header" ? "Headers" : "Parameters";
            code.Line($"else request.{target}[{name}] = global::System.Guid.NewGuid().ToString();");
        }
    }

    private void EmitBody(CodeWriter code, Operation operation, Shape input, Member[] body)
    {
        if (IsJson)
        {
            using (code.Block($"{Clients}.JsonWire.SetBody(request, \"application/json\", {Clients}.JsonWire.Body(v, static (w, v) =>", "}));"))
            {
                code.Line("w.WriteStartObject();");
                json.EmitMembers(code, input, body);
                code.Line("w.WriteEndObject();");
            }

            return;
        }

        string root = operation.Input!.LocationName ?? Naming.RequestName(operation);
        using (code.Block($"{Clients}.XmlWire.SetBody(request, v, static (w, v) =>", "});"))
        {
            code.Line($"const string ns = {Naming.Literal(operation.Input.XmlNamespace ?? model.XmlNamespace ?? "")};");
            code.Line($"w.WriteStartElement({Naming.Literal(root)}, ns);");
            xml.EmitMembers(code, input, body);
            code.Line("w.WriteEndElement();");
        }
    }

    private void EmitPayload(CodeWriter code, Shape input, Member member)
    {
        Shape shape = model[member];
        string expression = "v." + naming.Property(input.Name, member);
        switch (shape.Type)
        {
            case "blob":
                code.Line($"{Clients}.Wire.SetStream(request, {expression});");
                break;
            case "string":
                code.Line($"{Clients}.Wire.SetText(request, {expression});");
                break;
            case "structure" when IsJson:
                code.Line($"if ({expression} != null) {Clients}.JsonWire.SetBody(request, \"application/json\", {Clients}.JsonWire.Body({expression}, static (w, b) => WriteJson{naming.ClassName(shape)}(w, b)));");
                break;
            case "structure":
                string element = Naming.Literal(member.LocationName ?? shape.Name);
                code.Line($"if ({expression} != null) {Clients}.XmlWire.SetBody(request, {expression}, static (w, b) => WriteXml{naming.ClassName(shape)}(w, {element}, b, {Naming.Literal(member.XmlNamespace ?? model.XmlNamespace ?? "")}));");
                break;
            default:
                throw new NotSupportedException($"{model.Names.File}: the payload {input.Name}.{member.Name} is a {shape.Type}");
        }
    }

    private void EmitReadPayload(CodeWriter code, Shape output, Member member)
    {
        Shape shape = model[member];
        string property = "v." + naming.Property(output.Name, member);
        if (shape.IsEventStream)
        {
            throw new NotSupportedException($"{model.Names.File}: {output.Name} is an event stream");
        }

        switch (shape.Type)
        {
            case "blob":
                code.Line($"{property} = {Clients}.Wire.Content(context.Stream);");
                break;
            case "string":
                code.Line($"{property} = {Clients}.Wire.Text(context.Stream);");
                break;
            case "structure" when IsJson:
                code.Line($"if ({Clients}.JsonWire.Open(context, out var r)) {property} = ReadJson{naming.ClassName(shape)}(ref r);");
                break;
            case "structure":
                code.Line($"using var r = {Clients}.XmlWire.Open(context);");
                code.Line($"{property} = ReadXml{naming.ClassName(shape)}(r);");
                break;
            default:
                throw new NotSupportedException($"{model.Names.File}: the payload {output.Name}.{member.Name} is a {shape.Type}");
        }
    }
}
