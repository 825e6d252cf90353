using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

/// <summary>Laws that hold for every template, checked on random ones.</summary>
public class PropertyTests
{
    // Expressions as JSON trees: the long form. Every one evaluates without error beside the sections below.
    private static readonly Gen<JsonNode> s_leaf = Gen.OneOf(
        Gen.Elements("a", "", "yes", "0123", "1.20", "x: y", "# no", "ü→", "a\"b'c", " lead", "line\nbreak", "{{x}}", "- a", "!Ref x", "null", "~", "@at", "%", "12:30", "\ttab").Select(s => (JsonNode)JsonValue.Create(s)!),
        Gen.Choose(-5, 70000).Select(i => (JsonNode)JsonValue.Create(i)!),
        Gen.Elements(true, false).Select(b => (JsonNode)JsonValue.Create(b)!));

    private static readonly Gen<JsonNode> s_text = Gen.OneOf(
        Gen.Elements("a", "b-c", "", "1").Select(s => (JsonNode)JsonValue.Create(s)!),
        Gen.Elements("Name", "AWS::Region", "Db", "Port").Select(n => (JsonNode)new JsonObject { ["Ref"] = n }),
        Gen.Elements("${Name}-x", "${Db}:${Db.Endpoint.Port}", "${!Keep}${AWS::StackName}", "plain").Select(t => (JsonNode)new JsonObject { ["Fn::Sub"] = t }),
        Gen.Constant((JsonNode)new JsonObject { ["Fn::GetAtt"] = new JsonArray("Db", "Endpoint.Address") }));

    private static Gen<JsonNode> Expression(int depth) => depth == 0 ? Gen.OneOf(s_leaf, s_text) : Gen.Frequency<JsonNode>(
        (2, s_leaf),
        (3, s_text),
        (1, Expression(depth - 1).ArrayOf().Select(a => (JsonNode)new JsonArray([.. a.Take(4).Select(Clone)]))),
        (1, Expression(depth - 1).ArrayOf().Select(a => (JsonNode)Map(a))),
        (1, s_text.ArrayOf().Select(a => (JsonNode)new JsonObject { ["Fn::Join"] = new JsonArray("-", new JsonArray([.. a.Take(4).Select(Clone)])) })),
        (1, Expression(depth - 1).Two().Select(p => (JsonNode)new JsonObject { ["Fn::If"] = new JsonArray("IsIt", Clone(p.Item1), Clone(p.Item2)) })),
        (1, s_text.Two().Select(p => (JsonNode)new JsonObject { ["Fn::Select"] = new JsonArray(1, new JsonArray(Clone(p.Item1), Clone(p.Item2))) })),
        (1, Gen.Constant((JsonNode)new JsonObject { ["Fn::FindInMap"] = new JsonArray("M", "a", "b") })),
        (1, s_text.Select(t => (JsonNode)new JsonObject { ["Fn::Base64"] = Clone(t) })));

    private static readonly Arbitrary<JsonNode> s_expressions = Arb.From(Gen.Choose(0, 4).SelectMany(Expression));

    private static JsonNode? Clone(JsonNode? node) => node?.DeepClone();

    private static JsonObject Map(JsonNode[] values)
    {
        var result = new JsonObject();
        for (var i = 0; i < Math.Min(values.Length, 4); i++)
        {
            result["K" + i.ToString(CultureInfo.InvariantCulture)] = Clone(values[i]);
        }

        return result;
    }

    private static JsonObject Document(JsonNode expression) => new()
    {
        ["Parameters"] = new JsonObject
        {
            ["Name"] = new JsonObject { ["Type"] = "String", ["Default"] = "demo" },
            ["Port"] = new JsonObject { ["Type"] = "Number", ["Default"] = 80 },
        },
        ["Mappings"] = new JsonObject { ["M"] = new JsonObject { ["a"] = new JsonObject { ["b"] = "found" } } },
        ["Conditions"] = new JsonObject { ["IsIt"] = new JsonObject { ["Fn::Equals"] = new JsonArray(new JsonObject { ["Ref"] = "Name" }, "demo") } },
        ["Resources"] = new JsonObject
        {
            ["Db"] = new JsonObject { ["Type"] = "Custom::Db" },
            ["Probe"] = new JsonObject { ["Type"] = "Custom::Probe", ["Properties"] = new JsonObject { ["Value"] = Clone(expression) } },
        },
    };

    private static EvaluatedStack Evaluate(string text) => Evaluate(Template.Parse(text));

