namespace Inferloop.Operations.Specs;

/// <summary>Alarms, the dashboard, the budget, and who is told.</summary>
public sealed record MonitoringSpec
{
    /// <summary>Whether there are alarms, a dashboard and the scaling step that an alarm drives. Default true.</summary>
    [SpecMember(Summary = "alarms, dashboard, and the scaling step that an alarm drives")]
    public bool MonitoringEnabled { get; init; } = true;

    /// <summary>E-mail address that is told of critical alerts; empty for none. Its owner has to confirm. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = EmailPattern, PatternMeaning = EmailMeaning, Summary = "told of critical alerts; empty for none")]
    public string CriticalEmail { get; init; } = "";

    /// <summary>HTTPS endpoint, of a pager for example, that is told of critical alerts; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = UrlPattern, PatternMeaning = UrlMeaning, Summary = "a pager's, told of critical alerts; empty for none")]
    public string CriticalEndpointUrl { get; init; } = "";

    /// <summary>E-mail address of the operations team, told of warnings; empty for none. Its owner has to confirm. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = EmailPattern, PatternMeaning = EmailMeaning, Summary = "the operations team's, told of warnings; empty for none")]
    public string WarningEmail { get; init; } = "";

    /// <summary>HTTPS endpoint, of a chat for example, that is told of warnings; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = UrlPattern, PatternMeaning = UrlMeaning, Summary = "a chat's, told of warnings; empty for none")]
    public string WarningEndpointUrl { get; init; } = "";

    /// <summary>E-mail address that is told of what happens by itself, such as scaling; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = EmailPattern, PatternMeaning = EmailMeaning, Summary = "told of what happens by itself; empty for none")]
    public string InformationEmail { get; init; } = "";

    /// <summary>US dollars that the environment may cost a month, 0 to 100000000, with alerts at 80 % and 100 %; 0 for no budget. Default 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 100000000, Unit = "US dollars", Summary = "a month; alerts at 80 % and 100 %; 0 for no budget")]
    public int BudgetAmount { get; init; }

    internal const string EmailPattern = @"^[^@\s]+@[^@\s]+\.[^@\s]+$";
    internal const string EmailMeaning = "an e-mail address";
    private const string UrlPattern = @"^https://\S+$";
    private const string UrlMeaning = "an https URL";
}
