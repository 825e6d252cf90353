namespace Inferloop.Operations.Specs;

/// <summary>What a file gave: the spec as far as it could be read, and what was wrong with the rest.</summary>
internal sealed record SpecReading(InferloopEnvironmentSpec Spec, IReadOnlyList<InferloopSpecFinding> Findings);

/// <summary>Turns the nodes of a spec file into a spec over its stage's preset. Collects every problem instead of stopping at the first.</summary>
internal sealed class SpecReader
{
    private readonly string? file;
    private readonly List<InferloopSpecFinding> findings = [];
    private readonly Dictionary<string, object> values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SpecPosition> positions = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> tags = new(StringComparer.Ordinal);

    private DeploymentPattern? pattern;

    private SpecReader(string? file) => this.file = file;

    /// <summary>Reads a YAML or JSON text.</summary>
    public static SpecReading ReadYaml(string text, string? file)
    {
        try
        {
            return Read(SpecFile.ParseYaml(text), file);
        }
        catch (SpecSyntaxException e)
        {
            return Unreadable(e.Message, e.Position, file);
        }
    }

    public static SpecReading Unreadable(string message, SpecPosition position, string? file) => new(
        new InferloopEnvironmentSpec(),
        [new InferloopSpecFinding { Severity = SpecFindingSeverity.Error, Rule = "SpecSyntax", Member = "", Message = $"The file cannot be read: {message}", File = file, Line = position.Line, Column = position.Column, Recommendation = "Correct the syntax at that place." }]);

    public static SpecReading Read(SpecNode root, string? file)
    {
        var reader = new SpecReader(file);
        if (root is not SpecMap map)
        {
            return Unreadable("a spec is a map of keys and values", root.Position, file);
        }

        reader.Root(map);
        var stage = reader.values.TryGetValue("stage", out var s) ? (EnvironmentStage)s : EnvironmentStage.Dev;
        var tier = reader.values.TryGetValue("application.serviceTier", out var t) ? (ServiceTier)t : (ServiceTier?)null;
        var capacity = reader.values.TryGetValue("ecs.capacityMode", out var c) ? (CapacityMode)c : (CapacityMode?)null;
        var spec = SpecPresets.Apply(SpecPresets.Create("", stage, "us-east-1", tier, capacity, reader.pattern), reader.values);
        return new SpecReading(spec with { Tags = reader.tags, Origin = new SpecOrigin(file, reader.positions) }, reader.findings);
    }

    private void Root(SpecMap map)
    {
        var known = SpecMembers.All.Where(m => m.Section.Length == 0).Select(m => m.Key).Concat(SpecMembers.Sections).Append("pattern").Append("tags").ToList();
        foreach (var entry in Distinct(map, ""))
        {
            if (entry.Key.Equals("tags", StringComparison.OrdinalIgnoreCase))
            {
                Tags(entry);
            }
            else if (entry.Key.Equals("pattern", StringComparison.OrdinalIgnoreCase))
            {
                Pattern(entry);
            }
            else if (SpecMembers.Sections.FirstOrDefault(s => s.Equals(entry.Key, StringComparison.OrdinalIgnoreCase)) is { } section)
            {
                Section(section, entry);
            }
            else if (SpecMembers.All.FirstOrDefault(m => m.Section.Length == 0 && m.Key.Equals(entry.Key, StringComparison.OrdinalIgnoreCase)) is { } member)
            {
                Member(member, entry);
            }
            else
            {
                Unknown(entry, "", known);
            }
        }
    }

    private void Section(string section, SpecEntry entry)
    {
        if (entry.Value is not SpecMap map)
        {
            if (entry.Value is not SpecScalar { Value: null })
            {
                Add("SpecType", section, entry.Value.Position, $"'{section}' holds keys and values, not a single value.", "Indent its members below it.");
            }

            return;
        }

        var members = SpecMembers.All.Where(m => m.Section == section).ToList();
        foreach (var child in Distinct(map, section + "."))
        {
            if (members.Find(m => m.Key.Equals(child.Key, StringComparison.OrdinalIgnoreCase)) is { } member)
            {
                Member(member, child);
            }
            else
            {
                Unknown(child, section + ".", members.Select(m => m.Key).ToList());
            }
        }
    }

