namespace Inferloop.Operations.Alarms;

/// <summary>How much an alarm matters, by the topic that it tells.</summary>
public enum AlarmSeverity
{
    /// <summary>For the record.</summary>
    Information,

    /// <summary>To be looked at today.</summary>
    Warning,

    /// <summary>Somebody is called: the service is down, or about to be.</summary>
    Critical,
}

/// <summary>The state of an alarm, as CloudWatch has it.</summary>
public enum AlarmState
{
    /// <summary>Within its threshold.</summary>
    Ok,

    /// <summary>There is not enough data to tell.</summary>
    InsufficientData,

    /// <summary>Beyond its threshold.</summary>
    Alarm,
}

/// <summary>An alarm of an environment, and how it stands.</summary>
public sealed record InferloopAlarm
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>The alarm's name in CloudWatch.</summary>
    public required string Name { get; init; }

    /// <summary>How much it matters.</summary>
    public required AlarmSeverity Severity { get; init; }

    /// <summary>Its state.</summary>
    public required AlarmState State { get; init; }

    /// <summary>Since when it is in that state, UTC.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Whether it is made of other alarms.</summary>
    public bool IsComposite { get; init; }

    /// <summary>What it watches: a metric, an expression over metrics, or the rule over other alarms.</summary>
    public required string Metric { get; init; }

    /// <summary>When it fires: "> 90, 2 of 2 times in 60 s". Empty for a composite alarm.</summary>
    public string Threshold { get; init; } = "";

    /// <summary>The newest value that was compared; null where there was none.</summary>
    public double? Value { get; init; }

    /// <summary>What it means, in the template's words.</summary>
    public string Description { get; init; } = "";

    /// <summary>Why it is in its state, in CloudWatch's words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Whether its actions are carried out.</summary>
    public bool ActionsEnabled { get; init; }

    /// <summary>ARN of the alarm.</summary>
    public required string Arn { get; init; }

    /// <summary>Name, state and value in one line.</summary>
    public override string ToString() => $"{Name}: {State}{(Value is { } v ? FormattableString.Invariant($" at {v:0.###}") : "")}";
}
