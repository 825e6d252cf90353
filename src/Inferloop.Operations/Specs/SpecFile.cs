using System.Globalization;
using System.Text;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Inferloop.Operations.Specs;

/// <summary>The syntaxes a spec can be written in.</summary>
public enum SpecFormat
{
    /// <summary>YAML, with a comment for each member.</summary>
    Yaml,

    /// <summary>JSON.</summary>
    Json,

    /// <summary>A PowerShell data file.</summary>
    Psd1,
}

/// <summary>Reads the text of spec files into nodes, and writes specs as text.</summary>
internal static class SpecFile
{
    /// <summary>The format that a file's name promises; null when it promises none.</summary>
    public static SpecFormat? FormatOf(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".yaml" or ".yml" => SpecFormat.Yaml,
        ".json" => SpecFormat.Json,
        ".psd1" => SpecFormat.Psd1,
        _ => null,
    };

    /// <summary>Parses YAML, or JSON, which is YAML too and so gets lines and columns from the same parser.</summary>
    /// <exception cref="SpecSyntaxException">The text is not well-formed.</exception>
    public static SpecNode ParseYaml(string text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new SpecSyntaxException(e.InnerException?.Message ?? e.Message, new SpecPosition((int)e.Start.Line, (int)e.Start.Column), e);
        }

