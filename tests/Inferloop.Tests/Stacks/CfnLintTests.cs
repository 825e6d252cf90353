using System.Text.Json;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>AWS's own checker has nothing to say about the shipped templates, not even by way of information.</summary>
public sealed class CfnLintTests
{
    [Fact]
    public async Task Reports_nothing_on_any_template_in_any_of_three_regions()
    {
        var tool = ExternalTool.Require("cfn-lint");
        string[] arguments = ["-c", "I", "--regions", "us-east-1", "us-west-2", "eu-west-1", "--", .. StackFixture.Files];
        var result = await ExternalTool.RunAsync(tool, arguments, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal("", result.Output.Trim());
        result.EnsureSuccess();
    }

    /// <summary>Each template with the parameters it gets in any stage with any pattern; root and nested templates alike.</summary>
    [Fact]
    public async Task Reports_nothing_with_the_parameters_of_any_stage_and_pattern()
    {
        var tool = ExternalTool.Require("cfn-lint");
        var stop = TestContext.Current.CancellationToken;
        var given = new Dictionary<string, HashSet<string>>(StringComparer.Ordinal);
        foreach (var stage in Enum.GetValues<EnvironmentStage>())
        {
            foreach (var pattern in Enum.GetValues<DeploymentPattern>())
            {
                var spec = SpecPresets.Create("demo", stage, "us-east-1", pattern: pattern);
                await CollectAsync(stage, spec);
            }

            // Every way of scaling, with every place of the schedules taken.
            var schedule = string.Join(';', Enumerable.Range(1, 5).Select(i => $"action{i}|cron(0 {i} ? * MON-FRI *)|Europe/Berlin|{i}|{i + 4}"));
            await CollectAsync(stage, new (string Member, object Value)[]
            {
                ("TaskScalingSchedule", schedule), ("TaskScalingMetric", "Inferloop|QueueDepth|Average|20.5|Queue|jobs|Tier|pro"), ("TargetRequestsPerTask", 600), ("TaskScalingSuspended", ScalingSuspension.All),
                ("TableBillingMode", TableBillingMode.Provisioned), ("TableScalingSchedule", schedule), ("TableScalingSuspended", ScalingSuspension.In),
                ("LambdaProvisionedConcurrency", 2), ("LambdaProvisionedMaximum", 20), ("LambdaScalingSchedule", schedule), ("LambdaScalingSuspended", ScalingSuspension.Scheduled),
            }.Aggregate(SpecPresets.Create("demo", stage, "us-east-1", pattern: DeploymentPattern.Full), (spec, m) => spec.With(m.Member, m.Value)));
        }

        async Task CollectAsync(EnvironmentStage stage, InferloopEnvironmentSpec spec) => Collect("main.yaml", await StackFixture.EvaluateAsync(stage.ToString().ToLowerInvariant(), parameters: [.. SpecMembers.ToTemplateParameters(spec).Where(p => p.Key is not ("EnvironmentName" or "Stage")).Select(p => (p.Key, p.Value))]));

        Assert.True(given.Count >= 14 && given["main.yaml"].Count == 15, string.Join(", ", given.Select(g => $"{g.Key} {g.Value.Count}")));
        var folder = Directory.CreateTempSubdirectory("inferloop-lint-").FullName;
        try
        {
            var found = await Task.WhenAll(given.Select(async template =>
            {
                var files = template.Value.Select((parameters, i) => (Path: Path.Combine(folder, $"{template.Key}.{i}.json"), parameters)).ToList();
                foreach (var (path, parameters) in files)
                {
                    await File.WriteAllTextAsync(path, parameters, stop);
                }

                string[] arguments = ["-c", "I", "--parameter-files", .. files.Select(f => f.Path), "--", Path.Combine(StackFixture.Folder, template.Key)];
                return (await ExternalTool.RunAsync(tool, arguments, cancellation: stop)).Output.Trim();
            }));
            Assert.True(found.All(f => f.Length == 0), string.Join("\n", found.Where(f => f.Length > 0)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        // cfn-lint wants lists as lists, where AWS takes them divided by commas.
        static bool IsList(string type) => type == "CommaDelimitedList" || type.StartsWith("List<", StringComparison.Ordinal);

        void Collect(string file, EvaluatedStack stack)
        {
            // What comes from resources is known only when they are made: something that fits stands for it.
            var known = stack.Parameters.Values.Where(p => p.Value.IsKnown).ToDictionary(p => p.Name, p => p.Value.AsString() ?? string.Join(',', p.Value.Items.Select(v => v.AsString())), StringComparer.Ordinal);
            var all = ParameterGuess.For(stack.Template, known, out var unguessed);
            Assert.True(unguessed.Count == 0, $"{file}: {string.Join(", ", unguessed)}");
            if (!given.TryGetValue(file, out var sets))
            {
                given[file] = sets = new HashSet<string>(StringComparer.Ordinal);
            }

            sets.Add(JsonSerializer.Serialize(all.OrderBy(p => p.Key, StringComparer.Ordinal).Where(p => stack.Template.Parameters.ContainsKey(p.Key))
                .Select(p => new { ParameterKey = p.Key, ParameterValue = IsList(stack.Template.Parameters[p.Key].Type) ? p.Value.Split(',') : (object)p.Value })));
            foreach (var (logicalId, nested) in stack.NestedStacks)
            {
                Collect(logicalId.ToLowerInvariant() + ".yaml", nested);
            }
        }
    }

    [Fact]
    public async Task Would_say_so_if_a_template_were_wrong()
    {
        var tool = ExternalTool.Require("cfn-lint");
        var broken = Path.Combine(Path.GetTempPath(), $"inferloop-{Guid.NewGuid():N}.yaml");
        try
        {
            var text = await File.ReadAllTextAsync(Path.Combine(StackFixture.Folder, "ecs.yaml"), TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(broken, text.Replace("TargetType: ip", "TargetType: pi", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            var result = await ExternalTool.RunAsync(tool, ["-c", "I", "--", broken], cancellation: TestContext.Current.CancellationToken);
            Assert.Contains("'pi'", result.Output, StringComparison.Ordinal);
            Assert.NotEqual(0, result.ExitCode);
        }
        finally
        {
            File.Delete(broken);
        }
    }
}
