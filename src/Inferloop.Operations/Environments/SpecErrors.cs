using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

/// <summary>Findings as one error that names all of them.</summary>
internal static class SpecErrors
{
    public static OperationException Invalid(string? target, IReadOnlyList<InferloopSpecFinding> errors)
    {
        // One kind of problem keeps its own id; several share a common one.
        var rules = errors.Select(e => e.Rule).Distinct().ToList();
        return new OperationException(
            rules.Count == 1 ? "Spec" + (rules[0].StartsWith("Spec", StringComparison.Ordinal) ? rules[0][4..] : rules[0]) : "SpecInvalid",
            OperationErrorKind.InvalidArgument,
            string.Join(Environment.NewLine, errors.Select(e => e.Line > 0 ? $"{e.Location}: {e.Message}" : e.Message)),
            string.Join(" ", errors.Select(e => e.Recommendation).Distinct()) + " Nothing was created.",
            errors.Count == 1 && errors[0].Member.Length > 0 ? errors[0].Member : target);
    }
}
