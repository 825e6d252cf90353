using System.Globalization;
using System.Reflection;

namespace Inferloop.Operations.Specs;

/// <summary>The members of a spec as data: one row for each, from its property and the attribute on it.</summary>
internal static class SpecMembers
{
    /// <summary>All members in the order of the class, sections after the members of the root.</summary>
    public static IReadOnlyList<SpecMember> All { get; } = Build();

    private static readonly Dictionary<string, SpecMember> ByName = All
        .SelectMany(m => new[] { (Key: m.Name, Member: m), (Key: m.Path, Member: m) })
        .GroupBy(x => x.Key, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(g => g.Key, g => g.First().Member, StringComparer.OrdinalIgnoreCase);

    /// <summary>The names of the sections, as files spell them.</summary>
    public static IReadOnlyList<string> Sections { get; } = All.Where(m => m.Section.Length > 0).Select(m => m.Section).Distinct().ToList();

    public static SpecMember? Find(string nameOrPath) => ByName.TryGetValue(nameOrPath, out var member) ? member : null;

    public static SpecMember Require(string nameOrPath) => Find(nameOrPath)
        ?? throw new ArgumentException($"A spec has no member '{nameOrPath}'.{Suggestion.For(nameOrPath, All.Select(m => m.Name))}", nameof(nameOrPath));

    /// <summary>The parameters of the root template for a spec.</summary>
    public static IReadOnlyDictionary<string, string> ToTemplateParameters(InferloopEnvironmentSpec spec) =>
        All.Where(m => m.TemplateParameter is not null)
            .ToDictionary(m => m.TemplateParameter!, m => SpecMember.ToTemplate(m.Get(spec)), StringComparer.Ordinal);

    /// <summary>The spec behind the parameters of a root stack; parameters that no member carries are left aside.</summary>
    public static InferloopEnvironmentSpec FromTemplateParameters(IReadOnlyDictionary<string, string> parameters, string region, IEnumerable<KeyValuePair<string, string>> tags)
    {
        var spec = new InferloopEnvironmentSpec { Region = region };
        foreach (var member in All)
        {
            if (member.TemplateParameter is { } name && parameters.TryGetValue(name, out var text) && member.TryConvert(text, out var value))
            {
                spec = member.Set(spec, value!);
            }
        }

        var own = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in tags)
        {
            if (key == EnvironmentTags.RecoveryRegion)
            {
                spec = spec with { RecoveryRegion = value };
            }
            else if (!key.StartsWith(EnvironmentTags.Prefix, StringComparison.Ordinal) && !key.StartsWith("aws:", StringComparison.Ordinal))
            {
                own[key] = value;
            }
        }

        return spec with { Tags = own };
    }

    private static List<SpecMember> Build()
    {
        var members = new List<SpecMember>();
        var root = typeof(InferloopEnvironmentSpec).GetProperties();
        members.AddRange(root.Where(p => p.IsDefined(typeof(SpecMemberAttribute))).Select(p => new SpecMember(null, p)));
        foreach (var section in root.Where(p => p.PropertyType.Namespace == typeof(SpecMembers).Namespace && p.PropertyType.IsClass))
        {
            members.AddRange(section.PropertyType.GetProperties().Where(p => p.IsDefined(typeof(SpecMemberAttribute))).Select(p => new SpecMember(section, p)));
        }

        return members;
    }
}

/// <summary>One member of a spec: its place, type, bounds, template parameter, and how to read and change it.</summary>
internal sealed class SpecMember
{
    private readonly PropertyInfo? section;
    private readonly PropertyInfo property;
    private readonly SpecMemberAttribute attribute;

    public SpecMember(PropertyInfo? section, PropertyInfo property)
    {
        this.section = section;
        this.property = property;
        attribute = property.GetCustomAttribute<SpecMemberAttribute>()!;
        Section = section is null ? "" : Camel(section.Name);
        Key = Camel(property.Name);
        Path = section is null ? Key : $"{Section}.{Key}";
        TemplateParameter = attribute.TemplateParameter switch { null => property.Name, "" => null, var other => other };
    }

    /// <summary>The property's name, which is the cmdlets' parameter too.</summary>
    public string Name => property.Name;

    /// <summary>The section's key in a file; empty for a member of the root.</summary>
    public string Section { get; }

    /// <summary>The member's key in its section of a file.</summary>
    public string Key { get; }

    /// <summary>Section and key: "ecs.taskCpu".</summary>
    public string Path { get; }

    /// <summary>The root template's parameter; null where the stack itself carries the value.</summary>
    public string? TemplateParameter { get; }

    public Type Type => property.PropertyType;

    public SpecMemberAttribute Bounds => attribute;

    public object Get(InferloopEnvironmentSpec spec) => property.GetValue(section is null ? spec : section.GetValue(spec))!;

    public InferloopEnvironmentSpec Set(InferloopEnvironmentSpec spec, object value)
    {
        if (!TryConvert(value, out var typed))
        {
            throw new ArgumentException($"'{value}' is not {Expected}, which {Path} takes.", nameof(value));
        }

        if (section is null)
        {
            return (InferloopEnvironmentSpec)Copy(spec, property, typed!);
        }

        return (InferloopEnvironmentSpec)Copy(spec, section, Copy(section.GetValue(spec)!, property, typed!));
    }

    /// <summary>What the member takes, in words for a message.</summary>
    public string Expected =>
        Type == typeof(int) ? "a whole number"
        : Type == typeof(bool) ? "true or false"
        : Type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(Type))
        : "text";

    /// <summary>Reads a value of any origin: a string of a file or a template, a number, a boolean, an enum.</summary>
    public bool TryConvert(object? value, out object? typed)
    {
        typed = null;
        var text = value switch { null => null, bool b => b ? "true" : "false", IFormattable f => f.ToString(null, CultureInfo.InvariantCulture), _ => value.ToString() };
        if (text is null)
        {
            return false;
        }

        if (value!.GetType() == Type)
        {
            typed = value;
        }
        else if (Type == typeof(int))
        {
            typed = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var i) ? i : null;
        }
        else if (Type == typeof(bool))
        {
            typed = bool.TryParse(text, out var b) ? b : null;
        }
        else if (Type.IsEnum)
        {
            // A number would pass Enum.TryParse, and "7" is no capacity mode.
            typed = text.Length > 0 && char.IsLetter(text[0]) && Enum.TryParse(Type, text.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal), ignoreCase: true, out var e) && Enum.IsDefined(Type, e!) ? e : null;
        }
        else
        {
            typed = text;
        }

        return typed is not null;
    }

    /// <summary>The value as the root template's parameter spells it.</summary>
    public static string ToTemplate(object value) => value switch
    {
        bool b => b ? "true" : "false",
        EnvironmentStage or ServiceTier or ContainerInsightsMode or DatabaseInsightsMode or CacheEngine or CacheAuthentication => value.ToString()!.ToLowerInvariant(),
        LambdaRuntime runtime => runtime.ToString().ToLowerInvariant().Insert("python3".Length, "."),
        LambdaArchitecture architecture => architecture == LambdaArchitecture.Arm64 ? "arm64" : "x86_64",
        ApplicationLogLevel => value.ToString()!.ToUpperInvariant(),
        IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static object Copy(object record, PropertyInfo property, object value)
    {
        var copy = record.GetType().GetMethod("<Clone>$")!.Invoke(record, null)!;
        property.SetValue(copy, value);
        return copy;
    }

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
