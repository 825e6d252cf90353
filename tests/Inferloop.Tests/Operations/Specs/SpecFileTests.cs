using FsCheck;
using FsCheck.Fluent;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Specs;

public sealed class SpecFileTests
{
    [Fact]
    public void A_file_says_only_what_differs_from_the_preset()
    {
        var reading = SpecReader.ReadYaml("name: demo\nstage: prod\nregion: eu-west-1\necs:\n  maximumTasks: 20\n", "demo.yaml");
        Assert.Empty(reading.Findings);
        Assert.Equal(SpecPresets.Create("demo", EnvironmentStage.Prod, "eu-west-1").With("MaximumTasks", 20), reading.Spec);
    }

    [Fact]
    public void An_unknown_key_is_named_with_its_place_and_its_neighbour()
    {
        var reading = SpecReader.ReadYaml("name: demo\necs:\n  taskCpu: 1024\n  taskMemroy: 2048\n", "demo.yaml");
        var finding = Assert.Single(reading.Findings);
        Assert.Equal(("SpecUnknownKey", "ecs.taskMemroy", 4, 3), (finding.Rule, finding.Member, finding.Line, finding.Column));
        Assert.Contains("Did you mean 'ecs.taskMemory'?", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_in_the_wrong_section_is_sent_to_its_place() =>
        Assert.Contains("Its place is 'network.vpcCidr'", Assert.Single(SpecReader.ReadYaml("name: demo\nvpcCidr: 10.0.0.0/16\n", null).Findings).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("ecs:\n  taskCpu: lots\n", "SpecType", 2, 12)]
    [InlineData("stage: produktion\n", "SpecType", 1, 8)]
    [InlineData("ecs: 5\n", "SpecType", 1, 6)]
    [InlineData("name: [a]\n", "SpecType", 1, 7)]
    [InlineData("name: a: b\n", "SpecSyntax", 1, 8)]
    [InlineData("- name\n", "SpecSyntax", 1, 1)]
    [InlineData("{\n  \"name\": \"demo\",\n  \"colour\": 1\n}\n", "SpecUnknownKey", 3, 3)]
    public void A_problem_is_found_at_its_line_and_column(string text, string rule, int line, int column)
    {
        var finding = Assert.Single(SpecReader.ReadYaml(text, "f.yaml").Findings);
        Assert.Equal((rule, line, column), (finding.Rule, finding.Line, finding.Column));
    }

    [Fact]
    public void A_finding_of_the_checker_points_into_the_file()
    {
        var reading = SpecReader.ReadYaml("name: demo\nnetwork:\n  vpcCidr: 10.0.0.0/16\n  publicSubnet2Cidr: 10.0.1.0/24\n", "/x/demo.yaml");
        var finding = SpecValidator.Validate(reading.Spec).Single(f => f.Rule == "CidrOverlap");
        Assert.Equal("demo.yaml(4,22)", finding.Location);
    }

    [Fact]
    public void A_duplicate_key_is_an_error_not_the_last_one_wins() =>
        Assert.Contains(SpecReader.ReadYaml("name: demo\nname: demo2\n", null).Findings, f => f.Rule is "SpecDuplicateKey" or "SpecSyntax");

    [Theory]
    [InlineData(SpecFormat.Yaml)]
    [InlineData(SpecFormat.Json)]
    public void Any_spec_survives_the_way_through_a_file(SpecFormat format) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(Arb.From(AnySpec()), spec =>
        {
            var reading = SpecReader.ReadYaml(SpecFile.Write(spec, format), "x");
            return reading.Findings.Count == 0 && reading.Spec == spec;
        }));

    [Fact]
    public void Parameters_of_the_root_template_carry_a_spec_there_and_back() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(200), Prop.ForAll(Arb.From(AnySpec()), spec =>
            SpecMembers.FromTemplateParameters(
                SpecMembers.ToTemplateParameters(spec), spec.Region,
                spec.Tags.Append(new(EnvironmentTags.RecoveryRegion, spec.RecoveryRegion)).Append(new(EnvironmentTags.Environment, "x"))) == spec));

    [Fact]
    public void Members_have_one_name_each()
    {
        Assert.Equal(SpecMembers.All.Count, SpecMembers.All.Select(m => m.Name.ToLowerInvariant()).Distinct().Count());
        Assert.Equal(SpecMembers.All.Count(m => m.TemplateParameter is not null), SpecMembers.All.Where(m => m.TemplateParameter is not null).Select(m => m.TemplateParameter).Distinct().Count());
    }

    /// <summary>Specs with any value of the right type, valid or not: the round trip must not depend on validity.</summary>
    internal static Gen<InferloopEnvironmentSpec> AnySpec()
    {
        var text = Gen.OneOf(
            Gen.Elements("", "yes", "no", "null", "~", "12", "0x1F", "1e3", "true", "a: b", "# c", "it's", "say \"x\"", "ü\n\tz", "- a", "10.0.0.0/16", "a\\b", "{a}", "&a", "*a", "2026-11-23", "$x", "`n"),
            ArbMap.Default.GeneratorFor<NonNull<string>>().Select(s => new string(s.Get.Where(c => !char.IsControl(c) && !char.IsSurrogate(c) && c < 0xFFFE && c != '\u2028' && c != '\u2029' && c != '\u0085' && c != '\uFEFF').ToArray())));
        return ArbMap.Default.GeneratorFor<int>().SelectMany(seed => Gen.ListOf(text, 60).Select(texts =>
        {
            var random = new Random(seed);
            var spec = new InferloopEnvironmentSpec();
            var next = 0;
            foreach (var member in SpecMembers.All)
            {
                object value = member.Type == typeof(int) ? random.Next(-5, 200000)
                    : member.Type == typeof(bool) ? random.Next(2) == 0
                    : member.Type.IsEnum ? Enum.GetValues(member.Type).GetValue(random.Next(Enum.GetValues(member.Type).Length))!
                    : texts[next++ % texts.Count];
                spec = member.Set(spec, value);
            }

            // A key is text of its own; an empty one has no meaning in any of the formats.
            return spec with { Tags = texts.Take(4).Where(t => t.Length > 0 && !t.StartsWith("aws:", StringComparison.Ordinal)).Distinct().ToDictionary(t => t, t => t + "v") };
        }));
    }
}
