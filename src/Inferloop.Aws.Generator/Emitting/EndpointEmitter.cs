using System.Text;
using System.Text.Json;
using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>Compiles a service's endpoint rule set: partitions, FIPS, dual-stack, global services and their signing regions.</summary>
internal sealed class EndpointEmitter(ServiceModel model)
{
    private const string Functions = "global::Amazon.Runtime.Internal.Endpoints.StandardLibrary.Fn";
    private const string Failure = "global::Amazon.Runtime.AmazonClientException";
    private readonly ServiceNames names = model.Names;
    private readonly Dictionary<string, string> types = new(StringComparer.Ordinal);

    private string ParametersType => $"global::{names.Root}.Endpoints.{names.Class}EndpointParameters";

    public string Emit()
    {
        JsonElement rules = model.EndpointRules
            ?? throw new FileNotFoundException($"no endpoint rules for {names.File}: run import-models.py");
        JsonProperty[] parameters = [.. rules.GetProperty("parameters").EnumerateObject()];
        CodeWriter code = new();
        TypeEmitter.Header(code);
        using (code.Block($"namespace {names.Root}.Endpoints"))
        {
            code.Summary(null, $"What the endpoint of {model.FullName} depends on.");
            using (code.Block($"public partial class {names.Class}EndpointParameters : global::Amazon.Runtime.Endpoints.EndpointParameters"))
            {
                foreach (JsonProperty parameter in parameters)
                {
                    string type = ParameterType(parameter.Value);
                    code.Summary(parameter.Value.Text("documentation"), $"The parameter {parameter.Name}.");
                    code.Line($"public {type} {parameter.Name} {{ get => ({type})this[{Naming.Literal(parameter.Name)}]; set => this[{Naming.Literal(parameter.Name)}] = value; }}");
                }
            }
        }

        using (code.Block($"namespace {names.Root}.Internal"))
        {
            EmitProvider(code, parameters, rules.GetProperty("rules"));
            EmitResolver(code, parameters);
        }

        return code.ToString();
    }

    private static string ParameterType(JsonElement parameter) => parameter.Text("type")!.ToUpperInvariant() switch
    {
        "BOOLEAN" => "bool?",
        "STRINGARRAY" => "global::System.Collections.Generic.IEnumerable<string>",
        _ => "string",
    };

    private static string Local(string name) => "p" + name;

    private void EmitProvider(CodeWriter code, JsonProperty[] parameters, JsonElement rules)
    {
        code.Summary(null, $"Finds the endpoint of {model.FullName}.");
        using (code.Block($"public class {names.Base}EndpointProvider : global::Amazon.Runtime.Endpoints.IEndpointProvider"))
        {
            code.Summary(null, "The endpoint for the parameters, or an AmazonClientException that says what is wrong with them.");
            using (code.Block("public global::Amazon.Runtime.Endpoints.Endpoint ResolveEndpoint(global::Amazon.Runtime.Endpoints.EndpointParameters parameters)"))
            {
                code.Line("global::System.ArgumentNullException.ThrowIfNull(parameters);");
                foreach (JsonProperty parameter in parameters)
                {
                    string type = ParameterType(parameter.Value);
                    types[parameter.Name] = type;
                    string initial = $"({type})parameters[{Naming.Literal(parameter.Name)}]";
                    if (parameter.Value.TryGetProperty("default", out JsonElement value))
                    {
                        initial += " ?? " + Literal(value);
                    }

                    code.Line($"{type} {Local(parameter.Name)} = {initial};");
                }

                EmitRules(code, rules);
                code.Line($"throw new {Failure}(\"Cannot resolve endpoint\");");
            }
        }
    }

    private void EmitRules(CodeWriter code, JsonElement rules)
    {
        foreach (JsonElement rule in rules.EnumerateArray())
        {
            List<CodeWriter.Scope> scopes = [];
            JsonElement[] conditions = [.. rule.GetProperty("conditions").EnumerateArray()];

            // A block of its own: two rules may assign the same name.
            scopes.Add(code.Block(""));
            foreach (JsonElement condition in conditions)
            {
                if (condition.Text("assign") is { } name)
                {
                    (string value, string type) = Expression(condition);
                    types[name] = type;
                    code.Line($"{type} {Local(name)} = {value};");
                    scopes.Add(code.Block($"if ({Local(name)} != null)"));
                }
                else
                {
                    scopes.Add(code.Block($"if ({Expression(condition).Code})"));
                }
            }

            switch (rule.Text("type"))
            {
                case "tree":
                    EmitRules(code, rule.GetProperty("rules"));
                    break;
                case "error":
                    code.Line($"throw new {Failure}({Template(rule.Text("error")!)});");
                    break;
                default:
                    EmitEndpoint(code, rule.GetProperty("endpoint"));
                    break;
            }

            scopes.Reverse();
            scopes.ForEach(s => s.Dispose());
        }
    }

