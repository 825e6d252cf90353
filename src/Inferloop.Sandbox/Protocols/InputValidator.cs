using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Protocols;

/// <summary>Checks an input against the constraints of its model, with AWS's codes and texts.</summary>
internal static class InputValidator
{
    private const int MaximumReported = 20;

    /// <summary>How a service words a violated constraint.</summary>
    private enum Style
    {
        /// <summary>"1 validation error detected: Value '…' at '…' failed to satisfy constraint: …".</summary>
        Detected,

        /// <summary>EC2: MissingParameter and InvalidParameterValue, one at a time.</summary>
        Ec2,

        /// <summary>RDS and ElastiCache: MissingParameter and InvalidParameterValue in their own words.</summary>
        Parameter,

        /// <summary>S3 checks values itself; the model only says what a request must carry.</summary>
        S3,
    }

    public static void Validate(ServiceModel model, OperationModel operation, JsonObject input)
    {
        if (operation.Input is not { } shape)
        {
            return;
        }
        var style = StyleOf(model);
        var violations = new List<Violation>();
        Structure(shape, input, "", violations, style);
        if (violations.Count > 0)
        {
            throw Fault(model, style, violations);
        }
    }

    /// <summary>The fault for a body that cannot be read as the operation's input.</summary>
    public static ServiceFault Malformed(ServiceModel model, MalformedInputException e) => model.Protocol switch
    {
        ProtocolKind.Json or ProtocolKind.RpcV2Cbor or ProtocolKind.RestJson => new ServiceFault("SerializationException", e.Message),
        ProtocolKind.RestXml when model.Name == "s3" => new ServiceFault("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"),
        ProtocolKind.RestXml => new ServiceFault("MalformedInput", e.Message),
        ProtocolKind.Ec2 => new ServiceFault("InvalidParameterValue", e.Member is null
            ? e.Message
            : $"Value ({e.Value}) for parameter {LowerFirst(e.Member)} is invalid. {e.Message}"),
        _ => new ServiceFault("MalformedInput", e.Message),
    };

    /// <summary>The code a service gives its validation errors.</summary>
    public static string Code(ServiceModel model) => model.Name switch
    {
        "ecs" or "eks" or "logs" or "ecr" => "InvalidParameterException",
        "batch" => "ClientException",
        "backup" => "InvalidParameterValueException",
        "route53" or "servicediscovery" => "InvalidInput",
        "organizations" or "codebuild" => "InvalidInputException",
        "sns" => "InvalidParameter",
        "sqs" => "InvalidParameterValueException",
        "cloudtrail" or "budgets" => "InvalidParameterException",
        _ when model.Protocol is ProtocolKind.Query => "ValidationError",
        _ => "ValidationException",
    };

    private static Style StyleOf(ServiceModel model) => model.Name switch
    {
        "s3" => Style.S3,
        "ec2" => Style.Ec2,
        "rds" or "elasticache" => Style.Parameter,
        _ => Style.Detected,
    };

