using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

/// <summary>A file that did not change is read once; one that did is read anew.</summary>
public sealed class TemplateCacheTests
{
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-cache-").FullName;

    private string Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    [Fact]
    public void The_same_text_is_the_same_template()
    {
        var path = Write("a.yaml", "Resources:\n  A: { Type: AWS::SNS::Topic }\n");
        var first = Template.Load(path);
        Assert.Same(first, Template.Load(path));
        Assert.Equal(path, first.FileName);
    }

    [Fact]
    public void A_change_is_seen_however_soon_and_whatever_the_file_s_time_says()
    {
        var path = Write("a.yaml", "Resources:\n  A: { Type: AWS::SNS::Topic }\n");
        var time = File.GetLastWriteTimeUtc(path);
        var first = Template.Load(path);
        Write("a.yaml", "Resources:\n  B: { Type: AWS::SNS::Topic }\n");
        File.SetLastWriteTimeUtc(path, time);
        Assert.True(first.Resources.ContainsKey("A"));
        Assert.True(Template.Load(path).Resources.ContainsKey("B"));
    }

    [Fact]
    public async Task A_nested_template_that_changed_is_evaluated_anew()
    {
        var root = Write("root.yaml", "Resources:\n  Part:\n    Type: AWS::CloudFormation::Stack\n    Properties: { TemplateURL: part.yaml }\n");
        Write("part.yaml", "Resources:\n  A: { Type: AWS::SNS::Topic }\n");
        Assert.Equal(["Part", "Part/A"], await PathsAsync(root));
        Write("part.yaml", "Resources:\n  B: { Type: AWS::SNS::Topic }\n");
        Assert.Equal(["Part", "Part/B"], await PathsAsync(root));
    }

    [Fact]
    public void What_cannot_be_read_is_refused_each_time_and_read_once_it_is_mended()
    {
        var path = Write("a.yaml", "Resources: [");
        Assert.Throws<TemplateException>(() => Template.Load(path));
        Assert.Throws<TemplateException>(() => Template.Load(path));
        Write("a.yaml", "Resources:\n  A: { Type: AWS::SNS::Topic }\n");
        Assert.True(Template.Load(path).Resources.ContainsKey("A"));
    }

    private static async Task<IEnumerable<string>> PathsAsync(string root) => (await StackEvaluator.EvaluateAsync(
        Template.Load(root), new EvaluationContext { StackName = "s", Region = "us-east-1", AccountId = "123456789012", NestedTemplates = new LocalTemplateSource() }, TestContext.Current.CancellationToken))
        .AllResources().Select(r => r.Path).Order(StringComparer.Ordinal);
}