    private void EmitEndpoint(CodeWriter code, JsonElement endpoint)
    {
        JsonElement url = endpoint.GetProperty("url");
        string address = url.ValueKind == JsonValueKind.String ? Template(url.GetString()!) : Expression(url).Code;
        string attributes = endpoint.TryGetProperty("properties", out JsonElement properties) && properties.TryGetProperty("authSchemes", out JsonElement schemes)
            ? Json(schemes)
            : "\"\"";
        code.Line($"return new global::Amazon.Runtime.Endpoints.Endpoint({address}, {attributes}, \"\");");
    }

    /// <summary>The authentication schemes as JSON text, in which names may stand.</summary>
    private static string Json(JsonElement schemes)
    {
        string text = "{\"authSchemes\":" + JsonSerializer.Serialize(schemes) + "}";
        List<string> parts = [];
        int start = 0;
        for (int open = text.IndexOf("\"{", StringComparison.Ordinal); open >= 0; open = text.IndexOf("\"{", start, StringComparison.Ordinal))
        {
            int close = text.IndexOf("}\"", open, StringComparison.Ordinal);
            parts.Add(Naming.Literal(text[start..(open + 1)]));
            parts.Add(Reference(text[(open + 2)..close]));
            start = close + 1;
        }

        parts.Add(Naming.Literal(text[start..]));
        return string.Join(" + ", parts);
    }

    private (string Code, string Type) Expression(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            return value.ValueKind == JsonValueKind.String ? (Template(value.GetString()!), "string") : (Literal(value), "bool?");
        }

        if (value.Text("ref") is { } name)
        {
            return (Local(name), types[name]);
        }

