using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>How each operation travels: request to HTTP, HTTP to response, error to exception.</summary>
internal sealed class OperationEmitter
{
    private const string Clients = "global::Inferloop.Aws.Clients";
    private readonly ServiceModel model;
    private readonly ServiceNames names;
    private readonly Naming naming;
    private readonly JsonEmitter json;
    private readonly XmlEmitter xml;
    private readonly QueryEmitter query;
    private readonly RestEmitter rest;

    public OperationEmitter(ServiceModel model)
    {
        this.model = model;
        names = model.Names;
        naming = new Naming(model);
        json = new JsonEmitter(model);
        xml = new XmlEmitter(model);
        query = new QueryEmitter(model);
        rest = new RestEmitter(model, json, xml);
    }

    private bool IsJson => model.Protocol is "json" or "rest-json";

    public string Emit()
    {
        CodeWriter code = new();
        TypeEmitter.Header(code);
        using (code.Block($"namespace {names.Root}.Internal"))
        using (code.Block($"internal static class {names.Class}Operations"))
        {
            foreach (Operation operation in model.Operations)
            {
                code.Line($"public static readonly {Clients}.GeneratedOperation {operation.Name} = new(Marshal{operation.Name}, new {Clients}.{(IsJson ? "JsonOperationUnmarshaller" : "XmlOperationUnmarshaller")}(Unmarshal{operation.Name}, static (e, body) => Error(e, body, {ErrorCodes(operation)})));");
            }

            foreach (Operation operation in model.Operations)
            {
                EmitMarshal(code, operation);
                EmitUnmarshal(code, operation);
            }

            EmitErrors(code);
            HashSet<string> written = Reachable(model.Operations.Select(o => o.Input));
            HashSet<string> read = Reachable(model.Operations.Select(o => o.Output), model.Exceptions);
            foreach (Shape shape in model.Structures)
            {
                if (written.Contains(shape.Name))
                {
                    EmitStructureWriter(code, shape);
                }

                if (read.Contains(shape.Name))
                {
                    if (IsJson)
                    {
                        json.EmitReader(code, shape);
                    }
                    else
                    {
                        xml.EmitReader(code, shape);
                    }
                }
            }
        }

        return code.ToString();
    }

    private void EmitStructureWriter(CodeWriter code, Shape shape)
    {
        switch (model.Protocol)
        {
            case "query":
                query.EmitWriter(code, shape);
                break;
            case "rest-xml":
                xml.EmitWriter(code, shape);
                break;
            default:
                json.EmitWriter(code, shape);
                break;
        }
    }

    private HashSet<string> Reachable(IEnumerable<Member?> roots, IEnumerable<Shape>? extra = null)
    {
        HashSet<string> found = new(StringComparer.Ordinal);
        Stack<Shape> pending = new(roots.OfType<Member>().Select(m => model[m]).Concat(extra ?? []));
        HashSet<string> visited = new(StringComparer.Ordinal);
        while (pending.TryPop(out Shape? shape))
        {
            if (!visited.Add(shape.Name))
            {
                continue;
            }

            foreach (Member member in shape.Members.Concat(new[] { shape.Element, shape.Key }.OfType<Member>()))
            {
                found.Add(member.ShapeName);
                pending.Push(model[member]);
            }
        }

        return found;
    }

    private void EmitMarshal(CodeWriter code, Operation operation)
    {
        using (code.Block($"private static global::Amazon.Runtime.Internal.IRequest Marshal{operation.Name}(global::Amazon.Runtime.AmazonWebServiceRequest input)"))
        {
            code.Line($"var v = (global::{names.Model}.{Naming.RequestName(operation)})input;");
            Shape? input = operation.Input is null ? null : model[operation.Input];
            switch (model.Protocol)
            {
                case "query":
                    code.Line($"var request = {Clients}.Wire.QueryRequest(v, {Naming.Literal(names.Root)}, {Naming.Literal(operation.Name)}, {Naming.Literal(model.ApiVersion)});");
                    code.Line("var p = request.Parameters;");
                    if (input is not null)
                    {
                        query.EmitMembers(code, input, "");
                    }

                    break;
                case "json":
                    string target = $"{model.TargetPrefix}.{operation.Name}";
                    code.Line($"var request = {Clients}.JsonWire.Request(v, {Naming.Literal(names.Root)}, {Naming.Literal(target)}, {Naming.Literal("application/x-amz-json-" + model.JsonVersion)}, {Naming.Literal(model.ApiVersion)});");
                    if (model.IsQueryCompatible)
                    {
                        code.Line("request.Headers[\"x-amzn-query-mode\"] = \"true\";");
                    }

                    EmitJsonBody(code, input);
                    break;
                default:
                    rest.EmitMarshal(code, operation, input);
                    break;
            }

            if (operation.HostPrefix is { } prefix)
            {
                code.Line(prefix.Contains('{', StringComparison.Ordinal)
                    ? throw new NotSupportedException($"{names.File}: host prefix with a label in {operation.Name}")
                    : $"request.HostPrefix = {Naming.Literal(prefix)};");
            }

            if (operation.IsRequestCompressible)
            {
                code.Line("request.CompressionAlgorithm = global::Amazon.Runtime.CompressionEncodingAlgorithm.gzip;");
            }

            code.Line("return request;");
        }
    }

