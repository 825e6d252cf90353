using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Inferloop.Tests.Aws.Fidelity;

/// <summary>Answers with every member the model has, as the service would write them.</summary>
internal sealed class AnswerMaker
{
    private const int Deepest = 6;
    private readonly JsonObject shapes;
    private readonly JsonObject operations;
    private readonly string xmlNamespace;

    public AnswerMaker(string modelPath)
    {
        JsonObject model = JsonNode.Parse(File.ReadAllText(modelPath))!.AsObject();
        shapes = model["shapes"]!.AsObject();
        operations = model["operations"]!.AsObject();
        IsXml = model["metadata"]!["protocol"]!.GetValue<string>() == "query";
        xmlNamespace = model["metadata"]!["xmlNamespace"]?.GetValue<string>() ?? "";
    }

    public bool IsXml { get; }

    public string ContentType => IsXml ? "text/xml" : "application/x-amz-json-1.1";

    public IEnumerable<(string Shape, string Code)> Errors(string operation) =>
        operations[operation]!["errors"]?.AsArray().Select(e => e!["shape"]!.GetValue<string>())
            .Select(s => (s, shapes[s]!["error"]?["code"]?.GetValue<string>() ?? s)) ?? [];

    public byte[] Answer(string operation)
    {
        JsonObject description = operations[operation]!.AsObject();
        JsonNode? output = description["output"];
        if (!IsXml)
        {
            return output is null ? "{}"u8.ToArray() : JsonSerializer.SerializeToUtf8Bytes(Json(output["shape"]!.GetValue<string>(), operation, 0));
        }

        XNamespace ns = xmlNamespace;
        XElement root = new(ns + (operation + "Response"));
        if (output is not null)
        {
            XElement wrapper = new(ns + output["resultWrapper"]!.GetValue<string>());
            FillXml(wrapper, output["shape"]!.GetValue<string>(), operation, 0, ns);
            root.Add(wrapper);
        }

        root.Add(new XElement(ns + "ResponseMetadata", new XElement(ns + "RequestId", "11111111-2222-3333-4444-555555555555")));
        return Encoding.UTF8.GetBytes(root.ToString());
    }

    public byte[] Error(string shape, string code)
    {
        if (!IsXml)
        {
            JsonObject body = Json(shape, shape, 0)!.AsObject();
            body["__type"] = "com.amazonaws#" + shape;
            body[body.ContainsKey("Message") ? "Message" : "message"] = "It went wrong: é";
            return JsonSerializer.SerializeToUtf8Bytes(body);
        }

        XNamespace ns = xmlNamespace;
        return Encoding.UTF8.GetBytes(new XElement(
            ns + "ErrorResponse",
            new XElement(ns + "Error", new XElement(ns + "Type", "Sender"), new XElement(ns + "Code", code), new XElement(ns + "Message", "It went wrong: é")),
            new XElement(ns + "RequestId", "11111111-2222-3333-4444-555555555555")).ToString());
    }

    private JsonNode? Json(string name, string path, int depth)
    {
        JsonObject shape = shapes[name]!.AsObject();
        switch (shape["type"]!.GetValue<string>())
        {
            case "structure":
                JsonObject structure = [];
                foreach ((string member, JsonNode? reference) in depth > Deepest ? [] : shape["members"]!.AsObject())
                {
                    if (ToleratedDifferences.LeftOutOfAnswers.ContainsKey(member))
                    {
                        continue;
                    }

                    structure[reference!["locationName"]?.GetValue<string>() ?? member] = Json(reference["shape"]!.GetValue<string>(), $"{path}.{member}", depth + 1);
                }

                if (shape["members"]!.AsObject().ContainsKey("MD5OfBody") && structure["Body"] is { } body)
                {
                    // The official SQS client checks the hash it is told.
#pragma warning disable CA5351 // the algorithm is SQS's choice
                    structure["MD5OfBody"] = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(body.GetValue<string>())));
#pragma warning restore CA5351
                }

                structure["AMemberFromTheFuture"] = new JsonObject { ["x"] = new JsonArray(1, "a", null) };
                return structure;
            case "list":
                return depth > Deepest ? [] : new JsonArray(Json(shape["member"]!["shape"]!.GetValue<string>(), path + "[0]", depth + 1), Json(shape["member"]!["shape"]!.GetValue<string>(), path + "[1]", depth + 1));
            case "map":
                return depth > Deepest ? [] : new JsonObject { ["k1"] = Json(shape["value"]!["shape"]!.GetValue<string>(), path + "{k}", depth + 1) };
            case "integer" or "long":
                return path.Length * 3;
            case "float" or "double":
                return path.Length / 8.0;
            case "boolean":
                return path.Length % 2 == 0;
            case "timestamp":
                return 1_767_225_600.125 + path.Length;
            case "blob":
                return Convert.ToBase64String(Encoding.UTF8.GetBytes(path));
            default:
                return shape["enum"]?[0]?.GetValue<string>() ?? Filler.PathSeed(path);
        }
    }

    private void FillXml(XElement element, string name, string path, int depth, XNamespace ns)
    {
        JsonObject shape = shapes[name]!.AsObject();
        switch (shape["type"]!.GetValue<string>())
        {
            case "structure":
                foreach ((string member, JsonNode? reference) in shape["members"]!.AsObject())
                {
                    XElement child = new(ns + (reference!["locationName"]?.GetValue<string>() ?? member));
                    element.Add(child);
                    FillXml(child, reference["shape"]!.GetValue<string>(), $"{path}.{member}", depth + 1, ns);
                }

                element.Add(new XElement(ns + "AMemberFromTheFuture", new XElement(ns + "x", "1")));
                break;
            case "list":
                for (int i = 0; i < 2; i++)
                {
                    XElement item = new(ns + (shape["member"]!["locationName"]?.GetValue<string>() ?? "member"));
                    element.Add(item);
                    FillXml(item, shape["member"]!["shape"]!.GetValue<string>(), $"{path}[{i}]", depth + 1, ns);
                }

                break;
            case "timestamp":
                element.Value = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(path.Length).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
                break;
            case "integer" or "long":
                element.Value = path.Length.ToString(CultureInfo.InvariantCulture);
                break;
            case "boolean":
                element.Value = "true";
                break;
            default:
                element.Value = Filler.PathSeed(path);
                break;
        }
    }
}
