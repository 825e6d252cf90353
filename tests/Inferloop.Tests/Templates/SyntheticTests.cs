using Inferloop.Benchmarks;
using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

public class SyntheticTests
{
    [Theory]
    [InlineData(50)]
    [InlineData(500)]
    [InlineData(5000)]
    public async Task Synthetic_environments_have_their_size_and_no_mistakes(int size)
    {
        var synthetic = SyntheticTemplates.Create(size);
        var stack = await StackEvaluator.EvaluateAsync(synthetic.RootTemplate, synthetic.Context(), TestContext.Current.CancellationToken);
        Assert.Equal(size, stack.AllResources().Count());
        Assert.Empty(stack.Diagnostics);
        Assert.Empty(synthetic.Texts.Take(2).SelectMany(t => TemplateChecker.Check(Template.Parse(t.Value, t.Key))).Select(d => d.ToString()));
        var prod = await StackEvaluator.EvaluateAsync(synthetic.RootTemplate, synthetic.Context("prod"), TestContext.Current.CancellationToken);
        Assert.NotEmpty(StackComparer.Compare(stack, prod).Changes);
        Assert.True(StackComparer.Compare(stack, stack).IsEmpty);
    }
}
