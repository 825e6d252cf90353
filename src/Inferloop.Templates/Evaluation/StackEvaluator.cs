using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Evaluates templates: parameters, mappings, conditions, rules, functions, nested stacks, dependency order.</summary>
public static class StackEvaluator
{
    /// <summary>Evaluates a template and the nested stacks in it.</summary>
    /// <param name="template">The template.</param>
    /// <param name="context">Parameters and everything else from outside.</param>
    /// <param name="cancellationToken">Cancels the reading of nested templates.</param>
    /// <returns>The evaluated stack.</returns>
    /// <exception cref="TemplateException">It cannot be evaluated; all errors found are in it.</exception>
    public static async ValueTask<EvaluatedStack> EvaluateAsync(Template template, EvaluationContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(context);
        var diagnostics = new List<Diagnostic>();
        var stack = await new StackEvaluation(template, context, diagnostics, [template]).RunAsync(null, cancellationToken).ConfigureAwait(false);
        if (diagnostics.Exists(d => d.Severity == DiagnosticSeverity.Error))
        {
            throw new TemplateException([.. diagnostics.OrderBy(d => d.Severity)]);
        }

        stack.Diagnostics = diagnostics;
        return stack;
    }
}

/// <summary>One run over one stack; nested stacks have runs of their own with the same list of diagnostics.</summary>
internal sealed class StackEvaluation
{
    private static readonly string[] s_deletionPolicies = ["Delete", "Retain", "Snapshot", "RetainExceptOnCreate"];
    private static readonly string[] s_updateReplacePolicies = ["Delete", "Retain", "Snapshot"];

    private readonly StackModel _model;
    private readonly List<Diagnostic> _diagnostics;
    private readonly ExpressionEvaluator _evaluator;
    private readonly IReadOnlyList<Template> _ancestors;

    public StackEvaluation(Template template, EvaluationContext context, List<Diagnostic> diagnostics, IReadOnlyList<Template> ancestors)
    {
        _model = new StackModel(template, context);
        _diagnostics = diagnostics;
        _ancestors = ancestors;
        _evaluator = new ExpressionEvaluator(_model, context.Resources, diagnostics);
    }

    private Template Template => _model.Template;

    public async ValueTask<EvaluatedStack> RunAsync(MapValue? fromParent, CancellationToken cancellationToken)
    {
        _diagnostics.AddRange(Template.Diagnostics);
        foreach (var transform in Template.Transforms.Where(t => t != Macros.LanguageExtensions))
        {
            Error(DiagnosticCodes.UnsupportedTransform, Macros.ExplainTransform(transform), Template.Root["Transform"]?.Location, "Transform");
        }

        var binder = new ParameterBinder(_model, _diagnostics);
        if (fromParent is null)
        {
            binder.Bind();
        }
        else
        {
            binder.Bind(fromParent, _model.Path.TrimEnd('/'));
        }

        ExpandSections();
        _evaluator.DecideConditions();
        new RuleEvaluator(_model, _diagnostics).CheckRules();
        CheckResourceConditions();

        var result = new EvaluatedStack(_model);
        var resources = new List<EvaluatedResource>();
        foreach (var node in Order())
        {
            var resource = Evaluate(node);
            resources.Add(resource);
            _model.Properties[resource.LogicalId] = resource.Properties;
            if (resource.Type == "AWS::CloudFormation::Stack" && _model.Context.NestedTemplates is { } source)
            {
                await EvaluateNestedAsync(resource, source, cancellationToken).ConfigureAwait(false);
            }
        }

        result.Resources = resources;
        result.Outputs = _evaluator.EvaluateOutputs();
        return result;
    }

    private void Error(string code, string message, SourceLocation? location, string? path) =>
        _diagnostics.Add(new Diagnostic(code, DiagnosticSeverity.Error, message, location, _model.Path + path));