        return stream.Documents.Count switch
        {
            0 => new SpecMap([], new SpecPosition(1, 1)),
            1 => Convert(stream.Documents[0].RootNode, 0),
            _ => throw new SpecSyntaxException("a spec file holds one document", At(stream.Documents[1].RootNode)),
        };
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(InferloopEnvironmentSpec spec, SpecFormat format) => format switch
    {
        SpecFormat.Yaml => WriteYaml(spec),
        SpecFormat.Json => WriteJson(spec),
        SpecFormat.Psd1 => WritePsd1(spec),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    private static SpecNode Convert(YamlNode node, int depth)
    {
        if (depth > 32)
        {
            throw new SpecSyntaxException("nested deeper than any spec is", At(node));
        }

        switch (node)
        {
            case YamlMappingNode map:
                return new SpecMap(
                    map.Children.Select(c => new SpecEntry((c.Key as YamlScalarNode)?.Value ?? "", At(c.Key), Convert(c.Value, depth + 1))).ToList(),
                    At(node));
            case YamlSequenceNode list:
                return new SpecList(list.Children.Select(c => Convert(c, depth + 1)).ToList(), At(node));
            case YamlScalarNode scalar:
                return new SpecScalar(scalar.Style == ScalarStyle.Plain ? Plain(scalar.Value) : scalar.Value, At(node));
            default:
                throw new SpecSyntaxException("aliases have no place in a spec", At(node));
        }
    }

    private static object? Plain(string? text) => text switch
    {
        null or "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : text,
    };

    private static SpecPosition At(YamlNode node) => new((int)node.Start.Line, (int)node.Start.Column);

    private static string WriteYaml(InferloopEnvironmentSpec spec)
    {
        var text = new StringBuilder("# Inferloop environment. Check with Test-InferloopEnvironmentSpec, create with New-InferloopEnvironment.\n");
        foreach (var group in Groups())
        {
            var indent = "";
            if (group.Key.Length > 0)
            {
                text.Append('\n').Append(group.Key).Append(":\n");
                indent = "  ";
            }

            foreach (var member in group)
            {
                var line = $"{indent}{member.Key}: {YamlScalar(member.Get(spec))}";
                var comment = Comment(member);
                text.Append(comment.Length == 0 ? line : line.PadRight(40) + "  # " + comment).Append('\n');
            }
        }

        if (spec.Tags.Count > 0)
        {
            text.Append("\ntags:\n");
            foreach (var (key, value) in spec.Tags.OrderBy(t => t.Key, StringComparer.Ordinal))
            {
                text.Append("  ").Append(YamlQuoted(key)).Append(": ").Append(YamlQuoted(value)).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Comment(SpecMember member)
    {
        var b = member.Bounds;
        var range = b.Values is not null ? string.Join(", ", b.Values) : b.Minimum != int.MinValue ? $"{b.Minimum} to {b.Maximum}" : "";
        return string.Join("; ", new[] { range.Length > 0 ? $"{b.Unit} {range}".Trim() : "", b.Summary }.Where(s => s.Length > 0));
    }

    private static string WriteJson(InferloopEnvironmentSpec spec)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach (var group in Groups())
            {
                if (group.Key.Length > 0)
                {
                    json.WriteStartObject(group.Key);
                }

                foreach (var member in group)
                {
                    switch (member.Get(spec))
                    {
                        case int i: json.WriteNumber(member.Key, i); break;
                        case bool b: json.WriteBoolean(member.Key, b); break;
                        case var other: json.WriteString(member.Key, other.ToString()); break;
                    }
                }

                if (group.Key.Length > 0)
                {
                    json.WriteEndObject();
                }
            }

            if (spec.Tags.Count > 0)
            {
                json.WriteStartObject("tags");
                foreach (var (key, value) in spec.Tags.OrderBy(t => t.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray()).ReplaceLineEndings("\n") + "\n";
    }

    private static string WritePsd1(InferloopEnvironmentSpec spec)
    {
        static string Quoted(string s) => "'" + s.Replace("'", "''", StringComparison.Ordinal) + "'";
        static string Pascal(string s) => char.ToUpperInvariant(s[0]) + s[1..];
        static string Scalar(object v) => v switch { int i => i.ToString(CultureInfo.InvariantCulture), bool b => b ? "$true" : "$false", _ => Quoted(v.ToString()!) };

        var text = new StringBuilder("# Inferloop environment. Check with Test-InferloopEnvironmentSpec, create with New-InferloopEnvironment.\n@{\n");
        foreach (var group in Groups())
        {
            var indent = "    ";
            if (group.Key.Length > 0)
            {
                text.Append("\n    ").Append(Pascal(group.Key)).Append(" = @{\n");
                indent = "        ";
            }

            foreach (var member in group)
            {
                text.Append(indent).Append(member.Name).Append(" = ").Append(Scalar(member.Get(spec))).Append('\n');
            }

            if (group.Key.Length > 0)
            {
                text.Append("    }\n");
            }
        }

        if (spec.Tags.Count > 0)
        {
            text.Append("\n    Tags = @{\n");
            foreach (var (key, value) in spec.Tags.OrderBy(t => t.Key, StringComparer.Ordinal))
            {
                text.Append("        ").Append(Quoted(key)).Append(" = ").Append(Quoted(value)).Append('\n');
            }

            text.Append("    }\n");
        }

        return text.Append("}\n").ToString();
    }

    private static IEnumerable<IGrouping<string, SpecMember>> Groups() => SpecMembers.All.GroupBy(m => m.Section);

    private static string YamlScalar(object value) => value switch
    {
        int i => i.ToString(CultureInfo.InvariantCulture),
        bool b => b ? "true" : "false",
        string s => YamlQuoted(s),
        _ => value.ToString()!,
    };

    // Plain only where no YAML reader, 1.1 or 1.2, could take the text for something else.
    private static string YamlQuoted(string s) =>
        s.Length > 0 && char.IsAsciiLetter(s[0]) && s.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '/' or '.')
            && s.ToLowerInvariant() is not ("y" or "n" or "yes" or "no" or "on" or "off" or "true" or "false" or "null")
            ? s
            : JsonSerializer.Serialize(s, Relaxed);
}

/// <summary>A spec file that is not well-formed.</summary>
internal sealed class SpecSyntaxException(string message, SpecPosition position, Exception? inner = null) : Exception(message, inner)
{
    public SpecPosition Position { get; } = position;
}
