using Inferloop.Templates;

namespace Inferloop.Operations.TemplateChecks;

/// <summary>Checks templates: shape, types and properties, references, and the mistakes that show only when a stack is up.</summary>
internal static class TemplateTest
{
    /// <summary>Checks templates that belong together.</summary>
    /// <param name="paths">The files. What one exports another may import; nested templates are found by themselves.</param>
    /// <param name="parameters">Values of parameters; the others get their defaults, or something that fits.</param>
    /// <param name="region">The region they are looked at for.</param>
    /// <param name="cancellation">Stops the check.</param>
    public static async Task<IReadOnlyList<InferloopTemplateFinding>> CheckAsync(
        IReadOnlyList<string> paths, IReadOnlyDictionary<string, string> parameters, string region, CancellationToken cancellation)
    {
        var findings = new List<Diagnostic>();
        var read = new List<Template>();
        foreach (var path in paths)
        {
            try
            {
                read.Add(Template.Parse(await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false), path));
            }
            catch (TemplateException e)
            {
                findings.AddRange(e.Diagnostics);
            }
        }

        var all = new Dictionary<string, Template>(StringComparer.Ordinal);
        foreach (var template in read)
        {
            Add(template, all);
        }

        // A template that another one nests gets its parameters from there; by itself it would be judged on guesses.
        var nested = all.Values.SelectMany(t => TemplateWriter.NestedTemplates(t).Select(n => Beside(t, n.TemplateUrl))).OfType<string>().ToHashSet(StringComparer.Ordinal);
        findings.AddRange(all.Values.SelectMany(TemplateChecker.Check));
        findings.AddRange(TrapChecker.CheckText([.. all.Values]));
        foreach (var template in read.Where(t => !nested.Contains(Path.GetFullPath(t.FileName!))))
        {
            findings.AddRange(await EvaluateAsync(template, parameters, region, cancellation).ConfigureAwait(false));
        }

        return findings.Distinct().Select(Convert)
            .GroupBy(f => (f.File, f.Line, f.Column, f.Rule, f.Message)).Select(g => g.First())
            .OrderBy(f => f.File, StringComparer.Ordinal).ThenBy(f => f.Line).ThenBy(f => f.Column).ToList();
    }

    /// <summary>The traps of stacks that are evaluated already.</summary>
    public static IReadOnlyList<InferloopTemplateFinding> Traps(EvaluatedStack stack) => TrapChecker.Check(stack).Select(Convert).ToList();

    private static async Task<IReadOnlyList<Diagnostic>> EvaluateAsync(Template template, IReadOnlyDictionary<string, string> parameters, string region, CancellationToken cancellation)
    {
        // A pipeline of several templates has parameters for all of them; each takes its own.
        var own = parameters.Where(p => template.Parameters.ContainsKey(p.Key)).ToDictionary(p => p.Key, p => p.Value, StringComparer.Ordinal);
        var values = ParameterGuess.For(template, own, out var unguessed);
        if (unguessed.Count > 0)
        {
            return unguessed.Select(name => new Diagnostic(
                DiagnosticCodes.MissingParameter, DiagnosticSeverity.Information,
                $"'{name}' has no default, and nothing that fits could be guessed: what the template makes was not looked at.", template.Parameters[name].Location, $"Parameters.{name}")).ToList();
        }

        try
        {
            var evaluated = await EvaluateAsync(template, values).ConfigureAwait(false);
            var found = evaluated.Diagnostics.Concat(TrapChecker.Check(evaluated)).ToList();
            var widest = await EvaluateAsync(template, ParameterGuess.Widest(template, values, own.Keys.ToList())).ConfigureAwait(false);
            var known = found.Where(f => f.Code == "NameTooLong").Select(f => f.Location).ToHashSet();
            return [.. found, .. TrapChecker.CheckWidest(widest).Where(f => !known.Contains(f.Location))];
        }
        catch (TemplateException e)
        {
            return e.Diagnostics;
        }

        Task<EvaluatedStack> EvaluateAsync(Template of, IReadOnlyDictionary<string, string> with) => StackEvaluator.EvaluateAsync(
            of,
            new EvaluationContext
            {
                StackName = Path.GetFileNameWithoutExtension(of.FileName ?? "stack"), Region = region, AccountId = "123456789012",
                Parameters = with, NestedTemplates = new LocalTemplateSource(),
            },
            cancellation).AsTask();
    }

    private static void Add(Template template, Dictionary<string, Template> all)
    {
        if (!all.TryAdd(Path.GetFullPath(template.FileName!), template))
        {
            return;
        }

        foreach (var reference in TemplateWriter.NestedTemplates(template))
        {
            if (Beside(template, reference.TemplateUrl) is { } path && File.Exists(path))
            {
                try
                {
                    Add(Template.Load(path), all);
                }
                catch (TemplateException)
                {
                    // The evaluation reports it at the nested stack, with the place in that file.
                }
            }
        }
    }

    private static string? Beside(Template template, string url) => url.Contains("://", StringComparison.Ordinal) || template.FileName is null
        ? null
        : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(template.FileName))!, url));

    private static InferloopTemplateFinding Convert(Diagnostic d) => new()
    {
        Severity = d.Severity switch { DiagnosticSeverity.Error => TemplateFindingSeverity.Error, DiagnosticSeverity.Warning => TemplateFindingSeverity.Warning, _ => TemplateFindingSeverity.Information },
        Rule = d.Code,
        Message = d.Message,
        Remedy = TrapChecker.RemedyOf(d.Code) ?? Remedy(d.Code),
        Path = d.Path ?? "",
        File = d.Location?.File ?? "",
        Line = d.Location?.Line ?? 0,
        Column = d.Location?.Column ?? 0,
    };

    private static string Remedy(string code) => code switch
    {
        DiagnosticCodes.UnknownProperty or DiagnosticCodes.UnknownResourceType or DiagnosticCodes.UnknownAttribute => "Correct the name; the resource specification knows the ones there are.",
        DiagnosticCodes.MissingProperty => "Add the property.",
        DiagnosticCodes.InvalidPropertyValue => "Give a value of the type that the property takes.",
        DiagnosticCodes.UnresolvedReference or DiagnosticCodes.ConditionalReference or DiagnosticCodes.MappingKeyNotFound => "Correct the name, or declare what it names.",
        DiagnosticCodes.Unused => "Use it, or remove it.",
        DiagnosticCodes.MissingParameter or DiagnosticCodes.InvalidParameter or DiagnosticCodes.UnknownParameter => "Give a value that the parameter takes, with -TemplateParameter.",
        DiagnosticCodes.LimitExceeded => "Divide the template into nested ones.",
        DiagnosticCodes.NestedTemplate => "Correct TemplateURL, or put the nested template there.",
        _ => "Correct the template at that place.",
    };
}