    private void ExpandSections()
    {
        var root = Template.Root;
        if (!Template.HasLanguageExtensions)
        {
            foreach (var (name, condition) in Template.Conditions)
            {
                _model.ConditionNodes[name] = condition.Node;
            }

            Fill(_model.Resources, Template.Resources);
            Fill(_model.Outputs, Template.Outputs);
            return;
        }

        var expander = new LoopExpander(_evaluator, Error);
        foreach (var entry in Expanded("Conditions"))
        {
            _model.ConditionNodes[entry.Key] = entry.Value;
        }

        foreach (var entry in Expanded("Resources"))
        {
            CheckMadeName(entry, "Resources");
            var resource = Template.Resources.TryGetValue(entry.Key, out var declared) && ReferenceEquals(declared.Node, entry.Value)
                ? declared
                : ResourceReader.Read(entry, entry.Key, Error);
            if (resource is not null)
            {
                _model.Resources[entry.Key] = resource;
            }
        }

        foreach (var entry in Expanded("Outputs"))
        {
            CheckMadeName(entry, "Outputs");
            if (ResourceReader.ReadOutput(entry, entry.Key, Error) is { } output)
            {
                _model.Outputs[entry.Key] = output;
            }
        }

        if (Template.Loops.Resources)
        {
            TemplateLimits.Count(_model.Resources.Count, TemplateLimits.Resources, "resources", "Move some into nested stacks.", _diagnostics);
        }

        if (Template.Loops.Outputs)
        {
            TemplateLimits.Count(_model.Outputs.Count, TemplateLimits.Outputs, "outputs", "", _diagnostics);
        }

        IReadOnlyList<MappingEntry> Expanded(string section) => root[section] is MappingNode map ? expander.Expand(map, section).Entries : [];
    }

    private static void Fill<T>(Dictionary<string, T> target, IReadOnlyDictionary<string, T> from)
    {
        foreach (var (name, item) in from)
        {
            target[name] = item;
        }
    }

    private void CheckMadeName(MappingEntry entry, string section)
    {
        if (!Names.IsAlphanumeric(entry.Key) || entry.Key.Length > Names.MaximumLength)
        {
            Error(DiagnosticCodes.InvalidName, $"'{entry.Key}' cannot be a name in {section}: only letters and digits are allowed, {Names.MaximumLength} at most. In a Fn::ForEach, '&{{Id}}' leaves other characters out.", entry.KeyLocation, section);
        }
    }

    private void CheckResourceConditions()
    {
        foreach (var resource in _model.Resources.Values)
        {
            if (resource.Condition is { } condition && !_model.ConditionNodes.ContainsKey(condition))
            {
                Error(DiagnosticCodes.UnresolvedReference, $"The template has no condition '{condition}'.{Suggestion.For(condition, _model.ConditionNodes.Keys)}",
                    resource.Node["Condition"]!.Location, resource.LogicalId + ".Condition");
            }
        }
    }

    private List<DependencyNode> Order()
    {
        var collector = new DependencyCollector(_model);
        var nodes = new List<DependencyNode>(_model.Resources.Count);
        foreach (var resource in _model.Resources.Values)
        {
            CheckDependsOn(resource);
            if (!_model.Exists(resource))
            {
                continue;
            }

            var references = collector.Collect(resource);
            var names = resource.DependsOn.Where(d => _model.Resources.TryGetValue(d, out var other) && _model.Exists(other));
            nodes.Add(new DependencyNode(resource, references, collector.Parameters, [.. names.Concat(references.Select(r => r.LogicalId)).Distinct(StringComparer.Ordinal)]));
        }

        return DependencyOrder.Sort(nodes, ReportCycle);
    }

    private void CheckDependsOn(TemplateResource resource)
    {
        foreach (var name in resource.DependsOn)
        {
            if (!_model.Resources.ContainsKey(name))
            {
                Error(DiagnosticCodes.UnresolvedReference, $"DependsOn names '{name}', which is not a resource of this template.{Suggestion.For(name, _model.Resources.Keys)}",
                    resource.Node["DependsOn"]!.Location, resource.LogicalId + ".DependsOn");
            }
        }
    }

    private void ReportCycle(IReadOnlyList<DependencyNode> cycle)
    {
        var steps = new List<string>(cycle.Count);
        for (var i = 0; i < cycle.Count; i++)
        {
            var next = cycle[(i + 1) % cycle.Count].Resource.LogicalId;
            var through = cycle[i].References.FirstOrDefault(r => r.LogicalId == next)?.Path ?? "DependsOn";
            steps.Add($"{cycle[i].Resource.LogicalId} (through {through})");
        }

        Error(DiagnosticCodes.CircularDependency, $"Circular dependency between resources: {string.Join(" → ", steps)} → {cycle[0].Resource.LogicalId}.",
            cycle[0].Resource.Location, cycle[0].Resource.LogicalId);
    }

    private EvaluatedResource Evaluate(DependencyNode node)
    {
        var resource = node.Resource;
        var id = resource.LogicalId;
        return new EvaluatedResource(id, resource.Type, _model.Path + id)
        {
            Properties = _evaluator.EvaluateProperties(resource),
            DependsOn = node.DependsOn,
            References = node.References,
            ParameterReferences = node.ParameterReferences,
            DeletionPolicy = Policy(resource, "DeletionPolicy", s_deletionPolicies) ?? DefaultDeletionPolicy(resource),
            UpdateReplacePolicy = Policy(resource, "UpdateReplacePolicy", s_updateReplacePolicies) ?? "Delete",
            Location = resource.Location,
            Metadata = Part(resource, "Metadata"),
            CreationPolicy = Part(resource, "CreationPolicy"),
            UpdatePolicy = Part(resource, "UpdatePolicy"),
        };
    }