    private void Member(SpecMember member, SpecEntry entry)
    {
        positions[member.Path] = entry.Value.Position;
        if (entry.Value is not SpecScalar scalar)
        {
            Add("SpecType", member.Path, entry.Value.Position, $"'{member.Path}' takes {member.Expected}, not a structure.", $"Give {member.Expected}.");
            return;
        }

        var raw = scalar.Value ?? (member.Bounds.Optional ? "" : null);
        if (member.TryConvert(raw, out var value))
        {
            values[member.Path] = value!;
            return;
        }

        var hint = member.Type.IsEnum && raw is string text ? Suggestion.For(text, Enum.GetNames(member.Type)) : "";
        Add("SpecType", member.Path, entry.Value.Position, $"'{raw}' is not {member.Expected}, which '{member.Path}' takes.{hint}", $"Give {member.Expected}.");
    }

    // Not a member: it chooses what the members begin with, and is not kept.
    private void Pattern(SpecEntry entry)
    {
        var names = Enum.GetNames<DeploymentPattern>();
        if (entry.Value is SpecScalar { Value: string text } && names.Contains(text, StringComparer.OrdinalIgnoreCase) && Enum.TryParse<DeploymentPattern>(text, ignoreCase: true, out var known))
        {
            pattern = known;
            return;
        }

        var given = (entry.Value as SpecScalar)?.Value?.ToString() ?? "";
        Add("SpecType", "pattern", entry.Value.Position, $"'{given}' is not one of {string.Join(", ", names)}, which 'pattern' takes.{Suggestion.For(given, names)}", $"Give one of {string.Join(", ", names)}.");
    }

    private void Tags(SpecEntry entry)
    {
        if (entry.Value is not SpecMap map)
        {
            if (entry.Value is not SpecScalar { Value: null })
            {
                Add("SpecType", "tags", entry.Value.Position, "'tags' holds keys and values.", "Indent the tags below it.");
            }

            return;
        }

        positions["tags"] = entry.Position;
        foreach (var tag in Distinct(map, "tags."))
        {
            if (tag.Value is SpecScalar scalar)
            {
                tags[tag.Key] = scalar.Value switch { null => "", bool b => b ? "true" : "false", var v => v.ToString()! };
                positions["tags." + tag.Key] = tag.Position;
            }
            else
            {
                Add("SpecType", "tags." + tag.Key, tag.Value.Position, $"The tag '{tag.Key}' takes text.", "Give a single value.");
            }
        }
    }

    private IEnumerable<SpecEntry> Distinct(SpecMap map, string prefix)
    {
        var seen = new HashSet<string>(prefix == "tags." ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        foreach (var entry in map.Entries)
        {
            if (seen.Add(entry.Key))
            {
                yield return entry;
            }
            else
            {
                Add("SpecDuplicateKey", prefix + entry.Key, entry.Position, $"'{prefix}{entry.Key}' stands there twice.", "Remove one of them.");
            }
        }
    }

    private void Unknown(SpecEntry entry, string prefix, List<string> known)
    {
        var near = Suggestion.Nearest(entry.Key, known);
        var elsewhere = near is null ? SpecMembers.All.FirstOrDefault(m => m.Key.Equals(entry.Key, StringComparison.OrdinalIgnoreCase))?.Path : null;
        var hint = near is not null ? $" Did you mean '{prefix}{near}'?" : elsewhere is not null ? $" Its place is '{elsewhere}'." : "";
        Add("SpecUnknownKey", prefix + entry.Key, entry.Position, $"A spec has no key '{prefix}{entry.Key}'.{hint}",
            near is not null ? $"Write '{near}'." : elsewhere is not null ? $"Move it to '{elsewhere}'." : $"Remove it; known here: {string.Join(", ", known)}.");
    }

    private void Add(string rule, string member, SpecPosition position, string message, string recommendation) =>
        findings.Add(new InferloopSpecFinding { Severity = SpecFindingSeverity.Error, Rule = rule, Member = member, Message = message, Recommendation = recommendation, File = file, Line = position.Line, Column = position.Column });
}
