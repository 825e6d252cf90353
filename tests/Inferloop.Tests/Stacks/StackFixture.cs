using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>The shipped templates, loaded from the tree and evaluated offline.</summary>
internal static class StackFixture
{
    public const string Account = "123456789012";

    /// <summary>The longest name an environment may have.</summary>
    public const string LongestName = "abcdefghijklmnop";

    public static string Folder { get; } = Path.Combine(Repository.Root, "src", "Inferloop.Templates", "Stacks");

    public static IReadOnlyList<string> Files { get; } = [.. Directory.GetFiles(Folder, "*.yaml").Order(StringComparer.Ordinal)];

    public static TheoryData<string> Names => new(Files.Select(f => Path.GetFileName(f)));

    public static Template Load(string file) => Template.Load(Path.Combine(Folder, file));

    public static EvaluationContext Context(IReadOnlyDictionary<string, string> parameters, string region = "us-east-1") => new()
    {
        StackName = "inferloop-demo-prod",
        Region = region,
        AccountId = Account,
        Parameters = parameters,
        NestedTemplates = new BesideParent(),
        DynamicReferences = (service, name) => service == "ssm" && name.EndsWith("image_id", StringComparison.Ordinal) ? new StringValue("ami-0123456789abcdef0") : null,
    };

    public static async Task<EvaluatedStack> EvaluateAsync(
        string stage = "prod", string name = "demo", string region = "us-east-1", params (string Name, string Value)[] parameters)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal) { ["EnvironmentName"] = name, ["Stage"] = stage };
        foreach (var (key, value) in parameters)
        {
            all[key] = value;
        }

        return await StackEvaluator.EvaluateAsync(Load("main.yaml"), Context(all, region), TestContext.Current.CancellationToken);
    }

    public static EvaluatedResource Find(this EvaluatedStack stack, string path) => stack.AllResources().Single(r => r.Path == path);

    public static IEnumerable<EvaluatedResource> OfType(this EvaluatedStack stack, string type) => stack.AllResources().Where(r => r.Type == type);

    /// <summary>The value under a path of keys; numbers index lists.</summary>
    public static Value? At(this EvaluatedResource resource, string path)
    {
        Value? value = resource.Properties;
        foreach (var step in path.Split('.'))
        {
            value = int.TryParse(step, out var index) ? value?.Items.ElementAtOrDefault(index) : value?[step];
        }

        return value;
    }

    public static string? Text(this EvaluatedResource resource, string path) => resource.At(path)?.AsString();

    /// <summary>Whether a value that is known only later is made from a resource: its reference or one of its attributes.</summary>
    public static bool ComesFrom(this Value value, string path) =>
        value.Sources.Any(s => s == path || s.StartsWith(path + ".", StringComparison.Ordinal));

    private sealed class BesideParent : INestedTemplateSource
    {
        public ValueTask<Template> LoadAsync(string templateUrl, Template parent, CancellationToken cancellationToken) => new(Load(templateUrl));
    }
}
