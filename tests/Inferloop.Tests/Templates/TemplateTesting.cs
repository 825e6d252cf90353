using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

/// <summary>Short ways to evaluate templates in tests.</summary>
internal static class TemplateTesting
{
    public static EvaluationContext Context(params (string Name, string Value)[] parameters) => new()
    {
        StackName = "inferloop-demo-dev",
        Region = "us-east-1",
        AccountId = "123456789012",
        Parameters = parameters.ToDictionary(p => p.Name, p => p.Value),
    };

    public static async Task<EvaluatedStack> EvaluateAsync(string text, EvaluationContext? context = null) =>
        await StackEvaluator.EvaluateAsync(Template.Parse(text), context ?? Context(), TestContext.Current.CancellationToken);

    /// <summary>Evaluates one expression as a property of a resource of unknown type, beside the sections given.</summary>
    public static async Task<Value> ExpressionAsync(string expression, string sections = "", EvaluationContext? context = null)
    {
        var stack = await EvaluateAsync(Probe(expression, sections), context);
        return stack.FindResource("Probe")!.Properties["Value"]!;
    }

    public static async Task<IReadOnlyList<Diagnostic>> ErrorsAsync(string text, EvaluationContext? context = null)
    {
        var thrown = await Assert.ThrowsAsync<TemplateException>(() => EvaluateAsync(text, context));
        return [.. thrown.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error)];
    }

    /// <summary>The one error of an expression.</summary>
    public static async Task<Diagnostic> ExpressionErrorAsync(string expression, string sections = "", EvaluationContext? context = null) =>
        Assert.Single(await ErrorsAsync(Probe(expression, sections), context));

    private static string Probe(string expression, string sections) =>
        $"{sections}\nResources:\n  Db: {{Type: 'Custom::Database'}}\n  Probe:\n    Type: Custom::Probe\n    Properties:\n      Value: {expression}\n";
}
