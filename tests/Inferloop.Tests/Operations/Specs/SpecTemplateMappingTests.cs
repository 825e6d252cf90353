using System.Globalization;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Specs;

/// <summary>The members of a spec and the parameters of the root template are one list, seen from both sides.</summary>
public sealed class SpecTemplateMappingTests
{
    private static readonly Dictionary<string, SpecMap> Parameters = ((SpecMap)((SpecMap)SpecFile.ParseYaml(
            File.ReadAllText(Path.Combine(Repository.Root, "src/Inferloop.Templates/Stacks/main.yaml"))))
        .Entries.Single(e => e.Key == "Parameters").Value).Entries.ToDictionary(e => e.Key, e => (SpecMap)e.Value);

    private static object? Attribute(string parameter, string name) =>
        Parameters[parameter].Entries.FirstOrDefault(e => e.Key == name)?.Value switch
        {
            SpecScalar s => s.Value,
            SpecList l => l.Items.Select(i => Convert.ToString(((SpecScalar)i).Value, CultureInfo.InvariantCulture) switch { "True" => "true", "False" => "false", var v => v! }).ToArray(),
            _ => null,
        };

    [Fact]
    public void Every_parameter_of_the_root_template_has_a_member_and_every_member_a_parameter() =>
        Assert.Equal(
            Parameters.Keys.Order(StringComparer.Ordinal),
            SpecMembers.All.Where(m => m.TemplateParameter is not null).Select(m => m.TemplateParameter!).Order(StringComparer.Ordinal));

    [Fact]
    public void Allowed_values_are_the_same_on_both_sides()
    {
        foreach (var member in SpecMembers.All.Where(m => m.TemplateParameter is not null))
        {
            var ours = member.Type.IsEnum ? Enum.GetValues(member.Type).Cast<object>().Select(SpecMember.ToTemplate).ToArray()
                : member.Type == typeof(bool) ? ["true", "false"]
                : member.Bounds.Values?.Select(v => v.ToString(CultureInfo.InvariantCulture)).ToArray();
            var theirs = (string[]?)Attribute(member.TemplateParameter!, "AllowedValues");
            Assert.True((ours is null && theirs is null) || ours!.ToHashSet().SetEquals(theirs!), $"{member.Path}: {string.Join(", ", ours ?? [])} here, {string.Join(", ", theirs ?? [])} there");
        }
    }

    [Fact]
    public void Ranges_are_the_same_on_both_sides()
    {
        foreach (var member in SpecMembers.All.Where(m => m.TemplateParameter is not null && m.Type == typeof(int) && m.Bounds.Values is null))
        {
            Assert.Equal((long)member.Bounds.Minimum, Attribute(member.TemplateParameter!, "MinValue"));
            Assert.Equal((long)member.Bounds.Maximum, Attribute(member.TemplateParameter!, "MaxValue"));
        }
    }

    [Fact]
    public void Patterns_are_as_strict_as_the_templates()
    {
        // Whatever passes our pattern passes theirs: a sample of each kind of text.
        string[] samples =
        [
            "", "a", "demo", "10.0.0.0/16", "0.0.0.0/0", "arn:aws:acm:us-east-1:123456789012:certificate/ab", "arn:aws:secretsmanager:us-east-1:123456789012:secret:x",
            "arn:aws:kms:us-east-1:123456789012:key/ab", "https://example.org", "ftp://x", "/a/b", "t3.medium", "T3.medium", "inferloop/synthdata:v2", "a b", "1.4.0", "x_y", "9x",
        ];
        foreach (var member in SpecMembers.All.Where(m => m.TemplateParameter is not null && m.Bounds.Pattern is not null))
        {
            var theirs = (string?)Attribute(member.TemplateParameter!, "AllowedPattern");
            Assert.NotNull(theirs);
            foreach (var sample in samples.Where(s => s.Length > 0 || member.Bounds.Optional))
            {
                var ok = sample.Length == 0 || System.Text.RegularExpressions.Regex.IsMatch(sample, member.Bounds.Pattern!);
                if (ok)
                {
                    Assert.Matches(theirs, sample);
                }
            }
        }
    }
}
