using System.Management.Automation;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <summary>The members of the sections monitoring, governance, budget and pipeline.</summary>
public sealed partial class SpecParameters
{
    /// <summary>Whether there are alarms, a dashboard and the scaling step that an alarm drives. Default true.</summary>
    [Parameter]
    public bool? MonitoringEnabled { get; set; }

    /// <summary>E-mail address that is told of critical alerts; empty for none. Its owner has to confirm. Default empty.</summary>
    [Parameter]
    public string? CriticalEmail { get; set; }

    /// <summary>HTTPS endpoint, of a pager for example, that is told of critical alerts; empty for none. Default empty.</summary>
    [Parameter]
    public string? CriticalEndpointUrl { get; set; }

    /// <summary>E-mail address of the operations team, told of warnings; empty for none. Its owner has to confirm. Default empty.</summary>
    [Parameter]
    public string? WarningEmail { get; set; }

    /// <summary>HTTPS endpoint, of a chat for example, that is told of warnings; empty for none. Default empty.</summary>
    [Parameter]
    public string? WarningEndpointUrl { get; set; }

    /// <summary>E-mail address that is told of what happens by itself, such as scaling; empty for none. Default empty.</summary>
    [Parameter]
    public string? InformationEmail { get; set; }

    /// <summary>US dollars that the environment may cost a month, 0 to 100000000, with alerts at 80 % and 100 %; 0 for no budget. Default 0.</summary>
    [Parameter]
    public int? BudgetAmount { get; set; }
}