    private static ServiceFault Fault(ServiceModel model, Style style, List<Violation> violations)
    {
        var first = violations[0];
        var name = first.Path[(first.Path.LastIndexOf('.') + 1)..];
        switch (style)
        {
            case Style.Ec2:
                return first.Missing
                    ? new ServiceFault("MissingParameter", $"The request must contain the parameter {first.Path}")
                    : new ServiceFault("InvalidParameterValue", $"Value ({first.Value}) for parameter {first.Path} is invalid. {first.Constraint}.");
            case Style.Parameter:
                return first.Missing
                    ? new ServiceFault("MissingParameter", $"The request must contain the parameter {UpperFirst(name)}.")
                    : new ServiceFault("InvalidParameterValue", $"Invalid value {first.Value} for {UpperFirst(name)}. {first.Constraint}");
            case Style.S3:
                return first.Path.Contains('.', StringComparison.Ordinal) || first.InBody
                    ? new ServiceFault("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
                    : new ServiceFault("InvalidRequest", $"Missing required parameter for this operation: {UpperFirst(first.Path)}");
            default:
                var count = violations.Count;
                var details = violations.Take(MaximumReported).Select(violation => violation.Missing
                    ? $"Value null at '{violation.Path}' failed to satisfy constraint: Member must not be null"
                    : $"Value '{violation.Value}' at '{violation.Path}' failed to satisfy constraint: {violation.Constraint}");
                return new ServiceFault(
                    Code(model),
                    $"{count} validation error{(count == 1 ? "" : "s")} detected: {string.Join("; ", details)}");
        }
    }

    private static void Structure(Shape shape, JsonObject document, string path, List<Violation> violations, Style style)
    {
        foreach (var required in shape.Required)
        {
            if (!document.TryGetPropertyValue(required, out var value) || Scalars.IsNull(value))
            {
                var member = shape.Member(required);
                // A streaming body travels beside the document; a label of the URI was there or the route would not have matched.
                if (member is null || member.IsStreaming || member.Location == "uri")
                {
                    continue;
                }
                violations.Add(new Violation(Join(path, required, style), null, "", Missing: true, member.Location is null));
            }
        }
        foreach (var member in shape.Members)
        {
            if (document.TryGetPropertyValue(member.Name, out var value) && value is not null)
            {
                Value(member, value, Join(path, member.Name, style), violations, style);
            }
        }
        if (shape.IsUnion && style == Style.Detected && document.Count(pair => !pair.Key.StartsWith('_')) != 1)
        {
            violations.Add(new Violation(path, document.ToJsonString(), "Exactly one member of the union must be set", Missing: false, true));
        }
    }

    private static void Value(ShapeMember member, JsonNode value, string path, List<Violation> violations, Style style)
    {
        var shape = member.Shape;
        switch (shape.Type)
        {
            case ShapeType.Structure when shape.IsDocument:
                break;
            case ShapeType.Structure when value is JsonObject document:
                Structure(shape, document, path, violations, style);
                break;
            case ShapeType.List when value is JsonArray list:
                Length(shape, list.Count, value, path, violations, style);
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is { } item)
                    {
                        Value(shape.Item!, item, style == Style.Ec2 ? path : $"{path}.{i + 1}.member", violations, style);
                    }
                }
                break;
            case ShapeType.Map when value is JsonObject map:
                Length(shape, map.Count, value, path, violations, style);
                foreach (var (key, content) in map)
                {
                    Scalar(shape.Key!.Shape, JsonValue.Create(key), path, violations, style);
                    if (content is not null)
                    {
                        Value(shape.Value!, content, $"{path}.{key}.member", violations, style);
                    }
                }
                break;
            default:
                Scalar(shape, value, path, violations, style);
                break;
        }
    }

    private static void Scalar(Shape shape, JsonNode value, string path, List<Violation> violations, Style style)
    {
        if (style == Style.S3)
        {
            return;
        }
        switch (shape.Type)
        {
            case ShapeType.String when Scalars.Text(value) is { } text:
                if (shape.Enum.Count > 0 && !shape.Enum.Contains(text, StringComparer.Ordinal))
                {
                    violations.Add(new Violation(path, Shown(shape, text), $"Member must satisfy enum value set: [{string.Join(", ", shape.Enum)}]", false, true));
                    return;
                }
                Length(shape, text.Length, value, path, violations, style);
                if (shape.Pattern is { } pattern && !Matches(pattern, text))
                {
                    violations.Add(new Violation(path, Shown(shape, text), $"Member must satisfy regular expression pattern: {shape.PatternText}", false, true));
                }
                break;
            case ShapeType.Blob when Scalars.Text(value) is { } base64 && (shape.Minimum is not null || shape.Maximum is not null):
                Length(shape, base64.Length / 4 * 3 - base64.AsSpan().Count('='), value, path, violations, style);
                break;
            case ShapeType.Integer or ShapeType.Long or ShapeType.Float or ShapeType.Double when Scalars.TryDouble(value, out var number):
                if (shape.Minimum is { } minimum && number < minimum)
                {
                    violations.Add(new Violation(path, Scalars.Text(value), $"Member must have value greater than or equal to {Number(minimum)}", false, true));
                }
                if (shape.Maximum is { } maximum && number > maximum)
                {
                    violations.Add(new Violation(path, Scalars.Text(value), $"Member must have value less than or equal to {Number(maximum)}", false, true));
                }
                break;
        }
    }

    private static void Length(Shape shape, int length, JsonNode value, string path, List<Violation> violations, Style style)
    {
        if (style == Style.S3)
        {
            return;
        }
        if (shape.Minimum is { } minimum && length < minimum)
        {
            violations.Add(new Violation(path, Shown(shape, Rendered(value)), $"Member must have length greater than or equal to {Number(minimum)}", false, true));
        }
        if (shape.Maximum is { } maximum && length > maximum)
        {
            violations.Add(new Violation(path, Shown(shape, Rendered(value)), $"Member must have length less than or equal to {Number(maximum)}", false, true));
        }
    }

    private static bool Matches(Regex pattern, string text)
    {
        try
        {
            return pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            // A pattern that backtracks without end on this value says nothing about it.
            return true;
        }
    }

    private static string Rendered(JsonNode value) => value switch
    {
        JsonArray list => "[" + string.Join(", ", list.Select(item => Scalars.Text(item) ?? item?.ToJsonString())) + "]",
        JsonObject map => "{" + string.Join(", ", map.Select(pair => pair.Key + "=" + Scalars.Text(pair.Value))) + "}",
        _ => Scalars.Text(value) ?? "",
    };

    /// <summary>Sensitive values are not repeated, and long ones not in full.</summary>
    private static string Shown(Shape shape, string text) => shape.IsSensitive ? "***Sensitive Data Redacted***"
        : text.Length > 1024 ? text[..1024]
        : text;

    private static string Join(string path, string member, Style style)
    {
        var name = style is Style.Ec2 or Style.Detected or Style.S3 ? LowerFirst(member) : member;
        return path.Length == 0 ? name : $"{path}.{name}";
    }

    private static string LowerFirst(string text) => text.Length == 0 ? text : char.ToLowerInvariant(text[0]) + text[1..];

    private static string UpperFirst(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    private static string Number(double number) => number.ToString("0", CultureInfo.InvariantCulture);

    private sealed record Violation(string Path, string? Value, string Constraint, bool Missing, bool InBody);
}