    private void EmitJsonBody(CodeWriter code, Shape? input)
    {
        using (code.Block($"request.Content = {Clients}.JsonWire.Body(v, static (w, v) =>", "});"))
        {
            code.Line("w.WriteStartObject();");
            if (input is not null)
            {
                json.EmitMembers(code, input, input.Members);
            }

            code.Line("w.WriteEndObject();");
        }
    }

    private void EmitUnmarshal(CodeWriter code, Operation operation)
    {
        string context = IsJson ? "JsonUnmarshallerContext" : "XmlUnmarshallerContext";
        using (code.Block($"private static global::Amazon.Runtime.AmazonWebServiceResponse Unmarshal{operation.Name}(global::Amazon.Runtime.Internal.Transform.{context} context)"))
        {
            code.Line($"var v = new global::{names.Model}.{Naming.ResponseName(operation)}();");
            Shape? output = operation.Output is null ? null : model[operation.Output];
            switch (model.Protocol)
            {
                case "query":
                    code.Line($"using var r = {Clients}.XmlWire.Open(context);");
                    using (code.Block($"for (bool inside = {Clients}.XmlWire.Enter(r); inside && {Clients}.XmlWire.Next(r);)"))
                    {
                        if (output is not null && operation.ResultWrapper is { } wrapper)
                        {
                            using (code.Block($"if (r.LocalName == {Naming.Literal(wrapper)})"))
                            {
                                xml.EmitReadLoop(code, output, output.Members);
                                code.Line("continue;");
                            }
                        }

                        code.Line($"if (r.LocalName == \"ResponseMetadata\") v.ResponseMetadata = {Clients}.XmlWire.Metadata(r); else r.Skip();");
                    }

                    break;
                case "json":
                    if (output is { Members.Count: > 0 })
                    {
                        code.Line($"if (!{Clients}.JsonWire.Open(context, out var r)) return v;");
                        json.EmitReadLoop(code, output, output.Members);
                    }

                    break;
                default:
                    rest.EmitUnmarshal(code, output);
                    break;
            }

            code.Line("return v;");
        }
    }

    private string ErrorCodes(Operation operation) =>
        "[" + string.Join(", ", operation.Errors.Select(e => Naming.Literal(CodeOf(model[e]))).Distinct()) + "]";

    /// <summary>JSON protocols name the shape; XML protocols name the code.</summary>
    private string CodeOf(Shape shape) => IsJson ? shape.Name : shape.ErrorCode ?? shape.Name;

    private void EmitErrors(CodeWriter code)
    {
        using (code.Block("private static global::Amazon.Runtime.AmazonServiceException Error(global::Amazon.Runtime.Internal.ErrorResponse e, byte[] body, string[] declared)"))
        {
            using (code.Block("switch (global::System.Array.IndexOf(declared, e.Code) < 0 ? null : e.Code)"))
            {
                HashSet<string> codes = new(StringComparer.Ordinal);
                foreach (Shape shape in model.Exceptions.Where(s => codes.Add(CodeOf(s))))
                {
                    EmitError(code, shape);
                }

                code.Line($"default: return new global::{names.Root}.{names.Base}Exception(e.Message, e.InnerException, e.Type, e.Code, e.RequestId, e.StatusCode);");
            }
        }
    }

    private void EmitError(CodeWriter code, Shape shape)
    {
        string type = $"global::{names.Model}.{naming.ClassName(shape)}";
        using (code.Block($"case {Naming.Literal(CodeOf(shape))}:"))
        {
            code.Line($"var v = new {type}(e.Message, e.InnerException, e.Type, e.Code, e.RequestId, e.StatusCode);");
            Member[] members = [.. TypeEmitter.ExtraMembers(shape)];
            if (members.Length > 0)
            {
                if (IsJson)
                {
                    using (code.Block($"if ({Clients}.JsonWire.Open(body, out var r))"))
                    {
                        json.EmitReadLoop(code, shape, members);
                    }
                }
                else
                {
                    code.Line($"using var r = {Clients}.XmlWire.OpenError(body);");
                    using (code.Block("if (r is not null)"))
                    {
                        xml.EmitReadLoop(code, shape, members);
                    }
                }
            }

            code.Line("return v;");
        }
    }
}