    private Value? Part(TemplateResource resource, string name) =>
        resource.Node[name] is { } node ? _evaluator.EvaluatePart($"{resource.LogicalId}.{name}", node) : null;

    private static string DefaultDeletionPolicy(TemplateResource resource) =>
        resource.Type == "AWS::RDS::DBCluster" || (resource.Type == "AWS::RDS::DBInstance" && resource.Properties?["DBClusterIdentifier"] is null) ? "Snapshot" : "Delete";

    private string? Policy(TemplateResource resource, string name, string[] allowed)
    {
        if (resource.Node[name] is not { } node)
        {
            return null;
        }

        var path = $"{resource.LogicalId}.{name}";
        if (node is not ScalarNode && !Template.HasLanguageExtensions)
        {
            Error(DiagnosticCodes.TransformRequired, $"A function in {name} needs 'Transform: AWS::LanguageExtensions' at the top of the template.", node.Location, path);
            return null;
        }

        var errors = _diagnostics.Count;
        var value = _evaluator.EvaluateWithoutResources(path, node);
        if (value is NoValue)
        {
            return null;
        }

        var text = value.AsString();
        if (text is not null && allowed.Contains(text, StringComparer.Ordinal))
        {
            return text;
        }

        if (_diagnostics.Count == errors)
        {
            Error(DiagnosticCodes.InvalidStructure, $"'{value}' is not a {name}; it is one of {string.Join(", ", allowed)}.{Suggestion.For(text ?? "", allowed)}", node.Location, path);
        }

        return null;
    }

    private async ValueTask EvaluateNestedAsync(EvaluatedResource resource, INestedTemplateSource source, CancellationToken cancellationToken)
    {
        var url = resource.Properties["TemplateURL"];
        var path = resource.LogicalId + ".Properties.TemplateURL";
        if (url?.AsString() is not { } text)
        {
            if (url is null)
            {
                Error(DiagnosticCodes.NestedTemplate, "A nested stack needs a TemplateURL.", resource.Location, path);
                _model.FailedNestedStacks.Add(resource.LogicalId);
            }
            else
            {
                _diagnostics.Add(new Diagnostic(DiagnosticCodes.NestedTemplate, DiagnosticSeverity.Warning,
                    $"The nested template is known only after apply ({url}); its resources are not evaluated.", url.Location ?? resource.Location, _model.Path + path));
            }

            return;
        }

        Template template;
        try
        {
            template = await source.LoadAsync(text, Template, cancellationToken).ConfigureAwait(false);
        }
        catch (TemplateException e)
        {
            _diagnostics.AddRange(e.Diagnostics.Select(d => d with { Path = _model.Path + resource.LogicalId + (d.Path is { Length: > 0 } inner ? "/" + inner.TrimStart('/') : "") }));
            _model.FailedNestedStacks.Add(resource.LogicalId);
            return;
        }

        if (_ancestors.Any(a => ReferenceEquals(a, template) || a.Text == template.Text))
        {
            Error(DiagnosticCodes.NestedTemplate,
                $"A nested stack contains itself: {string.Join(" → ", _ancestors.Append(template).Select(t => Path.GetFileName(t.FileName) ?? "(template)"))}.", url.Location ?? resource.Location, path);
            _model.FailedNestedStacks.Add(resource.LogicalId);
            return;
        }

        var parameters = resource.Properties["Parameters"] as MapValue ?? MapValue.Empty;
        var context = _model.Context with
        {
            StackName = $"{_model.Context.StackName}-{resource.LogicalId}",
            StackId = null,
            Parameters = new Dictionary<string, string>(),
            UsePreviousValue = new HashSet<string>(),
            NotificationArns = resource.Properties["NotificationARNs"]?.Items.Select(i => i.AsString() ?? "").ToList() ?? [],
            StackPath = _model.Path + resource.LogicalId + "/",
        };
        var errors = _diagnostics.Count(d => d.Severity == DiagnosticSeverity.Error);
        var nested = new StackEvaluation(template, context, _diagnostics, [.. _ancestors, template]);
        _model.NestedStacks[resource.LogicalId] = await nested.RunAsync(parameters, cancellationToken).ConfigureAwait(false);
        if (_diagnostics.Count(d => d.Severity == DiagnosticSeverity.Error) > errors)
        {
            // Its outputs may be missing because of errors already reported.
            _model.FailedNestedStacks.Add(resource.LogicalId);
        }
    }
}
