namespace Inferloop.Operations.Environments;

/// <summary>What an operation may be told beside its task; the defaults are right outside tests.</summary>
internal sealed record EnvironmentOptions
{
    /// <summary>The time between two looks at a stack that is busy.</summary>
    public TimeSpan PollMinimum { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The time between two looks at a stack in which nothing happens.</summary>
    public TimeSpan PollMaximum { get; init; } = TimeSpan.FromSeconds(10);

    public OperatorIdentity Operator { get; init; } = OperatorIdentity.Current;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The folder with the templates; null for the ones that ship with the module.</summary>
    public string? TemplateFolder { get; init; }

    /// <summary>What an environment may cost a month at most, in US dollars; null for no limit.</summary>
    public decimal? MaximumMonthlyCost { get; init; }

    /// <summary>Look at quotas, names and zones before a create begins.</summary>
    public bool Preflight { get; init; }

    /// <summary>Called as each step begins. Tests stop here for good, as a dead process would.</summary>
    public Func<string, CancellationToken, Task>? BeforeStep { get; init; }

    /// <summary>The lock under which this works, where a greater operation holds it; whoever took it gives it free.</summary>
    public EnvironmentLock? Held { get; init; }

    /// <summary>A loopback endpoint answers at once and charges nothing for questions.</summary>
    public static EnvironmentOptions For(Uri? endpoint) => endpoint is { IsLoopback: true }
        ? new EnvironmentOptions { PollMinimum = TimeSpan.FromMilliseconds(150), PollMaximum = TimeSpan.FromSeconds(1) }
        : new EnvironmentOptions();
}
