using Inferloop.Templates;

namespace Inferloop.Tests.Templates;

/// <summary>Nested templates from memory.</summary>
internal sealed class MemoryTemplateSource(params (string Name, string Text)[] templates) : INestedTemplateSource
{
    private readonly Dictionary<string, Template> _templates = templates.ToDictionary(t => t.Name, t => Template.Parse(t.Text, t.Name));

    public ValueTask<Template> LoadAsync(string templateUrl, Template parent, CancellationToken cancellationToken) =>
        _templates.TryGetValue(templateUrl, out var template)
            ? ValueTask.FromResult(template)
            : throw new TemplateException([new Diagnostic(DiagnosticCodes.NestedTemplate, DiagnosticSeverity.Error, $"There is no template '{templateUrl}'.", null, null)]);
}
