using System.Security.Cryptography;
using System.Text;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <summary>A spec turned into what CloudFormation is given, evaluated offline first: what can be known to fail fails here.</summary>
internal sealed record EnvironmentPlan(
    InferloopEnvironmentSpec Spec,
    string TemplatePath,
    IReadOnlyDictionary<string, string> Parameters,
    IReadOnlyDictionary<string, string> Tags,
    EvaluatedStack Evaluated,
    string InputHash)
{
    public static async Task<EnvironmentPlan> MakeAsync(InferloopEnvironmentSpec spec, string accountId, string partition, EnvironmentOptions options, CancellationToken cancellation)
    {
        var errors = SpecValidator.Validate(spec).Where(f => f.Severity == SpecFindingSeverity.Error).ToList();
        if (errors.Count > 0)
        {
            throw SpecErrors.Invalid(spec.Name, errors);
        }

        var path = ShippedTemplates.Root(options);
        var parameters = SpecMembers.ToTemplateParameters(spec);
        var tags = TagsOf(spec);
        try
        {
            var template = Template.Load(path);
            var evaluated = await StackEvaluator.EvaluateAsync(
                template,
                new EvaluationContext
                {
                    StackName = spec.StackName, Region = spec.Region, AccountId = accountId, Partition = partition,
                    Parameters = parameters, NestedTemplates = new LocalTemplateSource(),
                },
                cancellation).ConfigureAwait(false);
            RefuseCost(spec, evaluated, options);
            return new EnvironmentPlan(spec, path, parameters, tags, evaluated, Hash(evaluated, parameters, tags));
        }
        catch (TemplateException e)
        {
            var first = e.Diagnostics.FirstOrDefault(d => d.Severity == DiagnosticSeverity.Error);
            throw new OperationException(
                "TemplateInvalid", OperationErrorKind.InvalidArgument,
                string.Join(Environment.NewLine, e.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Select(Line)),
                $"Correct {(first?.Path is { Length: > 0 } p ? $"'{p}'" : "the template or the spec")}, then repeat the command. Nothing was created.", spec.Name, e);
        }
    }

    public static IReadOnlyDictionary<string, string> TagsOf(InferloopEnvironmentSpec spec)
    {
        var tags = new SortedDictionary<string, string>(spec.Tags.ToDictionary(t => t.Key, t => t.Value), StringComparer.Ordinal)
        {
            [EnvironmentTags.Environment] = spec.Name,
            [EnvironmentTags.Stage] = spec.Stage.ToString().ToLowerInvariant(),
            [EnvironmentTags.ManagedBy] = EnvironmentTags.Manager,
        };
        if (spec.RecoveryRegion.Length > 0)
        {
            tags[EnvironmentTags.RecoveryRegion] = spec.RecoveryRegion;
        }

        return tags;
    }

    private static void RefuseCost(InferloopEnvironmentSpec spec, EvaluatedStack evaluated, EnvironmentOptions options)
    {
        if (options.MaximumMonthlyCost is not { } limit)
        {
            return;
        }

        var price = CostEstimator.Estimate(evaluated);
        if (price.MonthlyExpected > limit)
        {
            throw new OperationException(
                "MonthlyCostExceeded", OperationErrorKind.LimitExceeded, FormattableString.Invariant($"'{spec.Name}' would cost {price.MonthlyExpected:0.00} USD a month, which is more than {limit:0.00}."),
                "Lower sizes or numbers (Get-InferloopCostEstimate shows where the money goes), or raise -MaxMonthlyCost. Nothing was changed.", spec.Name);
        }

        if (!price.IsComplete)
        {
            throw new OperationException(
                "MonthlyCostUnknown", OperationErrorKind.LimitExceeded,
                FormattableString.Invariant($"'{spec.Name}' cannot be held to {limit:0.00} USD a month: no price is known for {string.Join(", ", price.Unpriced.Select(u => $"{u.Path} ({u.Name})").Distinct())}."),
                "Look at Get-InferloopCostEstimate, and repeat the command without -MaxMonthlyCost if the estimate is good enough. Nothing was changed.", spec.Name);
        }
    }

    private static string Line(Diagnostic d) => d.Location is { } at ? $"{System.IO.Path.GetFileName(at.File)}({at.Line},{at.Column}): {d.Message}" : d.Message;

    private static string Hash(EvaluatedStack stack, IReadOnlyDictionary<string, string> parameters, IReadOnlyDictionary<string, string> tags)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(text));
            hash.AppendData([0]);
        }

        void AddStack(EvaluatedStack s)
        {
            Add(s.Template.Text);
            foreach (var (_, nested) in s.NestedStacks.OrderBy(n => n.Key, StringComparer.Ordinal))
            {
                AddStack(nested);
            }
        }

        AddStack(stack);
        foreach (var (key, value) in parameters.Concat(tags).OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            Add(key);
            Add(value);
        }

        return Convert.ToHexString(hash.GetHashAndReset()).ToLowerInvariant();
    }
}
