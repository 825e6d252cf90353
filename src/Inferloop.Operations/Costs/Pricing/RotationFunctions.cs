namespace Inferloop.Operations.Costs.Pricing;

/// <summary>
/// Functions that Secrets Manager calls to rotate secrets: how often is in the schedule, so the profile's calls are not theirs.
/// </summary>
internal static class RotationFunctions
{
    /// <summary>The calls of one rotation: createSecret, setSecret, testSecret, finishSecret.</summary>
    private const decimal Steps = 4;

    // A schedule given as an expression: once a day is as often as any rotation needs.
    private const decimal ExpressionDays = 1;

    /// <summary>The calls a month of each such function.</summary>
    public static IReadOnlyDictionary<CostedResource, decimal> Calls(CostSheet sheet) => sheet.Scope.Once("rotation functions", scope =>
        scope.OfType("AWS::SecretsManager::RotationSchedule")
            .SelectMany(s => s.Sources(s.Get("RotationLambdaARN")).Where(f => f.Type == ServerlessPricers.FunctionType).Distinct()
                .Select(f => (Function: f, Calls: Steps / Month.FromDays(s.Number("RotationRules", "AutomaticallyAfterDays") ?? ExpressionDays))))
            .GroupBy(x => x.Function).ToDictionary(g => g.Key, g => g.Sum(x => x.Calls)));
}
