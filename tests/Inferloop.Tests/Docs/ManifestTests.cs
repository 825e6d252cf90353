using System.Text.RegularExpressions;
using Inferloop.Tests.Stacks;
using YamlDotNet.RepresentationModel;

namespace Inferloop.Tests.Docs;

/// <summary>The Kubernetes manifests: they parse, fit the application's contract and the identities of the template, and their placeholders are filled.</summary>
public sealed class ManifestTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "examples", "kubernetes");

    [Fact]
    public void The_application_keeps_its_contract()
    {
        var container = Assert.Single(((YamlSequenceNode)At(Find("application.yaml", "Deployment"), "spec.template.spec.containers")!).Children);
        Assert.Equal("8000", Text(container, "ports.0.containerPort"));
        Assert.Equal(("/health", "/health", "/ready"), (Text(container, "startupProbe.httpGet.path"), Text(container, "livenessProbe.httpGet.path"), Text(container, "readinessProbe.httpGet.path")));
        Assert.Equal(("1", "2Gi", "2Gi"), (Text(container, "resources.requests.cpu"), Text(container, "resources.requests.memory"), Text(container, "resources.limits.memory")));
        Assert.Equal(("false", "true", "ALL"), (Text(container, "securityContext.allowPrivilegeEscalation"), Text(container, "securityContext.readOnlyRootFilesystem"), Text(container, "securityContext.capabilities.drop.0")));
        Assert.Equal(("2", "10", "70", "80"), (
            Text(Find("application.yaml", "HorizontalPodAutoscaler"), "spec.minReplicas"), Text(Find("application.yaml", "HorizontalPodAutoscaler"), "spec.maxReplicas"),
            Text(Find("application.yaml", "HorizontalPodAutoscaler"), "spec.metrics.0.resource.target.averageUtilization"), Text(Find("application.yaml", "HorizontalPodAutoscaler"), "spec.metrics.1.resource.target.averageUtilization")));
        Assert.Equal("1", Text(Find("application.yaml", "PodDisruptionBudget"), "spec.maxUnavailable"));

        var labels = Text(Find("application.yaml", "Deployment"), "spec.template.metadata.labels.app.kubernetes.io/name");
        Assert.All(["Service", "PodDisruptionBudget"], kind => Assert.Equal(labels, Text(Find("application.yaml", kind), kind == "Service" ? "spec.selector.app.kubernetes.io/name" : "spec.selector.matchLabels.app.kubernetes.io/name")));
    }

    [Fact]
    public async Task Every_variable_of_the_ECS_task_reaches_the_pod_and_secrets_only_by_reference()
    {
        var task = (await StackFixture.EvaluateAsync()).Find("Ecs/TaskDefinition");
        IEnumerable<string> Names(string list) => task.At("ContainerDefinitions.0." + list)!.Items.Select(v => v["Name"]!.AsString()!);
        var plain = ((YamlMappingNode)At(Find("application.yaml", "ConfigMap"), "data")!).Children.Keys.Select(k => ((YamlScalarNode)k).Value!).ToHashSet();
        var secret = ((YamlSequenceNode)At(Find("application.yaml", "SecretProviderClass"), "spec.secretObjects.0.data")!).Select(d => Text(d, "key")!).ToHashSet();
        Assert.Subset(plain, Names("Environment").ToHashSet());
        Assert.Equal(Names("Secrets").Order(StringComparer.Ordinal), secret.Order(StringComparer.Ordinal));
        Assert.Empty(plain.Intersect(secret));
    }

    [Fact]
    public async Task Service_accounts_are_the_ones_that_have_roles()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("EksEnabled", "true")]);
        foreach (var (file, id) in new[] { ("application.yaml", "Eks/ApplicationIdentity"), ("cluster-autoscaler.yaml", "Eks/AutoscalerIdentity") })
        {
            var account = Find(file, "ServiceAccount");
            var identity = stack.Find(id);
            Assert.Equal((identity.Text("Namespace"), identity.Text("ServiceAccount")), (Text(account, "metadata.namespace"), Text(account, "metadata.name")));
            Assert.Equal(identity.Text("ServiceAccount"), Text(Find(file, "Deployment"), "spec.template.spec.serviceAccountName"));
            Assert.Equal("true", Text(Find(file, "Deployment"), "spec.template.spec.securityContext.runAsNonRoot"));
        }
    }

    [Fact]
    public void Every_placeholder_is_one_that_the_script_fills()
    {
        var script = File.ReadAllText(Path.Combine(Folder, "deploy.ps1"));
        var filled = Regex.Matches(script, @"^    (\w+) = ", RegexOptions.Multiline).Select(m => m.Groups[1].Value).ToHashSet();
        var asked = Directory.GetFiles(Folder, "*.yaml").SelectMany(f => Regex.Matches(File.ReadAllText(f), @"\$\{(\w+)\}").Select(m => m.Groups[1].Value)).ToHashSet();
        Assert.NotEmpty(asked);
        Assert.Equal(asked.Order(StringComparer.Ordinal), filled.Order(StringComparer.Ordinal));
    }

    private static YamlNode Find(string file, string kind)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(Path.Combine(Folder, file));
        stream.Load(reader);
        return Assert.Single(stream.Documents, d => Text(d.RootNode, "kind") == kind).RootNode;
    }

    private static string? Text(YamlNode node, string path) => (At(node, path) as YamlScalarNode)?.Value;

    /// <summary>A step goes into a map or a list; keys with dots in them are tried whole.</summary>
    private static YamlNode? At(YamlNode node, string path)
    {
        if (node is YamlMappingNode map)
        {
            foreach (var (key, value) in map.Children)
            {
                var name = ((YamlScalarNode)key).Value!;
                if (path == name)
                {
                    return value;
                }

                if (path.StartsWith(name + ".", StringComparison.Ordinal) && At(value, path[(name.Length + 1)..]) is { } found)
                {
                    return found;
                }
            }

            return null;
        }

        var step = path.Split('.', 2);
        return node is YamlSequenceNode list && int.TryParse(step[0], out var index) && index < list.Children.Count
            ? step.Length == 1 ? list[index] : At(list[index], step[1])
            : null;
    }
}
