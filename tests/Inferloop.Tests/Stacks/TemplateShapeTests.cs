using System.Text.RegularExpressions;
using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>What every template has, whatever is in it: documented parameters, all used; outputs; tags; wiring without gaps.</summary>
public sealed class TemplateShapeTests
{
    private static readonly string[] s_tags = ["inferloop:environment", "inferloop:stage", "inferloop:managed-by", "inferloop:component"];

    // Types whose tags the specification has, but cfn-lint's copy of AWS's schemas has not, and refuses.
    private static readonly string[] s_untagged = ["AWS::CloudWatch::Dashboard", "AWS::ElasticLoadBalancingV2::Listener", "AWS::ApplicationAutoScaling::ScalableTarget"];

    [Theory]
    [MemberData(nameof(StackFixture.Names), MemberType = typeof(StackFixture))]
    public void Documents_constrains_and_uses_every_parameter(string file)
    {
        var template = StackFixture.Load(file);
        var afterParameters = template.Text[template.Text.IndexOf(template.Text.Contains("\nRules:", StringComparison.Ordinal) ? "\nRules:" : template.Text.Contains("\nConditions:", StringComparison.Ordinal) ? "\nConditions:" : "\nResources:", StringComparison.Ordinal)..];
        foreach (var parameter in template.Parameters.Values)
        {
            Assert.False(string.IsNullOrWhiteSpace(parameter.Description), $"{file}: {parameter.Name} has no description");
            Assert.True(
                Regex.IsMatch(afterParameters, $@"!Ref {parameter.Name}\b|\$\{{{parameter.Name}\}}"), $"{file}: nothing uses the parameter {parameter.Name}");
            if (parameter.AllowedPattern is not null)
            {
                Assert.False(string.IsNullOrWhiteSpace(parameter.ConstraintDescription), $"{file}: {parameter.Name} has a pattern that nobody can read");
            }

            if (parameter.Type == "Number" && parameter.AllowedValues is not { Count: > 0 })
            {
                Assert.True(parameter.MinValue is not null && parameter.MaxValue is not null, $"{file}: {parameter.Name} is a number without bounds");
            }
        }
    }

    [Theory]
    [MemberData(nameof(StackFixture.Names), MemberType = typeof(StackFixture))]
    public void Groups_every_parameter_once_and_describes_every_output(string file)
    {
        var template = StackFixture.Load(file);
        var head = template.Text[..template.Text.IndexOf("\nResources:", StringComparison.Ordinal)];
        var metadata = template.Parameters.Count == 0 ? "" : head[head.IndexOf("ParameterGroups:", StringComparison.Ordinal)..head.IndexOf("\nParameters:", StringComparison.Ordinal)];
        foreach (var name in template.Parameters.Keys)
        {
            Assert.Single(Regex.Matches(metadata, $@"[\[ ]{name}\b(?!:)(?! \}})"));
        }

        Assert.All(template.Outputs.Values, o => Assert.False(string.IsNullOrWhiteSpace(o.Description), $"{file}: output {o.Name}"));
        Assert.NotEmpty(template.Outputs);
        Assert.DoesNotContain("ImportValue", template.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_root_passes_every_parameter_of_every_nested_template()
    {
        var root = await StackFixture.EvaluateAsync();
        Assert.Equal(["Alerts", "Cache", "Database", "Ecs", "Logs", "Monitoring", "Network", "Security", "Storage"], root.NestedStacks.Keys.Order(StringComparer.Ordinal));
        foreach (var (id, nested) in root.NestedStacks)
        {
            var passed = ((MapValue)root.Find(id).Properties["Parameters"]!).Keys.Order(StringComparer.Ordinal);
            Assert.Equal(nested.Template.Parameters.Keys.Order(StringComparer.Ordinal), passed);
        }
    }

    [Fact]
    public async Task The_root_shows_every_output_of_every_nested_template()
    {
        var root = await StackFixture.EvaluateAsync(
            parameters: [("CapacityMode", "Mixed"), ("CertificateArn", "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555")]);
        foreach (var nested in root.NestedStacks.Values)
        {
            Assert.Subset(root.Outputs.Keys.ToHashSet(), nested.Outputs.Keys.ToHashSet());
        }
    }

    [Theory]
    [InlineData("Mixed")]
    [InlineData("Ec2")]
    [InlineData("FargateSpot")]
    public async Task Tags_everything_that_takes_tags(string capacity)
    {
        var root = await StackFixture.EvaluateAsync(parameters: [("CapacityMode", capacity)]);
        var control = await StackEvaluator.EvaluateAsync(
            StackFixture.Load("control.yaml"), StackFixture.Context(new Dictionary<string, string>()), TestContext.Current.CancellationToken);
        var tagged = 0;
        var wrong = new List<string>();
        foreach (var resource in root.AllResources().Concat(control.AllResources()))
        {
            var type = ResourceSpecification.Default.Find(resource.Type);
            Assert.True(type is not null, $"the specification does not know {resource.Type}");

            if (!type.Properties.ContainsKey("Tags") || s_untagged.Contains(resource.Type))
            {
                continue;
            }

            var keys = (resource.At("Tags")?.Items ?? []).Select(t => t["Key"]?.AsString()).ToList();
            if (!s_tags.All(keys.Contains))
            {
                wrong.Add($"{resource.Path} has the tags {string.Join(", ", keys)}");
            }

            tagged++;
        }

        Assert.Empty(wrong);
        Assert.True(tagged > 30, $"only {tagged} resources are tagged");
        var launch = root.OfType("AWS::EC2::LaunchTemplate").SingleOrDefault();
        if (launch is not null)
        {
            Assert.Equal(
                ["instance", "volume"], launch.At("LaunchTemplateData.TagSpecifications")!.Items.Where(t => t["Tags"]!.Items.Count >= 4).Select(t => t["ResourceType"]!.AsString()!).Order());
            Assert.Equal("launch-template", launch.Text("TagSpecifications.0.ResourceType"));
        }
    }

    [Fact]
    public void Uses_no_name_of_a_test_account_or_machine()
    {
        foreach (var file in StackFixture.Files)
        {
            // The accounts in which AWS publishes layers are no account of anyone's.
            Assert.DoesNotMatch(@"\b\d{12}\b(?!\}|:layer:LambdaInsightsExtension)", Regex.Replace(File.ReadAllText(file), @"\\d\{12\}", ""));
        }
    }
}