    // Without nested templates nothing is read, and the evaluation completes at once.
    private static EvaluatedStack Evaluate(Template template) =>
        StackEvaluator.EvaluateAsync(template, TemplateTesting.Context(), CancellationToken.None).AsTask().GetAwaiter().GetResult();

    private static string Json(string text) => Evaluate(text).FindResource("Probe")!.Properties.ToJsonObject().ToJsonString();

    /// <summary>Block YAML with short forms, strings quoted where plain text would mean something else.</summary>
    private static void WriteYaml(StringBuilder text, JsonNode? node, int indent)
    {
        var pad = new string(' ', Math.Max(0, indent));
        switch (node)
        {
            case JsonObject { Count: 1 } call when call.First() is var (key, argument) && (key == "Ref" || key.StartsWith("Fn::", StringComparison.Ordinal)):
                text.Append('!').Append(key.Replace("Fn::", "", StringComparison.Ordinal)).Append(' ');
                if (key == "Fn::GetAtt")
                {
                    text.Append(string.Join('.', argument!.AsArray().Select(a => a!.ToString()))).Append('\n');
                }
                else if (argument is JsonObject inner && inner.Count == 1 && (inner.ContainsKey("Ref") || inner.First().Key.StartsWith("Fn::", StringComparison.Ordinal)))
                {
                    // Two tags cannot stand in a row: the inner function is written in long form.
                    text.Append('\n').Append(pad).Append("  ").Append(inner.First().Key).Append(": ");
                    WriteYaml(text, inner.First().Value, indent + 4);
                }
                else
                {
                    WriteYaml(text, argument, indent);
                }

                break;
            case JsonObject { Count: > 0 } map:
                text.Append('\n');
                foreach (var (name, value) in map)
                {
                    text.Append(' ', indent + 2).Append(name).Append(": ");
                    WriteYaml(text, value, indent + 2);
                }

                break;
            case JsonArray { Count: > 0 } list:
                text.Append('\n');
                foreach (var item in list)
                {
                    text.Append(pad).Append("  - ");
                    WriteYaml(text, item, indent + 4);
                }

                break;
            default:
                text.Append(node switch
                {
                    JsonObject => "{}",
                    JsonArray => "[]",
                    _ => node!.GetValueKind() == JsonValueKind.String ? JsonSerializer.Serialize(node.ToString()) : node.ToJsonString(),
                }).Append('\n');
                break;
        }
    }

