using System.Text;
using Inferloop.Aws.Generator.Reading;

namespace Inferloop.Aws.Generator.Emitting;

/// <summary>The official SDK's names for what a model names.</summary>
internal sealed class Naming(ServiceModel model)
{
    public static string Capitalize(string name) => name.Length == 0 ? name : char.ToUpperInvariant(name[0]) + name[1..];

    /// <summary>Words between separators, joined; underscores stay.</summary>
    public static string EnumField(string value)
    {
        StringBuilder name = new(value.Length);
        bool start = true;
        foreach (char c in value)
        {
            if (char.IsAsciiLetterOrDigit(c) || c == '_')
            {
                name.Append(start ? char.ToUpperInvariant(c) : c);
                start = false;
            }
            else
            {
                start = true;
            }
        }

        return name.Length == 0 ? "Empty" : char.IsAsciiDigit(name[0]) ? "_" + name : name.ToString();
    }

    public static string Literal(string value) => "\"" + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    public string ClassName(Shape shape) =>
        model.Customization.Shapes.TryGetValue(shape.Name, out string? name) ? name
        : shape.IsException ? ExceptionName(shape.Name)
        : Capitalize(shape.Name);

    public string Property(string owner, Member member) =>
        model.Customization.Members.TryGetValue($"{owner}.{member.Name}", out string? name) ? name : Capitalize(member.Name);

    public string FullName(Shape shape) => shape.IsEnum
        ? $"global::{model.Names.Root}.{ClassName(shape)}"
        : $"global::{model.Names.Model}.{ClassName(shape)}";

    /// <summary>The type of a property, or of an element of a collection: there nothing is nullable and enumerations are strings.</summary>
    public string Type(Member member, bool isElement = false, string? owner = null)
    {
        Shape shape = model[member];
        string nullable = isElement ? "" : "?";
        return shape.Type switch
        {
            "string" when shape.IsEnum && !isElement => FullName(shape),
            "string" or "character" => "string",
            "integer" or "short" or "byte" => "int" + nullable,
            "long" when owner is not null && model.Customization.EpochMilliseconds.Contains($"{owner}.{member.Name}") => "global::System.DateTime?",
            "long" => "long" + nullable,
            "float" => "float" + nullable,
            "double" => "double" + nullable,
            "boolean" => "bool" + nullable,
            "timestamp" => "global::System.DateTime" + nullable,
            "blob" => shape.IsStreaming ? "global::System.IO.Stream" : "global::System.IO.MemoryStream",
            "list" => $"global::System.Collections.Generic.List<{Type(shape.Element!, true)}>",
            "map" => $"global::System.Collections.Generic.Dictionary<{Type(shape.Key!, true)}, {Type(shape.Element!, true)}>",
            "structure" when shape.IsDocument => "global::Amazon.Runtime.Documents.Document",
            "structure" => FullName(shape),
            _ => throw new NotSupportedException($"{model.Names.File}: shape {shape.Name} has the unknown type '{shape.Type}'"),
        };
    }

    public static string RequestName(Operation operation) => operation.Name + "Request";

    public static string ResponseName(Operation operation) => operation.Name + "Response";

    private static string ExceptionName(string shapeName)
    {
        string name = Capitalize(shapeName);
        return name.EndsWith("Exception", StringComparison.Ordinal) ? name
            : name.EndsWith("Fault", StringComparison.Ordinal) ? name[..^"Fault".Length] + "Exception"
            : name + "Exception";
    }
}
