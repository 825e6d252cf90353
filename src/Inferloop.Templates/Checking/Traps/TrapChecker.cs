namespace Inferloop.Templates;

/// <summary>
/// Checks what CloudFormation accepts and what still never works: the mistakes that broke the platform's first
/// infrastructure, each a rule.
/// </summary>
public static class TrapChecker
{
    /// <summary>All rules, in the order of their names.</summary>
    public static IReadOnlyList<TrapRule> Rules { get; } = new[]
    {
        AlarmTraps.Dimension, AlarmTraps.NoAction, AlarmTraps.NoMetric, AlarmTraps.MissingData,
        LoadBalancerTraps.PortTaken, LoadBalancerTraps.TargetType, LoadBalancerTraps.HealthCheck, LoadBalancerTraps.Blocked,
        NameTraps.TooLong, RoleTraps.Secrets, RoleTraps.Stores, RoleTraps.Variables,
        StackTraps.Cycle, StackTraps.Relative, StackTraps.OwnImport, StackTraps.NoExport,
        StoreTraps.Unencrypted, StoreTraps.SharedSwitch, StoreTraps.FixedSize, StoreTraps.Rotation,
    }.OrderBy(r => r.Id, StringComparer.Ordinal).ToList();

    /// <summary>Looks at evaluated stacks, nested ones included.</summary>
    /// <param name="root">The stack.</param>
    /// <returns>What was found.</returns>
    public static IReadOnlyList<Diagnostic> Check(EvaluatedStack root)
    {
        ArgumentNullException.ThrowIfNull(root);
        var context = new TrapContext(root);
        NameTraps.Check(context, DiagnosticSeverity.Error);
        LoadBalancerTraps.Check(context);
        AlarmTraps.Check(context);
        RoleTraps.Check(context);
        StoreTraps.Check(context);
        return context.Findings;
    }

    /// <summary>Looks at the names that stacks have with the longest values of their parameters.</summary>
    /// <param name="widest">The stack, evaluated with those values.</param>
    /// <returns>What was found; warnings, as the values given may be shorter.</returns>
    public static IReadOnlyList<Diagnostic> CheckWidest(EvaluatedStack widest)
    {
        ArgumentNullException.ThrowIfNull(widest);
        var context = new TrapContext(widest);
        NameTraps.Check(context, DiagnosticSeverity.Warning);
        return context.Findings;
    }

    /// <summary>Looks at the text of templates that are deployed together.</summary>
    /// <param name="templates">The templates: a root and its nested ones, or the stacks of one account.</param>
    /// <returns>What was found.</returns>
    public static IReadOnlyList<Diagnostic> CheckText(IReadOnlyList<Template> templates)
    {
        ArgumentNullException.ThrowIfNull(templates);
        return [.. StackTraps.Check(templates), .. templates.SelectMany(StoreTraps.CheckText)];
    }

    /// <summary>What to do about a finding.</summary>
    /// <param name="code">Its code.</param>
    /// <returns>The remedy; null for a code that is no rule here.</returns>
    public static string? RemedyOf(string code) => (code == DiagnosticCodes.CircularDependency ? StackTraps.Cycle : Rules.FirstOrDefault(r => r.Id == code))?.Remedy;
}