    [Fact]
    public void Json_and_YAML_and_long_and_short_form_mean_the_same() => Prop.ForAll(s_expressions, expression =>
    {
        var document = Document(expression);
        var json = document.ToJsonString();
        var yaml = new StringBuilder();
        WriteYaml(yaml, document, -2);
        var expected = Json(json);
        // JSON is YAML too, once it does not start with a brace.
        return expected == Json(yaml.ToString()) && expected == Json("# YAML\n" + json);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_stack_does_not_differ_from_itself() => Prop.ForAll(s_expressions, expression =>
    {
        var text = Document(expression).ToJsonString();
        return StackComparer.Compare(Evaluate(text), Evaluate(text)).IsEmpty;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Two_stacks_differ_exactly_when_their_values_do() => Prop.ForAll(s_expressions, s_expressions, (a, b) =>
    {
        var before = Evaluate(Document(a).ToJsonString());
        var after = Evaluate(Document(b).ToJsonString());
        return StackComparer.Compare(before, after).IsEmpty == Value.Same(before.FindResource("Probe")!.Properties, after.FindResource("Probe")!.Properties);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Text_that_is_no_template_gives_a_TemplateException_and_nothing_else()
    {
        var good = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "Inferloop.Tests", "Templates", "mutation-seed.yaml")));
        var json = Document(JsonValue.Create("x")!).ToJsonString();
        var pieces = Gen.Elements("{", "}", "[", "]", ":", ": ", "- ", "\n", "\n  ", "!Ref ", "!Sub ", "!GetAtt ", "Fn::ForEach::X", "&a ", "*a", "<<: ", "'", "\"", "|", ">", "%", "\t", "\0", "\uFFFD", "\u2028", "null", "Ref", "\\u12", "---", "...", "? ", "!<x> ", "!!int ", "Resources");
        var mutations = Gen.Elements(good, json).SelectMany(text =>
            Gen.Choose(0, text.Length).SelectMany(at => Gen.Choose(0, 12).SelectMany(cut => pieces.ArrayOf(3).Select(insert =>
                string.Concat(text.AsSpan(0, at), string.Concat(insert.Take(at % 4)), text.AsSpan(Math.Min(text.Length, at + cut)))))));
        var random = pieces.ArrayOf().Select(string.Concat);
        Prop.ForAll(Arb.From(Gen.Frequency((3, mutations), (1, random))), text =>
        {
            try
            {
                var template = Template.Parse(text);
                TemplateChecker.Check(template);
                TemplateWriter.ReplaceNestedTemplates(template, (_, _) => "x");
                _ = Evaluate(template).AllResources().Count();
            }
            catch (TemplateException e)
            {
                Assert.NotEmpty(e.Diagnostics);
                Assert.NotEmpty(e.Message);
            }

            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Fact]
    public void Dependency_order_is_topological_and_stable()
    {
        // A random acyclic graph: each resource refers to some declared after it, or before it, by a random permutation.
        var graphs = Gen.Choose(1, 40).SelectMany(n => Gen.Shuffle(Enumerable.Range(0, n)).SelectMany(rank =>
            Gen.Choose(0, n - 1).Two().ArrayOf().Select(edges => (Rank: rank, Edges: edges.Where(e => rank[e.Item1] > rank[e.Item2]).Distinct().ToArray()))));
        Prop.ForAll(Arb.From(graphs), graph =>
        {
            var text = new StringBuilder("Resources:\n");
            for (var i = 0; i < graph.Rank.Length; i++)
            {
                var needs = graph.Edges.Where(e => e.Item1 == i).Select(e => $"!Ref R{e.Item2}");
                text.Append(CultureInfo.InvariantCulture, $"  R{i}: {{Type: 'Custom::R', Properties: {{N: [{string.Join(", ", needs)}]}}}}\n");
            }

            var order = Evaluate(text.ToString()).Resources.Select(r => int.Parse(r.LogicalId.AsSpan(1), CultureInfo.InvariantCulture)).ToList();
            var position = order.Select((r, at) => (r, at)).ToDictionary(p => p.r, p => p.at);
            var stable = graph.Edges.Length > 0 || order.SequenceEqual(Enumerable.Range(0, order.Count));
            return order.Count == graph.Rank.Length && stable && graph.Edges.All(e => position[e.Item1] > position[e.Item2]);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_cycle_is_always_found() => Prop.ForAll(Arb.From(Gen.Choose(1, 20)), n =>
    {
        var text = "Resources:\n" + string.Concat(Enumerable.Range(0, n).Select(i => $"  R{i}: {{Type: 'Custom::R', DependsOn: R{(i + 1) % n}}}\n"));
        var error = Assert.Throws<TemplateException>(() => Evaluate(text));
        return Assert.Single(error.Diagnostics).Code == DiagnosticCodes.CircularDependency;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Cidr_blocks_are_inside_adjacent_and_of_one_size() => Prop.ForAll(
        Arb.From(Gen.Choose(8, 28).SelectMany(prefix => Gen.Choose(1, 32 - prefix).SelectMany(bits => Gen.Choose(1, Math.Min(256, 1 << (32 - prefix - bits))).Select(count => (prefix, bits, count))))),
        c =>
        {
            Assert.True(CidrCalculator.TrySplit($"10.0.0.0/{c.prefix}", c.count, c.bits, out var blocks, out _));
            static uint Number(string block) => block.Split('/')[0].Split('.').Aggregate(0u, (n, part) => n * 256 + uint.Parse(part, CultureInfo.InvariantCulture));
            return blocks.Count == c.count
                && blocks.All(b => b.EndsWith($"/{32 - c.bits}", StringComparison.Ordinal))
                && blocks.Select(Number).SequenceEqual(Enumerable.Range(0, c.count).Select(i => 0x0A000000u + ((uint)i << c.bits)))
                && Number(blocks[^1]) + (1L << c.bits) <= 0x0A000000L + (1L << (32 - c.prefix));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Join_undoes_Split() => Prop.ForAll(Arb.From(Gen.Elements('a', 'b', ',', '-').ArrayOf().Select(c => new string(c))), text =>
    {
        var quoted = JsonSerializer.Serialize(text);
        var stack = Evaluate($"Resources: {{Probe: {{Type: 'Custom::R', Properties: {{V: !Join [',', !Split [',', {quoted}]]}}}}}}");
        return stack.Resources[0].Properties["V"]!.AsString() == text;
    }).QuickCheckThrowOnFailure();
}