        JsonElement[] arguments = [.. value.GetProperty("argv").EnumerateArray()];
        string Argument(int index) => Expression(arguments[index]).Code;
        return value.Text("fn") switch
        {
            "isSet" => ($"{Argument(0)} != null", "bool?"),
            "not" => ($"!({Argument(0)})", "bool?"),
            "booleanEquals" or "stringEquals" => ($"{Argument(0)} == {Argument(1)}", "bool?"),
            "isValidHostLabel" => ($"{Functions}.IsValidHostLabel({Argument(0)}, {Argument(1)})", "bool?"),
            "aws.partition" => ($"{Functions}.Partition({Argument(0)})", "global::Amazon.Runtime.Internal.Endpoints.StandardLibrary.Partition"),
            "aws.parseArn" => ($"{Functions}.ParseArn({Argument(0)})", "global::Amazon.Runtime.Internal.Endpoints.StandardLibrary.Arn"),
            "parseURL" => ($"{Functions}.ParseURL({Argument(0)})", "global::Amazon.Runtime.Internal.Endpoints.StandardLibrary.URL"),
            "substring" => ($"{Functions}.Substring({Argument(0)}, {arguments[1]}, {arguments[2]}, {Argument(3)})", "string"),
            "uriEncode" => ($"{Functions}.UriEncode({Argument(0)})", "string"),
            "getAttr" => (Attribute(Argument(0), arguments[1].GetString()!), "string"),
            string other => throw new NotSupportedException($"{names.File}: the endpoint function '{other}'"),
            null => throw new NotSupportedException($"{names.File}: an endpoint expression without a function"),
        };
    }

    private static string Attribute(string target, string path)
    {
        int bracket = path.IndexOf('[', StringComparison.Ordinal);
        return bracket < 0
            ? $"{target}.{path}"
            : $"global::Inferloop.Aws.Clients.ModelEndpoints.Item({target}{(bracket == 0 ? "" : "." + path[..bracket])}, {path[(bracket + 1)..^1]})";
    }

    private static string Reference(string name)
    {
        string[] parts = name.Split('#', 2);
        return parts.Length == 1 ? Local(parts[0]) : Attribute(Local(parts[0]), parts[1]);
    }

    private static string Literal(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.String => Naming.Literal(value.GetString()!),
        _ => value.GetRawText(),
    };

    private static string Template(string text)
    {
        StringBuilder code = new("$\"");
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '{')
            {
                int close = text.IndexOf('}', i);
                code.Append('{').Append(Reference(text[(i + 1)..close])).Append('}');
                i = close;
            }
            else
            {
                code.Append(text[i] is '"' or '\\' ? "\\" + text[i] : text[i].ToString());
            }
        }

        return text.Contains('{', StringComparison.Ordinal) ? code.Append('"').ToString() : Naming.Literal(text);
    }

    private void EmitResolver(CodeWriter code, JsonProperty[] parameters)
    {
        code.Summary(null, $"Gives each request of {model.FullName} its endpoint.");
        using (code.Block($"public class {names.Base}EndpointResolver : global::Amazon.Runtime.Internal.BaseEndpointResolver"))
        {
            code.Line("/// <inheritdoc/>");
            code.Line("protected override void ServiceSpecificHandler(global::Amazon.Runtime.IExecutionContext executionContext, global::Amazon.Runtime.Endpoints.EndpointParameters parameters) => InjectHostPrefix(executionContext.RequestContext);");
            code.Line("/// <inheritdoc/>");
            using (code.Block("protected override global::Amazon.Runtime.Endpoints.EndpointParameters MapEndpointsParameters(global::Amazon.Runtime.IRequestContext requestContext)"))
            {
                code.Line("var config = requestContext.ClientConfig;");
                code.Line($"var result = new {ParametersType}();");
                foreach (JsonProperty parameter in parameters)
                {
                    string? value = parameter.Value.Text("builtIn") switch
                    {
                        "AWS::Region" => "global::Inferloop.Aws.Clients.ModelEndpoints.Region(requestContext)",
                        "AWS::UseDualStack" => "config.UseDualstackEndpoint",
                        "AWS::UseFIPS" => "config.UseFIPSEndpoint",
                        "SDK::Endpoint" => "config.ServiceURL",
                        "AWS::Auth::AccountIdEndpointMode" => "config.AccountIdEndpointMode.ToString().ToLowerInvariant()",
                        _ => null,
                    };
                    if (value is not null)
                    {
                        code.Line($"result.{parameter.Name} = {value};");
                    }
                }

                EmitOperationParameters(code, parameters);
                code.Line("return result;");
            }
        }
    }

    private void EmitOperationParameters(CodeWriter code, JsonProperty[] parameters)
    {
        HashSet<string> known = [.. parameters.Select(p => p.Name)];
        List<(Operation Operation, List<string> Lines)> cases = [.. model.Operations.Select(o => (o, OperationParameters(o, known))).Where(c => c.Item2.Count > 0)];
        if (cases.Count == 0)
        {
            return;
        }

        using (code.Block("switch (requestContext.OriginalRequest)"))
        {
            foreach ((Operation operation, List<string> lines) in cases)
            {
                bool usesRequest = lines.Exists(l => l.Contains("= r.", StringComparison.Ordinal));
                code.Line($"case global::{names.Model}.{Naming.RequestName(operation)}{(usesRequest ? " r" : "")}:");
                lines.ForEach(code.Line);
                code.Line("break;");
            }
        }
    }

    private List<string> OperationParameters(Operation operation, HashSet<string> known)
    {
        Naming naming = new(model);
        List<string> lines = [.. operation.StaticContextParameters.Where(p => known.Contains(p.Key))
            .Select(p => $"result.{p.Key} = {(p.Value is "true" or "false" ? p.Value : Naming.Literal(p.Value))};")];
        if (operation.Input is null)
        {
            return lines;
        }

        Shape input = model[operation.Input];
        foreach (Member member in input.Members.Where(m => m.ContextParameter is { } name && known.Contains(name)))
        {
            lines.Add($"result.{member.ContextParameter} = r.{naming.Property(input.Name, member)};");
        }

        // Paths beyond a plain member feed account endpoints of DynamoDB only, whose client is the official one.
        foreach ((string name, string path) in operation.ContextParameters.Where(p => known.Contains(p.Key)))
        {
            if (input.Members.FirstOrDefault(m => m.Name == path) is { } member)
            {
                lines.Add($"result.{name} = r.{naming.Property(input.Name, member)};");
            }
        }

        return lines;
    }
}
