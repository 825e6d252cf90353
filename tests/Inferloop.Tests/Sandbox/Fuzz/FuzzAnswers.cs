using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Inferloop.Sandbox.Protocols;

namespace Inferloop.Tests.Sandbox.Fuzz;

/// <summary>Whether an answer is one that the service's clients can read.</summary>
internal static class FuzzAnswers
{
    /// <summary>What is wrong with an answer; null when nothing is.</summary>
    public static string? Problem(FuzzRequest asked, ServiceResponse answer)
    {
        if (answer.Status is not ((>= 200 and < 500) or 501) && !(answer.Status == 503 && IsModelled(asked, answer)))
        {
            return $"status {answer.Status}";
        }
        if (answer.Body.IsEmpty)
        {
            return answer.Status < 400 || asked.Request.Method == "HEAD" ? null : "an error without a body";
        }
        var type = answer.Headers.GetValueOrDefault("Content-Type") ?? "";
        var text = Encoding.UTF8.GetString(answer.Body.Span);
        try
        {
            return answer.Status < 400 ? SuccessProblem(asked, answer, type, text) : ErrorProblem(asked, answer, type, text);
        }
        catch (Exception e) when (e is MalformedInputException or System.Text.Json.JsonException or System.Xml.XmlException)
        {
            return $"{e.GetType().Name}: {e.Message} in {text}";
        }
    }

    /// <summary>Keeps what a successful answer and its question named.</summary>
    public static void Remember(FuzzRequest asked, ServiceResponse answer, SeenTexts seen)
    {
        if (answer.Status >= 300)
        {
            return;
        }
        seen.Add(asked.Model.Name, asked.Document);
        var type = answer.Headers.GetValueOrDefault("Content-Type") ?? "";
        if (answer.Body.IsEmpty || asked.Operation.Output is null)
        {
            return;
        }
        if (type.Contains("cbor", StringComparison.Ordinal))
        {
            seen.Add(asked.Model.Name, CborShapes.ReadStructure(asked.Operation.Output, answer.Body));
        }
        else if (type.Contains("json", StringComparison.Ordinal) && asked.Model.Protocol is not ProtocolKind.RestXml)
        {
            seen.Add(asked.Model.Name, JsonNode.Parse(answer.Body.Span));
        }
        else if (type.Contains("xml", StringComparison.Ordinal) && asked.Operation.Output.Payload is not "Body")
        {
            seen.Add(asked.Model.Name, XElement.Parse(Encoding.UTF8.GetString(answer.Body.Span)));
        }
    }

    /// <summary>A few services have modelled errors of the 5xx class for what callers do (a service that is unavailable in a zone); a defect is none of them.</summary>
    private static bool IsModelled(FuzzRequest asked, ServiceResponse answer) =>
        answer.Headers.GetValueOrDefault("x-amzn-ErrorType") is { } code && asked.Model.Error(code) is { IsFault: true, Name: not ("InternalFailure" or "InternalServerError" or "InternalError") };

    private static string? SuccessProblem(FuzzRequest asked, ServiceResponse answer, string type, string text)
    {
        if (!asked.IsAddressed || asked.Operation.Output is not { } output || output.Payload is not null || output.Members.Any(member => member.Shape.IsEventStream))
        {
            return null;
        }
        if (type.Contains("cbor", StringComparison.Ordinal))
        {
            CborShapes.ReadStructure(output, answer.Body);
        }
        else if (type.Contains("json", StringComparison.Ordinal))
        {
            JsonShapes.ReadStructure(output, JsonShapes.Parse(answer.Body.Span));
        }
        else if (type.Contains("xml", StringComparison.Ordinal))
        {
            XElement.Parse(text);
        }
        else
        {
            return $"a success of type '{type}'";
        }
        return null;
    }

    private static string? ErrorProblem(FuzzRequest asked, ServiceResponse answer, string type, string text)
    {
        ProtocolKind[] allowed = asked.IsAddressed
            ? [.. asked.Model.Protocols, .. asked.Model.IsQueryCompatible ? [ProtocolKind.Query] : Array.Empty<ProtocolKind>()]
            : Enum.GetValues<ProtocolKind>();
        string? code;
        if (type == "application/cbor")
        {
            code = (new CborReader(answer.Body).Read() as IReadOnlyDictionary<string, object?>)?.GetValueOrDefault("__type") as string;
            return Answered(code, answer, allowed.Contains(ProtocolKind.RpcV2Cbor), text);
        }
        if (type.Contains("json", StringComparison.Ordinal))
        {
            code = (string?)JsonNode.Parse(text)?["__type"];
            return answer.Headers.GetValueOrDefault("x-amzn-ErrorType") == code
                ? Answered(code, answer, allowed.Any(kind => kind is ProtocolKind.Json or ProtocolKind.RestJson), text)
                : $"__type and x-amzn-ErrorType differ: {text}";
        }
        if (type.Contains("xml", StringComparison.Ordinal))
        {
            var root = XElement.Parse(text);
            var (found, fits) = root.Name.LocalName switch
            {
                "Error" => (root.Element("Code"), asked.Model.Name == "s3" || !asked.IsAddressed),
                "Response" => (root.Element("Errors")?.Element("Error")?.Element("Code"), allowed.Contains(ProtocolKind.Ec2)),
                "ErrorResponse" => (root.Descendants().FirstOrDefault(element => element.Name.LocalName == "Code"), allowed.Any(kind => kind is ProtocolKind.Query or ProtocolKind.RestXml) && asked.Model.Name != "s3"),
                _ => (null, false),
            };
            return Answered(found?.Value, answer, fits || !asked.IsAddressed, text);
        }
        return $"an error of type '{type}': {text}";
    }

    private static string? Answered(string? code, ServiceResponse answer, bool fits, string text) =>
        string.IsNullOrWhiteSpace(code) ? $"an error without a code: {text}"
        : code.Contains("InternalFailure", StringComparison.Ordinal) || code is "InternalError" or "InternalServerError" ? $"{answer.Status} {text}"
        : !fits ? $"an error in another service's protocol: {text}"
        : null;
}
