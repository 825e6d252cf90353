using System.Text;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>A CloudFormation template, read and checked for its shape. Immutable, safe to use from several threads.</summary>
public sealed class Template
{
    /// <summary>The greatest size of a template in a request body, in bytes; larger ones go through S3.</summary>
    public const int MaximumBodySize = 51_200;

    /// <summary>The greatest size of a template in S3, in bytes.</summary>
    public const int MaximumSize = 1_048_576;

    internal Template(string text, string? fileName)
    {
        Text = text;
        FileName = fileName;
    }

    /// <summary>The text it was read from.</summary>
    public string Text { get; }

    /// <summary>The file's name; null when the text came from elsewhere.</summary>
    public string? FileName { get; }

    /// <summary>Whether the text is JSON rather than YAML.</summary>
    public bool IsJson { get; internal init; }

    /// <summary>What the template is.</summary>
    public string? Description { get; internal set; }

    /// <summary>The declared transforms and macros.</summary>
    public IReadOnlyList<string> Transforms { get; internal set; } = [];

    /// <summary>The parameters in the template's order.</summary>
    public IReadOnlyDictionary<string, TemplateParameter> Parameters { get; internal set; } = new Dictionary<string, TemplateParameter>();

    /// <summary>The resources in the template's order, without those that a Fn::ForEach makes.</summary>
    public IReadOnlyDictionary<string, TemplateResource> Resources { get; internal set; } = new Dictionary<string, TemplateResource>();

    /// <summary>The outputs in the template's order, without those that a Fn::ForEach makes.</summary>
    public IReadOnlyDictionary<string, TemplateOutput> Outputs { get; internal set; } = new Dictionary<string, TemplateOutput>();

    /// <summary>The conditions, without those that a Fn::ForEach makes.</summary>
    public IReadOnlyDictionary<string, TemplateCondition> Conditions { get; internal set; } = new Dictionary<string, TemplateCondition>();

    /// <summary>The mappings.</summary>
    public IReadOnlyDictionary<string, TemplateMapping> Mappings { get; internal set; } = new Dictionary<string, TemplateMapping>();

    /// <summary>The rules.</summary>
    public IReadOnlyDictionary<string, TemplateRule> Rules { get; internal set; } = new Dictionary<string, TemplateRule>();

    /// <summary>The template's metadata, as written.</summary>
    public Value? Metadata { get; internal set; }

    /// <summary>Whether the text uses YAML aliases or merges, which CloudFormation itself refuses.</summary>
    public bool UsesAliases => FirstAlias is not null;

    /// <summary>Findings that did not keep the template from being read: exceeded limits (errors), aliases, and the like.</summary>
    public IReadOnlyList<Diagnostic> Diagnostics { get; internal set; } = [];

    /// <summary>The size in bytes (UTF-8).</summary>
    public int Size => _size ??= Encoding.UTF8.GetByteCount(Text);

    private int? _size;

    internal MappingNode Root { get; set; } = null!;

    internal SourceLocation? FirstAlias { get; set; }

    /// <summary>Fn::ForEach entries of the sections that CloudFormation expands.</summary>
    internal TemplateLoops Loops { get; set; } = TemplateLoops.None;

    internal bool HasLanguageExtensions => Transforms.Contains("AWS::LanguageExtensions", StringComparer.Ordinal);

    /// <summary>Reads a template.</summary>
    /// <param name="text">YAML or JSON; text that starts with a brace is JSON, as CloudFormation has it.</param>
    /// <param name="fileName">A name for locations in messages.</param>
    /// <returns>The template.</returns>
    /// <exception cref="TemplateException">It cannot be read; every error found is in it.</exception>
    public static Template Parse(string text, string? fileName = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TemplateBuilder.Build(text, fileName);
    }

    /// <summary>Reads a template from a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The template.</returns>
    /// <exception cref="TemplateException">It cannot be read as a template.</exception>
    public static Template Load(string path) => TemplateCache.Parse(File.ReadAllText(path), path);
}

/// <summary>The loops of a template's sections, in place of the entries they make.</summary>
internal sealed record TemplateLoops(bool Resources, bool Outputs, bool Conditions)
{
    public static TemplateLoops None { get; } = new(false, false, false);
}
